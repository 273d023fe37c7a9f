//! Values between delimiters (CSV and TSV), below a row of names → rows. Finds the line of
//! what is wrong.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::file::Problem;
use super::table::Table;

/// Reads all records. The first one names the columns.
pub(super) fn read(file: File, delimiter: u8) -> Result<Table, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(file);
    let mut table = Table::default();
    let header = reader
        .headers()
        .cloned()
        .map_err(|error| problem(reader.get_ref(), error))?;
    for name in &header {
        table
            .add_column(name)
            .map_err(|cause| at(reader.get_ref(), None, cause))?;
    }
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| problem(reader.get_ref(), error))?
    {
        record.iter().for_each(|value| table.push_cell(value));
        table.end_row();
    }
    Ok(table)
}

fn problem(file: &File, error: csv::Error) -> Problem {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Problem::Io(error),
        csv::ErrorKind::Utf8 { pos, err } => {
            at(file, pos, format!("{err}; save the file as UTF-8"))
        }
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let cause = format!("the row has {len} values for {expected_len} columns");
            at(file, pos, cause)
        }
        other => at(file, None, format!("{other:?}")),
    }
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
