//! The run file: TOML whose keys are flags. Turns each key into the words of a command
//! line, tries them out, and says on which line something is wrong. Knows neither what the
//! flags mean nor what the command line has.

use std::error::Error as _;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::entry::{Entry, Kind, Section, Value, first_line, shown};
use super::keys::{find, unknown};
use super::origin::at;

/// The largest run file in bytes.
const MAX_BYTES: usize = 1 << 20;
/// What a message repeats of the file, in characters.
const MAX_SHOWN: usize = 600;

/// Which keys there are: each is an argument of one of these commands.
pub(super) struct Grammar {
    /// At the top of the file.
    pub(super) run: Command,
    /// In `[plans.NAME]`.
    pub(super) plan: Command,
    /// In `[class.NAME]`.
    pub(super) class: Command,
}

/// What a file says, in its order. Every value was accepted by its argument.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
    pub(super) plans: Vec<Section>,
    pub(super) classes: Vec<Section>,
}

/// Reads a run file.
///
/// # Errors
///
/// When it cannot be read, is not TOML, or has a key that is none or a value that its key
/// does not take. All but the first name the line.
pub(super) fn read(path: &Path, grammar: Grammar) -> Result<Document> {
    let cause = || format!("cannot read the run file {}", path.display());
    let mut bytes = Vec::new();
    // Not the whole file, which may have no end.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(cause)?;
    if bytes.len() > MAX_BYTES {
        bail!(
            "{}: it has more than 1MiB, too much for a run file",
            cause()
        );
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Reader::new(path, text).document(text, grammar),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            bail!(at(path, line, "not valid UTF-8; save the file as UTF-8"))
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Reader {
            path,
            lines: std::iter::once(0).chain(breaks).collect(),
        }
    }

    fn line(&self, span: Range<usize>) -> usize {
        self.lines.partition_point(|begin| *begin <= span.start)
    }

    fn refuse(&self, line: usize, what: &str) -> Error {
        anyhow!(at(self.path, line, shown(what, MAX_SHOWN)))
    }

    fn document(&self, text: &str, mut grammar: Grammar) -> Result<Document> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = self.line(error.span().unwrap_or_default());
            self.refuse(line, error.message())
        })?;
        let section = |name: &str| {
            let table = table.get_ref().iter();
            table.into_iter().find(|(key, _)| key.get_ref() == name)
        };
        let (plans, classes) = (section("plans"), section("class"));
        let sections = ["plans", "class"];
        Ok(Document {
            path: self.path.to_owned(),
            entries: self.entries(table.get_ref(), "", &sections, &mut grammar.run)?,
            plans: self.sections(plans, &mut grammar.plan)?,
            classes: self.sections(classes, &mut grammar.class)?,
        })
    }

    fn sections(
        &self,
        found: Option<(&Spanned<Text<'_>>, &Spanned<DeValue<'_>>)>,
        command: &mut Command,
    ) -> Result<Vec<Section>> {
        let Some((word, value)) = found else {
            return Ok(Vec::new());
        };
        let (word, line) = (word.get_ref(), self.line(word.span()));
        let DeValue::Table(table) = value.get_ref() else {
            let cure = format!("{word}: not a table; write [{word}.NAME]");
            return Err(self.refuse(line, &cure));
        };
        if table.is_empty() {
            let cure = format!("{word}: there is none; write [{word}.NAME]");
            return Err(self.refuse(line, &cure));
        }
        let mut sections = Vec::new();
        for (name, value) in in_order(table) {
            let (line, name) = (self.line(name.span()), name.get_ref().to_string());
            let key = format!("{word}.{name}");
            let DeValue::Table(table) = value.get_ref() else {
                let cure = format!("{key}: not a table; write [{word}.NAME]");
                return Err(self.refuse(line, &cure));
            };
            if name.is_empty() || name.len() > 200 || name.contains(char::is_control) {
                let cause = "the name is empty, longer than 200 bytes, or has control characters";
                return Err(self.refuse(line, &format!("{word}: {cause}")));
            }
            let entries = self.entries(table, &format!("{key}."), &[], command)?;
            sections.push(Section {
                name,
                line,
                entries,
            });
        }
        Ok(sections)
    }

    /// The keys of a table that are arguments of the command.
    fn entries(
        &self,
        table: &DeTable<'_>,
        prefix: &str,
        sections: &[&str],
        command: &mut Command,
    ) -> Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in in_order(table) {
            let (word, line) = (key.get_ref().as_ref(), self.line(key.span()));
            if sections.contains(&word) {
                continue;
            }
            let Some(arg) = find(command, word) else {
                let cause = unknown(prefix, word, sections, command);
                return Err(self.refuse(line, &cause));
            };
            let entry = self.entry(format!("{prefix}{word}"), line, arg, value)?;
            if let Some(other) = entries.iter().find(|other| other.id == entry.id) {
                let cause = format!(
                    "{}: the same as '{}' in line {}; keep one of them",
                    entry.key, other.key, other.line
                );
                return Err(self.refuse(line, &cause));
            }
            self.try_out(&entry, command)?;
            entries.push(entry);
        }
        Ok(entries)
    }

    fn entry(
        &self,
        key: String,
        line: usize,
        arg: &Arg,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Entry> {
        let names = arg.get_value_names().unwrap_or_default();
        let mut entry = Entry {
            id: arg.get_id().to_string(),
            flag: arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned(),
            key,
            line,
            kind: match arg.is_positional() {
                true => Kind::Positional,
                false => Kind::Option,
            },
            named: names.iter().any(|name| name.contains('=')),
            values: Vec::new(),
        };
        if !arg.get_action().takes_values() {
            let DeValue::Boolean(on) = value.get_ref() else {
                let cause = format!("{}: neither true nor false", entry.key);
                return Err(self.refuse(line, &cause));
            };
            entry.kind = Kind::Switch(*on);
            return Ok(entry);
        }
        let repeats = matches!(arg.get_action(), ArgAction::Append);
        match value.get_ref() {
            DeValue::Array(values) if repeats => {
                for value in values.iter() {
                    let value = self.scalar(&entry.key, value)?;
                    entry.values.push(value);
                }
            }
            DeValue::Table(table) if entry.named => {
                for (name, value) in in_order(table) {
                    let value = self.named(&entry.key, name, value)?;
                    entry.values.push(value);
                }
            }
            _ => entry.values.push(self.scalar(&entry.key, value)?),
        }
        Ok(entry)
    }

    /// `NAME = VALUE` of a table as one word.
    fn named(
        &self,
        key: &str,
        name: &Spanned<Text<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Value> {
        let line = self.line(name.span());
        let name = name.get_ref();
        if name.is_empty() || name.contains('=') {
            let cause = format!("{key}: a name cannot be empty or contain '='");
            return Err(self.refuse(line, &cause));
        }
        let value = self.scalar(&format!("{key}.{name}"), value)?;
        Ok(Value {
            text: format!("{name}={}", value.text),
            line,
        })
    }

    /// A single value as people would write it on the command line.
    fn scalar(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Value> {
        let line = self.line(value.span());
        let text = match value.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => decimal(number).ok_or("the number is too large"),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            DeValue::Boolean(value) => Ok(value.to_string()),
            DeValue::Datetime(_) => Err("not a date or time of day; put texts into quotes"),
            DeValue::Array(_) => Err("not a list; it takes a single value"),
            DeValue::Table(_) => Err("not a table; it takes a single value"),
        };
        match text {
            Ok(text) => Ok(Value { text, line }),
            Err(cause) => Err(self.refuse(line, &format!("{key}: {cause}"))),
        }
    }

    /// Lets the argument read the values, and names the one that it refuses.
    fn try_out(&self, entry: &Entry, command: &mut Command) -> Result<()> {
        if refusal(entry.words(), entry.kind, command).is_none() {
            return Ok(());
        }
        for (word, value) in entry.words().into_iter().zip(&entry.values) {
            if let Some(error) = refusal(vec![word], entry.kind, command) {
                let key = match entry.named {
                    true => format!("{}.{}", entry.key, value.name()),
                    false => entry.key.clone(),
                };
                let cause = format!("{key}: {}", cause(&error, &value.text));
                return Err(self.refuse(value.line, &cause));
            }
        }
        let cause = format!("{}: the values do not go together", entry.key);
        Err(self.refuse(entry.line, &cause))
    }
}

/// A key or text of TOML.
type Text<'a> = toml::de::DeString<'a>;

/// The keys of a table as they stand in the file.
fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<Text<'i>>, &'t Spanned<DeValue<'i>>)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

/// A number in the only base that flags are written in.
fn decimal(number: &DeInteger<'_>) -> Option<String> {
    match number.radix() {
        10 => Some(number.as_str().to_owned()),
        radix => {
            let number = u64::from_str_radix(number.as_str(), radix).ok()?;
            Some(number.to_string())
        }
    }
}

/// Why the arguments refuse these words; what is missing beside them does not matter here.
fn refusal(words: Vec<OsString>, kind: Kind, command: &mut Command) -> Option<clap::Error> {
    let mut line = vec![OsString::from("run")];
    if kind == Kind::Positional {
        line.push("--".into());
    }
    line.extend(words);
    let error = command.try_get_matches_from_mut(line).err()?;
    let of_others = [
        ErrorKind::MissingRequiredArgument,
        ErrorKind::ArgumentConflict,
    ];
    (!of_others.contains(&error.kind())).then_some(error)
}

/// What is wrong with a value.
fn cause(error: &clap::Error, value: &str) -> String {
    let Some(cause) = error.source() else {
        return first_line(error);
    };
    let cause = cause.to_string();
    match !value.is_empty() && cause.contains(value) {
        true => cause,
        false => format!("'{}': {cause}", shown(value, 100)),
    }
}
