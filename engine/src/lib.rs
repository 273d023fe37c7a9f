//! The engine of `aiotest-engine` as a library: everything but the command line.
//!
//! Modules are layered and import only downwards; ARCHITECTURE.md has the map.

mod arrival_driver;
pub mod arrivals;
pub mod cli;
pub mod clock;
pub mod compare;
mod conductor_driver;
pub mod config;
pub mod control;
pub mod export;
pub mod feed;
pub mod health;
pub mod http;
pub mod itinerary;
pub mod keyboard;
pub mod lifecycle;
pub mod load_shape;
pub mod metrics;
pub mod monitor;
pub mod output;
pub mod packing;
mod plan;
pub mod preflight;
pub mod report;
pub mod runner;
pub mod sample;
pub mod scheduler;
pub mod script;
pub mod secrets;
pub mod steering;
pub mod threshold;
pub mod timeline;
pub mod turnstile;
pub mod user_class;
pub mod wasm;
