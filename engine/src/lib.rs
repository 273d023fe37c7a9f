//! The engine of `aiotest-engine` as a library: everything but the command line.
//!
//! Modules are layered and import only downwards; ARCHITECTURE.md has the map.

pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod health;
pub mod http;
pub mod load_shape;
pub mod metrics;
pub mod output;
pub mod preflight;
pub mod runner;
pub mod sample;
pub mod scheduler;
mod shape_driver;
pub mod user_class;
pub mod wasm;
