//! What all distributions do with their histograms, which have three significant digits.

use hdrhistogram::Histogram;

/// Starts at 16 KiB for values below 2048, and grows by 8 KiB each time the largest value
/// doubles.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are within what the histogram offers")
}

/// Counts a value. The histogram grows with the value, up to any `u64`, so that there is
/// nothing to fail.
pub(super) fn record(histogram: &mut Histogram<u64>, value: u64) {
    let result = histogram.record(value);
    debug_assert!(result.is_ok(), "{result:?}");
}

/// Adds the counts of `other`, which was made by [`histogram`] as well and so grows
/// whatever it has to hold.
pub(super) fn add(histogram: &mut Histogram<u64>, other: &Histogram<u64>) {
    let result = histogram.add(other);
    debug_assert!(result.is_ok(), "{result:?}");
}

/// The middle of the histogram bucket that holds the `q`-th of the recorded values.
pub(super) fn quantile(histogram: &Histogram<u64>, q: f64) -> u64 {
    histogram.median_equivalent(histogram.value_at_quantile(q.clamp(0.0, 1.0)))
}

/// The same for several shares, which must ascend, looking at each bucket once.
pub(super) fn quantiles<const N: usize>(histogram: &Histogram<u64>, shares: [f64; N]) -> [u64; N] {
    debug_assert!(shares.is_sorted(), "{shares:?}");
    let mut values = histogram.value_at_quantiles(shares.map(|q| q.clamp(0.0, 1.0)));
    [(); N].map(|()| histogram.median_equivalent(values.next().unwrap_or_default()))
}

/// How many recorded values do not exceed each bound, which must ascend.
pub(super) fn cumulative(
    histogram: &Histogram<u64>,
    bounds: impl Iterator<Item = f64>,
) -> Vec<u64> {
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
