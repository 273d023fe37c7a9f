//! Everything counted so far, merged over threads or nodes, as plain data in a fixed
//! order. Knows nothing of how it was collected or how it will be shown.

use super::distribution::Durations;
use super::merge::Merge;
use super::request::{Phases, RequestStats, Window};
use super::values::Values;
use std::collections::BTreeMap;
use std::time::Duration;

/// The state of a run's measurements at one moment. Everything is cumulative.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// All requests.
    pub total: RequestStats,
    /// The same by name, method and tags.
    pub requests: BTreeMap<RequestKey, RequestStats>,
    /// Failed requests by cause.
    pub errors: BTreeMap<ErrorKey, u64>,
    /// Where the time of the requests went.
    pub phases: Phases,
    /// The scenario's counters.
    pub counters: BTreeMap<String, f64>,
    /// The scenario's gauges.
    pub gauges: BTreeMap<String, Gauge>,
    /// The scenario's distributions.
    pub trends: BTreeMap<String, Values>,
    /// The scenario's checks.
    pub checks: BTreeMap<String, Check>,
    /// Tasks that ended, in whatever way.
    pub tasks: u64,
    /// How long iterations took; its count is the number of those that ended.
    pub iterations: Durations,
    /// How much later than planned iterations began; nothing where nothing was planned.
    pub lateness: Durations,
    /// Planned iterations that never began, for want of a free user.
    pub dropped_iterations: u64,
    /// Iterations that began and were cut off: by the end of the run, or of their user.
    pub interrupted_iterations: u64,
    /// How long the scenario's groups took.
    pub groups: BTreeMap<String, Durations>,
    /// Tasks that failed.
    pub task_errors: BTreeMap<TaskErrorKey, u64>,
    /// What went wrong with sandboxes.
    pub sandbox_events: BTreeMap<SandboxEventKey, u64>,
    /// Sandboxes that were replaced, by user class.
    pub restarts: BTreeMap<String, u64>,
    /// How late the engine's own timers fired.
    pub lag: Durations,
    /// Lines of the scenario's log above the permitted rate.
    pub log_dropped: u64,
    /// Events that the scenario's observer was too slow for.
    pub events_dropped: u64,
    /// Samples that were not written, for want of time or room.
    pub samples_dropped: u64,
    /// Custom values that were not counted because they are not numbers, or negative
    /// where that has no meaning.
    pub invalid_values: u64,
    /// What the limits of cardinality have cost.
    pub folded: Folded,
}

/// Under what a request is counted; ordered by name, method and tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// The request's name.
    pub name: String,
    /// HTTP method or protocol.
    pub method: String,
    /// What tells requests of one name apart, as [`split_tags`](crate::sample::split_tags)
    /// reads it; usually empty.
    pub tags: String,
}

/// Under what a failed request is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorKey {
    /// The request's name.
    pub name: String,
    /// HTTP method or protocol.
    pub method: String,
    /// HTTP status; 0 without a response.
    pub status: u16,
    /// The word for machines.
    pub kind: String,
    /// The line for people.
    pub message: String,
}

/// Under what a failed task is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskErrorKey {
    /// The user class.
    pub class: String,
    /// The task, or the step such as `on_start`.
    pub task: String,
    /// The line for people.
    pub message: String,
}

/// Under what a sandbox event is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SandboxEventKey {
    /// The user class.
    pub class: String,
    /// The word for machines, such as `trap`.
    pub kind: String,
    /// The line for people.
    pub message: String,
}

/// A value that replaces the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauge {
    /// The latest value.
    pub value: f64,
    /// When it was set, since the Unix epoch: decides between threads and nodes.
    pub set_at: Duration,
}

/// A condition of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
}

/// How often something exceeded its limit of distinct names and went under `(other)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Requests whose name was not kept.
    pub requests: u64,
    /// Errors and sandbox events whose text was not kept.
    pub errors: u64,
    /// Custom values, checks and groups whose name was not kept.
    pub custom: u64,
}

impl Snapshot {
    /// Adds the snapshot of another node.
    pub fn merge(&mut self, other: &Self) {
        self.total.merge_from(&other.total);
        self.requests.merge_from(&other.requests);
        self.errors.merge_from(&other.errors);
        self.phases.merge_from(&other.phases);
        self.counters.merge_from(&other.counters);
        self.gauges.merge_from(&other.gauges);
        self.trends.merge_from(&other.trends);
        self.checks.merge_from(&other.checks);
        self.tasks.merge_from(&other.tasks);
        self.iterations.merge_from(&other.iterations);
        self.lateness.merge_from(&other.lateness);
        self.dropped_iterations
            .merge_from(&other.dropped_iterations);
        self.interrupted_iterations
            .merge_from(&other.interrupted_iterations);
        self.groups.merge_from(&other.groups);
        self.task_errors.merge_from(&other.task_errors);
        self.sandbox_events.merge_from(&other.sandbox_events);
        self.restarts.merge_from(&other.restarts);
        self.lag.merge_from(&other.lag);
        self.log_dropped.merge_from(&other.log_dropped);
        self.events_dropped.merge_from(&other.events_dropped);
        self.samples_dropped.merge_from(&other.samples_dropped);
        self.invalid_values.merge_from(&other.invalid_values);
        self.folded.merge_from(&other.folded);
    }

    /// The requests after `earlier`, a previous snapshot of the same run.
    #[must_use]
    pub fn window(&self, earlier: &Self) -> Window {
        self.total.since(&earlier.total)
    }
}

impl Merge for Gauge {
    fn merge_from(&mut self, other: &Self) {
        let newer = self.set_at.cmp(&other.set_at);
        if newer.then(self.value.total_cmp(&other.value)).is_lt() {
            *self = *other;
        }
    }
}

impl Merge for Check {
    fn merge_from(&mut self, other: &Self) {
        self.passed.merge_from(&other.passed);
        self.failed.merge_from(&other.failed);
    }
}

impl Merge for Folded {
    fn merge_from(&mut self, other: &Self) {
        self.requests.merge_from(&other.requests);
        self.errors.merge_from(&other.errors);
        self.custom.merge_from(&other.custom);
    }
}
