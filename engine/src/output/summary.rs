//! The report at the end of a run, for people. A pure function of the run; it does not
//! print.

use super::format::{bytes, count, ms, number, percent, plain, span};
use super::page::Column::{Number, Text, Word};
pub use super::page::Style;
use super::page::{Page, content_width, grid};
use super::{RunSummary, by_count};
use crate::metrics::{Durations, RequestStats, Snapshot};

/// The report, each line ended.
#[must_use]
pub fn summary(run: &RunSummary, style: Style) -> String {
    let mut page = Page::new(style);
    let snapshot = &run.snapshot;
    page.header(run);
    page.requests(run);
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
        lines.push(("ended", plain(&run.end_reason).into_owned()));
        for (label, value) in lines {
            self.line(&format!("{label:<10} {value}"));
        }
    }

    /// One table where it fits, or else two.
    fn requests(&mut self, run: &RunSummary) {
        let snapshot = &run.snapshot;
        if snapshot.requests.is_empty() {
            self.title("No requests");
            return;
        }
        let mut rows: Vec<(String, &RequestStats)> = snapshot
            .requests
            .iter()
            .map(|(key, stats)| (label(&key.method, &key.name), stats))
            .collect();
        rows.push(("Aggregated".to_owned(), &snapshot.total));

        let counts = |stats: &RequestStats| {
            let failures = format!(
                "{} ({})",
                count(stats.failures),
                percent(stats.failure_share())
            );
            vec![count(stats.count()), failures]
        };
        let traffic =
            |stats: &RequestStats| vec![number(stats.rate(run.duration)), bytes(stats.received)];
        let table = |columns: &[&str], cells: &dyn Fn(&RequestStats) -> Vec<String>| {
            let mut all = vec![("Request", Text)];
            all.extend(columns.iter().map(|name| (*name, Number)));
            let rows = rows.iter().map(|(name, stats)| {
                let mut row = vec![name.clone()];
                row.extend(cells(stats));
                row
            });
            grid(&all, rows)
        };

        let wide = table(
            &[
                &["Requests", "Failures"],
                &TIMES[..],
                &["req/s", "Received"],
            ]
            .concat(),
            &|stats| [counts(stats), times(&stats.time), traffic(stats)].concat(),
        );
        if content_width(&wide) <= self.width() {
            self.section("Requests (times in ms)", wide);
            return;
        }
        let narrow = table(&["Requests", "Failures", "req/s", "Received"], &|stats| {
            [counts(stats), traffic(stats)].concat()
        });
        self.section("Requests", narrow);
        self.section(
            "Response times (ms)",
            table(&TIMES, &|stats| times(&stats.time)),
        );
    }

    fn phases(&mut self, snapshot: &Snapshot) {
        let rows = snapshot
            .phases
            .iter()
            .filter(|(_, took)| took.count() > 0)
            .map(|(name, took)| {
                vec![
                    name.to_owned(),
                    count(took.count()),
                    ms(took.avg()),
                    ms(took.percentile(0.95)),
                ]
            });
        self.section(
            "HTTP phases (ms)",
            grid(
                &[
                    ("Phase", Word),
                    ("Count", Number),
                    ("Avg", Number),
                    ("p95", Number),
                ],
                rows,
            ),
        );
    }

    fn checks(&mut self, snapshot: &Snapshot) {
        let rows = snapshot.checks.iter().map(|(name, check)| {
            let all = check.passed + check.failed;
            vec![
                plain(name).into_owned(),
                count(check.passed),
                count(check.failed),
                percent(check.passed as f64 / all.max(1) as f64),
            ]
        });
        self.section(
            "Checks",
            grid(
                &[
                    ("Check", Text),
                    ("Passed", Number),
                    ("Failed", Number),
                    ("Share", Number),
                ],
                rows,
            ),
        );
    }

    fn custom(&mut self, run: &RunSummary) {
        let snapshot = &run.snapshot;
        let rows = snapshot.trends.iter().map(|(name, values)| {
            vec![
                plain(name).into_owned(),
                count(values.count()),
                number(values.percentile(0.5)),
                number(values.avg()),
                number(values.min()),
                number(values.max()),
                number(values.percentile(0.95)),
                number(values.percentile(0.99)),
            ]
        });
        let columns = ["Count", "Median", "Avg", "Min", "Max", "p95", "p99"];
        let mut all = vec![("Trend", Text)];
        all.extend(columns.map(|name| (name, Number)));
        self.section("Trends", grid(&all, rows));

        let seconds = run.duration.as_secs_f64();
        let rows = snapshot.counters.iter().map(|(name, value)| {
            let rate = if seconds > 0.0 { value / seconds } else { 0.0 };
            vec![plain(name).into_owned(), number(*value), number(rate)]
        });
        self.section(
            "Counters",
            grid(
                &[("Counter", Text), ("Sum", Number), ("per second", Number)],
                rows,
            ),
        );

        let rows = snapshot
            .gauges
            .iter()
            .map(|(name, gauge)| vec![plain(name).into_owned(), number(gauge.value)]);
        self.section("Gauges", grid(&[("Gauge", Text), ("Last", Number)], rows));
    }

    fn errors(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.errors).into_iter().map(|(key, n)| {
            let kind = match key.status {
                0 => key.kind.clone(),
                status => format!("{} {status}", key.kind),
            };
            vec![
                count(n),
                label(&key.method, &key.name),
                plain(&kind).into_owned(),
                plain(&key.message).into_owned(),
            ]
        });
        let columns = [
            ("Count", Number),
            ("Request", Text),
            ("Kind", Word),
            ("Message", Text),
        ];
        self.causes("Errors", &columns, rows);
    }

    fn task_errors(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.task_errors).into_iter().map(|(key, n)| {
            vec![
                count(n),
                plain(&format!("{}.{}", key.class, key.task)).into_owned(),
                plain(&key.message).into_owned(),
            ]
        });
        let columns = [("Count", Number), ("Task", Text), ("Message", Text)];
        self.causes("Failed tasks", &columns, rows);
    }

    fn sandboxes(&mut self, snapshot: &Snapshot) {
        let rows = by_count(&snapshot.sandbox_events)
            .into_iter()
            .map(|(key, n)| {
                vec![
                    count(n),
                    plain(&key.class).into_owned(),
                    plain(&key.kind).into_owned(),
                    plain(&key.message).into_owned(),
                ]
            });
        let columns = [
            ("Count", Number),
            ("Class", Text),
            ("Kind", Word),
            ("Message", Text),
        ];
        self.causes("Sandbox failures", &columns, rows);
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

const TIMES: [&str; 8] = ["Median", "Avg", "Min", "Max", "p90", "p95", "p99", "p99.9"];

fn times(time: &Durations) -> Vec<String> {
    vec![
        ms(time.median()),
        ms(time.avg()),
        ms(time.min()),
        ms(time.max()),
        ms(time.percentile(0.9)),
        ms(time.percentile(0.95)),
        ms(time.percentile(0.99)),
        ms(time.percentile(0.999)),
    ]
}

/// `GET /cart`; what is folded altogether needs its name only once.
fn label(method: &str, name: &str) -> String {
    if method == name {
        return plain(name).into_owned();
    }
    plain(&format!("{method} {name}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::fixture;

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
        assert!(!text.contains("Errors"), "{text}");
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
