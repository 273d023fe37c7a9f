//! Data files → rows for users: each file is read once, and its rows are handed out to
//! all threads. Knows neither users nor sandboxes, only their numbers.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use thiserror::Error;

/// Rows of JSON have a place for each column, which bounds what they can take.
const MAX_COLUMNS: usize = 1000;
/// What an error repeats of a file, in bytes.
const MAX_CAUSE: usize = 200;

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

/// The values of a row in the order of the columns.
#[derive(Clone)]
pub struct Row<'a> {
    table: &'a Table,
    /// Its values in the table.
    cells: Range<usize>,
    /// Columns that the file had not mentioned so far.
    missing: usize,
}

impl<'a> Iterator for Row<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if let Some(cell) = self.cells.next() {
            return Some(self.table.cell(cell));
        }
        self.missing = self.missing.checked_sub(1)?;
        Some("")
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.cells.len() + self.missing;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Row<'_> {}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
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
            .field("columns", &self.table.columns)
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
            table: read_table(&source.path)?,
            sequential: AtomicU64::new(0),
            unique: AtomicU64::new(0),
        })
    }

    /// Names of the values of a row, in their order.
    pub fn columns(&self) -> &[String] {
        &self.table.columns
    }

    /// How many rows there are; at least one.
    pub fn rows(&self) -> u64 {
        self.table.rows.len() as u64
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

/// The index of the next row of a pass, and how many are handed out then. A count never
/// exceeds the rows, so it does not matter how often users ask at the end.
fn advance(taken: u64, rows: u64, at_end: AtEnd) -> Option<(u64, u64)> {
    if taken < rows {
        Some((taken, taken + 1))
    } else {
        (at_end == AtEnd::Wrap).then_some((0, 1))
    }
}

fn take(taken: &AtomicU64, rows: u64, at_end: AtEnd) -> Option<u64> {
    let next = |taken| advance(taken, rows, at_end).map(|(_, taken)| taken);
    // The rows themselves were written before any user started.
    let before = taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    advance(before.ok()?, rows, at_end).map(|(index, _)| index)
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

/// All rows, in few pieces of memory: millions of short values take little more than
/// their bytes.
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    /// All values, one behind the other.
    text: String,
    /// Where each value ends in the text.
    cells: Vec<usize>,
    /// Where each row ends in the values.
    rows: Vec<usize>,
}

impl Table {
    fn cell(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.cells[before]);
        &self.text[start..self.cells[at]]
    }

    fn row(&self, at: usize) -> Row<'_> {
        let start = at.checked_sub(1).map_or(0, |before| self.rows[before]);
        let cells = start..self.rows[at];
        Row {
            table: self,
            missing: self.columns.len() - cells.len(),
            cells,
        }
    }

    fn push_cell(&mut self, value: &str) {
        self.text.push_str(value);
        self.cells.push(self.text.len());
    }

    fn end_row(&mut self) {
        self.rows.push(self.cells.len());
    }

    fn add_column(&mut self, name: &str) -> Result<(), String> {
        if name.trim().is_empty() {
            return Err("a column has no name".into());
        }
        if self.columns.len() == MAX_COLUMNS {
            return Err(format!("there are more than {MAX_COLUMNS} columns"));
        }
        if self.columns.iter().any(|column| column == name) {
            return Err(format!("two columns are called '{name}'"));
        }
        self.columns.push(name.to_owned());
        Ok(())
    }
}

enum Format {
    /// Values between these delimiters, below a row of names.
    Csv(u8),
    /// One array of objects.
    Json,
    /// An object a line.
    JsonLines,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Format::Csv(b',')),
            "tsv" => Some(Format::Csv(b'\t')),
            "json" => Some(Format::Json),
            "jsonl" | "ndjson" => Some(Format::JsonLines),
            _ => None,
        }
    }
}

/// What is wrong with a file, yet without its name.
enum Problem {
    Io(io::Error),
    Line(u64, String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Io(error)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return Problem::Io(error.into());
        }
        let line = error.line() as u64;
        let text = error.to_string();
        let cause = text
            .rsplit_once(" at line ")
            .map_or(&*text, |(cause, _)| cause);
        Problem::Line(line, cause.to_owned())
    }
}

