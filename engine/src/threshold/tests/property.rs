//! What holds for thresholds, texts and distributions of all kinds.

use super::*;
use proptest::prelude::*;

/// Texts without control characters.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", r#"[^\p{Cc}]{1,20}"#, r#"["'\\{},:= ]{1,6}"#]
}

fn name() -> impl Strategy<Value = (String, Metric)> {
    let known = prop::sample::select(metric::METRICS.to_vec());
    let known = known.prop_map(|(name, _)| name.to_owned());
    prop_oneof![known, text()]
        .prop_filter("is refused", |name| {
            metric::NOT_OFFERED.iter().all(|(other, _)| other != name)
        })
        .prop_map(|name| {
            let metric = Metric::of(&name);
            (name, metric)
        })
}

fn selectors(metric: Metric) -> BoxedStrategy<Selectors> {
    let request = |status: BoxedStrategy<Option<u16>>| {
        let keys = prop::sample::subsequence(vec!["name", "method", "group", "x_1"], 0..=4);
        let texts = keys.prop_flat_map(|keys| {
            let pairs = keys.into_iter().map(|key| (Just(key.to_owned()), text()));
            pairs.collect::<Vec<_>>()
        });
        (texts, status)
            .prop_map(|(texts, status)| Selectors { texts, status })
            .boxed()
    };
    match metric.keys() {
        metric::Keys::None => Just(Selectors::default()).boxed(),
        metric::Keys::Only(key) => prop::option::of(text())
            .prop_map(|value| Selectors {
                texts: value.map(|v| (key.to_owned(), v)).into_iter().collect(),
                status: None,
            })
            .boxed(),
        metric::Keys::Request => request(Just(None).boxed()),
        metric::Keys::RequestAndStatus => request(any::<Option<u16>>().boxed()),
    }
}

fn bound(unit: Unit) -> BoxedStrategy<f64> {
    match unit {
        Unit::Nanoseconds => {
            prop_oneof![0..=864_000_000_000_000u64, 0..5_000_000_000u64, 0..2_000u64]
                .prop_map(|ns| ns as f64)
                .boxed()
        }
        Unit::Share => (0.0..=1.0).boxed(),
        Unit::Signed => any::<f64>()
            .prop_filter("finite", |v| v.is_finite())
            .boxed(),
        _ => any::<f64>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(f64::abs)
            .boxed(),
    }
}

fn any_threshold() -> impl Strategy<Value = Threshold> {
    let aggregation = prop_oneof![
        Just(Aggregation::Avg),
        Just(Aggregation::Min),
        Just(Aggregation::Max),
        Just(Aggregation::Median),
        (0.0..=100.0).prop_map(Aggregation::Percentile),
        Just(Aggregation::Count),
        Just(Aggregation::Rate),
        Just(Aggregation::Value),
    ];
    let comparison = prop::sample::select(Comparison::SIGNS.to_vec());
    (name(), aggregation, comparison)
        .prop_filter("is not offered", |((_, metric), aggregation, _)| {
            metric.has(*aggregation)
        })
        .prop_flat_map(|((name, metric), aggregation, (_, comparison))| {
            let unit = metric.unit(aggregation);
            (selectors(metric), bound(unit)).prop_map(move |(selectors, bound)| Threshold {
                name: name.clone(),
                metric,
                selectors,
                aggregation,
                comparison,
                bound,
                abort_after: None,
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn what_is_written_reads_the_same(threshold in any_threshold()) {
        let text = threshold.to_string();
        prop_assume!(text.len() < 950);
        prop_assert_eq!(text.parse::<Threshold>(), Ok(threshold.clone()));
        let aborting = Threshold { abort_after: Some(ms(1500)), ..threshold };
        let text = format!("{text} abort after 1500ms");
        prop_assert_eq!(text.parse::<Threshold>(), Ok(aborting));
    }

    #[test]
    fn no_text_is_too_strange_to_be_answered(
        text in r#"([a-z_]{1,9}|http_req_duration|failures|p\(|[{}:="'\\<>!%.,() -]|[0-9]{1,3}|abort|after|ms|\PC|\p{Cc}){0,12}"#
    ) {
        if let Err(error) = text.parse::<Threshold>() {
            let message = error.to_string();
            prop_assert!(message.contains("; for example "));
            prop_assert!(!message.contains(char::is_control), "{message:?}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_distribution(
        times in prop::collection::vec(1..100_000u64, 1..100), percent in 0.0..=100.0f64
    ) {
        let (metrics, mut all) = (Metrics::default(), crate::metrics::Durations::default());
        for (n, took) in times.iter().enumerate() {
            // Over two rows, so that they are merged.
            metrics.record(&sample("x", ["", "a=b"][n % 2], *took));
            all.record(ms(*took));
        }
        let snapshot = metrics.snapshot();
        let expected = all.percentile(percent / 100.0).as_nanos();
        for selectors in ["", "{name=x}"] {
            let text = format!("http_req_duration{selectors}: p({percent})=={expected}ns");
            prop_assert!(judged(&text, &snapshot).0, "{text}");
        }
    }
}
