//! A scenario under load in the real engine, and the results from its JSON report. Knows
//! nothing of what the scenario does.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Engine, guests,
    process::{Output, Process},
};

/// A run under way. Dropping it kills the engine.
pub struct LoadTest {
    process: Process,
    report: PathBuf,
    _directory: TempDir,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Results {
    /// What the engine left behind.
    pub output: Output,
    /// The JSON report.
    pub report: Value,
}

impl LoadTest {
    /// Starts the engine with a guest package's component and arguments, which are split
    /// at spaces.
    ///
    /// # Panics
    /// When the guest or the engine does not build.
    pub fn start(engine: &Engine, guest: &str, args: &str) -> Self {
        Self::start_with(engine, guest, args.split_whitespace())
    }

    /// Starts the engine with a guest package's component and arguments as they are.
    ///
    /// # Panics
    /// When the guest or the engine does not build.
    pub fn start_with<S: AsRef<OsStr>>(
        engine: &Engine,
        guest: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::start_file(engine, &guests::build(guest), args)
    }

    /// Starts the engine with a file, which is a component or a script, and arguments as
    /// they are.
    ///
    /// # Panics
    /// When the engine does not build.
    pub fn start_file<S: AsRef<OsStr>>(
        engine: &Engine,
        file: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let report = directory.path().join("report.json");
        let mut line: Vec<OsString> = vec!["run".into(), file.into()];
        line.extend(["--json".into(), report.clone().into()]);
        line.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        Self {
            process: engine.spawn(line),
            report,
            _directory: directory,
        }
    }

    /// Runs a guest package's component to the end.
    ///
    /// # Panics
    /// When there is no report.
    pub fn run(guest: &str, args: &str) -> Results {
        Self::start(&Engine::new(), guest, args).finish()
    }

    /// Waits for a line of the engine that contains `text`, and returns it.
    ///
    /// # Panics
    /// When the engine ends before.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        self.process.wait_for_line(text)
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.process.interrupt();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When there is no report.
    pub fn finish(self) -> Results {
        let output = self.process.wait();
        let text = fs::read_to_string(&self.report)
            .unwrap_or_else(|error| panic!("no report: {error}\n{output:#?}"));
        let report = serde_json::from_str(&text).expect("the report is JSON");
        Results { output, report }
    }
}

impl Results {
    /// The exit code, which the report repeats.
    pub fn code(&self) -> i32 {
        let code = self.output.code.unwrap_or(-1);
        assert_eq!(self.number("/run/exit_code"), code as f64, "{self:#?}");
        code
    }

    /// Why the run ended.
    pub fn reason(&self) -> &str {
        self.report["run"]["end_reason"]
            .as_str()
            .expect("a run ends for a reason")
    }

    /// A number of the report, by its JSON pointer.
    ///
    /// # Panics
    /// When there is none.
    pub fn number(&self, pointer: &str) -> f64 {
        let number = self.report.pointer(pointer).and_then(Value::as_f64);
        number.unwrap_or_else(|| panic!("no {pointer} in {:#}", self.report))
    }

    /// The entries of a list of the report in which a field has this value.
    pub fn entries(&self, list: &str, field: &str, value: &str) -> Vec<&Value> {
        let entries = self.report[list].as_array().expect("it is a list");
        entries
            .iter()
            .filter(|entry| entry[field] == value)
            .collect()
    }

    /// The only entry of a list of the report in which a field has this value.
    ///
    /// # Panics
    /// When there is none or another one.
    pub fn entry(&self, list: &str, field: &str, value: &str) -> &Value {
        match self.entries(list, field, value)[..] {
            [entry] => entry,
            _ => panic!("not one {field} {value:?} of {list} in {:#}", self.report),
        }
    }
}
