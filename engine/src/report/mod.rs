//! A run's results as one document: what `--json` writes, what `report` and `compare` read,
//! and what every screen, page and file shows. Plain data; knows neither how it was measured
//! nor how it looks.
//!
//! Times are in milliseconds where a name ends with `_ms` and in seconds where it ends with
//! `_seconds`, sizes in bytes, shares between 0 and 1. Fields may be added within a schema;
//! none changes its meaning or goes away.

mod build;
mod distribution;
mod merge;
mod read;
mod requests;
mod restore;
mod timeline;

#[cfg(test)]
mod schema;

pub(crate) use build::per_second;
pub use build::{EngineState, Parts};
pub use distribution::Distribution;
pub use merge::MergeError;
pub use read::ReadError;
pub use requests::{NamedRequests, Recent, Requests, Status};
pub use restore::RestoreError;
pub use timeline::{Detail, EngineColumns, NameColumns, TimeColumns, TimelineColumns};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the document's structure.
pub const SCHEMA: u32 = 1;

/// The keys of [`Report::phases_ms`], in the order in which the phases happen.
pub const PHASES: [&str; 6] = ["dns", "connect", "tls", "send", "first byte", "body"];

/// A run: all of it when it is over, or up to now while it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of the document's structure.
    pub schema: u32,
    /// What was run, when, and how it ended.
    pub run: Run,
    /// Where it ran, and under which limits.
    #[serde(default)]
    pub environment: Environment,
    /// Conditions on the results.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Users, at the end of the run.
    #[serde(default)]
    pub users: Users,
    /// All requests.
    pub total: Requests,
    /// The same for each name, method and tags.
    pub requests: Vec<NamedRequests>,
    /// Where the time of all requests went: `dns`, `connect`, `tls`, `send`, `first byte`, `body`.
    #[serde(default)]
    pub phases_ms: BTreeMap<String, Distribution>,
    /// Failed requests by cause, the most frequent first.
    #[serde(default)]
    pub errors: Vec<RequestError>,
    /// Rounds of the users' tasks.
    #[serde(default)]
    pub iterations: Iterations,
    /// The scenario's groups.
    #[serde(default)]
    pub groups: BTreeMap<String, Group>,
    /// Tasks that ended, in whatever way.
    #[serde(default)]
    pub tasks: u64,
    /// Tasks that failed by cause, the most frequent first.
    #[serde(default)]
    pub task_errors: Vec<TaskError>,
    /// What went wrong with sandboxes, the most frequent first.
    #[serde(default)]
    pub sandbox_events: Vec<SandboxEvent>,
    /// Sandboxes that were replaced, by user class.
    #[serde(default)]
    pub sandbox_restarts: BTreeMap<String, u64>,
    /// The scenario's checks.
    #[serde(default)]
    pub checks: BTreeMap<String, Check>,
    /// The scenario's counters.
    #[serde(default)]
    pub counters: BTreeMap<String, f64>,
    /// The scenario's gauges, each with its latest value.
    #[serde(default)]
    pub gauges: BTreeMap<String, f64>,
    /// The scenario's distributions.
    #[serde(default)]
    pub trends: BTreeMap<String, Distribution>,
    /// How the engine itself was doing.
    #[serde(default)]
    pub engine: Engine,
    /// How the run went over time.
    #[serde(default)]
    pub timeline: TimelineColumns,
    /// The last lines that the scenario and the engine wrote, the oldest first.
    #[serde(default)]
    pub log: Vec<LogLine>,
}

/// What was run, when, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Run {
    /// The component or script: the name of a file.
    pub component: String,
    /// Base URL, when the run has one for all classes.
    pub host: Option<String>,
    /// Words that tell this run from others, from `--label`.
    pub labels: BTreeMap<String, String>,
    /// When the load began: RFC 3339, UTC.
    pub started: String,
    /// `ready`, `starting`, `running`, `paused`, `stopping` or `stopped`.
    pub state: String,
    /// Without the pauses; up to now while the run goes on.
    pub duration_seconds: f64,
    /// All pauses together.
    pub paused_seconds: f64,
    /// How long it takes if nothing ends it earlier; absent where that is open.
    pub planned_seconds: Option<f64>,
    /// One line that says why it ended; empty while it goes on.
    pub end_reason: String,
    /// What the process returned; 0 while it goes on.
    pub exit_code: u8,
}

