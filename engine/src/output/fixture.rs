//! A fixed run for the tests of all outputs, and the comparison with their goldens.

use crate::metrics::users::{ClassUsers, Users};
use crate::metrics::{Limits, Metrics, Snapshot};
use crate::report::{
    self, Detail, EngineState, Environment, LogLine, Parts, Report, TimelineColumns,
};
use crate::sample::{Failure, Sample, Sink, Timings};
use crate::threshold::Verdict;
use crate::timeline::{Process, Timeline};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What a run has measured, and what is known beside.
pub(super) struct Measured {
    pub(super) duration: Duration,
    pub(super) thresholds: Vec<Verdict>,
    pub(super) users: Users,
    pub(super) snapshot: Snapshot,
}

pub(super) fn run() -> Measured {
    Measured {
        duration: Duration::from_secs(30),
        thresholds: thresholds(),
        users: Users {
            target: 50,
            classes: vec![
                ClassUsers {
                    class: "Buyer".into(),
                    running: 30,
                    restarting: 1,
                    ..ClassUsers::default()
                },
                ClassUsers {
                    class: "Guest".into(),
                    starting: 2,
                    running: 15,
                    stopping: 2,
                    restarting: 0,
                },
            ],
            peak: 50,
            sandboxes: 50,
            started: 61,
            stopped: 11,
        },
        snapshot: metrics().snapshot(),
    }
}

/// The document of the same run, as it is when the run is over.
pub(super) fn report() -> Report {
    report_of(&run())
}

/// The document of a run that measured this.
pub(super) fn report_of(measured: &Measured) -> Report {
    let words = |pairs: &[(&str, &str)]| {
        let owned = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        owned.collect::<BTreeMap<String, String>>()
    };
    Report::new(Parts {
        run: report::Run {
            component: "shop.wasm".into(),
            host: Some("http://127.0.0.1:8080".into()),
            labels: words(&[("build", "1234"), ("stage", "<b>test</b>")]),
            started: "2025-06-15T15:06:40.000Z".into(),
            state: "stopped".into(),
            duration_seconds: measured.duration.as_secs_f64(),
            paused_seconds: 12.5,
            planned_seconds: Some(60.0),
            end_reason: "the time was up".into(),
            exit_code: 1,
        },
        environment: Environment {
            engine: "1.2.3".into(),
            command: "aiotest-engine run shop.wasm --users 50".into(),
            component_sha256: "ab".repeat(32),
            component_bytes: 123_456,
            system: "Linux 6.12 x86_64".into(),
            machine: "build-7".into(),
            cores: 4,
            memory_bytes: 1 << 34,
            limits: words(&[("sandbox memory", "64 MiB"), ("stop timeout", "30s")]),
        },
        thresholds: measured.thresholds.iter().map(Into::into).collect(),
        users: measured.users.clone(),
        users_ended: 2,
        snapshot: &measured.snapshot,
        engine: EngineState {
            saturated: true,
            cpu_percent: 187.5,
            memory_bytes: 1 << 28,
            sandboxes: 50,
        },
        timeline: timeline(measured),
        log: log(),
        histograms: true,
    })
}

/// Nothing, everything, nothing.
fn timeline(measured: &Measured) -> TimelineColumns {
    let mut timeline = Timeline::default();
    let looks = [
        Snapshot::default(),
        measured.snapshot.clone(),
        measured.snapshot.clone(),
    ];
    for (n, snapshot) in (1..).zip(&looks) {
        let process = Process {
            cpu_percent: f64::from(n) * 50.0,
            memory: 1 << 28,
        };
        let at = measured.duration * n / 3;
        timeline.push(at, snapshot, &measured.users, process);
    }
    TimelineColumns::new(timeline.intervals(), timeline.names(), Detail::Everything)
}

fn log() -> Vec<LogLine> {
    let line = |at_seconds, level: &str, class: &str, text: &str| LogLine {
        at_seconds,
        level: level.into(),
        class: class.into(),
        text: text.into(),
    };
    vec![
        line(0.25, "info", "Buyer", "bought \x1b[31m3 things\x1b[0m"),
        line(12.0, "warning", "", "1 sandbox was replaced"),
    ]
}

