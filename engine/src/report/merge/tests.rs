//! Merged reports beside reports of what was measured together.

use super::*;
use crate::metrics::{Limits, Metrics};
use crate::report::{Detail, Distribution, TimelineColumns};
use crate::sample::{Failure, Sample, Sink, Timings};
use crate::timeline::{Process, Timeline};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn request(metrics: &Metrics, name: &str, took: Duration, failed: bool) {
    metrics.record(&Sample {
        method: "GET",
        name,
        tags: "",
        status: if failed { 500 } else { 200 },
        failure: failed.then_some(Failure {
            kind: "status",
            message: "500",
        }),
        timings: Timings {
            total: took,
            first_byte: took,
            ..Timings::default()
        },
        sent: 1,
        received: 10,
        late: None,
    });
}

fn users(running: u64) -> users::Users {
    users::Users {
        target: running,
        classes: vec![users::ClassUsers {
            class: "Buyer".into(),
            running,
            ..users::ClassUsers::default()
        }],
        peak: running,
        started: running,
        ..users::Users::default()
    }
}

/// A run of ten seconds on a machine, `second` seconds after noon.
fn report(machine: &str, second: u32, metrics: &Metrics, timeline: TimelineColumns) -> Report {
    let mut report = Report::new(Parts {
        run: Run {
            component: "shop.wasm".into(),
            started: format!("2030-01-31T12:00:{second:02}.000Z"),
            state: "stopped".into(),
            duration_seconds: 10.0,
            end_reason: "the time was up".into(),
            ..Run::default()
        },
        environment: Environment {
            machine: machine.into(),
            cores: 4,
            ..Environment::default()
        },
        thresholds: Vec::new(),
        users: users(5),
        users_ended: 1,
        snapshot: &metrics.snapshot(),
        engine: EngineState::default(),
        timeline,
        log: Vec::new(),
        histograms: true,
    });
    report.engine.version = "1.2.3".into();
    report
}

fn plain(metrics: &Metrics) -> Report {
    report("a", 0, metrics, TimelineColumns::default())
}

/// Intervals of `step` seconds, in each of which there is one request of one of these times.
fn timeline(step: u32, times: &[Duration], live: u64) -> (Metrics, TimelineColumns) {
    let (metrics, mut timeline) = (Metrics::default(), Timeline::default());
    for (n, took) in (1..).zip(times) {
        request(&metrics, "/", *took, false);
        let process = Process {
            cpu_percent: 50.0,
            memory: 1000,
        };
        let at = Duration::from_secs(1) * step * n;
        timeline.push(at, &metrics.snapshot(), &users(live), process);
    }
    let (intervals, names) = (timeline.intervals(), timeline.names());
    let columns = TimelineColumns::new(intervals, names, Detail::Everything);
    (metrics, columns)
}

fn times(distribution: &Distribution) -> crate::metrics::Durations {
    distribution.to_durations().unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn merging_is_measuring_together(
        samples in prop::collection::vec((0..3usize, 0..3usize, 1..90_000_000u64, any::<bool>()), 0..200)
    ) {
        let machines = [(); 3].map(|()| Metrics::default());
        let together = Metrics::default();
        for (machine, name, micros, failed) in samples {
            for metrics in [&machines[machine], &together] {
                let took = Duration::from_micros(micros);
                request(metrics, &format!("/{name}"), took, failed);
                metrics.check("fine", !failed);
                metrics.trend("size", micros as f64);
                metrics.count("orders", 2.0);
                metrics.work(1, Some(took));
            }
        }
        let merged = Report::merge(machines.iter().map(plain).collect()).unwrap();
        let whole = plain(&together);
        prop_assert_eq!(times(&merged.total.time_ms), times(&whole.total.time_ms));
        prop_assert_eq!(merged.requests.len(), whole.requests.len());
        for (ours, theirs) in merged.requests.iter().zip(&whole.requests) {
            prop_assert_eq!((&ours.name, &ours.requests.statuses), (&theirs.name, &theirs.requests.statuses));
            prop_assert_eq!(ours.requests.time_ms.p99, theirs.requests.time_ms.p99);
            prop_assert_eq!(times(&ours.requests.time_ms), times(&theirs.requests.time_ms));
        }
        prop_assert_eq!(&merged.errors, &whole.errors);
        prop_assert_eq!(&merged.checks, &whole.checks);
        prop_assert_eq!(&merged.counters, &whole.counters);
        let (ours, theirs) = (&merged.iterations, &whole.iterations);
        prop_assert_eq!((ours.count, ours.per_second), (theirs.count, theirs.per_second));
        prop_assert_eq!(times(&ours.time_ms), times(&theirs.time_ms));
        for (name, took) in &merged.phases_ms {
            prop_assert_eq!(times(took), times(&whole.phases_ms[name]));
        }
        for (name, values) in &merged.trends {
            let whole = &whole.trends[name];
            prop_assert_eq!((values.count, values.p95), (whole.count, whole.p95));
            prop_assert_eq!(values.to_values().unwrap(), whole.to_values().unwrap());
        }
    }
}

