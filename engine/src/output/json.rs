//! The report for programs: one JSON document, schema 1. Times are in milliseconds,
//! sizes in bytes, shares between 0 and 1. Fields may be added within a schema; none
//! changes its meaning or goes away.

use super::{RunSummary, by_count};
use crate::metrics::users::{ClassUsers, Users};
use crate::metrics::{Durations, RequestStats, Snapshot, Values};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Version of the document's structure.
pub const SCHEMA: u32 = 1;

/// The report as a JSON text.
#[must_use]
pub fn render(run: &RunSummary) -> String {
    // The report is made of texts, numbers and maps with text keys, which all have a form
    // in JSON.
    let mut text = serde_json::to_string_pretty(&Report::new(run)).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    run: Run<'a>,
    users: UsersReport<'a>,
    total: Requests,
    requests: Vec<NamedRequests<'a>>,
    phases_ms: BTreeMap<&'static str, Distribution>,
    errors: Vec<ErrorReport<'a>>,
    tasks: u64,
    task_errors: Vec<TaskError<'a>>,
    sandbox_events: Vec<SandboxEvent<'a>>,
    sandbox_restarts: &'a BTreeMap<String, u64>,
    checks: BTreeMap<&'a str, CheckReport>,
    counters: &'a BTreeMap<String, f64>,
    gauges: BTreeMap<&'a str, f64>,
    trends: BTreeMap<&'a str, Distribution>,
    engine: Engine,
}

#[derive(Serialize)]
struct Run<'a> {
    component: &'a str,
    host: Option<&'a str>,
    /// RFC 3339, UTC.
    started: String,
    duration_seconds: f64,
    end_reason: &'a str,
    exit_code: u8,
}

#[derive(Serialize)]
struct UsersReport<'a> {
    target: u64,
    peak: u64,
    started: u64,
    stopped: u64,
    /// At the end of the run.
    classes: BTreeMap<&'a str, ClassReport>,
}

#[derive(Serialize)]
struct ClassReport {
    starting: u64,
    running: u64,
    stopping: u64,
    restarting: u64,
}

#[derive(Serialize)]
struct Requests {
    requests: u64,
    failures: u64,
    failure_share: f64,
    requests_per_second: f64,
    bytes_sent: u64,
    bytes_received: u64,
    time_ms: Distribution,
    statuses: Vec<Status>,
}

#[derive(Serialize)]
struct NamedRequests<'a> {
    method: &'a str,
    name: &'a str,
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

#[derive(Serialize)]
struct Distribution {
    count: u64,
    avg: f64,
    min: f64,
    max: f64,
    p50: f64,
    p75: f64,
    p90: f64,
    p95: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    #[serde(rename = "p99.99")]
    p99_99: f64,
}

#[derive(Serialize)]
struct ErrorReport<'a> {
    count: u64,
    method: &'a str,
    name: &'a str,
    status: u16,
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct TaskError<'a> {
    count: u64,
    class: &'a str,
    task: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct SandboxEvent<'a> {
    count: u64,
    class: &'a str,
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct CheckReport {
    passed: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Engine {
    version: &'static str,
    saturated: bool,
    lag_ms: Distribution,
    log_lines_dropped: u64,
    requests_folded: u64,
    errors_folded: u64,
    custom_values_folded: u64,
    custom_values_invalid: u64,
}

impl<'a> Report<'a> {
    fn new(run: &'a RunSummary) -> Self {
        let snapshot = &run.snapshot;
        Self {
            schema: SCHEMA,
            run: Run {
                component: &run.component,
                host: run.host.as_deref(),
                started: humantime::format_rfc3339_millis(run.started).to_string(),
                duration_seconds: run.duration.as_secs_f64(),
                end_reason: &run.end_reason,
                exit_code: run.exit_code,
            },
            users: UsersReport::new(&run.users),
            total: Requests::new(&snapshot.total, run.duration),
            requests: named_requests(run),
            phases_ms: snapshot
                .phases
                .iter()
                .map(|(name, took)| (name, Distribution::of_durations(took)))
                .collect(),
            errors: errors(snapshot),
            tasks: snapshot.tasks,
            task_errors: task_errors(snapshot),
            sandbox_events: sandbox_events(snapshot),
            sandbox_restarts: &snapshot.restarts,
            checks: checks(snapshot),
            counters: &snapshot.counters,
            gauges: snapshot
                .gauges
                .iter()
                .map(|(name, gauge)| (name.as_str(), gauge.value))
                .collect(),
            trends: snapshot
                .trends
                .iter()
                .map(|(name, values)| (name.as_str(), Distribution::of_values(values)))
                .collect(),
            engine: Engine::new(run),
        }
    }
}

fn named_requests(run: &RunSummary) -> Vec<NamedRequests<'_>> {
    run.snapshot
        .requests
        .iter()
        .map(|(key, stats)| NamedRequests {
            method: &key.method,
            name: &key.name,
            requests: Requests::new(stats, run.duration),
        })
        .collect()
}

