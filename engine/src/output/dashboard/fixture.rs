//! Runs to look at: made up, but like real ones.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

use super::log::Log;
use super::model::Model;
use crate::report::{
    ClassUsers, Distribution, Engine, EngineColumns, Environment, Iterations, LogLine,
    NamedRequests, Recent, Report, RequestError, Requests, Run, SCHEMA, SandboxEvent, Status,
    TaskError, Threshold, TimeColumns, TimelineColumns, Users,
};

const NAMES: [(&str, &str, f64); 8] = [
    ("GET", "/", 0.22),
    ("GET", "/search", 0.24),
    ("GET", "/product/{id}", 0.31),
    ("POST", "/login", 0.05),
    ("POST", "/cart", 0.09),
    ("DELETE", "/cart/{item}", 0.02),
    ("POST", "/checkout", 0.04),
    ("GET", "Bestellübersicht 購入手続き", 0.03),
];

/// A report of nothing at all.
pub(super) fn nothing() -> Report {
    Report {
        schema: SCHEMA,
        run: Run {
            component: "target/scenarios/shop.wasm".to_owned(),
            host: Some("http://127.0.0.1:8080".to_owned()),
            state: "starting".to_owned(),
            planned_seconds: Some(300.0),
            ..Run::default()
        },
        environment: Environment::default(),
        thresholds: Vec::new(),
        users: Users::default(),
        total: Requests::default(),
        requests: Vec::new(),
        phases_ms: BTreeMap::new(),
        errors: Vec::new(),
        iterations: Iterations::default(),
        groups: BTreeMap::new(),
        tasks: 0,
        task_errors: Vec::new(),
        sandbox_events: Vec::new(),
        sandbox_restarts: BTreeMap::new(),
        checks: BTreeMap::new(),
        counters: BTreeMap::new(),
        gauges: BTreeMap::new(),
        trends: BTreeMap::new(),
        engine: Engine::default(),
        timeline: TimelineColumns::default(),
        log: Vec::new(),
    }
}

/// A run of a shop, second by second up to `seconds`; or one in trouble.
pub(super) fn shop(seconds: u32, trouble: bool) -> Model {
    let mut model = Model::new(Arc::new(nothing()));
    let mut report = nothing();
    for second in 1..=seconds {
        advance(&mut report, second, trouble);
        model.update(Arc::new(report.clone()));
    }
    model.wrote(log(trouble));
    // After the time for which it is shown at the bottom.
    for _ in 0..10 {
        model.update(Arc::new(report.clone()));
    }
    model
}

/// The same with so many names.
pub(super) fn many_names(names: usize) -> Model {
    let mut report = nothing();
    advance(&mut report, 1, false);
    let row = report.requests[0].clone();
    report.requests = (0..names)
        .map(|number| NamedRequests {
            name: format!("/article/{number:04}/with/a/name/that/goes/on/and/on/for/long"),
            requests: Requests {
                requests: 10_000 - number as u64,
                ..row.requests.clone()
            },
            ..row.clone()
        })
        .collect();
    Model::new(Arc::new(report))
}

pub(super) fn advance(report: &mut Report, second: u32, trouble: bool) {
    let now = f64::from(second);
    let target = (second * 10).min(500);
    let users = u64::from(target.saturating_sub(6 * u32::from(second < 50)));
    let wave = 1.0 + 0.12 * (now * PI / 23.0).sin() + 0.04 * (now * 2.1).sin();
    let rate = users as f64 * 4.1 * wave;
    let failing = if trouble && second > 30 {
        0.06 * wave * wave
    } else {
        0.0
    };
    let slow = if trouble && second > 30 { 9.0 } else { 1.0 };
    let p50 = slow * (2.4 + 0.5 * (now * PI / 31.0).sin());
    let p95 = p50 * (3.2 + 0.6 * (now * 0.7).sin());
    let p99 = p95 * (2.1 + 0.9 * (now * 1.3).sin());
    report.run.state = "running".to_owned();
    report.run.duration_seconds = now;
    report.users = Users {
        target: target.into(),
        peak: users,
        started: users,
        classes: BTreeMap::from([(
            "Buyer".to_owned(),
            ClassUsers {
                running: users,
                ..ClassUsers::default()
            },
        )]),
        ..Users::default()
    };
    if report.requests.is_empty() {
        report.requests = NAMES
            .into_iter()
            .map(|(method, name, _)| NamedRequests {
                method: method.to_owned(),
                name: name.to_owned(),
                ..NamedRequests::default()
            })
            .collect();
        report.requests[6].tags = BTreeMap::from([("group".to_owned(), "pay".to_owned())]);
    }
    for (row, (_, name, share)) in report.requests.iter_mut().zip(NAMES) {
        let failing = if name == "/checkout" {
            failing * 4.0
        } else {
            failing
        };
        add(&mut row.requests, rate * share, failing, now);
        row.requests.time_ms = times(p50 * (0.5 + 4.0 * (0.4 - share)), 3.1, 2.2);
    }
    let failed = report.total.failures;
    add(&mut report.total, rate, failing, now);
    report.total.time_ms = times(p50, p95 / p50, p99 / p95);
    let failed = report.total.failures - failed;
    report.timeline = TimelineColumns {
        start_seconds: vec![now - 1.0],
        span_seconds: vec![1.0],
        users: vec![users],
        target: vec![target.into()],
        requests: vec![rate as u64],
        failures: vec![failed],
        time_ms: TimeColumns {
            p50: vec![p50],
            p95: vec![p95],
            p99: vec![p99],
            ..TimeColumns::default()
        },
        engine: EngineColumns {
            cpu_percent: vec![rate / 16.0],
            memory_bytes: vec![94_000_000],
            lag_ms: vec![0.3 * wave * slow],
        },
        ..TimelineColumns::default()
    };
    report.engine = Engine {
        cpu_percent: rate / 16.0,
        memory_bytes: 94_000_000 + 10_000 * u64::from(second),
        sandboxes: users,
        saturated: trouble,
        ..Engine::default()
    };
    report.thresholds = vec![
        threshold("http_req_duration: p(95)<500ms", true, "7.78 ms"),
        threshold("checks: rate>99%", true, "100%"),
    ];
    if trouble && failed > 0 {
        report
            .thresholds
            .push(threshold("failures: rate<1%", false, "4.84%"));
        report.iterations.dropped += 7;
        in_trouble(report);
    }
}

