//! What the end-to-end tests stand on: guests and the engine built on demand, components
//! made by hand, the engine as a process, and servers that misbehave. A helper that cannot
//! do its work panics, as a test would. Knows nothing of what is tested.

mod cargo;
pub mod engine;
pub mod faults;
pub mod guests;
pub mod handmade;
pub mod load_test;
pub mod process;
pub mod recorder;
pub mod shop;

pub use engine::Engine;
pub use load_test::{LoadTest, Results};
pub use process::{Output, Process};
pub use recorder::Recorder;
pub use shop::Shop;
