//! A report of what was measured.

use super::{
    Check, ClassUsers, Distribution, Engine, Environment, Group, Iterations, LogLine,
    NamedRequests, Recent, Report, RequestError, Requests, Run, SCHEMA, SandboxEvent, Status,
    TaskError, Threshold, TimelineColumns, Users,
};
use crate::metrics::{Durations, RequestStats, Snapshot, Values, users};
use crate::sample::split_tags;
use crate::threshold::Verdict;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a report is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// What was run; its duration is the time over which rates are taken.
    pub run: Run,
    /// Where.
    pub environment: Environment,
    /// How the thresholds stand.
    pub thresholds: Vec<Threshold>,
    /// The users.
    pub users: users::Users,
    /// Users that were cut off.
    pub users_ended: u64,
    /// The measurements.
    pub snapshot: &'a Snapshot,
    /// The engine, as far as it is no measurement.
    pub engine: EngineState,
    /// How the run went.
    pub timeline: TimelineColumns,
    /// The last lines of the log.
    pub log: Vec<LogLine>,
    /// Whether distributions come with their histograms.
    pub histograms: bool,
}

/// What the engine knows of itself beside the measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EngineState {
    /// Whether it was short of CPU for much of the run.
    pub saturated: bool,
    /// CPU of late, in percent of one core.
    pub cpu_percent: f64,
    /// Memory of the process in bytes.
    pub memory_bytes: u64,
    /// Sandboxes alive.
    pub sandboxes: u64,
}

impl Report {
    /// A report of these parts.
    #[must_use]
    pub fn new(parts: Parts<'_>) -> Self {
        let Parts { snapshot, .. } = parts;
        let span = Duration::try_from_secs_f64(parts.run.duration_seconds).unwrap_or_default();
        let make = Make {
            span,
            histograms: parts.histograms,
        };
        Self {
            schema: SCHEMA,
            environment: parts.environment,
            thresholds: parts.thresholds,
            users: users(&parts.users, parts.users_ended),
            total: make.requests(&snapshot.total),
            requests: make.named(snapshot),
            phases_ms: snapshot
                .phases
                .iter()
                .map(|(name, took)| (name.to_owned(), make.durations(took)))
                .collect(),
            errors: errors(snapshot),
            iterations: make.iterations(snapshot),
            groups: make.groups(snapshot),
            tasks: snapshot.tasks,
            task_errors: task_errors(snapshot),
            sandbox_events: sandbox_events(snapshot),
            sandbox_restarts: snapshot.restarts.clone(),
            checks: checks(snapshot),
            counters: snapshot.counters.clone(),
            gauges: (snapshot.gauges.iter())
                .map(|(name, gauge)| (name.clone(), gauge.value))
                .collect(),
            trends: (snapshot.trends.iter())
                .map(|(name, values)| (name.clone(), make.values(values)))
                .collect(),
            engine: make.engine(snapshot, parts.engine),
            timeline: parts.timeline,
            log: parts.log,
            run: parts.run,
        }
    }
}

/// How distributions and rates are made.
struct Make {
    span: Duration,
    histograms: bool,
}

impl Make {
    fn durations(&self, durations: &Durations) -> Distribution {
        match self.histograms {
            true => Distribution::of_durations_with_histogram(durations),
            false => Distribution::of_durations(durations),
        }
    }

    fn values(&self, values: &Values) -> Distribution {
        match self.histograms {
            true => Distribution::of_values_with_histogram(values),
            false => Distribution::of_values(values),
        }
    }

    fn requests(&self, stats: &RequestStats) -> Requests {
        Requests {
            requests: stats.count(),
            failures: stats.failures,
            failure_share: stats.failure_share(),
            requests_per_second: stats.rate(self.span),
            bytes_sent: stats.sent,
            bytes_received: stats.received,
            time_ms: self.durations(&stats.time),
            time_from_planned_start_ms: stats.intended().map(|time| self.durations(time)),
            statuses: (stats.statuses.iter())
                .map(|outcome| Status {
                    status: outcome.status,
                    passed: outcome.passed,
                    failed: outcome.failed,
                })
                .collect(),
            recent: None,
        }
    }

    fn named(&self, snapshot: &Snapshot) -> Vec<NamedRequests> {
        let rows = snapshot.requests.iter();
        rows.map(|(key, stats)| NamedRequests {
            method: key.method.clone(),
            name: key.name.clone(),
            tags: tags(&key.tags),
            requests: self.requests(stats),
        })
        .collect()
    }

