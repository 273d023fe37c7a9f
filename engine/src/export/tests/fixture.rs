//! Measurements of every kind, and the series that the text format makes of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::prometheus::TextEncoder;
use parking_lot::Mutex;

use crate::export::exposure::{Exposer, Exposure};
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::output::prometheus::{Observer, Sources};
use crate::sample::{Failure, Sample, Sink, Timings};
use crate::secrets::Secrets;
use crate::steering::steering;

/// Counts a request, which is a failure from 400 on.
pub(in crate::export) fn request(
    metrics: &Metrics,
    name: &str,
    tags: &str,
    status: u16,
    micros: u64,
) {
    let took = Duration::from_micros(micros);
    metrics.record(&Sample {
        method: "GET",
        name,
        tags,
        status,
        failure: (status >= 400).then_some(Failure {
            kind: "status",
            message: "it \"failed\"\\\n",
        }),
        timings: Timings {
            total: took,
            first_byte: took,
            ..Timings::default()
        },
        sent: 10,
        received: micros,
        late: (status == 201).then_some(took),
    });
}

/// Something of every kind.
pub(in crate::export) fn measured() -> Arc<Metrics> {
    let metrics = Arc::new(Metrics::default());
    for n in 0..500 {
        request(&metrics, "/", "", 200, n * n);
        request(
            &metrics,
            "/cart",
            "region=eu",
            if n % 9 == 0 { 503 } else { 201 },
            n,
        );
    }
    metrics.check("c", true);
    metrics.trend("t", 5.0);
    metrics.count("n", 2.5);
    metrics.group("g", Duration::from_millis(5));
    metrics.task_error("Buyer", "pay", "no");
    metrics.lag(Duration::from_micros(50));
    metrics
}

pub(in crate::export) fn sources(metrics: Arc<Metrics>) -> Sources {
    Sources {
        metrics,
        gauges: UserGauges::new(["Buyer"]),
        buckets: Vec::new(),
        thresholds: Arc::new(Mutex::new(Vec::new())),
        secrets: Secrets::default(),
    }
}

fn labels(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// What is pushed of these measurements.
pub(in crate::export) fn exposure(metrics: &Arc<Metrics>, own: &[(&str, &str)]) -> Exposure {
    let (helm, _wheel) = steering();
    let observer = Observer::new(sources(metrics.clone()));
    Exposer::new(observer, helm, &labels(own)).expose()
}

/// The series of the text format: name, labels with a value, value.
pub(in crate::export) fn text(
    exposure: &Exposure,
) -> Vec<(String, BTreeMap<String, String>, String)> {
    let text = TextEncoder::new()
        .encode_to_string(&exposure.families)
        .unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, mut rest) = series.split_once('{').unwrap_or((series, "}"));
            let mut labels = BTreeMap::new();
            while let Some((label, after)) = rest.split_once("=\"") {
                let mut value = String::new();
                let mut chars = after.char_indices();
                let end = loop {
                    match chars.next().unwrap() {
                        (end, '"') => break end,
                        (_, '\\') => value.push(match chars.next().unwrap().1 {
                            'n' => '\n',
                            other => other,
                        }),
                        (_, other) => value.push(other),
                    }
                };
                labels.insert(label.trim_start_matches(',').to_owned(), value);
                rest = &after[end + 1..];
            }
            labels.retain(|_, value| !value.is_empty());
            (name.to_owned(), labels, value.to_owned())
        })
        .collect()
}
