//! Lines in the engine's log. The rate is limited per run; what exceeds it is dropped
//! and counted.

use std::fmt;

use crate::bindings::aiotest::engine::log;

pub use crate::bindings::aiotest::engine::log::Level;
pub use crate::{debug, error, info, trace, warn};

/// Writes one line.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    match message.as_str() {
        Some(message) => log::write(level, message),
        None => log::write(level, &message.to_string()),
    }
}

/// Writes a line that only matters when hunting a fault in the scenario.
#[macro_export]
macro_rules! trace {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Trace, ::core::format_args!($($message)+))
    };
}

/// Writes a line for the author of the scenario.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($message)+))
    };
}

/// Writes a line for whoever runs the test.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Info, ::core::format_args!($($message)+))
    };
}

/// Writes a line about something that should not be so.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($message)+))
    };
}

/// Writes a line about something that spoils the results.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => {
        $crate::log::write($crate::log::Level::Error, ::core::format_args!($($message)+))
    };
}
