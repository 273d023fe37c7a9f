//! The measurements as OpenTelemetry's OTLP wants them, cumulative. Response times are
//! exponential histograms and nothing else: a stream of one name has one type there. Knows
//! nothing of HTTP.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};
use prost::Message;

use super::exposure::Exposure;
use crate::metrics::Exponential;
use crate::output::prometheus::Distributions;

/// How large a request may grow, in bytes.
const MAX_REQUEST: usize = 1 << 20;

/// What data points of cumulative streams count from, and when they were taken.
#[derive(Clone, Copy)]
struct Times {
    since: u64,
    at: u64,
}

/// The bodies of the requests that tell all of it.
pub(super) fn encode(exposure: &Exposure) -> Vec<Vec<u8>> {
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let times = Times {
        since: nanos(exposure.since),
        at: nanos(exposure.at),
    };
    let finer = |family: &MetricFamily| {
        let mut finer = exposure.response_times.iter();
        finer.any(|distributions| distributions.name == family.name())
    };
    let families = exposure.families.iter().filter(|family| !finer(family));
    let metrics = families
        .flat_map(|family| {
            let points = family.get_metric().iter();
            points.map(move |one| metric(family.name(), family.help(), data(family, one, times)))
        })
        .chain(exposure.response_times.iter().flat_map(|distributions| {
            let Distributions { name, help, series } = distributions;
            let points = series.iter().map(move |one| exponential(one, times));
            points.map(|data| metric(name, help, Some(data)))
        }));
    requests(metrics, &resource(exposure))
}

/// What a collector has to say about what it took; nothing if it took everything and is
/// content.
pub(super) fn remark(answer: &[u8]) -> Option<String> {
    let response = ExportMetricsServiceResponse::decode(answer).ok()?;
    let partial = response.partial_success?;
    match (partial.rejected_data_points, partial.error_message) {
        (0, words) if words.is_empty() => None,
        (0, words) => Some(words),
        (rejected, words) => Some(format!("{rejected} data points were rejected: {words}")),
    }
}

/// Packs metrics of one data point each into requests, those of a name together.
fn requests(metrics: impl Iterator<Item = Metric>, resource: &Resource) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let (mut packed, mut size) = (Vec::<Metric>::new(), 0);
    for mut metric in metrics {
        let more = metric.encoded_len();
        if size + more > MAX_REQUEST {
            bodies.push(request(std::mem::take(&mut packed), resource));
            size = 0;
        }
        size += more;
        let joined = packed
            .last_mut()
            .is_some_and(|last| last.name == metric.name && join(&mut last.data, &mut metric.data));
        if !joined {
            packed.push(metric);
        }
    }
    if !packed.is_empty() {
        bodies.push(request(packed, resource));
    }
    bodies
}

/// Moves data points over. Whether they were of the same type.
fn join(to: &mut Option<Data>, from: &mut Option<Data>) -> bool {
    match (to, from) {
        (Some(Data::Gauge(to)), Some(Data::Gauge(from))) => {
            to.data_points.append(&mut from.data_points);
        }
        (Some(Data::Sum(to)), Some(Data::Sum(from))) => {
            to.data_points.append(&mut from.data_points);
        }
        (Some(Data::Histogram(to)), Some(Data::Histogram(from))) => {
            to.data_points.append(&mut from.data_points);
        }
        (Some(Data::ExponentialHistogram(to)), Some(Data::ExponentialHistogram(from))) => {
            to.data_points.append(&mut from.data_points);
        }
        (Some(Data::Summary(to)), Some(Data::Summary(from))) => {
            to.data_points.append(&mut from.data_points);
        }
        _ => return false,
    }
    true
}

fn request(metrics: Vec<Metric>, resource: &Resource) -> Vec<u8> {
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let all = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.clone()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics,
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    };
    all.encode_to_vec()
}

/// Who measures. From the service's name and instance Prometheus makes `job` and `instance`,
/// so that series are called alike however they come.
fn resource(exposure: &Exposure) -> Resource {
    let mut all = BTreeMap::from([
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("host.name", &exposure.machine),
    ]);
    all.extend(exposure.labels.iter().map(|(name, value)| {
        let name = match &**name {
            "job" => "service.name",
            "instance" => "service.instance.id",
            name => name,
        };
        (name, &**value)
    }));
    Resource {
        attributes: all.into_iter().map(attribute).collect(),
        ..Resource::default()
    }
}

