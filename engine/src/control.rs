//! The HTTP endpoint of a run: what was measured, how the run stands, and orders to it.
//! Serves what it is given and passes orders on; knows neither sandboxes nor what the
//! runner does about an order.

mod access;
mod connections;
mod load;
mod reply;
mod routes;
mod updates;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::access::Access;

use self::access::Guard;
use self::reply::{Problem, Reply};
use self::routes::Route;
use crate::monitor::Monitor;
use crate::output::html;
use crate::output::prometheus::{self, Observer};
use crate::steering::{Helm, Order, Status};

/// The largest body of a request in bytes. An order takes a line.
const MAX_BODY: usize = 4096;
/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(5);

/// The address cannot be used.
#[derive(Debug, Error)]
#[error("cannot serve on {address}: {cause}; choose another address")]
pub struct BindError {
    address: SocketAddr,
    cause: std::io::Error,
}

/// What the endpoint shows.
#[derive(Clone)]
pub struct Sources {
    /// What there is for Prometheus.
    pub series: prometheus::Sources,
    /// The run so far.
    pub monitor: Arc<Monitor>,
}

/// The running endpoint; when this is dropped it ends at once, see [`Endpoint::finish`].
pub struct Endpoint {
    address: SocketAddr,
    closing: CancellationToken,
    task: JoinHandle<()>,
}

impl Endpoint {
    /// Listens and serves. Orders go to `helm`, from those whom `access` lets. With `pages`
    /// there is a dashboard for browsers, too.
    pub async fn start(
        address: SocketAddr,
        sources: Sources,
        helm: Helm,
        access: Access,
        pages: bool,
    ) -> Result<Self, BindError> {
        let bind_error = |cause| BindError { address, cause };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let closing = CancellationToken::new();
        let shown = Shown {
            observer: Observer::new(sources.series),
            monitor: sources.monitor,
            helm,
            guard: Guard::new(&access, address),
            page: pages.then(|| html::live().into()),
            closing: closing.clone(),
        };
        let task = tokio::spawn(connections::serve(
            listener,
            Arc::new(shown),
            closing.clone(),
        ));
        Ok(Endpoint {
            address,
            closing,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and completes those in hand, for a second at most.
    pub async fn finish(mut self) {
        self.closing.cancel();
        // The task fails only if it panicked; then there is nothing left to wait for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What every connection needs.
struct Shown {
    observer: Observer,
    monitor: Arc<Monitor>,
    helm: Helm,
    guard: Guard,
    /// The dashboard for browsers.
    page: Option<Bytes>,
    closing: CancellationToken,
}

impl Shown {
    /// Answers a request, whatever is in it.
    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        let route = match routes::find(&parts.method, parts.uri.path()) {
            Ok(route) => route,
            Err(problem) => return problem.as_json(),
        };
        if route.is_guarded()
            && let Err(denied) = self.guard.check(&parts)
        {
            return Problem::from(denied).as_json();
        }
        match route {
            Route::Root => match &self.page {
                Some(page) => reply::page(page.clone()),
                None => reply::redirect("/metrics"),
            },
            Route::Report => reply::json(&self.monitor.so_far()),
            Route::Updates => {
                let reports = self.monitor.updates();
                reply::events(updates::updates(reports, self.closing.clone()))
            }
            Route::Metrics => reply::metrics(self.metrics()),
            Route::State => reply::state(&self.helm.status()),
            Route::Order(order) => match self.follow(order, body).await {
                Ok(status) => reply::state(&status),
                Err(problem) => problem.as_json(),
            },
            Route::Load => match self.load(body).await {
                Ok(status) => reply::state(&status),
                Err(problem) => problem.as_json(),
            },
            Route::Alias(order, done) => match self.follow(order, body).await {
                Ok(_) => reply::text(done),
                Err(problem) => problem.as_text(),
            },
        }
    }

    /// Gives an order that takes no words. What the client sends with it is read, so that
    /// the connection can serve another request, and has no meaning.
    async fn follow(&self, order: Order, body: Incoming) -> Result<Status, Problem> {
        read(body).await?;
        Ok(self.helm.order(order).await?)
    }

    async fn load(&self, body: Incoming) -> Result<Status, Problem> {
        let change = load::parse(&read(body).await?).map_err(Problem::Malformed)?;
        Ok(self.helm.order(Order::Load(change)).await?)
    }

    fn metrics(&self) -> String {
        self.observer.look(&self.helm.status(), prometheus::render)
    }
}

/// Reads a body that is small and comes soon.
async fn read(body: Incoming) -> Result<Bytes, Problem> {
    // A length that is announced need not be waited for.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Problem::TooLarge);
    }
    let collected = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(BODY_TIME, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if cause.is::<LengthLimitError>() => Err(Problem::TooLarge),
        Ok(Err(cause)) => Err(Problem::Malformed(format!("cannot read the body: {cause}"))),
        Err(_) => Err(Problem::TooSlow),
    }
}
