//! Errors and the log: a page for each, and the latest of both for the overview.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::super::model::Model;
use super::super::text::{fit, right, width, wrap};
use super::super::theme::Theme;
use super::super::troubles::Trouble;
use super::{panel, row, slice};
use crate::output::format::{clock, count};
use crate::report::LogLine;

/// Lines that a message takes, at most.
const MESSAGE: usize = 3;
/// Cells before a line of the log: its time.
const TIME: usize = 8;
/// Cells before a message: how many there were.
const MANY: usize = 9;

type Spans = Vec<Span<'static>>;

/// All that went wrong, the most frequent first; lines on a page and how far it scrolls.
pub(super) fn errors(
    model: &Model,
    theme: Theme,
    buffer: &mut Buffer,
    area: Rect,
) -> (usize, usize) {
    let all = model.troubles.by_count();
    if all.is_empty() {
        return nothing(theme, buffer, area, "Nothing has gone wrong.");
    }
    let cells = usize::from(area.width);
    let lines: Vec<Spans> = all
        .iter()
        .flat_map(|one| trouble(one, theme, cells))
        .collect();
    let seen = slice(model.scrolled, lines.len(), area.height.into());
    let lines = lines.into_iter().skip(seen.first);
    for (line, spans) in area.rows().zip(lines) {
        row(buffer, line, spans);
    }
    seen.page
}

/// How many, of what, where; below it the message.
fn trouble(trouble: &Trouble, theme: Theme, cells: usize) -> Vec<Spans> {
    let new = match trouble.new {
        0 => String::new(),
        new => format!("  +{} just now", count(new)),
    };
    let kind = fit(&trouble.kind, 30);
    let room = cells.saturating_sub(MANY + 2 + width(&kind) + 2 + width(&new));
    let mut lines = vec![vec![
        Span::styled(right(&count(trouble.count), MANY), theme.bad()),
        Span::styled(format!("  {kind}"), theme.strong()),
        Span::raw(format!("  {}", fit(&trouble.place, room))),
        Span::styled(new, theme.warning()),
    ]];
    for text in wrap(&trouble.message, cells.saturating_sub(MANY + 3), MESSAGE) {
        lines.push(vec![Span::styled(
            format!("{}{text}", " ".repeat(MANY + 2)),
            theme.faint(),
        )]);
    }
    lines
}

/// The latest of what went wrong.
pub(super) fn latest_errors(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let latest = model.troubles.latest();
    let many = match latest.len() {
        0 => None,
        many => Some(Span::styled(count(many as u64), theme.bad())),
    };
    let inner = panel(buffer, area, theme, "Latest errors", many);
    if latest.is_empty() {
        return row(buffer, inner, [Span::styled(" none", theme.faint())]);
    }
    let cells = usize::from(inner.width);
    // The message gets a line of its own if there is room.
    let apart = latest.len() * 2 <= usize::from(inner.height);
    let lines = latest.into_iter().flat_map(|one| {
        let many = right(&count(one.count), 7);
        let room = cells.saturating_sub(width(&many) + 1);
        let mut words = format!("{}  {}", one.kind, one.place);
        if !apart {
            words.push_str(&format!("  {}", one.message));
        }
        let style = if one.new > 0 {
            theme.strong()
        } else {
            Style::new()
        };
        let first = vec![
            Span::styled(many, theme.bad()),
            Span::styled(format!(" {}", fit(&words, room)), style),
        ];
        let message = format!("{}{}", " ".repeat(cells - room), fit(&one.message, room));
        let second = apart.then(|| vec![Span::styled(message, theme.faint())]);
        [first].into_iter().chain(second)
    });
    for (line, spans) in inner.rows().zip(lines) {
        row(buffer, line, spans);
    }
}

/// The log, from its end; lines on a page and how far it scrolls.
pub(super) fn log(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) -> (usize, usize) {
    let lines = model.log.lines();
    if lines.is_empty() {
        return nothing(theme, buffer, area, "Nobody has written anything.");
    }
    let room = usize::from(area.height);
    let furthest = lines.len().saturating_sub(1);
    let end = lines.len() - model.scrolled.min(furthest);
    from_below(lines.range(..end), theme, buffer, area);
    if end < lines.len() {
        let words = format!(" ↓ {} later lines ", count((lines.len() - end) as u64));
        let line = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        super::row_right(buffer, line, [Span::styled(words, theme.chosen())]);
    }
    (room.max(1), furthest)
}

/// The last lines of the log.
pub(super) fn latest_lines(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let inner = panel(buffer, area, theme, "Log", []);
    if model.log.lines().is_empty() {
        return row(buffer, inner, [Span::styled(" nothing yet", theme.faint())]);
    }
    from_below(model.log.lines().iter(), theme, buffer, inner);
}

/// Fills an area with the last of some lines; if there are few, from the top.
fn from_below<'a>(
    lines: impl DoubleEndedIterator<Item = &'a LogLine>,
    theme: Theme,
    buffer: &mut Buffer,
    area: Rect,
) {
    let room = usize::from(area.height);
    let mut shown: Vec<Spans> = Vec::new();
    for line in lines.rev() {
        if shown.len() >= room {
            break;
        }
        let mut parts = log_line(line, theme, area.width.into());
        parts.reverse();
        shown.extend(parts);
    }
    shown.truncate(room);
    for (line, spans) in area.rows().zip(shown.into_iter().rev()) {
        row(buffer, line, spans);
    }
}

fn log_line(line: &LogLine, theme: Theme, cells: usize) -> Vec<Spans> {
    let at = Duration::try_from_secs_f64(line.at_seconds).unwrap_or_default();
    let (mark, style) = match line.level.as_str() {
        "warning" => ("warning: ", theme.warning()),
        "error" => ("error: ", theme.bad()),
        _ => ("", theme.faint()),
    };
    let class = match line.class.as_str() {
        "" => String::new(),
        class => format!("{} ", fit(class, 20).trim()),
    };
    let before = format!("{class}{mark}");
    let text = format!("{before}{}", line.text.trim_start());
    let room = cells.saturating_sub(TIME + 1);
    let wrapped = wrap(&text, room, MESSAGE).into_iter().enumerate();
    wrapped
        .map(|(at_line, text)| {
            let time = if at_line == 0 {
                clock(at)
            } else {
                String::new()
            };
            let mut spans = vec![Span::styled(
                format!("{} ", right(&time, TIME - 1)),
                theme.faint(),
            )];
            match text.strip_prefix(&before) {
                Some(text) if at_line == 0 => spans.extend([
                    Span::styled(class.clone(), theme.accent()),
                    Span::styled(mark, style),
                    Span::raw(text.to_owned()),
                ]),
                _ => spans.push(Span::raw(text)),
            }
            spans
        })
        .collect()
}

fn nothing(theme: Theme, buffer: &mut Buffer, area: Rect, words: &str) -> (usize, usize) {
    let line = Rect {
        y: area.y + u16::from(area.height > 2),
        ..area
    };
    row(
        buffer,
        line,
        [Span::styled(format!("  {words}"), theme.faint())],
    );
    (1, 0)
}