fn attribute((name, value): (&str, &str)) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    let pairs = labels.iter().map(|pair| (pair.name(), pair.value()));
    pairs.map(attribute).collect()
}

fn metric(name: &str, help: &str, data: Option<Data>) -> Metric {
    let base = name.trim_end_matches("_total");
    let unit = match base.rsplit('_').next() {
        Some("seconds") => "s",
        Some("bytes") => "By",
        _ => "",
    };
    Metric {
        name: name.to_owned(),
        description: help.to_owned(),
        unit: unit.to_owned(),
        data,
        ..Metric::default()
    }
}

/// One data point of a family.
fn data(family: &MetricFamily, one: &proto::Metric, times: Times) -> Option<Data> {
    let attributes = attributes(one.get_label());
    let number = |value: f64| NumberDataPoint {
        attributes: attributes.clone(),
        time_unix_nano: times.at,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    };
    let cumulative = AggregationTemporality::Cumulative.into();
    match family.get_field_type() {
        MetricType::COUNTER => Some(Data::Sum(Sum {
            data_points: vec![NumberDataPoint {
                start_time_unix_nano: times.since,
                ..number(one.get_counter().get_value())
            }],
            aggregation_temporality: cumulative,
            is_monotonic: true,
        })),
        MetricType::GAUGE => Some(Data::Gauge(Gauge {
            data_points: vec![number(one.get_gauge().get_value())],
        })),
        MetricType::HISTOGRAM => Some(Data::Histogram(Histogram {
            data_points: vec![histogram(attributes, one.get_histogram(), times)],
            aggregation_temporality: cumulative,
        })),
        MetricType::SUMMARY => Some(Data::Summary(Summary {
            data_points: vec![summary(attributes, one.get_summary(), times)],
        })),
        // There are none.
        MetricType::UNTYPED => None,
    }
}

fn histogram(
    attributes: Vec<KeyValue>,
    histogram: &proto::Histogram,
    times: Times,
) -> HistogramDataPoint {
    let count = histogram.get_sample_count();
    let cumulative = histogram.get_bucket().iter().map(|b| b.cumulative_count());
    let mut below = 0;
    let each = |cumulative: u64| cumulative - std::mem::replace(&mut below, cumulative);
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: times.since,
        time_unix_nano: times.at,
        count,
        sum: Some(histogram.get_sample_sum()),
        bucket_counts: cumulative.chain([count]).map(each).collect(),
        explicit_bounds: histogram
            .get_bucket()
            .iter()
            .map(|b| b.upper_bound())
            .collect(),
        ..HistogramDataPoint::default()
    }
}

fn summary(attributes: Vec<KeyValue>, summary: &proto::Summary, times: Times) -> SummaryDataPoint {
    let value = |one: &proto::Quantile| ValueAtQuantile {
        quantile: one.quantile(),
        value: one.value(),
    };
    SummaryDataPoint {
        attributes,
        start_time_unix_nano: times.since,
        time_unix_nano: times.at,
        count: summary.sample_count(),
        sum: summary.sample_sum(),
        quantile_values: summary.get_quantile().iter().map(value).collect(),
        ..SummaryDataPoint::default()
    }
}

fn exponential((labels, all): &(Vec<(String, String)>, Exponential), times: Times) -> Data {
    let labels = labels.iter().map(|(name, value)| (&**name, &**value));
    let buckets = Buckets {
        // Indices are those of the lower bounds here.
        offset: all.first - 1,
        bucket_counts: all.buckets.clone(),
    };
    Data::ExponentialHistogram(ExponentialHistogram {
        data_points: vec![ExponentialHistogramDataPoint {
            attributes: labels.map(attribute).collect(),
            start_time_unix_nano: times.since,
            time_unix_nano: times.at,
            count: all.count,
            sum: Some(all.sum),
            scale: Exponential::SCALE,
            zero_count: all.zero,
            zero_threshold: Exponential::ZERO_THRESHOLD,
            positive: Some(buckets),
            ..ExponentialHistogramDataPoint::default()
        }],
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
    })
}

#[cfg(test)]
mod tests;
