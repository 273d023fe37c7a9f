//! Where the value of a flag came from, so that messages can name the place to change it.
//! Knows no flag.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::entry::Entry;

/// The flags whose values came from the run file; all others are from the command line.
#[derive(Debug, Default)]
pub(super) struct Origins {
    file: PathBuf,
    keys: BTreeMap<String, (String, usize)>,
}

impl Origins {
    /// Without any flag of that file yet.
    pub(super) fn of(file: &Path) -> Self {
        Origins {
            file: file.to_owned(),
            keys: BTreeMap::new(),
        }
    }

    /// Notes the line of a key, and those of the names within it.
    pub(super) fn add(&mut self, entry: &Entry) {
        let place = (entry.key.clone(), entry.line);
        self.keys.insert(entry.flag.clone(), place);
        for value in entry.values.iter().filter(|_| entry.named) {
            let name = value.name();
            let place = (format!("{}.{name}", entry.key), value.line);
            self.keys.insert(format!("{}.{name}", entry.flag), place);
        }
    }

    /// Whether the run file gave the value of this flag (`users`) or of a name within it
    /// (`data.accounts`).
    pub(super) fn is_of_file(&self, flag: &str) -> bool {
        self.keys.contains_key(flag)
    }

    /// What to call a flag, or a name within one: `--users`, or `run.toml:3: users`.
    pub(super) fn name(&self, flag: &str) -> String {
        match (self.keys.get(flag), flag.split_once('.')) {
            (Some((key, line)), _) => at(&self.file, *line, key),
            (None, Some((flag, name))) => format!("--{flag} {name}"),
            (None, None) => format!("--{flag}"),
        }
    }

    /// A path as the run file means it: relative to the file's own directory.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// A place in a file, as compilers write it, and what it is about.
pub(super) fn at(file: &Path, line: usize, what: impl Display) -> String {
    format!("{}:{line}: {what}", file.display())
}
