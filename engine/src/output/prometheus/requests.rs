//! The families of the requests, and how their tags become labels.

use super::Distributions;
use super::series::{counter, family, size_histogram, time_histogram, time_summary};
use crate::metrics::{Durations, Exponential, RequestKey, RequestStats, Snapshot};
use crate::sample::split_tags;
use ::prometheus::proto::{MetricFamily, MetricType};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Labels that the families have of their own, or that Prometheus adds.
const TAKEN: [&str; 8] = [
    "method",
    "endpoint",
    "status_code",
    "assertion_result",
    "le",
    "quantile",
    "job",
    "instance",
];

/// Names and texts of the families of response times.
const TIME: [&str; 2] = ["aiotest_http_request_duration_seconds", "Response times."];
const FROM_PLAN: [&str; 2] = [
    "aiotest_http_request_duration_from_planned_start_seconds",
    "Response times and how much later than planned their iterations began.",
];

/// Requests, response times and sizes. `bounds` ascend and are in seconds.
pub(super) fn families(snapshot: &Snapshot, bounds: &[f64]) -> [MetricFamily; 5] {
    let mut requests = Vec::new();
    let mut durations = Vec::new();
    let mut from_plan = Vec::new();
    let mut sizes = Vec::new();
    let mut sent = Vec::new();
    for (row, stats) in &rows(snapshot) {
        let labels = row.labels();
        for outcome in stats.statuses.iter() {
            let status = outcome.status.to_string();
            for (result, count) in [("pass", outcome.passed), ("fail", outcome.failed)] {
                if count > 0 {
                    let (endpoint, tags) = labels.split_at(2);
                    let verdict = [("status_code", &*status), ("assertion_result", result)];
                    requests.push(counter(&[endpoint, &verdict, tags].concat(), count as f64));
                }
            }
        }
        durations.push(time_histogram(&labels, &stats.time, bounds));
        from_plan.extend(
            stats
                .intended()
                .map(|time| time_histogram(&labels, time, bounds)),
        );
        sizes.push(size_histogram(&labels, &stats.sizes));
        sent.push(counter(&labels, stats.sent as f64));
    }
    [
        family(
            "aiotest_http_requests_total",
            "Requests by status and verdict.",
            MetricType::COUNTER,
            requests,
        ),
        family(TIME[0], TIME[1], MetricType::HISTOGRAM, durations),
        family(FROM_PLAN[0], FROM_PLAN[1], MetricType::HISTOGRAM, from_plan),
        family(
            "aiotest_http_response_size_bytes",
            "Sizes of the response bodies on the wire.",
            MetricType::HISTOGRAM,
            sizes,
        ),
        family(
            "aiotest_http_sent_bytes_total",
            "Bytes of the request bodies.",
            MetricType::COUNTER,
            sent,
        ),
    ]
}

/// The response times of [`families`] in fine buckets.
pub(super) fn distributions(snapshot: &Snapshot) -> [Distributions; 2] {
    let rows = rows(snapshot);
    let all = |[name, help]: [&'static str; 2], of: fn(&RequestStats) -> Option<&Durations>| {
        let series = rows.iter().filter_map(|(row, stats)| {
            let labels = row.labels().into_iter();
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Some((labels.collect(), Exponential::of(of(stats)?)))
        });
        Distributions {
            name,
            help,
            series: series.collect(),
        }
    };
    [
        all(TIME, |stats| Some(&stats.time)),
        all(FROM_PLAN, RequestStats::intended),
    ]
}

/// Where the time of all requests went.
pub(super) fn phases(snapshot: &Snapshot) -> MetricFamily {
    let phases = snapshot.phases.iter();
    let phases = phases.filter(|(_, took)| took.count() > 0);
    family(
        "aiotest_http_phase_duration_seconds",
        "How long the parts of the exchanges took, where they happened.",
        MetricType::SUMMARY,
        phases
            .map(|(phase, took)| time_summary(&[("phase", phase)], took))
            .collect(),
    )
}

/// What tells the requests of one series from all others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row<'a> {
    name: &'a str,
    method: &'a str,
    /// As labels, in the order of their names.
    tags: BTreeMap<String, &'a str>,
}

