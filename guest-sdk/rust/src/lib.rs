//! Load tests for aiotest-engine, written in Rust.
//!
#![doc = include_str!("../README.md")]

mod assertions;
#[doc(hidden)]
pub mod bindings;
mod call;
mod client;
mod convention;
pub mod data;
pub mod events;
mod exports;
mod failure;
mod hooks;
pub mod log;
pub mod metrics;
mod request;
mod response;
pub mod run;
mod scenario;
mod shape;
mod user;

use std::time::Duration;

pub use aiotest_macros::user;
#[doc(inline)]
pub use assertions::{assert, assert_eq, assert_ne};
pub use client::{Client, Cookie, SessionOptions};
pub use failure::{ErrorKind, Failure, HttpError, OrFail, Result};
pub use hooks::Hooks;
pub use request::RequestBuilder;
pub use response::{Response, Timings, Version};
pub use shape::{LoadShape, Target};

/// All that a scenario usually needs.
///
/// It has [`assert!`](crate::assert), [`assert_eq!`](crate::assert_eq) and
/// [`assert_ne!`](crate::assert_ne) too, so that the compiler calls these names ambiguous
/// until one says which are meant: `use aiotest::assert;` for those that fail the step,
/// `use std::assert;` for those that end the sandbox.
///
/// ```compile_fail
/// use aiotest::prelude::*;
///
/// fn step(done: bool) -> Result {
///     assert!(done);
///     Ok(())
/// }
/// ```
pub mod prelude {
    pub use std::time::Duration;

    pub use crate::assertions::{assert, assert_eq, assert_ne};
    pub use crate::{
        Client, Failure, Hooks, HttpError, LoadShape, OrFail, Response, Result, SessionOptions,
        Target, data, debug, error, events::Events, fail, info, metrics, run, scenario, user, wait,
        warn,
    };
}

/// Waits without holding up anything but this step.
///
/// # Errors
///
/// [`Failure::Stopping`] as soon as the user must stop; passed on with `?` it ends the
/// step without being counted.
pub async fn wait(duration: Duration) -> Result {
    call::flush();
    let user = call::Caller::current().user;
    if convention::wait(user, nanos(duration)).await {
        Ok(())
    } else {
        Err(Failure::Stopping)
    }
}

/// As the interface counts time; what does not fit is as good as for ever.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// For the macros alone.
#[doc(hidden)]
pub mod __private {
    pub use std::cell::RefCell;
    pub use std::rc::Rc;
    pub use std::time::Duration;

    pub use crate::bindings;
    pub use crate::exports::{Component, Hooked, Judged, Observed, Scenario, Shaped};
    pub use crate::hooks::{AnyHooks, erase};
    pub use crate::user::{
        Class, Execution, Step, Task, TaskSet, User, WaitTime, create, distinct, exclusive, shared,
        unknown,
    };
}
