//! The first lines and the last: what runs, how far it is, which pages there are, and what
//! can be pressed.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::super::model::{Model, View};
use super::super::text::{fit, width};
use super::super::theme::Theme;
use super::{row, row_right};
use crate::lifecycle::State;
use crate::output::format::{clock, count};

/// Lines of it.
pub(super) const HEIGHT: u16 = 3;

pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let mut lines = area.rows();
    if let Some(line) = lines.next() {
        title(model, theme, buffer, line);
    }
    if let Some(line) = lines.next() {
        progress(model, theme, buffer, line);
    }
    if let Some(line) = lines.next() {
        tabs(model, theme, buffer, line);
    }
}

/// State, what runs against what, and the time.
fn title(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let run = &model.report.run;
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let elapsed = clock(seconds(run.duration_seconds));
    let planned = run.planned_seconds.map(|planned| clock(seconds(planned)));
    let planned = planned.map_or(String::new(), |planned| format!(" / {planned}"));
    let time = [
        Span::styled(format!("  {elapsed}"), theme.strong()),
        Span::styled(format!("{planned} "), theme.faint()),
    ];
    let left = row_right(buffer, area, time);
    let (mark, style) = match model.state {
        State::Ready => ("○", theme.accent()),
        State::Starting => ("◌", theme.accent()),
        State::Running => ("●", theme.good()),
        State::Paused => ("‖", theme.warning()),
        State::Stopping => ("◌", theme.warning()),
        State::Stopped => ("■", theme.accent()),
    };
    let state = format!(" {mark} {}  ", model.state);
    let file = run.component.rsplit('/').next().unwrap_or_default();
    let room = usize::from(left.width).saturating_sub(width(&state));
    let file = fit(file, room);
    let mut rest = String::new();
    if let Some(host) = &run.host {
        rest.push_str(&format!("  {host}"));
    }
    for (key, value) in &run.labels {
        rest.push_str(&format!("  {key}={value}"));
    }
    let rest = fit(&rest, room - width(&file));
    let spans = [
        Span::styled(state, style),
        Span::styled(file, theme.strong()),
        Span::styled(rest, theme.faint()),
    ];
    row(buffer, left, spans);
}

/// How much of the time is over; just a line where that is open.
fn progress(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let run = &model.report.run;
    let share = match run.planned_seconds {
        Some(planned) if planned > 0.0 => (run.duration_seconds / planned).clamp(0.0, 1.0),
        _ => 0.0,
    };
    // Halves of cells.
    let cells = usize::from(area.width);
    let done = (share * cells as f64 * 2.0).round() as usize;
    let half = if done % 2 == 1 { "╸" } else { "" };
    let rest = cells - done.div_ceil(2);
    let spans = [
        Span::styled("━".repeat(done / 2) + half, theme.accent()),
        Span::styled("─".repeat(rest), theme.faint()),
    ];
    row(buffer, area, spans);
}

fn tabs(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let words = if area.width < 100 {
        "▲ SATURATED "
    } else {
        "▲ ENGINE SATURATED: response times are in doubt "
    };
    let warning = model.report.engine.saturated.then_some(words);
    let warning = warning.map(|words| Span::styled(words, theme.warning()));
    let area = row_right(buffer, area, warning);
    let mut spans = Vec::new();
    for (number, view) in (1..).zip(View::ALL) {
        let many = match view {
            View::Errors => model.troubles.by_count().len() as u64,
            View::Log => model.log.written(),
            View::Overview | View::Requests => 0,
        };
        let many = match many {
            0 => String::new(),
            many => format!(" {}", count(many)),
        };
        let text = format!(" {number} {}{many} ", view.title());
        let style = if view == model.view {
            theme.chosen()
        } else if view == View::Errors && !many.is_empty() {
            theme.bad()
        } else {
            theme.faint()
        };
        spans.push(Span::styled(text, style));
    }
    row(buffer, area, spans);
}

/// What can be pressed, or what there is to say to who pressed something.
pub(super) fn foot(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    if model.is_stopping() {
        let users = match model.users {
            1 => "1 user finishes its task".to_owned(),
            users => format!("{} users finish their tasks", count(users)),
        };
        let words = format!(" Stopping. q or Ctrl-C once more ends at once. {users}.");
        let words = fit(&words, area.width.into());
        return row(buffer, area, [Span::styled(words, theme.warning())]);
    }
    if let Some(answer) = model.answer() {
        let words = fit(&format!(" {answer}"), area.width.into());
        return row(buffer, area, [Span::styled(words, theme.warning())]);
    }
    let pause = match model.state {
        State::Ready => "start",
        State::Paused => "go on",
        _ => "pause",
    };
    let order = format!("order: {}", model.sorting.title());
    let scroll = if area.width < 100 { "" } else { "scroll" };
    let keys = [
        ("?", "help"),
        ("q", "stop"),
        ("p", pause),
        ("w/s", "users ±1"),
        ("W/S", "±10"),
        ("Tab", "view"),
        ("o", order.as_str()),
        ("↑↓", scroll),
    ];
    let mut spans = Vec::new();
    let mut room = usize::from(area.width);
    for (key, meaning) in keys {
        let cells = width(key) + width(meaning) + 3;
        if cells > room || meaning.is_empty() {
            break;
        }
        room -= cells;
        spans.push(Span::styled(format!(" {key}"), theme.strong()));
        spans.push(Span::styled(format!(" {meaning} "), theme.faint()));
    }
    row(buffer, area, spans);
}
