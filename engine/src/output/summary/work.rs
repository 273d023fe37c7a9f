//! What the report says of the users' work beside its requests: iterations, groups, checks
//! and the scenario's own metrics.

use crate::metrics::{Durations, Snapshot};
use crate::output::format::{count, ms, number, percent, plain};
use crate::output::page::Column::{Number, Text};
use crate::output::page::{Page, grid};
use crate::output::{RunSummary, per_second};

impl Page {
    /// How well the plan was kept, if there was one.
    pub(super) fn arrivals(&mut self, snapshot: &Snapshot) {
        let (late, dropped) = (&snapshot.lateness, snapshot.dropped_iterations);
        if late.count() == 0 && dropped == 0 {
            return;
        }
        self.title("Arrivals");
        let planned = late.count().saturating_add(dropped);
        let of_plan = format!(
            "dropped: {} of {} planned iterations ({})",
            count(dropped),
            count(planned),
            percent(dropped as f64 / planned as f64)
        );
        if dropped == 0 {
            self.line(&of_plan);
        } else {
            self.warning(&format!("{of_plan}: no user was free in time"));
        }
        if late.count() > 0 {
            self.line(&format!(
                "started late by (ms): p50 {}, p95 {}, p99 {}, max {}",
                ms(late.median()),
                ms(late.percentile(0.95)),
                ms(late.percentile(0.99)),
                ms(late.max())
            ));
        }
    }

    pub(super) fn iterations(&mut self, snapshot: &Snapshot) {
        let all = Some(&snapshot.iterations).filter(|all| all.count() > 0);
        let columns = SPREAD.map(|name| (name, Number));
        let table = grid(&columns, all.into_iter().map(spread));
        self.section("Iterations (ms)", table);

        let rows = snapshot.groups.iter().map(|(name, took)| {
            let mut row = vec![plain(name).into_owned()];
            row.extend(spread(took));
            row
        });
        let mut columns = vec![("Group", Text)];
        columns.extend(SPREAD.map(|name| (name, Number)));
        self.section("Groups (ms)", grid(&columns, rows));
    }

    pub(super) fn checks(&mut self, snapshot: &Snapshot) {
        let rows = snapshot.checks.iter().map(|(name, check)| {
            let all = check.passed + check.failed;
            vec![
                plain(name).into_owned(),
                count(check.passed),
                count(check.failed),
                percent(check.passed as f64 / all.max(1) as f64),
            ]
        });
        self.section(
            "Checks",
            grid(
                &[
                    ("Check", Text),
                    ("Passed", Number),
                    ("Failed", Number),
                    ("Share", Number),
                ],
                rows,
            ),
        );
    }

    pub(super) fn custom(&mut self, run: &RunSummary) {
        let snapshot = &run.snapshot;
        let rows = snapshot.trends.iter().map(|(name, values)| {
            vec![
                plain(name).into_owned(),
                count(values.count()),
                number(values.percentile(0.5)),
                number(values.avg()),
                number(values.min()),
                number(values.max()),
                number(values.percentile(0.95)),
                number(values.percentile(0.99)),
            ]
        });
        let mut columns = vec![("Trend", Text)];
        columns.extend(SPREAD.map(|name| (name, Number)));
        self.section("Trends", grid(&columns, rows));

        let rows = snapshot.counters.iter().map(|(name, value)| {
            let rate = per_second(*value, run.duration);
            vec![plain(name).into_owned(), number(*value), number(rate)]
        });
        self.section(
            "Counters",
            grid(
                &[("Counter", Text), ("Sum", Number), ("per second", Number)],
                rows,
            ),
        );

        let rows = snapshot
            .gauges
            .iter()
            .map(|(name, gauge)| vec![plain(name).into_owned(), number(gauge.value)]);
        self.section("Gauges", grid(&[("Gauge", Text), ("Last", Number)], rows));
    }
}

const SPREAD: [&str; 7] = ["Count", "Median", "Avg", "Min", "Max", "p95", "p99"];

fn spread(took: &Durations) -> Vec<String> {
    vec![
        count(took.count()),
        ms(took.median()),
        ms(took.avg()),
        ms(took.min()),
        ms(took.max()),
        ms(took.percentile(0.95)),
        ms(took.percentile(0.99)),
    ]
}
