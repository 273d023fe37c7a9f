//! `aiotest-engine compare`, on documents that are written by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read what it wrote fails"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use aiotest_tests::{Engine, Output};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use flate2::{Compression, write::ZlibEncoder};
use serde_json::{Value, json};

const OK: i32 = 0;
const USAGE: i32 = 2;
const UNWRITABLE: i32 = 6;
const WORSE: i32 = 99;

/// Requests in an interval.
const REQUESTS: u64 = 200;

/// A number in the variable-length encoding of HdrHistogram.
fn put(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// Three times as many values of one size as of the other, both below 2048 microseconds,
/// where each has a bucket of its own.
fn histogram(low: i64, high: i64) -> String {
    let mut counts = Vec::new();
    for (empty, count) in [(low, REQUESTS / 4 * 3), (high - low - 1, REQUESTS / 4)] {
        put(&mut counts, -empty);
        put(&mut counts, count as i64);
    }
    let mut plain = Vec::new();
    for word in [0x1c84_9313, counts.len() as u32, 0, 3] {
        plain.extend(word.to_be_bytes());
    }
    for long in [1, 3_600_000_000, 1f64.to_bits()] {
        plain.extend(long.to_be_bytes());
    }
    plain.extend(counts);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&plain).unwrap();
    let packed = packed.finish().unwrap();
    let mut bytes = 0x1c84_9314u32.to_be_bytes().to_vec();
    bytes.extend((packed.len() as u32).to_be_bytes());
    bytes.extend(packed);
    BASE64.encode(bytes)
}

/// A run of 41 seconds, the first of which starts the users, with times around 1 ms that are
/// multiplied.
fn document(slower: f64) -> Value {
    let seconds = 0..41;
    let low = |second: i64| ((1000 + second * 7 % 13) as f64 * slower) as i64;
    let column = |number: u64| vec![number; seconds.clone().count()];
    json!({
        "schema": 1,
        "run": {"component": "shop.wasm", "host": "http://127.0.0.1:1"},
        "users": {"peak": 5},
        "total": {"requests": 41 * REQUESTS, "requests_per_second": REQUESTS},
        "requests": [],
        "timeline": {
            "start_seconds": seconds.clone().collect::<Vec<_>>(),
            "span_seconds": column(1),
            "users": column(5),
            "target": column(5),
            "requests": column(REQUESTS),
            "failures": column(0),
            "time_ms": {
                "avg": seconds.clone().map(|s| (low(s) + 50) as f64 / 1e3).collect::<Vec<_>>(),
            },
            "histograms": seconds.clone().map(|s| histogram(low(s), low(s) + 200)).collect::<Vec<_>>(),
        },
    })
}

fn write(directory: &Path, name: &str, slower: f64) {
    fs::write(directory.join(name), document(slower).to_string()).unwrap();
}

/// A directory with a run, the same again, and one that is 20 % slower.
fn documents() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, slower) in [("a.json", 1.0), ("same.json", 1.0), ("slow.json", 1.2)] {
        write(directory.path(), name, slower);
    }
    directory
}

fn compare(directory: &Path, args: &str) -> Output {
    let args = ["compare"].into_iter().chain(args.split_whitespace());
    Engine::new().directory(directory).run(args)
}

#[test]
fn a_slower_run_fails_the_gate_and_an_equal_one_passes() {
    let directory = documents();
    let gate = |args: &str| compare(directory.path(), args).code;
    assert_eq!(gate("a.json slow.json"), Some(OK));
    assert_eq!(gate("a.json slow.json --fail-on-worse"), Some(WORSE));
    assert_eq!(gate("a.json slow.json --fail-on-worse=15"), Some(WORSE));
    assert_eq!(gate("a.json slow.json --fail-on-worse=30%"), Some(OK));
    assert_eq!(gate("a.json same.json --fail-on-worse"), Some(OK));
    assert_eq!(gate("slow.json a.json --fail-on-worse"), Some(OK));
    assert_eq!(
        gate("a.json same.json slow.json --fail-on-worse"),
        Some(WORSE)
    );
}

#[test]
fn people_and_programs_get_the_same_changes() {
    let directory = documents();
    let output = compare(
        directory.path(),
        "a.json slow.json --json compared.json --html compared.html",
    );
    assert_eq!(output.code, Some(OK), "{}", output.stderr);
    let text = &output.stdout;
    assert!(text.contains("slow.json: all requests"), "{text}");
    assert!(text.contains("✗ p50 (ms)"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");

    let json = fs::read(directory.path().join("compared.json")).unwrap();
    let compared: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(compared["runs"][1]["label"], "slow.json");
    assert_eq!(compared["runs"][1]["steady"]["intervals"], 40);
    let metrics = compared["rows"][0]["metrics"].as_array().unwrap();
    let found = |name: &str| {
        let metric = metrics.iter().find(|metric| metric["metric"] == name);
        metric.unwrap()["values"][0].clone()
    };
    let p50 = found("p50");
    assert_eq!(p50["verdict"], "worse");
    let change = p50["change"].as_f64().unwrap();
    assert!((0.19..0.21).contains(&change), "{change}");
    assert!(p50["low"].as_f64().unwrap() < change && change < p50["high"].as_f64().unwrap());
    assert_eq!(found("requests_per_second")["verdict"], "noise");
    assert_eq!(found("failure_share")["verdict"], "noise");

    let page = fs::read_to_string(directory.path().join("compared.html")).unwrap();
    assert!(page.contains(r#""comparison":{"baseline":0"#));
}

#[test]
fn what_differs_beside_the_numbers_is_told() {
    let directory = documents();
    let mut other = document(1.0);
    other["run"]["host"] = json!("http://127.0.0.1:2\u{1b}[2J");
    other["users"]["peak"] = json!(50);
    other["engine"] = json!({"saturated": true});
    fs::write(directory.path().join("other.json"), other.to_string()).unwrap();
    let text = compare(directory.path(), "a.json other.json").stdout;
    for part in [
        "another host: http://127.0.0.1:2 [2J (baseline: http://127.0.0.1:1)",
        "users at peak: 50 (baseline: 5)",
        "generator saturated",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn errors_name_the_file_and_the_other_output_is_written() {
    let directory = documents();
    fs::write(directory.path().join("broken.json"), "{}").unwrap();
    for args in ["a.json nowhere.json", "a.json broken.json", "a.json"] {
        let output = compare(directory.path(), args);
        assert_eq!(output.code, Some(USAGE), "{args}: {}", output.stderr);
    }
    let output = compare(directory.path(), "a.json broken.json");
    assert!(output.stderr.contains("broken.json"), "{}", output.stderr);

    let args = "a.json same.json --html a.json/below.html --json compared.json --fail-on-worse -q";
    let output = compare(directory.path(), args);
    assert_eq!((output.code, &*output.stdout), (Some(UNWRITABLE), ""));
    assert!(output.stderr.contains("cannot write"), "{}", output.stderr);
    assert!(directory.path().join("compared.json").exists());
}
