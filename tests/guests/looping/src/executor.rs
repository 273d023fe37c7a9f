//! The smallest event loop that serves the users of a sandbox: after each round of events
//! every step under way is polled once. Knows nothing of what the steps do.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::bindings::aiotest::engine::event_loop::{self, Event, Outcome, Step};
use crate::bindings::aiotest::engine::http::{HttpError, Request, Response, Session};

/// A step of a user.
pub(crate) type Work = Pin<Box<dyn Future<Output = Outcome>>>;

#[derive(Default)]
struct Loop {
    answers: BTreeMap<u64, Result<Response, HttpError>>,
    /// When somebody wants to go on.
    timers: BTreeSet<Instant>,
    /// Users that must stop.
    stopping: BTreeSet<u64>,
}

thread_local! {
    static LOOP: RefCell<Loop> = RefCell::default();
}

/// Serves users until there are none. `begin` makes the work of a step, `forget` is told who
/// has left.
pub(crate) fn serve(begin: impl Fn(u64, Step) -> Work, forget: impl Fn(u64)) {
    let mut under_way: Vec<(u64, u64, Work)> = Vec::new();
    while let Some(events) = event_loop::next(timeout()) {
        for event in events {
            match event {
                Event::Call(call) => {
                    event_loop::working_on(call.user);
                    under_way.push((call.id, call.user, begin(call.user, call.step)));
                }
                Event::Answer(answer) => LOOP.with_borrow_mut(|state| {
                    state.answers.insert(answer.ticket, answer.outcome);
                }),
                Event::Stop(user) => LOOP.with_borrow_mut(|state| {
                    state.stopping.insert(user);
                }),
                Event::Leave(user) => {
                    under_way.retain(|(_, owner, _)| *owner != user);
                    LOOP.with_borrow_mut(|state| state.stopping.remove(&user));
                    forget(user);
                }
            }
        }
        under_way.retain_mut(|(call, user, work)| {
            event_loop::working_on(*user);
            let mut context = Context::from_waker(Waker::noop());
            match work.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => {
                    event_loop::finish(*call, &outcome);
                    false
                }
                Poll::Pending => true,
            }
        });
    }
}

/// Until the next timer, in nanoseconds; those that have passed are forgotten.
fn timeout() -> Option<u64> {
    let now = Instant::now();
    LOOP.with_borrow_mut(|state| {
        state.timers.retain(|timer| *timer > now);
        let left = state.timers.first()?.saturating_duration_since(now);
        Some(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX))
    })
}

/// Whether the user must stop.
pub(crate) fn must_stop(user: u64) -> bool {
    LOOP.with_borrow(|state| state.stopping.contains(&user))
}

/// Waits. Whether that was not cut short by the user's stop.
pub(crate) async fn sleep(user: u64, duration: Duration) -> bool {
    let until = Instant::now() + duration;
    LOOP.with_borrow_mut(|state| state.timers.insert(until));
    poll_fn(|_| match (must_stop(user), Instant::now() >= until) {
        (true, _) => Poll::Ready(false),
        (false, true) => Poll::Ready(true),
        (false, false) => Poll::Pending,
    })
    .await
}

/// Sends a request and waits for the answer.
pub(crate) async fn send(session: &Session, request: &Request) -> Result<Response, HttpError> {
    let ticket = event_loop::start(session, request);
    poll_fn(
        |_| match LOOP.with_borrow_mut(|state| state.answers.remove(&ticket)) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        },
    )
    .await
}

/// Begins a request and ends it at once.
pub(crate) fn begin_and_cancel(session: &Session, request: &Request) {
    event_loop::cancel(event_loop::start(session, request));
}
