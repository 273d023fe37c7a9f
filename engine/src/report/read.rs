//! Reads a report that was written earlier. The file may come from anywhere: it is bounded,
//! and what is read can be shown, compared and merged without a second look.

use super::{Distribution, Report, Requests, SCHEMA, TimelineColumns};
use crate::metrics::{InvalidHistogram, cut};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Many times what a run of a day with a thousand names takes.
const MAX_MIB: u64 = 256;

/// A file that is no report.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {name}: {cause}")]
pub struct ReadError {
    /// The path, or "standard input".
    name: String,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("{0}{cure}", cure = cure(.0))]
    Io(io::Error),
    #[error("it has more than {MAX_MIB} MiB, so it is no report of a run")]
    TooLarge,
    #[error("it is empty; a run writes its report at the end, so wait for that")]
    Empty,
    #[error("it is not JSON: {0}; give a file that `run --json` has written, unchanged")]
    NotJson(String),
    #[error("it is JSON, but no report of a run: {0}; give a file that `run --json` has written")]
    NotAReport(String),
    #[error(
        "it has schema {0}, and this version reads schemas up to {SCHEMA}; take the version of \
         aiotest-engine that wrote it, or a newer one"
    )]
    Newer(u64),
    #[error("{0}: {1}; the file was changed, take the original")]
    Histogram(String, InvalidHistogram),
    #[error(
        "timeline.{0} has {1} entries, where there are {2} intervals; the file was changed, \
         take the original"
    )]
    Column(String, usize, usize),
}

fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "; look at its name",
        io::ErrorKind::PermissionDenied => "; make it readable for you",
        io::ErrorKind::IsADirectory => "; give the file in it",
        _ => "",
    }
}

impl Report {
    /// Reads a file; `-` is the standard input.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no report that this version knows.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let (name, bytes) = match path.as_os_str() == "-" {
            true => ("standard input".to_owned(), bounded(io::stdin().lock())),
            false => {
                let bytes = File::open(path).map_err(Cause::Io).and_then(bounded);
                (path.display().to_string(), bytes)
            }
        };
        let report = bytes.and_then(|bytes| parse(&bytes));
        report.map_err(|cause| ReadError { name, cause })
    }
}

fn bounded(source: impl Read) -> Result<Vec<u8>, Cause> {
    let most = MAX_MIB << 20;
    let mut bytes = Vec::new();
    let read = source.take(most + 1).read_to_end(&mut bytes);
    if read.map_err(Cause::Io)? as u64 > most {
        return Err(Cause::TooLarge);
    }
    Ok(bytes)
}

/// What every schema has.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

/// More intervals than any run or merger writes.
const MAX_INTERVALS: usize = 4096;
/// More names than any timeline follows.
const MAX_NAMES: usize = 100;

fn parse(bytes: &[u8]) -> Result<Report, Cause> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Cause::Empty);
    }
    let words = |error: serde_json::Error| cut(&error.to_string()).to_owned();
    let whole: Result<IgnoredAny, _> = serde_json::from_slice(bytes);
    whole.map_err(|error| match error.classify() {
        Category::Data => Cause::NotAReport(words(error)),
        Category::Io | Category::Syntax | Category::Eof => Cause::NotJson(words(error)),
    })?;
    let no_report = |error| Cause::NotAReport(words(error));
    let Versioned { schema } = serde_json::from_slice(bytes).map_err(no_report)?;
    if schema > u64::from(SCHEMA) {
        return Err(Cause::Newer(schema));
    }
    let mut report: Report = serde_json::from_slice(bytes).map_err(no_report)?;
    check_histograms(&report)?;
    check_timeline(&mut report.timeline)?;
    Ok(report)
}

