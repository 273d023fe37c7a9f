//! The results as CI systems read them: a file of JUnit's XML. It fails where the exit code
//! says so, and says why.
//!
//! Where there are thresholds, they are the judge; otherwise each name with failed requests
//! and each task that failed is a failed case. What failed, but was not judged, is skipped:
//! it does not fail a build, and does not look as if all were well.

use super::format::{count, percent, plain};
use crate::report::{NamedRequests, Report, Requests};
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::time::Duration;

/// Causes that a case has room for.
const MAX_CAUSES: usize = 10;

/// The file's text.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut suites = vec![
        thresholds(report),
        checks(report),
        requests(report),
        tasks(report),
    ];
    suites.retain(|suite| !suite.test_cases.is_empty());
    let failed = suites.iter().any(|suite| suite.failures + suite.errors > 0);
    suites.insert(0, run(report, failed));

    let mut document = quick_junit::Report::new(words(&report.run.component));
    document.time = Some(seconds(report.run.duration_seconds));
    for mut suite in suites {
        suite.timestamp = report.run.started.parse().ok();
        suite.time = document.time;
        document.add_test_suite(suite);
    }
    let text = document.to_string();
    text.expect("memory takes all that is written")
}

/// The run as such: what it was, and whatever else its exit code is about.
fn run(report: &Report, explained: bool) -> TestSuite {
    let run = &report.run;
    let mut suite = TestSuite::new("run");
    let status = match explained || run.exit_code == 0 {
        true => TestCaseStatus::success(),
        false => {
            let message = format!("exit code {}: {}", run.exit_code, run.end_reason);
            status(Judged::Error, "run", &message)
        }
    };
    add(&mut suite, "run", status, &run.end_reason).set_time(seconds(run.duration_seconds));
    let known = [
        ("component", run.component.as_str()),
        ("host", run.host.as_deref().unwrap_or_default()),
        ("started", &run.started),
        ("engine", &report.environment.engine),
        ("machine", &report.environment.machine),
        ("system", &report.environment.system),
        ("command", &report.environment.command),
    ];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    let known = known.map(|(name, value)| (name.to_owned(), value));
    let labels = run.labels.iter();
    let labels = labels.map(|(name, value)| (format!("label.{name}"), value.as_str()));
    suite.add_properties(
        known
            .chain(labels)
            .map(|(name, value)| Property::new(words(&name), words(value))),
    );
    suite
}

fn thresholds(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("thresholds");
    for threshold in &report.thresholds {
        let mut measured = match &threshold.value {
            Some(value) => format!("measured {value}"),
            None => "nothing was measured".to_owned(),
        };
        if threshold.ended_run {
            measured += ", which ended the run";
        }
        let status = match threshold.passed {
            true => TestCaseStatus::success(),
            false => status(Judged::Failure, "threshold", &measured),
        };
        add(&mut suite, &threshold.expression, status, &measured);
    }
    suite
}

fn checks(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("checks");
    for (name, check) in &report.checks {
        let all = check.passed + check.failed;
        let message = share(check.failed, all, "did not hold");
        let status = match check.failed {
            0 => TestCaseStatus::success(),
            // No exit code comes from a check.
            _ => status(Judged::Not, "check", &message),
        };
        add(&mut suite, name, status, &message);
    }
    suite
}

fn requests(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("requests");
    for row in &report.requests {
        let requests = &row.requests;
        let status = match requests.failures {
            0 => TestCaseStatus::success(),
            failures => {
                let message = share(failures, requests.requests, "requests failed");
                let causes = report.errors.iter();
                let causes = causes
                    .filter(|error| error.method == row.method && error.name == row.name)
                    .map(|error| (error.count, error.message.as_str()));
                let status = status(judged(report, Judged::Failure), "request", &message);
                because(status, causes)
            }
        };
        add(&mut suite, &label(row), status, &numbers(requests))
            .set_time(seconds(requests.time_ms.avg / 1e3));
    }
    suite
}

