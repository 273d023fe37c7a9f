//! Every output's percentiles are those of the requests: compared with the exact order
//! statistics of all samples of a run whose response times are spread widely.

use std::{collections::BTreeMap, fs};

use aiotest_tests::{
    Control, Engine, Histogram, LoadTest, Results, Spread,
    samples::{self, Row},
};
use serde_json::Value;
use tempfile::TempDir;

const GUEST: &str = "guest-bench";
/// What is compared, as reports call it, and the share that does not exceed it.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
/// All requests together.
const ALL: &str = "Aggregated";

/// The response times of a name in microseconds, in order, and how many failed.
#[derive(Default)]
struct Exact {
    micros: Vec<u64>,
    failures: u64,
}

impl Exact {
    /// By request, and all together.
    fn of(rows: &[Row]) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for row in rows {
            for name in [row.request.as_str(), ALL] {
                let exact = all.entry(name.to_owned()).or_default();
                exact.micros.push(row.micros);
                exact.failures += u64::from(!row.ok);
            }
        }
        all.values_mut()
            .for_each(|exact| exact.micros.sort_unstable());
        all
    }

    fn count(&self) -> u64 {
        self.micros.len() as u64
    }

    /// The smallest that at least this share of all do not exceed, in milliseconds.
    fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.count() as f64).ceil() as usize;
        self.micros[rank.max(1) - 1] as f64 / 1e3
    }

    /// Compares a percentile in milliseconds, which may be rounded by `rounding`.
    #[track_caller]
    fn check(&self, share: f64, shown: f64, rounding: f64, what: &str) {
        let exact = self.percentile(share);
        let off = (shown - exact).abs();
        assert!(
            off <= exact * 0.001 + 0.001 + rounding,
            "{what}: {share} is {shown} ms, but exactly {exact} ms"
        );
    }

    /// How many do not exceed so many seconds.
    fn up_to(&self, seconds: f64) -> u64 {
        self.micros
            .partition_point(|&us| us as f64 <= seconds * 1e6) as u64
    }
}

/// A run with every output, and what it left behind.
struct Run {
    results: Results,
    /// What `/metrics` said after the last request.
    metrics: String,
    rows: Vec<Row>,
    directory: TempDir,
}

impl Run {
    fn of(server: &Spread, args: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let place = |name: &str| directory.path().join(name).display().to_string();
        let mut line: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        for (flag, name) in [
            ("--samples", "samples.jsonl"),
            ("--html", "report.html"),
            ("--csv", "run"),
            ("--junit", "junit.xml"),
        ] {
            line.extend([flag.to_owned(), place(name)]);
        }
        let more = [
            "-e",
            "MS=1",
            "--prometheus",
            "127.0.0.1:0",
            "--linger",
            "-H",
        ];
        line.extend(more.map(str::to_owned));
        line.push(server.url());
        let mut test = LoadTest::start_with(&Engine::new(), GUEST, line);
        let control = Control::of(&mut test);
        control.wait_until(|state| state["state"] == "stopped");
        let metrics = control.get("/metrics").body;
        control.post("/quit");
        let results = test.finish();
        let rows = samples::read(&directory.path().join("samples.jsonl"));
        Self {
            results,
            metrics,
            rows,
            directory,
        }
    }

