//! What thresholds say about results that were really recorded.

mod property;
mod text;

use super::*;
use crate::metrics::{Limits, Metrics};
use crate::sample::{Failure, Sample, Sink, Timings};

const MINUTE: Duration = Duration::from_secs(60);

fn threshold(text: &str) -> Threshold {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn sample<'a>(name: &'a str, tags: &'a str, took: u64) -> Sample<'a> {
    Sample {
        method: "GET",
        name,
        tags,
        status: 200,
        failure: None,
        timings: Timings {
            started: None,
            dns: ms(1),
            connect: ms(2),
            tls: ms(3),
            send: ms(4),
            first_byte: ms(5),
            body: ms(6),
            total: ms(took),
        },
        sent: 10,
        received: 100,
        late: None,
    }
}

/// Five requests in two names, three tags and two statuses, and one of everything else.
fn results() -> Snapshot {
    let metrics = Metrics::default();
    let failed = Sample {
        status: 500,
        failure: Some(Failure {
            kind: "status",
            message: "500",
        }),
        method: "POST",
        ..sample("Login", "group=a::b,region=eu", 500)
    };
    let late = Sample {
        late: Some(ms(900)),
        ..sample("Login", "", 100)
    };
    for sample in [
        late,
        sample("Login", "region=us", 200),
        sample("Login", "region=eu", 300),
        sample("Cart", "region=eu", 400),
        failed,
    ] {
        metrics.record(&sample);
    }
    metrics.work(0, Some(ms(50)));
    metrics.late(ms(7));
    metrics.dropped_iterations(30);
    metrics.group("a", ms(10));
    metrics.group("a::b", ms(30));
    metrics.task_error("Buyer", "pay", "no money");
    metrics.task_error("Buyer", "pay", "no card");
    metrics.sandbox_event("Buyer", "trap", "unreachable");
    for n in 0..4 {
        metrics.check("fast", n > 0);
        metrics.check("ok", true);
        metrics.trend("basket", f64::from(n) * 2.0);
    }
    metrics.count("orders", 4.5);
    metrics.gauge("depth", -3.0);
    metrics.count("both", 9.0);
    metrics.trend("both", 1.0);
    metrics.count("my orders: all", 2.0);
    metrics.snapshot()
}

/// What a threshold measures, and whether it holds.
fn judged(text: &str, snapshot: &Snapshot) -> (bool, Option<String>) {
    let verdict = threshold(text).evaluate(snapshot, MINUTE);
    (verdict.passed, verdict.value)
}

#[test]
fn every_metric_is_measured() {
    let results = results();
    let cases = [
        ("http_req_duration: avg<300ms", "300.00 ms"),
        ("http_req_duration: min<100ms", "100.00 ms"),
        ("http_req_duration: max<300ms", "500.00 ms"),
        ("http_req_duration: med<299ms", "299.90 ms"),
        ("http_req_duration: count<3", "5"),
        ("http_req_duration_planned: max<1s", "1000.00 ms"),
        ("http_req_duration_planned: count<1", "1"),
        ("http_req_dns: max<1", "1.00 ms"),
        ("http_req_connecting: max<1", "2.00 ms"),
        ("http_req_tls_handshaking: max<1", "3.00 ms"),
        ("http_req_sending: max<1", "4.00 ms"),
        ("http_req_waiting: max<1", "5.00 ms"),
        ("http_req_receiving: max<1", "6.00 ms"),
        ("iteration_duration: avg<1", "50.00 ms"),
        ("iteration_lateness: avg<1", "7.00 ms"),
        ("group_duration: avg<1", "20.00 ms"),
        ("http_reqs: count<1", "5"),
        ("http_reqs: rate<0.01", "0.08/s"),
        ("data_received: count<1", "500 B"),
        ("data_received: rate<1", "8.33 B/s"),
        ("data_sent: count<1", "50 B"),
        ("iterations: count<1", "1"),
        ("dropped_iterations: count<1", "30"),
        ("dropped_iterations: rate<0.1", "0.50/s"),
        ("task_errors: count<1", "2"),
        ("sandbox_failures: count<1", "1"),
        ("failures: rate<1%", "20.00%"),
        ("http_req_failed: rate<1%", "20.00%"),
        ("failures: count<1", "1"),
        ("checks: rate<1%", "87.50%"),
        ("checks: count<1", "7"),
        ("basket: avg<1", "3"),
        ("basket: p(100)<1", "6"),
        ("basket: count<1", "4"),
        ("orders: count<1", "4.50"),
        ("orders: rate<0.01", "0.07/s"),
        ("depth: value<-5", "-3"),
        ("both: count<1", "9"),
        ("both: max<1", "1"),
        (r#""my orders: all": count<1"#, "2"),
    ];
    for (text, value) in cases {
        assert_eq!(
            judged(text, &results),
            (false, Some(value.into())),
            "{text}"
        );
        // What is not less is greater or equal.
        let opposite = text.replace('<', ">=");
        assert!(judged(&opposite, &results).0, "{opposite}");
    }
}

#[test]
fn selectors_pick_rows_and_merge_them() {
    let results = results();
    let cases = [
        ("http_req_duration{name:Login}: count<1", "4"),
        ("http_req_duration{name:Login}: avg<1", "275.00 ms"),
        ("http_req_duration{name:Login}: max<1", "500.00 ms"),
        (
            "http_req_duration{name:Login,method:GET}: avg<1",
            "200.00 ms",
        ),
        ("http_req_duration{region:eu}: min<1", "300.00 ms"),
        ("http_req_duration{region:eu,name:Cart}: avg<1", "400.00 ms"),
        ("http_req_duration{group:a::b}: avg<1", "500.00 ms"),
        ("http_req_duration_planned{name:Login}: avg<1", "1000.00 ms"),
        ("http_reqs{region:eu}: count<1", "3"),
        ("http_reqs{status:500}: count<1", "1"),
        ("http_reqs{status:200,name:Login}: count<1", "3"),
        ("data_sent{name:Cart}: count<1", "10 B"),
        ("failures{name:Login}: rate<1%", "25.00%"),
        ("failures{status:500}: rate<1%", "100.00%"),
        ("checks{check:fast}: rate<1%", "75.00%"),
        ("group_duration{group:a::b}: avg<1", "30.00 ms"),
    ];
    for (text, value) in cases {
        assert_eq!(
            judged(text, &results),
            (false, Some(value.into())),
            "{text}"
        );
    }
}

#[test]
fn nothing_measured_fails_but_counts_as_none() {
    let without = [
        "http_req_duration: p(95)<500ms",
        "http_req_duration{name:Logn}: avg>=0",
        "http_req_duration{region:e}: max<500ms",
        "http_req_duration_planned{name:Cart}: max<500ms",
        "failures{name:Logn}: rate<1",
        "failures{status:404}: rate<1",
        "checks{check:slow}: rate>=0",
        "group_duration{group:b}: avg<1",
        "baskt: avg<1",
        "depht: value<1",
        // There are some of that name, but of another kind.
        "depth: count==0",
        "depth: avg<1",
        "basket: rate<1",
        "basket: value<9",
        "orders: max<9",
    ];
    for text in without {
        let snapshots = match text {
            "http_req_duration: p(95)<500ms" => Snapshot::default(),
            _ => results(),
        };
        assert_eq!(judged(text, &snapshots), (false, None), "{text}");
    }
    let zero = [
        ("http_reqs: count==0", "0"),
        ("http_req_duration: count==0", "0"),
        ("iterations: rate<=0", "0.00/s"),
        ("failures: count==0", "0"),
        ("checks: count<1", "0"),
        ("ordrs: count==0", "0"),
        ("ordrs: rate<1", "0.00/s"),
        ("data_sent: rate<1", "0.00 B/s"),
    ];
    for (text, value) in zero {
        let verdict = judged(text, &Snapshot::default());
        assert_eq!(verdict, (true, Some(value.into())), "{text}");
    }
    assert!(!judged("http_reqs: count>0", &Snapshot::default()).0);
}

#[test]
fn what_was_too_much_to_be_kept_does_not_count_as_none() {
    let metrics = Metrics::new(Limits {
        max_names: 1,
        ..Limits::default()
    });
    for name in ["kept", "lost"] {
        metrics.record(&sample(name, "", 1));
        metrics.count(name, 1.0);
        metrics.check(name, true);
        metrics.group(name, ms(1));
    }
    let snapshot = metrics.snapshot();
    for text in [
        "http_reqs{name:NAME}: count",
        "data_sent{name:NAME}: rate",
        "failures{name:NAME}: count",
        "checks{check:NAME}: count",
        "group_duration{group:NAME}: count",
        "NAME: count",
    ] {
        let lost = text.replace("NAME", "lost") + "==0";
        assert_eq!(judged(&lost, &snapshot), (false, None), "{lost}");
        let kept = text.replace("NAME", "kept") + ">=0";
        assert!(judged(&kept, &snapshot).0, "{kept}");
    }
    assert!(judged("http_reqs: count==2", &snapshot).0);
}

#[test]
fn what_is_no_number_never_passes() {
    let metrics = Metrics::default();
    metrics.count("huge", f64::MAX);
    metrics.count("huge", f64::MAX);
    let snapshot = metrics.snapshot();
    for sign in ["<", "<=", ">", ">=", "==", "!="] {
        let threshold = threshold(&format!("huge: rate{sign}1"));
        let verdict = threshold.evaluate(&snapshot, Duration::from_millis(100));
        assert!(!verdict.passed, "{verdict:?}");
        assert!(verdict.value.unwrap().contains("inf"));
    }
    let rate = threshold("http_reqs: rate>=0").evaluate(&results(), Duration::ZERO);
    assert_eq!((rate.passed, rate.value), (false, None));
}

#[test]
fn a_bound_that_is_met_exactly_is_met() {
    let metrics = Metrics::default();
    metrics.record(&sample("/", "", 1100));
    let snapshot = metrics.snapshot();
    for (sign, passed) in [
        ("<", false),
        ("<=", true),
        (">", false),
        (">=", true),
        ("==", true),
        ("!=", false),
    ] {
        for bound in ["1.1s", "1100", "1s100ms", "1100000us"] {
            let text = format!("http_req_duration: max{sign}{bound}");
            assert_eq!(judged(&text, &snapshot).0, passed, "{text}");
        }
    }
}

#[test]
fn the_run_is_aborted_for_what_was_measured_only() {
    let aborts = |text: &str, snapshot: &Snapshot, seconds| {
        let elapsed = Duration::from_secs(seconds);
        threshold(text).evaluate(snapshot, elapsed).aborted
    };
    let (some, none) = (results(), Snapshot::default());
    assert!(aborts("failures: rate<0.1 abort", &some, 0));
    assert!(!aborts("failures: rate<0.1", &some, 90));
    assert!(!aborts("failures: rate<0.5 abort", &some, 90));
    assert!(!aborts("failures: rate<0.1 abort", &none, 90));
    assert!(!aborts("failures: rate<0.1 abort after 30s", &some, 29));
    assert!(aborts("failures: rate<0.1 abort after 30s", &some, 30));
}

#[test]
fn the_verdict_names_the_threshold() {
    let text = "http_req_duration{name:Login}: p(95)<1s abort";
    let verdict = threshold(text).evaluate(&results(), MINUTE);
    let expected = Verdict {
        expression: r#"http_req_duration{name="Login"}: p(95)<1s"#.into(),
        passed: true,
        value: Some("500.00 ms".into()),
        aborted: false,
    };
    assert_eq!(verdict, expected);
}
