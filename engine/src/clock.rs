//! The run's clock. Knows nothing of wall-clock time or of schedules.

use std::time::Duration;

use tokio::time::Instant;

/// Measures from the start of the run. Follows tokio's clock, so tests can pause it.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    start: Instant,
}

impl RunClock {
    /// Starts now.
    pub fn start() -> Self {
        RunClock {
            start: Instant::now(),
        }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