fn check_histograms(report: &Report) -> Result<(), Cause> {
    let of = |place: &str, times: &Distribution| match times.to_durations() {
        Ok(_) => Ok(()),
        Err(error) => Err(Cause::Histogram(place.to_owned(), error)),
    };
    let requests = |place: &str, requests: &Requests| {
        of(&format!("{place}.time_ms"), &requests.time_ms)?;
        match &requests.time_from_planned_start_ms {
            Some(times) => of(&format!("{place}.time_from_planned_start_ms"), times),
            None => Ok(()),
        }
    };
    requests("total", &report.total)?;
    for (at, row) in report.requests.iter().enumerate() {
        requests(&format!("requests[{at}]"), &row.requests)?;
    }
    for (name, took) in &report.phases_ms {
        of(&format!("phases_ms.{}", cut(name)), took)?;
    }
    for (name, group) in &report.groups {
        of(&format!("groups.{}", cut(name)), &group.time_ms)?;
    }
    of("iterations.time_ms", &report.iterations.time_ms)?;
    of("iterations.late_ms", &report.iterations.late_ms)?;
    of("engine.lag_ms", &report.engine.lag_ms)?;
    for (name, values) in &report.trends {
        if let Err(error) = values.to_values() {
            return Err(Cause::Histogram(format!("trends.{}", cut(name)), error));
        }
    }
    Ok(())
}

/// Each column has an entry for each interval, or none at all where the version that wrote
/// it did not know the column yet, which then is filled.
fn check_timeline(columns: &mut TimelineColumns) -> Result<(), Cause> {
    let fit = Fit(columns.start_seconds.len());
    // What is missing is filled in: a small text must not become a large report.
    if fit.0 > MAX_INTERVALS || columns.names.len() > MAX_NAMES || columns.statuses.len() > 10 {
        return Err(Cause::NotAReport(format!(
            "the timeline has more than {MAX_INTERVALS} intervals or {MAX_NAMES} names"
        )));
    }
    fit.column("span_seconds", &mut columns.span_seconds)?;
    fit.column("users", &mut columns.users)?;
    fit.column("target", &mut columns.target)?;
    fit.column("requests", &mut columns.requests)?;
    fit.column("failures", &mut columns.failures)?;
    for (class, column) in &mut columns.statuses {
        fit.column(&format!("statuses.{}", cut(class)), column)?;
    }
    fit.column("bytes_sent", &mut columns.bytes_sent)?;
    fit.column("bytes_received", &mut columns.bytes_received)?;
    fit.column("iterations", &mut columns.iterations)?;
    fit.column("dropped", &mut columns.dropped)?;
    fit.column("time_ms.avg", &mut columns.time_ms.avg)?;
    for column in columns.time_ms.percentiles() {
        fit.column("time_ms", column)?;
    }
    fit.column("time_ms.max", &mut columns.time_ms.max)?;
    fit.column("heat", &mut columns.heat)?;
    fit.column("engine.cpu_percent", &mut columns.engine.cpu_percent)?;
    fit.column("engine.memory_bytes", &mut columns.engine.memory_bytes)?;
    fit.column("engine.lag_ms", &mut columns.engine.lag_ms)?;
    for name in &mut columns.names {
        fit.column("names.requests", &mut name.requests)?;
        fit.column("names.failures", &mut name.failures)?;
        for column in [&mut name.p50, &mut name.p95, &mut name.p99] {
            fit.column("names", column)?;
        }
    }
    if !columns.histograms.is_empty() {
        fit.column("histograms", &mut columns.histograms)?;
    }
    for at in 0..columns.histograms.len() {
        if let Err(error) = columns.durations(at) {
            let place = format!("timeline.histograms[{at}]");
            return Err(Cause::Histogram(place, error));
        }
    }
    Ok(())
}

/// So many entries.
struct Fit(usize);

