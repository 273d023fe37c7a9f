//! The files, and what programs read from them.

use super::*;
use crate::output::fixture;
use crate::report::TimelineColumns;
use std::fs;

/// The first lines of the files that locust 2 writes.
const HEADERS: [&str; 4] = [
    "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
     Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,\
     50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%",
    "Timestamp,User Count,Type,Name,Requests/s,Failures/s,\
     50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,\
     Total Request Count,Total Failure Count,Total Median Response Time,\
     Total Average Response Time,Total Min Response Time,Total Max Response Time,\
     Total Average Content Size",
    "Method,Name,Error,Occurrences,First Seen,Last Seen",
    "Count,Message,Traceback,Nodes",
];

type Rows = Vec<BTreeMap<String, String>>;

fn written(report: &Report) -> [String; 4] {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("run");
    assert!(write(&prefix, report).is_empty());
    paths(&prefix).map(|path| fs::read_to_string(path).unwrap())
}

/// What a program makes of the files.
fn read(report: &Report) -> [Rows; 4] {
    written(report).map(|text| {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().map(Result::unwrap).collect()
    })
}

fn numbers<const N: usize>(row: &BTreeMap<String, String>, columns: [&str; N]) -> [f64; N] {
    columns.map(|column| row[column].parse().unwrap())
}

#[test]
fn the_files_match_their_goldens() {
    let goldens = ENDINGS.map(|ending| format!("run{ending}"));
    for (name, text) in goldens.iter().zip(written(&fixture::report())) {
        fixture::assert_golden(name, &text.replace("\r\n", "\n"));
    }
}

#[test]
fn columns_and_ends_of_lines_are_those_of_locust() {
    for (text, header) in written(&fixture::report()).iter().zip(HEADERS) {
        let (first, _) = text.split_once("\r\n").unwrap();
        assert_eq!(first, header);
        assert!(text.ends_with("\r\n"));
    }
}

#[test]
fn the_rows_of_a_name_are_one_whatever_their_tags() {
    let report = fixture::report();
    let tagged = report.requests.iter().filter(|row| row.name == "/orders");
    assert_eq!(tagged.count(), 2);
    let [stats, ..] = read(&report);
    let rows: Vec<_> = stats
        .iter()
        .filter(|row| row["Name"] == "/orders")
        .collect();
    assert_eq!(rows.len(), 1);
    let columns = ["Request Count", "50%", "100%", "Average Content Size"];
    assert_eq!(numbers(rows[0], columns), [2.0, 1.5, 1.5, 4500.0]);

    let sum: f64 = stats
        .iter()
        .map(|row| numbers(row, ["Request Count"])[0])
        .sum();
    let total = report.total.requests as f64;
    assert_eq!(sum, 2.0 * total);
    let last = stats.last().unwrap();
    assert_eq!(
        (last["Type"].as_str(), last["Name"].as_str()),
        ("", "Aggregated")
    );
    assert_eq!(numbers(last, ["Request Count"]), [total]);
}

#[test]
fn the_history_adds_up_to_the_totals() {
    let report = fixture::report();
    let [stats, history, ..] = read(&report);
    let [idle, busy, end] = &history[..] else {
        panic!("{history:#?}");
    };
    assert_eq!(idle["50%"], "N/A");
    let columns = [
        "Timestamp",
        "User Count",
        "Requests/s",
        "Total Request Count",
    ];
    assert_eq!(numbers(idle, columns), [1_750_000_010.0, 50.0, 0.0, 0.0]);

    // All came in the second interval: it has the percentiles of the whole run.
    let all = stats.last().unwrap();
    for column in PERCENTILES {
        assert_eq!(busy[column], all[column], "{column}");
    }
    assert_eq!(end["50%"], "N/A");
    let total = report.total.requests as f64;
    assert_eq!(
        numbers(end, ["Requests/s", "Total Request Count"]),
        [0.0, total]
    );
    for column in ["Failure Count", "Median Response Time", "Max Response Time"] {
        assert_eq!(end[&format!("Total {column}")], all[column], "{column}");
    }
    for column in [
        "Average Response Time",
        "Min Response Time",
        "Average Content Size",
    ] {
        let [last] = numbers(end, [&format!("Total {column}")]);
        let [exact] = numbers(all, [column]);
        assert!(
            (last - exact).abs() <= exact * 0.001,
            "{column}: {last} for {exact}"
        );
    }
}

#[test]
fn a_name_is_no_formula_and_one_line() {
    let mut report = fixture::report();
    let names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "/a\r\n=b"];
    for (row, name) in report.requests.iter_mut().zip(names) {
        row.name = name.to_owned();
    }
    report.errors[0].message = "=HYPERLINK(\"http://x\",\"y\")".to_owned();
    report.task_errors[0].message = "-2+3".to_owned();
    let [stats, _, failures, exceptions] = read(&report);
    let shown: Vec<_> = stats.iter().map(|row| row["Name"].as_str()).collect();
    for name in ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "' =1+1", "/a  =b"] {
        assert!(shown.contains(&name), "{name:?} is not in {shown:?}");
    }
    assert_eq!(failures[0]["Error"], "'=HYPERLINK(\"http://x\",\"y\")");
    assert_eq!(exceptions[0]["Message"], "'-2+3");
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let mut report = fixture::report();
    report.total.time_ms.histogram = None;
    report.timeline.histograms.clear();
    for row in &mut report.requests {
        row.requests.time_ms.histogram = None;
    }
    let [stats, history, ..] = read(&report);
    for row in &stats {
        assert_eq!((&*row["50%"], &*row["100%"]), ("N/A", "N/A"));
        assert!(numbers(row, ["Max Response Time"])[0] > 0.0);
    }
    assert_eq!(history[1]["99%"], "N/A");
    assert_eq!(history[2]["Total Median Response Time"], "N/A");

    // Columns of another length than they should have are no panic.
    report.timeline = TimelineColumns {
        start_seconds: vec![0.0, f64::NAN],
        ..TimelineColumns::default()
    };
    "yesterday".clone_into(&mut report.run.started);
    let [_, history, ..] = read(&report);
    assert_eq!(history[0]["Timestamp"], "0");
}

#[test]
fn one_file_that_cannot_be_written_does_not_cost_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("run");
    fs::create_dir(directory.path().join("run_failures.csv")).unwrap();
    let errors = write(&prefix, &fixture::report());
    let [error] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert!(error.to_string().contains("run_failures.csv"), "{error}");
    let [stats, history, _, exceptions] = paths(&prefix);
    assert!(
        [stats, history, exceptions]
            .iter()
            .all(|path| path.is_file())
    );

    let nowhere = directory.path().join("nowhere").join("run");
    assert_eq!(write(&nowhere, &fixture::report()).len(), 4);
}
