//! Counts what the run does, from all threads at once, within bounded memory. Knows
//! samples and names; nothing of users' sandboxes, of HTTP or of how results are shown.

mod counts;
mod distribution;
mod encoding;
mod exponential;
mod histogram;
mod masking;
mod merge;
mod request;
mod shard;
mod snapshot;
mod table;
pub mod users;
mod values;

pub use counts::Counts;
pub use distribution::Durations;
pub use encoding::{Exact, InvalidHistogram};
pub use exponential::Exponential;
pub use request::{Phases, RequestStats, Sizes, StatusCount, Statuses, Window};
pub use snapshot::{
    Check, ErrorKey, Folded, Gauge, RequestKey, SandboxEventKey, Snapshot, TaskErrorKey,
};
pub(crate) use table::cut;
pub use values::Values;

use crate::sample::{Sample, Sink};
use parking_lot::{Mutex, MutexGuard};
use shard::{Admission, Shard};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many distinct names are kept; the rest is counted together as `(other)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Combinations of method, name and tags of requests. Each takes about 100 KiB for
    /// every thread that sends it, and twice that where starts are planned. Custom metrics
    /// and groups have at most this many names of a kind, and never more than 100.
    pub max_names: usize,
    /// Causes of failed requests; texts of failed tasks; texts of sandbox events. All
    /// texts and names are cut to 200 characters, but not the tags.
    pub max_errors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_names: 1000,
            max_errors: 500,
        }
    }
}

/// The measurements of a run. Each thread counts in a shard of its own, so that threads
/// do not wait for each other; a snapshot merges the shards.
#[derive(Debug)]
pub struct Metrics {
    shards: Vec<Padded>,
    admission: Admission,
}

/// Two shards never share a cache line (nor the pair of lines that is fetched together).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded(Mutex<Shard>);

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            shards: (0..threads).map(|_| Padded::default()).collect(),
            admission: Admission::new(&limits),
        }
    }

    /// Adds to a counter. What is negative or not a number counts as invalid.
    pub fn count(&self, name: &str, value: f64) {
        self.shard().count(name, value, &self.admission);
    }

    /// Sets a gauge. What is not a number counts as invalid.
    pub fn gauge(&self, name: &str, value: f64) {
        self.shard().gauge(name, value, &self.admission);
    }

    /// Adds to a distribution. What is negative or not a number counts as invalid.
    pub fn trend(&self, name: &str, value: f64) {
        self.shard().trend(name, value, &self.admission);
    }

    /// Counts the outcome of a check.
    pub fn check(&self, name: &str, passed: bool) {
        self.shard().check(name, passed, &self.admission);
    }

    /// Counts tasks that ended, in whatever way, and how long the iteration took that ended
    /// with them, if one did.
    pub fn work(&self, tasks: u64, iteration: Option<Duration>) {
        let mut shard = self.shard();
        shard.tasks(tasks);
        if let Some(took) = iteration {
            shard.iteration(took);
        }
    }

    /// Counts how much later than planned an iteration began.
    pub fn late(&self, late: Duration) {
        self.shard().late(late);
    }

    /// Counts an iteration that was cut off.
    pub fn interrupted_iteration(&self) {
        self.shard().interrupted_iteration();
    }

    /// Counts planned iterations that will never begin.
    pub fn dropped_iterations(&self, n: u64) {
        self.shard().dropped_iterations(n);
    }

    /// Counts a part of a user's work that has a name of its own, and how long it took.
    pub fn group(&self, name: &str, took: Duration) {
        self.shard().group(name, took, &self.admission);
    }

    /// Counts a task that failed, or a step such as `on_start`.
    pub fn task_error(&self, class: &str, task: &str, message: &str) {
        self.shard()
            .task_error(class, task, message, &self.admission);
    }

    /// Counts what went wrong with a sandbox; `kind` is a word such as `trap`.
    pub fn sandbox_event(&self, class: &str, kind: &'static str, message: &str) {
        self.shard()
            .sandbox_event(class, kind, message, &self.admission);
    }

    /// Counts a sandbox that was replaced.
    pub fn restart(&self, class: &str) {
        self.shard().restart(class, &self.admission);
    }

    /// Counts lines of the scenario's log that were dropped.
    pub fn log_dropped(&self, lines: u64) {
        self.shard().log_dropped(lines);
    }

    /// Counts events that were not told to the scenario's observer.
    pub fn events_dropped(&self, n: u64) {
        self.shard().events_dropped(n);
    }

    /// Counts samples that were not written to the file of all samples.
    pub fn samples_dropped(&self, n: u64) {
        self.shard().samples_dropped(n);
    }

    /// Counts how late a timer of the engine fired.
    pub fn lag(&self, late: Duration) {
        self.shard().lag(late);
    }

    /// Everything so far, with the texts as they came: [`Snapshot::masked`] before anyone
    /// sees it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut all = Snapshot::default();
        for Padded(shard) in &self.shards {
            shard::merge_into(&mut all, shard);
        }
        for stats in all.requests.values() {
            merge::Merge::merge_from(&mut all.total, stats);
        }
        all
    }

    /// The requests so far, over all names: cheaper than a snapshot.
    #[must_use]
    pub fn total(&self) -> RequestStats {
        let mut total = RequestStats::default();
        for Padded(shard) in &self.shards {
            shard::merge_total(&mut total, shard);
        }
        total
    }

    fn shard(&self) -> MutexGuard<'_, Shard> {
        self.shards[thread_index() % self.shards.len()].0.lock()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Sink for Metrics {
    fn record(&self, sample: &Sample<'_>) {
        self.shard().record(sample, &self.admission);
    }
}

/// Numbers the threads in the order in which they first count something.
pub(crate) fn thread_index() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static INDEX: Cell<Option<usize>> = const { Cell::new(None) };
    }
    INDEX.with(|index| {
        index.get().unwrap_or_else(|| {
            let next = THREADS.fetch_add(1, Ordering::Relaxed);
            index.set(Some(next));
            next
        })
    })
}

#[cfg(test)]
mod tests;
