//! Scripts in Python, run as they are by the real binary.

mod broken;
mod coroutines;
mod imports;
mod isolation;
mod locust;
mod old_style;
mod published;
mod users;
mod workflow;

use std::{collections::BTreeMap, fs};

use aiotest_tests::{Exchange, Output, Recorder, Results, Storefront, scripts};
use serde_json::Value;

/// Exit codes.
const OK: i32 = 0;
const FAILURES: i32 = 1;
const USAGE: i32 = 2;
const SCRIPT: i32 = 3;
const HOOK: i32 = 7;
const INTERRUPTED: i32 = 130;

/// Runs a script against a new shop.
fn shopping(script: &str, args: &str) -> (Storefront, Results) {
    let shop = Storefront::start();
    let results = scripts::run(script, &shop.url(), args);
    (shop, results)
}

/// Runs a script against a new recorder.
fn recorded(script: &str, args: &str) -> (Recorder, Results) {
    let recorder = Recorder::start();
    let results = scripts::run(script, &recorder.url(), args);
    (recorder, results)
}

/// How often each thing was told.
fn told(recorder: &Recorder) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in recorder.events() {
        *counts.entry(event.what).or_default() += 1;
    }
    counts
}

/// What the only user told, in order.
#[track_caller]
fn life(recorder: &Recorder) -> Vec<String> {
    let mut lives: Vec<_> = recorder.lives().into_values().collect();
    assert_eq!(lives.len(), 1, "{lives:?}");
    lives.remove(0)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("it is a count")
}

/// Requests of the report by method and name.
fn named(results: &Results) -> BTreeMap<String, u64> {
    let rows = results.report["requests"].as_array().expect("it is a list");
    let row = |row: &Value| {
        let name = format!("{} {}", text(&row["method"]), text(&row["name"]));
        (name, count(&row["requests"]))
    };
    rows.iter().map(row).collect()
}

/// What a map shall be.
fn counts<const N: usize>(entries: [(&str, u64); N]) -> BTreeMap<String, u64> {
    let owned = entries.map(|(name, count)| (name.to_owned(), count));
    owned.into_iter().collect()
}

/// Requests and failures under a name.
fn row(results: &Results, name: &str) -> (u64, u64) {
    let row = results.entry("requests", "name", name);
    (count(&row["requests"]), count(&row["failures"]))
}

fn routes(exchanges: &[Exchange]) -> Vec<String> {
    exchanges.iter().map(Exchange::route).collect()
}

/// Seconds between one request and the next.
fn gaps(exchanges: &[Exchange]) -> Vec<f64> {
    let gap = |pair: &[Exchange]| (pair[1].at - pair[0].at).as_secs_f64();
    exchanges.windows(2).map(gap).collect()
}

/// Number of the only line of a script that contains `part`.
#[track_caller]
fn line(script: &str, part: &str) -> usize {
    let source = fs::read_to_string(scripts::path(script)).expect("it can be read");
    let mut lines = source.lines().zip(1..);
    let (_, number) = lines
        .find(|(line, _)| line.contains(part))
        .expect("there is such a line");
    assert!(
        !lines.any(|(line, _)| line.contains(part)),
        "{part:?} twice"
    );
    number
}

/// The message of the only error of a task, and how often it came.
#[track_caller]
fn task_error(results: &Results, task: &str) -> (String, u64) {
    let error = results.entry("task_errors", "task", task);
    (text(&error["message"]).to_owned(), count(&error["count"]))
}

/// The output, of both streams, has these words.
#[track_caller]
fn says(output: &Output, words: &str) {
    let said = output.stdout.contains(words) || output.stderr.contains(words);
    assert!(said, "no {words:?} in {output:#?}");
}
