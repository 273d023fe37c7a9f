//! The public surface, from several threads and against its limits.

mod percentiles;

use super::*;
use crate::sample::{Failure, Timings, split_tags};
use crate::secrets::Secrets;
use proptest::prelude::*;

fn sample<'a>(method: &'a str, name: &'a str, micros: u64) -> Sample<'a> {
    Sample {
        method,
        name,
        tags: "",
        status: 200,
        failure: None,
        timings: Timings {
            total: Duration::from_micros(micros),
            ..Timings::default()
        },
        sent: 1,
        received: 10,
        late: None,
    }
}

fn failed<'a>(name: &'a str, status: u16, message: &'a str) -> Sample<'a> {
    Sample {
        status,
        failure: Some(Failure {
            kind: "status",
            message,
        }),
        ..sample("GET", name, 1000)
    }
}

fn key(method: &str, name: &str) -> RequestKey {
    RequestKey {
        name: name.into(),
        method: method.into(),
        tags: String::new(),
    }
}

#[test]
fn nothing_is_lost_between_threads() {
    let metrics = Metrics::default();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let metrics = &metrics;
            scope.spawn(move || {
                for n in 0..1000 {
                    metrics.record(&sample("GET", ["/a", "/b"][n % 2], thread + 1));
                    metrics.work(1, None);
                    metrics.work(0, Some(Duration::from_micros(thread)));
                    metrics.group("checkout", Duration::from_micros(thread));
                    metrics.count("orders", 0.5);
                    metrics.check("fast", n % 4 == 0);
                }
            });
        }
    });

    let all = metrics.snapshot();
    assert_eq!(all.total.count(), 8000);
    assert_eq!((all.total.sent, all.total.received), (8000, 80_000));
    assert_eq!(all.requests[&key("GET", "/a")].count(), 4000);
    assert_eq!(all.requests[&key("GET", "/b")].count(), 4000);
    assert_eq!(all.total.time.min(), Duration::from_micros(1));
    assert_eq!(all.total.time.max(), Duration::from_micros(8));
    assert_eq!(all.total.time.avg(), Duration::from_nanos(4500));
    assert_eq!((all.tasks, all.iterations.count()), (8000, 8000));
    assert_eq!(all.groups["checkout"], all.iterations);
    assert_eq!(all.counters["orders"], 4000.0);
    assert_eq!(
        all.checks["fast"],
        Check {
            passed: 2000,
            failed: 6000
        }
    );
    assert_eq!(metrics.total(), all.total);
}

#[test]
fn names_beyond_the_limit_fold_and_keep_every_count() {
    let metrics = Metrics::new(Limits {
        max_names: 10,
        max_errors: 500,
    });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..100 {
                    metrics.record(&sample("GET", &format!("/item/{n}"), 5));
                    metrics.record(&sample(&format!("M{n}"), "/", 5));
                }
            });
        }
    });

    let all = metrics.snapshot();
    assert_eq!(all.total.count(), 800);
    assert_eq!(all.requests.len(), 12);
    let other = all.requests[&key("GET", "(other)")].count()
        + all.requests[&key("(other)", "(other)")].count();
    assert_eq!(all.folded.requests, other);
    let kept = all.requests.values().map(RequestStats::count).sum::<u64>() - other;
    assert_eq!(kept, 40);
}

