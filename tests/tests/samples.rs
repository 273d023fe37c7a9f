//! The file of all requests of a run: each of them once, whatever ends the run or the
//! writing.

use std::{fs, path::Path, process::Command, time::Duration};

use aiotest_tests::{
    Engine, LoadTest, Output, Process, Recorder, Spread, guests,
    samples::{self, Row},
};
use serde_json::Value;

/// Sends requests one after the other.
const GUEST: &str = "guest-bench";

fn dropped(report: &Value) -> u64 {
    let dropped = &report["engine"]["samples_dropped"];
    dropped.as_u64().expect("it is a number")
}

#[test]
fn a_run_that_is_interrupted_leaves_each_request_in_its_file() {
    for name in ["all.jsonl", "all.jsonl.gz"] {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join(name);
        let server = Spread::start();
        let url = server.url();
        let line = [
            "Get",
            "-u",
            "4",
            "--prometheus",
            "127.0.0.1:0",
            "-H",
            &url,
            "--samples",
        ];
        let line = line.map(Into::into).into_iter();
        let line = line.chain([path.clone().into_os_string()]);
        let mut test = LoadTest::start_with(&Engine::new(), GUEST, line);
        let control = aiotest_tests::Control::of(&mut test);
        control.wait_until(|_| server.requests() >= 200);
        test.interrupt();
        let results = test.finish();
        assert_eq!(results.code(), 130);

        let rows = samples::read(&path);
        assert_eq!(dropped(&results.report), 0);
        assert_eq!(rows.len() as f64, results.number("/total/requests"));
        let failures = rows.iter().filter(|row| !row.ok).count();
        assert_eq!(failures as f64, results.number("/total/failures"));
        let received: u64 = rows.iter().map(|row| row.received).sum();
        assert_eq!(received as f64, results.number("/total/bytes_received"));
        // Texts of one form, so that their order is that of the times.
        let began = results.report["run"]["started"].as_str().expect("a time");
        let first = rows.iter().map(|row| row.started_at.as_str()).min();
        assert!(
            first >= Some(began.trim_end_matches('Z')),
            "{first:?} after {began}"
        );
    }
}

#[test]
fn a_full_disk_costs_the_samples_that_come_after_and_nothing_else() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("all.jsonl");
    let report = directory.path().join("report.json");
    let server = Spread::start();
    // A limit of file sizes is met like a full disk. Blocks of a shell have 512 bytes.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"])
        .arg(Engine::path())
        .arg("run")
        .arg(guests::build(GUEST))
        .args([
            "Get",
            "-u",
            "24",
            "--max-requests",
            "4000",
            "-H",
            &server.url(),
        ])
        .args(["--exit-code-on-error", "0", "--samples"])
        .arg(&path)
        .arg("--json")
        .arg(&report);
    let output = Process::spawn(command, Duration::from_secs(120)).wait();
    let report = fs::read_to_string(&report).expect("there is a report");
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");

    assert_eq!(output.code, Some(6), "{output:#?}");
    assert_eq!(report["total"]["requests"], 4000);
    let cause = format!("cannot write {}: ", path.display());
    assert!(output.stderr.contains(&cause), "{}", output.stderr);
    assert!(
        output.stderr.contains("the run goes on"),
        "{}",
        output.stderr
    );
    let rows = samples::read(&path);
    assert!(!rows.is_empty());
    assert_eq!(rows.len() as u64 + dropped(&report), 4000);
    assert!(fs::metadata(&path).is_ok_and(|file| file.len() <= 1024 * 512));
}

#[test]
fn a_file_that_cannot_be_created_costs_the_run_nothing() {
    let recorder = Recorder::start();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("nowhere").join("all.jsonl");
    let output = run(&recorder.url(), &path);
    assert_eq!(output.code, Some(6), "{output:#?}");
    let line = format!("cannot write {}: ", path.display());
    assert!(output.stderr.contains(&line), "{}", output.stderr);
    assert_eq!(recorder.requests("/"), 50);
}

#[test]
fn lines_go_to_the_standard_output_before_the_summary() {
    let recorder = Recorder::start();
    let output = run(&recorder.url(), Path::new("/dev/stdout"));
    assert_eq!(output.code, Some(0), "{output:#?}");
    let lines = output.stdout.lines();
    let rows: Vec<Row> = lines.take(50).map(Row::parse).collect();
    assert!(rows.iter().all(|row| row.request == "GET /" && row.ok));
    let rest = output.stdout.lines().nth(50).expect("there is a summary");
    assert!(!rest.starts_with('{'), "{rest}");
}

/// Fifty requests.
fn run(url: &str, path: &Path) -> Output {
    let guest = guests::build(GUEST);
    let line = [
        "Get",
        "-u",
        "2",
        "--max-requests",
        "50",
        "-H",
        url,
        "--samples",
    ];
    let mut command = Command::new(Engine::path());
    command.arg("run").arg(guest).args(line).arg(path);
    Process::spawn(command, Duration::from_secs(120)).wait()
}

#[test]
fn secrets_are_masked_in_the_file() {
    let recorder = Recorder::start();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().join("all.jsonl");
    let engine = Engine::new().env("PROBE_TOKEN", "s3cret-s3cret");
    let url = recorder.url();
    let line = [
        "Secretive",
        "-u",
        "1",
        "--secret",
        "token=env:PROBE_TOKEN",
        "-H",
        &url,
    ];
    let line = line.map(Into::into).into_iter();
    let line = line.chain(["--samples".into(), path.clone().into_os_string()]);
    LoadTest::start_with(&engine, "guest-probe", line).finish();
    let text = fs::read_to_string(&path).expect("there is a file of samples");
    assert!(!text.contains("s3cret"), "{text}");
    let rows = samples::read(&path);
    let failed = rows.iter().find(|row| row.request == "GET with ***");
    assert!(failed.is_some_and(|row| !row.ok), "{text}");
    assert!(text.contains("the token *** is not welcome"), "{text}");
}
