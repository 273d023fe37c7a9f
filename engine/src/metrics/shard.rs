//! What one thread has counted, and how it becomes part of a snapshot. Knows nothing of
//! other threads but the limits they share.

use super::Limits;
use super::distribution::Durations;
use super::merge::Merge;
use super::request::{Phases, RequestStats, Statuses};
use super::snapshot::{
    Check, ErrorKey, Folded, Gauge, RequestKey, SandboxEventKey, Snapshot, TaskErrorKey,
};
use super::table::{Limit, Table, cut, texts};
use super::values::Values;
use crate::sample::Sample;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Stands for every name or text beyond the limit.
const OTHER: &str = "(other)";

/// Distinct names of each kind of custom metric. A distribution over the whole range of
/// values takes 400 KiB in each shard.
const MAX_CUSTOM: usize = 100;

/// The limits that all shards share.
#[derive(Debug)]
pub(super) struct Admission {
    requests: Limit<3>,
    errors: Limit<4>,
    counters: Limit<1>,
    gauges: Limit<1>,
    trends: Limit<1>,
    checks: Limit<1>,
    groups: Limit<1>,
    task_errors: Limit<3>,
    sandbox_events: Limit<3>,
    restarts: Limit<1>,
}

impl Admission {
    pub(super) fn new(limits: &Limits) -> Self {
        let custom = limits.max_names.min(MAX_CUSTOM);
        Self {
            requests: Limit::new(limits.max_names),
            errors: Limit::new(limits.max_errors),
            counters: Limit::new(custom),
            gauges: Limit::new(custom),
            trends: Limit::new(custom),
            checks: Limit::new(custom),
            groups: Limit::new(custom),
            task_errors: Limit::new(limits.max_errors),
            sandbox_events: Limit::new(limits.max_errors),
            restarts: Limit::new(limits.max_names),
        }
    }
}

/// One thread's counts.
#[derive(Debug, Default)]
pub(super) struct Shard {
    requests: Table<3, RequestStats>,
    errors: Table<4, Statuses>,
    phases: Phases,
    counters: Table<1, f64>,
    gauges: Table<1, Gauge>,
    trends: Table<1, Values>,
    checks: Table<1, Check>,
    groups: Table<1, Durations>,
    tasks: u64,
    iterations: Durations,
    lateness: Durations,
    dropped_iterations: u64,
    interrupted_iterations: u64,
    task_errors: Table<3, u64>,
    sandbox_events: Table<3, u64>,
    restarts: Table<1, u64>,
    lag: Durations,
    log_dropped: u64,
    events_dropped: u64,
    samples_dropped: u64,
    invalid_values: u64,
}

impl Shard {
    pub(super) fn record(&mut self, sample: &Sample<'_>, admission: &Admission) {
        // Tags are bounded where they are made, and without their end they were other tags.
        let (key, stats) = self.requests.exact_entry(
            [cut(sample.method), cut(sample.name), sample.tags],
            &admission.requests,
            [folded_method(sample.method), OTHER, ""],
        );
        stats.record(sample);
        self.phases.record(&sample.timings);
        if let Some(failure) = sample.failure {
            let [method, name, _] = texts(key);
            let (_, statuses) = self.errors.entry(
                [method, name, failure.kind, failure.message],
                &admission.errors,
                [OTHER, OTHER, failure.kind, OTHER],
            );
            statuses.count(sample.status, false);
        }
    }

    pub(super) fn count(&mut self, name: &str, value: f64, admission: &Admission) {
        if Values::accepts(value) {
            let (_, count) = self.counters.entry([name], &admission.counters, [OTHER]);
            count.merge_from(&value);
        } else {
            self.invalid_values += 1;
        }
    }

    pub(super) fn gauge(&mut self, name: &str, value: f64, admission: &Admission) {
        if value.is_finite() {
            let set_at = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or(Duration::ZERO);
            *self.gauges.entry([name], &admission.gauges, [OTHER]).1 = Gauge { value, set_at };
        } else {
            self.invalid_values += 1;
        }
    }

    pub(super) fn trend(&mut self, name: &str, value: f64, admission: &Admission) {
        if Values::accepts(value) {
            let (_, values) = self.trends.entry([name], &admission.trends, [OTHER]);
            values.record(value);
        } else {
            self.invalid_values += 1;
        }
    }

    pub(super) fn check(&mut self, name: &str, passed: bool, admission: &Admission) {
        let (_, check) = self.checks.entry([name], &admission.checks, [OTHER]);
        check.passed += u64::from(passed);
        check.failed += u64::from(!passed);
    }

    pub(super) fn group(&mut self, name: &str, took: Duration, admission: &Admission) {
        let (_, times) = self.groups.entry([name], &admission.groups, [OTHER]);
        times.record(took);
    }

    pub(super) fn tasks(&mut self, ended: u64) {
        self.tasks += ended;
    }

    pub(super) fn iteration(&mut self, took: Duration) {
        self.iterations.record(took);
    }

    pub(super) fn late(&mut self, late: Duration) {
        self.lateness.record(late);
    }

    pub(super) fn interrupted_iteration(&mut self) {
        self.interrupted_iterations += 1;
    }

    pub(super) fn dropped_iterations(&mut self, n: u64) {
        self.dropped_iterations.merge_from(&n);
    }

