//! A data file → its table, in the format that the file's name tells. Knows the names of
//! the formats, not what they look like.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::FeedError;
use super::delimited;
use super::json;
use super::table::Table;

/// What an error repeats of a file, in bytes.
pub(super) const MAX_CAUSE: usize = 200;

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
pub(super) enum Problem {
    Io(io::Error),
    /// The line, counted from one, and the cause.
    Line(u64, String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Io(error)
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

/// Reads the whole file, which has one row at least.
pub(super) fn read(path: &Path) -> Result<Table, FeedError> {
    let format = Format::of(path).ok_or_else(|| FeedError::Format(path.to_owned()))?;
    let mut table = parse(path, format).map_err(|problem| problem.within(path))?;
    if table.rows() == 0 {
        return Err(FeedError::NoRows(path.to_owned()));
    }
    table.shrink();
    Ok(table)
}

fn parse(path: &Path, format: Format) -> Result<Table, Problem> {
    let file = File::open(path)?;
    match format {
        Format::Csv(delimiter) => delimited::read(file, delimiter),
        Format::Json => json::read_array(without_bom(file)?),
        Format::JsonLines => json::read_lines(without_bom(file)?),
    }
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
