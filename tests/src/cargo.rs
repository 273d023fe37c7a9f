//! Builds packages with cargo and finds what came out. Knows neither guests nor engine.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the workspace")
}

/// Runs `cargo build` with `args` in `directory` and returns the one artefact that
/// `pick` finds in cargo's messages, which hold the paths whatever the target directory.
pub(crate) fn build(
    directory: &Path,
    args: &[&str],
    pick: impl Fn(&Value) -> Option<PathBuf>,
) -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    // What cargo tells this process about its own package is not for the packages to build:
    // some of them would take it for a change, and be built anew each time.
    for (name, _) in env::vars_os() {
        let own = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_CRATE_NAME",
            "CARGO_BIN_NAME",
        ];
        if name
            .to_str()
            .is_some_and(|name| own.iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(&name);
        }
    }
    let output = command
        .arg("build")
        .args(args)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(directory)
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo build {args:?}: {errors}");
    output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .find_map(|message| pick(&message))
        .unwrap_or_else(|| panic!("cargo build {args:?} built nothing of that kind"))
}

/// The executable of a `compiler-artifact` message.
pub(crate) fn executable(message: &Value) -> Option<PathBuf> {
    message["executable"].as_str().map(PathBuf::from)
}

/// The WebAssembly module or component of a `compiler-artifact` message.
pub(crate) fn wasm(message: &Value) -> Option<PathBuf> {
    let files = message["filenames"].as_array()?.iter();
    files
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| {
            file.extension()
                .is_some_and(|extension| extension == "wasm")
        })
}
