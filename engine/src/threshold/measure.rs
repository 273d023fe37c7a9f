//! Finds in a snapshot what a threshold is about. Knows nothing of bounds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Threshold;
use super::metric::{Aggregation, Count, Keys, Metric, Selectors, Share, Times};
use crate::metrics::{Durations, RequestKey, RequestStats, Snapshot, Values};
use crate::sample::split_tags;

impl Threshold {
    /// The aggregated value in its unit; nothing when nothing was measured.
    pub(super) fn measure(&self, snapshot: &Snapshot, elapsed: Duration) -> Option<f64> {
        let aggregation = self.aggregation;
        if self.may_be_folded(snapshot) {
            return None;
        }
        match self.metric {
            Metric::Times(times) => of_durations(&self.durations(times, snapshot), aggregation),
            Metric::Count(count) => {
                let count = self.count(count, snapshot) as f64;
                per_second_if(aggregation, count, elapsed)
            }
            Metric::Share(share) => {
                let (part, all) = self.share(share, snapshot);
                match aggregation {
                    Aggregation::Rate => (all > 0).then(|| part as f64 / all as f64),
                    _ => Some(part as f64),
                }
            }
            Metric::Custom => custom(&self.name, aggregation, snapshot, elapsed),
        }
    }

    /// Whether the name is not there, and may have exceeded the limit of names.
    fn may_be_folded(&self, snapshot: &Snapshot) -> bool {
        let custom = snapshot.folded.custom > 0;
        match (self.metric, self.metric.keys()) {
            (_, Keys::Request | Keys::RequestAndStatus) => {
                snapshot.folded.requests > 0 && self.rows(snapshot).is_empty()
            }
            (Metric::Times(Times::Group), _) => {
                let group = self.selectors.get("group");
                custom && named(&snapshot.groups, group).next().is_none()
            }
            (Metric::Share(Share::Checks), _) => {
                let check = self.selectors.get("check");
                custom && named(&snapshot.checks, check).next().is_none()
            }
            (Metric::Custom, _) => {
                let name = &self.name;
                custom
                    && !snapshot.counters.contains_key(name)
                    && !snapshot.trends.contains_key(name)
                    && !snapshot.gauges.contains_key(name)
            }
            _ => false,
        }
    }

    fn durations<'a>(&self, times: Times, snapshot: &'a Snapshot) -> Cow<'a, Durations> {
        let rows = || self.rows(snapshot).into_iter();
        Cow::Borrowed(match times {
            Times::Response => return merged(rows().map(|row| &row.time)),
            Times::ResponseFromPlannedStart => {
                return merged(rows().filter_map(RequestStats::intended));
            }
            Times::Group => return merged(named(&snapshot.groups, self.selectors.get("group"))),
            Times::Dns => &snapshot.phases.dns,
            Times::Connect => &snapshot.phases.connect,
            Times::Tls => &snapshot.phases.tls,
            Times::Send => &snapshot.phases.send,
            Times::FirstByte => &snapshot.phases.first_byte,
            Times::Body => &snapshot.phases.body,
            Times::Iteration => &snapshot.iterations,
            Times::Lateness => &snapshot.lateness,
        })
    }

    fn count(&self, count: Count, snapshot: &Snapshot) -> u64 {
        let rows = || self.rows(snapshot).into_iter();
        match count {
            Count::Requests => total(rows().map(|row| self.outcomes(row).1)),
            Count::Received => total(rows().map(|row| row.received)),
            Count::Sent => total(rows().map(|row| row.sent)),
            Count::Iterations => snapshot.iterations.count(),
            Count::DroppedIterations => snapshot.dropped_iterations,
            Count::TaskErrors => total(snapshot.task_errors.values().copied()),
            Count::SandboxFailures => total(snapshot.sandbox_events.values().copied()),
        }
    }

    /// The part, and of how many.
    fn share(&self, share: Share, snapshot: &Snapshot) -> (u64, u64) {
        let parts: Vec<(u64, u64)> = match share {
            Share::Failures => {
                let rows = self.rows(snapshot).into_iter();
                rows.map(|row| self.outcomes(row)).collect()
            }
            Share::Checks => named(&snapshot.checks, self.selectors.get("check"))
                .map(|check| (check.passed, check.passed.saturating_add(check.failed)))
                .collect(),
        };
        (
            total(parts.iter().map(|&(part, _)| part)),
            total(parts.iter().map(|&(_, all)| all)),
        )
    }

    /// Failed requests and all, of the selected status.
    fn outcomes(&self, row: &RequestStats) -> (u64, u64) {
        let Some(status) = self.selectors.status else {
            return (row.failures, row.count());
        };
        let found = row.statuses.iter().find(|known| known.status == status);
        found.map_or((0, 0), |known| (known.failed, known.passed + known.failed))
    }

    /// The requests that are meant, of whatever status.
    fn rows<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a RequestStats> {
        if self.selectors.texts.is_empty() {
            return vec![&snapshot.total];
        }
        let rows = snapshot.requests.iter();
        rows.filter(|(key, _)| fits(&self.selectors, key))
            .map(|(_, stats)| stats)
            .collect()
    }
}

