//! Guests built from their crates. Knows nothing of how they are run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

use crate::cargo;

/// The component of a guest crate of the workspace, built once a process with the same
/// target and profile as the components that users get.
///
/// # Panics
/// When there is no such package, or it does not build.
pub fn build(package: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    // Held while building: cargo would make other builds wait anyway.
    let mut built = BUILT.lock();
    if let Some(path) = built.get(package) {
        return path.clone();
    }
    let path = build_in(cargo::workspace(), package);
    built.insert(package.to_owned(), path.clone());
    path
}

fn build_in(workspace: &Path, package: &str) -> PathBuf {
    let target = ["--target", "wasm32-wasip2", "--profile", "guest"];
    let args = [&target[..], &["--package", package]].concat();
    cargo::build(workspace, &args, cargo::wasm)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_guest_becomes_a_component() {
        let workspace = tempfile::tempdir().unwrap();
        let manifest = r#"
            [package]
            name = "tiny-guest"
            edition = "2024"
            [lib]
            crate-type = ["cdylib"]
            [profile.guest]
            inherits = "release"
            [workspace]
        "#;
        fs::write(workspace.path().join("Cargo.toml"), manifest).unwrap();
        fs::create_dir(workspace.path().join("src")).unwrap();
        fs::write(workspace.path().join("src/lib.rs"), "").unwrap();

        let path = build_in(workspace.path(), "tiny-guest");

        assert_eq!(path.file_name().unwrap(), "tiny_guest.wasm");
        let bytes = fs::read(&path).unwrap();
        // The magic number, and the version and layer of components.
        assert_eq!(bytes[..8], *b"\0asm\x0d\0\x01\0");
    }

    #[test]
    #[should_panic(expected = "no-such-guest")]
    fn an_unknown_guest_is_named() {
        build("no-such-guest");
    }
}
