//! What the report says of the requests: counts, times, and times from the planned start.

use crate::output::format::{bytes, count, number, percent, plain};
use crate::output::page::Column::{Number, Text, Word};
use crate::output::page::{Page, content_width, grid};
use crate::report::{Distribution, NamedRequests, PHASES, Report, Requests};
use std::cmp::Reverse;

/// Rows of a table of names: more are no longer read.
const MOST_NAMES: usize = 50;

/// A name and what is known of its requests.
type Row<'a> = (String, &'a Requests);

impl Page {
    pub(super) fn requests(&mut self, report: &Report) {
        if report.requests.is_empty() {
            self.title("No requests");
            return;
        }
        let (shown, hidden) = choose(&report.requests);
        let rows = shown.iter().map(|row| (row_label(row), &row.requests));
        let total = ("Aggregated".to_owned(), &report.total);
        let rows: Vec<Row<'_>> = rows.chain([total]).collect();
        self.counts_and_times(&rows);
        if !hidden.is_empty() {
            let sum = |of: fn(&Requests) -> u64| {
                let each = hidden.iter().map(|row| of(&row.requests));
                count(each.fold(0, u64::saturating_add))
            };
            self.line(&format!(
                "and {} more: {} requests, {} failed (--json and --html have all)",
                count(hidden.len() as u64),
                sum(|row| row.requests),
                sum(|row| row.failures)
            ));
        }
        self.planned(report, &rows);
    }

    /// One table where it fits, or else two.
    fn counts_and_times(&mut self, rows: &[Row<'_>]) {
        let counts = |of: &Requests| {
            let failures = format!("{} ({})", count(of.failures), percent(of.failure_share));
            vec![count(of.requests), failures]
        };
        let traffic =
            |of: &Requests| vec![number(of.requests_per_second), bytes(of.bytes_received)];
        let table = |columns: &[&str], cells: &dyn Fn(&Requests) -> Vec<String>| {
            let mut all = vec![("Request", Text)];
            all.extend(columns.iter().map(|name| (*name, Number)));
            let rows = rows.iter().map(|(name, of)| {
                let mut row = vec![name.clone()];
                row.extend(cells(of));
                row
            });
            grid(&all, rows)
        };

        let wide = table(
            &[
                &["Requests", "Failures"],
                &TIMES[..],
                &["req/s", "Received"],
            ]
            .concat(),
            &|of| [counts(of), times(&of.time_ms), traffic(of)].concat(),
        );
        if content_width(&wide) <= self.width() {
            self.section("Requests (times in ms)", wide);
            return;
        }
        let narrow = table(&["Requests", "Failures", "req/s", "Received"], &|of| {
            [counts(of), traffic(of)].concat()
        });
        self.section("Requests", narrow);
        self.section(
            "Response times (ms)",
            table(&TIMES, &|of| times(&of.time_ms)),
        );
    }

    /// Beside the response times, where starts were planned.
    fn planned(&mut self, report: &Report, rows: &[Row<'_>]) {
        let Some(total) = &report.total.time_from_planned_start_ms else {
            return;
        };
        let rows = rows.iter().filter_map(|(name, of)| {
            let mut row = vec![name.clone()];
            row.extend(times(of.time_from_planned_start_ms.as_ref()?));
            Some(row)
        });
        let mut columns = vec![("Request", Text)];
        columns.extend(TIMES.map(|name| (name, Number)));
        let title = "Response times from the planned start (ms)";
        self.section(title, grid(&columns, rows));
        if total.count < report.total.requests {
            let (planned, all) = (count(total.count), count(report.total.requests));
            self.line(&format!("{planned} of {all} requests had a planned start"));
        }
    }

    pub(super) fn phases(&mut self, report: &Report) {
        let phases = PHASES.map(|name| (name, report.phases_ms.get(name)));
        let rows = phases.into_iter().filter_map(|(name, took)| {
            let took = took.filter(|took| took.count > 0)?;
            Some(vec![
                name.to_owned(),
                count(took.count),
                number(took.avg),
                number(took.p95),
            ])
        });
        let columns = [
            ("Phase", Word),
            ("Count", Number),
            ("Avg", Number),
            ("p95", Number),
        ];
        self.section("HTTP phases (ms)", grid(&columns, rows));
    }
}

/// Which rows are shown, and which are not; each in the order of the report. Those with the
/// most failures come first, but leave half of the room to the busiest.
fn choose(all: &[NamedRequests]) -> (Vec<&NamedRequests>, Vec<&NamedRequests>) {
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    if all.len() > MOST_NAMES {
        let of = |at: usize| &all[at].requests;
        ranked.sort_by_key(|&at| (Reverse(of(at).failures), Reverse(of(at).requests)));
        let failing = ranked.iter().filter(|&&at| of(at).failures > 0).count();
        ranked[failing.min(MOST_NAMES / 2)..].sort_by_key(|&at| Reverse(of(at).requests));
    }
    let hidden = ranked.split_off(MOST_NAMES.min(all.len()));
    let in_order = |mut rows: Vec<usize>| {
        rows.sort_unstable();
        rows.into_iter().map(|at| &all[at]).collect()
    };
    (in_order(ranked), in_order(hidden))
}

const TIMES: [&str; 8] = ["Median", "Avg", "Min", "Max", "p90", "p95", "p99", "p99.9"];

fn times(time: &Distribution) -> Vec<String> {
    [
        time.p50, time.avg, time.min, time.max, time.p90, time.p95, time.p99, time.p99_9,
    ]
    .map(number)
    .into()
}

/// `GET /cart {region=eu}`.
fn row_label(row: &NamedRequests) -> String {
    let label = label(&row.method, &row.name);
    if row.tags.is_empty() {
        return label;
    }
    let tags = row
        .tags
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let tags = tags.collect::<Vec<_>>().join(", ");
    format!("{label} {{{}}}", plain(&tags))
}

/// `GET /cart`; what is folded altogether needs its name only once.
pub(super) fn label(method: &str, name: &str) -> String {
    if method == name {
        return plain(name).into_owned();
    }
    plain(&format!("{method} {name}")).into_owned()
}
