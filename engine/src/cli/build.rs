//! `aiotest-engine build`: a script and what it imports → one component.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::exit;
use super::scenario::{ScenarioArgs, is_script};
use crate::output::file;
use crate::output::format::bytes;
use crate::output::terminal::print;
use crate::script::Bundle;

#[derive(Debug, Args)]
#[command(after_help = "\
Packed are the script and the modules and packages that it imports, and those that they \
import, as far as import statements name them.")]
pub(super) struct BuildArgs {
    #[command(flatten)]
    scenario: ScenarioArgs,

    /// The component to write [default: the name of FILE with .wasm, here]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn build(args: &BuildArgs) -> Result<u8> {
    let scenario = &args.scenario;
    let file = &scenario.file;
    if !is_script(file) {
        bail!(
            "{} is no Python script, which is what can be built",
            file.display()
        );
    }
    let source = scenario.open()?;
    let script = source.script().context("the interpreter runs no script")?;
    let bundle = script.pack()?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => Path::new(file.file_name().unwrap_or_default()).with_extension("wasm"),
    };
    let built = source.with_bundle(&bundle, &output)?;
    scenario.describe(&scenario.load(&source)?)?;
    let runs = scenario.describe(&scenario.load(&built)?);
    runs.with_context(|| {
        format!(
            "{} runs, but not with what was packed of it; a module that is loaded under a \
             computed name needs an import statement somewhere",
            file.display()
        )
    })?;
    file::write(&output, built.bytes())?;
    print(&report(&output, built.bytes().len(), &bundle));
    Ok(exit::OK)
}

fn report(output: &Path, size: usize, bundle: &Bundle) -> String {
    let mut text = format!("{}  {}\n", output.display(), bytes(size as u64));
    for (name, size) in &bundle.files {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {name}  {}", bytes(*size as u64));
    }
    text
}
