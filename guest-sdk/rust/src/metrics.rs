//! Results that are not HTTP requests of the engine. Names are bounded in number; see
//! the engine's cardinality limit.

use std::time::Duration;

use crate::bindings::aiotest::engine::metrics;
use crate::call::Caller;
use crate::nanos;

/// One exchange over a protocol that the scenario speaks itself. It appears in the
/// results beside the HTTP requests.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// What stands in the place of the HTTP method, for example `gRPC`.
    pub protocol: &'a str,
    /// Under which name it is counted.
    pub name: &'a str,
    /// How long it took.
    pub duration: Duration,
    /// Bytes received.
    pub size: u64,
    /// Absent for a success.
    pub error: Option<&'a str>,
}

/// Counts one exchange.
pub fn record(sample: Sample<'_>) {
    let user = Caller::current().user;
    let sample = metrics::Sample {
        protocol: sample.protocol.to_owned(),
        name: sample.name.to_owned(),
        duration: nanos(sample.duration),
        size: sample.size,
        error: sample.error.map(str::to_owned),
    };
    metrics::record(user, &sample);
}

/// Adds to a counter.
pub fn count(name: &str, value: f64) {
    metrics::count(name, value);
}

/// Sets a gauge; the last value counts.
pub fn gauge(name: &str, value: f64) {
    metrics::gauge(name, value);
}

/// Adds a value to a distribution (percentiles in the results), in a unit as you like;
/// kept to three significant digits between 0.001 and 10^12.
pub fn trend(name: &str, value: f64) {
    metrics::trend(name, value);
}

/// Counts a passed or failed check, and returns `passed`. The step goes on either way.
pub fn check(name: &str, passed: bool) -> bool {
    metrics::check(name, passed)
}

/// A part of the user's work under a name of its own, until the guard is dropped: by the
/// end of its block, by `?` or by `return`. The results have its duration, and the requests
/// sent meanwhile carry its name as the tag `group`.
///
/// Groups nest; the inner one is then named `outer::inner`. Give the guard a name:
/// `let _ = …` would drop it at once.
///
/// ```
/// use aiotest::prelude::*;
///
/// async fn buy(client: &Client) -> Result {
///     let _checkout = metrics::group("checkout");
///     client.get("/cart").send().await?;
///     {
///         let _payment = metrics::group("payment");
///         client.post("/pay").send().await?;
///     }
///     client.get("/receipt").send().await?;
///     Ok(())
/// }
/// ```
#[must_use = "the group ends when its guard is dropped: `let _group = metrics::group(…);`"]
pub fn group(name: &str) -> Group {
    Group {
        _handle: metrics::Group::enter(Caller::current().user, name),
    }
}

/// Ends a [`group`] when it is dropped.
pub struct Group {
    /// The engine ends the group when this is given back.
    _handle: metrics::Group,
}
