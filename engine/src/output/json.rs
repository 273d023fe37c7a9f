//! The report for programs: the whole document as JSON.

use crate::report::Report;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io::{self, Write};

/// The document as a text.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Layout::default());
    // It is made of texts, numbers and maps with text keys, which all have a form in JSON,
    // and a vector takes all that is written.
    let _ = report.serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// A line for each field, but not for each number of a column.
#[derive(Default)]
struct Layout(PrettyFormatter<'static>);

impl Formatter for Layout {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match first {
            true => Ok(()),
            false => out.write_all(b", "),
        }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Snapshot;
    use crate::metrics::users::Users;
    use crate::output::fixture::{self, Measured};
    use crate::report::Recent;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn rendered() -> Value {
        serde_json::from_str(&render(&fixture::report())).unwrap()
    }

    /// How well a histogram is packed may change with the library that packs it.
    fn without_histograms(line: &str) -> String {
        let cut = |key: &str, rest: &str| {
            let at = line.find(key)?;
            Some(format!("{}{key}{rest}", &line[..at]))
        };
        cut("\"histogram\": \"", "…\"")
            .or_else(|| cut("\"histograms\": [", "…],"))
            .unwrap_or_else(|| line.to_owned())
    }

    #[test]
    fn the_report_matches_its_golden() {
        let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        let text = render(&fixture::report()).replace(&version, "\"version\": \"x.y.z\"");
        let lines: Vec<String> = text.lines().map(without_histograms).collect();
        fixture::assert_golden("report.json", &(lines.join("\n") + "\n"));
    }

    #[test]
    fn programs_read_back_what_was_measured() {
        let report = rendered();
        assert_eq!(report["schema"], 1);
        assert_eq!(report["run"]["exit_code"], 1);
        let rows = report["requests"].as_array().unwrap();
        let sum: u64 = rows
            .iter()
            .map(|row| row["requests"].as_u64().unwrap())
            .sum();
        assert_eq!(report["total"]["requests"], sum);
        assert_eq!(report["trends"]["items in cart"]["count"], 1000);
        assert_eq!(report["timeline"]["requests"], json!([0, sum, 0]));
    }

    #[test]
    fn the_document_is_read_as_it_was_written() {
        let report = fixture::report();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.json");
        std::fs::write(&path, render(&report)).unwrap();
        assert_eq!(Report::read(&path).unwrap(), report);
    }

    #[test]
    fn the_document_is_what_its_schema_says() {
        let schema = include_str!("../../../docs/report.schema.json");
        let schema: Value = serde_json::from_str(schema).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let finished = rendered();
        let errors: Vec<_> = schema.iter_errors(&finished).collect();
        assert!(errors.is_empty(), "{errors:?}");

        let mut live = fixture::report();
        live.total.time_ms.histogram = None;
        live.timeline.histograms.clear();
        live.total.recent = Some(Recent::of(10, 1, Duration::from_secs(1)));
        live.run.planned_seconds = None;
        assert!(schema.is_valid(&serde_json::to_value(&live).unwrap()));

        for (place, wrong) in [
            ("/run/started", json!(5)),
            ("/total/requests", json!(-1)),
            ("/requests/0/time_ms/p99.9", json!("fast")),
            ("/timeline/heat", json!([1, 2])),
            ("/users/classes", json!([])),
        ] {
            let mut document = finished.clone();
            *document.pointer_mut(place).unwrap() = wrong;
            assert!(!schema.is_valid(&document), "{place}");
        }
        let mut document = finished;
        document.as_object_mut().unwrap().remove("total");
        assert!(!schema.is_valid(&document));
    }

    #[test]
    fn what_was_planned_is_there_where_something_was() {
        let report = rendered();
        let rows = report["requests"].as_array().unwrap();
        let planned = |row: &&Value| row.get("time_from_planned_start_ms").is_some();
        let names: Vec<_> = rows
            .iter()
            .filter(planned)
            .map(|row| &row["tags"])
            .collect();
        assert_eq!(
            names,
            [
                &json!({"group": "checkout::pay", "region": "us"}),
                &json!({"region": "eu"})
            ]
        );
        assert_eq!(rows[0]["tags"], json!({}));
        assert_eq!(report["total"]["time_from_planned_start_ms"]["count"], 2);
        assert_eq!(report["iterations"]["dropped"], 3);
        assert_eq!(report["iterations"]["late_ms"]["max"], 500.0);
        assert_eq!(report["groups"]["checkout"]["time_ms"]["count"], 500);
    }

    #[test]
    fn an_empty_run_is_valid_too() {
        let report = fixture::report_of(&Measured {
            duration: Duration::ZERO,
            thresholds: Vec::new(),
            users: Users::default(),
            snapshot: Snapshot::default(),
        });
        let report: Value = serde_json::from_str(&render(&report)).unwrap();
        assert_eq!(report["total"]["requests_per_second"], 0.0);
        assert_eq!(report["total"]["time_ms"]["p99.9"], 0.0);
        assert_eq!(report["iterations"]["per_second"], 0.0);
        assert_eq!(report["timeline"]["requests"], json!([]));
        assert!(report["total"].get("time_from_planned_start_ms").is_none());
    }
}
