//! `log`: lines for the engine's log.

use super::{Host, clip};
use crate::wasm::bindings::log as wit;
use crate::wasm::run::Level;

impl wit::Host for Host {
    fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            wit::Level::Trace | wit::Level::Debug => Level::Debug,
            wit::Level::Info => Level::Info,
            wit::Level::Warn => Level::Warn,
            wit::Level::Error => Level::Error,
        };
        self.run.log(level, &self.class, &clip(message));
        Ok(())
    }
}
