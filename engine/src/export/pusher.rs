//! Pushes to one place, again and again. Knows neither what is pushed nor how it is encoded.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::destination::{Destination, Protocol};
use super::exposure::{Exposer, Exposure};
use super::post::{self, Answer, post};
use super::standing::Standing;
use super::{LAST_PUSH, Say, otlp, remote_write};

/// Getting pushes ready takes one part of the machine's CPU time in so many, at most.
const THRIFT: f64 = 100.0;
/// The longest that a server can keep the pushes away.
const MOST_PATIENCE: Duration = Duration::from_secs(300);

/// When to push.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// From one push to the next.
    pub(super) interval: Duration,
    /// After the first failure in a row; twice as long after each other one.
    pub(super) first_pause: Duration,
    /// At most.
    pub(super) longest_pause: Duration,
}

impl Pace {
    /// So often, and after failures less often.
    pub(super) fn every(interval: Duration) -> Self {
        Self {
            interval,
            first_pause: Duration::from_millis(500).min(interval),
            longest_pause: Duration::from_secs(30).max(interval),
        }
    }

    /// How long to leave a place alone after so many failures in a row, and when it asks for
    /// some time. The pauses of several engines drift apart, so that they do not all come back
    /// at once.
    fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(16));
        let pause = self
            .first_pause
            .saturating_mul(doubled)
            .min(self.longest_pause);
        let pause = pause.mul_f64(rand::random_range(0.8..1.2));
        pause.max(asked.unwrap_or_default().min(MOST_PATIENCE))
    }
}

/// A push that can be sent.
struct Ready {
    exposure: Arc<Exposure>,
    bodies: Vec<Vec<u8>>,
    /// CPU time that it took.
    cost: Duration,
}

/// What became of a push.
enum Pushed {
    Taken,
    Refused(String),
    Failed(String, Option<Duration>),
}

/// Pushes to one place.
pub(super) struct Pusher {
    to: Destination,
    exposer: Arc<Exposer>,
    pace: Pace,
    say: Say,
    standing: Standing,
    failures: u32,
    cores: f64,
}

impl Pusher {
    pub(super) fn new(to: Destination, exposer: Arc<Exposer>, pace: Pace, say: Say) -> Self {
        Self {
            standing: Standing::new(&to.shown),
            to,
            exposer,
            pace,
            say,
            failures: 0,
            cores: std::thread::available_parallelism().map_or(1, usize::from) as f64,
        }
    }

    /// Until the end, and then once more.
    pub(super) async fn run(mut self, ending: CancellationToken) {
        loop {
            let next = tokio::select! {
                biased;
                // A push in hand is given up: the last one has all of it and more.
                () = ending.cancelled() => break,
                next = self.turn() => next,
            };
            tokio::select! {
                biased;
                () = ending.cancelled() => break,
                () = sleep_until(next) => {}
            }
        }
        let deadline = Instant::now() + LAST_PUSH;
        let last = match timeout_at(deadline, self.last(deadline)).await {
            Ok(Ok(exposure)) => {
                // Nothing is lost if these are not taken.
                let _ = timeout_at(deadline, self.mark_end(exposure)).await;
                Ok(())
            }
            Ok(Err(reason)) => Err(reason),
            Err(_) => Err(format!("no answer within {LAST_PUSH:?}")),
        };
        let notice = self.standing.conclude(last);
        self.tell(notice);
    }

    /// Pushes once. When to push again.
    async fn turn(&mut self) -> Instant {
        let began = Instant::now();
        let ready = self.ready().await;
        let thrift = began + ready.cost.mul_f64(THRIFT / self.cores);
        let (result, next) = match self.push(ready.bodies).await {
            Pushed::Taken => (Ok(()), began + self.pace.interval),
            Pushed::Refused(reason) => (Err(reason), began + self.pace.interval),
            Pushed::Failed(reason, after) => (Err(reason), self.retry(after)),
        };
        if result.is_ok() {
            self.failures = 0;
        }
        let notice = self.standing.note(result);
        self.tell(notice);
        next.max(thrift)
    }

    /// Pushes for the last time, until it is taken or refused. What was taken.
    async fn last(&mut self, deadline: Instant) -> Result<Arc<Exposure>, String> {
        self.failures = 0;
        loop {
            let ready = self.ready().await;
            match self.push(ready.bodies).await {
                Pushed::Taken => return Ok(ready.exposure),
                Pushed::Refused(reason) => return Err(reason),
                Pushed::Failed(reason, after) => {
                    let next = self.retry(after);
                    if next >= deadline {
                        return Err(reason);
                    }
                    sleep_until(next).await;
                }
            }
        }
    }

    /// Says that nothing more will come, where that can be said: otherwise Prometheus shows
    /// the last values for five minutes on.
    async fn mark_end(&self, exposure: Arc<Exposure>) {
        if self.to.protocol == Protocol::RemoteWrite {
            for body in blocking(move || remote_write::end(&exposure)).await {
                post(&self.to, body).await;
            }
        }
    }

    /// When to push after another failure.
    fn retry(&mut self, after: Option<Duration>) -> Instant {
        self.failures = self.failures.saturating_add(1);
        Instant::now() + self.pace.pause(self.failures, after)
    }

    /// Looks at the run and encodes what is there to see.
    async fn ready(&self) -> Ready {
        let (exposer, protocol) = (self.exposer.clone(), self.to.protocol);
        blocking(move || {
            let before = cpu_time();
            let exposure = Arc::new(exposer.expose());
            let bodies = match protocol {
                Protocol::RemoteWrite => remote_write::encode(&exposure),
                Protocol::Otlp => otlp::encode(&exposure),
            };
            let cost = cpu_time().saturating_sub(before);
            Ready {
                exposure,
                bodies,
                cost,
            }
        })
        .await
    }

    async fn push(&mut self, bodies: Vec<Vec<u8>>) -> Pushed {
        let mut refused = None;
        for body in bodies {
            match post(&self.to, body).await {
                Answer::Taken(answer) => self.remark(&answer),
                // There may be nothing wrong with the rest.
                Answer::Refused {
                    status: 400,
                    reason,
                } => refused = refused.or(Some(reason)),
                Answer::Refused { reason, .. } => return Pushed::Refused(reason),
                Answer::Failed { reason, after } => return Pushed::Failed(reason, after),
            }
        }
        refused.map_or(Pushed::Taken, Pushed::Refused)
    }

    /// Tells what a collector has to say about what it took.
    fn remark(&mut self, answer: &[u8]) {
        if self.to.protocol == Protocol::Otlp
            && let Some(remark) = otlp::remark(answer)
        {
            let notice = self.standing.remark(&post::words(&self.to, &remark));
            self.tell(notice);
        }
    }

    fn tell(&self, notice: Option<String>) {
        if let Some(notice) = notice {
            (self.say)(&notice);
        }
    }
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Computes on a thread that no user waits for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => match panicked.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime shuts down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pace = Pace::every(Duration::from_secs(5));
        for (failures, seconds) in [(1, 0.5), (2, 1.0), (5, 8.0), (7, 30.0), (u32::MAX, 30.0)] {
            let pause = pace.pause(failures, None).as_secs_f64();
            let expected = seconds * 0.8..=seconds * 1.2;
            assert!(expected.contains(&pause), "{failures}: {pause}");
        }
    }

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks_within_reason() {
        let pace = Pace::every(Duration::from_secs(5));
        let asked = |seconds| pace.pause(1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(60), Duration::from_secs(60));
        assert_eq!(asked(u64::MAX), MOST_PATIENCE);
        assert!(asked(0) >= Duration::from_millis(400));
    }
}
