//! Why a step of a scenario did not succeed, and the errors that become such a failure.

use std::any::Any;
use std::error::Error;
use std::fmt::{self, Debug, Display};

pub use crate::bindings::aiotest::engine::http::ErrorKind;
use crate::bindings::aiotest::engine::{http, types};

/// What the steps of a scenario return.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// Why a step did not succeed. The operator `?` makes one of every error, and
/// [`fail!`](crate::fail) and the assertions of the [prelude](crate::prelude) return one.
///
/// It does not implement [`Error`] itself: that is what lets `?` take them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The step failed: counted as a task error, and so are the responses it held.
    Failed(String),
    /// The step gave up because the user has been asked to stop. Nothing is counted.
    Stopping,
    /// The task set of this task is done, and what is around it goes on; outside of a set,
    /// the pass is done. Nothing is counted.
    LeaveSet,
    /// The user has nothing left to do: its `on_stop` runs and it is not replaced.
    StopUser,
    /// The whole run shall stop now, gracefully, for this reason.
    StopTest(String),
}

impl Failure {
    /// The step failed for this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }

    /// The task set of this task is done.
    #[must_use]
    pub fn leave_set() -> Self {
        Self::LeaveSet
    }

    /// The user has nothing left to do; it is not replaced.
    #[must_use]
    pub fn stop_user() -> Self {
        Self::StopUser
    }

    /// The whole run shall stop now, for this reason.
    #[must_use]
    pub fn stop_test(reason: impl Into<String>) -> Self {
        Self::StopTest(reason.into())
    }

    /// Of `assert!`.
    #[doc(hidden)]
    #[cold]
    #[must_use]
    pub fn broken(place: &str, condition: &str) -> Self {
        Self::Failed(format!("{place}: not true: {condition}"))
    }

    /// Of `assert_eq!` and `assert_ne!`.
    #[doc(hidden)]
    #[cold]
    #[must_use]
    pub fn compared(place: &str, what: &str, left: &dyn Debug, right: &dyn Debug) -> Self {
        Self::Failed(format!("{place}: {what}: {left:?} and {right:?}"))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(reason) => f.write_str(reason),
            Self::Stopping => f.write_str("the user has been asked to stop"),
            Self::LeaveSet => f.write_str("the task set is done"),
            Self::StopUser => f.write_str("the user has nothing left to do"),
            Self::StopTest(reason) => write!(f, "the run shall stop: {reason}"),
        }
    }
}

/// The error's text with those of its sources. A request that was interrupted because
/// the user must stop is no failure of the step.
impl<E: Error + 'static> From<E> for Failure {
    #[cold]
    fn from(error: E) -> Self {
        if let Some(error) = (&error as &dyn Any).downcast_ref::<HttpError>()
            && error.kind == ErrorKind::Interrupted
        {
            return Self::Stopping;
        }
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::Failed(reason)
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Failed(reason) => Self::Failed(reason),
            Failure::Stopping => Self::Stopping,
            Failure::LeaveSet => Self::LeaveSet,
            Failure::StopUser => Self::StopUser,
            Failure::StopTest(reason) => Self::StopTest(reason),
        }
    }
}

impl Failure {
    /// What the engine says that the step shall return. No `From`: the one for all errors
    /// would get in its way.
    pub(crate) fn of_engine(failure: types::Failure) -> Self {
        match failure {
            types::Failure::Failed(reason) => Self::Failed(reason),
            types::Failure::Stopping => Self::Stopping,
            types::Failure::LeaveSet => Self::LeaveSet,
            types::Failure::StopUser => Self::StopUser,
            types::Failure::StopTest(reason) => Self::StopTest(reason),
        }
    }
}

/// A request that got no response. The engine has counted it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    kind: ErrorKind,
    message: String,
}

impl HttpError {
    /// The request itself cannot be sent.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::InvalidRequest,
            message: message.into(),
        }
    }

    /// What went wrong, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for HttpError {}

impl From<http::HttpError> for HttpError {
    fn from(error: http::HttpError) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
        }
    }
}

/// Says why something that is missing or wrong fails the step.
///
/// ```
/// use aiotest::prelude::*;
///
/// fn cheapest(prices: &[u32]) -> Result<u32> {
///     prices.iter().min().copied().or_fail("the shop is empty")
/// }
///
/// std::assert_eq!(cheapest(&[]), Err(Failure::new("the shop is empty")));
/// ```
pub trait OrFail<T> {
    /// The value, or the failure of the step for this reason.
    ///
    /// # Errors
    ///
    /// [`Failure::Failed`] when there is no value.
    fn or_fail(self, reason: &str) -> Result<T>;
}

impl<T> OrFail<T> for Option<T> {
    fn or_fail(self, reason: &str) -> Result<T> {
        self.ok_or_else(|| Failure::new(reason))
    }
}

impl<T, E: Display> OrFail<T> for Result<T, E> {
    fn or_fail(self, reason: &str) -> Result<T> {
        self.map_err(|error| Failure::Failed(format!("{reason}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_bring_their_sources() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("no order")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        fn step() -> Result<u32> {
            Ok("x".parse::<u32>().map_err(Outer)?)
        }
        assert_eq!(
            step(),
            Err(Failure::new("no order: invalid digit found in string"))
        );
    }

    #[test]
    fn an_interrupted_request_is_no_failure() {
        let error = |kind| HttpError {
            kind,
            message: "gone".to_owned(),
        };
        assert_eq!(
            Failure::from(error(ErrorKind::Interrupted)),
            Failure::Stopping
        );
        assert_eq!(Failure::from(error(ErrorKind::Reset)), Failure::new("gone"));
    }

    #[test]
    fn the_engine_and_the_scenario_mean_the_same_failures() {
        for failure in [
            Failure::new("no tea"),
            Failure::Stopping,
            Failure::leave_set(),
            Failure::stop_user(),
            Failure::stop_test("enough"),
        ] {
            assert_eq!(Failure::of_engine(failure.clone().into()), failure);
        }
    }

    #[test]
    fn reasons_lead_to_their_causes() {
        assert_eq!(
            "x".parse::<u8>().or_fail("the price"),
            Err(Failure::new("the price: invalid digit found in string"))
        );
        assert_eq!(Some(1).or_fail("none"), Ok(1));
    }
}
