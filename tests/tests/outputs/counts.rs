//! Requests and failures by method and name, as each output has them. Knows the formats.

use std::collections::BTreeMap;

use serde_json::Value;
use shop_server::Stats;

/// Before the data of a page.
const DATA: &str = r#"<script id="data" type="application/json">"#;

/// Requests and failures of each `METHOD name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(pub(crate) BTreeMap<String, (u64, u64)>);

impl Counts {
    fn add(&mut self, method: &str, name: &str, requests: u64, failures: u64) {
        // What is folded has no method of its own.
        let row = match name {
            "(other)" => name.to_owned(),
            _ => format!("{method} {name}"),
        };
        let counts = self.0.entry(row).or_default();
        counts.0 += requests;
        counts.1 += failures;
    }

    pub(crate) fn total(&self) -> (u64, u64) {
        let sum = |all: (u64, u64), one: &(u64, u64)| (all.0 + one.0, all.1 + one.1);
        self.0.values().fold((0, 0), sum)
    }

    /// Without the failures, which a server does not tell apart by route.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        let rows = self.0.iter();
        rows.map(|(row, counts)| (row.clone(), counts.0)).collect()
    }

    pub(crate) fn of_document(document: &Value) -> Self {
        let mut counts = Self::default();
        for row in list(&document["requests"]) {
            let [requests, failures] = ["requests", "failures"].map(|field| whole(&row[field]));
            counts.add(text(&row["method"]), text(&row["name"]), requests, failures);
        }
        counts
    }

    pub(crate) fn of_samples(lines: &str) -> Self {
        let mut counts = Self::default();
        for line in lines.lines() {
            let sample: Value = serde_json::from_str(line).expect("a line is JSON");
            let failed = sample["ok"] == false;
            let (method, name) = (text(&sample["method"]), text(&sample["name"]));
            counts.add(method, name, 1, failed.into());
        }
        counts
    }

    pub(crate) fn of_csv(rows: &[Record]) -> Self {
        let mut counts = Self::default();
        let (aggregated, rows) = rows.split_last().expect("there are rows");
        assert_eq!(aggregated["Name"], "Aggregated");
        for row in rows {
            let [requests, failures] = csv_counts(row);
            counts.add(&row["Type"], &row["Name"], requests, failures);
        }
        let [requests, failures] = csv_counts(aggregated);
        assert_eq!(counts.total(), (requests, failures));
        counts
    }

    pub(crate) fn of_junit(xml: &str) -> Self {
        let document = quick_junit::Report::deserialize_from_str(xml).expect("it is JUnit's");
        let suites = document.test_suites.iter();
        let cases = suites
            .filter(|suite| suite.name.as_str() == "requests")
            .flat_map(|suite| &suite.test_cases);
        let mut counts = Self::default();
        for case in cases {
            let output = case
                .system_out
                .as_ref()
                .expect("a case has numbers")
                .as_str();
            let mut parts = output.split(", ");
            let [requests, failures] = [" requests", " failed"].map(|unit| {
                let part = parts.next().and_then(|part| part.strip_suffix(unit));
                part.expect("the numbers have units")
                    .parse()
                    .expect("it is a number")
            });
            let (method, name) = case.name.as_str().split_once(' ').expect("it has a method");
            counts.add(method, name, requests, failures);
            let is_spotless = matches!(case.status, quick_junit::TestCaseStatus::Success { .. });
            assert_eq!(is_spotless, failures == 0, "{case:?}");
        }
        counts
    }

    pub(crate) fn of_metrics(exposition: &str) -> Self {
        const SERIES: &str = "aiotest_http_requests_total{";
        let mut counts = Self::default();
        for line in exposition.lines().filter(|line| line.starts_with(SERIES)) {
            let (_, count) = line.rsplit_once(' ').expect("a series has a value");
            let count = count.parse().expect("it is a whole number");
            let failures = match label(line, "assertion_result") {
                "fail" => count,
                _ => 0,
            };
            counts.add(
                label(line, "method"),
                label(line, "endpoint"),
                count,
                failures,
            );
        }
        counts
    }
}

/// The server's failures: all statuses from 400 on.
pub(crate) fn failures_of_shop(stats: &Stats) -> u64 {
    stats.by_status.range(400..).map(|(_, count)| count).sum()
}

/// A row of a file of comma-separated values, by column.
pub(crate) type Record = BTreeMap<String, String>;

pub(crate) fn records(text: &str) -> Vec<Record> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records = reader.deserialize();
    records
        .map(|record| record.expect("rows are as the header"))
        .collect()
}

pub(crate) fn number(record: &Record, column: &str) -> f64 {
    let cell = record
        .get(column)
        .unwrap_or_else(|| panic!("no {column} in {record:?}"));
    cell.parse()
        .unwrap_or_else(|_| panic!("{column} is no number in {record:?}"))
}

fn csv_counts(row: &Record) -> [u64; 2] {
    ["Request Count", "Failure Count"].map(|column| number(row, column) as u64)
}

/// The data of a page.
pub(crate) fn page_data(page: &str) -> Value {
    let (_, rest) = page.split_once(DATA).expect("the page has data");
    let (data, _) = rest.split_once("</script>").expect("the data have an end");
    serde_json::from_str(data).expect("the data are JSON")
}

/// The value of a label of a series.
fn label<'a>(series: &'a str, name: &str) -> &'a str {
    let value = series
        .split_once(&format!("{name}=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    value.expect("the series has the label").0
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("it is a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

fn whole(value: &Value) -> u64 {
    value.as_u64().expect("it is a whole number")
}
