//! Puts iterations into the queues of their classes at the moments an arrival rate wants
//! them. Knows neither users nor whether there are enough of them.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::arrivals::{Arrivals, Dealer};
use crate::clock::RunClock;
use crate::turnstile::Queue;

/// Iterations queued at a time.
const BATCH: usize = 1000;

/// Where iterations come from, and where they go.
#[derive(Debug)]
pub(crate) struct Source {
    /// Time of the run at which the arrivals begin, and before which they are due.
    start: Duration,
    end: Duration,
    state: Mutex<State>,
    changed: Notify,
    closed: CancellationToken,
    /// One for each class.
    queues: Vec<Arc<Queue>>,
}

#[derive(Debug)]
struct State {
    arrivals: Arrivals,
    dealer: Dealer,
}

impl Source {
    /// Arrivals of classes with these weights, in the order of the queues, between these
    /// times of the run.
    pub(crate) fn new(
        arrivals: Arrivals,
        weights: Vec<u32>,
        queues: Vec<Arc<Queue>>,
        times: Range<Duration>,
    ) -> Arc<Self> {
        let dealer = Dealer::new(weights);
        Arc::new(Source {
            start: times.start,
            end: times.end,
            state: Mutex::new(State { arrivals, dealer }),
            changed: Notify::new(),
            closed: CancellationToken::new(),
            queues,
        })
    }

    /// The queues of the classes.
    pub(crate) fn queues(&self) -> &[Arc<Queue>] {
        &self.queues
    }

    /// Iterations a second at this time of the run; nothing when the stages are over.
    pub(crate) fn rate(&self, now: Duration) -> Option<f64> {
        let since = now.saturating_sub(self.start);
        self.state.lock().arrivals.rate(since)
    }

    /// Nothing comes any more.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// From now on the rate is always this one.
    pub(crate) fn change(&self, now: Duration, rate: f64) {
        let since = now.saturating_sub(self.start);
        self.state.lock().arrivals.change(since, rate);
        self.changed.notify_one();
    }

    /// Queues iterations as they become due, until the source is closed.
    pub(crate) async fn drive(&self, clock: &RunClock) {
        loop {
            let due = async {
                match self.next() {
                    Some(due) => clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.closed.cancelled() => return,
                () = self.changed.notified() => {}
                () = due => self.queue(clock.elapsed()),
            }
            // Others have a say even if iterations come faster than they can be queued.
            tokio::task::yield_now().await;
        }
    }

    fn next(&self) -> Option<Duration> {
        self.due(&self.state.lock())
    }

    fn due(&self, state: &State) -> Option<Duration> {
        let due = self.start.checked_add(state.arrivals.peek()?)?;
        (due < self.end).then_some(due)
    }

    /// Queues what is due by now, or as much of it as may be at a time.
    fn queue(&self, now: Duration) {
        let mut state = self.state.lock();
        for _ in 0..BATCH {
            let Some(due) = self.due(&state).filter(|due| *due <= now) else {
                return;
            };
            state.arrivals.advance();
            let class = state.dealer.deal();
            self.queues[class].push(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_shape::Curve;

    const SECOND: Duration = Duration::from_secs(1);

    fn source(rate: f64, weights: &[u32]) -> Arc<Source> {
        let queues = weights.iter().map(|_| Arc::new(Queue::new(60 * SECOND)));
        let arrivals = Arrivals::new(Curve::constant(rate));
        Source::new(
            arrivals,
            weights.to_vec(),
            queues.collect(),
            SECOND..10 * SECOND,
        )
    }

    fn queued(source: &Source) -> Vec<usize> {
        source.queues.iter().map(|queue| queue.unserved()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn iterations_come_when_they_are_due_and_go_where_they_belong() {
        let source = source(10.0, &[1, 4]);
        let clock = RunClock::started();
        let until = async |time| clock.sleep_until(time).await;
        tokio::select! {
            () = source.drive(&clock) => {}
            () = until(SECOND / 2) => {}
        }
        assert_eq!(queued(&source), [0, 0], "the plan begins after a second");
        tokio::select! {
            () = source.drive(&clock) => {}
            () = until(3 * SECOND + SECOND / 20) => {}
        }
        let queued = queued(&source);
        assert_eq!(queued.iter().sum::<usize>(), 21);
        assert!((4..=5).contains(&queued[0]), "{queued:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_due_after_the_end() {
        let source = source(10.0, &[1]);
        let clock = RunClock::started();
        tokio::select! {
            () = source.drive(&clock) => {}
            () = clock.sleep_until(20 * SECOND) => {}
        }
        assert_eq!(queued(&source), [90]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_them_back() {
        let source = source(10.0, &[1]);
        let clock = RunClock::started();
        let pause = async {
            tokio::time::sleep(2 * SECOND + SECOND / 50).await;
            clock.pause();
            tokio::time::sleep(30 * SECOND).await;
            let during = queued(&source);
            clock.resume();
            tokio::time::sleep(SECOND / 50).await;
            during
        };
        let during = tokio::select! {
            () = source.drive(&clock) => Vec::new(),
            during = pause => during,
        };
        assert_eq!(during, [11]);
        assert_eq!(queued(&source), during);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_rate_counts_from_then_on() {
        let source = source(1.0, &[1]);
        let clock = RunClock::started();
        let change = async {
            clock.sleep_until(3 * SECOND + SECOND / 2).await;
            source.change(clock.elapsed(), 100.0);
            clock.sleep_until(4 * SECOND + SECOND / 2).await;
        };
        tokio::select! {
            () = source.drive(&clock) => {}
            () = change => {}
        }
        // Three at one a second, then a hundred and the one at once.
        assert!(
            (103..=104).contains(&queued(&source)[0]),
            "{:?}",
            queued(&source)
        );
        assert_eq!(source.rate(clock.elapsed()), Some(100.0));
    }
}
