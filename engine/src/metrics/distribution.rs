//! Distributions that merge: how long things took, and values of the scenario's own.
//! Exact counts, sums and extremes beside a histogram of three significant digits. Knows
//! nothing of names.

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

/// A distribution of plain numbers, three significant digits between 0.001 and 10^12.
/// Count, sum, minimum and maximum are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    millionths: Histogram<u64>,
    sum: f64,
    min: f64,
    max: f64,
}

const HOUR_MICROS: u64 = 3_600_000_000;

/// Histogram units in 1.0: 0.001 becomes 1000 units, which is three digits.
const UNITS: f64 = 1e6;
const LARGEST_VALUE: f64 = 1e12;

/// To the nearest, at most an hour. No 128-bit division: this runs several times a request.
fn micros(value: Duration) -> u64 {
    let rounded = u64::from(value.subsec_nanos() + 500) / 1000;
    value
        .as_secs()
        .saturating_mul(1_000_000)
        .saturating_add(rounded)
        .min(HOUR_MICROS)
}

/// Starts at 16 KiB for values below 2048, and grows by 8 KiB each time the largest value
/// doubles.
fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are within what the histogram offers")
}

/// Counts a value. The histogram grows with the value, up to any `u64`, so that there is
/// nothing to fail.
fn record(histogram: &mut Histogram<u64>, value: u64) {
    let result = histogram.record(value);
    debug_assert!(result.is_ok(), "{result:?}");
}

/// Adds the counts of `other`, which was made by [`histogram`] as well and so grows
/// whatever it has to hold.
fn add(histogram: &mut Histogram<u64>, other: &Histogram<u64>) {
    let result = histogram.add(other);
    debug_assert!(result.is_ok(), "{result:?}");
}

/// The middle of the histogram bucket that holds the `q`-th of the recorded values.
fn quantile(histogram: &Histogram<u64>, q: f64) -> u64 {
    histogram.median_equivalent(histogram.value_at_quantile(q.clamp(0.0, 1.0)))
}