fn errors(snapshot: &Snapshot) -> Vec<ErrorReport<'_>> {
    let rows = by_count(&snapshot.errors).into_iter();
    rows.map(|(key, count)| ErrorReport {
        count,
        method: &key.method,
        name: &key.name,
        status: key.status,
        kind: &key.kind,
        message: &key.message,
    })
    .collect()
}

fn task_errors(snapshot: &Snapshot) -> Vec<TaskError<'_>> {
    let rows = by_count(&snapshot.task_errors).into_iter();
    rows.map(|(key, count)| TaskError {
        count,
        class: &key.class,
        task: &key.task,
        message: &key.message,
    })
    .collect()
}

fn sandbox_events(snapshot: &Snapshot) -> Vec<SandboxEvent<'_>> {
    let rows = by_count(&snapshot.sandbox_events).into_iter();
    rows.map(|(key, count)| SandboxEvent {
        count,
        class: &key.class,
        kind: &key.kind,
        message: &key.message,
    })
    .collect()
}

fn checks(snapshot: &Snapshot) -> BTreeMap<&str, CheckReport> {
    let rows = snapshot.checks.iter();
    rows.map(|(name, check)| {
        let report = CheckReport {
            passed: check.passed,
            failed: check.failed,
        };
        (name.as_str(), report)
    })
    .collect()
}

impl<'a> UsersReport<'a> {
    fn new(users: &'a Users) -> Self {
        let class = |users: &'a ClassUsers| {
            let report = ClassReport {
                starting: users.starting,
                running: users.running,
                stopping: users.stopping,
                restarting: users.restarting,
            };
            (users.class.as_str(), report)
        };
        Self {
            target: users.target,
            peak: users.peak,
            started: users.started,
            stopped: users.stopped,
            classes: users.classes.iter().map(class).collect(),
        }
    }
}

impl Requests {
    fn new(stats: &RequestStats, span: Duration) -> Self {
        Self {
            requests: stats.count(),
            failures: stats.failures,
            failure_share: stats.failure_share(),
            requests_per_second: stats.rate(span),
            bytes_sent: stats.sent,
            bytes_received: stats.received,
            time_ms: Distribution::of_durations(&stats.time),
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

impl Distribution {
    /// In milliseconds.
    fn of_durations(durations: &Durations) -> Self {
        let ms = |span: Duration| span.as_nanos() as f64 / 1e6;
        Self {
            count: durations.count(),
            avg: ms(durations.avg()),
            min: ms(durations.min()),
            max: ms(durations.max()),
            p50: ms(durations.median()),
            p75: ms(durations.percentile(0.75)),
            p90: ms(durations.percentile(0.9)),
            p95: ms(durations.percentile(0.95)),
            p99: ms(durations.percentile(0.99)),
            p99_9: ms(durations.percentile(0.999)),
            p99_99: ms(durations.percentile(0.9999)),
        }
    }

    fn of_values(values: &Values) -> Self {
        Self {
            count: values.count(),
            avg: values.avg(),
            min: values.min(),
            max: values.max(),
            p50: values.percentile(0.5),
            p75: values.percentile(0.75),
            p90: values.percentile(0.9),
            p95: values.percentile(0.95),
            p99: values.percentile(0.99),
            p99_9: values.percentile(0.999),
            p99_99: values.percentile(0.9999),
        }
    }
}

impl Engine {
    fn new(run: &RunSummary) -> Self {
        let snapshot = &run.snapshot;
        Self {
            version: env!("CARGO_PKG_VERSION"),
            saturated: run.saturated,
            lag_ms: Distribution::of_durations(&snapshot.lag),
            log_lines_dropped: snapshot.log_dropped,
            requests_folded: snapshot.folded.requests,
            errors_folded: snapshot.folded.errors,
            custom_values_folded: snapshot.folded.custom,
            custom_values_invalid: snapshot.invalid_values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture;

    #[test]
    fn the_report_matches_its_golden() {
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        let text = render(&fixture::run()).replace(&version, "\"version\": \"x.y.z\"");
        fixture::assert_golden("report.json", &text);
    }

    #[test]
    fn programs_read_back_what_was_measured() {
        let report: serde_json::Value = serde_json::from_str(&render(&fixture::run())).unwrap();
        assert_eq!(report["schema"], 1);
        assert_eq!(report["run"]["exit_code"], 1);
        let rows = report["requests"].as_array().unwrap();
        let sum: u64 = rows
            .iter()
            .map(|row| row["requests"].as_u64().unwrap())
            .sum();
        assert_eq!(report["total"]["requests"], sum);
        assert_eq!(report["trends"]["items in cart"]["count"], 1000);
    }

    #[test]
    fn an_empty_run_is_valid_too() {
        let run = RunSummary {
            duration: Duration::ZERO,
            users: Users::default(),
            snapshot: Snapshot::default(),
            ..fixture::run()
        };
        let report: serde_json::Value = serde_json::from_str(&render(&run)).unwrap();
        assert_eq!(report["total"]["requests_per_second"], 0.0);
        assert_eq!(report["total"]["time_ms"]["p99.9"], 0.0);
    }
}