fn fits(selectors: &Selectors, row: &RequestKey) -> bool {
    selectors
        .texts
        .iter()
        .all(|(key, value)| match key.as_str() {
            "name" => row.name == *value,
            "method" => row.method == *value,
            _ => split_tags(&row.tags).any(|tag| tag == (key, value)),
        })
}

/// The one of this name, or all.
fn named<'a, V>(all: &'a BTreeMap<String, V>, name: Option<&str>) -> impl Iterator<Item = &'a V> {
    all.iter()
        .filter(move |(known, _)| name.is_none_or(|name| *known == name))
        .map(|(_, value)| value)
}

/// All of them as one distribution.
fn merged<'a>(mut all: impl Iterator<Item = &'a Durations>) -> Cow<'a, Durations> {
    let Some(first) = all.next() else {
        return Cow::Owned(Durations::default());
    };
    let mut merged = Cow::Borrowed(first);
    for durations in all {
        merged.to_mut().merge(durations);
    }
    merged
}

fn total(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

fn of_durations(all: &Durations, aggregation: Aggregation) -> Option<f64> {
    if aggregation == Aggregation::Count {
        return Some(all.count() as f64);
    }
    if all.count() == 0 {
        return None;
    }
    let value = match aggregation {
        Aggregation::Avg => all.avg(),
        Aggregation::Min => all.min(),
        Aggregation::Max => all.max(),
        Aggregation::Median => all.median(),
        Aggregation::Percentile(percent) => all.percentile(percent / 100.0),
        Aggregation::Count | Aggregation::Rate | Aggregation::Value => return None,
    };
    Some(value.as_nanos() as f64)
}

fn of_values(all: &Values, aggregation: Aggregation) -> Option<f64> {
    if all.count() == 0 {
        return None;
    }
    match aggregation {
        Aggregation::Avg => Some(all.avg()),
        Aggregation::Min => Some(all.min()),
        Aggregation::Max => Some(all.max()),
        Aggregation::Median => Some(all.percentile(0.5)),
        Aggregation::Percentile(percent) => Some(all.percentile(percent / 100.0)),
        Aggregation::Count => Some(all.count() as f64),
        Aggregation::Rate | Aggregation::Value => None,
    }
}

/// A metric of the scenario. One that is of a kind which does not have the aggregation has
/// no value, but one that is not there at all may be a counter that never counted. If one
/// name stands for a counter and a trend, its count is the counter's.
fn custom(
    name: &str,
    aggregation: Aggregation,
    snapshot: &Snapshot,
    elapsed: Duration,
) -> Option<f64> {
    let trend = snapshot.trends.get(name);
    let gauge = snapshot.gauges.get(name);
    match (aggregation, snapshot.counters.get(name)) {
        (Aggregation::Value, _) => gauge.map(|gauge| gauge.value),
        (Aggregation::Count | Aggregation::Rate, Some(&sum)) => {
            per_second_if(aggregation, sum, elapsed)
        }
        (Aggregation::Count | Aggregation::Rate, None) if trend.is_none() && gauge.is_none() => {
            per_second_if(aggregation, 0.0, elapsed)
        }
        _ => of_values(trend?, aggregation),
    }
}

/// The count, or its rate. In no time there is no rate.
fn per_second_if(aggregation: Aggregation, count: f64, elapsed: Duration) -> Option<f64> {
    match aggregation {
        Aggregation::Rate if elapsed.is_zero() => None,
        Aggregation::Rate => Some(count / elapsed.as_secs_f64()),
        _ => Some(count),
    }
}
