//! The sandbox layer: components in, users' lives out. The only layer that knows
//! wasmtime.

pub(crate) mod bindings;
mod cache;
pub mod component;
pub mod conductor;
mod errand;
pub(crate) mod host;
mod observed;
pub mod plugin;
pub mod run;
mod sandbox;
pub mod sandboxes;
mod ticker;
mod trap;
mod user;

pub use sandbox::Exit;
