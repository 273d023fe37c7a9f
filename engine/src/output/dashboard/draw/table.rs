//! The table of names: as many columns as the screen is wide, as many rows as it is high.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Span;

use super::super::chart::spark;
use super::super::model::{Model, Sorting};
use super::super::text::{fit, left, right, width};
use super::super::theme::Theme;
use super::{row, slice};
use crate::output::format::{bytes, count, number, percent};
use crate::report::{NamedRequests, Requests};

/// Cells of a name that all names have.
const NAME: usize = 24;
/// Cells of the method before it.
const METHOD: usize = 7;
/// Cells of the chart in a row.
const TREND: usize = 16;

struct Column {
    title: &'static str,
    /// Cells, without the one before.
    cells: usize,
    /// How wide the table has to be for this column.
    from: u16,
    /// The order that goes by it.
    sorting: Option<Sorting>,
    text: fn(&Requests) -> String,
}

const COLUMNS: [Column; 14] = [
    column("Requests", 10, 0, Some(Sorting::Requests), |r| {
        count(r.requests)
    }),
    column("Failed", 8, 0, Some(Sorting::Failures), |r| {
        count(r.failures)
    }),
    column("%", 6, 96, None, |r| percent(r.failure_share)),
    column("req/s", 7, 52, Some(Sorting::Rate), |r| {
        number(r.recent.unwrap_or_default().per_second)
    }),
    column("avg ms", 7, 132, None, |r| number(r.time_ms.avg)),
    column("min ms", 7, 170, None, |r| number(r.time_ms.min)),
    column("p50 ms", 7, 72, None, |r| number(r.time_ms.p50)),
    column("p90 ms", 7, 140, None, |r| number(r.time_ms.p90)),
    column("p95 ms", 7, 0, Some(Sorting::P95), |r| {
        number(r.time_ms.p95)
    }),
    column("p99 ms", 7, 62, None, |r| number(r.time_ms.p99)),
    column("p99.9 ms", 8, 150, None, |r| number(r.time_ms.p99_9)),
    column("max ms", 7, 104, None, |r| number(r.time_ms.max)),
    column("Received", 9, 180, None, |r| bytes(r.bytes_received)),
    column("Sent", 9, 190, None, |r| bytes(r.bytes_sent)),
];

const fn column(
    title: &'static str,
    cells: usize,
    from: u16,
    sorting: Option<Sorting>,
    text: fn(&Requests) -> String,
) -> Column {
    Column {
        title,
        cells,
        from,
        sorting,
        text,
    }
}

/// A page of its own, with the statuses below.
pub(super) fn page(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) -> (usize, usize) {
    let split = [Constraint::Min(0), Constraint::Length(1)];
    let [table, statuses] = Layout::vertical(split).areas(area);
    let mut spans = vec![Span::styled(" Status  ", theme.faint())];
    for status in &model.report.total.statuses {
        let name = match status.status {
            0 => "no response".to_owned(),
            code => code.to_string(),
        };
        let style = if status.failed > 0 {
            theme.bad()
        } else {
            theme.good()
        };
        spans.push(Span::styled(name, style));
        let many = count(status.passed + status.failed);
        spans.push(Span::raw(format!(" {many}   ")));
    }
    if model.report.total.statuses.is_empty() {
        spans.push(Span::styled("nothing has ended yet", theme.faint()));
    }
    row(buffer, statuses, spans);
    draw(model, theme, buffer, table)
}

