//! Sleeping to within a fraction of a millisecond. Tokio's own timer rounds up to whole
//! milliseconds, too coarse for a server that judges how exactly others measure.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// Wakes sleepers from a thread of its own, which ends when this is dropped.
pub(crate) struct Timer {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    sleepers: BinaryHeap<Sleeper>,
    closed: bool,
}

struct Sleeper {
    wakes_at: Instant,
    wake: oneshot::Sender<()>,
}

impl Timer {
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
        });
        let in_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("timer".into())
            .spawn(move || in_thread.run())?;
        Ok(Self { shared })
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        if duration.is_zero() {
            return;
        }
        let wakes_at = Instant::now() + duration;
        let (wake, woken) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock();
            let first = queue.sleepers.peek().is_none_or(|s| wakes_at < s.wakes_at);
            queue.sleepers.push(Sleeper { wakes_at, wake });
            if first {
                self.shared.changed.notify_one();
            }
        }
        // The sender is never dropped unsent while `self` lives.
        let _ = woken.await;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut queue = self.queue.lock();
        while !queue.closed {
            match queue.sleepers.peek().map(|sleeper| sleeper.wakes_at) {
                None => self.changed.wait(&mut queue),
                Some(wakes_at) if wakes_at > Instant::now() => {
                    self.changed.wait_until(&mut queue, wakes_at);
                }
                Some(_) => {
                    if let Some(sleeper) = queue.sleepers.pop() {
                        // Sending fails when the sleeper has given up.
                        let _ = sleeper.wake.send(());
                    }
                }
            }
        }
    }
}

/// The greatest is the one that wakes first, as `BinaryHeap` pops the greatest.
impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> Ordering {
        other.wakes_at.cmp(&self.wakes_at)
    }
}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sleeper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_the_order_of_their_time_and_never_early() {
        let timer = Timer::start().unwrap();
        let (order, woken) = std::sync::mpsc::channel();
        let nap = |millis: u64| {
            let (timer, order) = (&timer, order.clone());
            async move {
                let duration = Duration::from_millis(millis);
                let start = Instant::now();
                timer.sleep(duration).await;
                assert!(start.elapsed() >= duration);
                order.send(millis).unwrap();
            }
        };
        // The later ones first, so that each next one is the new earliest.
        tokio::join!(nap(200), nap(100), nap(1), nap(0));
        assert_eq!(woken.try_iter().collect::<Vec<_>>(), [0, 1, 100, 200]);
    }

    #[tokio::test]
    async fn a_sleeper_that_gave_up_does_not_hold_up_the_others() {
        let timer = Timer::start().unwrap();
        let impatient = timer.sleep(Duration::from_millis(2));
        let _ = tokio::time::timeout(Duration::ZERO, impatient).await;
        timer.sleep(Duration::from_millis(3)).await;
    }
}
