//! The dashboard against a real Prometheus that scraped a real run: every query is one, has
//! data, and the numbers are those of the run.

#![expect(
    clippy::unwrap_used,
    reason = "a run whose results are not as expected fails the test"
)]

mod dashboard;
mod shape;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use aiotest_tests::{Control, LoadTest, Prometheus, Results, Shop, prometheus::Series, scripts};
use serde_json::Value;
use shop_server::{Conduct, Config};

use dashboard::{Dashboard, deployed, fill, read};

/// Queries that show no more than zero in this run: it has no observer that could be too
/// slow, room for all of its few names, and no file of samples.
const NOTHING_TO_SHOW: [&str; 3] = ["Left out B", "Left out C", "Left out D"];

/// The stretch of time of rates, which is longer in Grafana, too, the more is shown: on a busy
/// machine a scrape may fail.
const RATE_INTERVAL: &str = "15s";

/// A shop that fails now and then.
fn shop() -> Shop {
    Shop::start(Config {
        conduct: Conduct {
            latency: Duration::from_millis(20),
            jitter: Duration::from_millis(10),
            failure_rate: 0.1,
        },
        ..Config::default()
    })
}

/// A Prometheus with the configuration that is shipped, but for the engine's address.
fn prometheus(engine: &Control) -> Prometheus {
    let rules = deployed("prometheus/rules.yml");
    let configuration = read("prometheus/prometheus.yml")
        .replace("engine:8089", &engine.address().to_string())
        .replace("rules.yml", rules.to_str().unwrap());
    Prometheus::start(&configuration, &[])
}

/// A run of everything that the dashboard shows, and is about: load that is and is not kept
/// up, failures of each kind, conditions that do and do not hold.
fn start(shop: &Shop, directory: &Path) -> (LoadTest, Control) {
    let demo = deployed("demo");
    let run_file = directory.join("run.toml");
    let text = format!(
        r#"
        host = "{}"
        python-path = ["{}"]
        allow-host = ["127.0.0.1:1"]
        cpu-limit = "200ms"
        prometheus = "127.0.0.1:0"
        paused = true
        linger = true
        threshold = ["failures: rate<99%", "http_req_duration: p(95)<1ms"]

        [plans.visitors]
        classes = ["Visitor"]
        users = 8
        spawn-rate = 2

        [plans.orders]
        classes = ["Buyer"]
        arrival-rate = "40/s"
        max-lateness = "200ms"
        users = 1
        max-users = 1

        [plans.trouble]
        classes = ["Greedy", "Idle", "Unlucky"]
        users = 6
        "#,
        shop.url(),
        demo.display(),
    );
    fs::write(&run_file, text).unwrap();
    let script = scripts::path("showcase.py");
    let args = ["--config", run_file.to_str().unwrap()];
    let mut test = LoadTest::start_file(&scripts::engine(), &script, args);
    let control = Control::of(&mut test);
    (test, control)
}

/// What Grafana puts in for the variables: the first of each, and all names.
fn choose(dashboard: &Dashboard, prometheus: &Prometheus) -> BTreeMap<&'static str, String> {
    let mut chosen = BTreeMap::from([
        ("__rate_interval", RATE_INTERVAL.to_owned()),
        ("__range", "300s".to_owned()),
        ("name", ".*".to_owned()),
    ]);
    for (name, question) in dashboard.variables() {
        let question = fill(question, &chosen);
        let arguments = question.strip_prefix("label_values(").unwrap();
        let (selector, label) = arguments
            .strip_suffix(')')
            .unwrap()
            .rsplit_once(", ")
            .unwrap();
        let values = prometheus.label_values(label, selector);
        assert!(!values.is_empty(), "{name}: nothing to choose from");
        match name {
            "job" => chosen.insert("job", values[0].clone()),
            "instance" => chosen.insert("instance", values[0].clone()),
            "name" => {
                assert!(values.iter().any(|value| value == "pay"), "{values:?}");
                None
            }
            other => panic!("what is ${other}?"),
        };
    }
    chosen
}

