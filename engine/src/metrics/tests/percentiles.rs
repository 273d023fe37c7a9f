//! Percentiles are those of what was recorded, whatever its distribution, however many
//! threads counted it, and also after it was written and read.

use super::*;
use crate::metrics::Exact;

/// Shares that are asked for, in ascending order.
const SHARES: [f64; 9] = [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// Nanoseconds as services take them: spread evenly, or over magnitudes, or nearly the
/// same, with a slow tail, or in steps such as time-outs and pauses make.
fn response_times() -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![
        (0..2_000_000_000_u64).boxed(),
        (0.0..12.0_f64)
            .prop_map(|tens| 10_f64.powf(tens) as u64)
            .boxed(),
        (5_000_000..5_050_000_u64).boxed(),
        prop::sample::select(vec![0, 499, 500, 2_047_499, 2_048_000, 1_000_000_000]).boxed(),
    ];
    let many = |one: BoxedStrategy<u64>| prop::collection::vec(one, 1..1500);
    prop_oneof![
        many(one.clone().boxed()),
        many((5_000_000..5_050_000_u64).boxed()),
        // One in fifty takes a thousand times as long.
        many(
            (1_000_000..3_000_000_u64, 0..50_u8)
                .prop_map(|(ns, n)| if n == 0 { ns * 1000 } else { ns })
                .boxed()
        ),
    ]
}

/// The smallest that at least this share of all do not exceed.
fn exact(sorted: &[u64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.max(1) - 1] as f64
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn they_are_the_order_statistics_of_what_was_recorded(
        mut nanos in response_times(), threads in 1..4_usize
    ) {
        let metrics = Metrics::default();
        let parts = nanos.chunks(nanos.len().div_ceil(threads));
        std::thread::scope(|scope| {
            for part in parts {
                let metrics = &metrics;
                scope.spawn(move || {
                    for ns in part {
                        let timings = Timings {
                            total: Duration::from_nanos(*ns),
                            ..Timings::default()
                        };
                        metrics.record(&Sample { timings, ..sample("GET", "/", 0) });
                    }
                });
            }
        });
        nanos.sort_unstable();
        let time = metrics.snapshot().total.time;
        let ms = |span: Duration| span.as_nanos() as f64 / 1e6;
        let beside = Exact {
            count: time.count(),
            sum: time.sum_seconds() * 1e3,
            min: ms(time.min()),
            max: ms(time.max()),
        };
        let read = Durations::decode(&time.encode(), &beside).unwrap();
        for time in [&time, &read] {
            prop_assert_eq!(time.count(), nanos.len() as u64);
            for (share, got) in SHARES.into_iter().zip(time.percentiles(SHARES)) {
                let (exact, got) = (exact(&nanos, share), got.as_nanos() as f64);
                prop_assert!(
                    (got - exact).abs() <= exact * 0.001 + 1000.0,
                    "{share} is {got} ns, but exactly {exact} ns"
                );
            }
        }
    }
}