#[test]
fn tags_tell_requests_of_one_name_apart() {
    let metrics = Metrics::new(Limits {
        max_names: 3,
        max_errors: 500,
    });
    for tags in [
        "",
        "region=eu",
        "group=a,region=eu",
        "region=eu",
        "region=us",
    ] {
        metrics.record(&Sample {
            tags,
            ..failed("/cart", 500, "no")
        });
    }

    let all = metrics.snapshot();
    let rows: Vec<_> = all
        .requests
        .iter()
        .map(|(key, stats)| (&*key.name, &*key.tags, stats.count()))
        .collect();
    assert_eq!(
        rows,
        [
            ("(other)", "", 1),
            ("/cart", "", 1),
            ("/cart", "group=a,region=eu", 1),
            ("/cart", "region=eu", 2),
        ]
    );
    let europe = |key: &RequestKey| split_tags(&key.tags).any(|tag| tag == ("region", "eu"));
    let kept = all.requests.iter().filter(|(key, _)| europe(key));
    assert_eq!(kept.map(|(_, stats)| stats.count()).sum::<u64>(), 3);
    // Errors have no tags: the kept rows share one, the folded one has its own.
    assert_eq!(all.errors.values().copied().collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn tags_of_any_length_stay_apart() {
    let metrics = Metrics::default();
    let name = "n".repeat(300);
    for last in ["b=1", "b=2"] {
        metrics.record(&Sample {
            tags: &format!("a={},{last}", "x".repeat(300)),
            ..sample("GET", &name, 1)
        });
    }
    let all = metrics.snapshot();
    let ends: Vec<_> = all.requests.keys().map(|key| &key.tags[302..]).collect();
    assert_eq!(ends, [",b=1", ",b=2"]);
    assert!(all.requests.keys().all(|key| key.name.len() == 200));
}

#[test]
fn errors_are_kept_by_cause_up_to_their_limit() {
    let metrics = Metrics::new(Limits {
        max_names: 10,
        max_errors: 2,
    });
    for (status, message) in [(500, "a"), (502, "a"), (500, "b"), (500, "c"), (503, "d")] {
        metrics.record(&failed("/", status, message));
        metrics.task_error("Buyer", "pay", message);
        metrics.sandbox_event("Buyer", "trap", message);
    }

    let all = metrics.snapshot();
    let errors: Vec<_> = all
        .errors
        .iter()
        .map(|(k, n)| (&*k.name, &*k.method, k.status, &*k.message, *n))
        .collect();
    assert_eq!(
        errors,
        [
            ("(other)", "(other)", 500, "(other)", 1),
            ("(other)", "(other)", 503, "(other)", 1),
            ("/", "GET", 500, "a", 1),
            ("/", "GET", 500, "b", 1),
            ("/", "GET", 502, "a", 1),
        ]
    );
    assert_eq!(all.total.failures, 5);
    let texts: Vec<_> = all
        .task_errors
        .iter()
        .map(|(k, n)| (&*k.message, *n))
        .collect();
    assert_eq!(texts, [("(other)", 2), ("a", 2), ("b", 1)]);
    assert_eq!(all.sandbox_events.values().sum::<u64>(), 5);
    assert_eq!(all.folded.errors, 6);
}

#[test]
fn custom_values_are_checked_and_bounded() {
    let metrics = Metrics::default();
    for n in 0..150 {
        metrics.trend(&format!("t{n}"), 2.0);
        metrics.check(&format!("c{n}"), true);
        metrics.group(&format!("g{n}"), Duration::ZERO);
    }
    metrics.gauge("depth", 3.0);
    metrics.gauge("depth", -1.5);
    metrics.gauge("depth", f64::NAN);
    metrics.count("orders", -1.0);
    metrics.count("orders", f64::INFINITY);
    metrics.trend("t0", -0.1);
    metrics.lag(Duration::from_millis(3));
    metrics.log_dropped(7);
    metrics.events_dropped(u64::MAX);
    metrics.events_dropped(9);
    metrics.samples_dropped(4);
    metrics.restart("Buyer");

    let all = metrics.snapshot();
    assert_eq!((all.trends.len(), all.trends["(other)"].count()), (101, 50));
    assert_eq!(all.checks["(other)"].passed, 50);
    assert_eq!((all.groups.len(), all.groups["(other)"].count()), (101, 50));
    assert_eq!(all.folded.custom, 150);
    assert_eq!(all.gauges["depth"].value, -1.5);
    assert_eq!(all.invalid_values, 4);
    assert!(all.counters.is_empty());
    assert_eq!((all.lag.count(), all.log_dropped), (1, 7));
    assert_eq!((all.events_dropped, all.samples_dropped), (u64::MAX, 4));
    assert_eq!(all.restarts["Buyer"], 1);
}

#[test]
fn no_text_of_a_masked_snapshot_has_a_secret() {
    let metrics = Metrics::default();
    for text in ["hunter22", "plain", "***"] {
        metrics.record(&Sample {
            tags: &format!("key={text}"),
            method: text,
            ..failed(text, 500, text)
        });
        metrics.count(text, 1.0);
        metrics.gauge(text, 1.0);
        metrics.trend(text, 1.0);
        metrics.check(text, true);
        metrics.group(text, Duration::ZERO);
        metrics.task_error(text, text, text);
        metrics.restart(text);
        metrics.work(0, Some(Duration::ZERO));
        metrics.dropped_iterations(1);
    }
    metrics.sandbox_event("hunter22", "trap", "hunter22");
    let raw = metrics.snapshot();
    assert_eq!(raw.clone().masked(&Secrets::default()), raw);

    let secret = [("password".to_owned(), "hunter22".to_owned())];
    let masked = raw
        .clone()
        .masked(&Secrets::new(secret.into()).expect("it is long enough"));
    assert!(format!("{raw:?}").contains("hunter22"));
    assert!(!format!("{masked:?}").contains("hunter22"));
    // What became equal counts together, and nothing is lost.
    assert_eq!(masked.requests.len(), 2);
    assert_eq!(masked.total, raw.total);
    let mut sum = RequestStats::default();
    masked.requests.values().for_each(|stats| sum.merge(stats));
    assert_eq!(sum, raw.total);
    assert_eq!(masked.errors.values().copied().collect::<Vec<_>>(), [2, 1]);
    assert_eq!(masked.counters["***"], 2.0);
    assert_eq!(
        (masked.trends["***"].count(), masked.checks["***"].passed),
        (2, 2)
    );
    assert_eq!(
        (masked.groups["***"].count(), masked.restarts["***"]),
        (2, 2)
    );
    assert_eq!(masked.dropped_iterations, 3);
    assert_eq!(masked.iterations, raw.iterations);
}

#[test]
fn a_later_gauge_wins_whatever_thread_set_it() {
    let metrics = Metrics::default();
    for value in [1.0, 2.0, 3.0] {
        std::thread::scope(|scope| scope.spawn(|| metrics.gauge("g", value)).join().unwrap());
    }
    assert_eq!(metrics.snapshot().gauges["g"].value, 3.0);
}

#[test]
fn a_window_holds_what_came_between() {
    let metrics = Metrics::default();
    metrics.record(&sample("GET", "/", 900_000));
    let before = metrics.snapshot();
    for _ in 0..4 {
        metrics.record(&sample("GET", "/", 1000));
    }
    metrics.record(&failed("/new", 500, "no"));

    let window = metrics.snapshot().window(&before);
    assert_eq!((window.time.count(), window.failures), (5, 1));
    assert_eq!(window.time.percentile(0.99), Duration::from_millis(1));
    assert_eq!(window.rate(Duration::from_millis(500)), 10.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn merging_nodes_equals_one_node(
        samples in prop::collection::vec((0..4usize, 0..3u16, 0..90_000_000u64, any::<bool>()), 0..60)
    ) {
        let (one, two, both) = (Metrics::default(), Metrics::default(), Metrics::default());
        for (name, status, micros, first) in samples {
            let sample = Sample {
                status: status * 200,
                tags: ["", "region=eu"][micros as usize % 2],
                late: (status == 1).then_some(Duration::from_micros(micros % 1000)),
                failure: (status == 2).then_some(Failure { kind: "status", message: "400" }),
                ..sample("GET", ["/a", "/b", "/c", "/d"][name], micros)
            };
            for metrics in [if first { &one } else { &two }, &both] {
                metrics.record(&sample);
                metrics.work(0, Some(Duration::from_micros(micros)));
                metrics.late(Duration::from_micros(micros % 1000));
                metrics.dropped_iterations(u64::from(status));
                metrics.group(["checkout", "checkout::pay"][name % 2], Duration::from_micros(micros));
                metrics.events_dropped(1);
                metrics.samples_dropped(u64::from(status));
                metrics.count("n", 1.0);
                metrics.trend("us", micros as f64);
                metrics.check("ok", status != 2);
                metrics.lag(Duration::from_micros(micros));
            }
        }
        let mut merged = one.snapshot();
        merged.merge(&two.snapshot());
        prop_assert_eq!(merged, both.snapshot());
    }
}
