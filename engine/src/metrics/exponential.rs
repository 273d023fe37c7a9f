//! A distribution in buckets whose bounds grow exponentially, as Prometheus' native
//! histograms and OpenTelemetry's exponential ones have them. Knows neither format.

use super::distribution::Durations;

/// Durations in seconds. Of two neighbouring bounds the upper one is 2^(1/8) times the lower
/// one, so that a quantile of it is within 9 % of the one of the durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exponential {
    /// How many there are.
    pub count: u64,
    /// All of them together.
    pub sum: f64,
    /// Those not above [`Self::ZERO_THRESHOLD`].
    pub zero: u64,
    /// Index of the first bucket. The bucket `i` holds what is above `2^((i - 1) / 8)` and not
    /// above `2^(i / 8)`.
    pub first: i32,
    /// How many each bucket holds, without gaps; neither the first nor the last is empty.
    pub buckets: Vec<u64>,
}

impl Exponential {
    /// Buckets are `2^(2^-SCALE)` wide.
    pub const SCALE: i32 = 3;
    /// A bound of buckets just below a microsecond, which is the shortest there is beside 0.
    pub const ZERO_THRESHOLD: f64 = 1.0 / (1 << 20) as f64;

    /// The same durations, to this precision.
    #[must_use]
    pub fn of(durations: &Durations) -> Self {
        let mut all = Self {
            sum: durations.sum_seconds(),
            ..Self::default()
        };
        durations.each_bucket(|micros, count| all.add(micros, count));
        all
    }

    /// Counts so many of a duration, which is not shorter than those before.
    fn add(&mut self, micros: u64, count: u64) {
        self.count += count;
        if micros == 0 {
            self.zero += count;
            return;
        }
        let index = Self::index(micros as f64 / 1e6);
        if self.buckets.is_empty() {
            self.first = index;
        }
        // At most an hour, which is less than 300 buckets above a microsecond.
        let at = usize::try_from(index - self.first).unwrap_or_default();
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] += count;
    }

    /// The bucket of a value.
    fn index(seconds: f64) -> i32 {
        (seconds.log2() * f64::from(1 << Self::SCALE)).ceil() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn of(micros: &[u64]) -> Exponential {
        let mut durations = Durations::default();
        for micros in micros {
            durations.record(Duration::from_micros(*micros));
        }
        Exponential::of(&durations)
    }

    fn upper_bound(index: i32) -> f64 {
        (f64::from(index) / 8.0).exp2()
    }

    #[test]
    fn nothing_and_zero_are_in_no_bucket() {
        assert_eq!(of(&[]), Exponential::default());
        let zeros = of(&[0, 0]);
        assert_eq!((zeros.count, zeros.zero, zeros.buckets.len()), (2, 2, 0));
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        assert_eq!(of(&[1_000_000]).first, 0);
        assert_eq!(of(&[500_000]).first, -8);
        assert_eq!(of(&[1_001_000]).first, 1);
        // The shortest is above the threshold, and in the first bucket above it.
        assert_eq!(of(&[1]).first, -159);
        assert_eq!(upper_bound(-160), Exponential::ZERO_THRESHOLD);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn everything_is_counted_where_it_belongs(
            micros in prop::collection::vec((0..32u32, any::<u32>()), 0..200)
        ) {
            let micros: Vec<u64> = micros.iter().map(|(bits, n)| u64::from(n >> bits)).collect();
            let micros: Vec<u64> = micros.into_iter().map(|n| n.min(3_600_000_000)).collect();
            let all = of(&micros);
            prop_assert_eq!(all.count, micros.len() as u64);
            prop_assert_eq!(all.zero + all.buckets.iter().sum::<u64>(), all.count);
            prop_assert!(all.buckets.len() < 300);
            if let (Some(first), Some(last)) = (all.buckets.first(), all.buckets.last()) {
                prop_assert!(*first > 0 && *last > 0);
            }
            // The histogram behind has three digits: a value near a bound may be below it.
            let mut cumulative = all.zero;
            for (index, count) in (all.first..).zip(&all.buckets) {
                cumulative += count;
                let below = |slack: f64| {
                    let bound = upper_bound(index) * slack;
                    micros.iter().filter(|micros| **micros as f64 / 1e6 <= bound).count() as u64
                };
                prop_assert!(below(1.0) <= cumulative && cumulative <= below(1.001));
            }
        }
    }
}
