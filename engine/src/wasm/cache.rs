//! Compiled components on disk, by content. Cached native code is trusted code: it lies
//! in a directory that only this user can write, and never comes from elsewhere.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiles a component, or takes it from the cache. A cache that cannot be used costs
/// time, not the run.
pub(super) fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    let Some(directory) = directory() else {
        return Component::from_binary(engine, bytes);
    };
    let file = directory.join(key(engine, bytes));
    if let Some(component) = load(engine, &file) {
        return Ok(component);
    }
    let code = engine.precompile_component(bytes)?;
    // A full disk or a lost race only means that the next run compiles again.
    if store(&directory, &file, &code).is_ok()
        && let Some(component) = load(engine, &file)
    {
        return Ok(component);
    }
    Component::from_binary(engine, bytes)
}

#[expect(unsafe_code, reason = "the only way to map compiled code")]
fn load(engine: &Engine, file: &Path) -> Option<Component> {
    if !is_private(&fs::symlink_metadata(file).ok()?) {
        return None;
    }
    // SAFETY: the file was written by `store` of this program, in a directory and with
    // permissions that let nobody else change it; `is_private` checked both.
    unsafe { Component::deserialize_file(engine, file) }.ok()
}

fn store(directory: &Path, file: &Path, code: &[u8]) -> std::io::Result<()> {
    let temporary = directory.join(format!("{}.tmp", std::process::id()));
    let written = fs::File::create(&temporary).and_then(|mut out| {
        out.set_permissions(fs::Permissions::from_mode(0o600))?;
        out.write_all(code)
    });
    let done = written.and_then(|()| fs::rename(&temporary, file));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}

/// Content, engine version and every setting that shapes the code.
fn key(engine: &Engine, bytes: &[u8]) -> String {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut sha);
    sha.0.update(bytes);
    let digest = sha.0.finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.cwasm")
}

/// `$XDG_CACHE_HOME/aiotest-engine/components`, private to this user.
fn directory() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let directory = base.join("aiotest-engine").join("components");
    fs::create_dir_all(directory.parent()?).ok()?;
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    let metadata = fs::symlink_metadata(&directory).ok()?;
    (metadata.is_dir() && is_private(&metadata)).then_some(directory)
}

fn is_private(metadata: &fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_others_could_write_is_not_loaded() {
        let engine = Engine::default();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("component.cwasm");
        store(
            directory.path(),
            &file,
            &engine.precompile_component(EMPTY).unwrap(),
        )
        .unwrap();
        assert!(load(&engine, &file).is_some());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(load(&engine, &file).is_none());
    }

    #[test]
    fn damaged_code_is_not_loaded() {
        let engine = Engine::default();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("component.cwasm");
        store(directory.path(), &file, b"not native code").unwrap();
        assert!(load(&engine, &file).is_none());
        assert!(
            !directory
                .path()
                .join(format!("{}.tmp", std::process::id()))
                .exists()
        );
    }

    #[test]
    fn the_key_depends_on_content() {
        let engine = Engine::default();
        assert_eq!(key(&engine, b"a"), key(&engine, b"a"));
        assert_ne!(key(&engine, b"a"), key(&engine, b"b"));
    }
}
