//! Whether verdicts are right as often as they promise, on runs whose truth is known. All
//! of it is decided by seeds.

use super::synthetic::Process;
use super::{Change, Comparison, Row, Verdict, compare};
use crate::report::Report;

fn compared(before: Report, after: Report) -> Comparison {
    let runs = [("a.json".to_owned(), before), ("b.json".to_owned(), after)];
    compare(&runs).unwrap()
}

fn pair(before: &Process, after: &Process, trial: u64) -> Comparison {
    compared(before.run(2 * trial), after.run(2 * trial + 1))
}

fn changes(rows: &[Row]) -> impl Iterator<Item = (&'static str, &Change)> {
    let metrics = rows.iter().flat_map(|row| &row.metrics);
    metrics.map(|metric| (metric.metric, &metric.values[0]))
}

fn change<'a>(row: &'a Row, name: &str) -> &'a Change {
    let mut metrics = row.metrics.iter();
    let metric = metrics.find(|metric| metric.metric == name).unwrap();
    &metric.values[0]
}

/// In how many of so many trials it holds, in percent.
fn percent(trials: u64, holds: impl Fn(u64) -> bool) -> f64 {
    let held = (0..trials).filter(|trial| holds(*trial)).count();
    100.0 * held as f64 / trials as f64
}

/// Of how many percent of such pairs of runs nothing is called a change, in all requests
/// and in single names. Each run is compared with the one before.
fn calm(process: &Process, pairs: u64) -> (f64, f64) {
    let runs: Vec<_> = (0..=pairs)
        .map(|seed| (seed.to_string(), process.run(seed)))
        .collect();
    let calm = |rows: &[Row]| !changes(rows).any(|(_, change)| change.is_real());
    let (mut total, mut names) = (0, 0);
    for pair in runs.windows(2) {
        let comparison = compare(pair).unwrap();
        total += usize::from(calm(&comparison.rows[..1]));
        names += usize::from(calm(&comparison.rows[1..]));
    }
    let share = |calm| 100.0 * calm as f64 / pairs as f64;
    (share(total), share(names))
}

#[test]
fn two_runs_of_the_same_are_noise() {
    for alike in [0.0, 0.6, 0.8] {
        let process = Process {
            alike,
            ..Process::default()
        };
        let (total, names) = calm(&process, 100);
        assert!(
            total >= 93.0 && names >= 93.0,
            "{alike}: {total} % {names} %"
        );
    }
}

#[test]
fn noise_of_single_names_is_noise() {
    // Followed by the timeline or not, with much or little in an interval.
    for (requests, names, followed) in [(400.0, 8, 8), (200.0, 20, 4), (100.0, 50, 25)] {
        let process = Process {
            requests,
            names,
            followed,
            noise: 0.05,
            own_noise: 0.1,
            ..Process::default()
        };
        let (total, of_names) = calm(&process, 30);
        assert!(
            total >= 93.0 && of_names >= 93.0,
            "{names}: {total} % {of_names} %"
        );
    }
}

#[test]
fn a_slower_tail_is_found_where_it_is() {
    let before = Process {
        requests: 400.0,
        noise: 0.02,
        ..Process::default()
    };
    let after = Process {
        slower_tail: 1.05,
        ..before.clone()
    };
    let found = percent(60, |trial| {
        let comparison = pair(&before, &after, trial);
        change(&comparison.rows[0], "p95").verdict == Verdict::Worse
    });
    let elsewhere = percent(20, |trial| {
        let comparison = pair(&before, &after, trial);
        change(&comparison.rows[0], "p50").is_real()
    });
    assert!(found >= 95.0, "{found} %");
    assert!(elsewhere <= 10.0, "{elsewhere} %");
}

#[test]
fn the_true_change_is_in_its_interval() {
    let before = Process {
        requests: 120.0,
        ..Process::default()
    };
    let after = Process {
        slower: 1.1,
        ..before.clone()
    };
    let trials: Vec<Comparison> = (0..80).map(|trial| pair(&before, &after, trial)).collect();
    for metric in ["avg", "p50", "p90", "p95"] {
        let inside = trials.iter().filter(|comparison| {
            let change = change(&comparison.rows[0], metric);
            change.low.unwrap() < 0.1 && 0.1 < change.high.unwrap()
        });
        let inside = inside.count();
        assert!(inside >= 73, "{metric}: {inside} of 80");
    }
}