/// Each outcome there is, one of them with a text that is hard to print.
fn thresholds() -> Vec<Verdict> {
    let verdict = |expression: &str, value: Option<&str>, passed, aborted| Verdict {
        expression: expression.into(),
        passed,
        value: value.map(str::to_owned),
        aborted,
    };
    vec![
        verdict(
            "http_req_duration: p(95)<500ms",
            Some("123.40 ms"),
            true,
            false,
        ),
        verdict("failures: rate<0.005", Some("0.79%"), false, true),
        verdict(
            "http_req_duration{name=\"/suchen?q=\"käse\"\x1b[31m\",region=\"eu\"}: p(99.9)<=1.5s",
            None,
            false,
            false,
        ),
    ]
}

/// Everything that can be counted, with texts that are hard to print.
fn metrics() -> Metrics {
    let metrics = Metrics::new(Limits {
        max_names: 6,
        max_errors: 3,
    });
    let us = Duration::from_micros;
    let request = |method, name, micros, status, failure| Sample {
        method,
        name,
        tags: "",
        status,
        failure,
        timings: Timings {
            send: us(10),
            first_byte: us(micros - 30),
            body: us(20),
            total: us(micros),
            ..Timings::default()
        },
        sent: 64,
        received: micros * 3,
        late: None,
    };
    for n in 1..=1000 {
        metrics.record(&request("GET", "/", n * 100, 200, None));
        metrics.record(&request("POST", "/cart", 400 + n, 201, None));
        metrics.check("cart is not empty", n % 10 != 0);
        metrics.trend("items in cart", n as f64 / 10.0);
        metrics.work(1, None);
    }
    let mut first = request("GET", "/suchen?q=\"käse\"\n\x1b[31m", 1_204_000, 200, None);
    first.timings.dns = us(2500);
    first.timings.connect = us(412);
    first.timings.tls = us(12_300);
    metrics.record(&first);
    let because = |kind, message| Some(Failure { kind, message });
    for _ in 0..12 {
        metrics.record(&request(
            "GET",
            "/",
            900,
            503,
            because("status", "503 Service Unavailable"),
        ));
    }
    metrics.record(&request(
        "GET",
        "/",
        900,
        200,
        because("mark", "no \"price\" in C:\\shop\nat all"),
    ));
    metrics.record(&Sample {
        received: 0,
        timings: Timings {
            total: Duration::from_secs(30),
            ..Timings::default()
        },
        ..request(
            "GET",
            "/cart",
            100,
            0,
            because("timeout", "no answer within 30 s"),
        )
    });
    for (n, tags) in [(1, "region=eu"), (2, "group=checkout::pay,region=us")] {
        metrics.record(&Sample {
            tags,
            late: Some(us(n * 250_000)),
            ..request("POST", "/orders", 1500, 201, None)
        });
        metrics.late(us(n * 250_000));
    }
    metrics.dropped_iterations(3);
    metrics.interrupted_iteration();
    for n in 1..=500 {
        metrics.work(0, Some(us(n * 2000)));
        metrics.group("checkout", us(n * 1000));
    }
    metrics.group("checkout::pay\r\x1b[2J", us(1234));
    metrics.events_dropped(42);
    for name in ["/item/1", "/item/2"] {
        metrics.record(&request(
            "GET",
            name,
            700,
            404,
            because("status", "404 Not Found"),
        ));
    }
    metrics.count("orders", 1234.0);
    metrics.count("orders", f64::NAN);
    metrics.gauge("queue depth", -3.5);
    metrics.task_error("Buyer", "pay", "card\tdeclined");
    metrics.sandbox_event(
        "Buyer",
        "trap",
        "the wasm `unreachable` instruction was executed in shop::checkout::pay, called from \
         shop::Buyer::run_task, called from the engine",
    );
    metrics.restart("Buyer");
    metrics.log_dropped(1500);
    for late in [120, 250, 8000] {
        metrics.lag(us(late));
    }
    metrics
}

/// Compares with a file beside the sources; `UPDATE_GOLDENS=1` writes it instead.
pub(super) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/output/goldens")
        .join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == golden, "differs from {}:\n{text}", path.display());
}
