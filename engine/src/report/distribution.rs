//! A distribution: its usual numbers, and all of it as a histogram that merges.

use crate::metrics::{Durations, Exact, InvalidHistogram, Values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A distribution of durations in milliseconds, or of plain numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Distribution {
    /// How many values.
    pub count: u64,
    /// All of them together.
    pub sum: f64,
    /// Their mean; 0 without any, as for the others.
    pub avg: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// What half of them do not exceed, within 0.1 %.
    pub p50: f64,
    /// What 75 % do not exceed.
    pub p75: f64,
    /// What 90 % do not exceed.
    pub p90: f64,
    /// What 95 % do not exceed.
    pub p95: f64,
    /// What 99 % do not exceed.
    pub p99: f64,
    /// What 99.9 % do not exceed.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// What 99.99 % do not exceed.
    #[serde(rename = "p99.99")]
    pub p99_99: f64,
    /// An HdrHistogram of three digits, in its V2 compressed encoding and base64; durations
    /// in microseconds, plain numbers in millionths. Absent while a run goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<String>,
}

const SHARES: [f64; 7] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

impl Distribution {
    /// In milliseconds, without the histogram.
    #[must_use]
    pub fn of_durations(durations: &Durations) -> Self {
        let ms = |span: Duration| span.as_nanos() as f64 / 1e6;
        Self {
            count: durations.count(),
            sum: durations.sum_seconds() * 1e3,
            avg: ms(durations.avg()),
            min: ms(durations.min()),
            max: ms(durations.max()),
            ..Self::of_percentiles(durations.percentiles(SHARES).map(ms))
        }
    }

    /// Of plain numbers, without the histogram.
    #[must_use]
    pub fn of_values(values: &Values) -> Self {
        Self {
            count: values.count(),
            sum: values.sum(),
            avg: values.avg(),
            min: values.min(),
            max: values.max(),
            ..Self::of_percentiles(values.percentiles(SHARES))
        }
    }

    /// The values at the shares, and nothing else yet.
    fn of_percentiles([p50, p75, p90, p95, p99, p99_9, p99_99]: [f64; SHARES.len()]) -> Self {
        Self {
            p50,
            p75,
            p90,
            p95,
            p99,
            p99_9,
            p99_99,
            ..Self::default()
        }
    }

    /// In milliseconds, with the histogram.
    #[must_use]
    pub fn of_durations_with_histogram(durations: &Durations) -> Self {
        Self {
            histogram: Some(durations.encode()),
            ..Self::of_durations(durations)
        }
    }

    /// Of plain numbers, with the histogram.
    #[must_use]
    pub fn of_values_with_histogram(values: &Values) -> Self {
        Self {
            histogram: Some(values.encode()),
            ..Self::of_values(values)
        }
    }

    /// The durations that this tells of, as they were recorded; nothing where it has no
    /// histogram.
    ///
    /// # Errors
    ///
    /// The histogram cannot be read, or belongs to something else.
    pub fn to_durations(&self) -> Result<Option<Durations>, InvalidHistogram> {
        let histogram = self.histogram.as_deref();
        histogram
            .map(|text| Durations::decode(text, &self.exact()))
            .transpose()
    }

    /// The plain numbers that this tells of; nothing where it has no histogram.
    ///
    /// # Errors
    ///
    /// The histogram cannot be read, or belongs to something else.
    pub fn to_values(&self) -> Result<Option<Values>, InvalidHistogram> {
        let histogram = self.histogram.as_deref();
        histogram
            .map(|text| Values::decode(text, &self.exact()))
            .transpose()
    }

    fn exact(&self) -> Exact {
        Exact {
            count: self.count,
            sum: self.sum,
            min: self.min,
            max: self.max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_come_back_from_the_document() {
        let mut all = Durations::default();
        for ms in 1..=1000 {
            all.record(Duration::from_micros(ms * 1003));
        }
        let written = Distribution::of_durations_with_histogram(&all);
        let text = serde_json::to_string(&written).unwrap();
        let read: Distribution = serde_json::from_str(&text).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.to_durations(), Ok(Some(all)));
        assert_eq!(read.avg, 502.0015);
        assert!((read.p90 - 902.7).abs() < 0.9, "{}", read.p90);

        let other = Distribution {
            count: 999,
            ..written
        };
        let error = other.to_durations().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the histogram holds 1000 values, but `count` says 999"
        );
    }

    #[test]
    fn values_come_back_from_the_document_even_the_largest() {
        let mut all = Values::default();
        for value in [0.0, 0.25, 1e9, f64::MAX, f64::MAX] {
            all.record(value);
        }
        let written = Distribution::of_values_with_histogram(&all);
        let text = serde_json::to_string(&written).unwrap();
        let read: Distribution = serde_json::from_str(&text).unwrap();
        let values = read.to_values().unwrap().unwrap();
        assert_eq!(Distribution::of_values_with_histogram(&values), written);
    }

    #[test]
    fn nothing_and_no_histogram_are_not_the_same() {
        let none = Distribution::of_durations(&Durations::default());
        assert_eq!(none.to_durations(), Ok(None));
        let empty = Distribution::of_durations_with_histogram(&Durations::default());
        assert_eq!(empty.to_durations(), Ok(Some(Durations::default())));
        assert_eq!(empty.to_values(), Ok(Some(Values::default())));
    }
}
