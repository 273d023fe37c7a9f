//! Conditions on the results of a run: what they look like as text, and whether they hold.
//! Knows snapshots; nothing of when it is asked or of what follows from a verdict.

mod measure;
mod metric;
mod parse;
mod scan;
mod unit;

pub use scan::InvalidThreshold;

use std::fmt;
use std::time::Duration;

use crate::metrics::Snapshot;
use metric::{Aggregation, Metric, Selectors};
use unit::Unit;

/// A condition on one number of the results, read from a text such as
/// `http_req_duration{name="Login"}: p(95)<500ms abort after 30s`:
///
/// `METRIC[{KEY="VALUE", …}]: AGGREGATION OPERATOR BOUND [abort [after DURATION]]`
///
/// | metric | aggregations | keys |
/// |---|---|---|
/// | `http_req_duration`, `http_req_duration_planned` (from the planned start) | avg, min, max, med, p(N), count | `name`, `method`, `group` and all other tags |
/// | `http_req_dns`, `…_connecting`, `…_tls_handshaking`, `…_sending`, `…_waiting`, `…_receiving` | the same | |
/// | `iteration_duration`, `iteration_lateness` | the same | |
/// | `group_duration` | the same | `group` |
/// | `http_reqs` | count, rate (a second) | `name`, `method`, `status`, tags |
/// | `data_received`, `data_sent` (bytes) | count, rate (a second) | `name`, `method`, tags |
/// | `iterations`, `dropped_iterations`, `task_errors` | count, rate (a second) | |
/// | `sandbox_failures` | count | |
/// | `failures`, also called `http_req_failed` | rate (the share, 0 to 1 or in %), count | `name`, `method`, `status`, tags |
/// | `checks` | rate (the share that passed), count (of those that passed) | `check` |
/// | any other: a metric of the scenario's own | avg, min, max, med, p(N), count of a trend; count, rate of a counter; value of a gauge | |
///
/// Durations are `500ms`, `1.5s`, `250us`, `2m`, or a bare number of milliseconds. A name
/// with characters other than letters, digits and `_-./` goes in quotes. Several keys all
/// have to fit, and what fits is merged before it is judged. The spelling `{name:Login}` is
/// understood too.
///
/// Where nothing was measured, averages, extremes, percentiles, shares and values fail:
/// otherwise a misspelt name would pass for ever. A count or a rate per second of nothing
/// is 0 and judged like every other, for `task_errors: count==0` says just that; unless
/// some names were too many to be kept, so that what is missing may only be among them.
///
/// [`Display`](fmt::Display) writes it in its usual form, without the part about aborting.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    name: String,
    metric: Metric,
    selectors: Selectors,
    aggregation: Aggregation,
    comparison: Comparison,
    /// In the unit of the metric and the aggregation.
    bound: f64,
    abort_after: Option<Duration>,
}

/// What became of a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The threshold, without the part about aborting.
    pub expression: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was measured, with its unit; absent when there was nothing to judge.
    pub value: Option<String>,
    /// Whether it ends the run: it does not hold, something was measured, and it may abort
    /// by now.
    pub aborted: bool,
}

impl Threshold {
    /// The time of the run from which on it ends the run when it does not hold; absent
    /// when it never does.
    #[must_use]
    pub fn abort_after(&self) -> Option<Duration> {
        self.abort_after
    }

    /// Judges the results after `elapsed` of the run, over which rates are taken.
    #[must_use]
    pub fn evaluate(&self, snapshot: &Snapshot, elapsed: Duration) -> Verdict {
        let measured = self.measure(snapshot, elapsed);
        let passed = measured.is_some_and(|value| self.comparison.holds(value, self.bound));
        let may_abort = self.abort_after.is_some_and(|after| elapsed >= after);
        Verdict {
            expression: self.to_string(),
            passed,
            value: measured.map(|value| self.unit().show(value, self.bound)),
            aborted: !passed && measured.is_some() && may_abort,
        }
    }

    fn unit(&self) -> Unit {
        self.metric.unit(self.aggregation)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if parse::is_bare(&self.name) {
            f.write_str(&self.name)?;
        } else {
            write!(f, "{}", scan::Quoted(&self.name))?;
        }
        let (selectors, comparison) = (&self.selectors, self.comparison.sign());
        write!(f, "{selectors}: {}{comparison}", self.aggregation)?;
        self.unit().write(f, self.bound)
    }
}

/// How the measured value relates to the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Comparison {
    /// Longer signs stand before those that they begin with.
    const SIGNS: [(&str, Self); 8] = [
        ("===", Self::Equal),
        ("!==", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// What is not a number, or infinite, is never as it should be.
    fn holds(self, value: f64, bound: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Less => value < bound,
                Self::LessOrEqual => value <= bound,
                Self::Greater => value > bound,
                Self::GreaterOrEqual => value >= bound,
                Self::Equal => value == bound,
                Self::NotEqual => value != bound,
            }
    }
}

#[cfg(test)]
mod tests;