    fn text(&self, name: &str) -> String {
        let path = self.directory.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

#[test]
fn every_output_shows_the_percentiles_of_the_samples() {
    let server = Spread::start();
    let run = Run::of(&server, "Get Delay -u 24 --max-requests 6000");
    let exact = Exact::of(&run.rows);
    assert_eq!(exact.len(), 3, "two names, and all");
    let all = &exact[ALL];
    assert_eq!(
        (all.count(), all.failures),
        (server.requests(), server.failures())
    );
    assert_eq!(run.results.number("/engine/samples_dropped"), 0.0);
    // Widely spread, or there would be little to compare.
    assert!(all.percentile(0.99) > 10.0 * all.percentile(0.5));

    document(&exact, &run.results.report, "JSON");
    let page = run.text("report.html");
    document(&exact, &data_of(&page)["reports"][0], "HTML");
    summary(&exact, &run.results.output.stdout);
    csv(&exact, &run.text("run_stats.csv"));
    junit(&exact, &run.text("junit.xml"));
    prometheus(&exact, &run.metrics);
}

#[test]
fn times_from_the_planned_start_are_those_of_the_samples() {
    let server = Spread::start();
    // More than the one user can do in time, so that iterations are late.
    let run = Run::of(&server, "Get --arrival-rate 120 -u 1 --max-users 1 -t 3s");
    let total = &run.results.report["total"];
    let late = |row: &Row| row.late_micros.map(|late| row.micros + late);
    let planned: Vec<Row> = run
        .rows
        .iter()
        .filter_map(|row| {
            Some(Row {
                micros: late(row)?,
                ..row.clone()
            })
        })
        .collect();
    assert_eq!(planned.len(), run.rows.len(), "each request was planned");
    let from_plan = &Exact::of(&planned)[ALL];
    let times = &total["time_from_planned_start_ms"];
    assert_eq!(times["count"], from_plan.count());
    for (name, share) in PERCENTILES {
        // Both parts are rounded to the microsecond.
        from_plan.check(share, ms(&times[name]), 0.001, name);
    }
    let plain = &Exact::of(&run.rows)[ALL];
    assert!(from_plan.percentile(0.5) > plain.percentile(0.5));
}

fn ms(value: &Value) -> f64 {
    value.as_f64().expect("it is a number")
}

/// Each distribution of a document: its percentiles, and its histogram, read as any program
/// may.
fn document(exact: &BTreeMap<String, Exact>, report: &Value, what: &str) {
    let rows = report["requests"].as_array().expect("it is a list");
    let named = rows.iter().map(|row| {
        let text = |field: &str| row[field].as_str().expect("it is a text").to_owned();
        (format!("{} {}", text("method"), text("name")), row)
    });
    let mut seen = 0;
    for (name, row) in named.chain([(ALL.to_owned(), &report["total"])]) {
        let (exact, what) = (&exact[&name], format!("{what} of {name}"));
        assert_eq!(row["requests"], exact.count(), "{what}");
        assert_eq!(row["failures"], exact.failures, "{what}");
        let times = &row["time_ms"];
        let text = times["histogram"].as_str().expect("there is a histogram");
        let histogram = Histogram::decode(text);
        assert_eq!(histogram.count(), exact.count(), "{what}");
        for (field, share) in PERCENTILES {
            exact.check(share, ms(&times[field]), 0.0, &what);
            exact.check(share, histogram.percentile(share), 0.0, &what);
        }
        for (field, share) in [("min", 0.0), ("max", 1.0)] {
            exact.check(share, ms(&times[field]), 0.0, &what);
        }
        seen += 1;
    }
    assert_eq!(seen, exact.len(), "{what}");
}

/// The data element of the page.
fn data_of(page: &str) -> Value {
    let (_, data) = page
        .split_once(r#"<script id="data" type="application/json">"#)
        .expect("the page has data");
    let (data, _) = data.split_once("</script>").expect("the data end");
    serde_json::from_str(data).expect("the data are JSON")
}

/// The table of requests, whose columns are right-aligned and some spaces apart.
fn summary(exact: &BTreeMap<String, Exact>, text: &str) {
    let columns = ["Median", "p90", "p99", "p99.9"];
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Requests"));
    let heads = cells(lines.nth(1).expect("the table has a head"));
    let mut seen = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        let cells = cells(line);
        let cell = |head: &str| {
            let at = heads.iter().position(|name| name == head);
            cells[at.unwrap_or_else(|| panic!("no column {head} in {heads:?}"))].as_str()
        };
        let exact = &exact[cell("Request")];
        assert_eq!(number(cell("Requests")).0, exact.count() as f64, "{line}");
        let failures = cell("Failures").split(' ').next().expect("a number");
        assert_eq!(number(failures).0, exact.failures as f64, "{line}");
        for (column, (_, share)) in columns.into_iter().zip(PERCENTILES) {
            let (shown, unit) = number(cell(column));
            exact.check(share, shown, unit / 2.0, line);
        }
        seen += 1;
    }
    assert_eq!(seen, exact.len(), "{text}");
}

fn cells(line: &str) -> Vec<String> {
    let cells = line.split("  ").map(str::trim);
    cells
        .filter(|cell| !cell.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A number for people, and the unit of its last digit.
fn number(text: &str) -> (f64, f64) {
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len());
    let number = text.replace(',', "").parse();
    (
        number.expect("it is a number"),
        0.1_f64.powi(decimals as i32),
    )
}

fn csv(exact: &BTreeMap<String, Exact>, text: &str) {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let heads = lines.next().expect("the file has a head");
    let mut seen = 0;
    for row in lines {
        let cell = |head: &str| {
            let at = heads.iter().position(|name| *name == head);
            row[at.unwrap_or_else(|| panic!("no column {head} in {heads:?}"))]
        };
        let name = format!("{} {}", cell("Type"), cell("Name"));
        let exact = &exact[name.trim()];
        let counts = [cell("Request Count"), cell("Failure Count")].map(|text| number(text).0);
        assert_eq!(counts, [exact.count() as f64, exact.failures as f64]);
        for (column, (_, share)) in ["50%", "90%", "99%", "99.9%"].into_iter().zip(PERCENTILES) {
            exact.check(
                share,
                number(cell(column)).0,
                0.0,
                &format!("CSV of {name}"),
            );
        }
        seen += 1;
    }
    assert_eq!(seen, exact.len(), "{text}");
}

fn junit(exact: &BTreeMap<String, Exact>, text: &str) {
    let cases = text
        .split("<testcase ")
        .filter(|case| case.contains("in ms: "));
    let mut seen = 0;
    for case in cases {
        let name = between(case, "name=\"", "\"");
        let exact = &exact[name];
        let words = between(case, "<system-out>", "</system-out>");
        let counts = format!("{} requests, {} failed, ", exact.count(), exact.failures);
        assert!(words.starts_with(&counts), "{words}");
        for (field, share) in PERCENTILES {
            let (shown, unit) = number(between(words, &format!(" {field} "), ","));
            exact.check(share, shown, unit / 2.0, &format!("JUnit of {name}"));
        }
        seen += 1;
    }
    assert_eq!(seen, exact.len() - 1, "{text}");
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split_once(after));
    rest.unwrap_or_else(|| panic!("no {before}…{after} in {text}"))
        .0
}

/// Buckets count what they say: a percentile is between the bounds of the bucket it falls
/// into.
fn prometheus(exact: &BTreeMap<String, Exact>, text: &str) {
    const FAMILY: &str = "aiotest_http_request_duration_seconds";
    let mut buckets = 0;
    for (name, exact) in exact.iter().filter(|(name, _)| *name != ALL) {
        let (method, endpoint) = name.split_once(' ').expect("method and name");
        let labels = format!("method=\"{method}\",endpoint=\"{endpoint}\"");
        let count = format!("{FAMILY}_count{{{labels}}} {}", exact.count());
        assert!(
            text.lines().any(|line| line == count),
            "no {count} in {text}"
        );
        let series = format!("{FAMILY}_bucket{{{labels},le=\"");
        let mut shares: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let mut below = 0.0;
        for rest in text.lines().filter_map(|line| line.strip_prefix(&series)) {
            let (bound, count) = rest.split_once("\"} ").expect("a bound and a count");
            let count: u64 = count.parse().expect("a count");
            let bound = match bound {
                "+Inf" => f64::INFINITY,
                bound => bound.parse().expect("a bound"),
            };
            let least = exact.up_to(bound * 0.999 - 1e-6);
            let most = exact.up_to(bound * 1.001 + 1e-6);
            assert!(
                (least..=most).contains(&count),
                "{name}: {count} up to {bound} s"
            );
            for (percentile, share) in PERCENTILES {
                if count as f64 >= share * exact.count() as f64 {
                    shares.entry(percentile).or_insert((below, bound));
                }
            }
            below = bound;
            buckets += 1;
        }
        for (percentile, share) in PERCENTILES {
            let seconds = exact.percentile(share) / 1e3;
            let (low, high) = shares[percentile];
            let within = low * 0.999 - 1e-6 <= seconds && seconds <= high * 1.001 + 1e-6;
            assert!(
                within,
                "{name}: {percentile} is {seconds} s, not {low} to {high} s"
            );
        }
    }
    assert!(buckets > 10, "{text}");
}