#[test]
fn a_slow_name_is_found_among_many() {
    let process = Process {
        names: 20,
        requests: 400.0,
        noise: 0.02,
        ..Process::default()
    };
    let fast = process.run(1);
    let mut slow = process.run(2);
    let slower = Process {
        slower: 1.5,
        ..process
    };
    slow.requests[7] = slower.run(3).requests[7].clone();
    let comparison = compared(fast, slow);
    assert_eq!(comparison.rows.len(), 21);
    let first = &comparison.rows[1];
    assert_eq!(first.name, "/7");
    assert_eq!(change(first, "p50").verdict, Verdict::Worse);
    let others = &comparison.rows[2..];
    assert!(!changes(others).any(|(_, change)| change.is_real()));
}

#[test]
fn more_failures_are_found() {
    let before = Process {
        requests: 200.0,
        ..Process::default()
    };
    let after = Process {
        failures: 0.02,
        ..before.clone()
    };
    let comparison = pair(&before, &after, 1);
    let worse = change(&comparison.rows[0], "failure_share");
    assert_eq!(worse.verdict, Verdict::Worse);
    assert!(
        worse.low.unwrap() < 1.0 && worse.high.unwrap() > 1.0,
        "{worse:?}"
    );
    assert!(comparison.is_worse(0.0) && comparison.is_worse(0.5));
    assert!(!comparison.is_worse(10.0));
}

#[test]
fn a_run_beside_itself_has_not_changed() {
    let run = Process {
        names: 3,
        requests: 200.0,
        ..Process::default()
    }
    .run(5);
    let comparison = compared(run.clone(), run);
    for (metric, change) in changes(&comparison.rows) {
        assert_eq!(change.change, Some(0.0), "{metric}");
        let expected = match change.reason {
            Some(_) => Verdict::Unknown,
            None => Verdict::Noise,
        };
        assert_eq!(change.verdict, expected, "{metric}");
    }
    assert_eq!(change(&comparison.rows[0], "p99.9").verdict, Verdict::Noise);
    assert!(comparison.unmatched.is_empty());
    assert!(!comparison.is_worse(0.0));
}

#[test]
fn swapping_the_runs_swaps_the_verdicts() {
    let before = Process {
        names: 4,
        requests: 200.0,
        ..Process::default()
    };
    let after = Process {
        slower: 1.3,
        failures: 0.03,
        ..before.clone()
    };
    let (a, b) = (before.run(1), after.run(2));
    let there = compared(a.clone(), b.clone());
    let back = compared(b, a);
    for row in &there.rows {
        let mut rows = back.rows.iter();
        let other = rows.find(|other| other.name == row.name).unwrap();
        for (metric, one) in changes(std::slice::from_ref(row)) {
            let two = change(other, metric);
            let mirrored = match one.verdict {
                Verdict::Better => Verdict::Worse,
                Verdict::Worse => Verdict::Better,
                same => same,
            };
            assert_eq!(two.verdict, mirrored, "{metric}");
            let product = (1.0 + one.change.unwrap()) * (1.0 + two.change.unwrap());
            assert!((product - 1.0).abs() < 1e-9, "{metric}: {product}");
            if let (Some(low), Some(high), true) = (one.low, two.high, metric != "failure_share") {
                assert!(((1.0 + low) * (1.0 + high) - 1.0).abs() < 1e-9, "{metric}");
            }
        }
    }
    assert_eq!(change(&there.rows[0], "p95").verdict, Verdict::Worse);
}

#[test]
fn the_same_documents_give_the_same_comparison() {
    let process = Process {
        names: 5,
        ..Process::default()
    };
    let once = serde_json::to_string(&pair(&process, &process, 3)).unwrap();
    let again = serde_json::to_string(&pair(&process, &process, 3)).unwrap();
    assert_eq!(once, again);
}
