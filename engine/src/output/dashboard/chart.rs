//! Values over time, in cells: bars of eighths, and lines of braille dots with an axis.
//! Knows nothing of what they mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::Widget as _;
use ratatui::widgets::canvas::{Canvas, Line};

use super::super::format::count;
use super::text;

const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A row of bars, one for each value, the last one at the right; `top` fills the row.
pub(super) fn spark(values: &[f64], cells: usize, top: f64) -> String {
    let shown = &values[values.len().saturating_sub(cells)..];
    let bars = shown.iter().map(|value| EIGHTHS[eighths(*value, top, 1)]);
    let gap = " ".repeat(cells - shown.len());
    bars.fold(gap, |text, bar| text + bar)
}

/// Bars of the area's height, one for each column; none where there is no value.
pub(super) fn bars(
    buffer: &mut Buffer,
    area: Rect,
    values: &[Option<f64>],
    top: f64,
    style: Style,
) {
    for (x, value) in (area.x..area.right()).zip(values) {
        let mut left = eighths(value.unwrap_or(0.0), top, area.height.into());
        for y in area.rows().rev().map(|row| row.y) {
            if left > 0 {
                buffer.set_string(x, y, EIGHTHS[left.min(8)], style);
            }
            left = left.saturating_sub(8);
        }
    }
}

/// A dash at the height of each value, where nothing is drawn yet.
pub(super) fn marks(
    buffer: &mut Buffer,
    area: Rect,
    values: &[Option<f64>],
    top: f64,
    style: Style,
) {
    for (x, value) in (area.x..area.right()).zip(values) {
        let full = eighths(value.unwrap_or(0.0), top, area.height.into());
        let Some(rows) = full.div_ceil(8).checked_sub(1) else {
            continue;
        };
        let y = (area.bottom() - 1).saturating_sub(rows as u16);
        if let Some(cell) = buffer.cell_mut((x, y))
            && cell.symbol() == " "
        {
            // In the lower or the upper half of the cell.
            let dash = if full.is_multiple_of(8) { "▔" } else { "╌" };
            cell.set_symbol(dash).set_style(style);
        }
    }
}

/// How many eighths of `rows` a value fills: at least one, if there is anything.
fn eighths(value: f64, top: f64, rows: usize) -> usize {
    if value <= 0.0 || top <= 0.0 {
        return 0;
    }
    let all = rows * 8;
    ((value / top * all as f64).round() as usize).clamp(1, all)
}

/// Values over time.
pub(super) struct Series<'a> {
    /// What it is called at its end.
    pub(super) label: &'a str,
    /// One value for each interval; none where there was nothing to measure.
    pub(super) values: Vec<Option<f64>>,
    pub(super) style: Style,
}

/// What goes up the side: from one value to another, by their logarithms. Both ends are
/// round numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    top: f64,
}

impl Scale {
    /// Around all values above zero.
    pub(super) fn around(series: &[Series<'_>]) -> Self {
        let values = series.iter().flat_map(|one| one.values.iter().flatten());
        let values = values.copied().filter(|value| *value > 0.0);
        let (least, most) = values.fold((1e9, 1e-3), |(least, most), value| {
            (value.min(least), value.max(most))
        });
        let low = round_down(least.max(1e-3));
        Scale {
            low,
            top: round_up(most.max(low * 9.9)),
        }
    }

    /// Where a value is between the ends, from 0 to 1.
    fn share(self, value: f64) -> f64 {
        let share = (value / self.low).log10() / (self.top / self.low).log10();
        share.clamp(0.0, 1.0)
    }

    /// The ends and the powers of ten between them.
    fn ticks(self) -> Vec<f64> {
        let first = self.low.log10().floor() as i32;
        let last = self.top.log10().ceil() as i32;
        let powers = (first..=last).map(|power| 10f64.powi(power));
        let mut ticks = vec![self.top, self.low];
        ticks.extend(powers.filter(|p| *p > self.low * 1.01 && *p < self.top * 0.99));
        ticks
    }
}

/// A round number for the top of bars: no less than the value, and at least 1.
pub(super) fn ceiling(value: f64) -> f64 {
    up(
        value.max(1.0),
        &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0],
    )
}

/// The next of 1, 2, 5, 10, 20, 50 …
fn round_up(value: f64) -> f64 {
    up(value, &[1.0, 2.0, 5.0, 10.0])
}

/// The next of some steps, or of ten times them, and so on.
fn up(value: f64, steps: &[f64]) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    // A hair of room for what powers lose.
    let fits = |step: &&f64| value <= *step * unit * (1.0 + 1e-9);
    steps.iter().find(fits).unwrap_or(&10.0) * unit
}

/// The last of 1, 2, 5, 10, 20, 50 …
fn round_down(value: f64) -> f64 {
    let unit = 10f64.powf(value.log10().floor());
    let steps = [5.0, 2.0, 1.0];
    let fitting = steps
        .into_iter()
        .find(|step| step * unit <= value * (1.0 + 1e-9));
    fitting.unwrap_or(1.0) * unit
}