/// How many recorded values do not exceed each bound, which must ascend.
fn cumulative(histogram: &Histogram<u64>, bounds: impl Iterator<Item = f64>) -> Vec<u64> {
    let mut recorded = histogram.iter_recorded().peekable();
    let mut count = 0;
    bounds
        .map(|bound| {
            while let Some(bucket) = recorded.next_if(|bucket| {
                histogram.lowest_equivalent(bucket.value_iterated_to()) as f64 <= bound
            }) {
                count += bucket.count_since_last_iteration();
            }
            count
        })
        .collect()
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

    /// Half of the recorded ones do not exceed it.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.percentile(0.5)
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

impl Default for Values {
    fn default() -> Self {
        Self {
            millionths: histogram(),
            sum: 0.0,
            min: f64::INFINITY,
            max: 0.0,
        }
    }
}

impl Merge for Values {
    fn merge_from(&mut self, other: &Self) {
        add(&mut self.millionths, &other.millionths);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Values {
    /// Whether [`Self::record`] counts it: not what is negative or not a number.
    #[must_use]
    pub fn accepts(value: f64) -> bool {
        value.is_finite() && value >= 0.0
    }

    /// Counts one if it is acceptable.
    pub fn record(&mut self, value: f64) {
        if !Self::accepts(value) {
            return;
        }
        let units = (value.min(LARGEST_VALUE) * UNITS).round();
        record(&mut self.millionths, units as u64);
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.millionths.len()
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The mean; 0 when nothing was recorded.
    #[must_use]
    pub fn avg(&self) -> f64 {
        self.sum / self.count().max(1) as f64
    }

    /// The smallest; 0 when nothing was recorded.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.min.min(self.max)
    }

    /// The largest; 0 when nothing was recorded.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The value that the share `q` (0 to 1) of all recorded ones does not exceed, within
    /// 0.1 %; 0 when nothing was recorded.
    #[must_use]
    pub fn percentile(&self, q: f64) -> f64 {
        if q >= 1.0 {
            return self.max;
        }
        (quantile(&self.millionths, q) as f64 / UNITS).clamp(self.min(), self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUANTILES: [f64; 8] = [0.0, 0.01, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0];

    fn durations(nanos: &[u64]) -> Durations {
        let mut all = Durations::default();
        for &ns in nanos {
            all.record(Duration::from_nanos(ns));
        }
        all
    }

    fn values(numbers: &[f64]) -> Values {
        let mut all = Values::default();
        for &number in numbers {
            all.record(number);
        }
        all
    }

    /// The smallest element that at least the share `q` of all does not exceed.
    fn order_statistic<T: Copy + PartialOrd>(sorted: &[T], q: f64) -> T {
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted[rank.clamp(1, sorted.len()) - 1]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn percentiles_match_order_statistics(
            mut nanos in prop::collection::vec(0..200_000_000_000u64, 1..400)
        ) {
            let all = durations(&nanos);
            nanos.sort_unstable();
            for q in QUANTILES {
                let exact = order_statistic(&nanos, q) as f64;
                let got = all.percentile(q).as_nanos() as f64;
                prop_assert!((got - exact).abs() <= exact * 0.001 + 1000.0, "{q}: {got} for {exact}");
            }
            prop_assert_eq!(all.count(), nanos.len() as u64);
            prop_assert_eq!(all.min().as_nanos(), u128::from(nanos[0]));
            prop_assert_eq!(all.max().as_nanos(), u128::from(nanos[nanos.len() - 1]));
            let mean = nanos.iter().sum::<u64>() / nanos.len() as u64;
            prop_assert_eq!(all.avg().as_nanos(), u128::from(mean));
        }

        #[test]
        fn values_keep_three_digits(
            mut exponents in prop::collection::vec(-3.0..12.0f64, 1..400)
        ) {
            exponents.sort_unstable_by(f64::total_cmp);
            let sorted: Vec<f64> = exponents.iter().map(|e| 10f64.powf(*e)).collect();
            let all = values(&sorted);
            for q in QUANTILES {
                let exact = order_statistic(&sorted, q);
                let got = all.percentile(q);
                prop_assert!((got - exact).abs() <= exact * 0.001, "{q}: {got} for {exact}");
            }
        }

        #[test]
        fn merging_equals_recording_together(
            nanos in prop::collection::vec(0..20_000_000_000u64, 0..200), at in 0..200usize
        ) {
            let (one, two) = nanos.split_at(at.min(nanos.len()));
            let mut merged = durations(one);
            merged.merge_from(&durations(two));
            prop_assert_eq!(&merged, &durations(&nanos));

            let new = merged.since(&durations(one));
            prop_assert_eq!(new.count(), two.len() as u64);
            prop_assert_eq!(new.avg(), durations(two).avg());
            for q in QUANTILES {
                let exact = durations(two).percentile(q).as_nanos() as f64;
                let got = new.percentile(q).as_nanos() as f64;
                prop_assert!((got - exact).abs() <= exact * 0.001 + 1000.0, "{q}: {got} for {exact}");
            }
        }

        #[test]
        fn cumulative_counts_follow_the_bounds(
            nanos in prop::collection::vec(0..3_000_000_000u64, 0..200)
        ) {
            // Bounds on bucket edges below 2048 µs are exact.
            let bounds = [0.0001, 0.0005, 0.002, 4.0];
            let below = |bound: f64| {
                let micros = (bound * 1e6).round() as u64;
                nanos.iter().filter(|ns| (*ns + 500) / 1000 <= micros).count() as u64
            };
            prop_assert_eq!(durations(&nanos).cumulative(&bounds), bounds.map(below).to_vec());
        }
    }

    #[test]
    fn nothing_recorded_reads_zero() {
        let none = Durations::default();
        assert_eq!(none.percentile(0.5), Duration::ZERO);
        assert_eq!(none.min(), Duration::ZERO);
        assert_eq!(none.avg(), Duration::ZERO);
        assert_eq!(none.since(&none).max(), Duration::ZERO);
        let none = Values::default();
        assert_eq!(
            [none.percentile(0.5), none.min(), none.max(), none.avg()],
            [0.0; 4]
        );
    }

    #[test]
    fn more_than_an_hour_saturates_in_the_percentiles_only() {
        let day = Duration::from_secs(86_400);
        let mut all = Durations::default();
        all.record(day);
        all.record(Duration::MAX);
        all.record(Duration::ZERO);
        let median = all.median().as_secs_f64();
        assert!((median - 3600.0).abs() < 4.0, "{median}");
        assert_eq!(all.max(), Duration::MAX);
        assert_eq!(all.count(), 3);
    }

    #[test]
    fn what_is_not_a_quantity_is_refused() {
        let mut all = Values::default();
        for bad in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            all.record(bad);
        }
        assert_eq!(all.count(), 0);
        all.record(f64::MAX);
        assert_eq!(all.count(), 1);
        assert_eq!(all.max(), f64::MAX);
    }

    #[test]
    fn since_something_else_counts_everything_as_new() {
        let all = durations(&[1_000_000, 2_000_000]);
        assert_eq!(all.since(&durations(&[9_000_000])), all);
    }
}
