//! The measurements at one moment, ready to be encoded. Knows no protocol.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use prometheus::proto::MetricFamily;

use crate::output::prometheus::{self as series, Distributions, Observer};
use crate::steering::Helm;

/// The label of all series that says which program they are from.
const JOB: &str = "aiotest-engine";

/// What is pushed at a time.
#[derive(Clone, Debug)]
pub(super) struct Exposure {
    /// When this was measured, since the Unix epoch.
    pub(super) at: Duration,
    /// When everything was zero.
    pub(super) since: Duration,
    /// The machine that it was measured on.
    pub(super) machine: String,
    /// Labels of all series: `job`, `instance` and those of the user.
    pub(super) labels: BTreeMap<String, String>,
    /// All families, as the text format has them.
    pub(super) families: Vec<MetricFamily>,
    /// Response times in fine buckets.
    pub(super) response_times: Vec<Distributions>,
}

/// Looks at the run.
pub(super) struct Exposer {
    observer: Observer,
    helm: Helm,
    labels: BTreeMap<String, String>,
    since: Duration,
    last: Mutex<Duration>,
}

impl Exposer {
    pub(super) fn new(observer: Observer, helm: Helm, labels: &BTreeMap<String, String>) -> Self {
        let own = [("job", JOB), ("instance", observer.machine())];
        let mut all: BTreeMap<_, _> = own.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        all.extend(labels.iter().map(|(k, v)| (k.clone(), v.clone())));
        all.retain(|_, value| !value.is_empty());
        let since = now();
        Self {
            observer,
            helm,
            labels: all,
            since,
            last: Mutex::new(since),
        }
    }

    /// Takes long enough that no thread of the load should do it.
    pub(super) fn expose(&self) -> Exposure {
        let status = self.helm.status();
        let (families, response_times) = self.observer.look(&status, |view| {
            (series::families(view), series::response_times(view))
        });
        Exposure {
            at: self.later(),
            since: self.since,
            machine: self.observer.machine().to_owned(),
            labels: self.labels.clone(),
            families,
            response_times,
        }
    }

    /// Now, and later than the last time by what time stamps and the marks of the end need,
    /// even if the clock was set back.
    fn later(&self) -> Duration {
        let mut last = self.last.lock();
        *last = now().max(*last + Duration::from_millis(2));
        *last
    }
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}
