//! What the engine counts is what the server has counted, to the request.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use aiotest_tests::{Engine, LoadTest, Results, Shop};
use serde_json::Value;
use shop_server::{Conduct, Config, Stats};

/// Names of aiotest 1.2, which its dashboards show.
const NAMES: [&str; 6] = [
    "aiotest_http_requests_total",
    "aiotest_http_request_duration_seconds",
    "aiotest_http_response_size_bytes",
    "aiotest_errors_total",
    "aiotest_worker_cpu_percent",
    "aiotest_worker_active_users",
];
/// Requests of each shopper.
const REQUESTS: u64 = 100;
/// How often the metrics are looked at.
const POLL: Duration = Duration::from_millis(20);
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests by route and by status.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    routes: BTreeMap<String, u64>,
    statuses: BTreeMap<u64, u64>,
}

impl Counts {
    fn add(&mut self, route: String, status: u64, count: u64) {
        *self.routes.entry(route).or_default() += count;
        *self.statuses.entry(status).or_default() += count;
    }

    fn total(&self) -> u64 {
        self.routes.values().sum()
    }

    fn of_shop(stats: Stats) -> Self {
        Self {
            routes: stats.by_route,
            statuses: stats
                .by_status
                .into_iter()
                .map(|(status, count)| (status.into(), count))
                .collect(),
        }
    }

    fn of_report(results: &Results) -> Self {
        let mut counts = Self::default();
        for request in list(&results.report["requests"]) {
            let route = route(text(&request["method"]), text(&request["name"]));
            for status in list(&request["statuses"]) {
                let count = number(&status["passed"]) + number(&status["failed"]);
                counts.add(route.clone(), number(&status["status"]), count);
            }
        }
        counts
    }

    fn of_metrics(exposition: &str) -> Self {
        const SERIES: &str = "aiotest_http_requests_total{";
        let mut counts = Self::default();
        for line in exposition.lines().filter(|line| line.starts_with(SERIES)) {
            let route = route(label(line, "method"), label(line, "endpoint"));
            let (_, count) = line.rsplit_once(' ').expect("a series has a value");
            counts.add(route, parse(label(line, "status_code")), parse(count));
        }
        counts
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("it is a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("it is a whole number")
}

fn parse(text: &str) -> u64 {
    text.parse().expect("it is a whole number")
}

/// The value of a label of a series.
fn label<'a>(series: &'a str, name: &str) -> &'a str {
    let value = series
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    value.expect("the series has the label").0
}

/// As the shop tells routes apart.
fn route(method: &str, name: &str) -> String {
    if name == "(other)" {
        name.to_owned()
    } else {
        format!("{method} {name}")
    }
}

/// The address in the engine's line about its metrics.
fn endpoint(test: &mut LoadTest) -> String {
    let line = test.wait_for_line("metrics at http://");
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    address.expect("the line names an address").to_owned()
}

/// The answer to `GET /metrics`.
fn scrape(address: &str) -> String {
    const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: engine\r\nconnection: close\r\n\r\n";
    let get = || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(REQUEST)?;
        io::read_to_string(stream)
    };
    let answer = get().expect("the metrics can be read");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// The first value that satisfies `wanted`, or the last one seen.
fn poll<T>(mut look: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if wanted(&seen) || Instant::now() > deadline {
            return seen;
        }
        thread::sleep(POLL);
    }
}

/// Runs shoppers until they have made all their requests, compares the shop's counts with
/// the metrics', stops the run, and compares them with the report's.
fn assert_equal_counts(guest: &str, engine: &Engine, shop: &Shop, args: &str) -> Results {
    let users = 5;
    let line = format!(
        "Shopper -u {users} --prometheus 127.0.0.1:0 {args} -H {}",
        shop.url()
    );
    let mut test = LoadTest::start(engine, guest, &line);
    let address = endpoint(&mut test);

    let exposition = poll(
        || scrape(&address),
        |text| Counts::of_metrics(text).total() == users * REQUESTS,
    );
    let truth = Counts::of_shop(shop.stats());
    assert_eq!(truth.total(), users * REQUESTS);
    assert_eq!(Counts::of_metrics(&exposition), truth);

    test.interrupt();
    let results = test.finish();
    assert_eq!(results.code(), 130);
    assert_eq!(Counts::of_report(&results), truth);
    assert_eq!(results.number("/total/requests"), truth.total() as f64);
    let failed: u64 = truth.statuses.range(400..).map(|(_, count)| count).sum();
    assert_eq!(results.number("/total/failures"), failed as f64);
    for name in NAMES {
        assert!(
            exposition.contains(&format!("# TYPE {name} ")),
            "{name} is missing: {exposition}"
        );
    }
    results
}

/// A shop that fails one request in five.
fn failing(tls: bool) -> Shop {
    let conduct = Conduct {
        failure_rate: 0.2,
        ..Conduct::default()
    };
    Shop::start(Config {
        tls,
        conduct,
        ..Config::default()
    })
}

#[test]
fn counts_over_http1_are_equal() {
    for guest in ["guest-probe", "guest-probe-concurrent"] {
        let shop = failing(false);
        let results = assert_equal_counts(guest, &Engine::new(), &shop, "");
        assert!(results.report["counters"].get("over HTTP/2").is_none());
        // Each user keeps one connection.
        assert_eq!(shop.stats().connections, 5);
    }
}

#[test]
fn counts_over_http2_with_tls_are_equal() {
    let shop = failing(true);
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("shop.pem");
    fs::write(&certificate, shop.certificate().unwrap()).unwrap();
    let engine = Engine::new().env("SSL_CERT_FILE", &certificate);
    let results = assert_equal_counts("guest-probe", &engine, &shop, "");
    assert_eq!(results.number("/counters/over HTTP~12"), 100.0);
}

#[test]
fn counts_over_http2_without_tls_are_equal() {
    let shop = failing(false);
    let results = assert_equal_counts(
        "guest-probe",
        &Engine::new(),
        &shop,
        "--http2-prior-knowledge",
    );
    assert_eq!(results.number("/counters/over HTTP~12"), 100.0);
}

#[test]
fn counts_of_a_run_cut_short_are_equal() {
    for args in ["", "--http2-prior-knowledge"] {
        let shop = failing(false);
        let line = format!("Rush -u 8 -q {args} -H {}", shop.url());
        let test = LoadTest::start(&Engine::new(), "guest-probe", &line);
        poll(|| shop.stats().requests, |requests| *requests > 500);
        test.interrupt();
        let results = test.finish();
        assert_eq!(results.code(), 130);
        assert_eq!(Counts::of_report(&results), Counts::of_shop(shop.stats()));
        assert!(results.entries("errors", "kind", "interrupted").is_empty());
    }
}

#[test]
fn requests_that_are_cut_off_are_counted() {
    for args in ["", "--http2-prior-knowledge"] {
        let users = 8;
        let shop = failing(false);
        let line = format!("Slow -u {users} {args} -H {}", shop.url());
        let mut test = LoadTest::start(&Engine::new(), "guest-probe", &line);
        poll(|| shop.stats().requests, |requests| *requests == users);
        test.interrupt();
        test.wait_for_line("once more ends everything now");
        test.interrupt();
        let results = test.finish();
        assert_eq!(results.code(), 130);
        assert_eq!(shop.stats().requests, users);
        assert_eq!(results.number("/total/requests"), users as f64);
        let error = results.entry("errors", "kind", "interrupted");
        assert_eq!(
            (&error["count"], &error["status"]),
            (&users.into(), &0.into())
        );
    }
}