impl Problem {
    fn within(self, path: &Path) -> FeedError {
        let path = path.to_owned();
        match self {
            Problem::Io(error) => FeedError::Unreadable { path, error },
            Problem::Line(line, mut cause) => {
                cause.truncate(cause.floor_char_boundary(MAX_CAUSE));
                FeedError::Malformed { path, line, cause }
            }
        }
    }
}

fn read_table(path: &Path) -> Result<Table, FeedError> {
    let format = Format::of(path).ok_or_else(|| FeedError::Format(path.to_owned()))?;
    let read = |file: File| match format {
        Format::Csv(delimiter) => read_csv(file, delimiter),
        Format::Json => read_json(without_bom(file)?),
        Format::JsonLines => read_json_lines(without_bom(file)?),
    };
    let file = File::open(path).map_err(Problem::from);
    let mut table = file
        .and_then(read)
        .map_err(|problem| problem.within(path))?;
    if table.rows.is_empty() {
        return Err(FeedError::NoRows(path.to_owned()));
    }
    table.text.shrink_to_fit();
    table.cells.shrink_to_fit();
    table.rows.shrink_to_fit();
    Ok(table)
}

/// Skips the byte order mark, which is no JSON. The CSV reader knows it by itself.
fn without_bom(mut file: File) -> io::Result<impl BufRead> {
    let mut start = Vec::new();
    file.by_ref().take(3).read_to_end(&mut start)?;
    if start == [0xef, 0xbb, 0xbf] {
        start.clear();
    }
    Ok(BufReader::new(Cursor::new(start).chain(file)))
}

fn read_csv(file: File, delimiter: u8) -> Result<Table, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(file);
    let mut table = Table::default();
    copy_records(&mut reader, &mut table).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Problem::Io(error),
        csv::ErrorKind::Utf8 { pos, err } => {
            let cause = format!("{err}; save the file as UTF-8");
            at(reader.get_ref(), pos, cause)
        }
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let cause = format!("the row has {len} values for {expected_len} columns");
            at(reader.get_ref(), pos, cause)
        }
        other => at(reader.get_ref(), None, format!("{other:?}")),
    })??;
    Ok(table)
}

/// The inner error is one of the header.
fn copy_records(
    reader: &mut csv::Reader<File>,
    table: &mut Table,
) -> csv::Result<Result<(), Problem>> {
    let header = reader.headers()?.clone();
    for name in &header {
        if let Err(cause) = table.add_column(name) {
            return Ok(Err(at(reader.get_ref(), None, cause)));
        }
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        record.iter().for_each(|value| table.push_cell(value));
        table.end_row();
    }
    Ok(Ok(()))
}

/// The problem of the record that the CSV reader began here; absent for the header.
fn at(file: &File, position: Option<csv::Position>, cause: String) -> Problem {
    let position = position.unwrap_or_else(csv::Position::new);
    // What cannot be read again is a pipe, for which the reader's own count must do.
    let line = line_at(file, position.byte()).unwrap_or(position.line());
    Problem::Line(line, cause)
}

/// The line of the record that the CSV reader begins at this byte. It counts lines
/// itself, but neither those without a record nor all with carriage returns.
fn line_at(mut file: &File, position: u64) -> io::Result<u64> {
    file.rewind()?;
    let mut line = 1;
    for (at, byte) in (0..).zip(BufReader::new(file).bytes()) {
        match byte? {
            b'\n' => line += 1,
            b'\r' => {}
            _ if at >= position => break,
            _ => {}
        }
    }
    Ok(line)
}

fn read_json(input: impl BufRead) -> Result<Table, Problem> {
    let mut objects = Objects::default();
    let mut json = serde_json::Deserializer::from_reader(input);
    AllRows(&mut objects).deserialize(&mut json)?;
    json.end()?;
    Ok(objects.table)
}

fn read_json_lines(mut input: impl BufRead) -> Result<Table, Problem> {
    let mut objects = Objects::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let row = OneRow(&mut objects).deserialize(&mut json);
        if let Err(error) = row.and_then(|()| json.end()) {
            return Err(match Problem::from(error) {
                Problem::Line(_, cause) => Problem::Line(line, cause),
                unreadable => unreadable,
            });
        }
    }
    Ok(objects.table)
}

