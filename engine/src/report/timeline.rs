//! How a run went over time, as columns of one length: entry `i` of each is about the
//! `i`-th interval.

use super::build::tags;
use crate::metrics::{Durations, Exact, InvalidHistogram, RequestKey};
use crate::timeline::Interval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The run in intervals of a second; longer ones where it took longer than some minutes, of
/// which the newest may still be shorter while it goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimelineColumns {
    /// When each interval began, in time of the run.
    pub start_seconds: Vec<f64>,
    /// How long it was.
    pub span_seconds: Vec<f64>,
    /// Users alive at its end.
    pub users: Vec<u64>,
    /// Users that there should be at its end.
    pub target: Vec<u64>,
    /// Requests that ended in it.
    pub requests: Vec<u64>,
    /// Those that count as failures.
    pub failures: Vec<u64>,
    /// The requests by class of status: `1xx` to `5xx`, and `none` without a response.
    pub statuses: BTreeMap<String, Vec<u64>>,
    /// Bytes of the request bodies.
    pub bytes_sent: Vec<u64>,
    /// Bytes of the response bodies.
    pub bytes_received: Vec<u64>,
    /// Iterations that came to their end.
    pub iterations: Vec<u64>,
    /// Planned iterations that were dropped.
    pub dropped: Vec<u64>,
    /// Response times; 0 where nothing ended.
    pub time_ms: TimeColumns,
    /// The response times' distribution: the number of the first class, and then how many
    /// there are in each class from there on. Class `k` holds what takes from
    /// 2^(k/4) to 2^((k+1)/4) microseconds. Empty where nothing ended.
    pub heat: Vec<Vec<u64>>,
    /// The same without loss, each as `histogram` of a distribution; absent while a run goes
    /// on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histograms: Vec<String>,
    /// The engine itself.
    pub engine: EngineColumns,
    /// Single names: the first few dozen that occurred.
    pub names: Vec<NameColumns>,
}

/// Response times over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimeColumns {
    /// Means.
    pub avg: Vec<f64>,
    /// What half of them do not exceed.
    pub p50: Vec<f64>,
    /// What 75 % do not exceed.
    pub p75: Vec<f64>,
    /// What 90 % do not exceed.
    pub p90: Vec<f64>,
    /// What 95 % do not exceed.
    pub p95: Vec<f64>,
    /// What 99 % do not exceed.
    pub p99: Vec<f64>,
    /// What 99.9 % do not exceed.
    #[serde(rename = "p99.9")]
    pub p99_9: Vec<f64>,
    /// The longest.
    pub max: Vec<f64>,
}

/// The engine over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineColumns {
    /// CPU of the process in percent of one core.
    pub cpu_percent: Vec<f64>,
    /// Memory of the process at the end of the interval.
    pub memory_bytes: Vec<u64>,
    /// What 99 % of the delays of its own timers did not exceed.
    pub lag_ms: Vec<f64>,
}

/// One name over time; the columns begin with the first interval of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NameColumns {
    /// HTTP method or protocol.
    pub method: String,
    /// The requests' name.
    pub name: String,
    /// What tells them from others of that name.
    pub tags: BTreeMap<String, String>,
    /// Requests.
    pub requests: Vec<u64>,
    /// Those that count as failures.
    pub failures: Vec<u64>,
    /// What half of the response times do not exceed, within 1 %.
    pub p50: Vec<f64>,
    /// What 95 % do not exceed.
    pub p95: Vec<f64>,
    /// What 99 % do not exceed.
    pub p99: Vec<f64>,
}

/// How much of the intervals goes into the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What charts need.
    Charts,
    /// The histograms too.
    Everything,
}

impl TimelineColumns {
    /// Columns of intervals, whose [`Interval::names`] are about `names`.
    #[must_use]
    pub fn new(intervals: &[Interval], names: &[RequestKey], detail: Detail) -> Self {
        let mut columns = TimelineColumns {
            names: names.iter().map(NameColumns::new).collect(),
            ..TimelineColumns::default()
        };
        for interval in intervals {
            columns.push(interval, detail);
        }
        columns
    }