    pub(super) fn task_error(
        &mut self,
        class: &str,
        task: &str,
        message: &str,
        admission: &Admission,
    ) {
        let key = [class, task, message];
        let (_, count) = self
            .task_errors
            .entry(key, &admission.task_errors, [class, task, OTHER]);
        *count += 1;
    }

    pub(super) fn sandbox_event(
        &mut self,
        class: &str,
        kind: &str,
        message: &str,
        admission: &Admission,
    ) {
        let key = [class, kind, message];
        let (_, count) =
            self.sandbox_events
                .entry(key, &admission.sandbox_events, [class, kind, OTHER]);
        *count += 1;
    }

    pub(super) fn restart(&mut self, class: &str, admission: &Admission) {
        *self.restarts.entry([class], &admission.restarts, [OTHER]).1 += 1;
    }

    pub(super) fn lag(&mut self, late: Duration) {
        self.lag.record(late);
    }

    pub(super) fn log_dropped(&mut self, lines: u64) {
        self.log_dropped += lines;
    }

    pub(super) fn events_dropped(&mut self, n: u64) {
        self.events_dropped.merge_from(&n);
    }

    pub(super) fn samples_dropped(&mut self, n: u64) {
        self.samples_dropped.merge_from(&n);
    }

    fn folded(&self) -> Folded {
        Folded {
            requests: self.requests.folded(),
            errors: self.errors.folded() + self.task_errors.folded() + self.sandbox_events.folded(),
            custom: self.counters.folded()
                + self.gauges.folded()
                + self.trends.folded()
                + self.checks.folded()
                + self.groups.folded(),
        }
    }
}

/// Methods are the guest's words too, so only the usual ones outlive the limit.
fn folded_method(method: &str) -> &str {
    const USUAL: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    if USUAL.contains(&method) {
        method
    } else {
        OTHER
    }
}

/// Shows each row of a table. The lock is released between the rows, so that the owner of
/// the shard never waits for more than one of them.
pub(super) fn each_row<const N: usize, V: Default>(
    shard: &Mutex<Shard>,
    table: fn(&Shard) -> &Table<N, V>,
    mut row: impl FnMut([&str; N], &V),
) {
    for at in 0.. {
        let shard = shard.lock();
        match table(&shard).get(at) {
            Some((key, value)) => row(key, value),
            None => break,
        }
    }
}

/// Adds the requests of the shard, over all names.
pub(super) fn merge_total(total: &mut RequestStats, shard: &Mutex<Shard>) {
    each_row(shard, |s| &s.requests, |_, stats| total.merge_from(stats));
}

/// Adds everything but the total.
pub(super) fn merge_into(all: &mut Snapshot, shard: &Mutex<Shard>) {
    each_row(
        shard,
        |s| &s.requests,
        |[method, name, tags], stats| {
            let key = RequestKey {
                name: name.to_owned(),
                method: method.to_owned(),
                tags: tags.to_owned(),
            };
            all.requests.entry(key).or_default().merge_from(stats);
        },
    );
    each_row(
        shard,
        |s| &s.errors,
        |[method, name, kind, message], statuses| {
            for outcome in statuses.iter() {
                let key = ErrorKey {
                    name: name.to_owned(),
                    method: method.to_owned(),
                    status: outcome.status,
                    kind: kind.to_owned(),
                    message: message.to_owned(),
                };
                *all.errors.entry(key).or_default() += outcome.failed;
            }
        },
    );
    each_row(
        shard,
        |s| &s.task_errors,
        |[class, task, message], count| {
            let key = TaskErrorKey {
                class: class.to_owned(),
                task: task.to_owned(),
                message: message.to_owned(),
            };
            *all.task_errors.entry(key).or_default() += count;
        },
    );
    each_row(
        shard,
        |s| &s.sandbox_events,
        |[class, kind, message], count| {
            let key = SandboxEventKey {
                class: class.to_owned(),
                kind: kind.to_owned(),
                message: message.to_owned(),
            };
            *all.sandbox_events.entry(key).or_default() += count;
        },
    );
    merge_named(&mut all.counters, shard, |s| &s.counters);
    merge_named(&mut all.gauges, shard, |s| &s.gauges);
    merge_named(&mut all.trends, shard, |s| &s.trends);
    merge_named(&mut all.checks, shard, |s| &s.checks);
    merge_named(&mut all.groups, shard, |s| &s.groups);
    merge_named(&mut all.restarts, shard, |s| &s.restarts);

    let shard = shard.lock();
    all.phases.merge_from(&shard.phases);
    all.lag.merge_from(&shard.lag);
    all.tasks += shard.tasks;
    all.iterations.merge_from(&shard.iterations);
    all.lateness.merge_from(&shard.lateness);
    all.dropped_iterations.merge_from(&shard.dropped_iterations);
    all.interrupted_iterations
        .merge_from(&shard.interrupted_iterations);
    all.log_dropped += shard.log_dropped;
    all.events_dropped.merge_from(&shard.events_dropped);
    all.samples_dropped.merge_from(&shard.samples_dropped);
    all.invalid_values += shard.invalid_values;
    all.folded.merge_from(&shard.folded());
}

fn merge_named<V: Merge>(
    map: &mut BTreeMap<String, V>,
    shard: &Mutex<Shard>,
    table: fn(&Shard) -> &Table<1, V>,
) {
    each_row(shard, table, |[name], value| {
        map.entry(name.to_owned()).or_default().merge_from(value);
    });
}
