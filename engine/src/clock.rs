//! The run's clock, which can be paused. Knows nothing of schedules.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Ticks by the machine's clock, so far apart at least, however long the work between them
/// takes.
pub(crate) fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Measures from the start of the run, without its pauses. Shows zero until then. Follows
/// tokio's clock, so tests can pause that one too.
#[derive(Debug)]
pub struct RunClock {
    state: RwLock<State>,
    /// The same as `state.paused_at.is_some()`, for those who ask often.
    paused: AtomicBool,
    resumed: Notify,
}

#[derive(Debug)]
struct State {
    /// Absent until the run begins.
    start: Option<Instant>,
    /// The same for people.
    began: Option<SystemTime>,
    /// All pauses that are over.
    lost: Duration,
    paused_at: Option<Instant>,
}

impl RunClock {
    /// Stands at zero.
    pub fn ready() -> Self {
        RunClock {
            state: RwLock::new(State {
                start: None,
                began: None,
                lost: Duration::ZERO,
                paused_at: None,
            }),
            paused: AtomicBool::new(false),
            resumed: Notify::new(),
        }
    }

    /// Goes already.
    #[cfg(test)]
    pub(crate) fn started() -> Self {
        let clock = Self::ready();
        clock.start();
        clock
    }

    /// Goes from now on. Called once; those who sleep until a time wait for it too.
    pub fn start(&self) {
        {
            let mut state = self.state.write();
            state.start = Some(Instant::now());
            state.began = Some(SystemTime::now());
        }
        self.resumed.notify_waiters();
    }

    /// The time of day at which it started.
    pub fn began(&self) -> Option<SystemTime> {
        self.state.read().began
    }

    /// Time since the start, pauses not included.
    pub fn elapsed(&self) -> Duration {
        let state = self.state.read();
        let Some(start) = state.start else {
            return Duration::ZERO;
        };
        let now = state.paused_at.unwrap_or_else(Instant::now);
        now.saturating_duration_since(start)
            .saturating_sub(state.lost)
    }

    /// All pauses so far.
    pub fn paused(&self) -> Duration {
        let state = self.state.read();
        let current = state.paused_at.map_or(Duration::ZERO, |at| at.elapsed());
        state.lost + current
    }

    /// Stands still from now on.
    pub fn pause(&self) {
        let mut state = self.state.write();
        state.paused_at.get_or_insert_with(Instant::now);
        self.paused.store(true, Ordering::Release);
    }

    /// Goes on.
    pub fn resume(&self) {
        let mut state = self.state.write();
        if let Some(at) = state.paused_at.take() {
            state.lost += at.elapsed();
        }
        self.paused.store(false, Ordering::Release);
        self.resumed.notify_waiters();
    }

    /// Whether it is not paused.
    pub fn is_running(&self) -> bool {
        !self.paused.load(Ordering::Acquire)
    }

    /// Resolves while the clock runs: at once, or at the end of the pause.
    pub async fn running(&self) {
        while self.paused.load(Ordering::Acquire) {
            let resumed = self.resumed.notified();
            if self.paused.load(Ordering::Acquire) {
                resumed.await;
            }
        }
    }

    /// Resolves when the clock shows this time, and runs.
    pub async fn sleep_until(&self, time: Duration) {
        loop {
            self.running().await;
            let started = self.resumed.notified();
            if !time.is_zero() && self.state.read().start.is_none() {
                started.await;
                continue;
            }
            let left = time.saturating_sub(self.elapsed());
            if left.is_zero() {
                return;
            }
            // A pause meanwhile leaves something for the next round.
            tokio::time::sleep(left).await;
        }
    }

    /// Resolves after so much time of the run; a pause prolongs it.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.elapsed().saturating_add(duration))
            .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn pauses_do_not_count() {
        let clock = RunClock::started();
        tokio::time::advance(2 * SECOND).await;
        clock.pause();
        tokio::time::advance(5 * SECOND).await;
        assert_eq!((clock.elapsed(), clock.paused()), (2 * SECOND, 5 * SECOND));
        clock.resume();
        tokio::time::advance(SECOND).await;
        assert_eq!((clock.elapsed(), clock.paused()), (3 * SECOND, 5 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_prolongs_a_sleep() {
        let clock = RunClock::started();
        let begin = Instant::now();
        let pause = async {
            tokio::time::sleep(SECOND).await;
            clock.pause();
            tokio::time::sleep(3 * SECOND).await;
            clock.resume();
        };
        tokio::join!(clock.sleep(2 * SECOND), pause);
        assert_eq!(begin.elapsed(), 5 * SECOND);
        assert_eq!(clock.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_passes_while_it_stands_still() {
        let clock = RunClock::started();
        clock.running().await;
        clock.pause();
        let waits = clock.running();
        tokio::pin!(waits);
        assert!(futures::poll!(&mut waits).is_pending());
        clock.resume();
        waits.await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_shows_zero_until_it_starts() {
        let clock = RunClock::ready();
        tokio::time::advance(SECOND).await;
        assert_eq!(clock.elapsed(), Duration::ZERO);
        clock.sleep_until(Duration::ZERO).await;
        let sleep = clock.sleep(SECOND);
        tokio::pin!(sleep);
        assert!(futures::poll!(&mut sleep).is_pending());
        tokio::time::advance(5 * SECOND).await;
        clock.start();
        sleep.await;
        assert_eq!(clock.elapsed(), SECOND);
    }
}
