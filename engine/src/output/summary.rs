//! The report at the end of a run, for people. A pure function of the run; it does not
//! print.

mod causes;
mod requests;
mod work;

use super::format::{count, ms, number, plain, span};
use super::page::Page;
pub use super::page::Style;
use super::{RunSummary, per_second};
use crate::threshold::Verdict;

/// The report, each line ended.
#[must_use]
pub fn summary(run: &RunSummary, style: Style) -> String {
    let mut page = Page::new(style);
    let snapshot = &run.snapshot;
    page.header(run);
    page.thresholds(&run.thresholds);
    page.requests(run);
    page.planned(snapshot);
    page.arrivals(snapshot);
    page.iterations(snapshot);
    page.phases(snapshot);
    page.checks(snapshot);
    page.custom(run);
    page.errors(snapshot);
    page.task_errors(snapshot);
    page.sandboxes(snapshot);
    page.notes(run);
    page.finish()
}

impl Page {
    fn header(&mut self, run: &RunSummary) {
        let users = &run.users;
        let mut lines = vec![("component", plain(&run.component).into_owned())];
        lines.extend(
            run.host
                .as_deref()
                .map(|host| ("host", plain(host).into_owned())),
        );
        lines.push(("duration", span(run.duration)));
        if !run.paused.is_zero() {
            lines.push(("paused", span(run.paused)));
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
        lines.push(("tasks", count(run.snapshot.tasks)));
        let iterations = run.snapshot.iterations.count();
        let mut work = format!(
            "{} ({} per second)",
            count(iterations),
            number(per_second(iterations as f64, run.duration))
        );
        if run.snapshot.interrupted_iterations > 0 {
            let interrupted = count(run.snapshot.interrupted_iterations);
            work.push_str(&format!(", {interrupted} cut off"));
        }
        lines.push(("iterations", work));
        lines.push(("ended", plain(&run.end_reason).into_owned()));
        for (label, value) in lines {
            self.line(&format!("{label:<10} {value}"));
        }
    }

    fn thresholds(&mut self, verdicts: &[Verdict]) {
        let rows = verdicts.iter().map(|verdict| {
            let mut value = match &verdict.value {
                Some(value) => format!("= {}", plain(value)),
                None => "no data".to_owned(),
            };
            if verdict.aborted {
                value.push_str(" (ended the run)");
            }
            (
                verdict.passed,
                plain(&verdict.expression).into_owned(),
                value,
            )
        });
        self.verdicts("Thresholds", rows);
    }

    fn notes(&mut self, run: &RunSummary) {
        let snapshot = &run.snapshot;
        let folded = snapshot.folded;
        let restarts = snapshot.restarts.values().sum();
        let losses = [
            (restarts, "sandboxes replaced", "their users started again"),
            (
                snapshot.log_dropped,
                "log lines dropped",
                "the scenario logs too much",
            ),
            (
                snapshot.events_dropped,
                "events dropped",
                "the scenario's observer was too slow",
            ),
            (
                run.users_ended,
                "users ended by --stop-timeout",
                "they did not finish in time",
            ),
            (
                folded.requests,
                "requests counted as (other)",
                "too many distinct names",
            ),
            (
                folded.errors,
                "errors counted as (other)",
                "too many distinct texts",
            ),
            (
                folded.custom,
                "custom values counted as (other)",
                "too many distinct names",
            ),
            (
                snapshot.invalid_values,
                "custom values ignored",
                "negative or not a number",
            ),
        ];
        let losses: Vec<_> = losses.iter().filter(|(n, ..)| *n > 0).collect();
        if snapshot.lag.count() == 0 && losses.is_empty() && !run.saturated {
            return;
        }
        self.title("Engine");
        if snapshot.lag.count() > 0 {
            let (p99, max) = (snapshot.lag.percentile(0.99), snapshot.lag.max());
            self.line(&format!(
                "timers late by (ms): p99 {}, max {}",
                ms(p99),
                ms(max)
            ));
        }
        for (n, what, why) in losses {
            self.warning(&format!("{what}: {} ({why})", count(*n)));
        }
        if run.saturated {
            self.warning("generator saturated: response times include the engine's own delays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Snapshot;
    use crate::output::fixture;
    use std::time::Duration;

    #[test]
    fn the_report_matches_its_golden() {
        for width in [80, 160] {
            let text = summary(
                &fixture::run(),
                Style {
                    width,
                    colour: false,
                },
            );
            fixture::assert_golden(&format!("summary-{width}.txt"), &text);
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in (80..=160).step_by(8) {
            let text = summary(
                &fixture::run(),
                Style {
                    width,
                    colour: false,
                },
            );
            for line in text.lines() {
                assert!(
                    line.chars().count() <= usize::from(width),
                    "{width}: {line}"
                );
            }
        }
    }

    #[test]
    fn a_run_without_requests_says_so() {
        let run = RunSummary {
            snapshot: Snapshot::default(),
            ..fixture::run()
        };
        let text = summary(
            &run,
            Style {
                width: 80,
                colour: false,
            },
        );
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
    fn a_run_without_thresholds_and_pauses_does_not_mention_them() {
        let run = RunSummary {
            thresholds: Vec::new(),
            paused: Duration::ZERO,
            ..fixture::run()
        };
        let text = summary(
            &run,
            Style {
                width: 80,
                colour: false,
            },
        );
        assert!(!text.contains("Thresholds"), "{text}");
        assert!(!text.contains("paused"), "{text}");
    }

    #[test]
    fn a_plan_that_was_kept_is_reported_without_a_warning() {
        let metrics = crate::metrics::Metrics::default();
        metrics.late(Duration::from_millis(1));
        let run = RunSummary {
            snapshot: metrics.snapshot(),
            ..fixture::run()
        };
        let text = summary(
            &run,
            Style {
                width: 80,
                colour: false,
            },
        );
        let line = "  dropped: 0 of 1 planned iterations (0.00%)\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let coloured = summary(
            &fixture::run(),
            Style {
                width: 160,
                colour: true,
            },
        );
        let plain = summary(
            &fixture::run(),
            Style {
                width: 160,
                colour: false,
            },
        );
        assert!(coloured.contains("\x1b[33m"));
        assert!(coloured.contains("  \x1b[32m✓\x1b[0m http_req_duration"));
        assert!(coloured.contains("  \x1b[31m✗\x1b[0m failures"));
        assert!(!plain.contains('\x1b'));
    }

    #[test]
    fn long_lists_of_causes_end_with_how_many_more() {
        let metrics = crate::metrics::Metrics::default();
        for n in 0..25 {
            metrics.task_error("Buyer", "pay", &format!("order {n}"));
        }
        let run = RunSummary {
            snapshot: metrics.snapshot(),
            ..fixture::run()
        };
        let text = summary(
            &run,
            Style {
                width: 80,
                colour: false,
            },
        );
        assert!(text.contains("  and 5 more\n"), "{text}");
        assert_eq!(text.matches("Buyer.pay").count(), 20);
    }
}
