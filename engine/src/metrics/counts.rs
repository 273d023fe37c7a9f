//! A distribution that is looked at rarely and kept long: only the buckets that hold
//! something. Knows nothing of names.

use super::distribution::Durations;
use std::time::Duration;

/// Durations, as compact as they were spread: 8 bytes a bucket instead of a table of all
/// buckets. Adding up loses nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// The lowest value of each bucket in microseconds, ascending, and how many it holds.
    buckets: Vec<(u32, u32)>,
    /// Leading bits that tell values apart.
    bits: u32,
    sum_ns: u128,
    min: Duration,
    max: Duration,
}

/// Bits of a value in a histogram of three digits.
const EXACT_BITS: u32 = 11;
/// Bits of a value that [`Counts::coarse`] keeps.
const COARSE_BITS: u32 = 7;

impl Counts {
    /// With the precision of the durations.
    #[must_use]
    pub fn exact(durations: &Durations) -> Self {
        Self::of(durations, EXACT_BITS)
    }

    /// Within 1 %, in a tenth of the buckets.
    #[must_use]
    pub fn coarse(durations: &Durations) -> Self {
        Self::of(durations, COARSE_BITS)
    }

    fn of(durations: &Durations, bits: u32) -> Self {
        let mut buckets: Vec<(u32, u32)> = Vec::new();
        durations.each_bucket(|micros, count| {
            // An hour, the most there is, has room in 32 bits.
            let micros = u32::try_from(micros).unwrap_or(u32::MAX);
            let spare = (u32::BITS - micros.leading_zeros()).saturating_sub(bits);
            let lowest = micros >> spare << spare;
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            match buckets.last_mut() {
                Some((last, held)) if *last == lowest => *held = held.saturating_add(count),
                _ => buckets.push((lowest, count)),
            }
        });
        buckets.shrink_to_fit();
        Self {
            buckets,
            bits,
            sum_ns: durations.sum_ns(),
            min: durations.min(),
            max: durations.max(),
        }
    }

