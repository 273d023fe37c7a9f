//! The measurements that a report was made of, as far as it has them: what can be merged
//! and judged. Response sizes and the engine's state are not among them.

use super::{Distribution, Report, Requests};
use crate::metrics::{
    Check, Durations, ErrorKey, Folded, Gauge, InvalidHistogram, Phases, RequestKey, RequestStats,
    SandboxEventKey, Snapshot, StatusCount, TaskErrorKey, Values, users,
};
use crate::sample::{InvalidTags, join_tags};
use std::collections::BTreeMap;
use std::time::Duration;

/// Why a report has no measurements to go on with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It tells of a run that was not over, or its histograms were taken out.
    #[error("{0} has no histogram: the report is not that of a finished run")]
    NoHistogram(&'static str),
    /// The file was changed.
    #[error("{0}: {1}")]
    Histogram(&'static str, InvalidHistogram),
    /// The file was changed.
    #[error(transparent)]
    Tags(#[from] InvalidTags),
}

impl Report {
    /// The measurements. Gauges count as set at `end`, the end of the run since the Unix
    /// epoch: of several runs, the last one to end has the latest values.
    ///
    /// # Errors
    ///
    /// There are no histograms, or some that do not fit.
    pub fn snapshot(&self, end: Duration) -> Result<Snapshot, RestoreError> {
        let engine = &self.engine;
        Ok(Snapshot {
            total: stats(&self.total)?,
            requests: self.requests_by_key()?,
            errors: sum_up(self.errors.iter().map(|error| {
                let key = ErrorKey {
                    name: error.name.clone(),
                    method: error.method.clone(),
                    status: error.status,
                    kind: error.kind.clone(),
                    message: error.message.clone(),
                };
                (key, error.count)
            })),
            phases: self.phases()?,
            counters: self.counters.clone(),
            gauges: (self.gauges.iter())
                .map(|(name, &value)| (name.clone(), Gauge { value, set_at: end }))
                .collect(),
            trends: (self.trends.iter())
                .map(|(name, values)| Ok((name.clone(), plain_numbers(values)?)))
                .collect::<Result<_, RestoreError>>()?,
            checks: (self.checks.iter())
                .map(|(name, check)| {
                    let (passed, failed) = (check.passed, check.failed);
                    (name.clone(), Check { passed, failed })
                })
                .collect(),
            tasks: self.tasks,
            iterations: durations("iterations.time_ms", &self.iterations.time_ms)?,
            lateness: durations("iterations.late_ms", &self.iterations.late_ms)?,
            dropped_iterations: self.iterations.dropped,
            interrupted_iterations: self.iterations.interrupted,
            groups: (self.groups.iter())
                .map(|(name, group)| Ok((name.clone(), durations("a group", &group.time_ms)?)))
                .collect::<Result<_, RestoreError>>()?,
            task_errors: sum_up(self.task_errors.iter().map(|error| {
                let key = TaskErrorKey {
                    class: error.class.clone(),
                    task: error.task.clone(),
                    message: error.message.clone(),
                };
                (key, error.count)
            })),
            sandbox_events: sum_up(self.sandbox_events.iter().map(|event| {
                let key = SandboxEventKey {
                    class: event.class.clone(),
                    kind: event.kind.clone(),
                    message: event.message.clone(),
                };
                (key, event.count)
            })),
            restarts: self.sandbox_restarts.clone(),
            lag: durations("engine.lag_ms", &engine.lag_ms)?,
            log_dropped: engine.log_lines_dropped,
            events_dropped: engine.events_dropped,
            samples_dropped: engine.samples_dropped,
            invalid_values: engine.custom_values_invalid,
            folded: Folded {
                requests: engine.requests_folded,
                errors: engine.errors_folded,
                custom: engine.custom_values_folded,
            },
        })
    }

    /// The users at the end.
    #[must_use]
    pub fn users(&self) -> users::Users {
        let classes = self
            .users
            .classes
            .iter()
            .map(|(name, class)| users::ClassUsers {
                class: name.clone(),
                starting: class.starting,
                running: class.running,
                stopping: class.stopping,
                restarting: class.restarting,
            });
        users::Users {
            target: self.users.target,
            classes: classes.collect(),
            peak: self.users.peak,
            started: self.users.started,
            stopped: self.users.stopped,
            sandboxes: self.engine.sandboxes,
        }
    }

    fn requests_by_key(&self) -> Result<BTreeMap<RequestKey, RequestStats>, RestoreError> {
        let mut all: BTreeMap<RequestKey, RequestStats> = BTreeMap::new();
        for row in &self.requests {
            let tags: Vec<_> = (row.tags.iter())
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let key = RequestKey {
                name: row.name.clone(),
                method: row.method.clone(),
                tags: join_tags(&tags)?,
            };
            all.entry(key).or_default().merge(&stats(&row.requests)?);
        }
        Ok(all)
    }

    fn phases(&self) -> Result<Phases, RestoreError> {
        let phase = |name: &str| match self.phases_ms.get(name) {
            Some(took) => durations("a phase", took),
            None => Ok(Durations::default()),
        };
        let [dns, connect, tls, send, first_byte, body] = super::PHASES;
        Ok(Phases {
            dns: phase(dns)?,
            connect: phase(connect)?,
            tls: phase(tls)?,
            send: phase(send)?,
            first_byte: phase(first_byte)?,
            body: phase(body)?,
        })
    }
}

fn stats(requests: &Requests) -> Result<RequestStats, RestoreError> {
    let outcomes = requests.statuses.iter().map(|outcome| StatusCount {
        status: outcome.status,
        passed: outcome.passed,
        failed: outcome.failed,
    });
    let planned = requests.time_from_planned_start_ms.as_ref();
    let planned = planned.map(|times| durations("time_from_planned_start_ms", times));
    Ok(RequestStats {
        time: durations("time_ms", &requests.time_ms)?,
        failures: requests.failures,
        sent: requests.bytes_sent,
        received: requests.bytes_received,
        statuses: outcomes.collect(),
        intended: planned.transpose()?.map(Box::new),
        ..RequestStats::default()
    })
}

fn durations(place: &'static str, of: &Distribution) -> Result<Durations, RestoreError> {
    present(place, of, of.to_durations())
}

fn plain_numbers(of: &Distribution) -> Result<Values, RestoreError> {
    present("a trend", of, of.to_values())
}

/// Without a histogram there is only nothing that is known for sure.
fn present<T: Default>(
    place: &'static str,
    of: &Distribution,
    decoded: Result<Option<T>, InvalidHistogram>,
) -> Result<T, RestoreError> {
    match decoded {
        Ok(Some(values)) => Ok(values),
        Ok(None) if of.count == 0 => Ok(T::default()),
        Ok(None) => Err(RestoreError::NoHistogram(place)),
        Err(error) => Err(RestoreError::Histogram(place, error)),
    }
}

fn sum_up<K: Ord>(rows: impl Iterator<Item = (K, u64)>) -> BTreeMap<K, u64> {
    let mut all = BTreeMap::new();
    for (key, count) in rows {
        let sum: &mut u64 = all.entry(key).or_default();
        *sum = sum.saturating_add(count);
    }
    all
}