    /// The response times of an interval as they were recorded; nothing where there are no
    /// histograms, or no such interval.
    ///
    /// # Errors
    ///
    /// The histogram cannot be read, or belongs to something else.
    pub fn durations(&self, interval: usize) -> Result<Option<Durations>, InvalidHistogram> {
        let column = |column: &[f64]| column.get(interval).copied().unwrap_or_default();
        let Some(text) = self.histograms.get(interval) else {
            return Ok(None);
        };
        let count = self.requests.get(interval).copied().unwrap_or_default();
        let max = column(&self.time_ms.max);
        let exact = Exact {
            count,
            // The columns are rounded, so that the mean of one is not always the one.
            sum: (column(&self.time_ms.avg) * count as f64).max(max),
            min: 0.0,
            max,
        };
        Durations::decode(text, &exact).map(Some)
    }

    fn push(&mut self, interval: &Interval, detail: Detail) {
        self.start_seconds.push(seconds(interval.start));
        self.span_seconds.push(seconds(interval.span));
        self.users.push(interval.users);
        self.target.push(interval.target);
        self.requests.push(interval.requests);
        self.failures.push(interval.failures);
        for (class, count) in CLASSES.iter().zip(interval.statuses) {
            self.statuses
                .entry((*class).to_owned())
                .or_default()
                .push(count);
        }
        self.bytes_sent.push(interval.sent);
        self.bytes_received.push(interval.received);
        self.iterations.push(interval.iterations);
        self.dropped.push(interval.dropped);
        let time = &interval.time;
        self.time_ms.avg.push(ms(time.avg()));
        let percentiles = time.percentiles([0.5, 0.75, 0.9, 0.95, 0.99, 0.999]);
        for (column, value) in self.time_ms.percentiles().into_iter().zip(percentiles) {
            column.push(ms(value));
        }
        self.time_ms.max.push(ms(time.max()));
        self.heat.push(interval.time.heat());
        if detail == Detail::Everything {
            self.histograms.push(time.durations().encode());
        }
        self.engine
            .cpu_percent
            .push(rounded(interval.process.cpu_percent));
        let [p99_of_lag] = interval.lag.percentiles([0.99]);
        self.engine.memory_bytes.push(interval.process.memory);
        self.engine.lag_ms.push(ms(p99_of_lag));
        for (at, columns) in self.names.iter_mut().enumerate() {
            // A name that is younger than the interval is missing there.
            let of_name = interval.names.get(at);
            let percentiles = of_name.map(|name| name.time.percentiles([0.5, 0.95, 0.99]));
            let [p50, p95, p99] = percentiles.unwrap_or_default();
            columns
                .requests
                .push(of_name.map_or(0, |name| name.requests));
            columns
                .failures
                .push(of_name.map_or(0, |name| name.failures));
            columns.p50.push(ms(p50));
            columns.p95.push(ms(p95));
            columns.p99.push(ms(p99));
        }
    }
}

/// What the hundreds of a status are called, 0 being none.
pub(super) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl TimeColumns {
    pub(super) fn percentiles(&mut self) -> [&mut Vec<f64>; 6] {
        [
            &mut self.p50,
            &mut self.p75,
            &mut self.p90,
            &mut self.p95,
            &mut self.p99,
            &mut self.p99_9,
        ]
    }
}

impl NameColumns {
    fn new(key: &RequestKey) -> Self {
        NameColumns {
            method: key.method.clone(),
            name: key.name.clone(),
            tags: tags(&key.tags),
            ..NameColumns::default()
        }
    }
}

/// To the microsecond: more digits would only be noise, and the columns are long.
fn ms(span: Duration) -> f64 {
    (span.as_nanos() as f64 / 1e3).round() / 1e3
}

fn seconds(span: Duration) -> f64 {
    ms(span) / 1e3
}

fn rounded(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}
