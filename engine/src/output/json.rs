//! The report for programs: one JSON document, schema 1. Times are in milliseconds,
//! sizes in bytes, shares between 0 and 1. Fields may be added within a schema; none
//! changes its meaning or goes away.

mod distribution;
mod requests;

use super::{RunSummary, by_count, per_second};
use crate::metrics::Snapshot;
use crate::metrics::users::ClassUsers;
use crate::threshold::Verdict;
use distribution::Distribution;
use requests::{NamedRequests, Requests};
use serde::Serialize;
use std::collections::BTreeMap;

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
    thresholds: Vec<ThresholdReport<'a>>,
    users: UsersReport<'a>,
    total: Requests,
    requests: Vec<NamedRequests<'a>>,
    phases_ms: BTreeMap<&'static str, Distribution>,
    errors: Vec<ErrorReport<'a>>,
    iterations: Iterations,
    groups: BTreeMap<&'a str, Group>,
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
    /// Without the pauses.
    duration_seconds: f64,
    paused_seconds: f64,
    end_reason: &'a str,
    exit_code: u8,
}

#[derive(Serialize)]
struct ThresholdReport<'a> {
    expression: &'a str,
    passed: bool,
    /// For people, with its unit; `null` when nothing was measured.
    value: Option<&'a str>,
    ended_run: bool,
}

#[derive(Serialize)]
struct UsersReport<'a> {
    target: u64,
    peak: u64,
    started: u64,
    stopped: u64,
    ended_by_stop_timeout: u64,
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
struct Iterations {
    count: u64,
    per_second: f64,
    time_ms: Distribution,
    /// Begun, but cut off: not in `count`.
    interrupted: u64,
    /// Planned, but never begun.
    dropped: u64,
    /// How much later than planned they began.
    late_ms: Distribution,
}

#[derive(Serialize)]
struct Group {
    time_ms: Distribution,
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
    events_dropped: u64,
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
            run: Run::new(run),
            thresholds: run.thresholds.iter().map(ThresholdReport::new).collect(),
            users: UsersReport::new(run),
            total: Requests::new(&snapshot.total, run.duration),
            requests: requests::named(run),
            phases_ms: snapshot
                .phases
                .iter()
                .map(|(name, took)| (name, Distribution::of_durations(took)))
                .collect(),
            errors: errors(snapshot),
            iterations: Iterations::new(run),
            groups: groups(snapshot),
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

impl<'a> Run<'a> {
    fn new(run: &'a RunSummary) -> Self {
        Self {
            component: &run.component,
            host: run.host.as_deref(),
            started: humantime::format_rfc3339_millis(run.started).to_string(),
            duration_seconds: run.duration.as_secs_f64(),
            paused_seconds: run.paused.as_secs_f64(),
            end_reason: &run.end_reason,
            exit_code: run.exit_code,
        }
    }
}

impl<'a> ThresholdReport<'a> {
    fn new(verdict: &'a Verdict) -> Self {
        Self {
            expression: &verdict.expression,
            passed: verdict.passed,
            value: verdict.value.as_deref(),
            ended_run: verdict.aborted,
        }
    }
}

impl Iterations {
    fn new(run: &RunSummary) -> Self {
        let snapshot = &run.snapshot;
        let count = snapshot.iterations.count();
        Self {
            count,
            per_second: per_second(count as f64, run.duration),
            time_ms: Distribution::of_durations(&snapshot.iterations),
            interrupted: snapshot.interrupted_iterations,
            dropped: snapshot.dropped_iterations,
            late_ms: Distribution::of_durations(&snapshot.lateness),
        }
    }
}

fn groups(snapshot: &Snapshot) -> BTreeMap<&str, Group> {
    let rows = snapshot.groups.iter();
    rows.map(|(name, took)| {
        let time_ms = Distribution::of_durations(took);
        (name.as_str(), Group { time_ms })
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
    fn new(run: &'a RunSummary) -> Self {
        let users = &run.users;
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
            ended_by_stop_timeout: run.users_ended,
            classes: users.classes.iter().map(class).collect(),
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
            events_dropped: snapshot.events_dropped,
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
    use crate::metrics::users::Users;
    use crate::output::fixture;
    use serde_json::json;
    use std::time::Duration;

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
    fn what_was_planned_is_there_where_something_was() {
        let report: serde_json::Value = serde_json::from_str(&render(&fixture::run())).unwrap();
        let rows = report["requests"].as_array().unwrap();
        let planned = |row: &&serde_json::Value| row.get("time_from_planned_start_ms").is_some();
        let names: Vec<_> = rows
            .iter()
            .filter(planned)
            .map(|row| &row["tags"])
            .collect();
        assert_eq!(
            names,
            [
                &json!({"group": "checkout::pay", "region": "us"}),
                &json!({"region": "eu"})
            ]
        );
        assert_eq!(rows[0]["tags"], json!({}));
        assert_eq!(report["total"]["time_from_planned_start_ms"]["count"], 2);
        assert_eq!(report["iterations"]["dropped"], 3);
        assert_eq!(report["iterations"]["late_ms"]["max"], 500.0);
        assert_eq!(report["groups"]["checkout"]["time_ms"]["count"], 500);
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
        assert_eq!(report["iterations"]["per_second"], 0.0);
        assert!(report["total"].get("time_from_planned_start_ms").is_none());
    }
}
