//! Compiled components on disk, by content, and what else is made once on a machine.
//! Cached native code is trusted code: it lies in a directory that only this user can
//! write, and never comes from elsewhere.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What a component is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest(pub(super) [u8; 32]);

impl Digest {
    /// Of its bytes, which may come in parts.
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut sha = Sha256::new();
        parts.into_iter().for_each(|part| sha.update(part));
        Digest(sha.finalize().into())
    }
}

/// A component to be compiled.
pub(super) struct Code {
    pub(super) bytes: Vec<u8>,
    digest: Digest,
    /// What it was compiled to, where no file could take it.
    compiled: OnceLock<Vec<u8>>,
}

impl Code {
    pub(super) fn new(bytes: Vec<u8>, digest: Digest) -> Self {
        Code {
            bytes,
            digest,
            compiled: OnceLock::new(),
        }
    }

    /// Compiles it, or takes it from the cache; `begin` is called before it is compiled. A
    /// cache that cannot be used costs time, not the run.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        begin: impl FnOnce(),
    ) -> wasmtime::Result<Component> {
        let file = directory().map(|directory| directory.join(key(engine, self.digest)));
        let load = || load(engine, file.as_deref()?);
        if let Some(component) = load() {
            return Ok(component);
        }
        if let Some(code) = self.compiled.get()
            && let Ok(component) = own(engine, code)
        {
            return Ok(component);
        }
        let _turn = file.as_deref().map(|file| Turn::wait(file, || {}));
        if let Some(component) = load() {
            return Ok(component);
        }
        begin();
        let code = engine.precompile_component(&self.bytes)?;
        // On a full disk the next run compiles again.
        let _ = file.as_deref().map(|file| store(file, &code));
        match load() {
            Some(component) => Ok(component),
            None => own(engine, self.compiled.get_or_init(|| code)),
        }
    }
}

/// What the file of this name in the cache has, or, if there is none, what is made for it.
/// `waiting` is called when another process makes it.
pub(super) fn keep<E>(
    name: &str,
    waiting: impl FnOnce(),
    make: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let Some(directory) = directory() else {
        return make();
    };
    let file = directory.join(name);
    if let Some(content) = read(&file) {
        return Ok(content);
    }
    let _turn = Turn::wait(&file, waiting);
    if let Some(content) = read(&file) {
        return Ok(content);
    }
    let content = make()?;
    // On a full disk the next run makes it again.
    let _ = store(&file, &content);
    Ok(content)
}

/// Of several processes that want the same file only one makes it, as long as this lives.
struct Turn {
    path: PathBuf,
    /// Absent where files cannot be locked: then each makes its own.
    _lock: Option<fs::File>,
}

impl Turn {
    fn wait(file: &Path, waiting: impl FnOnce()) -> Self {
        let path = file.with_extension("lock");
        let lock = fs::File::create(&path).and_then(|lock| match lock.try_lock() {
            Err(fs::TryLockError::WouldBlock) => {
                waiting();
                lock.lock().map(|()| lock)
            }
            other => Ok(other.map(|()| lock)?),
        });
        Turn {
            path,
            _lock: lock.ok(),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
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

#[expect(
    unsafe_code,
    reason = "the only way to use code that was compiled for a file"
)]
fn own(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the compiler of this process made it.
    unsafe { Component::deserialize(engine, code) }
}

fn read(file: &Path) -> Option<Vec<u8>> {
    if !is_private(&fs::symlink_metadata(file).ok()?) {
        return None;
    }
    fs::read(file).ok()
}

/// Writes a file as a whole: one that a crash cut off would be taken for good.
fn store(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    let written = fs::File::create(&temporary).and_then(|mut out| {
        out.set_permissions(fs::Permissions::from_mode(0o600))?;
        out.write_all(content)?;
        out.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&temporary, file));
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}

/// Content, engine version and every setting that shapes the code.
fn key(engine: &Engine, digest: Digest) -> String {
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
    sha.0.update(digest.0);
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
        store(&file, &engine.precompile_component(EMPTY).unwrap()).unwrap();
        assert!(load(&engine, &file).is_some());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(load(&engine, &file).is_none());
    }

    #[test]
    fn damaged_code_is_not_loaded() {
        let engine = Engine::default();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("component.cwasm");
        store(&file, b"not native code").unwrap();
        assert!(load(&engine, &file).is_none());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_key_depends_on_content() {
        let engine = Engine::default();
        let key = |parts: &[&[u8]]| key(&engine, Digest::of(parts.iter().copied()));
        assert_eq!(key(&[b"ab"]), key(&[b"a", b"b"]));
        assert_ne!(key(&[b"a"]), key(&[b"b"]));
    }

    #[test]
    fn one_makes_what_many_want() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("interpreter.snapshot");
        let turn = Turn::wait(&file, || panic!("nobody else is there"));
        std::thread::scope(|scope| {
            let (told, waits) = std::sync::mpsc::channel();
            let first = scope.spawn(|| {
                let _turn = Turn::wait(&file, move || told.send(()).unwrap());
                assert!(file.exists());
            });
            waits.recv().unwrap();
            store(&file, b"made").unwrap();
            drop(turn);
            first.join().unwrap();
        });
        assert_eq!(read(&file).unwrap(), b"made");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