/// Where a run took place, and under which limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Environment {
    /// Version of the engine.
    pub engine: String,
    /// The command line, without secrets.
    pub command: String,
    /// SHA-256 of the component or script, in hexadecimal digits.
    pub component_sha256: String,
    /// Its size.
    pub component_bytes: u64,
    /// Operating system, kernel and architecture.
    pub system: String,
    /// The machine's name.
    pub machine: String,
    /// Cores that the process may use.
    pub cores: u64,
    /// The machine's memory, or what the process may use of it.
    pub memory_bytes: u64,
    /// What limits the run and its sandboxes, in words by name, such as
    /// `"sandbox memory": "64 MiB"`.
    pub limits: BTreeMap<String, String>,
}

/// A condition on the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// As it was given, without the part about aborting.
    pub expression: String,
    /// Whether it held.
    pub passed: bool,
    /// What was measured, for people, with its unit; absent when nothing was measured.
    pub value: Option<String>,
    /// Whether it ended the run.
    pub ended_run: bool,
}

/// Users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Users {
    /// How many there shall be.
    pub target: u64,
    /// The most there were at a time.
    pub peak: u64,
    /// Users that ever started.
    pub started: u64,
    /// Users that ever stopped.
    pub stopped: u64,
    /// Users that did not stop in time and were cut off.
    pub ended_by_stop_timeout: u64,
    /// How many there are, by class and by what they do.
    pub classes: BTreeMap<String, ClassUsers>,
}

/// The users of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassUsers {
    /// Before the end of their `on_start`.
    pub starting: u64,
    /// At work.
    pub running: u64,
    /// On their way out.
    pub stopping: u64,
    /// Between two sandboxes.
    pub restarting: u64,
}

impl ClassUsers {
    /// In whatever state.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.starting + self.running + self.stopping + self.restarting
    }
}

/// Rounds of the users' tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Iterations {
    /// How many came to their end.
    pub count: u64,
    /// The same, per second of the run.
    pub per_second: f64,
    /// How long they took.
    pub time_ms: Distribution,
    /// Begun, but cut off: not in `count`.
    pub interrupted: u64,
    /// Planned, but never begun.
    pub dropped: u64,
    /// How much later than planned they began.
    pub late_ms: Distribution,
}

/// A part of the users' work that has a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Group {
    /// How long it took.
    pub time_ms: Distribution,
}

/// Failed requests of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestError {
    /// How many.
    pub count: u64,
    /// HTTP method or protocol.
    pub method: String,
    /// The requests' name.
    pub name: String,
    /// HTTP status; 0 without a response.
    pub status: u16,
    /// The word for machines, such as `status`, `mark` or `connect-refused`.
    pub kind: String,
    /// The line for people.
    pub message: String,
}

/// Failed tasks of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskError {
    /// How many.
    pub count: u64,
    /// The user class.
    pub class: String,
    /// The task, or a step such as `on_start`.
    pub task: String,
    /// The line for people.
    pub message: String,
}

/// What went wrong with sandboxes, of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxEvent {
    /// How many.
    pub count: u64,
    /// The user class.
    pub class: String,
    /// The word for machines, such as `trap`.
    pub kind: String,
    /// The line for people.
    pub message: String,
}

/// A condition of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Check {
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
}

/// How the engine itself was doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Engine {
    /// Its version.
    pub version: String,
    /// Whether it was short of CPU for much of the run, so that its times are in doubt.
    pub saturated: bool,
    /// CPU that the process used of late, in percent of one core.
    pub cpu_percent: f64,
    /// Memory of the process.
    pub memory_bytes: u64,
    /// Sandboxes alive.
    pub sandboxes: u64,
    /// How late the engine's own timers fired.
    pub lag_ms: Distribution,
    /// Lines of the scenario's log above the permitted rate.
    pub log_lines_dropped: u64,
    /// Events that the scenario's observer was too slow for.
    pub events_dropped: u64,
    /// Samples that `--samples` had to leave out.
    pub samples_dropped: u64,
    /// Requests counted as `(other)`, above the limit of distinct names.
    pub requests_folded: u64,
    /// Errors and sandbox events counted as `(other)`.
    pub errors_folded: u64,
    /// Custom values counted as `(other)`.
    pub custom_values_folded: u64,
    /// Custom values that were no numbers, or negative where that has no meaning.
    pub custom_values_invalid: u64,
}

/// A line that the scenario or the engine wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LogLine {
    /// Time of the run.
    pub at_seconds: f64,
    /// `debug`, `info`, `warning` or `error`.
    pub level: String,
    /// The user class; empty for the engine.
    pub class: String,
    /// The line.
    pub text: String,
}