fn add(requests: &mut Requests, rate: f64, failing: f64, now: f64) {
    let (many, failed) = (rate as u64, (rate * failing) as u64);
    requests.requests += many;
    requests.failures += failed;
    requests.failure_share = requests.failures as f64 / requests.requests.max(1) as f64;
    requests.requests_per_second = requests.requests as f64 / now;
    requests.bytes_received += many * 2100;
    requests.bytes_sent += many * 90;
    let status = |status, passed, failed| Status {
        status,
        passed,
        failed,
    };
    requests.statuses = vec![status(200, requests.requests - requests.failures, 0)];
    if requests.failures > 0 {
        requests.statuses.push(status(503, 0, requests.failures));
    }
    requests.recent = Some(Recent {
        per_second: rate,
        failures_per_second: failed as f64,
    });
}

fn times(p50: f64, to_p95: f64, to_p99: f64) -> Distribution {
    let p95 = p50 * to_p95;
    let p99 = p95 * to_p99;
    Distribution {
        avg: p50 * 1.4,
        min: p50 * 0.3,
        p50,
        p90: p95 * 0.8,
        p95,
        p99,
        p99_9: p99 * 1.7,
        max: p99 * 2.4,
        ..Distribution::default()
    }
}

fn threshold(expression: &str, passed: bool, value: &str) -> Threshold {
    Threshold {
        expression: expression.to_owned(),
        passed,
        value: Some(value.to_owned()),
        ended_run: false,
    }
}

fn in_trouble(report: &mut Report) {
    let failures = report.total.failures;
    let error = |count, method: &str, name: &str, status, kind: &str, message: &str| RequestError {
        count,
        method: method.to_owned(),
        name: name.to_owned(),
        status,
        kind: kind.to_owned(),
        message: message.to_owned(),
    };
    report.errors = vec![
        error(
            failures * 3 / 4,
            "POST",
            "/checkout",
            503,
            "status",
            "503 Service Unavailable",
        ),
        error(
            failures / 5,
            "GET",
            "/product/{id}",
            0,
            "connect-refused",
            "connection to 127.0.0.1:8080 refused: os error 111",
        ),
        error(
            failures / 20,
            "GET",
            "/search",
            200,
            "mark",
            "expected at least one result for 'tea', and found none in a page of 18,204 bytes \
             that says \x1b[2J\x1b[31m'nothing found' to everybody who asks for something hot",
        ),
    ];
    report.task_errors = vec![TaskError {
        count: failures / 30,
        class: "Buyer".to_owned(),
        task: "checkout".to_owned(),
        message: "the cart is empty".to_owned(),
    }];
    report.sandbox_events = vec![SandboxEvent {
        count: 1,
        class: "Buyer".to_owned(),
        kind: "trap".to_owned(),
        message: "wasm trap: wasm `unreachable` instruction executed".to_owned(),
    }];
}

fn log(trouble: bool) -> Log {
    let mut lines = vec![
        (0.0, "info", "", "metrics at http://127.0.0.1:8089/metrics"),
        (0.2, "info", "Buyer", "catalogue of 1,204 products is ready"),
        (12.9, "warning", "Buyer", "search for '' gave everything"),
    ];
    if trouble {
        lines.push((
            31.2,
            "error",
            "Buyer",
            "checkout failed: 503 Service Unavailable",
        ));
        lines.push((
            33.0,
            "info",
            "Buyer",
            "a line that \x1b]0;steers\x07 the terminal, or would",
        ));
    }
    let mut log = Log::default();
    for (at_seconds, level, class, text) in lines {
        log.push(LogLine {
            at_seconds,
            level: level.to_owned(),
            class: class.to_owned(),
            text: text.to_owned(),
        });
    }
    log
}
