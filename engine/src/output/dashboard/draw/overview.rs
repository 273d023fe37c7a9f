//! The first page: everything at a glance, and more of it the larger the screen is.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Span;

use super::super::chart::spark;
use super::super::model::Model;
use super::super::theme::Theme;
use super::{charts, health, lists, row, table};
use crate::output::format::{count, number, percent};

/// Rows for the whole page from which there are charts.
const CHARTS: u16 = 16;
/// Rows of a chart, at most.
const MOST_CHARTS: u16 = 24;
/// Rows from which there are panels below the table.
const PANELS: u16 = 28;

/// Lines of the table and how far it scrolls.
pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) -> (usize, usize) {
    let lines = health::lines(model, theme, area.width);
    let below = match area.height {
        0..PANELS => u16::try_from(lines.len()).unwrap_or(0).min(area.height / 4),
        height => (height / 4).clamp(9, 14),
    };
    let charts = match area.height {
        0..CHARTS => 2,
        height => {
            // They get what a short table leaves.
            let table = u16::try_from(model.rows().len().max(8)).unwrap_or(u16::MAX);
            let rest = height
                .saturating_sub(below)
                .saturating_sub(table.saturating_add(2));
            rest.clamp(height * 2 / 5, MOST_CHARTS)
        }
    };
    let [upper, middle, lower] = Layout::vertical([
        Constraint::Length(charts),
        Constraint::Min(0),
        Constraint::Length(below),
    ])
    .areas(area);
    if area.height < CHARTS {
        numbers(model, theme, buffer, upper);
    } else {
        charts::draw(model, theme, buffer, upper);
    }
    if area.height < PANELS {
        for (line, spans) in lower.rows().zip(lines) {
            row(buffer, line, spans);
        }
    } else {
        panels(model, theme, buffer, lower);
    }
    table::draw(model, theme, buffer, middle)
}

/// What the charts say, in two lines.
fn numbers(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let total = &model.report.total;
    let recent = total.recent.unwrap_or_default();
    let rates = model.history.values(12, |interval| interval.rate);
    let top = rates.iter().copied().fold(0.0, f64::max);
    let failed = if total.failures > 0 {
        theme.bad()
    } else {
        theme.faint()
    };
    let label = |text: &'static str| Span::styled(text, theme.faint());
    let first = [
        label(" Users "),
        Span::styled(count(model.users), theme.strong()),
        label("/"),
        Span::styled(count(model.target), theme.faint()),
        label("  req/s "),
        Span::styled(number(recent.per_second), theme.strong()),
        Span::styled(
            format!(" {}", spark(&rates, rates.len(), top)),
            theme.good(),
        ),
        Span::styled(
            format!(
                "  {} failed, {}",
                count(total.failures),
                percent(total.failure_share)
            ),
            failed,
        ),
    ];
    let mut second = vec![label(" Of late, ms ")];
    let latest = model.history.latest().percentiles.unwrap_or_default();
    for ((name, value), style) in ["p50 ", "p95 ", "p99 "]
        .into_iter()
        .zip(latest)
        .zip(theme.percentiles())
    {
        second.push(label(name));
        second.push(Span::styled(format!("{}  ", number(value)), style));
    }
    let mut rows = area.rows();
    if let Some(line) = rows.next() {
        row(buffer, line, first);
    }
    if let Some(line) = rows.next() {
        row(buffer, line, second);
    }
}

fn panels(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    if area.width < 110 {
        let halves = [Constraint::Fill(3), Constraint::Fill(2)];
        let [left, right] = Layout::horizontal(halves).areas(area);
        lists::latest_errors(model, theme, buffer, left);
        return health::panel(model, theme, buffer, right);
    }
    let thirds = [
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(42),
    ];
    let [left, middle, right] = Layout::horizontal(thirds).areas(area);
    lists::latest_errors(model, theme, buffer, left);
    lists::latest_lines(model, theme, buffer, middle);
    health::panel(model, theme, buffer, right);
}
