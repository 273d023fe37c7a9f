//! All outputs of one run agree, to the request, with each other and with the server.

use aiotest_tests::{Control, Engine, LoadTest, Shop};
use serde_json::Value;
use shop_server::{Conduct, Config};

use super::counts::{Counts, Record, failures_of_shop, number, page_data, records};
use super::{Desk, GUEST};

#[test]
fn all_outputs_agree_with_each_other_and_with_the_server() {
    let shop = Shop::start(Config {
        conduct: Conduct {
            failure_rate: 0.2,
            ..Conduct::default()
        },
        ..Config::default()
    });
    let desk = Desk::new();
    let args = format!(
        "Rush -u 5 -i 40 --linger --prometheus 127.0.0.1:0 --label build=7 {} -H {}",
        desk.flags(),
        shop.url()
    );
    let mut test = LoadTest::start(&Engine::new(), GUEST, &args);
    let control = Control::of(&mut test);
    control.wait_until(|state| state["state"] == "stopped");
    let exposition = control.get("/metrics").body;
    control.post("/quit").json();
    let results = test.finish();
    assert_eq!(results.code(), 1);

    let truth = shop.stats();
    let counts = Counts::of_document(&results.report);
    assert_eq!(counts.requests(), truth.by_route);
    assert_eq!(counts.total(), (truth.requests, failures_of_shop(&truth)));
    assert_eq!(truth.requests, 5 * 40 * 5);

    let stats = records(&desk.text("run_stats.csv"));
    let page = page_data(&desk.text("run.html"));
    let page = &page["reports"][0];
    let all = [
        ("CSV", Counts::of_csv(&stats)),
        ("HTML", Counts::of_document(page)),
        ("JUnit", Counts::of_junit(&desk.text("run.xml"))),
        ("Prometheus", Counts::of_metrics(&exposition)),
        ("samples", Counts::of_samples(&desk.text("run.jsonl"))),
    ];
    for (output, seen) in all {
        assert_eq!(seen, counts, "{output}");
    }
    assert_total_times(&results.report, page, &stats[stats.len() - 1]);
    assert_history(&desk, &results.report);
    assert_causes(&desk, &results.report);
    assert_eq!(page["run"]["labels"]["build"], "7");
    assert_eq!(page["run"]["exit_code"], 1);
}

/// Documents and CSV have the same times of all requests.
fn assert_total_times(document: &Value, page: &Value, aggregated: &Record) {
    let times = &document["total"]["time_ms"];
    assert_eq!(times, &page["total"]["time_ms"]);
    for (field, column) in [
        ("p50", "50%"),
        ("p95", "95%"),
        ("p99", "99%"),
        ("p99.9", "99.9%"),
        ("max", "100%"),
        ("max", "Max Response Time"),
        ("min", "Min Response Time"),
    ] {
        let expected = times[field].as_f64().expect("it is a number");
        assert_eq!(number(aggregated, column), expected, "{column}");
    }
}

/// The run over time adds up to all of it.
fn assert_history(desk: &Desk, document: &Value) {
    let history = records(&desk.text("run_stats_history.csv"));
    let last = history.last().expect("the run has a history");
    for (field, column) in [
        ("requests", "Total Request Count"),
        ("failures", "Total Failure Count"),
    ] {
        let total = document["total"][field].as_f64();
        assert_eq!(Some(number(last, column)), total, "{column}");
        let column = document["timeline"][field]
            .as_array()
            .expect("it is a column");
        let sum: f64 = column.iter().filter_map(Value::as_f64).sum();
        assert_eq!(Some(sum), total, "{field}");
    }
    assert_eq!(
        number(last, "Total Median Response Time"),
        document["total"]["time_ms"]["p50"]
            .as_f64()
            .expect("it is a number")
    );
}

/// Each failed request has a cause.
fn assert_causes(desk: &Desk, document: &Value) {
    let failures = records(&desk.text("run_failures.csv"));
    let sum: f64 = failures.iter().map(|row| number(row, "Occurrences")).sum();
    assert_eq!(Some(sum), document["total"]["failures"].as_f64());
    let exceptions = records(&desk.text("run_exceptions.csv"));
    let sum: f64 = exceptions.iter().map(|row| number(row, "Count")).sum();
    let errors = document["task_errors"].as_array().expect("it is a list");
    let told: f64 = errors
        .iter()
        .filter_map(|error| error["count"].as_f64())
        .sum();
    assert_eq!(sum, told);
}
