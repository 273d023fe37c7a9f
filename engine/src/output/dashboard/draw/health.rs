//! How the engine does, and how the thresholds stand.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::super::chart::spark;
use super::super::model::Model;
use super::super::text::{fit, right, width};
use super::super::theme::Theme;
use super::row;
use crate::output::format::{bytes, count, number};
use crate::report::{Report, Threshold};

/// Cells of the charts beside the numbers.
const TREND: usize = 16;

/// The most important, a line each: the engine, the thresholds, the latest error.
pub(super) fn lines(model: &Model, theme: Theme, cells: u16) -> Vec<Vec<Span<'static>>> {
    let cells = usize::from(cells);
    let mut lines = vec![engine_line(model, theme, cells)];
    let thresholds = &model.report.thresholds;
    if !thresholds.is_empty() {
        lines.push(thresholds_line(thresholds, theme, cells));
    }
    if let Some(latest) = model.troubles.latest().first() {
        let words = format!(
            " ✘ {}× {}  {}  {}",
            count(latest.count),
            latest.kind,
            latest.place,
            latest.message
        );
        lines.push(vec![Span::styled(fit(&words, cells), theme.bad())]);
    }
    let losses = losses(&model.report);
    if !losses.is_empty() {
        let words = fit(&format!(" ▲ {}", losses.join(", ")), cells);
        lines.push(vec![Span::styled(words, theme.warning())]);
    }
    lines
}

/// As much as there is room for.
fn engine_line(model: &Model, theme: Theme, cells: usize) -> Vec<Span<'static>> {
    let engine = &model.report.engine;
    let mut spans = vec![Span::styled(" Engine", theme.faint())];
    let mut used = width(" Engine");
    for (name, value) in [
        ("CPU", cpu(engine.cpu_percent)),
        (
            "lag p99",
            format!("{} ms", number(model.history.latest().lag_ms)),
        ),
        ("memory", bytes(engine.memory_bytes)),
        ("sandboxes", count(engine.sandboxes)),
    ] {
        used += width(name) + width(&value) + 3;
        if used > cells {
            break;
        }
        spans.push(Span::styled(format!("  {name} "), theme.faint()));
        spans.push(Span::raw(value));
    }
    spans
}

fn thresholds_line(thresholds: &[Threshold], theme: Theme, cells: usize) -> Vec<Span<'static>> {
    let crossed: Vec<_> = thresholds
        .iter()
        .filter(|t| is_crossed(t))
        .map(words)
        .collect();
    let open = thresholds.iter().filter(|t| t.value.is_none()).count();
    if crossed.is_empty() && open > 0 {
        let words = format!(
            " … {open} of {} thresholds have nothing to judge yet",
            thresholds.len()
        );
        return vec![Span::styled(fit(&words, cells), theme.faint())];
    }
    if crossed.is_empty() {
        let all = match thresholds.len() {
            1 => " ✔ the threshold holds".to_owned(),
            many => format!(" ✔ all {many} thresholds hold"),
        };
        return vec![Span::styled(all, theme.good())];
    }
    let many = format!(
        " ✘ {} of {} thresholds crossed  ",
        crossed.len(),
        thresholds.len()
    );
    let room = cells.saturating_sub(width(&many));
    let which = fit(&crossed.join("   "), room);
    vec![Span::styled(many, theme.bad()), Span::raw(which)]
}

/// While there is nothing to judge by, a threshold is open.
fn is_crossed(threshold: &Threshold) -> bool {
    !threshold.passed && threshold.value.is_some()
}

/// What was measured, and by what it is judged.
fn words(threshold: &Threshold) -> String {
    match &threshold.value {
        Some(value) => format!("{} ({value})", threshold.expression),
        None => format!("{} (nothing yet)", threshold.expression),
    }
}

/// CPU of the process: 100 % is one core.
fn cpu(percent: f64) -> String {
    format!("{percent:.0}%")
}

/// What the results do not show, because there was too much of it.
fn losses(report: &Report) -> Vec<String> {
    let engine = &report.engine;
    let all = [
        (report.iterations.dropped, "iterations dropped"),
        (engine.samples_dropped, "samples dropped"),
        (engine.events_dropped, "events dropped"),
        (engine.log_lines_dropped, "log lines dropped"),
        (engine.requests_folded, "requests of too many names"),
        (engine.errors_folded, "errors of too many kinds"),
        (engine.custom_values_folded, "values of too many names"),
        (engine.custom_values_invalid, "values that are no numbers"),
    ];
    let some = all.into_iter().filter(|(many, _)| *many > 0);
    some.map(|(many, what)| format!("{} {what}", count(many)))
        .collect()
}

/// All of it, in a frame.
pub(super) fn panel(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) {
    let engine = &model.report.engine;
    let saturated = engine
        .saturated
        .then(|| Span::styled("▲ saturated", theme.warning()));
    let inner = super::panel(buffer, area, theme, "Engine", saturated);
    let cells = usize::from(inner.width);
    let cpus = model.history.values(TREND, |interval| interval.cpu_percent);
    let lags = model.history.values(TREND, |interval| interval.lag_ms);
    let mut lines = vec![
        measure(theme, cells, "CPU", &cpu(engine.cpu_percent), &cpus),
        measure(
            theme,
            cells,
            "lag p99",
            &format!("{} ms", number(model.history.latest().lag_ms)),
            &lags,
        ),
        measure(theme, cells, "memory", &bytes(engine.memory_bytes), &[]),
        measure(theme, cells, "sandboxes", &count(engine.sandboxes), &[]),
    ];
    for loss in losses(&model.report) {
        lines.push(vec![Span::styled(
            fit(&format!(" ▲ {loss}"), cells),
            theme.warning(),
        )]);
    }
    // Crossed ones first.
    let mut thresholds: Vec<_> = model.report.thresholds.iter().collect();
    thresholds.sort_by_key(|threshold| !is_crossed(threshold));
    let room = usize::from(inner.height);
    for threshold in thresholds {
        let (mark, style) = match (threshold.passed, is_crossed(threshold)) {
            (_, true) => ("✘", theme.bad()),
            (true, _) => ("✔", theme.good()),
            (false, _) => ("…", theme.faint()),
        };
        let words = fit(&words(threshold), cells.saturating_sub(3));
        lines.push(vec![
            Span::styled(format!(" {mark} "), style),
            Span::raw(words),
        ]);
    }
    if lines.len() > room && room > 0 {
        let more = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines.push(vec![Span::styled(
            format!("   and {more} more"),
            theme.faint(),
        )]);
    }
    for (line, spans) in inner.rows().zip(lines) {
        row(buffer, line, spans);
    }
}

/// A name, a number, and how it went.
fn measure(
    theme: Theme,
    cells: usize,
    name: &str,
    value: &str,
    values: &[f64],
) -> Vec<Span<'static>> {
    let mut spans = vec![
        Span::styled(format!(" {name:<10}"), theme.faint()),
        Span::raw(right(value, 10)),
    ];
    if cells >= 23 + TREND {
        let top = values.iter().copied().fold(0.0, f64::max);
        let trend = spark(values, TREND, top);
        spans.push(Span::styled(format!("  {trend}"), theme.faint()));
    }
    spans
}
