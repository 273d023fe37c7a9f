//! A page of titled tables for a terminal. Knows nothing of what they say.

use super::format::count;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use std::borrow::Cow;
use std::fmt::Write as _;

/// How the report looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether to use colours.
    pub colour: bool,
}

/// Rows shown of each list of causes; the machine-readable report has all of them.
const MOST_CAUSES: usize = 20;

const PASSED: &str = "✓";
const FAILED: &str = "✗";

/// A text that grows line by line.
pub(super) struct Page {
    text: String,
    style: Style,
}

/// How a column stands.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// To the left; wraps when the table is too wide.
    Text,
    /// To the left; never wraps.
    Word,
    /// To the right; never wraps.
    Number,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self {
            text: String::new(),
            style,
        }
    }

    pub(super) fn width(&self) -> u16 {
        self.style.width
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// A section of at most [`MOST_CAUSES`] rows.
    pub(super) fn causes(
        &mut self,
        title: &str,
        columns: &[(&str, Column)],
        rows: impl ExactSizeIterator<Item = Vec<String>>,
    ) {
        let more = rows.len().saturating_sub(MOST_CAUSES);
        self.section(title, grid(columns, rows.take(MOST_CAUSES)));
        if more > 0 {
            self.line(&format!("and {} more", count(more as u64)));
        }
    }

    /// A title and a table, unless the table is empty.
    pub(super) fn section(&mut self, title: &str, table: Table) {
        if table.is_empty() {
            return;
        }
        self.title(title);
        for line in self.lines(table) {
            self.push(&line);
        }
    }

    /// A section of lines that passed or failed: whether, what, and how it came out.
    pub(super) fn verdicts(
        &mut self,
        title: &str,
        rows: impl Iterator<Item = (bool, String, String)>,
    ) {
        let rows = rows.map(|(passed, what, outcome)| {
            let mark = if passed { PASSED } else { FAILED };
            vec![mark.to_owned(), what, outcome]
        });
        let mut table = rows_of(&[Column::Word, Column::Text, Column::Word], rows);
        if table.is_empty() {
            return;
        }
        if let Some(what) = table.column_mut(1) {
            what.set_padding((1, 0));
        }
        self.title(title);
        for line in self.lines(table) {
            self.push(&self.marked(&line));
        }
    }

    /// A section of which some rows passed or failed, with a column for that in front.
    pub(super) fn marked_section(
        &mut self,
        title: &str,
        columns: &[(&str, Column)],
        rows: impl Iterator<Item = (Option<bool>, Vec<String>)>,
    ) {
        let rows = rows.map(|(passed, mut cells)| {
            let mark = passed.map_or("", |passed| if passed { PASSED } else { FAILED });
            cells.insert(0, mark.to_owned());
            cells
        });
        let columns: Vec<_> = std::iter::once(&("", Column::Word))
            .chain(columns)
            .copied()
            .collect();
        let mut table = grid(&columns, rows);
        if table.is_empty() {
            return;
        }
        if let Some(what) = table.column_mut(1) {
            what.set_padding((1, 0));
        }
        self.title(title);
        for line in self.lines(table) {
            self.push(&self.marked(&line));
        }
    }

    fn lines(&self, mut table: Table) -> Vec<String> {
        table.set_width(self.style.width);
        table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    /// The line with its mark, if it has one, in colour. A table cannot do that: it would
    /// count the characters of the colour as columns.
    fn marked<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let mark = |mark: &str, colour: u8| {
            let rest = line.strip_prefix("  ")?.strip_prefix(mark)?;
            Some(format!("  \x1b[{colour}m{mark}\x1b[0m{rest}"))
        };
        let painted = mark(PASSED, 32).or_else(|| mark(FAILED, 31));
        match painted.filter(|_| self.style.colour) {
            Some(painted) => Cow::Owned(painted),
            None => Cow::Borrowed(line),
        }
    }

    pub(super) fn title(&mut self, title: &str) {
        self.push("");
        match self.style.colour {
            true => self.push(&format!("\x1b[1m{title}\x1b[0m")),
            false => self.push(title),
        }
    }

    pub(super) fn warning(&mut self, text: &str) {
        match self.style.colour {
            true => self.line(&format!("\x1b[33m{text}\x1b[0m")),
            false => self.line(text),
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.push(&format!("  {text}"));
    }

    fn push(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// A table without lines. It takes the width of the page when it is put on it.
pub(super) fn grid(columns: &[(&str, Column)], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let kinds: Vec<Column> = columns.iter().map(|(_, kind)| *kind).collect();
    let mut table = rows_of(&kinds, rows);
    table.set_header(columns.iter().map(|(name, _)| Cell::new(name)));
    table
}

/// The same without a header.
fn rows_of(columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .add_rows(rows);
    for (column, kind) in table.column_iter_mut().zip(columns) {
        column.set_padding((2, 0));
        match kind {
            Column::Text => {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(12)))
            }
            Column::Word => column.set_constraint(ColumnConstraint::ContentWidth),
            Column::Number => {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(ColumnConstraint::ContentWidth)
            }
        };
    }
    table
}

/// Columns that a table takes when nothing wraps.
pub(super) fn content_width(table: &Table) -> u16 {
    let widths = table.column_max_content_widths();
    widths
        .iter()
        .map(|width| width.saturating_add(2))
        .fold(0, u16::saturating_add)
}
