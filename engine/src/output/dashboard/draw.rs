//! The model → the cells of a screen, of any size. Knows nothing of terminals.

mod charts;
mod header;
mod health;
mod help;
mod lists;
mod overview;
mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Widget as _};

use super::model::{Model, View};
use super::theme::Theme;

/// The least that anything can be shown in.
const LEAST: (u16, u16) = (40, 8);

/// Draws everything. What has to be known of the looks to scroll goes into the model.
pub(super) fn draw(model: &mut Model, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        if !area.is_empty() {
            let words = format!("{}; the window is too small", model.state);
            row(buffer, area, [Span::raw(words)]);
        }
        return;
    }
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(header::HEIGHT),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    header::draw(model, theme, buffer, head);
    model.page = match model.view {
        View::Overview => overview::draw(model, theme, buffer, body),
        View::Requests => table::page(model, theme, buffer, body),
        View::Errors => lists::errors(model, theme, buffer, body),
        View::Log => lists::log(model, theme, buffer, body),
    };
    header::foot(model, theme, buffer, foot);
    if model.help {
        help::draw(theme, buffer, area);
    }
}

/// How much a list shows of itself.
#[derive(Clone, Copy, Debug)]
struct Slice {
    first: usize,
    end: usize,
    /// Lines on a page and how far it can be scrolled.
    page: (usize, usize),
}

/// What is seen of `all` lines of a list that is scrolled, with room for some.
fn slice(scrolled: usize, all: usize, room: usize) -> Slice {
    let furthest = all.saturating_sub(room);
    let first = scrolled.min(furthest);
    Slice {
        first,
        end: all.min(first + room),
        page: (room.max(1), furthest),
    }
}

/// Writes a line of text at the top of an area.
fn row<'a>(buffer: &mut Buffer, area: Rect, spans: impl IntoIterator<Item = Span<'a>>) {
    if !area.is_empty() {
        let line: Line<'_> = spans.into_iter().collect();
        buffer.set_line(area.x, area.y, &line, area.width);
    }
}

/// A line of text at the right end of the top of an area; the room left of it.
fn row_right<'a>(
    buffer: &mut Buffer,
    area: Rect,
    spans: impl IntoIterator<Item = Span<'a>>,
) -> Rect {
    let line: Line<'_> = spans.into_iter().collect();
    let width = u16::try_from(line.width())
        .unwrap_or(u16::MAX)
        .min(area.width);
    let left = area.width - width;
    if !area.is_empty() {
        buffer.set_line(area.x + left, area.y, &line, width);
    }
    Rect {
        width: left,
        ..area
    }
}

/// A frame with words in its edges; the room within.
fn panel<'a>(
    buffer: &mut Buffer,
    area: Rect,
    theme: Theme,
    title: &'a str,
    right: impl IntoIterator<Item = Span<'a>>,
) -> Rect {
    let title = Line::from(vec![
        Span::raw(" "),
        Span::styled(title, theme.strong().fg(Color::Reset)),
        Span::raw(" "),
    ]);
    let mut edge: Vec<Span<'_>> = right.into_iter().collect();
    if !edge.is_empty() {
        edge.insert(0, Span::raw(" "));
        edge.push(Span::raw(" "));
    }
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.faint())
        .title(title)
        .title(Line::from(edge).right_aligned());
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// Cells of a lower edge that words on it leave.
const EDGE: usize = 6;

/// Words with an empty cell before and after them, on the lower edge of a frame.
fn edge(buffer: &mut Buffer, frame: Rect, words: &str, style: Style) {
    let room = usize::from(frame.width).saturating_sub(EDGE);
    let text = format!(" {} ", super::text::fit(words, room));
    if frame.height > 1 && !words.is_empty() {
        buffer.set_string(frame.x + 2, frame.bottom() - 1, text, style);
    }
}
