//! Which metrics there are, how each can be aggregated and by which keys it can be
//! selected. Knows nothing of their values.

use std::fmt;

use super::scan::Quoted;
use super::unit::Unit;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    /// A distribution of durations.
    Times(Times),
    /// How often something happened.
    Count(Count),
    /// Which part of all it was.
    Share(Share),
    /// A metric of the scenario's own; of which kind, only the results know.
    Custom,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Response,
    ResponseFromPlannedStart,
    Dns,
    Connect,
    Tls,
    Send,
    FirstByte,
    Body,
    Iteration,
    Lateness,
    Group,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Requests,
    Received,
    Sent,
    Iterations,
    DroppedIterations,
    TaskErrors,
    SandboxFailures,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Failures,
    Checks,
}

/// The metrics of the engine by name.
pub(super) const METRICS: [(&str, Metric); 21] = [
    ("http_req_duration", Metric::Times(Times::Response)),
    (
        "http_req_duration_planned",
        Metric::Times(Times::ResponseFromPlannedStart),
    ),
    ("http_req_dns", Metric::Times(Times::Dns)),
    ("http_req_connecting", Metric::Times(Times::Connect)),
    ("http_req_tls_handshaking", Metric::Times(Times::Tls)),
    ("http_req_sending", Metric::Times(Times::Send)),
    ("http_req_waiting", Metric::Times(Times::FirstByte)),
    ("http_req_receiving", Metric::Times(Times::Body)),
    ("iteration_duration", Metric::Times(Times::Iteration)),
    ("iteration_lateness", Metric::Times(Times::Lateness)),
    ("group_duration", Metric::Times(Times::Group)),
    ("http_reqs", Metric::Count(Count::Requests)),
    ("data_received", Metric::Count(Count::Received)),
    ("data_sent", Metric::Count(Count::Sent)),
    ("iterations", Metric::Count(Count::Iterations)),
    (
        "dropped_iterations",
        Metric::Count(Count::DroppedIterations),
    ),
    ("task_errors", Metric::Count(Count::TaskErrors)),
    ("sandbox_failures", Metric::Count(Count::SandboxFailures)),
    ("failures", Metric::Share(Share::Failures)),
    ("http_req_failed", Metric::Share(Share::Failures)),
    ("checks", Metric::Share(Share::Checks)),
];

/// Names that other tools have for what this one does not measure, and what to use instead.
/// Without this they would be taken for metrics of the scenario, and fail at the end of the
/// run only.
pub(super) const NOT_OFFERED: [(&str, &str); 3] = [
    ("http_req_blocked", "http_req_connecting or http_req_dns"),
    ("vus", "iterations or http_reqs"),
    ("vus_max", "iterations or http_reqs"),
];

/// Which keys may stand in braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    None,
    /// Just this one.
    Only(&'static str),
    /// `name`, `method` and all tags.
    Request,
    /// These, and `status`.
    RequestAndStatus,
}

/// How many numbers become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aggregation {
    Avg,
    Min,
    Max,
    Median,
    /// 0 to 100.
    Percentile(f64),
    Count,
    /// A second, or of all for a share.
    Rate,
    /// The latest.
    Value,
}

impl Metric {
    /// A name that the engine does not have is one of the scenario's.
    pub(super) fn of(name: &str) -> Self {
        let known = METRICS.iter().find(|(known, _)| *known == name);
        known.map_or(Self::Custom, |&(_, metric)| metric)
    }

    /// The aggregations as texts for people.
    pub(super) fn aggregations(self) -> &'static str {
        match self {
            Self::Times(_) => "avg, min, max, med, p(N), count",
            Self::Count(Count::SandboxFailures) => "count",
            Self::Count(_) => "count, rate",
            Self::Share(_) => "rate, count",
            Self::Custom => "avg, min, max, med, p(N), count, rate, value",
        }
    }

    pub(super) fn has(self, aggregation: Aggregation) -> bool {
        match aggregation {
            Aggregation::Count => true,
            Aggregation::Rate => {
                !matches!(self, Self::Times(_) | Self::Count(Count::SandboxFailures))
            }
            Aggregation::Value => self == Self::Custom,
            _ => matches!(self, Self::Times(_) | Self::Custom),
        }
    }

    /// In what the aggregation is measured.
    pub(super) fn unit(self, aggregation: Aggregation) -> Unit {
        let rate = aggregation == Aggregation::Rate;
        match self {
            Self::Times(_) if aggregation != Aggregation::Count => Unit::Nanoseconds,
            Self::Share(_) if rate => Unit::Share,
            Self::Count(Count::Received | Count::Sent) if rate => Unit::BytesPerSecond,
            Self::Count(Count::Received | Count::Sent) => Unit::Bytes,
            _ if rate => Unit::PerSecond,
            _ if aggregation == Aggregation::Value => Unit::Signed,
            _ => Unit::Number,
        }
    }

    pub(super) fn keys(self) -> Keys {
        match self {
            Self::Count(Count::Requests) | Self::Share(Share::Failures) => Keys::RequestAndStatus,
            Self::Times(Times::Response | Times::ResponseFromPlannedStart)
            | Self::Count(Count::Received | Count::Sent) => Keys::Request,
            Self::Times(Times::Group) => Keys::Only("group"),
            Self::Share(Share::Checks) => Keys::Only("check"),
            _ => Keys::None,
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Avg => f.write_str("avg"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Median => f.write_str("med"),
            Self::Percentile(percent) => write!(f, "p({percent})"),
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
            Self::Value => f.write_str("value"),
        }
    }
}

/// What stands in braces: all of it has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selectors {
    /// Keys and values; each key once.
    pub(super) texts: Vec<(String, String)>,
    /// The HTTP status; 0 for no response.
    pub(super) status: Option<u16>,
}

impl Selectors {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.status.is_none()
    }

    /// The value that stands for this key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Selectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        let mut separator = "{";
        for (key, value) in &self.texts {
            write!(f, "{separator}{key}={}", Quoted(value))?;
            separator = ",";
        }
        if let Some(status) = self.status {
            write!(f, "{separator}status=\"{status}\"")?;
        }
        f.write_str("}")
    }
}
