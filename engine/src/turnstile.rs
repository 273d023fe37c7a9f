//! Who may begin an iteration, and when: a number of them for each user or for all
//! together, a throughput, or the moments of an arrival rate. Users come here before each
//! iteration. Knows neither what an iteration does nor how users are started.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::clock::RunClock;

/// What the users of one class have to go by.
#[derive(Debug, Default)]
pub struct Turnstile {
    /// Iterations of each user.
    pub each: Option<u64>,
    /// Iterations left for all users of the plan.
    pub shared: Option<Arc<AtomicU64>>,
    /// The class's throughput.
    pub throttle: Option<Throttle>,
    /// Iterations that are due, of an arrival rate.
    pub arrivals: Option<Arc<Queue>>,
}

/// The user may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// How much later than it was due; absent when nothing was planned.
    pub late: Option<Duration>,
}

impl Turnstile {
    /// Whether there is no iteration left for a user that began `begun` of them.
    pub fn is_spent(&self, begun: u64) -> bool {
        let none_left = |left: &Arc<AtomicU64>| left.load(Ordering::Relaxed) == 0;
        self.each.is_some_and(|each| begun >= each) || self.shared.as_ref().is_some_and(none_left)
    }

    /// Whether a user passes without having to wait for anything: nothing is planned, held
    /// back or shared, and the clock runs.
    pub fn is_free(&self, clock: &RunClock) -> bool {
        let planned = self.arrivals.is_some() || self.throttle.is_some() || self.shared.is_some();
        !planned && clock.is_running()
    }

    /// Waits until a user that began `begun` iterations may begin another; nothing if there
    /// is none left for it.
    pub async fn pass(&self, begun: u64, clock: &RunClock) -> Option<Pass> {
        if self.is_spent(begun) {
            return None;
        }
        clock.running().await;
        let arrival = match &self.arrivals {
            Some(queue) => Some(queue.take(clock).await),
            None => None,
        };
        if let Some(throttle) = &self.throttle {
            throttle.pass(clock).await;
        }
        // Nothing waits from here on, so that no iteration is taken and lost.
        if let Some(shared) = &self.shared {
            let one_less = |left: u64| left.checked_sub(1);
            shared
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .ok()?;
        }
        Some(Pass {
            late: arrival.map(|arrival| arrival.begin(clock)),
        })
    }

    /// Whether users wait for iterations that are due, and so need no wait time between
    /// them.
    pub fn is_open(&self) -> bool {
        self.arrivals.is_some()
    }
}

/// Lets users pass at moments that are evenly spaced, in the order in which they came.
#[derive(Debug)]
pub struct Throttle {
    spacing: Duration,
    /// When the next one may pass. Who waits for that moment holds the lock, so that who
    /// gives up waiting takes nothing along.
    next: tokio::sync::Mutex<Duration>,
}

impl Throttle {
    /// So many a second.
    pub fn new(rate: f64) -> Self {
        Throttle {
            spacing: Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX),
            next: tokio::sync::Mutex::default(),
        }
    }

    /// Moments that nobody wanted are lost.
    async fn pass(&self, clock: &RunClock) {
        let mut next = self.next.lock().await;
        clock.sleep_until(*next).await;
        // A timer that fires late does not slow down those behind.
        let now = clock.elapsed();
        let slot = if now.saturating_sub(*next) > self.spacing {
            now
        } else {
            *next
        };
        *next = slot.saturating_add(self.spacing);
    }
}

/// The most iterations that wait, whatever the patience: they are numbers, but there may
/// be a million of them a second.
const MAX_QUEUE: usize = 1_000_000;

/// Iterations that are due and wait for a user.
#[derive(Debug)]
pub struct Queue {
    /// When they were due, in order. There is one permit for each of them.
    due: Mutex<VecDeque<Duration>>,
    ready: Semaphore,
    idle: AtomicUsize,
    patience: Duration,
    dropped: AtomicU64,
}

impl Queue {
    /// Nothing due yet. What waits longer than `patience` is dropped.
    pub fn new(patience: Duration) -> Self {
        Queue {
            due: Mutex::default(),
            ready: Semaphore::new(0),
            idle: AtomicUsize::new(0),
            patience,
            dropped: AtomicU64::new(0),
        }
    }

    /// An iteration is due.
    pub fn push(&self, due: Duration) {
        let mut queue = self.due.lock();
        if queue.len() >= MAX_QUEUE {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.push_back(due);
        drop(queue);
        self.ready.add_permits(1);
    }

    /// Drops what has waited too long.
    pub fn expire(&self, now: Duration) {
        let mut due = self.due.lock();
        while due
            .front()
            .is_some_and(|due| now.saturating_sub(*due) > self.patience)
        {
            // Without a permit, users are about to take what is left.
            let Ok(permit) = self.ready.try_acquire() else {
                return;
            };
            permit.forget();
            due.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Drops everything.
    pub fn clear(&self) {
        let mut due = self.due.lock();
        while let Ok(permit) = self.ready.try_acquire() {
            permit.forget();
            due.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were dropped since the last call.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }

    /// How many wait for a user beyond those that idle users will take.
    pub fn unserved(&self) -> usize {
        let due = self.due.lock().len();
        due.saturating_sub(self.idle.load(Ordering::Relaxed))
    }

    /// Waits for an iteration that is due.
    async fn take(&self, clock: &RunClock) -> Arrival<'_> {
        loop {
            let idle = Idle::new(&self.idle);
            // The semaphore is never closed.
            if let Ok(permit) = self.ready.acquire().await {
                permit.forget();
            }
            drop(idle);
            let Some(due) = self.due.lock().pop_front() else {
                continue;
            };
            let arrival = Arrival {
                queue: self,
                due,
                begun: false,
            };
            if clock.elapsed().saturating_sub(due) <= self.patience {
                return arrival;
            }
        }
    }
}

/// An iteration that is due and has a user. If it does not begin it counts as dropped.
struct Arrival<'a> {
    queue: &'a Queue,
    due: Duration,
    begun: bool,
}

impl Arrival<'_> {
    /// It begins. Returns by how much it is late.
    fn begin(mut self, clock: &RunClock) -> Duration {
        self.begun = true;
        clock.elapsed().saturating_sub(self.due)
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.queue
            .dropped
            .fetch_add(u64::from(!self.begun), Ordering::Relaxed);
    }
}

/// A user that waits, until this is dropped.
struct Idle<'a>(&'a AtomicUsize);

