//! The last minutes of a run, interval by interval, and of each name. Bounded.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::report::{NamedRequests, Report};

/// Intervals kept: more than the widest screen has room for.
const INTERVALS: usize = 600;
/// Rates kept of a name.
const RATES: usize = 40;

/// What happened in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Interval {
    /// When it ended, in seconds of the run.
    pub(super) end: f64,
    pub(super) users: f64,
    pub(super) target: f64,
    /// Requests per second.
    pub(super) rate: f64,
    /// Failures per second.
    pub(super) failures: f64,
    /// p50, p95 and p99 in milliseconds; absent where nothing ended.
    pub(super) percentiles: Option<[f64; 3]>,
    pub(super) cpu_percent: f64,
    /// What 99 % of the delays of the engine's timers did not exceed.
    pub(super) lag_ms: f64,
}

/// The last intervals, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    intervals: VecDeque<Interval>,
    rates: HashMap<u64, VecDeque<f64>>,
}

impl History {
    /// Takes the newest interval of a report; whether there was a new one.
    pub(super) fn take(&mut self, report: &Report) -> bool {
        let Some(interval) = newest(report) else {
            return false;
        };
        if self.intervals.back().is_some_and(|l| l.end >= interval.end) {
            return false;
        }
        push(&mut self.intervals, interval, INTERVALS);
        let mut rates = HashMap::with_capacity(report.requests.len());
        for row in &report.requests {
            let key = key(row);
            let mut of_row = self.rates.remove(&key).unwrap_or_default();
            let recent = row.requests.recent.unwrap_or_default();
            push(&mut of_row, recent.per_second, RATES);
            rates.insert(key, of_row);
        }
        self.rates = rates;
        true
    }

    pub(super) fn intervals(&self) -> impl ExactSizeIterator<Item = &Interval> {
        self.intervals.iter()
    }

    pub(super) fn latest(&self) -> Interval {
        self.intervals.back().copied().unwrap_or_default()
    }

    /// The last `most` values of each interval, the oldest first.
    pub(super) fn values(&self, most: usize, of: impl Fn(&Interval) -> f64) -> Vec<f64> {
        let first = self.intervals.len().saturating_sub(most);
        self.intervals.iter().skip(first).map(of).collect()
    }

    /// The last `most` request rates of a name, the oldest first.
    pub(super) fn rates(&self, row: &NamedRequests, most: usize) -> Vec<f64> {
        let Some(rates) = self.rates.get(&key(row)) else {
            return Vec::new();
        };
        let first = rates.len().saturating_sub(most);
        rates.iter().skip(first).copied().collect()
    }
}

fn push<T>(values: &mut VecDeque<T>, value: T, most: usize) {
    if values.len() == most {
        values.pop_front();
    }
    values.push_back(value);
}

fn key(row: &NamedRequests) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&row.method, &row.name, &row.tags).hash(&mut hasher);
    hasher.finish()
}

/// The last interval of a report's timeline.
fn newest(report: &Report) -> Option<Interval> {
    fn last<T: Copy + Default>(column: &[T]) -> T {
        column.last().copied().unwrap_or_default()
    }
    let line = &report.timeline;
    let span = last(&line.span_seconds);
    if span <= 0.0 {
        return None;
    }
    let requests = last(&line.requests);
    let time = &line.time_ms;
    Some(Interval {
        end: line.start_seconds.last()? + span,
        users: last(&line.users) as f64,
        target: last(&line.target) as f64,
        rate: requests as f64 / span,
        failures: last(&line.failures) as f64 / span,
        percentiles: (requests > 0).then(|| [&time.p50, &time.p95, &time.p99].map(|c| last(c))),
        cpu_percent: last(&line.engine.cpu_percent),
        lag_ms: last(&line.engine.lag_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{advance, nothing};
    use super::*;

    #[test]
    fn the_newest_intervals_are_kept_once_each() {
        let mut history = History::default();
        let mut report = nothing();
        assert!(!history.take(&report));
        for second in 1..=INTERVALS as u32 + 50 {
            advance(&mut report, second, false);
            assert!(history.take(&report));
            // Of a run that is paused, there is nothing new.
            assert!(!history.take(&report));
        }
        assert_eq!(history.intervals().len(), INTERVALS);
        let ends = history.values(3, |interval| interval.end);
        assert_eq!(ends, [648.0, 649.0, 650.0]);
        assert_eq!(history.latest().target, 500.0);
        let row = report.requests[0].clone();
        assert_eq!(history.rates(&row, 1000).len(), RATES);
        assert_eq!(history.rates(&row, 3).len(), 3);
        // What is no longer in the report is forgotten.
        report.requests.remove(0);
        advance(&mut report, 1000, false);
        history.take(&report);
        assert!(history.rates(&row, 3).is_empty());
    }

    #[test]
    fn where_nothing_ended_there_are_no_percentiles() {
        let mut report = nothing();
        advance(&mut report, 1, false);
        report.timeline.requests = vec![0];
        let mut history = History::default();
        history.take(&report);
        assert_eq!(history.latest().percentiles, None);
    }
}