    /// Adds others of the same precision, as if all had been counted together.
    pub fn merge(&mut self, other: &Self) {
        if other.buckets.is_empty() {
            return;
        }
        if self.buckets.is_empty() {
            self.clone_from(other);
            return;
        }
        let mut merged = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let (mut ours, mut theirs) = (&self.buckets[..], &other.buckets[..]);
        while let (Some(&(a, n)), Some(&(b, m))) = (ours.first(), theirs.first()) {
            merged.push((
                a.min(b),
                if a == b {
                    n.saturating_add(m)
                } else if a < b {
                    n
                } else {
                    m
                },
            ));
            ours = &ours[usize::from(a <= b)..];
            theirs = &theirs[usize::from(b <= a)..];
        }
        merged.extend_from_slice(ours);
        merged.extend_from_slice(theirs);
        merged.shrink_to_fit();
        self.buckets = merged;
        self.sum_ns += other.sum_ns;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// All of it as durations, to the precision that is left.
    #[must_use]
    pub fn durations(&self) -> Durations {
        Durations::from_buckets(
            self.buckets
                .iter()
                .map(|(micros, count)| (u64::from(*micros), u64::from(*count))),
            self.sum_ns,
            self.min,
            self.max,
        )
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.buckets.iter().map(|(_, count)| u64::from(*count));
        counts.sum()
    }

    /// Their mean; zero when there are none.
    #[must_use]
    pub fn avg(&self) -> Duration {
        let mean = self.sum_ns / u128::from(self.count().max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The longest; zero when there are none.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The values that these shares of them do not exceed, as [`Durations::percentiles`] has
    /// them; the shares must ascend.
    #[must_use]
    pub fn percentiles<const N: usize>(&self, shares: [f64; N]) -> [Duration; N] {
        let all = self.count();
        let mut buckets = self.buckets.iter();
        let (mut reached, mut value) = (0, Duration::ZERO);
        shares.map(|share| {
            let rank = ((share * all as f64).ceil() as u64).clamp(1, all.max(1));
            while reached < rank
                && let Some((micros, count)) = buckets.next()
            {
                reached += u64::from(*count);
                value = Duration::from_micros(u64::from(*micros) + self.width(*micros) / 2);
            }
            value.clamp(self.min, self.max)
        })
    }

    /// How wide the bucket is that begins with so many microseconds.
    fn width(&self, micros: u32) -> u64 {
        1 << (u32::BITS - micros.leading_zeros()).saturating_sub(self.bits)
    }

    /// How many there are in each class of durations, the classes growing by a factor of
    /// 2^(1/4): the number of the first class that holds any, and the counts from there on.
    /// Class `k` begins with 2^(k/4) microseconds; what takes less than one is in class 0.
    /// Empty when there are none.
    #[must_use]
    pub fn heat(&self) -> Vec<u64> {
        let class = |micros: u32| (f64::from(micros.max(1)).log2() * 4.0 + 1e-9) as u64;
        let (Some((first, _)), Some((last, _))) = (self.buckets.first(), self.buckets.last())
        else {
            return Vec::new();
        };
        let first = class(*first);
        let classes = usize::try_from(class(*last) - first + 1).unwrap_or(0);
        let mut heat = vec![0; classes + 1];
        heat[0] = first;
        for (micros, count) in &self.buckets {
            let at = usize::try_from(class(*micros) - first).unwrap_or(0);
            heat[at + 1] += u64::from(*count);
        }
        heat
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn durations(micros: &[u32]) -> Durations {
        let mut all = Durations::default();
        for value in micros {
            all.record(Duration::from_micros(u64::from(*value)));
        }
        all
    }

    #[test]
    fn heat_classes_are_quarters_of_a_power_of_two() {
        let counts = Counts::exact(&durations(&[1024, 1024, 1217, 1218, 2048]));
        assert_eq!(counts.heat(), [40, 3, 1, 0, 0, 1]);
        assert_eq!(Counts::exact(&durations(&[0, 1])).heat(), [0, 2]);
        assert!(Counts::default().heat().is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(values in prop::collection::vec(0..4_000_000_000u32, 0..200)) {
            let all = durations(&values);
            prop_assert_eq!(Counts::exact(&all).durations(), all);
        }

        #[test]
        fn percentiles_are_those_of_the_durations(
            values in prop::collection::vec(0..4_000_000_000u32, 0..200),
        ) {
            const SHARES: [f64; 5] = [0.01, 0.5, 0.9, 0.99, 0.999];
            let all = durations(&values);
            let counts = Counts::exact(&all);
            prop_assert_eq!(counts.percentiles(SHARES), all.percentiles(SHARES));
            prop_assert_eq!((counts.count(), counts.avg(), counts.max()), (all.count(), all.avg(), all.max()));
        }

        #[test]
        fn merging_is_counting_together(
            a in prop::collection::vec(0..100_000u32, 0..100),
            b in prop::collection::vec(0..100_000u32, 0..100),
        ) {
            for of in [Counts::exact, Counts::coarse] {
                let mut merged = of(&durations(&a));
                merged.merge(&of(&durations(&b)));
                prop_assert_eq!(merged, of(&durations(&[&a[..], &b].concat())));
            }
        }

        #[test]
        fn coarse_is_within_a_percent(values in prop::collection::vec(1..4_000_000_000u32, 1..100)) {
            let all = durations(&values);
            let coarse = Counts::coarse(&all);
            prop_assert_eq!(coarse.count(), all.count());
            const SHARES: [f64; 3] = [0.1, 0.5, 0.9];
            for (is, was) in coarse.percentiles(SHARES).into_iter().zip(all.percentiles(SHARES)) {
                let (is, was) = (is.as_secs_f64(), was.as_secs_f64());
                prop_assert!((is - was).abs() <= was * 0.01 + 1e-6, "{} {}", is, was);
            }
        }
    }
}
