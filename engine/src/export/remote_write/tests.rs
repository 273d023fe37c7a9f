//! What a reader of remote writes makes of them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::export::tests::fixture::{exposure, measured, request, text};
use crate::metrics::{Exponential, Metrics};

type Labels = BTreeMap<String, String>;

/// Reads requests as a receiver does.
fn read(bodies: &[Vec<u8>]) -> Vec<WriteRequest> {
    let read = |body: &Vec<u8>| {
        let plain = snap::raw::Decoder::new().decompress_vec(body).unwrap();
        assert!(plain.len() < MAX_REQUEST + (64 << 10), "{}", plain.len());
        WriteRequest::decode(&*plain).unwrap()
    };
    bodies.iter().map(read).collect()
}

/// All series with their labels, which have to be in order.
fn series(requests: &[WriteRequest]) -> Vec<(Labels, TimeSeries)> {
    let all = requests.iter().flat_map(|request| &request.timeseries);
    all.map(|series| {
        let names: Vec<_> = series.labels.iter().map(|label| &label.name).collect();
        assert!(
            names.is_sorted() && names.contains(&&"__name__".to_owned()),
            "{names:?}"
        );
        let labels = series.labels.iter();
        let labels: Labels = labels.map(|l| (l.name.clone(), l.value.clone())).collect();
        assert_eq!(labels.len(), series.labels.len());
        assert!(labels.values().all(|value| !value.is_empty()), "{labels:?}");
        (labels, series.clone())
    })
    .collect()
}

/// As the text format shows it.
fn line(labels: &Labels, value: f64) -> (String, Labels, String) {
    let mut labels = labels.clone();
    assert_eq!(labels.remove("job").unwrap(), "aiotest-engine");
    assert!(labels.remove("instance").is_some());
    (
        labels.remove("__name__").unwrap(),
        labels,
        value.to_string(),
    )
}

#[test]
fn the_series_are_those_of_the_text_format() {
    let metrics = measured();
    let exposure = exposure(&metrics, &[]);
    let requests = read(&encode(&exposure));
    let at = i64::try_from(exposure.at.as_millis()).unwrap();
    let mut pushed = Vec::new();
    for (labels, series) in series(&requests) {
        if let [sample] = &series.samples[..] {
            assert_eq!(sample.timestamp, at);
            pushed.push(line(&labels, sample.value));
        }
    }
    let mut pulled = text(&exposure);
    pushed.sort();
    pulled.sort();
    assert_eq!(pushed, pulled);
    let kinds: BTreeMap<_, _> = requests[0]
        .metadata
        .iter()
        .map(|m| (&*m.name, m.kind()))
        .collect();
    assert_eq!(kinds["aiotest_http_requests_total"], Kind::Counter);
    assert_eq!(
        kinds["aiotest_http_request_duration_seconds"],
        Kind::Histogram
    );
    assert_eq!(kinds["aiotest_run_state"], Kind::Gauge);
    assert_eq!(kinds["aiotest_engine_lag_seconds"], Kind::Summary);
}

#[test]
fn response_times_are_native_histograms_too() {
    let metrics = measured();
    let requests = read(&encode(&exposure(&metrics, &[])));
    let all = series(&requests);
    let native: Vec<_> = all
        .iter()
        .filter(|(_, series)| !series.histograms.is_empty())
        .collect();
    let rows = metrics.snapshot().requests;
    let planned = rows
        .values()
        .filter(|stats| stats.intended().is_some())
        .count();
    assert_eq!(native.len(), rows.len() + planned);
    let mut count = 0;
    for (labels, series) in native {
        let histogram = &series.histograms[0];
        assert!(series.samples.is_empty());
        assert_eq!(histogram.schema, Exponential::SCALE);
        let mut in_bucket = 0;
        let in_buckets = histogram.positive_deltas.iter().map(|delta| {
            in_bucket += delta;
            u64::try_from(in_bucket).unwrap()
        });
        let sum = in_buckets.sum::<u64>() + histogram.zero_count.unwrap();
        assert_eq!(Some(sum), histogram.count);
        if labels["__name__"] == "aiotest_http_request_duration_seconds" {
            count += sum;
        }
    }
    assert_eq!(count, metrics.total().count());
}

#[test]
fn labels_are_on_all_series_that_have_none_of_that_name() {
    let metrics = measured();
    let own = [("region", "run"), ("instance", "one"), ("empty", "")];
    let exposure = exposure(&metrics, &own);
    let mut regions = HashSet::new();
    for (labels, _) in series(&read(&encode(&exposure))) {
        assert_eq!(labels["instance"], "one");
        assert!(!labels.contains_key("empty"));
        regions.insert(labels["region"].clone());
    }
    // One request has a tag of that name.
    assert_eq!(regions, ["run", "eu"].map(str::to_owned).into());
}

#[test]
fn many_series_go_in_several_requests() {
    let metrics = Arc::new(Metrics::default());
    for n in 0..900 {
        request(&metrics, &format!("/item/{n}"), "", 200, n);
    }
    let exposure = exposure(&metrics, &[]);
    let requests = read(&encode(&exposure));
    assert!(requests.len() > 3, "{}", requests.len());
    let all = series(&requests);
    let different: HashSet<_> = all.iter().map(|(labels, _)| labels).collect();
    assert_eq!(different.len(), all.len());
    let samples = all.iter().filter(|(_, series)| !series.samples.is_empty());
    assert_eq!(samples.count(), text(&exposure).len());
}

#[test]
fn the_end_marks_every_series() {
    let metrics = measured();
    let exposure = exposure(&metrics, &[]);
    let alive = series(&read(&encode(&exposure)));
    let dead = series(&read(&end(&exposure)));
    let later = i64::try_from((exposure.at + Duration::from_millis(1)).as_millis()).unwrap();
    assert_eq!(alive.len(), dead.len());
    for ((before, _), (after, series)) in alive.iter().zip(&dead) {
        assert_eq!(before, after);
        let samples = series
            .samples
            .iter()
            .map(|sample| (sample.value, sample.timestamp));
        let histograms = series.histograms.iter().map(|one| (one.sum, one.timestamp));
        let marks: Vec<_> = samples.chain(histograms).collect();
        assert_eq!(marks.len(), 1);
        assert_eq!(
            (marks[0].0.to_bits(), marks[0].1),
            (0x7ff0_0000_0000_0002, later)
        );
    }
}
