//! Both kinds of distributions, beside exact order statistics.

use super::*;
use crate::metrics::Values;
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
    fn percentiles_together_are_those_one_by_one(
        nanos in prop::collection::vec(0..200_000_000_000u64, 0..400)
    ) {
        let times = durations(&nanos);
        prop_assert_eq!(times.percentiles(QUANTILES), QUANTILES.map(|q| times.percentile(q)));
        let numbers: Vec<f64> = nanos.iter().map(|ns| *ns as f64 / 1e5).collect();
        let numbers = values(&numbers);
        prop_assert_eq!(numbers.percentiles(QUANTILES), QUANTILES.map(|q| numbers.percentile(q)));
    }

    #[test]
    fn what_is_encoded_comes_back(nanos in prop::collection::vec(0..4_000_000_000_000u64, 0..200)) {
        let times = durations(&nanos);
        let exact = Exact {
            count: times.count(),
            sum: times.sum_seconds() * 1e3,
            min: times.min().as_nanos() as f64 / 1e6,
            max: times.max().as_nanos() as f64 / 1e6,
        };
        prop_assert_eq!(&Durations::decode(&times.encode(), &exact).unwrap(), &times);
        let more = Exact { count: exact.count + 1, ..exact };
        prop_assert!(Durations::decode(&times.encode(), &more).is_err());

        let numbers: Vec<f64> = nanos.iter().map(|ns| *ns as f64 / 1e5).collect();
        let numbers = values(&numbers);
        let exact = Exact {
            count: numbers.count(),
            sum: numbers.sum(),
            min: numbers.min(),
            max: numbers.max(),
        };
        prop_assert_eq!(Values::decode(&numbers.encode(), &exact).unwrap(), numbers);
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
fn what_contradicts_itself_is_not_read() {
    let one = durations(&[5_000_000]).encode();
    let exact = Exact {
        count: 1,
        sum: 5.0,
        min: 5.0,
        max: 5.0,
    };
    assert!(Durations::decode(&one, &exact).is_ok());
    for wrong in [
        Exact { min: 6.0, ..exact },
        Exact { min: -1.0, ..exact },
        Exact { sum: 4.0, ..exact },
        Exact {
            sum: f64::NAN,
            ..exact
        },
        Exact {
            max: f64::INFINITY,
            sum: f64::INFINITY,
            ..exact
        },
    ] {
        let read = Durations::decode(&one, &wrong);
        assert_eq!(read, Err(InvalidHistogram::Contradiction), "{wrong:?}");
    }
}

#[test]
fn since_something_else_counts_everything_as_new() {
    let all = durations(&[1_000_000, 2_000_000]);
    assert_eq!(all.since(&durations(&[9_000_000])), all);
}
