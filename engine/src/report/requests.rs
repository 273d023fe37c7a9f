//! Requests: all together, and those of one name, method and tags.

use super::Distribution;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Requests {
    /// How many.
    pub requests: u64,
    /// Those that count as failures.
    pub failures: u64,
    /// The share of them, 0 to 1.
    pub failure_share: f64,
    /// Over the whole run.
    pub requests_per_second: f64,
    /// Bytes of the request bodies.
    pub bytes_sent: u64,
    /// Bytes of the response bodies as they came over the wire.
    pub bytes_received: u64,
    /// Response times.
    pub time_ms: Distribution,
    /// Response times from the planned start, of requests whose start was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_from_planned_start_ms: Option<Distribution>,
    /// How they ended, in ascending order of the status.
    pub statuses: Vec<Status>,
    /// Of late, while the run goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent: Option<Recent>,
}

/// Requests of one HTTP status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Status {
    /// The status; 0 without a response.
    pub status: u16,
    /// Those that count as successes.
    pub passed: u64,
    /// Those that count as failures.
    pub failed: u64,
}

/// Requests of the last second or so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Recent {
    /// Requests per second.
    pub per_second: f64,
    /// Failures per second.
    pub failures_per_second: f64,
}

/// The requests of one name, method and tags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NamedRequests {
    /// HTTP method or protocol.
    pub method: String,
    /// Their name.
    pub name: String,
    /// What tells them from others of that name.
    pub tags: BTreeMap<String, String>,
    /// The requests.
    #[serde(flatten)]
    pub requests: Requests,
}
