//! The files of a run that is over, and what can be said of them before it begins.

use std::path::PathBuf;

use crate::config::Outputs;
use crate::output::file::{self, WriteError};
use crate::output::terminal::print_error;
use crate::output::{self, html, json, junit};
use crate::report::Report;

/// Says which files could not be written as things are. The run goes on: its results are
/// printed in any case, and what is missing may be there in the end.
pub(super) fn warn(outputs: &Outputs) {
    let files = [&outputs.json, &outputs.html, &outputs.junit];
    let files = files.into_iter().flatten();
    let mut failures: Vec<_> = files.filter_map(|path| file::check(path).err()).collect();
    if let Some(prefix) = &outputs.csv {
        let mut paths = output::csv::paths(prefix).into_iter();
        failures.extend(paths.find_map(|path| file::check(&path).err()));
    }
    for failure in failures {
        print_error(&format!("aiotest-engine: warning: {failure}"));
    }
}

/// Writes every file that is asked for, each by itself: what keeps one from being written
/// does not cost the others.
pub(super) fn write_all(report: &Report, outputs: &Outputs) -> Vec<WriteError> {
    let mut failures = Vec::new();
    let mut write = |path: &Option<PathBuf>, render: &dyn Fn() -> String| {
        if let Some(path) = path {
            failures.extend(file::write(path, render()).err());
        }
    };
    write(&outputs.json, &|| json::render(report));
    write(&outputs.html, &|| {
        html::render(std::slice::from_ref(report), None)
    });
    write(&outputs.junit, &|| junit::render(report));
    if let Some(prefix) = &outputs.csv {
        failures.extend(output::csv::write(prefix, report));
    }
    failures
}
