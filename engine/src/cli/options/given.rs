//! What the scenario is given beside its classes' settings: options, data, secrets, folders,
//! packages. Does not know what the scenario does with them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;

use super::origin::Origins;
use super::values::{Hidden, key_value};
use crate::config::Grant;
use crate::feed::{FeedSource, Feeds};
use crate::secrets::{SecretSource, Secrets};
use crate::wasm::folders::Folders;
use crate::wasm::run::Given;

/// The flags, which other commands have too: a scenario may need what they give as soon as
/// it describes itself.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Scenario")]
pub(in crate::cli) struct GivenArgs {
    /// An option for the scenario; repeat for more
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) options: Vec<(String, String)>,

    /// A data file for the scenario (.csv, .tsv, .json, .jsonl); repeat for more
    #[arg(long, value_name = "NAME=FILE")]
    pub(super) data: Vec<FeedSource>,

    /// A value for the scenario that no output shows; repeat for more
    #[arg(
        long = "secret",
        alias = "secrets",
        value_name = "NAME=env:VAR|file:PATH"
    )]
    secrets: Vec<Hidden>,

    /// A folder that the scenario may read, under this name; repeat for more
    #[arg(long, value_name = "DIR")]
    dir: Vec<PathBuf>,

    /// A folder that a Python script imports from, beside its own; repeat for more
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) python_path: Vec<PathBuf>,
}

impl GivenArgs {
    /// All of it, for a scenario that is no part of a run.
    pub(in crate::cli) fn read(&self) -> Result<Given> {
        let origins = Origins::default();
        Ok(Given {
            options: self.options.iter().cloned().collect(),
            secrets: self.secrets(&origins, |name| std::env::var(name).ok())?,
            feeds: Feeds::read(&self.data)?,
            folders: Folders::open(&self.grants(&origins))?,
            script: None,
        })
    }

    /// Paths of the run file are relative to it.
    pub(super) fn settle(&mut self, origins: &Origins) {
        for feed in &mut self.data {
            if origins.is_of_file(&format!("data.{}", feed.name)) {
                feed.path = origins.beside(&feed.path);
            }
        }
        if origins.is_of_file("python-path") {
            for path in &mut self.python_path {
                *path = origins.beside(path);
            }
        }
    }

    /// The folders under the names that they were given with: `--dir data` is `data` for
    /// the scenario, wherever it runs.
    pub(super) fn grants(&self, origins: &Origins) -> Vec<Grant> {
        let of_file = origins.is_of_file("dir");
        let grant = |path: &PathBuf| Grant {
            name: name(path),
            path: match of_file {
                true => origins.beside(path),
                false => path.clone(),
            },
        };
        self.dir.iter().map(grant).collect()
    }

    pub(super) fn secrets(
        &self,
        origins: &Origins,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Secrets> {
        let mut values = BTreeMap::new();
        for Hidden(text) in &self.secrets {
            // The text may be the secret itself and is not shown.
            let (name, source) = text
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .with_context(|| {
                    let flag = origins.name("secret");
                    format!("{flag}: not NAME=env:VAR or NAME=file:PATH")
                })?;
            let key = format!("secret.{name}");
            let context = || origins.name(&key);
            let mut source: SecretSource = source.parse().with_context(context)?;
            if let SecretSource::File(path) = &mut source
                && origins.is_of_file(&key)
            {
                *path = origins.beside(path);
            }
            let value = source.read(&env).with_context(context)?;
            if values.insert(name.to_owned(), value).is_some() {
                return Err(anyhow!("given twice")).with_context(context);
            }
        }
        Secrets::new(values).context("--secret")
    }
}

/// A path without what makes no difference.
fn name(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    match parts.collect::<PathBuf>() {
        here if here == Path::new("") => ".".into(),
        name => name.display().to_string(),
    }
}
