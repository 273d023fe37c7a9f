//! What the end-to-end tests stand on: guests and the engine built on demand, the engine
//! as a process, and servers that misbehave. A helper that cannot do its work panics, as
//! a test would. Knows nothing of what is tested.

mod cargo;
pub mod engine;
pub mod faults;
pub mod guests;
pub mod process;

pub use engine::Engine;
pub use process::{Output, Process};