    fn iterations(&self, snapshot: &Snapshot) -> Iterations {
        let count = snapshot.iterations.count();
        Iterations {
            count,
            per_second: per_second(count as f64, self.span),
            time_ms: self.durations(&snapshot.iterations),
            interrupted: snapshot.interrupted_iterations,
            dropped: snapshot.dropped_iterations,
            late_ms: self.durations(&snapshot.lateness),
        }
    }

    fn groups(&self, snapshot: &Snapshot) -> BTreeMap<String, Group> {
        let rows = snapshot.groups.iter();
        rows.map(|(name, took)| {
            let time_ms = self.durations(took);
            (name.clone(), Group { time_ms })
        })
        .collect()
    }

    fn engine(&self, snapshot: &Snapshot, state: EngineState) -> Engine {
        Engine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            saturated: state.saturated,
            cpu_percent: state.cpu_percent,
            memory_bytes: state.memory_bytes,
            sandboxes: state.sandboxes,
            lag_ms: self.durations(&snapshot.lag),
            log_lines_dropped: snapshot.log_dropped,
            events_dropped: snapshot.events_dropped,
            samples_dropped: snapshot.samples_dropped,
            requests_folded: snapshot.folded.requests,
            errors_folded: snapshot.folded.errors,
            custom_values_folded: snapshot.folded.custom,
            custom_values_invalid: snapshot.invalid_values,
        }
    }
}

/// How much there was in each second of `span`; 0 for no time at all.
pub(crate) fn per_second(amount: f64, span: Duration) -> f64 {
    if span.is_zero() {
        return 0.0;
    }
    amount / span.as_secs_f64()
}

pub(super) fn tags(text: &str) -> BTreeMap<String, String> {
    let tags = split_tags(text);
    tags.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The keys of a count, the most frequent first, and the first keys first among equals.
fn by_count<K>(counts: &BTreeMap<K, u64>) -> impl Iterator<Item = (&K, u64)> {
    let mut rows: Vec<_> = counts.iter().map(|(key, count)| (key, *count)).collect();
    rows.sort_by_key(|(_, count)| Reverse(*count));
    rows.into_iter()
}

fn errors(snapshot: &Snapshot) -> Vec<RequestError> {
    let rows = by_count(&snapshot.errors);
    rows.map(|(key, count)| RequestError {
        count,
        method: key.method.clone(),
        name: key.name.clone(),
        status: key.status,
        kind: key.kind.clone(),
        message: key.message.clone(),
    })
    .collect()
}

fn task_errors(snapshot: &Snapshot) -> Vec<TaskError> {
    let rows = by_count(&snapshot.task_errors);
    rows.map(|(key, count)| TaskError {
        count,
        class: key.class.clone(),
        task: key.task.clone(),
        message: key.message.clone(),
    })
    .collect()
}

fn sandbox_events(snapshot: &Snapshot) -> Vec<SandboxEvent> {
    let rows = by_count(&snapshot.sandbox_events);
    rows.map(|(key, count)| SandboxEvent {
        count,
        class: key.class.clone(),
        kind: key.kind.clone(),
        message: key.message.clone(),
    })
    .collect()
}

fn checks(snapshot: &Snapshot) -> BTreeMap<String, Check> {
    let rows = snapshot.checks.iter();
    rows.map(|(name, check)| {
        let report = Check {
            passed: check.passed,
            failed: check.failed,
        };
        (name.clone(), report)
    })
    .collect()
}

fn users(users: &users::Users, ended: u64) -> Users {
    let classes = users.classes.iter().map(|class| {
        let report = ClassUsers {
            starting: class.starting,
            running: class.running,
            stopping: class.stopping,
            restarting: class.restarting,
        };
        (class.class.clone(), report)
    });
    Users {
        target: users.target,
        peak: users.peak,
        started: users.started,
        stopped: users.stopped,
        ended_by_stop_timeout: ended,
        classes: classes.collect(),
    }
}

impl From<&Verdict> for Threshold {
    fn from(verdict: &Verdict) -> Self {
        Threshold {
            expression: verdict.expression.clone(),
            passed: verdict.passed,
            value: verdict.value.clone(),
            ended_run: verdict.aborted,
        }
    }
}

impl Recent {
    /// So many requests and failures within `span`.
    #[must_use]
    pub fn of(requests: u64, failures: u64, span: Duration) -> Self {
        Recent {
            per_second: per_second(requests as f64, span),
            failures_per_second: per_second(failures as f64, span),
        }
    }
}
