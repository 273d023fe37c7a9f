//! The report at the end of a run, for people. A pure function of the document; it does not
//! print.

mod causes;
mod requests;
mod work;

use super::format::{count, number, plain, seconds, span};
use super::page::Page;
pub use super::page::Style;
use crate::report::{Report, Threshold};

/// The report, each line ended.
#[must_use]
pub fn summary(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    page.header(report);
    page.thresholds(&report.thresholds);
    page.requests(report);
    page.arrivals(report);
    page.iterations(report);
    page.phases(report);
    page.checks(report);
    page.custom(report);
    page.errors(report);
    page.task_errors(report);
    page.sandboxes(report);
    page.notes(report);
    page.finish()
}

impl Page {
    fn header(&mut self, report: &Report) {
        let (run, users) = (&report.run, &report.users);
        let mut lines = vec![("component", run.component.clone())];
        lines.extend(run.host.clone().map(|host| ("host", host)));
        if !run.labels.is_empty() {
            let labels = run
                .labels
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            lines.push(("labels", labels.collect::<Vec<_>>().join(", ")));
        }
        lines.push(("duration", span(seconds(run.duration_seconds))));
        if run.paused_seconds > 0.0 {
            lines.push(("paused", span(seconds(run.paused_seconds))));
        }
        lines.push((
            "users",
            format!(
                "{} at peak, {} started, {} stopped",
                count(users.peak),
                count(users.started),
                count(users.stopped)
            ),
        ));
        lines.push(("tasks", count(report.tasks)));
        let iterations = &report.iterations;
        let mut work = format!(
            "{} ({} per second)",
            count(iterations.count),
            number(iterations.per_second)
        );
        if iterations.interrupted > 0 {
            work.push_str(&format!(", {} cut off", count(iterations.interrupted)));
        }
        lines.push(("iterations", work));
        lines.push(("ended", run.end_reason.clone()));
        for (label, value) in lines {
            self.line(&format!("{label:<10} {}", plain(&value)));
        }
    }

    fn thresholds(&mut self, thresholds: &[Threshold]) {
        let rows = thresholds.iter().map(|threshold| {
            let mut value = match &threshold.value {
                Some(value) => format!("= {}", plain(value)),
                None => "no data".to_owned(),
            };
            if threshold.ended_run {
                value.push_str(" (ended the run)");
            }
            (
                threshold.passed,
                plain(&threshold.expression).into_owned(),
                value,
            )
        });
        self.verdicts("Thresholds", rows);
    }

