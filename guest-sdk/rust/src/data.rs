//! Rows of the run's data files (`--data NAME=FILE`), which the engine reads once and all
//! users share.
//!
//! ```
//! use aiotest::prelude::*;
//!
//! #[derive(Default)]
//! struct Customer {
//!     client: Client,
//! }
//!
//! #[user]
//! impl Customer {
//!     async fn on_start(&mut self) -> Result {
//!         // No two users log in with the same row; one that finds none left stops.
//!         let user = data::feed("users")?.unique()?;
//!         let login = [("email", user.text("email")?), ("age", user.text("age")?)];
//!         self.client.post("/login").form(&login).send().await?;
//!         Ok(())
//!     }
//!
//!     async fn test_search(&mut self) -> Result {
//!         let word = data::feed("words")?.random()?;
//!         let request = self.client.get("/search").query(&[("q", word.text("word")?)]);
//!         request.name("/search").send().await?;
//!         Ok(())
//!     }
//! }
//! ```

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::bindings::aiotest::engine::data;
use crate::call::Caller;
use crate::failure::{Failure, Result};

pub use crate::bindings::aiotest::engine::data::{AtEnd, Order};

thread_local! {
    /// The feeds that the sandbox has opened; runs have few.
    static OPEN: RefCell<Vec<(String, Feed)>> = const { RefCell::new(Vec::new()) };
}

/// The data file of this name. It is opened once, so this may be called for every row.
///
/// # Errors
///
/// When the run has no such file; the failure names those there are.
pub fn feed(name: &str) -> Result<Feed> {
    let open = |feeds: &Vec<(String, Feed)>| {
        let found = feeds.iter().find(|(known, _)| known == name);
        found.map(|(_, feed)| feed.clone())
    };
    if let Some(feed) = OPEN.with_borrow(open) {
        return Ok(feed);
    }
    let handle = data::Feed::open(name).map_err(Failure::Failed)?;
    let feed = Feed(Rc::new(File {
        columns: handle.columns().into(),
        handle,
    }));
    OPEN.with_borrow_mut(|feeds| feeds.push((name.to_owned(), feed.clone())));
    Ok(feed)
}

/// A data file. Copies of it are cheap, and share one place in the file with all users of
/// the run.
#[derive(Clone)]
pub struct Feed(Rc<File>);

struct File {
    handle: data::Feed,
    columns: Rc<[String]>,
}

impl Feed {
    /// The next row that no user has had; when there is none, the user has nothing left to
    /// do.
    ///
    /// # Errors
    ///
    /// [`Failure::StopUser`] at the end of the file.
    pub fn unique(&self) -> Result<Row> {
        self.take(Order::Unique, AtEnd::StopUser)
    }

    /// The next row, over all users of the run; after the last one the first.
    ///
    /// # Errors
    ///
    /// Only those of the engine.
    pub fn sequential(&self) -> Result<Row> {
        self.take(Order::Sequential, AtEnd::Wrap)
    }

    /// Any row.
    ///
    /// # Errors
    ///
    /// Only those of the engine.
    pub fn random(&self) -> Result<Row> {
        self.take(Order::Random, AtEnd::Wrap)
    }

    /// The user's own row, always the same: the first user has the first row. When there
    /// are more users than rows, some share one.
    ///
    /// # Errors
    ///
    /// Only those of the engine.
    pub fn by_user(&self) -> Result<Row> {
        self.take(Order::ByUser, AtEnd::Wrap)
    }

    /// A row in any order, with a say in what happens when there is none.
    ///
    /// # Errors
    ///
    /// At the end of the file: [`Failure::StopUser`] or [`Failure::Failed`], as `at_end`
    /// says.
    pub fn take(&self, order: Order, at_end: AtEnd) -> Result<Row> {
        let user = Caller::current().user;
        let row = self.0.handle.next(user, order, at_end);
        Ok(Row {
            columns: Rc::clone(&self.0.columns),
            values: row.map_err(Failure::of_engine)?,
        })
    }

    /// Names of the values of a row.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// How many rows there are; at least one.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.handle.rows()
    }
}

/// One row of a data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<String>,
}

impl Row {
    /// The value in this column, if there is such a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        let mut values = self.iter();
        values.find_map(|(name, value)| (name == column).then_some(value))
    }

    /// The value in this column.
    ///
    /// # Errors
    ///
    /// Fails the step when there is no such column; the failure names those there are.
    pub fn text(&self, column: &str) -> Result<&str> {
        self.get(column).ok_or_else(|| self.missing(column))
    }

    /// The value in this column, as a number or whatever else a text can be read as.
    ///
    /// # Errors
    ///
    /// Fails the step when there is no such column, or when its text cannot be read so.
    pub fn parse<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|error| unreadable(column, text, &error))
    }

    /// The value in this column, read as JSON: what is no text in a JSON file.
    ///
    /// # Errors
    ///
    /// Fails the step when there is no such column, or when its text is not JSON of that
    /// type.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        serde_json::from_str(text).map_err(|error| unreadable(column, text, &error))
    }

    /// All columns with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.columns.iter().map(String::as_str);
        columns.zip(self.values.iter().map(String::as_str))
    }

    #[cold]
    fn missing(&self, column: &str) -> Failure {
        let columns = self.columns.join(", ");
        Failure::Failed(format!("no column '{column}': the row has {columns}"))
    }
}

#[cold]
fn unreadable(column: &str, text: &str, error: &dyn Display) -> Failure {
    Failure::Failed(format!("column '{column}' is {text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let texts = |texts: [&str; 3]| texts.map(str::to_owned);
        Row {
            columns: Rc::new(texts(["name", "age", "likes"])),
            values: texts(["Ann", "42", "[\"tea\"]"]).to_vec(),
        }
    }

    #[test]
    fn values_are_found_by_their_columns() {
        let row = row();
        assert_eq!((row.get("age"), row.get("mail")), (Some("42"), None));
        assert_eq!(row.text("name"), Ok("Ann"));
        assert_eq!(row.parse("age"), Ok(42_u8));
        assert_eq!(row.json("likes"), Ok(vec!["tea".to_owned()]));
        assert_eq!(row.iter().nth(1), Some(("age", "42")));
    }

    #[test]
    fn a_missing_column_fails_the_step_and_names_the_others() {
        let wrong = Failure::new("no column 'mail': the row has name, age, likes");
        let row = row();
        assert_eq!(row.text("mail"), Err(wrong.clone()));
        assert_eq!(row.parse::<u32>("mail"), Err(wrong.clone()));
        assert_eq!(row.json::<u32>("mail"), Err(wrong));
    }

    #[test]
    fn a_value_of_another_kind_fails_the_step() {
        assert_eq!(
            row().parse::<u32>("name"),
            Err(Failure::new(
                "column 'name' is \"Ann\": invalid digit found in string"
            ))
        );
        let failure = row().json::<u32>("likes").unwrap_err().to_string();
        assert!(failure.starts_with("column 'likes' is "), "{failure}");
    }
}
