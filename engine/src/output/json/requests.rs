//! The report's requests: all together, and each name, method and tags by itself.

use super::distribution::Distribution;
use crate::metrics::RequestStats;
use crate::output::RunSummary;
use crate::sample::split_tags;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Requests {
    requests: u64,
    failures: u64,
    failure_share: f64,
    requests_per_second: f64,
    bytes_sent: u64,
    bytes_received: u64,
    time_ms: Distribution,
    /// Of the requests whose start was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_from_planned_start_ms: Option<Distribution>,
    statuses: Vec<Status>,
}

#[derive(Serialize)]
pub(super) struct NamedRequests<'a> {
    method: &'a str,
    name: &'a str,
    tags: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    requests: Requests,
}

#[derive(Serialize)]
struct Status {
    /// 0 without a response.
    status: u16,
    passed: u64,
    failed: u64,
}

pub(super) fn named(run: &RunSummary) -> Vec<NamedRequests<'_>> {
    run.snapshot
        .requests
        .iter()
        .map(|(key, stats)| NamedRequests {
            method: &key.method,
            name: &key.name,
            tags: split_tags(&key.tags).collect(),
            requests: Requests::new(stats, run.duration),
        })
        .collect()
}

impl Requests {
    pub(super) fn new(stats: &RequestStats, span: Duration) -> Self {
        Self {
            requests: stats.count(),
            failures: stats.failures,
            failure_share: stats.failure_share(),
            requests_per_second: stats.rate(span),
            bytes_sent: stats.sent,
            bytes_received: stats.received,
            time_ms: Distribution::of_durations(&stats.time),
            time_from_planned_start_ms: stats.intended().map(Distribution::of_durations),
            statuses: stats
                .statuses
                .iter()
                .map(|outcome| Status {
                    status: outcome.status,
                    passed: outcome.passed,
                    failed: outcome.failed,
                })
                .collect(),
        }
    }
}
