//! What the report says of the users' work beside its requests: iterations, groups, checks
//! and the scenario's own metrics.

use crate::output::format::{count, number, percent, plain, seconds};
use crate::output::page::Column::{Number, Text};
use crate::output::page::{Page, grid};
use crate::report::{Distribution, Report, per_second};

impl Page {
    /// How well the plan was kept, if there was one.
    pub(super) fn arrivals(&mut self, report: &Report) {
        let (late, dropped) = (&report.iterations.late_ms, report.iterations.dropped);
        if late.count == 0 && dropped == 0 {
            return;
        }
        self.title("Arrivals");
        let planned = late.count.saturating_add(dropped);
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
        if late.count > 0 {
            self.line(&format!(
                "started late by (ms): p50 {}, p95 {}, p99 {}, max {}",
                number(late.p50),
                number(late.p95),
                number(late.p99),
                number(late.max)
            ));
        }
    }

    pub(super) fn iterations(&mut self, report: &Report) {
        let all = Some(&report.iterations.time_ms).filter(|all| all.count > 0);
        let columns = SPREAD.map(|name| (name, Number));
        let table = grid(&columns, all.into_iter().map(|took| spread(took).into()));
        self.section("Iterations (ms)", table);
        let groups = report.groups.iter();
        self.spreads(
            ("Groups (ms)", "Group"),
            groups.map(|(name, group)| (name, &group.time_ms)),
        );
    }

    pub(super) fn checks(&mut self, report: &Report) {
        let rows = report.checks.iter().map(|(name, check)| {
            let all = check.passed.saturating_add(check.failed);
            vec![
                plain(name).into_owned(),
                count(check.passed),
                count(check.failed),
                percent(check.passed as f64 / all.max(1) as f64),
            ]
        });
        let columns = [
            ("Check", Text),
            ("Passed", Number),
            ("Failed", Number),
            ("Share", Number),
        ];
        self.section("Checks", grid(&columns, rows));
    }

    pub(super) fn custom(&mut self, report: &Report) {
        self.spreads(("Trends", "Trend"), report.trends.iter());

        let span = seconds(report.run.duration_seconds);
        let rows = report.counters.iter().map(|(name, value)| {
            let rate = per_second(*value, span);
            vec![plain(name).into_owned(), number(*value), number(rate)]
        });
        let columns = [("Counter", Text), ("Sum", Number), ("per second", Number)];
        self.section("Counters", grid(&columns, rows));

        let gauges = report.gauges.iter();
        let rows = gauges.map(|(name, value)| vec![plain(name).into_owned(), number(*value)]);
        self.section("Gauges", grid(&[("Gauge", Text), ("Last", Number)], rows));
    }

    /// A table of distributions, under a title and with a name for their names.
    fn spreads<'a>(
        &mut self,
        (title, what): (&str, &str),
        rows: impl Iterator<Item = (&'a String, &'a Distribution)>,
    ) {
        let rows = rows.map(|(name, values)| {
            let mut row = vec![plain(name).into_owned()];
            row.extend(spread(values));
            row
        });
        let mut columns = vec![(what, Text)];
        columns.extend(SPREAD.map(|name| (name, Number)));
        self.section(title, grid(&columns, rows));
    }
}

const SPREAD: [&str; 7] = ["Count", "Median", "Avg", "Min", "Max", "p95", "p99"];

fn spread(values: &Distribution) -> [String; 7] {
    [
        count(values.count),
        number(values.p50),
        number(values.avg),
        number(values.min),
        number(values.max),
        number(values.p95),
        number(values.p99),
    ]
}
