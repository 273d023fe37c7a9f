//! A distribution as the report has it everywhere.

use crate::metrics::{Durations, Values};
use serde::Serialize;
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Distribution {
    count: u64,
    avg: f64,
    min: f64,
    max: f64,
    p50: f64,
    p75: f64,
    p90: f64,
    p95: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    #[serde(rename = "p99.99")]
    p99_99: f64,
}

impl Distribution {
    /// In milliseconds.
    pub(super) fn of_durations(durations: &Durations) -> Self {
        let ms = |span: Duration| span.as_nanos() as f64 / 1e6;
        Self {
            count: durations.count(),
            avg: ms(durations.avg()),
            min: ms(durations.min()),
            max: ms(durations.max()),
            p50: ms(durations.median()),
            p75: ms(durations.percentile(0.75)),
            p90: ms(durations.percentile(0.9)),
            p95: ms(durations.percentile(0.95)),
            p99: ms(durations.percentile(0.99)),
            p99_9: ms(durations.percentile(0.999)),
            p99_99: ms(durations.percentile(0.9999)),
        }
    }

    pub(super) fn of_values(values: &Values) -> Self {
        Self {
            count: values.count(),
            avg: values.avg(),
            min: values.min(),
            max: values.max(),
            p50: values.percentile(0.5),
            p75: values.percentile(0.75),
            p90: values.percentile(0.9),
            p95: values.percentile(0.95),
            p99: values.percentile(0.99),
            p99_9: values.percentile(0.999),
            p99_99: values.percentile(0.9999),
        }
    }
}