#[test]
fn every_query_shows_what_happened() {
    let dashboard = Dashboard::read();
    let shop = shop();
    let directory = tempfile::tempdir().unwrap();
    let (test, control) = start(&shop, directory.path());
    let prometheus = prometheus(&control);
    let in_state = |state: &str| {
        prometheus.wait_for(&format!("aiotest_run_state{{state=\"{state}\"}} == 1"));
    };
    let goes_on = |counter: &str| {
        prometheus.wait_for(&format!("sum(rate({counter}[{RATE_INTERVAL}])) > 0"));
    };
    in_state("ready");
    let begin = prometheus.query("time()")[0].values[0];
    assert_eq!(control.post("/start").status, 200);
    goes_on("aiotest_users_started_total");
    goes_on("aiotest_sandbox_restarts_total");
    goes_on("aiotest_dropped_iterations_total");
    assert_eq!(control.post("/pause").status, 200);
    in_state("paused");
    assert_eq!(control.post("/resume").status, 200);
    in_state("running");
    assert_eq!(control.post("/stop").status, 200);
    control.wait_until(|state| state["state"] == "stopped");
    let over = prometheus.query("time()")[0].values[0];
    goes_on("aiotest_users_stopped_total");
    goes_on("aiotest_interrupted_iterations_total");
    prometheus.wait_for(&format!("timestamp(aiotest_run_time_seconds) > {over}"));

    let chosen = choose(&dashboard, &prometheus);
    let mut wrong = Vec::new();
    for query in dashboard.queries().iter().chain(&dashboard.annotations()) {
        let expression = fill(&query.expression, &chosen);
        let series = match query.instant {
            true => prometheus.query(&expression),
            false => prometheus.query_since(begin, &expression),
        };
        let values: Vec<f64> = series.into_iter().flat_map(|s| s.values).collect();
        let shows = |value: &f64| value.is_finite() && *value != 0.0;
        let expected = !NOTHING_TO_SHOW.contains(&&*query.place);
        if values.is_empty() || values.iter().any(shows) != expected {
            wrong.push(format!("{}: {expression}\n  {values:?}", query.place));
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    prometheus.wait_for(r#"ALERTS{alertname="LoadTestThresholdCrossed",alertstate="firing"}"#);

    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();
    prometheus.wait_for("up == 0");
    // The engine is gone, and its totals stay.
    let shown = Shown {
        dashboard,
        prometheus,
        chosen,
    };
    shown.assert_names(&results);
    shown.assert_causes(&results);
    shown.assert_verdicts(&results);
}

/// What the dashboard shows after the run.
struct Shown {
    dashboard: Dashboard,
    prometheus: Prometheus,
    chosen: BTreeMap<&'static str, String>,
}

impl Shown {
    fn series(&self, place: &str) -> Vec<Series> {
        let expression = fill(&self.dashboard.query(place), &self.chosen);
        self.prometheus.query(&expression)
    }

    /// The value of the series with these labels.
    #[track_caller]
    fn value(&self, place: &str, labels: &[(&str, &str)]) -> f64 {
        let series = self.series(place);
        let mut found = series
            .iter()
            .filter(|s| labels.iter().all(|(name, value)| s.labels[*name] == *value));
        match (found.next(), found.next()) {
            (Some(series), None) => series.values[0],
            _ => panic!("{place}: not one {labels:?} in {series:#?}"),
        }
    }

    /// The table of the names.
    fn assert_names(&self, results: &Results) {
        let total: f64 = self
            .series("Requests by name A")
            .iter()
            .map(|s| s.values[0])
            .sum();
        assert_eq!(total, results.number("/total/requests"));
        let names = results.report["requests"].as_array().unwrap();
        assert!(names.len() >= 6, "{names:#?}");
        for row in names {
            let labels = [("method", &row["method"]), ("endpoint", &row["name"])];
            let labels = labels.map(|(name, value)| (name, value.as_str().unwrap()));
            let shown = |letter: char| self.value(&format!("Requests by name {letter}"), &labels);
            let near = |letter: char, wanted: f64, within: f64| {
                let value = shown(letter);
                let error = (value - wanted).abs();
                assert!(
                    error <= within * wanted,
                    "{letter} of {labels:?}: {value}, {wanted}"
                );
            };
            assert_eq!(shown('A'), number(row, "/requests"), "{labels:?}");
            near('B', number(row, "/failure_share"), 1e-9);
            near('C', number(row, "/requests_per_second"), 0.05);
            near('D', number(row, "/time_ms/avg") / 1e3, 1e-3);
            for (letter, percentile) in [('E', "p50"), ('F', "p95"), ('G', "p99")] {
                let exact = number(row, &format!("/time_ms/{percentile}")) / 1e3;
                let (low, high) = self.bucket(exact);
                let value = shown(letter);
                assert!(
                    (low..=high).contains(&value),
                    "{percentile} of {labels:?}: {value} for {exact}"
                );
            }
        }
    }

    /// The bounds of the bucket with this response time, which is given with three digits.
    fn bucket(&self, seconds: f64) -> (f64, f64) {
        let selector = "aiotest_http_request_duration_seconds_bucket";
        let bounds = self.prometheus.label_values("le", selector).into_iter();
        let mut bounds: Vec<f64> = bounds.filter_map(|bound| bound.parse().ok()).collect();
        bounds.sort_by(f64::total_cmp);
        let above = |factor: f64| bounds.partition_point(|bound| *bound < seconds * factor);
        let low = above(0.999).checked_sub(1).map_or(0.0, |at| bounds[at]);
        (low, bounds[above(1.001)])
    }

    /// The table of the errors, and the failures that are no requests.
    fn assert_causes(&self, results: &Results) {
        let errors = self.series("Errors A");
        let wanted = results.report["errors"].as_array().unwrap();
        assert_eq!(errors.len(), wanted.len(), "{errors:#?}");
        for error in wanted {
            let status = error["status"].to_string();
            let labels = [
                ("error_type", error["kind"].as_str().unwrap()),
                ("method", error["method"].as_str().unwrap()),
                ("endpoint", error["name"].as_str().unwrap()),
                ("status_code", &status),
                ("error_message", error["message"].as_str().unwrap()),
            ];
            assert_eq!(self.value("Errors A", &labels), number(error, "/count"));
        }
        let refused = results.entry("errors", "kind", "connect-refused");
        assert_eq!(refused["name"], "silence");
        assert!(
            !results
                .entries("sandbox_events", "kind", "cpu-limit")
                .is_empty()
        );
    }

    /// The tables of the thresholds and the checks.
    fn assert_verdicts(&self, results: &Results) {
        let thresholds = results.report["thresholds"].as_array().unwrap();
        assert_eq!(thresholds.len(), 2);
        for threshold in thresholds {
            let labels = [("threshold", threshold["expression"].as_str().unwrap())];
            let held = self.value("Thresholds A", &labels) == 1.0;
            assert_eq!(held, threshold["passed"].as_bool().unwrap(), "{threshold}");
        }
        let checks = results.report["checks"].as_object().unwrap();
        assert_eq!(checks.len(), 3);
        for (check, counts) in checks {
            let labels = [("check", check.as_str())];
            assert_eq!(self.value("Checks A", &labels), number(counts, "/passed"));
            assert_eq!(self.value("Checks B", &labels), number(counts, "/failed"));
        }
    }
}

fn number(value: &Value, pointer: &str) -> f64 {
    let number = value.pointer(pointer).and_then(Value::as_f64);
    number.unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

#[test]
fn the_demo_runs_as_it_is_shipped() {
    let shop = shop();
    let run_file = deployed("demo/run.toml");
    let host = shop.url();
    let args = ["--config", run_file.to_str().unwrap(), "--host", &host];
    // Open to others, as in its container, where control takes a token.
    let address = ["--prometheus", "0.0.0.0:0"];
    let engine = scripts::engine().env("AIOTEST_CONTROL_TOKEN", "correct-horse");
    let script = deployed("demo/shop.py");
    let mut test = LoadTest::start_file(&engine, &script, [&args[..], &address].concat());
    let control = Control::of(&mut test).with_token("correct-horse");
    control.wait_until(|_| shop.stats().requests > 0);
    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();
    assert_eq!(results.reason(), "stopped by order");
    let sent = results.number("/total/requests");
    assert_eq!(sent, shop.stats().requests as f64);
}
