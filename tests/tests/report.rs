//! `aiotest-engine report`: what a run has written, shown again and merged.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read what it wrote fails"
)]

use std::fs;
use std::path::Path;

use aiotest_tests::{Engine, LoadTest, Output, Results, Shop};
use serde_json::Value;
use shop_server::Config;

const OK: i32 = 0;
const USAGE: i32 = 2;
const UNWRITABLE: i32 = 6;

/// A short run with a threshold that does not hold, as `run.json` in a directory.
fn finished_run() -> (tempfile::TempDir, Results) {
    let shop = Shop::start(Config::default());
    let args = [
        "Rush",
        "-u",
        "2",
        "-i",
        "10",
        "--threshold",
        "http_reqs: count>=150",
        "-H",
        &shop.url().to_string(),
    ];
    let results = LoadTest::start_with(&Engine::new(), "guest-probe", args).finish();
    assert_eq!(results.number("/total/requests"), 100.0);
    assert_eq!(results.code(), 99);
    let directory = tempfile::tempdir().unwrap();
    let document = results.report.to_string();
    fs::write(directory.path().join("run.json"), document).unwrap();
    (directory, results)
}

fn report(directory: &Path, args: &str) -> Output {
    let args = ["report"].into_iter().chain(args.split_whitespace());
    Engine::new().directory(directory).run(args)
}

fn read(directory: &Path, name: &str) -> Value {
    let text = fs::read(directory.join(name)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn a_run_is_shown_again_as_it_was() {
    let (directory, results) = finished_run();
    let shown = report(directory.path(), "run.json --json again.json");
    assert_eq!(shown.code, Some(OK), "{}", shown.stderr);
    assert_eq!(shown.stdout, results.output.stdout);
    let again = read(directory.path(), "again.json");
    // Reading a number may cost its last digit, but no count and no histogram.
    for place in [
        "/run/exit_code",
        "/thresholds",
        "/users",
        "/total/statuses",
        "/total/time_ms/histogram",
        "/timeline/requests",
        "/timeline/histograms",
    ] {
        let before = results.report.pointer(place);
        assert!(before.is_some(), "{place}");
        assert_eq!(again.pointer(place), before, "{place}");
    }
}

#[test]
fn two_runs_become_one_in_every_output() {
    let (directory, results) = finished_run();
    let args =
        "run.json run.json --json whole.json --html whole.html --csv whole --junit whole.xml";
    let merged = report(directory.path(), args);
    assert_eq!(merged.code, Some(OK), "{}", merged.stderr);

    let whole = read(directory.path(), "whole.json");
    assert_eq!(whole["total"]["requests"], 200);
    let one = &results.report["total"]["time_ms"];
    let both = &whole["total"]["time_ms"];
    for same in ["min", "max", "p50", "p99"] {
        assert_eq!(both[same], one[same], "{same}");
    }
    // 200 requests are enough.
    assert_eq!(whole["thresholds"][0]["passed"], true);
    assert_eq!(whole["run"]["exit_code"], 0);
    assert!(
        merged.stdout.contains("✓ http_reqs: count>=150"),
        "{}",
        merged.stdout
    );
    let in_time: Vec<_> = whole["timeline"]["requests"].as_array().unwrap().clone();
    assert_eq!(in_time.iter().filter_map(Value::as_u64).sum::<u64>(), 200);

    let stats = fs::read_to_string(directory.path().join("whole_stats.csv")).unwrap();
    assert!(stats.contains(",Aggregated,200,"), "{stats}");
    for name in ["whole.html", "whole.xml", "whole_stats_history.csv"] {
        assert!(directory.path().join(name).is_file(), "{name}");
    }
}

#[test]
fn what_is_no_report_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("run.toml"), "users = 5").unwrap();
    fs::write(directory.path().join("new.json"), r#"{"schema": 2}"#).unwrap();
    for (args, words) in [
        ("", "<FILE>"),
        ("missing.json", "cannot read missing.json: "),
        ("run.toml", "cannot read run.toml: it is not JSON"),
        ("new.json", "cannot read new.json: it has schema 2"),
        ("-", "cannot read standard input: it is empty"),
    ] {
        let output = report(directory.path(), args);
        assert_eq!(output.code, Some(USAGE), "{args}: {}", output.stderr);
        assert!(output.stderr.contains(words), "{args}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{args}");
    }
}

#[test]
fn what_cannot_be_written_costs_nothing_else() {
    let (directory, _) = finished_run();
    let args = "run.json --html run.json/page.html --junit run.xml --quiet";
    let output = report(directory.path(), args);
    assert_eq!(output.code, Some(UNWRITABLE));
    assert!(
        output.stderr.contains("cannot write run.json/page.html: "),
        "{}",
        output.stderr
    );
    assert_eq!(output.stdout, "");
    assert!(directory.path().join("run.xml").is_file());
}
