//! `assert!` and its kin as steps of a scenario need them: they return a failure, where
//! those of the standard library would end the whole sandbox.

/// Returns [`Failure`](crate::Failure) from the enclosing function unless the condition
/// holds. The standard library's would panic, and so end the sandbox with the user.
///
/// ```
/// use aiotest::{assert, prelude::*};
///
/// fn check(price: u32) -> Result {
///     assert!(price > 0, "the price is {price}");
///     Ok(())
/// }
///
/// std::assert!(check(1).is_ok());
/// std::assert!(check(0).unwrap_err().to_string().ends_with("the price is 0"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __assert {
    ($condition:expr $(,)?) => {
        if !$condition {
            return ::core::result::Result::Err($crate::Failure::broken(
                $crate::__place!(),
                ::core::stringify!($condition),
            ));
        }
    };
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            $crate::fail!("{}: {}", $crate::__place!(), ::core::format_args!($($reason)+));
        }
    };
}

/// Returns [`Failure`](crate::Failure) from the enclosing function, with both values,
/// unless they are equal.
///
/// ```
/// use aiotest::{assert_eq, prelude::*};
///
/// fn check(status: u16) -> Result {
///     assert_eq!(status, 200);
///     Ok(())
/// }
///
/// std::assert!(check(503).unwrap_err().to_string().ends_with("status == 200: 503 and 200"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_eq {
    ($left:expr, $right:expr $(, $($reason:tt)*)?) => {
        $crate::__compare!($left, ==, $right, $($($reason)*)?)
    };
}

/// Returns [`Failure`](crate::Failure) from the enclosing function, with both values,
/// when they are equal.
#[doc(hidden)]
#[macro_export]
macro_rules! __assert_ne {
    ($left:expr, $right:expr $(, $($reason:tt)*)?) => {
        $crate::__compare!($left, !=, $right, $($($reason)*)?)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __compare {
    ($left:expr, $operator:tt, $right:expr,) => {
        $crate::__compare!(
            $left, $operator, $right,
            "{}",
            ::core::concat!(
                ::core::stringify!($left), " ",
                ::core::stringify!($operator), " ",
                ::core::stringify!($right)
            )
        )
    };
    ($left:expr, $operator:tt, $right:expr, $($reason:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if !(*left $operator *right) {
                    return ::core::result::Result::Err($crate::Failure::compared(
                        $crate::__place!(),
                        &::std::format!($($reason)+),
                        left,
                        right,
                    ));
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __place {
    () => {
        ::core::concat!(::core::file!(), ":", ::core::line!())
    };
}

/// Returns [`Failure::Failed`](crate::Failure::Failed) with this text from the enclosing
/// function.
///
/// ```
/// use aiotest::prelude::*;
///
/// fn pay(paid: bool) -> Result {
///     if !paid {
///         fail!("the order is not paid");
///     }
///     Ok(())
/// }
///
/// std::assert_eq!(pay(false), Err(Failure::new("the order is not paid")));
/// ```
#[macro_export]
macro_rules! fail {
    ($($reason:tt)+) => {
        return ::core::result::Result::Err($crate::Failure::new(::std::format!($($reason)+)))
    };
}

pub use crate::{__assert as assert, __assert_eq as assert_eq, __assert_ne as assert_ne};