/// JSON objects → rows, whose columns become known on the way.
#[derive(Default)]
struct Objects {
    table: Table,
    /// Columns by name.
    index: HashMap<String, usize>,
    /// The values of the object that is being read.
    row: Vec<Option<Value>>,
}

impl Objects {
    fn set(&mut self, name: String, value: Value) -> Result<(), String> {
        let column = match self.index.get(&name) {
            Some(&column) => column,
            None => {
                self.table.add_column(&name)?;
                self.index.insert(name, self.row.len());
                self.row.push(None);
                self.row.len() - 1
            }
        };
        if self.row[column].replace(value).is_some() {
            let name = &self.table.columns[column];
            return Err(format!("two columns are called '{name}'"));
        }
        Ok(())
    }

    fn end_row(&mut self) {
        for value in &mut self.row {
            match value.take() {
                None => self.table.push_cell(""),
                Some(Value::String(text)) => self.table.push_cell(&text),
                Some(other) => self.table.push_cell(&other.to_string()),
            }
        }
        self.table.end_row();
    }
}

/// Reads an object as a row.
struct OneRow<'a>(&'a mut Objects);

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object for each row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            self.0.set(name, value).map_err(A::Error::custom)?;
        }
        self.0.end_row();
        Ok(())
    }
}

/// Reads an array of objects as rows.
struct AllRows<'a>(&'a mut Objects);