impl Fit {
    fn column<T: Clone + Default>(&self, name: &str, column: &mut Vec<T>) -> Result<(), Cause> {
        if column.is_empty() {
            column.resize(self.0, T::default());
        }
        match column.len() == self.0 {
            true => Ok(()),
            false => Err(Cause::Column(name.to_owned(), column.len(), self.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_text_becomes_no_large_report() {
        let mut many = document();
        many["timeline"] = json!({"start_seconds": vec![0; MAX_INTERVALS + 1]});
        let error = parse(many.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains("4096 intervals"), "{error}");
    }
    use crate::metrics::{Durations, Values};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn distribution() -> Distribution {
        let mut durations = Durations::default();
        durations.record(Duration::from_millis(5));
        Distribution::of_durations_with_histogram(&durations)
    }

    /// The least that there is in a report, and one interval.
    fn document() -> Value {
        let times = distribution();
        json!({
            "schema": 1,
            "run": {"component": "shop.wasm"},
            "total": {"requests": 1, "time_ms": times},
            "requests": [{"name": "/", "requests": 1, "time_ms": times}],
            "timeline": {
                "start_seconds": [0.0],
                "requests": [1],
                "time_ms": {"avg": [5.0], "max": [5.0]},
                "histograms": [times.histogram],
            },
        })
    }

    fn read(document: &Value) -> Result<Report, String> {
        parse(document.to_string().as_bytes()).map_err(|cause| cause.to_string())
    }

    #[test]
    fn what_an_older_version_did_not_know_is_empty() {
        let report = read(&document()).unwrap();
        assert_eq!(report.run.component, "shop.wasm");
        assert_eq!(report.requests[0].name, "/");
        assert_eq!(report.total.time_ms, distribution());
        assert_eq!(report.timeline.users, [0]);
        assert_eq!(report.timeline.time_ms.p99, [0.0]);
        assert_eq!(report.iterations.count, 0);
        assert!(report.log.is_empty());
    }

    #[test]
    fn a_newer_version_may_have_added_fields() {
        let mut document = document();
        document["run"]["weather"] = json!("rain");
        document["moons"] = json!([1, 2]);
        assert!(read(&document).is_ok());
    }

    #[test]
    fn what_is_no_report_is_told_apart() {
        let cases = [
            ("", "it is empty; a run writes its report at the end"),
            ("users: 5", "it is not JSON: expected value at line 1"),
            (
                "{\"schema\": 1, \"run\"",
                "it is not JSON: EOF while parsing",
            ),
            ("[1, 2]", "it is JSON, but no report of a run: "),
            ("{\"version\": 1}", "missing field `schema`"),
            ("{\"schema\": 1}", "missing field `run`"),
            (
                "{\"schema\": 7}",
                "it has schema 7, and this version reads schemas up to 1",
            ),
            ("{\"schema\": -1}", "it is JSON, but no report of a run: "),
        ];
        for (text, words) in cases {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let deep = "[".repeat(1_000_000);
        assert!(matches!(parse(deep.as_bytes()), Err(Cause::NotJson(_))));
    }

    #[test]
    fn what_was_changed_is_told_with_its_place() {
        let change = |path: &str, value: Value| {
            let mut document = document();
            *document.pointer_mut(path).unwrap() = value;
            read(&document).unwrap_err()
        };
        let other = json!(distribution().histogram.unwrap().replace('A', "B"));
        let cases = [
            (
                change("/total/time_ms/count", json!(2)),
                "total.time_ms: the histogram holds 1",
            ),
            (
                change("/total/time_ms/min", json!(7)),
                "total.time_ms: `sum`, `min` and `max`",
            ),
            (
                change("/requests/0/time_ms/histogram", json!("?")),
                "requests[0].time_ms: the hi",
            ),
            (
                change("/timeline/histograms/0", other),
                "timeline.histograms[0]: the histogram",
            ),
            (
                change("/timeline/requests", json!([1, 2])),
                "timeline.requests has 2 entries, wh",
            ),
            (
                change("/timeline/time_ms/max", json!([1, 2])),
                "timeline.time_ms.max has 2 entr",
            ),
        ];
        for (error, words) in cases {
            assert!(error.starts_with(words), "{error}");
        }
        let mut document = document();
        let mut values = Values::default();
        values.record(1.0);
        let mut trend = json!(Distribution::of_values_with_histogram(&values));
        trend["count"] = json!(3);
        document["trends"] = json!({"size": trend});
        let error = read(&document).unwrap_err();
        assert!(
            error.starts_with("trends.size: the histogram holds 1"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_the_file_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("run.json");
        let error = Report::read(&missing).unwrap_err().to_string();
        let name = missing.display();
        assert!(
            error.starts_with(&format!("cannot read {name}: ")),
            "{error}"
        );
        assert!(error.ends_with("; look at its name"), "{error}");

        let error = Report::read(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("; give the file in it"), "{error}");

        std::fs::write(&missing, document().to_string()).unwrap();
        assert_eq!(Report::read(&missing).unwrap().total.requests, 1);
    }

    #[test]
    fn a_source_without_end_is_left_in_time() {
        let error = bounded(io::repeat(b' ')).unwrap_err();
        assert!(matches!(error, Cause::TooLarge));
    }
}
