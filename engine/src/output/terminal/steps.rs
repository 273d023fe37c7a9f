//! The steps of something that takes long before a run: a bar on a terminal, lines
//! elsewhere, nothing before the first step.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use super::print_error;

/// How often the clock beside the bar goes on.
const TICK: Duration = Duration::from_millis(100);

/// So many steps, shown on standard error.
#[derive(Debug)]
pub struct Steps {
    title: &'static str,
    total: u64,
    target: fn() -> ProgressDrawTarget,
    bar: Mutex<Option<ProgressBar>>,
}

impl Steps {
    /// Shows nothing yet.
    #[must_use]
    pub fn new(title: &'static str, total: u64) -> Self {
        Steps {
            title,
            total,
            target: ProgressDrawTarget::stderr,
            bar: Mutex::default(),
        }
    }

    /// A step, counted from 1, begins.
    pub fn show(&self, step: u64, what: &str) {
        let text = format!("{}: {step}/{} {what}", self.title, self.total);
        let mut bar = self.bar.lock();
        if bar.is_none() {
            let target = (self.target)();
            if target.is_hidden() {
                return print_error(&text);
            }
            let new = ProgressBar::with_draw_target(Some(self.total), target);
            // A template that does not parse would only cost the looks.
            if let Ok(style) = ProgressStyle::with_template("{elapsed} {bar:20} {wide_msg}") {
                new.set_style(style.progress_chars("━╸─"));
            }
            new.enable_steady_tick(TICK);
            *bar = Some(new);
        }
        if let Some(bar) = &*bar {
            bar.set_message(text);
            bar.set_position(step.saturating_sub(1));
        }
    }

    /// All is done.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.lock().take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;

    /// A terminal that shows nothing.
    #[derive(Debug)]
    struct Dark;

    impl TermLike for Dark {
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
        fn write_line(&self, _: &str) -> io::Result<()> {
            Ok(())
        }
        fn write_str(&self, _: &str) -> io::Result<()> {
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_bar_lasts_from_the_first_step_to_the_end() {
        let steps = Steps {
            target: || ProgressDrawTarget::term_like(Box::new(Dark)),
            ..Steps::new("preparing", 3)
        };
        assert!(steps.bar.lock().is_none());
        steps.show(2, "starting");
        let bar = steps.bar.lock().clone().unwrap();
        assert_eq!(bar.message(), "preparing: 2/3 starting");
        assert_eq!((bar.position(), bar.length()), (1, Some(3)));
        steps.finish();
        assert!(bar.is_finished() && steps.bar.lock().is_none());
    }

    #[test]
    fn without_a_terminal_there_is_no_bar() {
        let steps = Steps {
            target: ProgressDrawTarget::hidden,
            ..Steps::new("preparing", 3)
        };
        steps.show(1, "loading");
        assert!(steps.bar.lock().is_none());
        steps.finish();
    }
}
