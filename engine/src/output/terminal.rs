//! The only place that prints: results to standard output, progress and log lines to
//! standard error. Knows nothing of what the lines mean.

mod steps;

pub use steps::Steps;

use super::format::{clock, count, ms, number, plain};
use crate::lifecycle::State;
use crate::metrics::Window;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt;
use std::io::Write as _;
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

/// The state of the run, for one line.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressLine {
    /// Where the run stands; shown unless it is running.
    pub state: State,
    /// Time since the start.
    pub elapsed: Duration,
    /// When the run will end, if that is known.
    pub total: Option<Duration>,
    /// Users alive.
    pub users: u64,
    /// Users that there shall be.
    pub target: u64,
    /// Requests per second, of late.
    pub rate: f64,
    /// Failed requests, of late.
    pub failures: u64,
    /// Planned iterations that never began, since the start; shown if there are any.
    pub dropped: u64,
    /// Median response time, of late.
    pub p50: Duration,
    /// What 95 % of the response times do not exceed, of late.
    pub p95: Duration,
    /// What 99 % of the response times do not exceed, of late.
    pub p99: Duration,
}

impl Default for ProgressLine {
    fn default() -> Self {
        Self {
            state: State::Running,
            elapsed: Duration::ZERO,
            total: None,
            users: 0,
            target: 0,
            rate: 0.0,
            failures: 0,
            dropped: 0,
            p50: Duration::ZERO,
            p95: Duration::ZERO,
            p99: Duration::ZERO,
        }
    }
}

impl ProgressLine {
    /// The requests of `window`, which is `span` long, in a run that is running; the rest
    /// is zero.
    #[must_use]
    pub fn of_window(window: &Window, span: Duration) -> Self {
        Self {
            rate: window.rate(span),
            failures: window.failures,
            p50: window.time.median(),
            p95: window.time.percentile(0.95),
            p99: window.time.percentile(0.99),
            ..Self::default()
        }
    }

    /// Everything but the time.
    fn message(&self) -> String {
        let state = match self.state {
            State::Running => String::new(),
            other => format!("{other}  "),
        };
        let dropped = match self.dropped {
            0 => String::new(),
            n => format!("  {} dropped", count(n)),
        };
        format!(
            "{state}{}/{} users  {} req/s  {} failed{dropped}  p50 {}  p95 {}  p99 {} ms",
            count(self.users),
            count(self.target),
            number(self.rate),
            count(self.failures),
            ms(self.p50),
            ms(self.p95),
            ms(self.p99),
        )
    }
}

impl fmt::Display for ProgressLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clock(self.elapsed))?;
        if let Some(total) = self.total {
            write!(f, "/{}", clock(total))?;
        }
        write!(f, "  {}", self.message())
    }
}

