//! The run that the scenario is part of.

use std::time::Duration;

use crate::bindings::aiotest::engine::run;
use crate::call::Caller;

/// The value of `-e NAME=VALUE`.
#[must_use]
pub fn option(name: &str) -> Option<String> {
    run::option(name)
}

/// The value behind `--secret NAME=…`. The engine writes `***` in its place wherever it
/// shows a text: in the log, in names and in errors.
#[must_use]
pub fn secret(name: &str) -> Option<String> {
    run::secret(name)
}

/// Time since the run started, without its pauses.
#[must_use]
pub fn run_time() -> Duration {
    Duration::from_nanos(run::run_time())
}

/// Time of the run since it was last reset, or else since the run started; pauses are not
/// included. For load shapes that begin again.
///
/// ```
/// use aiotest::prelude::*;
/// use aiotest::run::Timer;
///
/// /// Ten minutes of 5 users, then ten of 50, and again.
/// #[derive(Default)]
/// struct Tide {
///     since: Timer,
///     high: bool,
/// }
///
/// impl LoadShape for Tide {
///     fn tick(&mut self, _: Duration) -> Option<Target> {
///         if self.since.run_time() >= Duration::from_mins(10) {
///             self.since.reset();
///             self.high = !self.high;
///         }
///         let users = if self.high { 50 } else { 5 };
///         Some(Target { users, spawn_rate: 5.0 })
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer {
    /// Time of the run.
    start: Duration,
}

impl Timer {
    /// A timer that counts from now.
    #[must_use]
    pub fn started() -> Self {
        Self { start: run_time() }
    }

    /// Begins again from zero.
    pub fn reset(&mut self) {
        *self = Self::started();
    }

    /// Time of the run since then.
    #[must_use]
    pub fn run_time(&self) -> Duration {
        self.until(run_time())
    }

    fn until(self, now: Duration) -> Duration {
        now.saturating_sub(self.start)
    }
}

/// Users alive now in the whole run.
#[must_use]
pub fn users() -> u32 {
    run::users()
}

/// The number of this user: counted from 1, unique in the run; 0 in hooks and shapes.
#[must_use]
pub fn user_id() -> u64 {
    Caller::current().user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_counts_from_its_last_reset() {
        let second = Duration::from_secs(1);
        assert_eq!(Timer::default().until(3 * second), 3 * second);
        let reset = Timer { start: 2 * second };
        assert_eq!(reset.until(3 * second), second);
        assert_eq!(reset.until(second), Duration::ZERO);
    }
}
