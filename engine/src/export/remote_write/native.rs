//! Native histograms: only the buckets that hold something, in spans, each as the difference
//! to the one before.

use super::message::{BucketSpan, Histogram};
use crate::metrics::Exponential;

/// These durations at this time, which is in milliseconds.
pub(super) fn histogram(times: &Exponential, timestamp: i64) -> Histogram {
    let (positive_spans, positive_deltas) = spans(times.first, &times.buckets);
    Histogram {
        count: Some(times.count),
        sum: times.sum,
        schema: Exponential::SCALE,
        zero_threshold: Exponential::ZERO_THRESHOLD,
        zero_count: Some(times.zero),
        positive_spans,
        positive_deltas,
        timestamp,
    }
}

/// A number at the place of a histogram: the protocol looks for it in the sum.
pub(super) fn marked(mark: f64, timestamp: i64) -> Histogram {
    Histogram {
        count: Some(0),
        sum: mark,
        zero_count: Some(0),
        timestamp,
        ..Histogram::default()
    }
}

fn spans(first: i32, buckets: &[u64]) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas) = (Vec::<BucketSpan>::new(), Vec::new());
    let (mut gap, mut before) = (first, 0);
    for count in buckets {
        if *count == 0 {
            gap += 1;
            continue;
        }
        match spans.last_mut() {
            Some(span) if gap == 0 => span.length += 1,
            _ => spans.push(BucketSpan {
                offset: std::mem::take(&mut gap),
                length: 1,
            }),
        }
        // Counts have less than 63 bits.
        let count = *count as i64;
        deltas.push(count - before);
        before = count;
    }
    (spans, deltas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader makes of it: buckets by index.
    fn decoded(histogram: &Histogram) -> Vec<(i32, u64)> {
        let mut deltas = histogram.positive_deltas.iter();
        let (mut index, mut count) = (0, 0);
        let mut all = Vec::new();
        for span in &histogram.positive_spans {
            index += span.offset;
            for _ in 0..span.length {
                count += deltas.next().unwrap();
                all.push((index, u64::try_from(count).unwrap()));
                index += 1;
            }
        }
        assert_eq!(deltas.next(), None);
        all
    }

    #[test]
    fn spans_begin_where_gaps_end() {
        let (spans, deltas) = spans(-3, &[5, 7, 0, 0, 2, 2]);
        let spans: Vec<_> = spans
            .iter()
            .map(|span| (span.offset, span.length))
            .collect();
        assert_eq!(spans, [(-3, 2), (2, 2)]);
        assert_eq!(deltas, [5, 2, -5, 0]);
    }

    #[test]
    fn the_first_span_may_begin_at_zero() {
        let (spans, deltas) = spans(0, &[1, 1]);
        assert_eq!((spans.len(), spans[0].offset, spans[0].length), (1, 0, 2));
        assert_eq!(deltas, [1, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

        #[test]
        fn decoding_gives_the_buckets_back(
            first in -200..200i32,
            buckets in prop::collection::vec(prop_oneof![Just(0u64), 0..1_000_000u64], 0..40)
        ) {
            let times = Exponential { first, buckets, ..Exponential::default() };
            let expected: Vec<_> = (first..)
                .zip(times.buckets.iter().copied())
                .filter(|(_, count)| *count > 0)
                .collect();
            let histogram = histogram(&times, 0);
            prop_assert_eq!(decoded(&histogram), expected);
            // Spans do not touch: otherwise they would be one.
            prop_assert!(histogram.positive_spans.iter().skip(1).all(|span| span.offset > 0));
        }
    }
}
