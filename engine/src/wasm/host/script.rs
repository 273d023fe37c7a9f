//! `script`: the files of a scenario that comes as a script.

use std::sync::Arc;

use super::Host;
use crate::script;
use crate::wasm::bindings::scripted::aiotest::engine::script as wit;
use crate::wasm::run::Level;

impl From<script::File> for wit::File {
    fn from(file: script::File) -> Self {
        wit::File {
            origin: file.origin,
            content: file.content.into(),
        }
    }
}

impl wit::Host for Host {
    fn main(&mut self) -> wasmtime::Result<Option<wit::File>> {
        let script = self.run.script.as_ref();
        Ok(script.map(|script| script.main().clone().into()))
    }

    fn read(&mut self, path: String) -> wasmtime::Result<Option<wit::File>> {
        let Some(script) = &self.run.script else {
            return Ok(None);
        };
        Ok(match script.read(&path) {
            Ok(file) => file.map(Into::into),
            // The script only learns that it is not there; its author learns why.
            Err(error) => {
                let class: &Arc<str> = &self.class;
                self.run.log(Level::Warn, class, &error.to_string());
                None
            }
        })
    }

    fn made(&mut self, path: String) -> wasmtime::Result<Option<Vec<u8>>> {
        let script = self.run.script.as_ref();
        let made = script.and_then(|script| script.made(&path));
        Ok(made.map(|content| content.to_vec()))
    }

    fn keep(&mut self, path: String, content: Vec<u8>) -> wasmtime::Result<()> {
        if let Some(script) = &self.run.script {
            script.keep(path, content);
        }
        Ok(())
    }
}
