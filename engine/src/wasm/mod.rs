//! The sandbox layer: components in, users' lives out. The only layer that knows
//! wasmtime.

mod alone;
pub(crate) mod bindings;
mod cache;
pub mod component;
pub mod conductor;
mod desk;
pub mod engine;
mod errand;
pub mod folders;
mod group;
pub(crate) mod host;
pub mod interpreter;
mod looping;
mod observed;
pub mod plugin;
pub mod run;
mod sandbox;
pub mod sandboxes;
mod sections;
pub mod source;
mod ticker;
mod together;
mod trap;
mod user;

pub use sandbox::Exit;