impl<'de> DeserializeSeed<'de> for AllRows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AllRows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(OneRow(self.0))?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::thread;

    use proptest::prelude::*;

    use AtEnd::{Fail, StopUser, Wrap};
    use Order::{ByUser, Random, Sequential, Unique};

    /// A feed called `x`, of a file with this extension and content.
    fn read(extension: &str, content: impl AsRef<[u8]>) -> Result<Feed, FeedError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(format!("x.{extension}"));
        std::fs::write(&path, content).unwrap();
        let name = "x".into();
        Feed::read(&FeedSource { name, path })
    }

    /// Its columns and rows.
    fn content(feed: &Feed) -> Vec<Vec<&str>> {
        let columns = feed.columns().iter().map(String::as_str).collect();
        let rows = (0..feed.table.rows.len()).map(|at| feed.table.row(at).collect());
        [columns].into_iter().chain(rows).collect()
    }

    #[track_caller]
    fn assert_content<const N: usize>(extension: &str, text: &str, expected: &[[&str; N]]) {
        let feed = read(extension, text).unwrap();
        assert_eq!(content(&feed), expected);
        let bom = read(extension, format!("\u{feff}{text}")).unwrap();
        assert_eq!(content(&bom), expected, "with a byte order mark");
        let crlf = read(extension, text.replace('\n', "\r\n")).unwrap();
        assert_eq!(crlf.rows(), feed.rows(), "with carriage returns");
    }

    /// A file that is wrong in this line, for a cause that begins so.
    #[track_caller]
    fn assert_wrong(extension: &str, bytes: impl AsRef<[u8]>, at: u64, begins: &str) {
        match read(extension, bytes).unwrap_err() {
            FeedError::Malformed { path, line, cause } => {
                assert!(path.ends_with(format!("x.{extension}")));
                assert_eq!(line, at, "{cause}");
                assert!(cause.starts_with(begins), "{cause}");
            }
            other => panic!("{other}"),
        }
    }

    /// The number in the only column of a row.
    #[track_caller]
    fn number(next: Next<'_>) -> u64 {
        let Next::Row(mut row) = next else {
            panic!("{next:?}");
        };
        row.next().unwrap().parse().unwrap()
    }

    /// Rows 0, 1, 2 ...
    fn numbers(rows: u64) -> Feed {
        let rows = (0..rows).map(|i| format!("{i}\n"));
        read("csv", format!("n\n{}", rows.collect::<String>())).unwrap()
    }

    #[test]
    fn values_between_delimiters_are_kept_as_they_are() {
        let text = "name,note\nann,\"a, \"\"b\"\"\nc\"\n bo ,\n\nzoë,1.0";
        let expected = [
            ["name", "note"],
            ["ann", "a, \"b\"\nc"],
            [" bo ", ""],
            ["zoë", "1.0"],
        ];
        let feed = read("csv", text).unwrap();
        assert_eq!(content(&feed), expected);
        assert_content("CSV", "a,b\n1,2\n", &[["a", "b"], ["1", "2"]]);
        assert_content("tsv", "a\tb\n1,0\t2\n", &[["a", "b"], ["1,0", "2"]]);
    }

    #[test]
    fn objects_become_rows() {
        let expected = [
            ["id", "name", "more"],
            ["1", "ann", ""],
            ["null", "", "{\"b\":[1.5,true]}"],
            ["", "a\nb", "-7"],
        ];
        let json = r#"[{"id": 1, "name": "ann"},
            {"more": {"b": [1.5, true]}, "id": null},
            {"name": "a\nb", "more": -7}]"#;
        assert_content("json", json, &expected);
        let lines = r#"
            {"id": 1, "name": "ann"}

            {"more": {"b": [1.5, true]}, "id": null}
            {"name": "a\nb", "more": -7}"#;
        assert_content("jsonl", lines, &expected);
        assert_content("ndjson", lines, &expected);
    }

    #[test]
    fn rows_know_how_many_values_are_left() {
        let feed = read("jsonl", "{\"a\": 1}\n{\"b\": 2}").unwrap();
        let mut row = feed.table.row(0);
        assert_eq!(row.len(), 2);
        assert_eq!(format!("{row:?}"), r#"["1", ""]"#);
        assert_eq!((row.next(), row.len()), (Some("1"), 1));
        assert_eq!((row.next(), row.len()), (Some(""), 0));
        assert_eq!((row.next(), row.next()), (None, None));
    }

    #[test]
    fn wrong_values_between_delimiters_are_found_in_their_line() {
        assert_wrong(
            "csv",
            "a,b\n1,2\n3\n",
            3,
            "the row has 1 values for 2 columns",
        );
        assert_wrong("csv", "a,b\r\n1,2\r\n3,4,5\r\n", 3, "the row has 3 values");
        assert_wrong(
            "csv",
            "a,b\n\n1,\"2\n\n\"\n\n\n3\n4,5\n",
            8,
            "the row has 1",
        );
        assert_wrong("csv", "\u{feff}a,b\r\n1,2\r\n3", 3, "the row has 1 values");
        assert_wrong("tsv", b"a\n1\n\xff\n", 3, "invalid utf-8: ");
        assert_wrong("csv", b"\xff\n1\n", 1, "invalid utf-8: ");
        assert_wrong("csv", "a,b,a\n1,2,3\n", 1, "two columns are called 'a'");
        assert_wrong("csv", "\n\na, \n1,2\n", 3, "a column has no name");
        let wide: Vec<String> = (0..1001).map(|i| i.to_string()).collect();
        assert_wrong("csv", wide.join(","), 1, "there are more than 1000 columns");
    }

    #[test]
    fn wrong_objects_are_found_in_their_line() {
        assert_wrong(
            "json",
            "[{\"a\": 1},\n\n 2]",
            3,
            "invalid type: integer `2`, expected an obj",
        );
        assert_wrong(
            "json",
            "{\"a\": 1}",
            1,
            "invalid type: map, expected an array",
        );
        assert_wrong("json", "[\n{\"a\": 1}", 2, "EOF while parsing a list");
        assert_wrong("json", "[{\"a\": 1}]\n[]", 2, "trailing characters");
        assert_wrong(
            "json",
            "[{\"a\": 1,\n\"a\": 2}]",
            2,
            "two columns are called 'a'",
        );
        assert_wrong("json", b"[{\"a\": \"\xff\"}]", 1, "invalid unicode");
        assert_wrong(
            "jsonl",
            "{\"a\": 1}\n\n[2]\n",
            3,
            "invalid type: sequence, expected an obj",
        );
        assert_wrong("jsonl", "{\"a\": 1} {\"a\": 1}", 1, "trailing characters");
        assert_wrong("jsonl", "{\"a\":\n1}", 1, "EOF while parsing");
        assert_wrong("jsonl", "{\"a\": 1}\n{\"\": 1}", 2, "a column has no name");
        assert_wrong("ndjson", b"{\"a\": 1}\n{\"\xff\": 1}", 2, "invalid unicode");
        assert_wrong("jsonl", "[".repeat(1 << 20), 1, "invalid type");
        assert_wrong(
            "jsonl",
            format!("{{\"a\":{}", "[".repeat(1 << 20)),
            1,
            "recursion limit",
        );
        let wide: Vec<String> = (0..1001).map(|i| format!("\"{i}\":0")).collect();
        let wide = format!("{{{}}}", wide.join(","));
        assert_wrong("jsonl", wide, 1, "there are more than 1000 columns");
    }

    #[test]
    fn a_cause_is_not_longer_than_a_line() {
        let text = format!("[\"{}\"]", "ü".repeat(1000));
        let FeedError::Malformed { cause, .. } = read("json", text).unwrap_err() else {
            panic!("it is no object");
        };
        assert!(cause.len() <= MAX_CAUSE && cause.len() > MAX_CAUSE - 2);
    }

    #[test]
    fn files_without_rows_are_refused() {
        for (extension, text) in [
            ("csv", ""),
            ("csv", "\u{feff}a,b\n"),
            ("tsv", "a"),
            ("json", "[]"),
            ("jsonl", "\n \n"),
        ] {
            let error = read(extension, text).unwrap_err();
            assert!(matches!(error, FeedError::NoRows(_)), "{error}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let source = |path: &str| Feed::read(&format!("x={path}").parse().unwrap());
        let error = source("/nowhere/users.csv").unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read /nowhere/users.csv: "),
            "{error}"
        );
        for name in ["users.txt", "users", ".csv", "csv"] {
            let error = source(name).unwrap_err().to_string();
            assert!(
                error.contains(".csv, .tsv, .json, .jsonl or .ndjson"),
                "{error}"
            );
        }
        for extension in ["csv", "json", "jsonl"] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(format!("x.{extension}"));
            std::fs::create_dir(&path).unwrap();
            let error = source(path.to_str().unwrap()).unwrap_err();
            assert!(matches!(error, FeedError::Unreadable { .. }), "{error}");
        }
    }

    #[test]
    fn sources_have_a_name_and_a_file() {
        let source: FeedSource = "users=a=b.csv".parse().unwrap();
        assert_eq!(
            (&*source.name, &*source.path),
            ("users", Path::new("a=b.csv"))
        );
        for text in ["", "users.csv", "=users.csv", "users="] {
            assert!(text.parse::<FeedSource>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_order_has_a_count_of_its_own() {
        let feed = numbers(3);
        for expected in [0, 1, 2, 0, 1] {
            assert_eq!(number(feed.next(7, Sequential, Wrap)), expected);
        }
        for expected in [0, 1, 2] {
            assert_eq!(number(feed.next(7, Unique, StopUser)), expected);
        }
        assert!(matches!(feed.next(7, Unique, StopUser), Next::StopUser));
        let Next::Failed(text) = feed.next(7, Unique, Fail) else {
            panic!("there is none left");
        };
        assert_eq!(text, "feed 'x' has no rows left; all 3 have been used");
        assert_eq!(number(feed.next(7, Sequential, Fail)), 2);
        assert_eq!(number(feed.next(7, Unique, Wrap)), 0);
        assert!(matches!(feed.next(7, Sequential, Fail), Next::Failed(_)));
    }

    #[test]
    fn users_have_rows_of_their_own() {
        let feed = numbers(3);
        for (user, row) in [(0, 0), (1, 0), (2, 1), (3, 2), (2, 1)] {
            assert_eq!(number(feed.next(user, ByUser, Fail)), row);
        }
        assert_eq!(number(feed.next(5, ByUser, Wrap)), 1);
        assert!(matches!(feed.next(4, ByUser, StopUser), Next::StopUser));
        let Next::Failed(text) = feed.next(4, ByUser, Fail) else {
            panic!("there is none");
        };
        assert_eq!(text, "feed 'x' has no row for user 4, only 3");
    }

    #[test]
    fn random_rows_never_end() {
        let feed = numbers(2);
        let rows: Vec<u64> = (0..200)
            .map(|_| number(feed.next(1, Random, Fail)))
            .collect();
        assert!(rows.contains(&0) && rows.contains(&1));
    }

    #[test]
    fn unique_rows_are_handed_out_once_over_all_threads() {
        let feed = numbers(10_000);
        let mut rows: Vec<u64> = thread::scope(|scope| {
            let take = || {
                let next = std::iter::from_fn(|| match feed.next(1, Unique, StopUser) {
                    Next::StopUser => None,
                    row => Some(number(row)),
                });
                next.collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            let rows = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap());
            rows.collect()
        });
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..10_000));
    }

    #[test]
    fn feeds_are_found_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.csv");
        std::fs::write(&path, "a\n1\n").unwrap();
        let source = |name: &str| FeedSource {
            name: name.into(),
            path: path.clone(),
        };
        let feeds = Feeds::read(&[source("users"), source("items")]).unwrap();
        assert_eq!(feeds.get("items").unwrap().columns(), ["a"]);
        // They share how far it was read.
        number(feeds.get("users").unwrap().next(1, Unique, Fail));
        let users = feeds.clone().get("users").unwrap();
        assert!(matches!(users.next(1, Unique, Fail), Next::Failed(_)));

        let error = feeds.get("x").unwrap_err();
        assert_eq!(error, "no feed 'x'; this run has users, items");
        let error = Feeds::default().get("x").unwrap_err();
        assert_eq!(error, "this run has no feeds; give one with --data x=FILE");
        let error = Feeds::read(&[source("a"), source("b"), source("a")]).unwrap_err();
        assert!(matches!(error, FeedError::Duplicate(name) if name == "a"));
    }

    fn at_end() -> impl Strategy<Value = AtEnd> {
        prop_oneof![Just(Wrap), Just(StopUser), Just(Fail)]
    }

    proptest! {
        #[test]
        fn a_count_goes_through_the_rows_in_order(
            rows in 1..20_u64, asked in prop::collection::vec(at_end(), 0..100)
        ) {
            let taken = AtomicU64::new(0);
            let mut last = None;
            for at_end in asked {
                let was_last = last == Some(rows - 1);
                let expected = if was_last && at_end == Wrap {
                    Some(0)
                } else if was_last {
                    None
                } else {
                    Some(last.map_or(0, |row| row + 1))
                };
                let row = take(&taken, rows, at_end);
                prop_assert_eq!(row, expected);
                last = row.or(last);
            }
        }

        #[test]
        fn no_count_leaves_the_rows(taken in any::<u64>(), rows in 1..u64::MAX, at_end in at_end()) {
            match advance(taken, rows, at_end) {
                Some((index, next)) => prop_assert!(index < rows && next == index + 1),
                None => prop_assert!(taken >= rows && at_end != Wrap),
            }
        }

        #[test]
        fn every_user_gets_a_row_that_is_there(
            user in any::<u64>(), rows in 1..u64::MAX, at_end in at_end()
        ) {
            match own(user, rows, at_end) {
                Some(row) => prop_assert!(row < rows),
                None => prop_assert!(user > rows && at_end != Wrap),
            }
            prop_assert!(own(user, rows, Wrap).is_some());
            prop_assert_eq!(own(user % rows + 1, rows, at_end), Some(user % rows));
        }

        #[test]
        fn any_values_come_back(
            rows in prop::collection::vec(prop::collection::vec("\\PC{0,5}|[\",\r\n]{1,4}", 2), 1..20)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b"]).unwrap();
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let feed = read("csv", writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(&content(&feed)[1..], &rows);

            let objects = rows.iter().map(|row| serde_json::json!({"a": row[0], "b": row[1]}));
            let json = Value::Array(objects.collect()).to_string();
            let feed = read("json", json).unwrap();
            prop_assert_eq!(&content(&feed)[1..], &rows);
        }
    }
}