/// Tasks and sandboxes that failed, by where they did.
fn tasks(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("tasks");
    let mut failed: BTreeMap<String, Vec<(u64, &str)>> = BTreeMap::new();
    for error in &report.task_errors {
        let place = format!("{}.{}", error.class, error.task);
        let causes = failed.entry(place).or_default();
        causes.push((error.count, &error.message));
    }
    for event in &report.sandbox_events {
        let place = format!("{}: {}", event.class, event.kind);
        let causes = failed.entry(place).or_default();
        causes.push((event.count, &event.message));
    }
    let ended = format!("{} tasks ended", count(report.tasks));
    if failed.is_empty() && report.tasks > 0 {
        add(&mut suite, "tasks", TestCaseStatus::success(), &ended);
    }
    for (place, causes) in failed {
        let failures: u64 = causes.iter().map(|(count, _)| count).sum();
        let message = format!("failures: {}", count(failures));
        let status = status(judged(report, Judged::Error), "task", &message);
        add(&mut suite, &place, because(status, causes), &ended);
    }
    suite
}

/// What becomes of a case in which something failed.
#[derive(Clone, Copy)]
enum Judged {
    /// What was tested did not do as it should.
    Failure,
    /// The test itself did not.
    Error,
    /// Nobody asked for more.
    Not,
}

/// What failures come to that thresholds could have been about.
fn judged(report: &Report, as_what: Judged) -> Judged {
    match report.thresholds.is_empty() && report.run.exit_code != 0 {
        true => as_what,
        false => Judged::Not,
    }
}

fn status(judged: Judged, kind: &str, message: &str) -> TestCaseStatus {
    let mut status = match judged {
        Judged::Failure => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Judged::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Judged::Not => TestCaseStatus::skipped(),
    };
    status.set_type(kind);
    match judged {
        Judged::Not => status.set_message(words(&format!("{message}, but not the run"))),
        _ => status.set_message(words(message)),
    };
    status
}

fn add<'a>(
    suite: &'a mut TestSuite,
    name: &str,
    status: TestCaseStatus,
    output: &str,
) -> &'a mut TestCase {
    let mut case = TestCase::new(words(name), status);
    case.set_classname(format!("aiotest.{}", suite.name.as_str()));
    if !output.is_empty() {
        case.set_system_out(words(output));
    }
    suite.add_test_case(case);
    let newest = suite.test_cases.len() - 1;
    &mut suite.test_cases[newest]
}

/// What a row is called.
fn label(row: &NamedRequests) -> String {
    let mut label = match row.method == row.name {
        // What is folded altogether needs its name only once.
        true => row.name.clone(),
        false => format!("{} {}", row.method, row.name),
    };
    if !row.tags.is_empty() {
        let tags = row
            .tags
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        label += &format!(" {{{}}}", tags.collect::<Vec<_>>().join(","));
    }
    label
}

fn numbers(requests: &Requests) -> String {
    let times = &requests.time_ms;
    format!(
        "{} requests, {} failed, {:.3} per second; in ms: avg {:.3}, min {:.3}, p50 {:.3}, \
         p90 {:.3}, p95 {:.3}, p99 {:.3}, p99.9 {:.3}, max {:.3}",
        requests.requests,
        requests.failures,
        requests.requests_per_second,
        times.avg,
        times.min,
        times.p50,
        times.p90,
        times.p95,
        times.p99,
        times.p99_9,
        times.max,
    )
}

/// `12 of 1,013 requests failed (1.18%)`.
fn share(part: u64, all: u64, what: &str) -> String {
    let share = percent(part as f64 / all.max(1) as f64);
    format!("{} of {} {what} ({share})", count(part), count(all))
}

/// With a line for each cause, the most frequent first, as they come.
fn because<'a>(
    mut status: TestCaseStatus,
    causes: impl IntoIterator<Item = (u64, &'a str)>,
) -> TestCaseStatus {
    let mut lines: Vec<String> = causes
        .into_iter()
        .map(|(times, message)| format!("{} × {}", count(times), words(message)))
        .collect();
    if lines.len() > MAX_CAUSES {
        let more = (lines.len() - MAX_CAUSES) as u64;
        lines.truncate(MAX_CAUSES);
        lines.push(format!("and {} other causes", count(more)));
    }
    if !lines.is_empty() {
        status.set_description(lines.join("\n"));
    }
    status
}

/// A text on one line, of characters that XML has.
fn words(text: &str) -> String {
    plain(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests;
