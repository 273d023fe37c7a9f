//! Shows what was measured: to people, to Prometheus, to programs. Works on snapshots and
//! plain data; knows nothing of how they came about.

pub mod file;
pub(crate) mod format;
pub mod json;
mod page;
pub mod prometheus;
pub mod summary;
pub mod terminal;

#[cfg(test)]
mod fixture;

use crate::metrics::Snapshot;
use crate::metrics::users::Users;
use crate::threshold::Verdict;
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
    /// How long it was paused, all pauses together.
    pub paused: Duration,
    /// One line that says why it ended.
    pub end_reason: String,
    /// What the process will return.
    pub exit_code: u8,
    /// Whether the engine itself was short of CPU, so that its times are in doubt.
    pub saturated: bool,
    /// What became of its thresholds.
    pub thresholds: Vec<Verdict>,
    /// The users at the end.
    pub users: Users,
    /// Users that did not finish within the time to stop, and were cut off.
    pub users_ended: u64,
    /// All measurements.
    pub snapshot: Snapshot,
}

/// The keys of a count, the most frequent first, and the first keys first among equals.
fn by_count<K>(counts: &BTreeMap<K, u64>) -> Vec<(&K, u64)> {
    let mut rows: Vec<_> = counts.iter().map(|(key, count)| (key, *count)).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows
}

/// How much there was in each second of `span`; 0 for no time at all.
fn per_second(amount: f64, span: Duration) -> f64 {
    if span.is_zero() {
        return 0.0;
    }
    amount / span.as_secs_f64()
}