#[test]
fn thresholds_are_judged_over_all() {
    let (fast, slow) = (Metrics::default(), Metrics::default());
    for n in 0..100 {
        request(&fast, "/", MS, false);
        if n < 2 {
            request(&slow, "/", 900 * MS, false);
        }
    }
    let threshold = |expression: &str, passed, ended_run| Threshold {
        expression: expression.into(),
        passed,
        value: Some("wrong".into()),
        ended_run,
    };
    let times = "http_req_duration: p(95)<500ms";
    let rate = "http_reqs: rate>=10";
    let mut fast = plain(&fast);
    fast.thresholds = vec![threshold(times, true, false), threshold(rate, true, false)];
    let mut slow = plain(&slow);
    slow.thresholds = vec![threshold(times, false, true)];
    slow.run.exit_code = CROSSED;
    let merged = Report::merge(vec![fast.clone(), slow.clone()]).unwrap();
    let [times, rate] = &merged.thresholds[..] else {
        panic!("{:?}", merged.thresholds);
    };
    assert!(times.passed && times.ended_run, "{times:?}");
    assert_eq!(times.value.as_deref(), Some("1.00 ms"));
    assert_eq!(
        (rate.passed, rate.value.as_deref()),
        (true, Some("10.20/s"))
    );
    assert_eq!(merged.run.exit_code, 0);

    slow.thresholds
        .push(threshold("http_reqs: count<50", true, false));
    let merged = Report::merge(vec![fast.clone(), slow.clone()]).unwrap();
    assert!(!merged.thresholds[2].passed);
    assert_eq!(merged.run.exit_code, CROSSED);

    slow.thresholds.push(threshold("soon", true, false));
    let error = Report::merge(vec![fast, slow]).unwrap_err().to_string();
    assert!(error.starts_with("report 2: threshold 'soon': "), "{error}");
}

#[test]
fn what_is_the_same_stays_and_what_differs_is_listed() {
    let words = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string()));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let metrics = Metrics::new(Limits::default());
    metrics.gauge("queue", 1.0);
    let mut a = report("a", 20, &metrics, TimelineColumns::default());
    metrics.gauge("queue", 2.0);
    let mut b = report("b", 10, &metrics, TimelineColumns::default());
    a.run.labels = words(&[("stage", "test"), ("zone", "1")]);
    b.run.labels = words(&[("stage", "test"), ("zone", "2")]);
    (a.run.paused_seconds, b.run.paused_seconds) = (3.0, 4.0);
    a.run.host = Some("http://shop".into());
    (a.run.planned_seconds, b.run.planned_seconds) = (Some(10.0), Some(20.0));
    b.run.end_reason = "interrupted".into();
    b.run.exit_code = 130;
    b.engine.saturated = true;
    let line = |at_seconds, text: &str| LogLine {
        at_seconds,
        text: text.into(),
        ..LogLine::default()
    };
    a.log = vec![line(1.0, "third"), line(2.0, "fourth")];
    b.log = vec![line(0.5, "first"), line(5.0, "second")];

    let merged = Report::merge(vec![a, b]).unwrap();
    let run = &merged.run;
    assert_eq!(run.started, "2030-01-31T12:00:10.000Z");
    // From 10 until 20 + 10 + 3, less 3 of a pause.
    assert_eq!((run.duration_seconds, run.paused_seconds), (20.0, 3.0));
    assert_eq!(run.planned_seconds, Some(20.0));
    assert_eq!(run.component, "shop.wasm");
    assert_eq!(run.host, None);
    assert_eq!(run.labels, words(&[("stage", "test")]));
    assert_eq!(run.end_reason, "the time was up; interrupted");
    assert_eq!(run.exit_code, 130);
    assert_eq!(merged.environment.machine, "a, b");
    assert_eq!(merged.environment.cores, 8);
    assert_eq!(merged.engine.version, "1.2.3");
    assert!(merged.engine.saturated);
    assert_eq!(
        (merged.users.peak, merged.users.ended_by_stop_timeout),
        (10, 2)
    );
    assert_eq!(merged.users.classes["Buyer"].running, 10);
    // That of the run which ended last.
    assert_eq!(merged.gauges["queue"], 1.0);
    let log = merged
        .log
        .iter()
        .map(|line| (line.at_seconds, line.text.as_str()));
    let in_order = [
        (0.5, "first"),
        (5.0, "second"),
        (11.0, "third"),
        (12.0, "fourth"),
    ];
    assert_eq!(log.collect::<Vec<_>>(), in_order);
}

