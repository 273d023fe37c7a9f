//! A collector that takes metrics by OTLP over HTTP and keeps the newest of each stream.
//! Knows the protocol, not what is measured.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{ExponentialHistogramDataPoint, number_data_point};
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

/// Attributes by name.
pub type Attributes = BTreeMap<String, String>;

/// What a collector has taken.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Requests.
    pub requests: usize,
    /// Headers of the last request, those of a name once.
    pub headers: BTreeMap<String, String>,
    /// Who measured.
    pub resource: Attributes,
    /// The newest number of each sum and gauge.
    pub numbers: BTreeMap<(String, Attributes), f64>,
    /// The newest state of each exponential histogram.
    pub exponential: BTreeMap<(String, Attributes), ExponentialHistogramDataPoint>,
}

/// A running collector. Dropping it ends its thread.
pub struct Collector {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Collector {
    /// Starts it on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Self {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("there is a runtime");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("there is a free port");
        let address = listener.local_addr().expect("the port is known");
        let taken = Arc::new(Mutex::new(Taken::default()));
        let router = Router::new()
            .route("/v1/metrics", post(take))
            .with_state(Arc::clone(&taken));
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    result = axum::serve(listener, router) => result.expect("it can accept"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            taken,
            running: Some((stop, thread)),
        }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything so far.
    pub fn taken(&self) -> Taken {
        self.taken.lock().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // Both fail only after the thread has panicked, which it has printed.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

async fn take(
    State(taken): State<Arc<Mutex<Taken>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut taken = taken.lock();
    taken.requests += 1;
    taken.headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    for resource in request.resource_metrics {
        let who = resource.resource.unwrap_or_default();
        taken.resource = attributes(&who.attributes);
        for metric in resource.scope_metrics.into_iter().flat_map(|s| s.metrics) {
            taken.add(&metric.name, metric.data);
        }
    }
    StatusCode::OK
}

impl Taken {
    fn add(&mut self, name: &str, data: Option<Data>) {
        let numbers = match data {
            Some(Data::Sum(sum)) => sum.data_points,
            Some(Data::Gauge(gauge)) => gauge.data_points,
            Some(Data::ExponentialHistogram(histogram)) => {
                for point in histogram.data_points {
                    let key = (name.to_owned(), attributes(&point.attributes));
                    self.exponential.insert(key, point);
                }
                return;
            }
            _ => return,
        };
        for point in numbers {
            if let Some(number_data_point::Value::AsDouble(value)) = point.value {
                let key = (name.to_owned(), attributes(&point.attributes));
                self.numbers.insert(key, value);
            }
        }
    }
}

/// Those that are texts.
fn attributes(pairs: &[KeyValue]) -> Attributes {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(value) => Some((pair.key.clone(), value.clone())),
        _ => None,
    };
    pairs.iter().filter_map(text).collect()
}
