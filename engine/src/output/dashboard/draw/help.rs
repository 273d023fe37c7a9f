//! What each key does, above everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Clear, Widget as _};

use super::super::theme::Theme;
use super::{panel, row};

const KEYS: [(&str, &str); 11] = [
    ("Tab  1 2 3 4", "another view"),
    ("↑ ↓  PgUp PgDn", "scroll; Home and End: first, last"),
    ("o", "another order of the table"),
    ("w  W", "1 or 10 users more *"),
    ("s  S", "1 or 10 users fewer *"),
    ("p", "start, pause, go on"),
    ("q  Ctrl-C", "stop: tasks in hand are finished;"),
    ("", "once more: everything ends at once"),
    ("Ctrl-Z", "to the shell, and halt; fg goes on"),
    ("?", "this help"),
    ("", "* iterations/s with an arrival rate"),
];
const WIDTH: u16 = 60;

pub(super) fn draw(theme: Theme, buffer: &mut Buffer, area: Rect) {
    let (width, height) = (
        WIDTH.min(area.width),
        (KEYS.len() as u16 + 2).min(area.height),
    );
    let frame = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(frame, buffer);
    let inner = panel(buffer, frame, theme, "Keys", []);
    for (line, (keys, meaning)) in inner.rows().zip(KEYS) {
        let spans = [
            Span::styled(format!(" {keys:<16}"), theme.strong()),
            Span::raw(meaning),
        ];
        row(buffer, line, spans);
    }
}
