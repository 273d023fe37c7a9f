//! A file that was named on the command line → a component, or a script with its
//! interpreter; and what is said while that takes long.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;

use super::options::{GivenArgs, size};
use crate::config::Limits;
use crate::output::terminal::Steps;
use crate::script::{self, Script};
use crate::wasm::engine::PoolSize;
use crate::wasm::interpreter::{Step, Watch};
use crate::wasm::plugin::{Manifest, Plugin};
use crate::wasm::source::Source;

/// Where `run` looks when it is given no file.
const USUAL_NAMES: [&str; 2] = ["aiotestfile.py", "locustfile.py"];

/// A scenario that is looked at and does not run.
#[derive(Debug, Args)]
pub(super) struct ScenarioArgs {
    /// The scenario: a WebAssembly component or a Python script
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    #[command(flatten)]
    given: GivenArgs,

    /// Memory of the sandbox that it describes itself in
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64MiB")]
    memory_limit: u64,
}

impl ScenarioArgs {
    pub(super) fn open(&self) -> Result<Source> {
        open(&self.file, &self.given.python_path, false)
    }

    pub(super) fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            memory: usize::try_from(self.memory_limit.min(4 << 30))?,
            ..Limits::default()
        })
    }

    pub(super) fn load(&self, source: &Source) -> Result<Plugin> {
        let limits = self.limits()?;
        let pool = PoolSize {
            sandboxes: 1,
            memory: limits.memory,
            table_elements: limits.table_elements,
        };
        Ok(Plugin::load(source, pool)?)
    }

    pub(super) fn describe(&self, plugin: &Plugin) -> Result<Manifest> {
        let run = super::unattended(self.limits()?, plugin, self.given.read()?)?;
        Ok(super::runtime()?.block_on(plugin.describe(&run))?)
    }
}

/// The script that lies here under a usual name.
pub(super) fn usual() -> Option<PathBuf> {
    let mut names = USUAL_NAMES.iter().map(PathBuf::from);
    names.find(|name| name.is_file())
}

/// Reads a scenario. Unless it shall be quiet, it says on standard error what takes long.
pub(super) fn open(file: &Path, python_path: &[PathBuf], quiet: bool) -> Result<Source> {
    if is_script(file) {
        let script = Script::open(file, python_path)?;
        return Ok(Source::of_script(file, script, watch(quiet))?);
    }
    if !python_path.is_empty() {
        bail!(
            "--python-path: {} is a component, and has the packages it was built with",
            file.display()
        );
    }
    Ok(Source::read(file, watch(quiet))?)
}

/// Whether a file is a script by its name, and no component by its content.
pub(super) fn is_script(file: &Path) -> bool {
    let named = file.extension().is_some_and(|end| end == script::EXTENSION);
    named && !is_wasm(file)
}

fn is_wasm(file: &Path) -> bool {
    let mut magic = [0; 4];
    // A pipe would keep it waiting.
    let read = file.is_file()
        && std::fs::File::open(file).is_ok_and(|mut file| file.read_exact(&mut magic).is_ok());
    read && &magic == b"\0asm"
}

/// Shows the steps that are done once on a machine.
fn watch(quiet: bool) -> Watch {
    let steps = Steps::new("preparing Python, once on this machine", 3);
    Arc::new(move |step| match step {
        _ if quiet => {}
        Step::Waiting => steps.show(1, "waiting for another run that is at it"),
        Step::Loading => steps.show(1, "loading the interpreter"),
        Step::Starting => steps.show(2, "starting it"),
        Step::Compiling => steps.show(3, "compiling it"),
        Step::Done => steps.finish(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_by_name_and_content() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, expected) in [
            ("shop.py", &b"import json"[..], true),
            ("empty.py", b"", true),
            ("built.py", b"\0asm\x0d\0\x01\0", false),
            ("shop.wasm", b"import json", false),
            ("py", b"import json", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            assert_eq!(is_script(&path), expected, "{name}");
        }
        assert!(is_script(&folder.path().join("missing.py")));
    }
}
