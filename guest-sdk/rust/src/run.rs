//! The run that the scenario is part of.

use std::time::Duration;

use crate::bindings::aiotest::engine::run;
use crate::call::Caller;

/// The value of `-e NAME=VALUE`.
#[must_use]
pub fn option(name: &str) -> Option<String> {
    run::option(name)
}

/// Time since the run started.
#[must_use]
pub fn run_time() -> Duration {
    Duration::from_nanos(run::run_time())
}

/// Users alive now in the whole run.
#[must_use]
pub fn users() -> u32 {
    run::users()
}

/// The number of this user: counted from 1, unique in the run; 0 in hooks and shapes.
#[must_use]
pub fn user_id() -> u64 {
    Caller::current().user
}