impl<'a> Idle<'a> {
    fn new(idle: &'a AtomicUsize) -> Self {
        idle.fetch_add(1, Ordering::Relaxed);
        Idle(idle)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn each_user_has_so_many() {
        let turnstile = Turnstile {
            each: Some(2),
            ..Turnstile::default()
        };
        let clock = RunClock::started();
        assert!(turnstile.pass(1, &clock).await.is_some());
        assert!(turnstile.pass(2, &clock).await.is_none());
    }

    #[tokio::test]
    async fn all_users_share_so_many() {
        let turnstile = Turnstile {
            shared: Some(Arc::new(AtomicU64::new(10))),
            ..Turnstile::default()
        };
        let clock = RunClock::started();
        let users = (0..7).map(async |_| {
            let mut begun = 0;
            while turnstile.pass(begun, &clock).await.is_some() {
                begun += 1;
            }
            begun
        });
        assert_eq!(join_all(users).await.iter().sum::<u64>(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throughput_is_kept_over_all_users() {
        let turnstile = Turnstile {
            throttle: Some(Throttle::new(10.0)),
            ..Turnstile::default()
        };
        let clock = RunClock::started();
        let users = (0..5).map(async |_| {
            for begun in 0..4 {
                turnstile.pass(begun, &clock).await;
            }
        });
        join_all(users).await;
        // The first of 20 begins at once.
        assert_eq!(clock.elapsed(), Duration::from_millis(1900));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_late_says_by_how_much() {
        let queue = Arc::new(Queue::new(10 * SECOND));
        let turnstile = Turnstile {
            arrivals: Some(queue.clone()),
            ..Turnstile::default()
        };
        let clock = RunClock::started();
        queue.push(Duration::ZERO);
        queue.push(SECOND);
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(queue.unserved(), 2);
        let late = [
            turnstile.pass(0, &clock).await,
            turnstile.pass(1, &clock).await,
        ];
        let pass = |late| Some(Pass { late: Some(late) });
        assert_eq!(late, [pass(2 * SECOND), pass(SECOND)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_too_long_is_dropped_and_counted() {
        let queue = Queue::new(SECOND);
        let clock = RunClock::started();
        queue.push(Duration::ZERO);
        queue.push(5 * SECOND);
        tokio::time::advance(5 * SECOND).await;
        assert_eq!(queue.take(&clock).await.begin(&clock), Duration::ZERO);
        assert_eq!(queue.take_dropped(), 1);
        queue.push(5 * SECOND);
        queue.expire(7 * SECOND);
        queue.push(7 * SECOND);
        assert_eq!((queue.take_dropped(), queue.unserved()), (1, 1));
        queue.clear();
        assert_eq!((queue.take_dropped(), queue.unserved()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn idle_users_serve_what_is_due() {
        let queue = Arc::new(Queue::new(SECOND));
        let clock = RunClock::started();
        let take = queue.take(&clock);
        tokio::pin!(take);
        assert!(futures::poll!(&mut take).is_pending());
        queue.push(Duration::ZERO);
        assert_eq!(queue.unserved(), 0);
        drop(take.await);
        assert_eq!(queue.take_dropped(), 1, "it did not begin");
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_takes_no_moment_along() {
        let throttle = Throttle::new(1.0);
        let clock = RunClock::started();
        throttle.pass(&clock).await;
        {
            let quitters: Vec<_> = (0..50).map(|_| Box::pin(throttle.pass(&clock))).collect();
            for mut quitter in quitters {
                assert!(futures::poll!(&mut quitter).is_pending());
            }
        }
        throttle.pass(&clock).await;
        assert_eq!(clock.elapsed(), SECOND);
    }

    #[tokio::test]
    async fn what_is_spent_is_known_before_any_wait() {
        let turnstile = Turnstile {
            each: Some(2),
            shared: Some(Arc::new(AtomicU64::new(1))),
            throttle: Some(Throttle::new(0.001)),
            ..Turnstile::default()
        };
        let clock = RunClock::started();
        assert!(turnstile.is_spent(2) && !turnstile.is_spent(1));
        assert!(turnstile.pass(0, &clock).await.is_some());
        assert!(turnstile.is_spent(1));
        assert!(turnstile.pass(1, &clock).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_begins_during_a_pause() {
        let turnstile = Turnstile::default();
        let clock = RunClock::started();
        assert!(turnstile.is_free(&clock));
        clock.pause();
        let pass = turnstile.pass(0, &clock);
        tokio::pin!(pass);
        assert!(futures::poll!(&mut pass).is_pending());
        assert!(!turnstile.is_free(&clock));
        clock.resume();
        assert!(pass.await.is_some());
    }
}
