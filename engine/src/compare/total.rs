//! The numbers of all requests of a run, over the part of it under full load, and how much
//! noise there is in them. Knows nothing of single names.

use super::Steady;
use super::reading::{
    Doubt, Each, Metric, Reading, SHARES, Spread, average, enough, ms, percentile, rate,
};
use super::series::{FEWEST, FREEDOM, variance_of_ratio};
use super::steady::steady;
use crate::metrics::{Durations, Exact, InvalidHistogram};
use crate::report::{Report, Requests, TimelineColumns};
use std::ops::Range;

/// All requests of a run.
pub(super) struct Total {
    pub(super) readings: Each<Reading>,
    pub(super) steady: Option<Steady>,
    pub(super) noise: Result<Noise, Doubt>,
}

/// How much noise there is in a run.
pub(super) struct Noise {
    /// The intervals that were looked at.
    pub(super) window: Range<usize>,
    /// Requests in one of them.
    pub(super) requests: f64,
    /// Variance of the rate, as a multiple of it.
    pub(super) rate: f64,
    /// By how much the design effect of each metric grows with each request in an interval;
    /// the rate has none.
    pub(super) design: Each<f64>,
}

pub(super) fn measure(report: &Report) -> Result<Total, InvalidHistogram> {
    let window = steady(&report.timeline);
    let doubt = if report.timeline.histograms.len() < window.end {
        Some(Doubt::NoHistogram)
    } else if window.len() < FEWEST {
        Some(Doubt::FewIntervals {
            found: window.len(),
            needed: FEWEST,
        })
    } else {
        let requests = report.timeline.requests[window.clone()].iter();
        enough(requests.fold(0, |sum, n| sum.saturating_add(*n))).err()
    };
    if let Some(doubt) = doubt {
        return Ok(Total {
            readings: whole(&report.total).map(|value| Reading {
                value,
                spread: Err(doubt),
            }),
            steady: None,
            noise: Err(doubt),
        });
    }
    Intervals::new(&report.timeline, window)?.measure()
}

/// The numbers of requests as the report has them, without their noise.
pub(super) fn whole(requests: &Requests) -> Each<Option<f64>> {
    let time = &requests.time_ms;
    let some = |value: f64| (requests.requests > 0 && value.is_finite()).then_some(value);
    [
        some(requests.requests_per_second),
        some(requests.failure_share),
        some(time.avg),
        some(time.p50),
        some(time.p90),
        some(time.p95),
        some(time.p99),
        some(time.p99_9),
    ]
}

/// How many requests say as much as one that has nothing to do with the others: at least one.
pub(super) fn design_effect(variance: f64, if_independent: f64) -> f64 {
    match if_independent > 0.0 {
        true => (variance / if_independent).max(1.0),
        false => 1.0,
    }
}

/// The intervals that are looked at, and all of their response times together.
struct Intervals<'a> {
    timeline: &'a TimelineColumns,
    window: Range<usize>,
    requests: Vec<f64>,
    times: Durations,
}

impl<'a> Intervals<'a> {
    fn new(timeline: &'a TimelineColumns, window: Range<usize>) -> Result<Self, InvalidHistogram> {
        let mut times = Durations::default();
        for at in window.clone() {
            times.merge(&decode(timeline, at)?);
        }
        let requests = &timeline.requests[window.clone()];
        Ok(Self {
            requests: requests.iter().map(|n| *n as f64).collect(),
            timeline,
            window,
            times,
        })
    }

