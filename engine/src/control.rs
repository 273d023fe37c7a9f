//! The HTTP endpoint of a run: `/metrics`. Serves what it is given; knows neither
//! sandboxes nor how the run proceeds.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::health::Health;
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::output::prometheus::{DEFAULT_BUCKETS, Worker, render};

/// The address cannot be used.
#[derive(Debug, Error)]
#[error("cannot serve metrics on {address}: {cause}; choose another address")]
pub struct BindError {
    address: SocketAddr,
    cause: std::io::Error,
}

/// What the endpoint shows.
pub struct Sources {
    /// Measurements.
    pub metrics: Arc<Metrics>,
    /// Users.
    pub gauges: Arc<UserGauges>,
    /// Upper bounds of the histogram's buckets in seconds; empty for the defaults.
    pub buckets: Vec<f64>,
}

/// The running endpoint; it ends when this is dropped.
pub struct Endpoint {
    address: SocketAddr,
    task: JoinHandle<()>,
}

struct Shown {
    sources: Sources,
    health: Mutex<Health>,
    machine: String,
}

impl Endpoint {
    /// Listens and serves.
    pub async fn start(address: SocketAddr, sources: Sources) -> Result<Self, BindError> {
        let bind_error = |cause| BindError { address, cause };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let machine = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let shown = Shown {
            sources,
            health: Mutex::new(Health::start()),
            machine,
        };
        let router = Router::new()
            .route("/", get(async || Redirect::temporary("/metrics")))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(shown));
        let task = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Endpoint { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn metrics(State(shown): State<Arc<Shown>>) -> impl IntoResponse {
    let cpu_percent = {
        let mut health = shown.health.lock();
        health.sample();
        health.cpu_percent()
    };
    let Sources {
        metrics,
        gauges,
        buckets,
    } = &shown.sources;
    let worker = Worker {
        id: "local".into(),
        machine: shown.machine.clone(),
        cpu_percent,
        users: gauges.live(),
    };
    let buckets = if buckets.is_empty() {
        &DEFAULT_BUCKETS[..]
    } else {
        buckets
    };
    let text = render(&metrics.snapshot(), &gauges.snapshot(), &[worker], buckets);
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
}
