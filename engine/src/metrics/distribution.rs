//! How long things took, as a distribution that merges: exact counts, sums and extremes
//! beside a histogram. Knows nothing of names.

use super::encoding::{self, Exact, InvalidHistogram};
use super::histogram::{add, cumulative, histogram, quantile, quantiles, record};
use super::merge::Merge;
use hdrhistogram::Histogram;
use std::time::Duration;

/// A distribution of durations, in microseconds up to one hour; longer ones count as one
/// hour in the percentiles. Count, sum, minimum and maximum are exact to the nanosecond.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    micros: Histogram<u64>,
    sum_ns: u128,
    min: Duration,
    max: Duration,
}

const HOUR_MICROS: u64 = 3_600_000_000;

/// To the nearest, at most an hour. No 128-bit division: this runs several times a request.
fn micros(value: Duration) -> u64 {
    let rounded = u64::from(value.subsec_nanos() + 500) / 1000;
    value
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(rounded)
        .min(HOUR_MICROS)
}

/// Of nanoseconds, which may be more than a duration can have.
fn duration(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    match u64::try_from(nanos / SECOND) {
        Ok(seconds) => Duration::new(seconds, (nanos % SECOND) as u32),
        Err(_) => Duration::MAX,
    }
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            micros: histogram(),
            sum_ns: 0,
            min: Duration::MAX,
            max: Duration::ZERO,
        }
    }
}

impl Merge for Durations {
    fn merge_from(&mut self, other: &Self) {
        add(&mut self.micros, &other.micros);
        self.sum_ns += other.sum_ns;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Durations {
    /// Counts one.
    pub fn record(&mut self, value: Duration) {
        record(&mut self.micros, micros(value));
        self.sum_ns += value.as_nanos();
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds others, as if all had been recorded together.
    pub fn merge(&mut self, other: &Self) {
        self.merge_from(other);
    }

    /// What was recorded after `earlier`, a previous state of this distribution. Its
    /// extremes have the precision of the percentiles. When `earlier` is something else,
    /// everything counts as new.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut micros = self.micros.clone();
        if self.sum_ns < earlier.sum_ns || micros.subtract(&earlier.micros).is_err() {
            return self.clone();
        }
        if micros.is_empty() {
            return Self::default();
        }
        Self {
            sum_ns: self.sum_ns - earlier.sum_ns,
            min: Duration::from_micros(micros.min()).max(self.min),
            max: Duration::from_micros(micros.max()).min(self.max),
            micros,
        }
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.micros.len()
    }

    /// All of them together, in seconds.
    #[must_use]
    pub fn sum_seconds(&self) -> f64 {
        self.sum_ns as f64 / 1e9
    }

    /// The mean; zero when nothing was recorded.
    #[must_use]
    pub fn avg(&self) -> Duration {
        let mean = self.sum_ns / u128::from(self.count().max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The standard deviation, within 0.1 %; zero when nothing was recorded.
    #[must_use]
    pub fn std_dev(&self) -> Duration {
        Duration::from_nanos((self.micros.stdev() * 1e3) as u64)
    }

    /// The shortest; zero when nothing was recorded.
    #[must_use]
    pub fn min(&self) -> Duration {
        self.min.min(self.max)
    }

    /// The longest; zero when nothing was recorded.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The value that the share `q` (0 to 1) of all recorded ones does not exceed, within
    /// 0.1 % or a microsecond; zero when nothing was recorded.
    #[must_use]
    pub fn percentile(&self, q: f64) -> Duration {
        if q >= 1.0 {
            return self.max;
        }
        Duration::from_micros(quantile(&self.micros, q)).clamp(self.min(), self.max)
    }

    /// The same for several shares, which must ascend, at the cost of one.
    #[must_use]
    pub fn percentiles<const N: usize>(&self, shares: [f64; N]) -> [Duration; N] {
        let mut found = quantiles(&self.micros, shares)
            .map(|micros| Duration::from_micros(micros).clamp(self.min(), self.max));
        let below_all = shares.partition_point(|q| *q < 1.0);
        found[below_all..].fill(self.max);
        found
    }

    /// The histogram in microseconds, in HdrHistogram's V2 compressed encoding and base64.
    #[must_use]
    pub fn encode(&self) -> String {
        encoding::encode(&self.micros)
    }

    /// What [`Self::encode`] has written, with what is exact, in milliseconds. The text may
    /// come from anywhere.
    ///
    /// # Errors
    ///
    /// The text is no such histogram, or not of a distribution with these properties.
    pub fn decode(text: &str, exact: &Exact) -> Result<Self, InvalidHistogram> {
        let micros = encoding::decode(text, HOUR_MICROS)?;
        exact.check(&micros)?;
        if micros.is_empty() {
            return Ok(Self::default());
        }
        let nanos = |ms: f64| (ms * 1e6).round() as u128;
        Ok(Self {
            micros,
            sum_ns: nanos(exact.sum),
            min: duration(nanos(exact.min)),
            max: duration(nanos(exact.max)),
        })
    }

    /// Half of the recorded ones do not exceed it.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.percentile(0.5)
    }

    /// Shows each bucket that holds something: its lowest value in microseconds, ascending,
    /// and how many it holds.
    pub(super) fn each_bucket(&self, mut bucket: impl FnMut(u64, u64)) {
        for recorded in self.micros.iter_recorded() {
            let lowest = self.micros.lowest_equivalent(recorded.value_iterated_to());
            bucket(lowest, recorded.count_since_last_iteration());
        }
    }

    /// What [`Self::each_bucket`] has shown, with what is exact.
    pub(super) fn from_buckets(
        buckets: impl Iterator<Item = (u64, u64)>,
        sum_ns: u128,
        min: Duration,
        max: Duration,
    ) -> Self {
        let mut micros = histogram();
        for (lowest, count) in buckets {
            let result = micros.record_n(lowest, count);
            debug_assert!(result.is_ok(), "{result:?}");
        }
        match micros.is_empty() {
            true => Self::default(),
            false => Self {
                micros,
                sum_ns,
                min,
                max,
            },
        }
    }

    /// All of them together, in nanoseconds.
    pub(super) fn sum_ns(&self) -> u128 {
        self.sum_ns
    }

    /// How many do not exceed each of the bounds, which are in seconds and ascend.
    #[must_use]
    pub fn cumulative(&self, bounds: &[f64]) -> Vec<u64> {
        cumulative(
            &self.micros,
            bounds.iter().map(|bound| (bound * 1e6).round()),
        )
    }
}

#[cfg(test)]
mod tests;
