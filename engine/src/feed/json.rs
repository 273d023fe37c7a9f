//! JSON objects → rows, of one array or of a file with an object a line. Finds the line of
//! what is wrong.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::file::Problem;
use super::table::Table;

/// Reads one array of objects.
pub(super) fn read_array(input: impl BufRead) -> Result<Table, Problem> {
    let mut objects = Objects::default();
    let mut json = serde_json::Deserializer::from_reader(input);
    AllRows(&mut objects).deserialize(&mut json)?;
    json.end()?;
    Ok(objects.table)
}

/// Reads an object of each line that is not empty.
pub(super) fn read_lines(mut input: impl BufRead) -> Result<Table, Problem> {
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
        OneRow(&mut objects)
            .deserialize(&mut json)
            .and_then(|()| json.end())
            .map_err(|error| Problem::Line(line, cause(&error)))?;
    }
    Ok(objects.table)
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() {
            return Problem::Io(error.into());
        }
        Problem::Line(error.line() as u64, cause(&error))
    }
}

/// What is wrong, without where.
fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((cause, _)) => cause.to_owned(),
        None => text,
    }
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
    fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        let column = self.column(name)?;
        match self.row[column].replace(value) {
            None => Ok(()),
            Some(_) => Err(format!("two columns are called '{name}'")),
        }
    }

    /// The column with this name, which is added if there is none.
    fn column(&mut self, name: &str) -> Result<usize, String> {
        if let Some(&column) = self.index.get(name) {
            return Ok(column);
        }
        self.table.add_column(name)?;
        let column = self.row.len();
        self.row.push(None);
        self.index.insert(name.to_owned(), column);
        Ok(column)
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
        while let Some((name, value)) = map.next_entry::<String, _>()? {
            self.0.set(&name, value).map_err(A::Error::custom)?;
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