/// The table; lines on a page and how far it scrolls.
pub(super) fn draw(model: &Model, theme: Theme, buffer: &mut Buffer, area: Rect) -> (usize, usize) {
    let table = Table::new(area.width, theme);
    let mut lines = area.rows();
    let Some(head) = lines.next() else {
        return (1, 0);
    };
    let all = model.rows().len();
    let seen = slice(
        model.scrolled,
        all,
        usize::from(area.height).saturating_sub(2),
    );
    let place = match seen.page.1 {
        0 => String::new(),
        _ => format!(
            "{}–{} of {} ↕",
            count(seen.first as u64 + 1),
            count(seen.end as u64),
            count(all as u64)
        ),
    };
    row(buffer, head, table.head(model.sorting, &place));
    if let Some(line) = lines.next() {
        let total = &model.report.total;
        let mut spans = vec![Span::styled(
            left(" All requests", table.name),
            theme.strong(),
        )];
        spans.extend(table.numbers(total, theme.strong()));
        if table.trend {
            let rates = model.history.values(TREND, |interval| interval.rate);
            spans.push(table.trend(&rates));
        }
        row(buffer, line, spans);
    }
    let rows = model.rows().skip(seen.first).take(seen.end - seen.first);
    for (line, named) in lines.zip(rows) {
        let mut spans = table.name(named);
        spans.extend(table.numbers(&named.requests, Style::new()));
        if table.trend {
            spans.push(table.trend(&model.history.rates(named, TREND)));
        }
        row(buffer, line, spans);
    }
    seen.page
}

struct Table {
    theme: Theme,
    columns: Vec<&'static Column>,
    /// Cells of method and name together, and one before.
    name: usize,
    trend: bool,
}

impl Table {
    fn new(cells: u16, theme: Theme) -> Self {
        let columns: Vec<_> = COLUMNS.iter().filter(|c| c.from <= cells).collect();
        let numbers: usize = columns.iter().map(|column| column.cells + 1).sum();
        let rest = usize::from(cells).saturating_sub(numbers + 1);
        let trend = rest >= 1 + METHOD + NAME + 2 + TREND;
        let name = if trend { rest - TREND - 2 } else { rest };
        Table {
            theme,
            columns,
            name,
            trend,
        }
    }

    fn head(&self, sorting: Sorting, place: &str) -> Vec<Span<'static>> {
        let theme = self.theme;
        let by_name = sorting == Sorting::Name;
        let title = if by_name { " Name ▲" } else { " Name" };
        let style = |chosen| {
            if chosen {
                theme.accent().patch(theme.strong())
            } else {
                theme.faint()
            }
        };
        let mut spans = vec![
            Span::styled(left(title, 9), style(by_name)),
            Span::styled(left(place, self.name.saturating_sub(9)), theme.faint()),
        ];
        for column in &self.columns {
            let chosen = column.sorting == Some(sorting);
            let mark = if chosen { "▼" } else { "" };
            let title = format!("{}{mark}", column.title);
            spans.push(Span::styled(right(&title, column.cells + 1), style(chosen)));
        }
        if self.trend {
            spans.push(Span::styled(
                format!("  {}", right("req/s of late", TREND)),
                theme.faint(),
            ));
        }
        spans
    }

    fn name(&self, named: &NamedRequests) -> Vec<Span<'static>> {
        let method = left(&named.method, METHOD);
        let room = self.name.saturating_sub(METHOD + 2);
        let name = fit(&named.name, room);
        let tags: Vec<_> = named
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let mut rest = String::new();
        if !tags.is_empty() {
            rest = format!(" {}", tags.join(" "));
        }
        let rest = left(&rest, room - width(&name));
        vec![
            Span::styled(format!(" {method} "), self.theme.faint()),
            Span::raw(name),
            Span::styled(rest, self.theme.faint()),
        ]
    }

    fn numbers(&self, requests: &Requests, style: Style) -> Vec<Span<'static>> {
        let columns = self.columns.iter();
        columns
            .map(|column| {
                let failures = matches!(column.title, "Failed" | "%") && requests.failures > 0;
                let style = if failures { self.theme.bad() } else { style };
                Span::styled(right(&(column.text)(requests), column.cells + 1), style)
            })
            .collect()
    }

    fn trend(&self, rates: &[f64]) -> Span<'static> {
        let top = rates.iter().copied().fold(0.0, f64::max);
        Span::styled(
            format!("  {}", spark(rates, TREND, top)),
            self.theme.faint(),
        )
    }
}
