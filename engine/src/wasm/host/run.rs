//! `run`: what a scenario may know of the run.

use super::Host;
use crate::wasm::bindings::run as wit;

impl wit::Host for Host {
    fn option(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.run.options.get(&name).cloned())
    }

    fn secret(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.run.secrets.get(&name).map(str::to_owned))
    }

    fn run_time(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.run.clock.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn users(&mut self) -> wasmtime::Result<u32> {
        Ok(self.run.live_users())
    }
}