    fn measure(&self) -> Result<Total, InvalidHistogram> {
        let requests: f64 = self.requests.iter().sum();
        let spans = &self.timeline.span_seconds[self.window.clone()];
        let span: f64 = spans.iter().sum();
        let per_second = requests / span;
        let of_rate = variance_of_ratio(&self.requests, spans) / (per_second * per_second);

        let (failures, of_failures) = self.mean_of(self.failures());
        let (mean, of_mean) = self.mean_of(self.sums());
        let deviation = ms(self.times.std_dev());
        let mut variances = [0.0; Metric::ALL.len()];
        let mut designs = [1.0; Metric::ALL.len()];
        for (at, variance, independent) in [
            (1, of_failures, failures * (1.0 - failures)),
            (2, of_mean, deviation * deviation),
        ] {
            variances[at] = variance;
            designs[at] = design_effect(variance, independent / requests);
        }
        for (at, (below, share)) in self.below()?.into_iter().zip(SHARES).enumerate() {
            let (_, variance) = self.mean_of(below);
            designs[at + 3] = design_effect(variance, share * (1.0 - share) / requests);
        }

        let values = self.times.percentiles(SHARES).map(ms);
        let reading = |metric: Metric, design: f64| match metric {
            Metric::Rate => Reading {
                value: Some(per_second),
                spread: Ok(rate(per_second, requests as u64, of_rate, FREEDOM)),
            },
            Metric::Failures => Reading {
                value: Some(failures),
                spread: Ok(Spread::Share {
                    share: failures,
                    requests,
                    design,
                    freedom: FREEDOM,
                }),
            },
            Metric::Average => Reading {
                value: Some(mean),
                spread: Ok(average(mean, &self.times, design, FREEDOM)),
            },
            Metric::Percentile(at) => Reading {
                value: Some(values[at]),
                spread: percentile(&self.times, SHARES[at], design, FREEDOM),
            },
        };
        let per_interval = requests / self.window.len() as f64;
        Ok(Total {
            readings: std::array::from_fn(|at| reading(Metric::ALL[at], designs[at])),
            steady: Some(self.steady()),
            noise: Ok(Noise {
                window: self.window.clone(),
                requests: per_interval,
                rate: of_rate,
                design: designs.map(|design| (design - 1.0) / per_interval),
            }),
        })
    }

    /// What comes on a request, and the variance of that.
    fn mean_of(&self, amounts: Vec<f64>) -> (f64, f64) {
        let requests: f64 = self.requests.iter().sum();
        let mean = amounts.iter().sum::<f64>() / requests;
        (mean, variance_of_ratio(&amounts, &self.requests))
    }

    fn failures(&self) -> Vec<f64> {
        let failures = &self.timeline.failures[self.window.clone()];
        let failures = failures.iter().zip(&self.requests);
        failures.map(|(n, of)| (*n as f64).min(*of)).collect()
    }

    fn sums(&self) -> Vec<f64> {
        let means = &self.timeline.time_ms.avg[self.window.clone()];
        let means = means.iter().zip(&self.requests);
        means.map(|(mean, of)| mean * of).collect()
    }

    /// How many in each interval do not exceed each percentile of all.
    fn below(&self) -> Result<[Vec<f64>; SHARES.len()], InvalidHistogram> {
        let bounds = self
            .times
            .percentiles(SHARES)
            .map(|time| time.as_secs_f64());
        let mut below = [const { Vec::new() }; SHARES.len()];
        for at in self.window.clone() {
            let counts = decode(self.timeline, at)?.cumulative(&bounds);
            for (column, count) in below.iter_mut().zip(counts) {
                column.push(count as f64);
            }
        }
        Ok(below)
    }

    fn steady(&self) -> Steady {
        let timeline = self.timeline;
        let last = self.window.end - 1;
        Steady {
            start_seconds: timeline.start_seconds[self.window.start],
            end_seconds: timeline.start_seconds[last] + timeline.span_seconds[last],
            intervals: self.window.len(),
        }
    }
}

/// The response times of an interval. Decoded whenever they are needed: all at once, they
/// would take some hundred kilobytes for each.
fn decode(timeline: &TimelineColumns, at: usize) -> Result<Durations, InvalidHistogram> {
    // Only the histogram is used, so what is exact is left open.
    const HOUR_MS: f64 = 3.6e6;
    let exact = Exact {
        count: timeline.requests[at],
        sum: HOUR_MS,
        min: 0.0,
        max: HOUR_MS,
    };
    Durations::decode(&timeline.histograms[at], &exact)
}