impl<'a> Row<'a> {
    fn new(key: &'a RequestKey) -> Self {
        let mut tags = BTreeMap::new();
        for (name, value) in split_tags(&key.tags) {
            // To Prometheus, a label without a value is no label.
            if !value.is_empty() {
                tags.insert(free_name(name, &tags), value);
            }
        }
        Self {
            name: &key.name,
            method: &key.method,
            tags,
        }
    }

    /// The two of all requests first.
    fn labels(&self) -> Vec<(&str, &str)> {
        let mut labels = vec![("method", self.method), ("endpoint", self.name)];
        labels.extend(self.tags.iter().map(|(name, value)| (&**name, *value)));
        labels
    }
}

/// Keys whose labels are the same are one series: two series of the same labels would be
/// an error to Prometheus.
fn rows(snapshot: &Snapshot) -> BTreeMap<Row<'_>, Cow<'_, RequestStats>> {
    let mut rows = BTreeMap::<_, Cow<'_, RequestStats>>::new();
    for (key, stats) in &snapshot.requests {
        rows.entry(Row::new(key))
            .and_modify(|others| others.to_mut().merge(stats))
            .or_insert(Cow::Borrowed(stats));
    }
    rows
}

/// A valid name of a label that is neither taken nor among the others.
fn free_name(tag: &str, others: &BTreeMap<String, &str>) -> String {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut name = tag.replace(|c| !valid(c), "_");
    // A name does not begin with a digit, and two underscores are Prometheus' own.
    let ordinary = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !name.starts_with("__")
    };
    while !ordinary(&name) || TAKEN.contains(&&*name) || others.contains_key(&name) {
        name.insert_str(0, "tag_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::sample::{Sample, Sink, Timings};
    use proptest::prelude::*;
    use std::time::Duration;

    fn requests_tagged<'a>(all: impl IntoIterator<Item = &'a str>) -> Snapshot {
        let metrics = Metrics::default();
        for tags in all {
            metrics.record(&Sample {
                method: "GET",
                name: "/",
                tags,
                status: 200,
                failure: None,
                timings: Timings::default(),
                sent: 0,
                received: 0,
                late: Some(Duration::ZERO),
            });
        }
        metrics.snapshot()
    }

    fn labels(tags: &str) -> Vec<(String, String)> {
        let snapshot = requests_tagged([tags]);
        let rows = rows(&snapshot);
        let labels = rows.keys().flat_map(|row| row.labels().split_off(2));
        labels.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn tags_become_labels_that_prometheus_takes() {
        let cases = [
            ("region=eu", "region"),
            ("le=1", "tag_le"),
            ("method=x", "tag_method"),
            ("a-b=1", "a_b"),
            ("käse=1", "k_se"),
            ("1st=1", "tag_1st"),
            ("=1", "tag_"),
            ("__name__=1", "tag___name__"),
            ("_own=1", "_own"),
        ];
        for (tags, name) in cases {
            let labels = labels(tags);
            let names: Vec<_> = labels.iter().map(|(name, _)| name).collect();
            assert_eq!(names, [name], "{tags}");
        }
        let two = labels("a-b=1,a_b=2,method=3,tag_method=4");
        let two: Vec<_> = two.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(
            two,
            [
                ("a_b", "1"),
                ("tag_a_b", "2"),
                ("tag_method", "3"),
                ("tag_tag_method", "4")
            ]
        );
    }

    #[test]
    fn rows_that_prometheus_cannot_tell_apart_count_together() {
        let snapshot = requests_tagged(["", "region=", "a-b=1", "a_b=1", "a_b=2"]);
        let rows = rows(&snapshot);
        let counts: Vec<_> = rows.values().map(|stats| stats.count()).collect();
        assert_eq!(counts, [2, 2, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn whatever_the_tags_labels_are_valid_and_unique(
            tags in prop::collection::vec("[a-c_1é:-]{0,3}=[x,]{0,2}", 0..8)
        ) {
            let tags = tags.join(",");
            let labels = labels(&tags);
            for (name, _) in &labels {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                prop_assert!(name.chars().all(word), "{name}");
                prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
                prop_assert!(!TAKEN.contains(&&**name), "{name}");
            }
            let mut values: Vec<_> = split_tags(&tags).map(|(_, value)| value).collect();
            values.retain(|value| !value.is_empty());
            prop_assert_eq!(labels.len(), values.len());
        }
    }
}
