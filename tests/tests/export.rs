//! What a run pushes, as a real Prometheus and a collector of OpenTelemetry have it.

use std::{net::TcpListener, time::Duration};

use aiotest_tests::{Collector, Engine, LoadTest, Prometheus, Results, Shop};
use shop_server::{Conduct, Config};

/// What Prometheus needs to take remote writes and native histograms.
const FLAGS: [&str; 2] = [
    "--web.enable-remote-write-receiver",
    "--enable-feature=native-histograms",
];
/// The quantiles that are compared, and their names in the report.
const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];
/// How wide the buckets of pushed response times are, and how exact those of the report.
const WIDTH: f64 = 1.0906;
const EXACT: f64 = 1.002;

/// A shop that fails one request in ten and takes its time, more or less.
fn shop() -> Shop {
    Shop::start(Config {
        conduct: Conduct {
            latency: Duration::from_millis(8),
            jitter: Duration::from_millis(7),
            failure_rate: 0.1,
        },
        ..Config::default()
    })
}

/// A run of some thousand requests that pushes all the while.
fn run(shop: &Shop, args: &str) -> Results {
    let url = shop.url();
    let line = format!("Rush -u 8 --max-requests 3000 --push-interval 500ms -H {url} {args}");
    LoadTest::run("guest-probe", &line)
}

/// Whether a quantile of wide buckets can be that of the report, which is in milliseconds.
fn agrees(seconds: f64, results: &Results, name: &str) -> bool {
    let exact = results.number(&format!("/total/time_ms/{name}")) / 1000.0;
    (exact / WIDTH / EXACT..=exact * WIDTH * EXACT).contains(&seconds)
}

#[test]
fn prometheus_has_what_the_server_counted_until_the_run_has_ended() {
    let prometheus = Prometheus::start("", &FLAGS);
    let shop = shop();
    let url = prometheus.url();
    let results = run(
        &shop,
        &format!("--remote-write {url}/api/v1/write --label branch=main"),
    );
    assert!(!results.output.stderr.contains(&url), "{results:#?}");

    // Marked as ended: nothing is there now, and at the last push everything was.
    let now = prometheus.query("{branch=\"main\"}");
    assert!(now.is_empty(), "{now:?}");
    let last = "max(max_over_time(timestamp(aiotest_users_target)[60s:1ms]))";
    let last = prometheus.wait_for(last);
    let at_last = |query: &str| {
        let series = prometheus.query(&query.replace('@', &format!("@ {last:.3}")));
        assert_eq!(series.len(), 1, "{query}");
        series[0].values[0]
    };
    let requests = shop.stats().requests as f64;
    assert_eq!(requests, 3000.0);
    assert_eq!(at_last("sum(aiotest_http_requests_total @)"), requests);
    let failed = "sum(aiotest_http_requests_total{assertion_result=\"fail\"} @)";
    assert_eq!(at_last(failed), results.number("/total/failures"));

    let native = "sum(aiotest_http_request_duration_seconds @)";
    assert_eq!(at_last(&format!("histogram_count({native})")), requests);
    let buckets = "sum(aiotest_http_request_duration_seconds_bucket{le=\"+Inf\"} @)";
    assert_eq!(at_last(buckets), requests);
    for (quantile, name) in QUANTILES {
        let seconds = at_last(&format!("histogram_quantile({quantile}, {native})"));
        assert!(agrees(seconds, &results, name), "{name}: {seconds}");
    }

    let jobs = prometheus.label_values("job", "aiotest_users_target{branch=\"main\"}");
    assert_eq!(jobs, ["aiotest-engine"]);
    let state = "aiotest_run_state{state=\"stopped\", instance!=\"\"} @";
    assert_eq!(at_last(state), 1.0);
}

#[test]
fn a_collector_has_what_the_server_counted() {
    let collector = Collector::start();
    let shop = shop();
    let url = collector.url();
    let args = format!("--otlp {url} --push-header X-Tenant:load --label instance=one");
    let results = run(&shop, &args);
    assert!(!results.output.stderr.contains(&url), "{results:#?}");

    let taken = collector.taken();
    assert!(taken.requests > 1);
    assert_eq!(taken.headers["x-tenant"], "load");
    assert_eq!(taken.resource["service.name"], "aiotest-engine");
    assert_eq!(taken.resource["service.instance.id"], "one");
    let requests = taken.numbers.iter();
    let requests = requests.filter(|((name, _), _)| name == "aiotest_http_requests_total");
    let counted: f64 = requests.map(|(_, count)| count).sum();
    assert_eq!(counted, shop.stats().requests as f64);

    // Of all routes together, as a reader of the protocol adds them up.
    let points = taken.exponential.values();
    let all: Vec<_> = points.filter(|point| point.count > 0).collect();
    assert_eq!(
        all.iter().map(|point| point.count).sum::<u64>(),
        shop.stats().requests
    );
    let mut buckets: Vec<(f64, u64)> = Vec::new();
    for point in all {
        let positive = point.positive.as_ref().expect("responses take time");
        let base = f64::from(-point.scale).exp2().exp2();
        let bounds = (positive.offset + 1..).map(|index| base.powi(index));
        buckets.extend(bounds.zip(positive.bucket_counts.iter().copied()));
    }
    buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (quantile, name) in QUANTILES {
        let mut rank = (quantile * counted).ceil() as u64;
        let bucket = buckets.iter().find(|(_, count)| {
            let found = rank <= *count;
            rank = rank.saturating_sub(*count);
            found
        });
        let (bound, _) = bucket.expect("a quantile is in a bucket");
        assert!(agrees(*bound, &results, name), "{name}: {bound}");
    }
}

#[test]
fn a_run_ends_as_it_would_when_nobody_takes_what_it_pushes() {
    // Taken by nobody as soon as this is dropped.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = nobody.local_addr().expect("the port is known");
    drop(nobody);
    let shop = Shop::start(Config::default());
    let url = shop.url();
    let line = format!(
        "Rush -u 4 --max-requests 2000 -H {url} --push-interval 200ms \
         --remote-write http://me:hunter22@{address}/write"
    );
    let results = LoadTest::run("guest-probe", &line);
    // The probe asks for a page that is not there.
    assert_eq!(results.code(), 1);
    assert_eq!(results.number("/total/requests"), 2000.0);
    let stderr = &results.output.stderr;
    let told = |text: &str| stderr.matches(text).count();
    assert_eq!(told(&format!("cannot push to http://{address}/write")), 1);
    assert_eq!(told("the last measurements did not arrive"), 1);
    let report = results.report.to_string();
    assert!(!stderr.contains("hunter22") && !report.contains("hunter22"));
}

#[test]
fn what_cannot_work_is_refused_before_the_run() {
    let shop = Shop::start(Config::default());
    let url = shop.url();
    for (args, expected) in [
        (
            "--remote-write http://127.0.0.1:9/ --push-header Content-Type:hunter22",
            "leave it out",
        ),
        (
            "--otlp http://127.0.0.1:9/ --push-interval 1ms",
            "leave 100ms or more",
        ),
    ] {
        let component = aiotest_tests::guests::build("guest-probe");
        let mut line = vec!["run", component.to_str().expect("the path is a text")];
        line.extend(["Rush", "-u", "1", "-H", &url]);
        line.extend(args.split(' '));
        let output = Engine::new().run(line);
        assert_eq!(output.code, Some(2), "{output:#?}");
        assert!(output.stderr.contains(expected), "{output:#?}");
        assert!(!output.stderr.contains("hunter22"), "{output:#?}");
    }
    assert_eq!(shop.stats().requests, 0);
}
