//! Python for scenarios, built when this crate is: CPython and the native part of the SDK as
//! one component, and the library that it imports from. Knows nothing of the engine.

/// The component, compressed with zstd. It implements the world `script-interpreter` and has
/// to be prepared before its first use: see `wit/script.wit`.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/interpreter.wasm.zst"));

/// What it imports, as a tar compressed with zstd: `python/` is the standard library, `sdk/`
/// the packages `aiotest` and `locust`.
pub const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.tar.zst"));

/// Another one whenever the component or the library changes.
pub const VERSION: &str = include_str!(concat!(env!("OUT_DIR"), "/version"));
