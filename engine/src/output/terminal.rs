//! The only place that prints: results to standard output, progress and log lines to
//! standard error. Knows nothing of what the lines mean.

mod steps;

pub use steps::Steps;

use super::format::{clock, count, number, plain};
use crate::report::{ClassUsers, LogLine, Report};
use parking_lot::Mutex;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// Writes a result to standard output as it is. A reader that went away is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line to standard error, whatever the text holds. A reader that went away is no error.
pub fn print_error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", plain(line));
}

/// A line of the log: who wrote it, how bad it is, and what it says.
fn log_line(line: &LogLine) -> String {
    let mark = match line.level.as_str() {
        level @ ("warning" | "error") => format!("{level}: "),
        _ => String::new(),
    };
    match line.class.as_str() {
        "" => format!("{mark}{}", line.text),
        class => format!("[{class}] {mark}{}", line.text),
    }
}

/// Writes a line of the log to standard error.
pub fn print_log(line: &LogLine) {
    print_error(&log_line(line));
}

/// How a run proceeds, in lines on standard error. Every second on a terminal; elsewhere
/// every ten seconds, and every minute after ten minutes, so that the log of a long run stays
/// short.
#[derive(Debug)]
pub struct Lines {
    terminal: bool,
    last: Mutex<Option<Last>>,
}

/// The last line.
#[derive(Debug, PartialEq)]
struct Last {
    state: String,
    second: u64,
}

impl Lines {
    /// No line yet.
    #[must_use]
    pub fn new() -> Self {
        Lines::on(std::io::stderr().is_terminal())
    }

    fn on(terminal: bool) -> Self {
        Lines {
            terminal,
            last: Mutex::default(),
        }
    }

    /// Prints a line about the run so far, if one is due.
    pub fn update(&self, report: &Report) {
        if self.is_due(&report.run.state, report.run.duration_seconds) {
            print_error(&progress(report));
        }
    }

    /// Whether a line is due, which then counts as printed: at the first second, at each
    /// change of the state, and after some time.
    fn is_due(&self, state: &str, seconds: f64) -> bool {
        let second = seconds.round() as u64;
        let apart = match second {
            _ if self.terminal => 1,
            0..600 => 10,
            _ => 60,
        };
        let mut last = self.last.lock();
        let due = last
            .as_ref()
            .is_none_or(|last| last.state != state || last.second / apart != second / apart);
        if due {
            let state = state.to_owned();
            *last = Some(Last { state, second });
        }
        due
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a run stands and what happened of late, in one line.
fn progress(report: &Report) -> String {
    let run = &report.run;
    let time = |seconds| clock(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let mut line = time(run.duration_seconds);
    if let Some(planned) = run.planned_seconds {
        line.push_str(&format!("/{}", time(planned)));
    }
    if run.state != "running" {
        line.push_str(&format!("  {}", run.state));
    }
    let timeline = &report.timeline;
    let users = report.users.classes.values().map(ClassUsers::live).sum();
    line.push_str(&format!(
        "  {}/{} users  {} req/s  {} failed",
        count(users),
        count(report.users.target),
        number(report.total.recent.unwrap_or_default().per_second),
        count(report.total.failures),
    ));
    if report.iterations.dropped > 0 {
        line.push_str(&format!("  {} dropped", count(report.iterations.dropped)));
    }
    let ms = |column: &[f64]| number(column.last().copied().unwrap_or_default());
    let times = &timeline.time_ms;
    let (p50, p95, p99) = (ms(&times.p50), ms(&times.p95), ms(&times.p99));
    line.push_str(&format!("  p50 {p50}  p95 {p95}  p99 {p99} ms"));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Iterations, Recent, Requests, Run, TimeColumns, TimelineColumns, Users};
    use std::collections::BTreeMap;

    fn report(state: &str, second: f64) -> Report {
        let class = ClassUsers {
            running: 1500,
            ..ClassUsers::default()
        };
        let recent = Recent {
            per_second: 200.0,
            failures_per_second: 3.0,
        };
        let time_ms = TimeColumns {
            p50: vec![2.5],
            p95: vec![4.75],
            p99: vec![4.95],
            ..TimeColumns::default()
        };
        Report {
            run: Run {
                state: state.to_owned(),
                duration_seconds: second,
                ..Run::default()
            },
            users: Users {
                target: 2000,
                classes: BTreeMap::from([("A".to_owned(), class)]),
                ..Users::default()
            },
            total: Requests {
                failures: 3,
                recent: Some(recent),
                ..Requests::default()
            },
            timeline: TimelineColumns {
                time_ms,
                ..TimelineColumns::default()
            },
            iterations: Iterations::default(),
            ..crate::output::fixture::report()
        }
    }

    #[test]
    fn a_line_says_where_the_run_stands() {
        let rest = "1,500/2,000 users  200 req/s  3 failed  p50 2.50  p95 4.75  p99 4.95 ms";
        let mut report = report("running", 12.0);
        assert_eq!(progress(&report), format!("0:12  {rest}"));
        report.run.planned_seconds = Some(60.0);
        assert_eq!(progress(&report), format!("0:12/1:00  {rest}"));
    }

    #[test]
    fn a_run_that_stands_still_or_drops_iterations_says_so() {
        let line = progress(&report("paused", 12.0));
        assert!(line.starts_with("0:12  paused  1,500/"), "{line}");
        assert!(!line.contains("dropped"), "{line}");
        let behind = progress(&Report {
            iterations: Iterations {
                dropped: 1200,
                ..Iterations::default()
            },
            ..report("running", 12.0)
        });
        assert!(behind.contains("3 failed  1,200 dropped  p50"), "{behind}");
    }

    #[test]
    fn lines_of_the_log_say_who_wrote_them_and_how_bad_it_is() {
        let line = |level: &str, class: &str| {
            log_line(&LogLine {
                at_seconds: 1.0,
                level: level.to_owned(),
                class: class.to_owned(),
                text: "hello".to_owned(),
            })
        };
        assert_eq!(line("info", ""), "hello");
        assert_eq!(line("info", "Buyer"), "[Buyer] hello");
        assert_eq!(line("warning", "Buyer"), "[Buyer] warning: hello");
        assert_eq!(line("error", ""), "error: hello");
    }

    #[test]
    fn the_log_of_a_long_run_stays_short() {
        let printed = |terminal, seconds: u64| {
            let lines = Lines::on(terminal);
            let due = |second: &u64| lines.is_due("running", *second as f64);
            (1..=seconds).filter(due).count()
        };
        assert_eq!(printed(true, 3600), 3600);
        // Each ten seconds for ten minutes, then each minute, and the first one.
        assert_eq!(printed(false, 3600), 60 + 50 + 1);

        let lines = Lines::on(false);
        let due = |state, second| lines.is_due(state, second);
        assert!(due("running", 11.0));
        assert!(!due("running", 12.0));
        assert!(due("paused", 12.0));
        assert!(!due("paused", 12.0));
        assert!(due("running", 12.0));
    }
}