#[test]
fn timelines_stand_beside_each_other_by_the_clock() {
    let (metrics, columns) = timeline(1, &[MS, MS, MS, 9 * MS], 5);
    let a = report("a", 10, &metrics, columns);
    let (metrics, columns) = timeline(1, &[20 * MS, 30 * MS], 7);
    let b = report("b", 13, &metrics, columns);
    let merged = Report::merge(vec![a, b]).unwrap().timeline;
    assert_eq!(merged.start_seconds, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(merged.span_seconds, [1.0; 5]);
    assert_eq!(merged.requests, [1, 1, 1, 2, 1]);
    assert_eq!(merged.statuses["2xx"], [1, 1, 1, 2, 1]);
    assert_eq!(merged.bytes_received, [10, 10, 10, 20, 10]);
    assert_eq!(merged.users, [5, 5, 5, 12, 7]);
    assert_eq!(merged.engine.cpu_percent, [50.0, 50.0, 50.0, 100.0, 50.0]);
    assert_eq!(merged.time_ms.max, [1.0, 1.0, 1.0, 20.0, 30.0]);
    assert_eq!(merged.time_ms.avg[3], 14.5);
    assert_eq!(merged.heat[3].iter().skip(1).sum::<u64>(), 2);
    assert!(merged.names.is_empty());
    let fourth = merged.durations(3).unwrap().unwrap();
    assert_eq!((fourth.count(), fourth.max()), (2, 20 * MS));
}

#[test]
fn the_coarsest_step_is_that_of_all() {
    let (metrics, columns) = timeline(1, &[MS; 4], 5);
    let a = report("a", 0, &metrics, columns);
    let (metrics, columns) = timeline(2, &[MS; 3], 7);
    let b = report("b", 0, &metrics, columns);
    let merged = Report::merge(vec![a, b]).unwrap().timeline;
    assert_eq!(merged.start_seconds, [0.0, 2.0, 4.0]);
    assert_eq!(merged.requests, [3, 3, 1]);
    assert_eq!(merged.users, [12, 12, 7]);
}

#[test]
fn runs_that_lie_far_apart_stay_small() {
    let (metrics, columns) = timeline(1, &[MS; 4], 5);
    let a = report("a", 0, &metrics, columns);
    let mut b = a.clone();
    b.run.started = "2031-01-31T12:00:00.000Z".into();
    let merged = Report::merge(vec![a, b]).unwrap();
    let steps = merged.timeline.requests.len();
    assert!((500..=1002).contains(&steps), "{steps}");
    assert_eq!(merged.timeline.requests.iter().sum::<u64>(), 8);
    assert_eq!(merged.run.duration_seconds, 365.0 * 86400.0 + 10.0);
}

#[test]
fn a_single_timeline_keeps_its_names() {
    let (metrics, columns) = timeline(1, &[MS; 4], 5);
    let a = report("a", 0, &metrics, columns.clone());
    let b = plain(&Metrics::default());
    assert_eq!(Report::merge(vec![a, b]).unwrap().timeline, columns);
}

#[test]
fn what_cannot_be_merged_is_told_with_its_number() {
    let metrics = Metrics::default();
    request(&metrics, "/", MS, false);
    let whole = plain(&metrics);
    assert_eq!(Report::merge(Vec::new()), Err(MergeError::Nothing));

    let mut alone = whole.clone();
    alone.run.started = "yesterday".into();
    assert_eq!(Report::merge(vec![alone.clone()]).as_ref(), Ok(&alone));
    let error = Report::merge(vec![whole.clone(), alone]).unwrap_err();
    assert_eq!(error, MergeError::Started(2, "yesterday".into()));

    let mut live = whole.clone();
    live.total.time_ms.histogram = None;
    let error = Report::merge(vec![live, whole]).unwrap_err().to_string();
    assert!(
        error.starts_with("report 1: time_ms has no histogram: "),
        "{error}"
    );
}
