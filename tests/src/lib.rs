//! What the end-to-end tests stand on: guests and the engine built on demand, components
//! made by hand, the engine as a process, and servers that misbehave. A helper that cannot
//! do its work panics, as a test would. Knows nothing of what is tested.

mod cargo;
pub mod collector;
pub mod control;
pub mod engine;
pub mod faults;
pub mod guests;
pub mod handmade;
pub mod heads;
pub mod histogram;
pub mod intruders;
pub mod load_test;
pub mod process;
pub mod prometheus;
pub mod recorder;
pub mod samples;
pub mod screen;
pub mod scripts;
pub mod shop;
pub mod spread;
pub mod stalling;
pub mod storefront;

pub use collector::Collector;
pub use control::Control;
pub use engine::Engine;
pub use heads::Heads;
pub use histogram::Histogram;
pub use load_test::{LoadTest, Results};
pub use process::{Output, Process};
pub use prometheus::Prometheus;
pub use recorder::Recorder;
pub use screen::Screen;
pub use shop::Shop;
pub use spread::Spread;
pub use storefront::{Exchange, Storefront};
