//! `run`: what a scenario may know of the run.

use super::Host;
use crate::wasm::bindings::run as wit;

impl wit::Host for Host {
    fn option(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.run.options.get(&name).cloned())
    }

    fn options(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        let options = self.run.options.iter();
        Ok(options
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }

    fn host(&mut self, user: u64) -> wasmtime::Result<Option<String>> {
        let member = self.members.get(&user);
        Ok(member.and_then(|member| member.host.as_deref().map(str::to_owned)))
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
