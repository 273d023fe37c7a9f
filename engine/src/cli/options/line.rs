//! The command line of `run` and the run file that it names → one set of flags. Flags of
//! the command line win. Knows which flags contradict each other, and no component.

use std::ffi::{OsStr, OsString};
use std::fmt;

use anyhow::{Context, Result, anyhow, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::RunArgs;
use super::entry::{Entry, Kind, first_line};
use super::flags::{ClassArgs, Flags};
use super::load::{LoadArgs, PlanArgs};
use super::origin::{Origins, at};
use super::run_file::{self, Document, Grammar};
use crate::load_shape::{Level, Stage};

/// The command line of `run`, as given. With a run file it is half of what shall happen,
/// and [`RunLine::load`] has the other half.
#[derive(Clone)]
pub(in crate::cli) struct RunLine {
    matches: ArgMatches,
}

// The values could be secrets.
impl fmt::Debug for RunLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunLine").finish_non_exhaustive()
    }
}

impl Args for RunLine {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

impl FromArgMatches for RunLine {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(RunLine {
            matches: matches.clone(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.matches = matches.clone();
        Ok(())
    }
}

impl RunLine {
    /// Everything that was asked for, here and in the run file.
    ///
    /// # Errors
    ///
    /// When the run file cannot be used, which the message says with its line, or when no
    /// component is named.
    pub(in crate::cli) fn load(self) -> Result<RunArgs> {
        let flags = Flags::from_arg_matches(&self.matches)?;
        let Some(path) = flags.config.clone() else {
            return RunArgs::new(flags, Origins::default());
        };
        let grammar = Grammar {
            run: keys_of::<Flags>(),
            plan: keys_of::<PlanArgs>(),
            class: keys_of::<ClassArgs>(),
        };
        let document = run_file::read(&path, grammar)?;
        Merge::new(&self.matches, &document)?.finish()
    }
}

/// The arguments that keys can name.
pub(super) fn keys_of<T: Args>() -> Command {
    T::augment_args(Command::new("run").disable_help_flag(true))
}

fn given(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// What both halves say together.
struct Merge<'a> {
    line: &'a ArgMatches,
    file: &'a Document,
    command: Command,
}

impl<'a> Merge<'a> {
    fn new(line: &'a ArgMatches, file: &'a Document) -> Result<Self> {
        let merge = Merge {
            line,
            file,
            command: keys_of::<Flags>(),
        };
        merge.check_keys()?;
        if !file.plans.is_empty() {
            merge.check_beside_plans()?;
        }
        Ok(merge)
    }

    fn finish(&self) -> Result<RunArgs> {
        let mut origins = Origins::of(&self.file.path);
        let mut words: Vec<OsString> = Vec::new();
        let mut positional: Vec<OsString> = Vec::new();
        for arg in self.command.get_arguments() {
            let mut of_arg = self.words_of_line(arg);
            let entries = self.file.entries.iter();
            if let Some(entry) = entries.into_iter().find(|entry| arg.get_id() == &*entry.id)
                && let Some(entry) = self.left_of(entry)
            {
                origins.add(&entry);
                of_arg.splice(0..0, entry.words());
            }
            match arg.is_positional() {
                true => positional.append(&mut of_arg),
                false => words.append(&mut of_arg),
            }
        }
        if !given(self.line, "file") && !origins.is_of_file("file") {
            bail!(
                "no scenario: name a component on the command line, or as 'file' in {}",
                self.file.path.display()
            );
        }
        words.push("--".into());
        words.append(&mut positional);
        let command = self.command.clone().no_binary_name(true);
        let flags = command
            .try_get_matches_from(words)
            .and_then(|matches| Flags::from_arg_matches(&matches))
            .map_err(|error| anyhow!(first_line(&error)))
            .with_context(|| format!("the command line with {}", self.file.path.display()))?;
        let mut args = RunArgs::new(flags, origins)?;
        args.take_plans(self.file)?;
        args.take_class_settings(self.file)?;
        Ok(args)
    }

    /// What the command line gives an argument, in a form that is read the same again.
    fn words_of_line(&self, arg: &Arg) -> Vec<OsString> {
        let id = arg.get_id().as_str();
        let Some(values) = given(self.line, id)
            .then(|| self.line.get_raw(id))
            .flatten()
        else {
            return Vec::new();
        };
        let Some(long) = arg.get_long() else {
            return values.map(OsString::from).collect();
        };
        if !arg.get_action().takes_values() {
            return vec![format!("--{long}").into()];
        }
        let word = |value| {
            let mut word = OsString::from(format!("--{long}="));
            word.push(value);
            word
        };
        values.map(word).collect()
    }

    /// What the command line leaves of a key.
    fn left_of(&self, entry: &Entry) -> Option<Entry> {
        if entry.kind == Kind::Switch(false) || self.contradicts(entry) {
            return None;
        }
        if !given(self.line, &entry.id) {
            return Some(entry.clone());
        }
        // Of `NAME=VALUE` only the names that are given go.
        let names: Vec<String> = self.line.get_raw(&entry.id)?.map(name).collect();
        let values = entry.values.iter().filter(|_| entry.named);
        let left: Vec<_> = values
            .filter(|value| !names.iter().any(|name| name == value.name()))
            .cloned()
            .collect();
        (!left.is_empty()).then(|| Entry {
            values: left,
            ..entry.clone()
        })
    }

    /// Whether the command line has something that the key cannot be used with.
    fn contradicts(&self, entry: &Entry) -> bool {
        let conflict = |a: &Arg, b: &Arg| {
            let of_a = self.command.get_arg_conflicts_with(a);
            of_a.iter().any(|other| other.get_id() == b.get_id())
        };
        let own = self.arg(&entry.id);
        let declared = self.command.get_arguments().any(|other| {
            let given = given(self.line, other.get_id().as_str());
            given && own.is_some_and(|own| conflict(own, other) || conflict(other, own))
        });
        declared || self.contradicts_load(entry)
    }

    /// The same for the load, where it depends on the values.
    fn contradicts_load(&self, entry: &Entry) -> bool {
        let stages = self.line.get_many::<Stage>("stages");
        let mut stages = stages.into_iter().flatten();
        let staged = stages.next().map(|stage| side_of(stage.level));
        let sided = |ids: &[&str], side| ids.iter().any(|id| given(self.line, id)).then_some(side);
        let wanted = [
            staged,
            sided(&["arrival_rate"], Side::Open),
            sided(&["iterations", "shared_iterations"], Side::Closed),
        ];
        let side = match entry.id.as_str() {
            "arrival_rate" | "max_lateness" => Some(Side::Open),
            "iterations" | "shared_iterations" => Some(Side::Closed),
            "stages" => entry.values.first().and_then(|value| {
                let stage: Stage = value.text.parse().ok()?;
                Some(side_of(stage.level))
            }),
            _ => None,
        };
        if side.is_some_and(|side| wanted.contains(&Some(side.other()))) {
            return true;
        }
        match entry.id.as_str() {
            "users" => staged == Some(Side::Closed),
            "stages" => side == Some(Side::Closed) && given(self.line, "users"),
            _ => false,
        }
    }

    fn arg(&self, id: &str) -> Option<&Arg> {
        self.command.get_arguments().find(|arg| arg.get_id() == id)
    }

    /// Refuses keys of the file that cannot be used together.
    fn check_keys(&self) -> Result<()> {
        let entries = &self.file.entries;
        for (index, entry) in entries.iter().enumerate() {
            let Some(arg) = self.arg(&entry.id) else {
                continue;
            };
            let conflicts = self.command.get_arg_conflicts_with(arg);
            let on = |entry: &Entry| entry.kind != Kind::Switch(false);
            let other = entries.iter().enumerate().find(|(at, other)| {
                let conflict = conflicts.iter().any(|arg| arg.get_id() == &*other.id);
                *at != index && on(other) && conflict
            });
            if let Some((_, other)) = other.filter(|_| on(entry)) {
                let what = format!("{}: cannot be used with '{}'", entry.key, other.key);
                bail!(at(&self.file.path, entry.line, what));
            }
        }
        Ok(())
    }

    /// With plans the load and the classes are theirs to say.
    fn check_beside_plans(&self) -> Result<()> {
        let load = LoadArgs::augment_args(Command::new("load"));
        let mut of_plans: Vec<&Arg> = load.get_arguments().collect();
        // The time limit of the command line and of the file's top is that of all plans.
        of_plans.retain(|arg| arg.get_id() != "run_time");
        let path = self.file.path.display();
        for arg in of_plans {
            let id = arg.get_id().as_str();
            if let Some(entry) = self.file.entries.iter().find(|entry| entry.id == id) {
                let what = format!(
                    "{}: this file has plans, and each has a load of its own; write it into one",
                    entry.key
                );
                bail!(at(&self.file.path, entry.line, what));
            }
            if given(self.line, id) {
                bail!(
                    "--{}: {path} has plans, and each has a load of its own; only --run-time is \
                     for all of them",
                    arg.get_long().unwrap_or(id)
                );
            }
        }
        Ok(())
    }
}

/// Two ways to load a server: users at their own pace, or iterations at a given rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Closed,
    Open,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Side::Closed => Side::Open,
            Side::Open => Side::Closed,
        }
    }
}

fn side_of(level: Level) -> Side {
    match level {
        Level::Users(_) => Side::Closed,
        Level::Rate(_) => Side::Open,
    }
}

/// What stands before the `=`.
fn name(value: &OsStr) -> String {
    let value = value.to_string_lossy();
    value.split('=').next().unwrap_or_default().to_owned()
}
