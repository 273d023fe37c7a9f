//! The scripts of `tests/scripts`, and an engine that is ready for scripts. Knows nothing
//! of what they do.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use crate::{Engine, LoadTest, Output, Results, cargo};

/// Longest time that the engine may take for what it does once on a machine.
const PREPARATION: Duration = Duration::from_secs(600);

/// A file or folder of `tests/scripts`.
///
/// # Panics
/// When there is none.
pub fn path(name: &str) -> PathBuf {
    let path = cargo::workspace().join("tests/scripts").join(name);
    assert!(path.exists(), "no {}", path.display());
    path
}

/// The engine, after it has done once what it does at the first script on a machine, so
/// that tests that start together do not each do it.
///
/// # Panics
/// When it cannot do that.
pub fn engine() -> Engine {
    static PREPARED: OnceLock<Output> = OnceLock::new();
    let prepared = PREPARED.get_or_init(|| {
        let script = path("minimal.py");
        let engine = Engine::new().timeout(PREPARATION);
        engine.run([Path::new("inspect"), &script])
    });
    assert_eq!(prepared.code, Some(0), "{prepared:#?}");
    Engine::new()
}

/// Runs a script against a host, with arguments that are split at spaces, to the end.
///
/// # Panics
/// When there is no report.
pub fn run(name: &str, host: &str, args: &str) -> Results {
    start(name, host, args).finish()
}

/// Starts what [`run`] runs.
pub fn start(name: &str, host: &str, args: &str) -> LoadTest {
    let args = ["-H", host].into_iter().chain(args.split_whitespace());
    LoadTest::start_file(&engine(), &path(name), args)
}
