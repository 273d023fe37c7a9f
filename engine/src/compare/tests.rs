//! What a comparison says of runs that are short, different, or not what they seem.

use super::synthetic::Process;
use super::{Comparison, Row, Verdict, compare};
use crate::report::Report;

fn compared(reports: &[Report]) -> Comparison {
    let runs: Vec<_> = reports
        .iter()
        .enumerate()
        .map(|(run, report)| (format!("{run}.json"), report.clone()))
        .collect();
    compare(&runs).unwrap()
}

fn reasons(row: &Row) -> Vec<&str> {
    let changes = row.metrics.iter().flat_map(|metric| &metric.values);
    changes
        .map(|change| {
            assert_eq!(change.verdict, Verdict::Unknown);
            assert_eq!((change.low, change.high), (None, None));
            assert!(change.change.is_some());
            change.reason.as_deref().unwrap()
        })
        .collect()
}

#[test]
fn one_run_is_nothing_to_compare() {
    let run = ("a.json".to_owned(), Process::default().run(1));
    for runs in [&[][..], &[run]] {
        let error = compare(runs).unwrap_err().to_string();
        assert!(error.contains("two runs or more"), "{error}");
    }
}

#[test]
fn each_run_is_compared_with_the_first() {
    let process = Process {
        requests: 200.0,
        ..Process::default()
    };
    let slow = Process {
        slower: 1.5,
        ..process.clone()
    };
    let comparison = compared(&[process.run(1), process.run(2), slow.run(3)]);
    let p50 = &comparison.rows[0].metrics[3];
    assert_eq!(p50.metric, "p50");
    let verdicts: Vec<_> = p50.values.iter().map(|c| (c.run, c.verdict)).collect();
    assert_eq!(verdicts, [(1, Verdict::Noise), (2, Verdict::Worse)]);
    let steady = comparison.runs[2].steady.unwrap();
    assert_eq!(
        (steady.start_seconds, steady.end_seconds, steady.intervals),
        (1.0, 61.0, 60)
    );
}

#[test]
fn a_short_run_says_how_much_is_missing() {
    let long = Process::default().run(1);
    let short = Process {
        intervals: 7,
        ..Process::default()
    };
    let comparison = compared(&[long.clone(), short.run(2)]);
    for row in &comparison.rows {
        let expected = "only 7 intervals of steady load; it takes 20";
        assert!(reasons(row).iter().all(|reason| *reason == expected));
    }
    assert_eq!(comparison.runs[1].steady, None);
    let comparison = compared(&[short.run(2), long]);
    for reason in reasons(&comparison.rows[0]) {
        assert!(reason.starts_with("baseline: only 7 intervals"), "{reason}");
    }
}

#[test]
fn a_document_without_histograms_says_so() {
    let whole = Process::default().run(1);
    let mut live = whole.clone();
    live.timeline.histograms.clear();
    let comparison = compared(&[whole.clone(), live]);
    for reason in reasons(&comparison.rows[0]) {
        assert!(reason.contains("no histograms"), "{reason}");
    }
    let mut without = whole.clone();
    without.requests[0].requests.time_ms.histogram = None;
    let comparison = compared(&[whole, without]);
    for reason in reasons(&comparison.rows[1]) {
        assert!(reason.contains("no histograms"), "{reason}");
    }
    assert_eq!(comparison.rows[0].metrics[3].values[0].reason, None);
}

#[test]
fn rare_names_are_unknown_and_names_of_one_run_are_listed() {
    let process = Process {
        names: 3,
        ..Process::default()
    };
    let before = process.run(1);
    let mut after = process.run(2);
    after.requests[1].requests.requests = 12;
    after.requests[2].name = "/new".into();
    let comparison = compared(&[before, after]);
    let rare = comparison.rows.iter().find(|row| row.name == "/1").unwrap();
    assert_eq!(reasons(rare)[0], "only 12 requests; it takes 30");
    let unmatched = comparison.unmatched.iter();
    let unmatched: Vec<_> = unmatched.map(|u| (&*u.name, &*u.runs)).collect();
    assert_eq!(unmatched, [("/2", &[0][..]), ("/new", &[1])]);
    assert_eq!(comparison.rows.len(), 3);
}

#[test]
fn an_altered_document_is_named() {
    let whole = Process::default().run(1);
    let mut altered = whole.clone();
    altered.timeline.histograms[30] = "AAAA".into();
    let runs = [("a.json".to_owned(), whole), ("b.json".to_owned(), altered)];
    let error = compare(&runs).unwrap_err().to_string();
    assert!(error.starts_with("b.json: the histogram "), "{error}");
}

#[test]
fn numbers_that_cannot_be_do_no_harm() {
    let whole = Process::default().run(1);
    let mut odd = whole.clone();
    odd.timeline.span_seconds.fill(0.0);
    odd.timeline.failures.fill(u64::MAX);
    odd.timeline.time_ms.avg.fill(f64::MAX);
    odd.timeline.names[0].p50.fill(-1.0);
    odd.timeline.names[0].requests.truncate(5);
    odd.requests[0].requests.requests_per_second = f64::MAX;
    odd.requests[0].requests.failure_share = 7.0;
    for comparison in [
        compared(&[whole.clone(), odd.clone()]),
        compared(&[odd.clone(), whole.clone()]),
        compared(&[odd.clone(), odd]),
        compared(&[
            whole.clone(),
            Report {
                requests: vec![],
                ..whole
            },
        ]),
    ] {
        let text = serde_json::to_string(&comparison).unwrap();
        assert!(text.contains("failure_share"));
    }
}
