//! Shows what was measured: to people, to Prometheus, to programs. Works on snapshots and
//! plain data; knows nothing of how they came about.

pub mod file;
mod format;
pub mod json;
mod page;
pub mod prometheus;
pub mod summary;
pub mod terminal;

#[cfg(test)]
mod fixture;

use crate::metrics::Snapshot;
use crate::metrics::users::Users;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// A finished run, for its reports.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// What was run: a file's name.
    pub component: String,
    /// Base URL, when the run has one for all classes.
    pub host: Option<String>,
    /// When it started.
    pub started: SystemTime,
    /// How long it took, pauses not included.
    pub duration: Duration,
    /// One line that says why it ended.
    pub end_reason: String,
    /// What the process will return.
    pub exit_code: u8,
    /// Whether the engine itself was short of CPU, so that its times are in doubt.
    pub saturated: bool,
    /// The users at the end.
    pub users: Users,
    /// All measurements.
    pub snapshot: Snapshot,
}

/// The keys of a count, the most frequent first, and the first keys first among equals.
fn by_count<K>(counts: &BTreeMap<K, u64>) -> Vec<(&K, u64)> {
    let mut rows: Vec<_> = counts.iter().map(|(key, count)| (key, *count)).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows
}
