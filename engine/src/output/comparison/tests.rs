//! What the comparison looks like, on one that is made up.

use super::*;
use crate::compare::{ComparedRun, Steady, Unmatched};
use crate::output::fixture::assert_golden;

const STEADY: Steady = Steady {
    start_seconds: 5.0,
    end_seconds: 65.0,
    intervals: 60,
};

fn change(value: f64, by: Option<f64>, verdict: Verdict) -> Change {
    Change {
        run: 1,
        value: Some(value),
        change: by,
        low: by.map(|by| by - 0.05),
        high: by.map(|by| by + 0.05),
        verdict,
        reason: None,
    }
}

fn metric(metric: &'static str, baseline: f64, change: Change) -> ComparedMetric {
    let unit = match metric {
        "requests_per_second" => "1/s",
        "failure_share" => "",
        _ => "ms",
    };
    ComparedMetric {
        metric,
        unit,
        baseline: Some(baseline),
        values: vec![change],
    }
}

fn row(method: &str, name: &str, metrics: Vec<ComparedMetric>) -> Row {
    Row {
        method: method.into(),
        name: name.into(),
        tags: BTreeMap::new(),
        metrics,
    }
}

fn example() -> Comparison {
    let unknown = Change {
        low: None,
        high: None,
        reason: Some("only 1200 requests; it takes 6000".into()),
        ..change(410.0, Some(0.025), Verdict::Unknown)
    };
    let total = vec![
        metric(
            "requests_per_second",
            1204.0,
            change(1190.0, Some(-0.012), Verdict::Noise),
        ),
        metric("failure_share", 0.0, change(0.013, None, Verdict::Worse)),
        metric("p95", 123.0, change(139.0, Some(0.13), Verdict::Worse)),
        metric("p99", 300.0, change(240.0, Some(-0.2), Verdict::Better)),
        metric("p99.9", 400.0, unknown.clone()),
    ];
    let mut tagged = row("GET", "/a\x1b[31m", vec![metric("p99.9", 400.0, unknown)]);
    tagged.tags.insert("region".into(), "eu".into());
    let run = |label: &str, notes: &[&str]| ComparedRun {
        label: label.into(),
        steady: Some(STEADY),
        notes: notes.iter().map(|note| (*note).to_owned()).collect(),
    };
    Comparison {
        baseline: 0,
        runs: vec![
            run("a.json", &[]),
            run("b.json", &["another host: x (baseline: y)"]),
        ],
        rows: vec![
            row("", "", total),
            row(
                "GET",
                "/cart",
                vec![metric("p50", 10.0, change(20.0, Some(1.0), Verdict::Worse))],
            ),
            row(
                "GET",
                "/",
                vec![metric("p50", 1.0, change(1.0, Some(0.0), Verdict::Noise))],
            ),
            tagged,
        ],
        unmatched: vec![Unmatched {
            method: "GET".into(),
            name: "/new".into(),
            tags: BTreeMap::new(),
            runs: vec![1],
        }],
    }
}

fn style(width: u16, colour: bool) -> Style {
    Style { width, colour }
}

#[test]
fn the_comparison_matches_its_golden() {
    let text = comparison(&example(), style(80, false));
    assert_golden("comparison-80.txt", &text);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn colours_come_only_when_asked_for_and_never_from_names() {
    let coloured = comparison(&example(), style(80, true));
    assert!(coloured.contains("\x1b[31m✗\x1b[0m p95 (ms)"), "{coloured}");
    assert!(coloured.contains("\x1b[32m✓\x1b[0m p99 (ms)"), "{coloured}");
    assert!(!comparison(&example(), style(80, false)).contains('\x1b'));
}

#[test]
fn many_changes_are_bounded_and_the_biggest_come_first() {
    let mut many = example();
    many.rows.truncate(1);
    many.rows.extend((0..1000).map(|n| {
        let by = 0.1 + f64::from(n) / 1000.0;
        let change = change(1.0 + by, Some(by), Verdict::Worse);
        row("GET", &format!("/{n}"), vec![metric("p50", 1.0, change)])
    }));
    let text = comparison(&many, style(80, false));
    assert!(
        text.contains("GET /999 ") && text.contains("GET /970 "),
        "{text}"
    );
    assert!(!text.contains("GET /969 "), "{text}");
    assert!(text.contains("and 970 more changes"), "{text}");
    assert!(text.find("GET /999 ") < text.find("GET /998 "), "{text}");
    assert!(text.contains("1,000 names changed by more than noise, 0 did not"));
}

#[test]
fn a_run_that_is_too_short_says_why_nothing_is_known() {
    let mut short = example();
    short.runs[1].steady = None;
    for metric in &mut short.rows[0].metrics {
        for change in &mut metric.values {
            change.verdict = Verdict::Unknown;
            change.reason = Some("only 4 intervals of steady load; it takes 20".into());
        }
    }
    let text = comparison(&short, style(80, false));
    let line = "  unknown: only 4 intervals of steady load; it takes 20\n";
    assert!(text.contains(line), "{text}");
}
