//! Shows what was measured: to people, to Prometheus, to programs. Works on reports and
//! snapshots; knows nothing of how they came about.

pub mod comparison;
pub mod csv;
pub mod dashboard;
pub mod file;
pub(crate) mod format;
pub mod html;
pub mod json;
pub mod junit;
mod page;
pub mod prometheus;
pub mod samples;
pub mod summary;
pub mod terminal;

#[cfg(test)]
mod fixture;