    fn notes(&mut self, report: &Report) {
        let engine = &report.engine;
        let restarts = report.sandbox_restarts.values().copied();
        let losses = [
            (
                restarts.fold(0, u64::saturating_add),
                "sandboxes replaced",
                "their users started again",
            ),
            (
                engine.log_lines_dropped,
                "log lines dropped",
                "the scenario logs too much",
            ),
            (
                engine.events_dropped,
                "events dropped",
                "the scenario's observer was too slow",
            ),
            (
                engine.samples_dropped,
                "samples left out",
                "their file was too slow, or had no room",
            ),
            (
                report.users.ended_by_stop_timeout,
                "users ended by --stop-timeout",
                "they did not finish in time",
            ),
            (
                engine.requests_folded,
                "requests counted as (other)",
                "too many distinct names",
            ),
            (
                engine.errors_folded,
                "errors counted as (other)",
                "too many distinct texts",
            ),
            (
                engine.custom_values_folded,
                "custom values counted as (other)",
                "too many distinct names",
            ),
            (
                engine.custom_values_invalid,
                "custom values ignored",
                "negative or not a number",
            ),
        ];
        let losses: Vec<_> = losses.iter().filter(|(n, ..)| *n > 0).collect();
        let lag = &engine.lag_ms;
        if lag.count == 0 && losses.is_empty() && !engine.saturated {
            return;
        }
        self.title("Engine");
        if lag.count > 0 {
            self.line(&format!(
                "timers late by (ms): p99 {}, max {}",
                number(lag.p99),
                number(lag.max)
            ));
        }
        for (n, what, why) in losses {
            self.warning(&format!("{what}: {} ({why})", count(*n)));
        }
        if engine.saturated {
            self.warning("generator saturated: response times include the engine's own delays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metrics, Snapshot};
    use crate::output::fixture::{self, Measured};
    use crate::sample::{Failure, Sample, Sink, Timings};
    use std::time::Duration;

    fn text(report: &Report, width: u16) -> String {
        let style = Style {
            width,
            colour: false,
        };
        summary(report, style)
    }

    /// The summary of a run that measured this.
    fn of_snapshot(snapshot: Snapshot) -> String {
        let measured = Measured {
            snapshot,
            ..fixture::run()
        };
        text(&fixture::report_of(&measured), 80)
    }

    #[test]
    fn the_report_matches_its_golden() {
        for width in [80, 160] {
            let text = text(&fixture::report(), width);
            fixture::assert_golden(&format!("summary-{width}.txt"), &text);
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in (80..=160).step_by(8) {
            for line in text(&fixture::report(), width).lines() {
                assert!(
                    line.chars().count() <= usize::from(width),
                    "{width}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_run_without_requests_says_so() {
        let text = of_snapshot(Snapshot::default());
        assert!(text.contains("No requests"), "{text}");
        for absent in [
            "Errors",
            "Arrivals",
            "planned start",
            "Iterations",
            "Groups",
        ] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
    }

    #[test]
    fn what_a_run_did_not_have_is_not_mentioned() {
        let mut report = fixture::report();
        report.thresholds.clear();
        report.run.labels.clear();
        report.run.paused_seconds = 0.0;
        let text = text(&report, 80);
        for absent in ["Thresholds", "labels", "paused", "samples"] {
            assert!(!text.contains(absent), "{absent}: {text}");
        }
    }

    #[test]
    fn a_plan_that_was_kept_is_reported_without_a_warning() {
        let metrics = Metrics::default();
        metrics.late(Duration::from_millis(1));
        let text = of_snapshot(metrics.snapshot());
        let line = "  dropped: 0 of 1 planned iterations (0.00%)\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let report = fixture::report();
        let coloured = summary(
            &report,
            Style {
                width: 160,
                colour: true,
            },
        );
        assert!(coloured.contains("\x1b[33m"));
        assert!(coloured.contains("  \x1b[32m✓\x1b[0m http_req_duration"));
        assert!(coloured.contains("  \x1b[31m✗\x1b[0m failures"));
        assert!(!text(&report, 160).contains('\x1b'));
    }

    #[test]
    fn long_lists_of_causes_end_with_how_many_more() {
        let metrics = Metrics::default();
        for n in 0..25 {
            metrics.task_error("Buyer", "pay", &format!("order {n}"));
        }
        let text = of_snapshot(metrics.snapshot());
        assert!(text.contains("  and 5 more\n"), "{text}");
        assert_eq!(text.matches("Buyer.pay").count(), 20);
    }

    #[test]
    fn of_a_thousand_names_the_failing_and_the_busiest_are_shown() {
        let metrics = Metrics::default();
        for n in 0..1000 {
            // Every tenth name of the rarest fails once, and the last ones are the busiest.
            let fails = n % 10 == 0 && n < 300;
            let failure = fails.then_some(Failure {
                kind: "status",
                message: "500",
            });
            for failure in std::iter::once(failure).chain(vec![None; n / 100]) {
                metrics.record(&Sample {
                    method: "GET",
                    name: &format!("/item/{n:03}"),
                    tags: "",
                    status: 200,
                    failure,
                    timings: Timings {
                        total: Duration::from_millis(1),
                        ..Timings::default()
                    },
                    sent: 0,
                    received: 0,
                    late: Some(Duration::from_millis(1)),
                });
            }
        }
        let text = of_snapshot(metrics.snapshot());
        // 25 of the 30 that fail, and 25 of the 100 that are busiest, in each table.
        let tables: Vec<&str> = text.split("Aggregated").take(3).collect();
        assert_eq!(tables.len(), 3);
        for table in tables {
            assert_eq!(table.matches("GET /item/").count(), 50, "{table}");
            assert_eq!(table.matches("GET /item/9").count(), 25, "{table}");
            assert!(table.contains("GET /item/000 "), "{table}");
        }
        let more = "  and 950 more: 5,195 requests, 5 failed (--json and --html have all)\n";
        assert_eq!(text.matches(more).count(), 1, "{text}");
    }
}
