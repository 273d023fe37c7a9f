//! What a collector makes of the requests.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

use super::*;
use crate::export::tests::fixture::{exposure, measured, request};
use crate::metrics::Metrics;

fn read(bodies: &[Vec<u8>]) -> Vec<ResourceMetrics> {
    let all = bodies.iter().flat_map(|body| {
        assert!(body.len() < MAX_REQUEST + (64 << 10), "{}", body.len());
        ExportMetricsServiceRequest::decode(&**body)
            .unwrap()
            .resource_metrics
    });
    all.collect()
}

fn metrics(all: &[ResourceMetrics]) -> Vec<&Metric> {
    let scopes = all.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics).collect()
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<&str, &str> {
    let pairs = attributes.iter().map(|pair| {
        let value = pair.value.as_ref().and_then(|any| any.value.as_ref());
        match value {
            Some(Value::StringValue(value)) => (&*pair.key, &**value),
            other => panic!("{other:?}"),
        }
    });
    pairs.collect()
}

#[test]
fn the_resource_says_who_measures() {
    let exposure = exposure(&Arc::default(), &[("branch", "main"), ("instance", "one")]);
    let all = read(&encode(&exposure));
    let resource = texts(&all[0].resource.as_ref().unwrap().attributes);
    assert_eq!(
        resource,
        BTreeMap::from([
            ("branch", "main"),
            ("host.name", &*exposure.machine),
            ("service.instance.id", "one"),
            ("service.name", "aiotest-engine"),
            ("service.version", env!("CARGO_PKG_VERSION")),
        ])
    );
    let scope = all[0].scope_metrics[0].scope.as_ref().unwrap();
    assert!(!scope.name.is_empty() && !scope.version.is_empty());
}

#[test]
fn every_family_is_there_once_with_its_type() {
    let measured = measured();
    let exposure = exposure(&measured, &[]);
    let all = read(&encode(&exposure));
    let all = metrics(&all);
    let names: Vec<_> = all.iter().map(|metric| &*metric.name).collect();
    let mut families: Vec<_> = exposure.families.iter().map(MetricFamily::name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    families.sort_unstable();
    assert_eq!(sorted, families);

    let find = |name| all.iter().find(|metric| metric.name == name).unwrap();
    let requests = find("aiotest_http_requests_total");
    let Some(Data::Sum(sum)) = &requests.data else {
        panic!("{requests:?}")
    };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let counted = sum.data_points.iter().map(|point| {
        assert!(point.start_time_unix_nano > 0);
        assert!(point.start_time_unix_nano < point.time_unix_nano);
        assert!(texts(&point.attributes).contains_key("endpoint"));
        match point.value {
            Some(number_data_point::Value::AsDouble(value)) => value,
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(counted.sum::<f64>(), measured.total().count() as f64);
    let sizes = find("aiotest_http_response_size_bytes");
    assert_eq!(sizes.unit, "By");
    let Some(Data::Histogram(sizes)) = &sizes.data else {
        panic!("{sizes:?}")
    };
    for point in &sizes.data_points {
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    }
    let lag = find("aiotest_engine_lag_seconds");
    assert!(matches!(&lag.data, Some(Data::Summary(_))) && lag.unit == "s");
    let state = find("aiotest_run_state");
    assert!(matches!(&state.data, Some(Data::Gauge(_))) && state.unit.is_empty());
}

#[test]
fn response_times_are_exponential_histograms() {
    let measured = Arc::new(Metrics::default());
    for micros in [0, 1_000_000, 1_000_000, 2_000_000] {
        request(&measured, "/", "", 200, micros);
    }
    let all = read(&encode(&exposure(&measured, &[])));
    let all = metrics(&all);
    let time = all
        .iter()
        .find(|m| m.name == "aiotest_http_request_duration_seconds");
    let Some(Data::ExponentialHistogram(histogram)) = &time.unwrap().data else {
        panic!("{time:?}")
    };
    let point = &histogram.data_points[0];
    assert_eq!(histogram.aggregation_temporality, 2);
    assert_eq!((point.count, point.zero_count, point.scale), (4, 1, 3));
    assert_eq!(point.sum, Some(4.0));
    let positive = point.positive.as_ref().unwrap();
    // A second is the upper bound of the bucket that begins at 2^(-1/8).
    assert_eq!(positive.offset, -1);
    assert_eq!(positive.bucket_counts, [2, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn many_points_go_in_several_requests() {
    let measured = Arc::new(Metrics::default());
    for n in 0..900 {
        request(
            &measured,
            &format!("/item/{}/{n}", "x".repeat(150)),
            "",
            200,
            n,
        );
    }
    let bodies = encode(&exposure(&measured, &[]));
    assert!(bodies.len() > 1);
    let all = read(&bodies);
    let mut endpoints = HashSet::new();
    for metric in metrics(&all) {
        if let Some(Data::ExponentialHistogram(histogram)) = &metric.data {
            for point in &histogram.data_points {
                assert!(endpoints.insert(texts(&point.attributes)["endpoint"]));
            }
        }
    }
    assert_eq!(endpoints.len(), 900);
}

#[test]
fn only_what_was_not_taken_is_worth_a_remark() {
    let remark = |rejected_data_points, error_message: &str| {
        let partial_success = Some(ExportMetricsPartialSuccess {
            rejected_data_points,
            error_message: error_message.to_owned(),
        });
        super::remark(&ExportMetricsServiceResponse { partial_success }.encode_to_vec())
    };
    assert_eq!(super::remark(b""), None);
    assert_eq!(super::remark(b"\xff no protobuf"), None);
    assert_eq!(remark(0, ""), None);
    assert_eq!(remark(0, "old version").unwrap(), "old version");
    assert_eq!(
        remark(3, "too old").unwrap(),
        "3 data points were rejected: too old"
    );
}
