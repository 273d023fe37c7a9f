//! Series and families as the encoder wants them. Knows nothing of their names.

use crate::metrics::{Durations, Sizes};
use ::prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType, Quantile,
    Summary,
};

/// Quantiles given of distributions that have no fixed range.
const QUANTILES: [f64; 4] = [0.5, 0.95, 0.99, 1.0];

pub(super) fn family(
    name: &str,
    help: &str,
    kind: MetricType,
    metrics: Vec<Metric>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn metric(labels: &[(&str, &str)]) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    Metric::from_label(labels.iter().map(pair).collect())
}

pub(super) fn counter(labels: &[(&str, &str)], value: f64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value);
    let mut metric = metric(labels);
    metric.set_counter(counter);
    metric
}

pub(super) fn gauge(labels: &[(&str, &str)], value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = metric(labels);
    metric.set_gauge(gauge);
    metric
}

pub(super) fn time_histogram(labels: &[(&str, &str)], time: &Durations, bounds: &[f64]) -> Metric {
    let buckets = bounds.iter().copied().zip(time.cumulative(bounds));
    histogram(labels, time.count(), time.sum_seconds(), buckets)
}

pub(super) fn size_histogram(labels: &[(&str, &str)], sizes: &Sizes) -> Metric {
    let cumulative = sizes.cumulative();
    let bounds = Sizes::BOUNDS.map(|bound| bound as f64);
    let count = cumulative[bounds.len()];
    histogram(
        labels,
        count,
        sizes.sum() as f64,
        bounds.into_iter().zip(cumulative),
    )
}

fn histogram(
    labels: &[(&str, &str)],
    count: u64,
    sum: f64,
    buckets: impl Iterator<Item = (f64, u64)>,
) -> Metric {
    let bucket = |(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    };
    let mut histogram = Histogram::default();
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    histogram.set_bucket(buckets.map(bucket).collect());
    let mut metric = metric(labels);
    metric.set_histogram(histogram);
    metric
}

pub(super) fn summary(
    labels: &[(&str, &str)],
    count: u64,
    sum: f64,
    percentile: impl Fn(f64) -> f64,
) -> Metric {
    let quantile = |q| {
        let mut quantile = Quantile::default();
        quantile.set_quantile(q);
        quantile.set_value(percentile(q));
        quantile
    };
    let mut summary = Summary::default();
    summary.set_sample_count(count);
    summary.set_sample_sum(sum);
    summary.set_quantile(QUANTILES.map(quantile).to_vec());
    let mut metric = metric(labels);
    metric.set_summary(summary);
    metric
}

/// In seconds.
pub(super) fn time_summary(labels: &[(&str, &str)], took: &Durations) -> Metric {
    summary(labels, took.count(), took.sum_seconds(), |q| {
        took.percentile(q).as_secs_f64()
    })
}