/// Lines with an axis at the left and their names at the right end. `room` is how many
/// values the area is wide; where a series has fewer, it takes the left part.
pub(super) fn lines(
    buffer: &mut Buffer,
    area: Rect,
    series: &[Series<'_>],
    scale: Scale,
    room: usize,
    faint: Style,
) {
    if area.width < 12 || area.height < 2 {
        return;
    }
    let ticks = ticks(area, scale);
    let axis = ticks.iter().map(|(_, text)| text.len()).max().unwrap_or(0) as u16 + 1;
    let names = series.iter().map(|one| text::width(one.label)).max();
    let names = names.unwrap_or(0) as u16 + 1;
    let plot = Rect {
        x: area.x + axis,
        width: area.width.saturating_sub(axis + names),
        ..area
    };
    for (y, label) in &ticks {
        let label = text::right(label, usize::from(axis) - 1);
        buffer.set_string(area.x, *y, label, faint);
        for x in plot.x..plot.right() {
            buffer.set_string(x, *y, "·", faint);
        }
    }
    Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([0.0, room.max(2) as f64 - 1.0])
        .y_bounds([0.0, 1.0])
        .paint(|canvas| {
            for one in series {
                let color = one.style.fg.unwrap_or(Color::Reset);
                for ((x1, y1), (x2, y2)) in strokes(one, scale) {
                    canvas.draw(&Line {
                        x1,
                        y1,
                        x2,
                        y2,
                        color,
                    });
                }
            }
        })
        .render(plot, buffer);
    name_lines(buffer, plot, series, scale);
}

type Point = (f64, f64);

/// The parts of a line: from each value to the next, and to itself where it has no next.
fn strokes(series: &Series<'_>, scale: Scale) -> Vec<(Point, Point)> {
    let point = |(at, value): (usize, &Option<f64>)| Some((at as f64, scale.share((*value)?)));
    let points: Vec<_> = series.values.iter().enumerate().map(point).collect();
    let nexts = points.iter().skip(1).copied().chain([None]);
    let pairs = points.iter().copied().zip(nexts);
    pairs
        .filter_map(|(one, next)| Some((one?, next.or(one)?)))
        .collect()
}

/// Writes the names beside the ends of their lines, each on a row of its own.
fn name_lines(buffer: &mut Buffer, plot: Rect, series: &[Series<'_>], scale: Scale) {
    let last = plot.height - 1;
    let mut ends: Vec<_> = series
        .iter()
        .filter_map(|one| {
            let value = one.values.iter().rev().find_map(|value| *value)?;
            let row = (1.0 - scale.share(value)) * f64::from(last);
            Some((row.round() as u16, one))
        })
        .collect();
    // Later ones are higher where they are equal.
    ends.reverse();
    ends.sort_by_key(|(row, _)| *row);
    let mut free = 0;
    for (at, (row, one)) in ends.iter().enumerate().take(plot.height.into()) {
        let below = (ends.len() - at - 1) as u16;
        let row = (*row).min(last.saturating_sub(below)).max(free);
        free = row + 1;
        if row <= last {
            buffer.set_string(plot.right() + 1, plot.y + row, one.label, one.style);
        }
    }
}

/// A round number beside an axis: without the digits that would say how exact it is.
pub(super) fn tick(value: f64) -> String {
    match value {
        value if value >= 0.999_5 => count(value.round() as u64),
        value => format!("{}", (value * 1e3).round() / 1e3),
    }
}

/// The rows that have a number beside them: the ends, and others that are apart from them.
fn ticks(area: Rect, scale: Scale) -> Vec<(u16, String)> {
    let last = f64::from(area.height - 1);
    let mut rows: Vec<(u16, String)> = Vec::new();
    for value in scale.ticks() {
        let row = area.y + ((1.0 - scale.share(value)) * last).round() as u16;
        if rows.iter().all(|(other, _)| other.abs_diff(row) > 1) || rows.len() < 2 {
            rows.push((row, tick(value)));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_eighths_and_something_is_never_nothing() {
        assert_eq!(spark(&[0.0, 1.0, 50.0, 100.0], 6, 100.0), "   ▁▄█");
        assert_eq!(spark(&[1.0, 2.0, 3.0], 2, 3.0), "▅█");
        assert_eq!(spark(&[0.0], 1, 0.0), " ");
        let area = Rect::new(0, 0, 4, 2);
        let mut buffer = Buffer::empty(area);
        let values = [8.0, 12.0, 16.0].map(Some);
        bars(&mut buffer, area, &values, 16.0, Style::new());
        marks(&mut buffer, area, &[Some(16.0); 4], 16.0, Style::new());
        assert_eq!(buffer, Buffer::with_lines(["▔▄█▔", "███ "]));
    }

    fn series(values: &[f64]) -> Series<'static> {
        Series {
            label: "p50",
            values: values.iter().copied().map(Some).collect(),
            style: Style::new(),
        }
    }

    #[test]
    fn scales_end_at_round_numbers() {
        let scale = |values: &[f64]| {
            let Scale { low, top } = Scale::around(&[series(values)]);
            (low, top)
        };
        assert_eq!(scale(&[3.0, 7.0]), (2.0, 20.0));
        assert_eq!(scale(&[0.4, 0.0, 120.0]), (0.2, 200.0));
        assert_eq!(scale(&[1.0, 1000.0]), (1.0, 1000.0));
        assert_eq!(
            [0.0, 7.0, 500.0, 2037.0].map(ceiling),
            [1.0, 8.0, 500.0, 2500.0]
        );
        let (low, top) = scale(&[]);
        assert!(0.0 < low && low < top && top.is_finite());
    }

    #[test]
    fn lines_have_an_axis_and_a_name() {
        let area = Rect::new(0, 0, 20, 3);
        let mut buffer = Buffer::empty(area);
        let values = [series(&[1.0, 10.0, 100.0])];
        let scale = Scale::around(&values);
        lines(&mut buffer, area, &values, scale, 3, Style::new());
        assert_eq!(
            buffer,
            Buffer::with_lines([
                "100 ········⢀⡠⠔⠊ p50",
                "        ⢀⡠⠔⠊⠁       ",
                "  1 ⣀⠤⠒⠊⠁·······    ",
            ])
        );
    }
}
