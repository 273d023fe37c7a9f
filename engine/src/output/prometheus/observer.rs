//! Puts together what the series show of a run under way. Knows where the numbers are, not
//! who asks for them.

use super::{DEFAULT_BUCKETS, View, Worker};
use crate::health::{self, Health};
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::secrets::Secrets;
use crate::steering::Status;
use crate::threshold::Verdict;
use parking_lot::Mutex;
use std::sync::Arc;

/// Where the numbers are.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Measurements.
    pub metrics: Arc<Metrics>,
    /// Users.
    pub gauges: Arc<UserGauges>,
    /// Upper bounds of the histogram's buckets in seconds; empty for the defaults.
    pub buckets: Vec<f64>,
    /// How the thresholds stand; whoever judges them writes it here.
    pub thresholds: Arc<Mutex<Vec<Verdict>>>,
    /// What no series may show.
    pub secrets: Secrets,
}

/// Looks at a run when it is asked to. The CPU it shows is what was used since it was asked
/// before, so each of those who ask has one of its own.
#[derive(Debug)]
pub struct Observer {
    sources: Sources,
    health: Mutex<Health>,
    machine: String,
}

impl Observer {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let system = rustix::system::uname();
        Self {
            sources,
            health: Mutex::new(Health::start()),
            machine: system.nodename().to_string_lossy().into_owned(),
        }
    }

    /// The machine that it looks from.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// Shows the run as it is now.
    pub fn look<T>(&self, status: &Status, show: impl FnOnce(&View<'_>) -> T) -> T {
        let (cpu_percent, cores) = {
            let mut health = self.health.lock();
            health.sample();
            (health.cpu_percent(), health.cores())
        };
        let sources = &self.sources;
        let worker = Worker {
            id: "local".into(),
            machine: self.machine.clone(),
            cpu_percent,
            cores,
            memory_bytes: health::memory_bytes(),
            users: sources.gauges.live(),
        };
        let thresholds = sources.thresholds.lock().clone();
        show(&View {
            snapshot: &sources.metrics.snapshot().masked(&sources.secrets),
            users: &sources.gauges.snapshot(),
            workers: &[worker],
            buckets: match sources.buckets.is_empty() {
                true => &DEFAULT_BUCKETS,
                false => &sources.buckets,
            },
            state: status.state,
            elapsed: status.elapsed,
            thresholds: &thresholds,
        })
    }
}
