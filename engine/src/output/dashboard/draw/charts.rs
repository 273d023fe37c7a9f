//! The charts of the overview: users, requests and response times over the same minutes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::Span;

use super::super::chart::{self, Scale, Series};
use super::super::history::Interval;
use super::super::model::Model;
use super::super::text;
use super::super::theme::Theme;
use super::{EDGE, edge, panel};
use crate::output::format::{clock, count, number, percent};
use std::time::Duration;

/// Intervals that a chart shows at least, filled or not.
const LEAST: usize = 20;
/// Where there is no room for three charts.
const NARROW: u16 = 72;

pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let window = Window::of(model, area.width);
    if area.width < NARROW {
        let halves = [Constraint::Fill(2), Constraint::Fill(3)];
        let [left, right] = Layout::horizontal(halves).areas(area);
        requests(model, theme, buffer, left, &window);
        return times(model, theme, buffer, right, &window);
    }
    let thirds = [
        Constraint::Fill(9),
        Constraint::Fill(10),
        Constraint::Fill(17),
    ];
    let [left, middle, right] = Layout::horizontal(thirds).areas(area);
    users(model, theme, buffer, left, &window);
    requests(model, theme, buffer, middle, &window);
    times(model, theme, buffer, right, &window);
}

/// What all charts show: the newest intervals.
struct Window<'a> {
    intervals: Vec<&'a Interval>,
    /// How many there is room for; more than there are at the beginning of a run.
    room: usize,
}

impl<'a> Window<'a> {
    fn of(model: &'a Model, width: u16) -> Self {
        // The lines have about so many dots to the right.
        let most = usize::from(width) * 3 / 4;
        let all = model.history.intervals().len();
        let intervals: Vec<_> = model
            .history
            .intervals()
            .skip(all.saturating_sub(most))
            .collect();
        let room = intervals.len().max(LEAST);
        Window { intervals, room }
    }

    /// Means for so many columns, the oldest at the left; none where there is nothing yet.
    fn columns(&self, columns: u16, of: impl Fn(&Interval) -> f64) -> Vec<Option<f64>> {
        let columns = usize::from(columns);
        let part = |column: usize| {
            let first = column * self.room / columns;
            let end = ((column + 1) * self.room / columns).max(first + 1);
            let part = self.intervals.get(first..end.min(self.intervals.len()));
            let part = part.filter(|part| !part.is_empty())?;
            Some(part.iter().map(|interval| of(interval)).sum::<f64>() / part.len() as f64)
        };
        (0..columns).map(part).collect()
    }

    /// How long the charts go back.
    fn words(&self) -> String {
        let [Some(first), Some(last)] = [self.intervals.first(), self.intervals.last()] else {
            return String::new();
        };
        let span = Duration::try_from_secs_f64(last.end - first.end).unwrap_or_default();
        format!("last {}", clock(span))
    }
}

fn users(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect, window: &Window<'_>) {
    let now = [
        Span::styled(count(model.users), theme.strong().fg(Color::Reset)),
        Span::styled(format!(" / {}", count(model.target)), theme.faint()),
    ];
    let inner = panel(buffer, area, theme, "Users", now);
    edge(buffer, area, &window.words(), theme.faint());
    let top = top(window, |interval| interval.users.max(interval.target));
    let plot = axis(buffer, inner, top, theme.faint());
    let is = window.columns(plot.width, |interval| interval.users);
    let target = window.columns(plot.width, |interval| interval.target);
    chart::bars(buffer, plot, &is, top, theme.accent());
    chart::marks(buffer, plot, &target, top, theme.faint());
}

fn requests(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect, window: &Window<'_>) {
    let recent = model.report.total.recent.unwrap_or_default();
    let now = [Span::styled(
        number(recent.per_second),
        theme.strong().fg(Color::Reset),
    )];
    let inner = panel(buffer, area, theme, "Requests/s", now);
    let total = &model.report.total;
    if total.failures == 0 {
        edge(buffer, area, "no failures", theme.faint());
    } else {
        let (many, share) = (count(total.failures), percent(total.failure_share));
        let words = [
            format!("✘ {many} failed, {share}"),
            format!("✘ {many} ({share})"),
            format!("✘ {share}"),
        ];
        let room = usize::from(area.width).saturating_sub(EDGE);
        let fitting = words.iter().find(|words| text::width(words) <= room);
        edge(buffer, area, fitting.unwrap_or(&words[2]), theme.bad());
    }
    // The last line is for failures.
    let split = [Constraint::Min(0), Constraint::Length(1)];
    let [upper, lower] = Layout::vertical(split).areas(inner);
    let top = top(window, |interval| interval.rate);
    let plot = axis(buffer, upper, top, theme.faint());
    let rates = window.columns(plot.width, |interval| interval.rate);
    chart::bars(buffer, plot, &rates, top, theme.good());
    let failures = window.columns(plot.width, |interval| interval.failures);
    let most = failures.iter().flatten().copied().fold(0.0, f64::max);
    if most > 0.0 {
        let cells = usize::from(plot.x - upper.x).saturating_sub(1);
        let label = if cells < 3 { "✘" } else { "✘/s" };
        let label = text::right(label, cells);
        buffer.set_string(lower.x, lower.y, label, theme.bad());
    }
    let line = Rect {
        x: plot.x,
        width: plot.width,
        ..lower
    };
    chart::bars(buffer, line, &failures, most, theme.bad());
}

fn times(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect, window: &Window<'_>) {
    let inner = panel(buffer, area, theme, "Response time, ms", []);
    let latest = model.history.latest().percentiles;
    let names = ["p50", "p95", "p99"];
    let labels: Vec<_> = (0..3)
        .map(|at| match latest {
            Some(values) => format!("{} {}", names[at], number(values[at])),
            None => names[at].to_owned(),
        })
        .collect();
    let styles = theme.percentiles();
    let series: Vec<_> = (0..3)
        .map(|at| Series {
            label: &labels[at],
            values: window
                .intervals
                .iter()
                .map(|i| i.percentiles.map(|p| p[at]))
                .collect(),
            style: styles[at],
        })
        .collect();
    if series
        .iter()
        .all(|one| one.values.iter().flatten().next().is_none())
    {
        let words = "nothing has ended yet";
        let cells = u16::try_from(words.len()).unwrap_or(0);
        let x = inner.x + inner.width.saturating_sub(cells) / 2;
        let room = usize::from(inner.right().saturating_sub(x));
        buffer.set_stringn(x, inner.y + inner.height / 2, words, room, theme.faint());
        return;
    }
    let scale = Scale::around(&series);
    let words = format!("{}, logarithmic", window.words());
    edge(buffer, area, &words, theme.faint());
    chart::lines(buffer, inner, &series, scale, window.room, theme.faint());
}

/// A round number that no value is above.
fn top(window: &Window<'_>, of: impl Fn(&Interval) -> f64) -> f64 {
    let most = window
        .intervals
        .iter()
        .map(|interval| of(interval))
        .fold(0.0, f64::max);
    chart::ceiling(most)
}

/// Numbers at the left; what is left of the area.
fn axis(buffer: &mut Buffer, area: Rect, top: f64, style: Style) -> Rect {
    let label = chart::tick(top);
    let cells = u16::try_from(label.len()).unwrap_or(0) + 1;
    if area.height == 0 || cells + 4 > area.width {
        return area;
    }
    buffer.set_string(area.x, area.y, &label, style);
    let zero = text::right("0", label.len());
    buffer.set_string(area.x, area.bottom() - 1, zero, style);
    Rect {
        x: area.x + cells,
        width: area.width - cells,
        ..area
    }
}
