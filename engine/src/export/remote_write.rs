//! The measurements as Prometheus' remote write 1.0 wants them: protobuf, in blocks of
//! snappy. Classic histograms have the names that the text format gives them; response times
//! are native histograms besides. Knows nothing of HTTP.

mod message;
mod native;

use std::collections::BTreeMap;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};
use prost::Message;

use self::message::{Kind, Label, MetricMetadata, Sample, TimeSeries, WriteRequest};
use super::exposure::Exposure;

/// How large a request may grow before it is compressed, in bytes.
const MAX_REQUEST: usize = 512 << 10;
/// The number that says that a series has ended: one of those that are no numbers.
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// The bodies of the requests that tell all of it.
pub(super) fn encode(exposure: &Exposure) -> Vec<Vec<u8>> {
    let mut writer = Writer::new(exposure, None);
    writer.request.metadata = exposure.families.iter().map(metadata).collect();
    writer.write(exposure)
}

/// The bodies of the requests that say that all series have ended, right after this.
pub(super) fn end(exposure: &Exposure) -> Vec<Vec<u8>> {
    Writer::new(exposure, Some(STALE)).write(exposure)
}

fn metadata(family: &MetricFamily) -> MetricMetadata {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
        MetricType::UNTYPED => Kind::Unknown,
    };
    MetricMetadata {
        kind: kind.into(),
        name: family.name().to_owned(),
        help: family.help().to_owned(),
    }
}

/// Fills requests with series.
struct Writer<'a> {
    /// Labels that all series have, unless they have their own of that name.
    labels: &'a BTreeMap<String, String>,
    /// Time of all samples, in milliseconds since the Unix epoch.
    at: i64,
    /// Replaces all values.
    mark: Option<f64>,
    request: WriteRequest,
    /// Of the request, about.
    size: usize,
    bodies: Vec<Vec<u8>>,
}

impl<'a> Writer<'a> {
    fn new(exposure: &'a Exposure, mark: Option<f64>) -> Self {
        let at = i64::try_from(exposure.at.as_millis()).unwrap_or(i64::MAX);
        Self {
            labels: &exposure.labels,
            // Marks must not take the place of what they end.
            at: at.saturating_add(i64::from(mark.is_some())),
            mark,
            request: WriteRequest::default(),
            size: 0,
            bodies: Vec::new(),
        }
    }

    fn write(mut self, exposure: &Exposure) -> Vec<Vec<u8>> {
        for family in &exposure.families {
            for metric in family.get_metric() {
                self.metric(family, metric);
            }
        }
        for distributions in &exposure.response_times {
            for (labels, times) in &distributions.series {
                let labels = labels.iter().map(|(name, value)| (&**name, &**value));
                let labels = self.all_labels(distributions.name, labels, None);
                let histogram = match self.mark {
                    Some(mark) => native::marked(mark, self.at),
                    None => native::histogram(times, self.at),
                };
                self.series(TimeSeries {
                    labels,
                    samples: Vec::new(),
                    histograms: vec![histogram],
                });
            }
        }
        self.flush();
        self.bodies
    }

    fn metric(&mut self, family: &MetricFamily, metric: &Metric) {
        let (name, labels) = (family.name(), metric.get_label());
        match family.get_field_type() {
            MetricType::COUNTER => {
                self.sample(name, labels, None, metric.get_counter().get_value());
            }
            MetricType::GAUGE => self.sample(name, labels, None, metric.get_gauge().get_value()),
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                let bucket = format!("{name}_bucket");
                for one in histogram.get_bucket() {
                    let bound = Some(("le", one.upper_bound().to_string()));
                    self.sample(&bucket, labels, bound, one.cumulative_count() as f64);
                }
                let count = histogram.get_sample_count();
                let all = Some(("le", "+Inf".to_owned()));
                self.sample(&bucket, labels, all, count as f64);
                self.totals(name, labels, histogram.get_sample_sum(), count);
            }
            MetricType::SUMMARY => {
                let summary = metric.get_summary();
                for one in summary.get_quantile() {
                    let quantile = Some(("quantile", one.quantile().to_string()));
                    self.sample(name, labels, quantile, one.value());
                }
                let (sum, count) = (summary.sample_sum(), summary.sample_count());
                self.totals(name, labels, sum, count);
            }
            // There are none.
            MetricType::UNTYPED => {}
        }
    }

    fn totals(&mut self, name: &str, labels: &[LabelPair], sum: f64, count: u64) {
        self.sample(&format!("{name}_sum"), labels, None, sum);
        self.sample(&format!("{name}_count"), labels, None, count as f64);
    }

    fn sample(
        &mut self,
        name: &str,
        labels: &[LabelPair],
        own: Option<(&'static str, String)>,
        value: f64,
    ) {
        let labels = labels.iter().map(|pair| (pair.name(), pair.value()));
        let labels = self.all_labels(name, labels, own);
        self.series(TimeSeries {
            labels,
            samples: vec![Sample {
                value: self.mark.unwrap_or(value),
                timestamp: self.at,
            }],
            histograms: Vec::new(),
        });
    }

    /// In the order of their names, as the protocol demands. Labels without a value are none.
    fn all_labels<'b>(
        &self,
        name: &str,
        labels: impl Iterator<Item = (&'b str, &'b str)>,
        own: Option<(&'static str, String)>,
    ) -> Vec<Label> {
        let label = |name: &str, value: &str| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut all = vec![label("__name__", name)];
        all.extend(labels.map(|(name, value)| label(name, value)));
        all.extend(own.map(|(name, value)| label(name, &value)));
        all.extend(self.labels.iter().map(|(name, value)| label(name, value)));
        // The sort is stable: of two of a name the one of the series comes first and stays.
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        all.retain(|label| !label.value.is_empty());
        all
    }

    fn series(&mut self, series: TimeSeries) {
        let size = series.encoded_len();
        if self.size + size > MAX_REQUEST {
            self.flush();
        }
        self.size += size;
        self.request.timeseries.push(series);
    }

    fn flush(&mut self) {
        let request = std::mem::take(&mut self.request);
        self.size = 0;
        if request.timeseries.is_empty() {
            return;
        }
        let mut snappy = snap::raw::Encoder::new();
        // Fails only above 4 GiB.
        if let Ok(body) = snappy.compress_vec(&request.encode_to_vec()) {
            self.bodies.push(body);
        }
    }
}

#[cfg(test)]
mod tests;
