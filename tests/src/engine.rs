//! The engine's real binary, as users start it. Knows nothing of its flags.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use crate::{
    cargo,
    process::{Output, Process},
};

/// Longest life of a process unless the test says otherwise.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How the engine is started. One value can start any number of processes.
#[derive(Clone, Debug)]
pub struct Engine {
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    timeout: Duration,
}

impl Engine {
    /// The engine with the environment of the test and a time limit of two minutes.
    pub fn new() -> Self {
        Self {
            environment: Vec::new(),
            directory: None,
            timeout: TIMEOUT,
        }
    }

    /// Sets a variable in the environment of the processes.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets the working directory of the processes.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// A process that lives longer is killed, and its test fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// When the engine does not build or the time limit passes.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.spawn(args).wait()
    }

    /// Starts a process to talk to.
    ///
    /// # Panics
    /// When the engine does not build.
    pub fn spawn<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Process {
        let mut command = Command::new(Self::path());
        command.args(args).envs(self.environment.iter().cloned());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        Process::spawn(command, self.timeout)
    }

    /// The binary, built once a process from the sources as they are.
    ///
    /// # Panics
    /// When it does not build.
    pub fn path() -> &'static Path {
        static PATH: OnceLock<PathBuf> = OnceLock::new();
        PATH.get_or_init(|| build("aiotest-engine"))
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

/// Cargo gives a test the path of a binary of its own package only. No package is chosen, so
/// that dependencies have the features they have in `cargo test`, and are not built twice.
fn build(name: &str) -> PathBuf {
    let args = ["--bin", name];
    cargo::build(cargo::workspace(), &args, cargo::executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_of_another_package_is_built_and_runs() {
        let mut command = Command::new(build("shop-server"));
        command.arg("--version");
        let output = Process::spawn(command, TIMEOUT).wait();
        assert_eq!(output.code, Some(0));
        assert!(output.stdout.starts_with("shop-server "), "{output:?}");
    }
}