/// Shows how the run proceeds, on standard error: a bar that changes on a terminal, plain
/// lines elsewhere.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts with a bar if `tty` is set and standard error is a terminal. With a `total`
    /// the bar fills; without one it only turns.
    #[must_use]
    pub fn start(total: Option<Duration>, tty: bool) -> Self {
        Self::on(ProgressDrawTarget::stderr(), total, tty)
    }

    fn on(target: ProgressDrawTarget, total: Option<Duration>, tty: bool) -> Self {
        if !tty || target.is_hidden() {
            return Self { bar: None };
        }
        let (length, template) = match total {
            Some(total) => (Some(millis(total)), "{prefix} {bar:20} {wide_msg}"),
            None => (None, "{prefix} {spinner} {wide_msg}"),
        };
        let bar = ProgressBar::with_draw_target(length, target);
        // A template that does not parse would only cost the looks.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar: Some(bar) }
    }

    /// Shows the present state; without a bar it prints a line.
    pub fn update(&self, line: &ProgressLine) {
        let Some(bar) = &self.bar else {
            print_error(&line.to_string());
            return;
        };
        bar.set_prefix(match line.total {
            Some(total) => format!("{}/{}", clock(line.elapsed), clock(total)),
            None => clock(line.elapsed),
        });
        bar.set_message(line.message());
        bar.set_position(millis(line.elapsed));
        bar.tick();
    }

    /// Prints a line, above the bar if there is one.
    pub fn println(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(plain(line)),
            None => print_error(line),
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Durations;
    use indicatif::TermLike;
    use parking_lot::Mutex;
    use std::io;
    use std::sync::Arc;

    /// Keeps what is written and ignores where.
    #[derive(Clone, Debug, Default)]
    pub(super) struct Recorder(Arc<Mutex<String>>);

    impl Recorder {
        fn target(&self) -> ProgressDrawTarget {
            ProgressDrawTarget::term_like(Box::new(self.clone()))
        }

        fn take(&self) -> String {
            std::mem::take(&mut *self.0.lock())
        }
    }

    impl TermLike for Recorder {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(total: Option<u64>) -> ProgressLine {
        let mut time = Durations::default();
        for n in 1..=100 {
            time.record(Duration::from_micros(n * 50));
        }
        let window = Window { time, failures: 3 };
        ProgressLine {
            elapsed: Duration::from_secs(12),
            total: total.map(Duration::from_secs),
            users: 1500,
            target: 2000,
            ..ProgressLine::of_window(&window, Duration::from_millis(500))
        }
    }

    #[test]
    fn a_line_says_where_the_run_stands() {
        let rest = "1,500/2,000 users  200 req/s  3 failed  p50 2.50  p95 4.75  p99 4.95 ms";
        assert_eq!(line(Some(60)).to_string(), format!("0:12/1:00  {rest}"));
        assert_eq!(line(None).to_string(), format!("0:12  {rest}"));
    }

    #[test]
    fn a_run_that_stands_still_or_drops_iterations_says_so() {
        let text = |state, dropped| {
            let line = ProgressLine {
                state,
                dropped,
                ..line(None)
            };
            line.to_string()
        };
        let paused = text(State::Paused, 0);
        assert!(paused.starts_with("0:12  paused  1,500/"), "{paused}");
        let words: Vec<_> = State::ALL
            .into_iter()
            .filter(|state| text(*state, 0).contains(state.as_str()))
            .collect();
        assert_eq!(words.len(), State::ALL.len() - 1);
        assert!(!words.contains(&State::Running));

        let behind = text(State::Running, 1200);
        assert!(behind.contains("3 failed  1,200 dropped  p50"), "{behind}");
        assert!(!paused.contains("dropped"), "{paused}");
    }

    #[test]
    fn the_bar_stays_below_the_log_and_goes_at_the_end() {
        for (total, clock) in [(Some(60), "0:12/1:00"), (None, "0:12")] {
            let screen = Recorder::default();
            let total_time = total.map(Duration::from_secs);
            let progress = Progress::on(screen.target(), total_time, true);
            progress.update(&line(total));
            let shown = screen.take();
            assert!(shown.contains(clock), "{shown}");
            assert!(shown.contains("1,500/2,000 users"), "{shown}");

            progress.println("a log line");
            let shown = screen.take();
            let log = shown.find("a log line").unwrap();
            assert!(log < shown.find("1,500/2,000 users").unwrap(), "{shown}");

            progress.finish();
            assert!(!screen.take().contains("users"));
        }
    }

    #[test]
    fn lines_cannot_steer_the_terminal() {
        let screen = Recorder::default();
        Progress::on(screen.target(), None, true).println("evil \x1b[2J\nline");
        let shown = screen.take();
        assert!(shown.contains("evil  [2J line"), "{shown}");
    }

    #[test]
    fn without_a_terminal_there_is_no_bar() {
        assert!(
            Progress::on(ProgressDrawTarget::hidden(), None, true)
                .bar
                .is_none()
        );
        let screen = Recorder::default();
        assert!(Progress::on(screen.target(), None, false).bar.is_none());
    }
}
