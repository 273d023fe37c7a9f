//! The run over time: a row for each interval, with what came in it and all until its end.

use super::times::{PERCENTILES, Times};
use super::{Row, Table};
use crate::report::{Distribution, Report, TimelineColumns};
use std::time::UNIX_EPOCH;

pub(super) fn table(report: &Report) -> Table {
    let before = [
        "Timestamp",
        "User Count",
        "Type",
        "Name",
        "Requests/s",
        "Failures/s",
    ];
    let after = [
        "Total Request Count",
        "Total Failure Count",
        "Total Median Response Time",
        "Total Average Response Time",
        "Total Min Response Time",
        "Total Max Response Time",
        "Total Average Content Size",
    ];
    let mut table = Table::new(&[&before[..], &PERCENTILES[..], &after[..]].concat());
    let started = started(&report.run.started);
    let timeline = &report.timeline;
    let mut total = Row::default();
    for (at, start) in timeline.start_seconds.iter().enumerate() {
        let span = get(&timeline.span_seconds, at);
        let interval = interval(timeline, at);
        let mut cells = vec![
            ((started + start + span) as u64).to_string(),
            get(&timeline.users, at).to_string(),
            String::new(),
            "Aggregated".to_owned(),
        ];
        cells.extend([interval.times.count(), interval.failures].map(|n| rate(n, span)));
        cells.extend(interval.times.percentiles());
        total.add(interval);
        cells.extend(total.counts());
        table.row(cells);
    }
    table
}

/// What came in an interval.
fn interval(timeline: &TimelineColumns, at: usize) -> Row {
    let requests = get(&timeline.requests, at);
    let max = get(&timeline.time_ms.max, at);
    let times = Distribution {
        count: requests,
        // At least one took as long as the longest, which rounding must not hide.
        sum: (get(&timeline.time_ms.avg, at) * requests as f64).max(max),
        max,
        histogram: timeline.histograms.get(at).cloned(),
        ..Distribution::default()
    };
    Row {
        failures: get(&timeline.failures, at),
        received: get(&timeline.bytes_received, at),
        times: Times::of_interval(&times),
    }
}

/// An entry of a column; 0 where a column is too short.
fn get<T: Copy + Default>(column: &[T], at: usize) -> T {
    column.get(at).copied().unwrap_or_default()
}

/// Seconds since 1970; 0 for what is no point in time.
fn started(rfc3339: &str) -> f64 {
    let started = humantime::parse_rfc3339(rfc3339).unwrap_or(UNIX_EPOCH);
    let since = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}

fn rate(count: u64, span: f64) -> String {
    let rate = if span > 0.0 { count as f64 / span } else { 0.0 };
    format!("{rate:.6}")
}
