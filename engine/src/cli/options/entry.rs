//! A key of the run file with its values, as words of a command line. Does not know TOML.

use std::ffi::OsString;

use anyhow::{Result, anyhow};
use clap::{Args, Command};

/// A table with a name of its own.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) entries: Vec<Entry>,
}

/// A key with what it says.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Of the argument, as clap knows it.
    pub(super) id: String,
    /// The argument's long flag; the id of those without.
    pub(super) flag: String,
    /// As it is written, with the tables it is in.
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// Whether its values are `NAME=VALUE`.
    pub(super) named: bool,
    /// None for a switch.
    pub(super) values: Vec<Value>,
}

/// How an argument is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its place on the command line.
    Positional,
    /// `--flag=value`.
    Option,
    /// `--flag` when true.
    Switch(bool),
}

/// One value, as the command line would have it.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Value {
    /// What stands before the `=`.
    pub(super) fn name(&self) -> &str {
        self.text.split('=').next().unwrap_or_default()
    }
}

impl Entry {
    /// The entry as words of a command line. Positional ones have to come last.
    pub(super) fn words(&self) -> Vec<OsString> {
        let values = self.values.iter().map(|value| value.text.as_str());
        match self.kind {
            Kind::Switch(false) => Vec::new(),
            Kind::Switch(true) => vec![format!("--{}", self.flag).into()],
            Kind::Positional => values.map(OsString::from).collect(),
            Kind::Option => values
                .map(|value| format!("--{}={value}", self.flag).into())
                .collect(),
        }
    }
}

impl Section {
    /// The section as the arguments that its keys are.
    pub(super) fn parse<T: Args>(&self) -> Result<T> {
        let words = self.entries.iter().flat_map(Entry::words);
        let matches = T::augment_args(Command::new("section"))
            .no_binary_name(true)
            .try_get_matches_from(words)
            .and_then(|matches| T::from_arg_matches(&matches));
        matches.map_err(|error| anyhow!("{}: {}", self.name, first_line(&error)))
    }
}

/// An error of clap without its usage.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// A text of unknown origin for a message of one line.
pub(super) fn shown(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(most).map(clean).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}
