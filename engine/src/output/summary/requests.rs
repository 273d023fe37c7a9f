//! What the report says of the requests: counts, times, and times from the planned start.

use crate::metrics::{Durations, RequestKey, RequestStats, Snapshot};
use crate::output::RunSummary;
use crate::output::format::{bytes, count, ms, number, percent, plain};
use crate::output::page::Column::{Number, Text, Word};
use crate::output::page::{Page, content_width, grid};
use crate::sample::split_tags;

impl Page {
    /// One table where it fits, or else two.
    pub(super) fn requests(&mut self, run: &RunSummary) {
        let snapshot = &run.snapshot;
        if snapshot.requests.is_empty() {
            self.title("No requests");
            return;
        }
        let mut rows: Vec<(String, &RequestStats)> = snapshot
            .requests
            .iter()
            .map(|(key, stats)| (row_label(key), stats))
            .collect();
        rows.push(("Aggregated".to_owned(), &snapshot.total));

        let counts = |stats: &RequestStats| {
            let failures = format!(
                "{} ({})",
                count(stats.failures),
                percent(stats.failure_share())
            );
            vec![count(stats.count()), failures]
        };
        let traffic =
            |stats: &RequestStats| vec![number(stats.rate(run.duration)), bytes(stats.received)];
        let table = |columns: &[&str], cells: &dyn Fn(&RequestStats) -> Vec<String>| {
            let mut all = vec![("Request", Text)];
            all.extend(columns.iter().map(|name| (*name, Number)));
            let rows = rows.iter().map(|(name, stats)| {
                let mut row = vec![name.clone()];
                row.extend(cells(stats));
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
            &|stats| [counts(stats), times(&stats.time), traffic(stats)].concat(),
        );
        if content_width(&wide) <= self.width() {
            self.section("Requests (times in ms)", wide);
            return;
        }
        let narrow = table(&["Requests", "Failures", "req/s", "Received"], &|stats| {
            [counts(stats), traffic(stats)].concat()
        });
        self.section("Requests", narrow);
        self.section(
            "Response times (ms)",
            table(&TIMES, &|stats| times(&stats.time)),
        );
    }

    /// Beside the response times, where starts were planned.
    pub(super) fn planned(&mut self, snapshot: &Snapshot) {
        let Some(total) = snapshot.total.intended() else {
            return;
        };
        let mut rows: Vec<(String, &Durations)> = snapshot
            .requests
            .iter()
            .filter_map(|(key, stats)| Some((row_label(key), stats.intended()?)))
            .collect();
        rows.push(("Aggregated".to_owned(), total));
        let rows = rows.into_iter().map(|(name, time)| {
            let mut row = vec![name];
            row.extend(times(time));
            row
        });
        let mut columns = vec![("Request", Text)];
        columns.extend(TIMES.map(|name| (name, Number)));
        let title = "Response times from the planned start (ms)";
        self.section(title, grid(&columns, rows));
        if total.count() < snapshot.total.count() {
            let (planned, all) = (count(total.count()), count(snapshot.total.count()));
            self.line(&format!("{planned} of {all} requests had a planned start"));
        }
    }

    pub(super) fn phases(&mut self, snapshot: &Snapshot) {
        let rows = snapshot
            .phases
            .iter()
            .filter(|(_, took)| took.count() > 0)
            .map(|(name, took)| {
                vec![
                    name.to_owned(),
                    count(took.count()),
                    ms(took.avg()),
                    ms(took.percentile(0.95)),
                ]
            });
        self.section(
            "HTTP phases (ms)",
            grid(
                &[
                    ("Phase", Word),
                    ("Count", Number),
                    ("Avg", Number),
                    ("p95", Number),
                ],
                rows,
            ),
        );
    }
}

const TIMES: [&str; 8] = ["Median", "Avg", "Min", "Max", "p90", "p95", "p99", "p99.9"];

fn times(time: &Durations) -> Vec<String> {
    vec![
        ms(time.median()),
        ms(time.avg()),
        ms(time.min()),
        ms(time.max()),
        ms(time.percentile(0.9)),
        ms(time.percentile(0.95)),
        ms(time.percentile(0.99)),
        ms(time.percentile(0.999)),
    ]
}

/// `GET /cart {region=eu}`.
fn row_label(key: &RequestKey) -> String {
    let label = label(&key.method, &key.name);
    if key.tags.is_empty() {
        return label;
    }
    let tags = split_tags(&key.tags).map(|(name, value)| format!("{name}={value}"));
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
