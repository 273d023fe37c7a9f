//! The call of the host that is being answered: for which user, with which session
//! options, and the responses that were let go of but not yet given back. Knows nothing
//! of the calling convention; calls may interleave.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::pin;

use crate::bindings::aiotest::engine::http;
use crate::client::SessionOptions;
use crate::failure::{Failure, Result};

thread_local! {
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// For whom a call is answered.
#[derive(Clone, Copy)]
pub struct Caller {
    /// 0 for the load shape and the hooks.
    pub(crate) user: u64,
    /// What the attributes of the class say about its sessions.
    pub(crate) session: fn() -> SessionOptions,
}

impl Caller {
    /// Nobody in particular.
    pub(crate) const RUN: Self = Self {
        user: 0,
        session: SessionOptions::default,
    };

    /// Who is being answered now.
    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(|call| call.as_ref().map_or(Self::RUN, |call| call.caller))
    }
}

struct Call {
    caller: Caller,
    /// Responses that the scenario has let go of. The host counts them when they are
    /// dropped.
    parked: Vec<http::Response>,
}

impl Call {
    fn new(caller: Caller) -> Self {
        Self {
            caller,
            parked: Vec::new(),
        }
    }

    /// Gives the responses back, those of a failed step as failures.
    fn settle<T>(self, result: &Result<T>) {
        let Err(Failure::Failed(reason)) = result else {
            return;
        };
        for response in &self.parked {
            response.fail_task(reason);
        }
    }
}

/// Runs `body` as a part of `call`.
fn enter<T>(call: &mut Option<Call>, body: impl FnOnce() -> T) -> T {
    CURRENT.with_borrow_mut(|current| mem::swap(current, call));
    let result = body();
    CURRENT.with_borrow_mut(|current| mem::swap(current, call));
    result
}

/// Runs `body`, which does not wait, for `caller`.
pub(crate) fn on_behalf_of<T>(caller: Caller, body: impl FnOnce() -> T) -> T {
    enter(&mut Some(Call::new(caller)), body)
}

/// Answers one call for `caller`, and settles its responses when it ends.
pub(crate) async fn answer<T>(caller: Caller, step: impl Future<Output = Result<T>>) -> Result<T> {
    let mut call = Some(Call::new(caller));
    let mut step = pin!(step);
    let result = poll_fn(|context| enter(&mut call, || step.as_mut().poll(context))).await;
    if let Some(call) = call {
        call.settle(&result);
    }
    result
}

/// Keeps a response until it is clear how the step went on; outside of a call it is
/// given back at once.
pub(crate) fn park(response: http::Response) {
    CURRENT.with_borrow_mut(|call| {
        if let Some(call) = call {
            call.parked.push(response);
        }
    });
}

/// Gives back the responses parked so far: the step went on without complaint.
pub(crate) fn flush() {
    CURRENT.with_borrow_mut(|call| {
        if let Some(call) = call {
            call.parked.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    const fn caller(user: u64) -> Caller {
        Caller {
            user,
            ..Caller::RUN
        }
    }

    /// Asks who is being answered, before and after waiting once.
    async fn before_and_after() -> Result<(u64, u64)> {
        let before = Caller::current().user;
        let mut waited = false;
        poll_fn(|_| {
            if mem::replace(&mut waited, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        Ok((before, Caller::current().user))
    }

    #[test]
    fn interleaved_calls_keep_their_callers() {
        let mut context = Context::from_waker(Waker::noop());
        let mut first = pin!(answer(caller(1), before_and_after()));
        let mut second = pin!(answer(caller(2), before_and_after()));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(Caller::current().user, 0);
        for (call, user) in [(first, 1), (second, 2)] {
            let Poll::Ready(result) = { call }.as_mut().poll(&mut context) else {
                panic!("the call waits for nothing any more");
            };
            assert_eq!(result.unwrap(), (user, user));
        }
    }

    #[test]
    fn work_that_does_not_wait_has_a_caller_too() {
        assert_eq!(on_behalf_of(caller(7), || Caller::current().user), 7);
        assert_eq!(Caller::current().user, 0);
    }
}
