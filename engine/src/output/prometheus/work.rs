//! The families of the users' work beside its requests: iterations, groups, checks and the
//! scenario's own metrics.

use super::series::{counter, family, gauge, summary, time_summary};
use crate::metrics::{Durations, Snapshot};
use ::prometheus::proto::{Metric, MetricFamily, MetricType};

/// Iterations and groups.
pub(super) fn iterations(snapshot: &Snapshot) -> [MetricFamily; 6] {
    let groups = snapshot.groups.iter();
    [
        family(
            "aiotest_iterations_total",
            "Iterations that ended.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.iterations.count() as f64)],
        ),
        family(
            "aiotest_iteration_duration_seconds",
            "How long iterations took.",
            MetricType::SUMMARY,
            unless_empty(&snapshot.iterations),
        ),
        family(
            "aiotest_interrupted_iterations_total",
            "Iterations that were cut off.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.interrupted_iterations as f64)],
        ),
        family(
            "aiotest_dropped_iterations_total",
            "Planned iterations that never began.",
            MetricType::COUNTER,
            vec![counter(&[], snapshot.dropped_iterations as f64)],
        ),
        family(
            "aiotest_iteration_lateness_seconds",
            "How much later than planned iterations began.",
            MetricType::SUMMARY,
            unless_empty(&snapshot.lateness),
        ),
        family(
            "aiotest_group_duration_seconds",
            "How long the scenario's groups took.",
            MetricType::SUMMARY,
            groups
                .map(|(name, took)| time_summary(&[("group", name)], took))
                .collect(),
        ),
    ]
}

fn unless_empty(took: &Durations) -> Vec<Metric> {
    let some = (took.count() > 0).then(|| time_summary(&[], took));
    some.into_iter().collect()
}

/// Checks and the scenario's own metrics.
pub(super) fn custom(snapshot: &Snapshot) -> Vec<MetricFamily> {
    let checks = snapshot.checks.iter().flat_map(|(name, check)| {
        [("pass", check.passed), ("fail", check.failed)]
            .map(|(result, count)| counter(&[("check", name), ("result", result)], count as f64))
    });
    let counters = snapshot
        .counters
        .iter()
        .map(|(name, value)| counter(&[("name", name)], *value));
    let gauges = snapshot
        .gauges
        .iter()
        .map(|(name, latest)| gauge(&[("name", name)], latest.value));
    let trends = snapshot.trends.iter().map(|(name, values)| {
        summary(&[("name", name)], values.count(), values.sum(), |q| {
            values.percentile(q)
        })
    });
    vec![
        family(
            "aiotest_checks_total",
            "Outcomes of the scenario's checks.",
            MetricType::COUNTER,
            checks.collect(),
        ),
        family(
            "aiotest_custom_counter_total",
            "Counters of the scenario.",
            MetricType::COUNTER,
            counters.collect(),
        ),
        family(
            "aiotest_custom_gauge",
            "Gauges of the scenario.",
            MetricType::GAUGE,
            gauges.collect(),
        ),
        family(
            "aiotest_custom_trend",
            "Distributions of the scenario.",
            MetricType::SUMMARY,
            trends.collect(),
        ),
    ]
}
