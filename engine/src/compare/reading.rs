//! One number of a run, and how far it may be off. Knows nothing of other runs.

use super::student::{critical, share_interval};
use crate::metrics::Durations;
use std::time::Duration;

/// A number that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Rate,
    Failures,
    Average,
    /// Of [`SHARES`], by index.
    Percentile(usize),
}

/// The percentiles that are compared.
pub(super) const SHARES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];
const PERCENTILES: [&str; 5] = ["p50", "p90", "p95", "p99", "p99.9"];

impl Metric {
    pub(super) const ALL: [Self; 8] = [
        Self::Rate,
        Self::Failures,
        Self::Average,
        Self::Percentile(0),
        Self::Percentile(1),
        Self::Percentile(2),
        Self::Percentile(3),
        Self::Percentile(4),
    ];

    /// In documents, and for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "requests_per_second",
            Self::Failures => "failure_share",
            Self::Average => "avg",
            Self::Percentile(at) => PERCENTILES[at],
        }
    }

    /// Empty for what is a share.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Rate => "1/s",
            Self::Failures => "",
            Self::Average | Self::Percentile(_) => "ms",
        }
    }

    pub(super) fn more_is_better(self) -> bool {
        self == Self::Rate
    }

    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Average | Self::Percentile(_))
    }
}

/// Something of each metric, in the order of [`Metric::ALL`].
pub(super) type Each<T> = [T; Metric::ALL.len()];

/// A number of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// In the metric's unit; absent when there is none.
    pub(super) value: Option<f64>,
    pub(super) spread: Result<Spread, Doubt>,
}

/// How far a number may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spread {
    /// Of what is above zero: its logarithm, and how far below and above that the truth is,
    /// with 95 % probability.
    Positive {
        log: f64,
        below: f64,
        above: f64,
        freedom: f64,
    },
    /// Of a share, by its design effect: how many requests say as much as one that has
    /// nothing to do with the others.
    Share {
        share: f64,
        requests: f64,
        design: f64,
        freedom: f64,
    },
}

/// Why nobody can say how far a number may be off; the most basic reason is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Doubt {
    #[error("only {found} requests; it takes {needed}")]
    FewRequests { found: u64, needed: u64 },
    #[error("only {found} intervals of steady load; it takes {needed}")]
    FewIntervals { found: usize, needed: usize },
    #[error("the document has no histograms, as of a run that goes on")]
    NoHistogram,
}

/// Fewer requests say nothing of their rate and mean.
const FEWEST: u64 = 30;
/// So many requests that have nothing to do with each other are needed beyond a percentile.
const FEWEST_BEYOND: f64 = 5.0;
/// Half of the histograms' resolution: what a number may be off for that alone, as a share
/// of it and, at least, in milliseconds.
pub(super) const HALF_STEP: f64 = 0.000_5;

/// The logarithm of milliseconds, which below the histograms' resolution are nothing but
/// little.
pub(super) fn log_ms(ms: f64) -> f64 {
    ms.max(HALF_STEP).ln()
}

pub(super) fn ms(span: Duration) -> f64 {
    span.as_nanos() as f64 / 1e6
}

pub(super) fn enough(requests: u64) -> Result<(), Doubt> {
    match requests >= FEWEST {
        true => Ok(()),
        false => Err(Doubt::FewRequests {
            found: requests,
            needed: FEWEST,
        }),
    }
}

/// A rate that is above zero. `variance` is that of the rate as a multiple of itself; when it
/// is less than one request more or less, that counts.
pub(super) fn rate(per_second: f64, requests: u64, variance: f64, freedom: f64) -> Spread {
    let one = 1.0 / requests as f64;
    let half = critical(freedom) * variance.max(one * one).sqrt();
    Spread::Positive {
        log: per_second.ln(),
        below: half,
        above: half,
        freedom,
    }
}

/// The mean of durations, of which `mean` is the exact one.
pub(super) fn average(mean: f64, times: &Durations, design: f64, freedom: f64) -> Spread {
    let error = (design / times.count() as f64).sqrt() * ms(times.std_dev());
    let half = critical(freedom) * error / mean.max(HALF_STEP);
    of_time(mean, half, half, freedom)
}

/// A percentile. What of the durations is below it is a share with an interval of its own;
/// the durations at the ends of that are the ends of the percentile's.
pub(super) fn percentile(
    times: &Durations,
    share: f64,
    design: f64,
    freedom: f64,
) -> Result<Spread, Doubt> {
    let rarer = share.min(1.0 - share);
    let independent = times.count() as f64 / design;
    if independent * rarer < FEWEST_BEYOND {
        return Err(Doubt::FewRequests {
            found: times.count(),
            needed: (FEWEST_BEYOND / rarer * design).ceil() as u64,
        });
    }
    let (low, high) = share_interval(share, independent, freedom);
    let [low, middle, high] = times.percentiles([low, share, high]).map(ms);
    let log = log_ms(middle);
    Ok(of_time(
        middle,
        log - log_ms(low),
        log_ms(high) - log,
        freedom,
    ))
}

fn of_time(ms: f64, below: f64, above: f64, freedom: f64) -> Spread {
    let step = HALF_STEP.max(HALF_STEP / ms.max(HALF_STEP));
    Spread::Positive {
        log: log_ms(ms),
        below: below.max(step),
        above: above.max(step),
        freedom,
    }
}
