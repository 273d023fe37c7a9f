//! What the results say about a run while it is under way: whether its thresholds hold, and
//! whether anything answers at all. Ends nothing itself.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::metrics::Snapshot;
use crate::threshold::{Threshold, Verdict};

/// Judges the thresholds.
pub(super) struct Jury {
    pub(super) thresholds: Vec<Threshold>,
    /// Where the verdicts are shown.
    pub(super) board: Arc<Mutex<Vec<Verdict>>>,
}

impl Jury {
    /// Shows how the thresholds stand. Returns the index of the one that ends the run, and
    /// what it says, if there is one.
    pub(super) fn judge(&self, snapshot: &Snapshot, elapsed: Duration) -> Option<(usize, String)> {
        let judged = self.thresholds.iter();
        let verdicts: Vec<Verdict> = judged
            .map(|threshold| threshold.evaluate(snapshot, elapsed))
            .collect();
        // What has no data yet may still get some, and is not counted as crossed.
        let crossed = verdicts.iter().position(|verdict| verdict.aborted);
        let crossed = crossed.map(|at| (at, verdicts[at].expression.clone()));
        *self.board.lock() = verdicts;
        crossed
    }
}

/// Looks for the first answer of any host.
#[derive(Default)]
pub(super) struct Answers {
    found: bool,
}

impl Answers {
    /// Why nothing can be reached, if every request so far failed to reach its host.
    pub(super) fn missing(&mut self, snapshot: &Snapshot) -> Option<String> {
        const NO_CONNECTION: [&str; 5] = [
            "dns",
            "connect-refused",
            "connect-timeout",
            "connect",
            "tls",
        ];
        if self.found {
            return None;
        }
        if snapshot.total.count() == 0 {
            return None;
        }
        let unreached = |kind: &str| NO_CONNECTION.contains(&kind);
        let failed: u64 = snapshot
            .errors
            .iter()
            .filter(|(key, _)| unreached(&key.kind))
            .map(|(_, count)| *count)
            .sum();
        self.found = failed < snapshot.total.count();
        if self.found {
            return None;
        }
        let most = snapshot.errors.iter().max_by_key(|(_, count)| **count);
        Some(most.map_or_else(String::new, |(key, _)| key.message.clone()))
    }
}
