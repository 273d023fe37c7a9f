//! The rows of a data file in memory. Does not know the formats of files, nor who has
//! which row.

use std::fmt;
use std::ops::Range;

/// Rows of JSON have a place for each column, which bounds what they can take.
const MAX_COLUMNS: usize = 1000;

/// All rows, in few pieces of memory: millions of short values take little more than
/// their bytes.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<String>,
    /// All values, one behind the other.
    text: String,
    /// Where each value ends in the text.
    cells: Vec<usize>,
    /// Where each row ends in the values.
    rows: Vec<usize>,
}

impl Table {
    /// Names of the values of a row, in their order.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The row with this index, which must be one of those there are.
    pub(super) fn row(&self, at: usize) -> Row<'_> {
        let cells = span(&self.rows, at);
        Row {
            table: self,
            missing: self.columns.len() - cells.len(),
            cells,
        }
    }

    fn cell(&self, at: usize) -> &str {
        &self.text[span(&self.cells, at)]
    }

    /// Adds a column to the right, or says why it cannot be one.
    pub(super) fn add_column(&mut self, name: &str) -> Result<(), String> {
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

    /// Adds a value to the row that is being filled.
    pub(super) fn push_cell(&mut self, value: &str) {
        self.text.push_str(value);
        self.cells.push(self.text.len());
    }

    /// Ends the row that is being filled. It has a value for each column known by now.
    pub(super) fn end_row(&mut self) {
        self.rows.push(self.cells.len());
    }

    /// Gives back the memory that was set aside for more rows.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.cells.shrink_to_fit();
        self.rows.shrink_to_fit();
    }
}

/// Where an item lies, of items that end there one after the other.
fn span(ends: &[usize], at: usize) -> Range<usize> {
    let start = if at == 0 { 0 } else { ends[at - 1] };
    start..ends[at]
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
