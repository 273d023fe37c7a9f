//! Pushes the measurements of a run under way: to Prometheus by remote write, to
//! OpenTelemetry collectors by OTLP over HTTP. Knows nothing of who measures, and never
//! delays a run or changes how it ends.
//!
//! Everything pushed is cumulative, so there is nothing to keep for later: when a push
//! fails, the next one has newer numbers.

mod destination;
mod exposure;
mod otlp;
mod post;
mod pusher;
mod remote_write;
mod standing;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::destination::InvalidPush;

use self::destination::{Destination, Protocol};
use self::exposure::Exposer;
use self::pusher::{Pace, Pusher};
use crate::config::Push;
use crate::output::prometheus::{Observer, Sources};
use crate::steering::Helm;

/// How long the last push may take, for all destinations together.
const LAST_PUSH: Duration = Duration::from_secs(5);

/// More often would be more work for everyone than it is worth.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// Where what an exporter has to say goes: lines for people, without secrets, but with words
/// of servers in them.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// What an exporter needs beside its settings.
pub struct Parts {
    /// The numbers.
    pub sources: Sources,
    /// How the run stands.
    pub helm: Helm,
    /// Words that tell this run from others, for all series.
    pub labels: BTreeMap<String, String>,
    /// Where notices go.
    pub say: Say,
}

/// Pushes until it is told to finish; when this is dropped it ends at once.
pub struct Exporter {
    ending: CancellationToken,
    pushers: JoinSet<()>,
}

impl Exporter {
    /// Begins to push, if there is somewhere to push to. A destination that cannot be reached
    /// is no error; it is told, and tried again.
    ///
    /// # Errors
    ///
    /// When a URL, a header or the interval cannot be used.
    pub fn start(push: &Push, parts: &Parts) -> Result<Option<Self>, InvalidPush> {
        let ending = CancellationToken::new();
        let mut destinations = Vec::new();
        for (protocol, url) in [
            (Protocol::RemoteWrite, &push.remote_write),
            (Protocol::Otlp, &push.otlp),
        ] {
            if let Some(url) = url {
                let secrets = &parts.sources.secrets;
                destinations.push(Destination::new(protocol, url, &push.headers, secrets)?);
            }
        }
        if destinations.is_empty() {
            return Ok(None);
        }
        if push.interval < LEAST_INTERVAL {
            return Err(InvalidPush::Interval(LEAST_INTERVAL));
        }
        let mut pushers = JoinSet::new();
        for destination in destinations {
            let observer = Observer::new(parts.sources.clone());
            let exposer = Exposer::new(observer, parts.helm.clone(), &parts.labels);
            let pusher = Pusher::new(
                destination,
                Arc::new(exposer),
                Pace::every(push.interval),
                parts.say.clone(),
            );
            pushers.spawn(pusher.run(ending.clone()));
        }
        Ok(Some(Self { ending, pushers }))
    }

    /// Pushes for the last time, which takes five seconds at most.
    pub async fn finish(mut self) {
        self.ending.cancel();
        let all = async { while self.pushers.join_next().await.is_some() {} };
        // The pushers keep to it themselves; this is for what they wait for in vain.
        let _ = tokio::time::timeout(LAST_PUSH + Duration::from_secs(1), all).await;
    }
}
