//! Data files → rows for users: each file is read once, and its rows are handed out to
//! all threads. Knows neither users nor sandboxes, only their numbers.

mod delimited;
mod file;
mod json;
mod table;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

pub use self::table::Row;

use self::table::Table;

/// A data file and its name in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSource {
    /// What the scenario calls it.
    pub name: String,
    /// The file. Its extension tells the format.
    pub path: PathBuf,
}

/// A text that names no data file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not NAME=FILE, for example users=users.csv")]
pub struct InvalidFeedSource(String);

impl FromStr for FeedSource {
    type Err = InvalidFeedSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(FeedSource {
                name: name.to_owned(),
                path: path.into(),
            }),
            _ => Err(InvalidFeedSource(text.to_owned())),
        }
    }
}

/// Why a data file cannot be used.
#[derive(Debug, Error)]
pub enum FeedError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The extension tells no format.
    #[error(
        "{} is no data file by its name: it must end in .csv, .tsv, .json, .jsonl or .ndjson",
        .0.display()
    )]
    Format(PathBuf),
    /// The content is not what the format says.
    #[error("{}, line {line}: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: u64,
        /// What is wrong there.
        cause: String,
    },
    /// There is nothing to hand out.
    #[error("{} has no rows; a data file needs one at least", .0.display())]
    NoRows(PathBuf),
    /// Two files have the same name.
    #[error("two data files are called '{0}'; give each a name of its own")]
    Duplicate(String),
}

/// Which row is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, over all users.
    Sequential,
    /// Any, as likely as every other, for ever.
    Random,
    /// As sequential, with a count of its own: no row is shared with another user that
    /// asks for unique ones, until the end is reached.
    Unique,
    /// The user's own: the first user has the first row.
    ByUser,
}

/// What happens when there is no next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// From the first row again.
    Wrap,
    /// The user has nothing left to do.
    StopUser,
    /// The step fails.
    Fail,
}

/// What a user gets.
#[derive(Clone, Debug)]
pub enum Next<'a> {
    /// Its row.
    Row(Row<'a>),
    /// There is none, and it shall stop.
    StopUser,
    /// There is none, for this reason.
    Failed(String),
}

/// The rows of one data file, and how far they have been handed out.
pub struct Feed {
    name: String,
    table: Table,
    /// Rows handed out of this pass, for each order that counts.
    sequential: AtomicU64,
    unique: AtomicU64,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("name", &self.name)
            .field("columns", &self.columns())
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

impl Feed {
    /// Reads the whole file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not in the format of its name or has no rows.
    pub fn read(source: &FeedSource) -> Result<Self, FeedError> {
        Ok(Feed {
            name: source.name.clone(),
            table: file::read(&source.path)?,
            sequential: AtomicU64::new(0),
            unique: AtomicU64::new(0),
        })
    }

    /// Names of the values of a row, in their order.
    pub fn columns(&self) -> &[String] {
        self.table.columns()
    }

    /// How many rows there are; at least one.
    pub fn rows(&self) -> u64 {
        self.table.rows() as u64
    }

    /// The next row for this user; users count from 1, and 0 is none of them.
    pub fn next(&self, user: u64, order: Order, at_end: AtEnd) -> Next<'_> {
        let rows = self.rows();
        let index = match order {
            Order::Sequential => take(&self.sequential, rows, at_end),
            Order::Unique => take(&self.unique, rows, at_end),
            Order::ByUser => own(user, rows, at_end),
            Order::Random => Some(rand::random_range(0..rows)),
        };
        if let Some(index) = index {
            return Next::Row(self.table.row(index as usize));
        }
        match (at_end, order) {
            (AtEnd::StopUser, _) => Next::StopUser,
            (_, Order::ByUser) => Next::Failed(format!(
                "feed '{}' has no row for user {user}, only {rows}",
                self.name
            )),
            _ => Next::Failed(format!(
                "feed '{}' has no rows left; all {rows} have been used",
                self.name
            )),
        }
    }
}

/// The index of the next row, when this many were handed out of a pass.
fn next_index(taken: u64, rows: u64, at_end: AtEnd) -> Option<u64> {
    if taken < rows {
        return Some(taken);
    }
    (at_end == AtEnd::Wrap).then_some(0)
}

/// Counts one more row as handed out: its index. The count never exceeds the rows, so it
/// does not matter how often users ask at the end.
fn take(taken: &AtomicU64, rows: u64, at_end: AtEnd) -> Option<u64> {
    let count = |taken| Some(next_index(taken, rows, at_end)? + 1);
    // The rows themselves were written before any user started.
    let before = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
    next_index(before.ok()?, rows, at_end)
}

/// The row of a user.
fn own(user: u64, rows: u64, at_end: AtEnd) -> Option<u64> {
    let index = user.saturating_sub(1);
    if at_end == AtEnd::Wrap {
        return Some(index % rows);
    }
    (index < rows).then_some(index)
}

/// The data files of a run. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feeds(Arc<[Arc<Feed>]>);

impl Feeds {
    /// Reads them all.
    ///
    /// # Errors
    ///
    /// When two have the same name, or one cannot be used.
    pub fn read(sources: &[FeedSource]) -> Result<Self, FeedError> {
        for (at, source) in sources.iter().enumerate() {
            if sources[..at].iter().any(|other| other.name == source.name) {
                return Err(FeedError::Duplicate(source.name.clone()));
            }
        }
        let feeds = sources
            .iter()
            .map(|source| Feed::read(source).map(Arc::new));
        Ok(Feeds(feeds.collect::<Result<_, _>>()?))
    }

    /// The feed with this name.
    ///
    /// # Errors
    ///
    /// When there is none: a text that lists those there are.
    pub fn get(&self, name: &str) -> Result<Arc<Feed>, String> {
        if let Some(feed) = self.0.iter().find(|feed| feed.name == name) {
            return Ok(feed.clone());
        }
        if self.0.is_empty() {
            return Err(format!(
                "this run has no feeds; give one with --data {name}=FILE"
            ));
        }
        let names: Vec<&str> = self.0.iter().map(|feed| feed.name.as_str()).collect();
        let names = names.join(", ");
        Err(format!("no feed '{name}'; this run has {names}"))
    }
}
