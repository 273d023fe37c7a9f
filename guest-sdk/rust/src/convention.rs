//! The calling convention: what differs between components that have one call at a time
//! (blocking) and those whose calls overlap (concurrent). The rest of the crate is
//! written once, with `async fn`.

#[cfg(not(feature = "concurrent"))]
pub(crate) use blocking::{Reply, read, reply, send, wait};
#[cfg(feature = "concurrent")]
pub(crate) use concurrent::{Reply, read, reply, send, wait};

#[cfg(not(feature = "concurrent"))]
mod blocking {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use crate::bindings::aiotest::engine::blocking_io;
    use crate::bindings::aiotest::engine::http::{HttpError, Request, Response, Session};
    use crate::failure::{Failure, Result};

    /// What a call of the host gets.
    pub(crate) type Reply<'a, T> = Result<T>;

    /// The calls below return when they are done, so a step is ready when it is polled
    /// once, unless it waits for something of its own.
    pub(crate) fn reply<'a, T>(step: impl Future<Output = Result<T>> + 'a) -> Reply<'a, T> {
        match pin!(step).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(Failure::new(
                "the step waits for something that is not of the engine, and nothing can \
                 wake it up; wait with aiotest::wait, or build the scenario with the \
                 feature `concurrent`",
            )),
        }
    }

    pub(crate) async fn send(session: &Session, request: Request) -> Result<Response, HttpError> {
        blocking_io::send(session, &request)
    }

    pub(crate) async fn read(response: &Response) -> Result<Vec<u8>, HttpError> {
        blocking_io::read(response)
    }

    pub(crate) async fn wait(user: u64, nanos: u64) -> bool {
        blocking_io::wait(user, nanos)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_step_that_nobody_can_wake_fails() {
            let failure = reply::<()>(std::future::pending()).unwrap_err();
            assert!(failure.to_string().contains("feature `concurrent`"));
            assert_eq!(reply(async { Ok(1) }), Ok(1));
        }
    }
}

#[cfg(feature = "concurrent")]
mod concurrent {
    use std::pin::Pin;

    use crate::bindings::aiotest::engine::http::{HttpError, Request, Response, Session};
    use crate::bindings::aiotest::engine::io;
    pub(crate) use crate::bindings::aiotest::engine::io::{read, wait};
    use crate::failure::Result;

    /// What a call of the host gets, when it is there.
    pub(crate) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

    pub(crate) fn reply<'a, T>(step: impl Future<Output = Result<T>> + 'a) -> Reply<'a, T> {
        Box::pin(step)
    }

    pub(crate) async fn send(session: &Session, request: Request) -> Result<Response, HttpError> {
        io::send(session, request).await
    }
}
