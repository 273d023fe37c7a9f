//! The four files of comma-separated values that locust writes, column for column, for
//! scripts and notebooks that read these. Times are in milliseconds.
//!
//! What locust does not know, or differently: requests of one method and name are one row
//! here, whatever their tags; times have fractions; percentiles in the history are those of
//! the row's interval; first and last occurrences are not known. Texts are on one line, and
//! those that a spreadsheet would take for a formula get an apostrophe before them.

mod history;
mod times;

use super::file::{self, WriteError};
use super::format::plain;
use crate::report::{Report, Requests};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use times::{PERCENTILES, Times};

/// What the names of the files end with.
const ENDINGS: [&str; 4] = [
    "_stats.csv",
    "_stats_history.csv",
    "_failures.csv",
    "_exceptions.csv",
];

/// The paths of the files whose names begin with `prefix`.
#[must_use]
pub fn paths(prefix: &Path) -> [PathBuf; 4] {
    ENDINGS.map(|ending| {
        let mut path = prefix.as_os_str().to_owned();
        path.push(ending);
        path.into()
    })
}

/// Writes all files that can be written, and returns what is wrong with the others.
#[must_use]
pub fn write(prefix: &Path, report: &Report) -> Vec<WriteError> {
    let tables = [
        stats(report),
        history::table(report),
        failures(report),
        exceptions(report),
    ];
    let written = paths(prefix).into_iter().zip(tables);
    written
        .filter_map(|(path, table)| file::write(&path, table.bytes()).err())
        .collect()
}

/// A header and rows below it.
struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new(columns: &[&str]) -> Self {
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let mut table = Self(writer);
        table.record(columns);
        table
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.record(&cells.into_iter().collect::<Vec<_>>());
    }

    fn record(&mut self, cells: &[impl AsRef<[u8]>]) {
        let written = self.0.write_record(cells);
        written.expect("rows are as long as the header, and memory takes all that is written");
    }

    fn bytes(self) -> Vec<u8> {
        let written = self.0.into_inner().ok();
        written.expect("memory takes all that is written")
    }
}

/// The requests by name and method, and all together.
fn stats(report: &Report) -> Table {
    let columns = [
        "Type",
        "Name",
        "Request Count",
        "Failure Count",
        "Median Response Time",
        "Average Response Time",
        "Min Response Time",
        "Max Response Time",
        "Average Content Size",
        "Requests/s",
        "Failures/s",
    ];
    let mut table = Table::new(&[&columns[..], &PERCENTILES[..]].concat());
    let seconds = report.run.duration_seconds;
    let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
    for row in &report.requests {
        let rows = rows.entry((&row.name, &row.method)).or_default();
        rows.add(Row::of(&row.requests));
    }
    for ((name, method), row) in rows {
        table.row(row.cells(method, name, seconds));
    }
    table.row(Row::of(&report.total).cells("", "Aggregated", seconds));
    table
}

/// Requests, as far as the files tell of them.
#[derive(Default)]
struct Row {
    failures: u64,
    received: u64,
    times: Times,
}

impl Row {
    fn of(requests: &Requests) -> Self {
        Self {
            failures: requests.failures,
            received: requests.bytes_received,
            times: Times::of(&requests.time_ms),
        }
    }

    fn add(&mut self, other: Self) {
        self.failures += other.failures;
        self.received += other.received;
        self.times.add(other.times);
    }

    fn cells(&self, method: &str, name: &str, seconds: f64) -> Vec<String> {
        let mut cells = vec![text(method), text(name)];
        cells.extend(self.counts());
        cells.extend([self.times.count(), self.failures].map(|n| ratio(n as f64, seconds)));
        cells.extend(self.times.percentiles());
        cells
    }

    /// From the count to the size.
    fn counts(&self) -> [String; 7] {
        let [median, average, min, max] = self.times.summary();
        let requests = self.times.count();
        let size = ratio(self.received as f64, requests as f64);
        [
            requests.to_string(),
            self.failures.to_string(),
            median,
            average,
            min,
            max,
            size,
        ]
    }
}

/// Failed requests by cause.
fn failures(report: &Report) -> Table {
    let columns = [
        "Method",
        "Name",
        "Error",
        "Occurrences",
        "First Seen",
        "Last Seen",
    ];
    let mut table = Table::new(&columns);
    for error in &report.errors {
        table.row([
            text(&error.method),
            text(&error.name),
            text(&error.message),
            error.count.to_string(),
            String::new(),
            String::new(),
        ]);
    }
    table
}

/// Failed tasks and sandboxes by cause.
fn exceptions(report: &Report) -> Table {
    let mut table = Table::new(&["Count", "Message", "Traceback", "Nodes"]);
    let nodes = match report.environment.machine.as_str() {
        "" => "local".to_owned(),
        machine => text(machine),
    };
    for error in &report.task_errors {
        table.row([
            error.count.to_string(),
            text(&error.message),
            text(&format!("{}.{}", error.class, error.task)),
            nodes.clone(),
        ]);
    }
    for event in &report.sandbox_events {
        table.row([
            event.count.to_string(),
            text(&format!("{}: {}", event.kind, event.message)),
            text(&event.class),
            nodes.clone(),
        ]);
    }
    table
}

/// A text that somebody else chose.
fn text(text: &str) -> String {
    let line = plain(text);
    match line.trim_start().starts_with(['=', '+', '-', '@']) {
        true => format!("'{line}"),
        false => line.into_owned(),
    }
}

/// So much for each of so many; 0 for none.
fn ratio(amount: f64, of: f64) -> String {
    let ratio = if of > 0.0 { amount / of } else { 0.0 };
    ratio.to_string()
}

#[cfg(test)]
mod tests;
