//! What all sessions of a run share: limits, grants, TLS configuration and resolved names.
//! Holds no connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::egress::Egress;
use super::error::{Error, ErrorKind};
use super::tls::{self, Trust};

/// How long a resolved name is remembered.
const DNS_TTL: Duration = Duration::from_secs(60);
/// How many resolved names are remembered.
const DNS_ENTRIES: usize = 1024;

/// The HTTP settings of a run.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Accept every TLS certificate.
    pub insecure: bool,
    /// Speak HTTP/2 over plain connections, without asking the server first.
    pub http2_prior_knowledge: bool,
    /// Addresses that may be reached; nothing by default.
    pub egress: Egress,
    /// Largest response body in bytes, which no session or request can exceed; 16 MiB.
    pub max_body: u64,
    /// Largest response head in bytes, give or take one read from the socket; 64 KiB.
    pub max_headers: u32,
    /// Limit for a whole exchange unless the request has its own; 30 s.
    pub timeout: Duration,
    /// Limit for resolving, connecting and the TLS handshake together; 10 s.
    pub connect_timeout: Duration,
    /// Redirects followed unless the request has its own limit; 10.
    pub redirects: u32,
    /// Requests that may be sent, redirects and retries included; no limit by default.
    pub max_requests: Option<u64>,
    /// The `user-agent` header unless the session or the request has its own.
    pub user_agent: String,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            insecure: false,
            http2_prior_knowledge: false,
            egress: Egress::default(),
            max_body: 16 << 20,
            max_headers: 64 << 10,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            redirects: 10,
            max_requests: None,
            user_agent: concat!("aiotest-engine/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The user agent cannot be sent.
    #[error("the user agent {0:?} cannot be sent in a header; use printable ASCII")]
    UserAgent(String),
    /// The limit for response heads is below what the protocols need.
    #[error("a limit of {0} bytes for response headers is too small; use at least 8192")]
    MaxHeaders(u32),
}

/// The HTTP side of a run; clones share everything.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    config: ClientConfig,
    /// Requests that may still be sent, if there is a limit.
    requests_left: AtomicU64,
    spent: CancellationToken,
    user_agent: HeaderValue,
    tls: OnceCell<TlsConnector>,
    names: Mutex<HashMap<String, Resolved>>,
}

struct Resolved {
    at: Instant,
    addresses: Arc<[IpAddr]>,
}

impl Client {
    /// Checks the settings; connects nowhere and reads no file.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let user_agent = HeaderValue::try_from(config.user_agent.as_str())
            .map_err(|_| ClientError::UserAgent(config.user_agent.clone()))?;
        if config.max_headers < 8192 {
            return Err(ClientError::MaxHeaders(config.max_headers));
        }
        let shared = Arc::new(Shared {
            requests_left: AtomicU64::new(config.max_requests.unwrap_or(u64::MAX)),
            spent: CancellationToken::new(),
            config,
            user_agent,
            tls: OnceCell::new(),
            names: Mutex::default(),
        });
        Ok(Self { shared })
    }

    /// A client that trusts these certificates instead of the system's.
    #[cfg(test)]
    pub(super) fn trusting(config: ClientConfig, roots: rustls::RootCertStore) -> Self {
        let client = Self::new(config).unwrap();
        let connector = tls::connector(Trust::Roots(roots)).unwrap();
        assert!(client.shared.tls.set(connector).is_ok());
        client
    }

    /// Resolves when a request was refused because the limit is reached.
    pub async fn requests_spent(&self) {
        self.shared.spent.cancelled().await;
    }

    /// Whether another request may be sent, which counts it.
    pub(super) fn may_send(&self) -> bool {
        if self.config().max_requests.is_none() {
            return true;
        }
        let one_less = |left: u64| left.checked_sub(1);
        let left = &self.shared.requests_left;
        let granted = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        if granted.is_err() {
            self.shared.spent.cancel();
        }
        granted.is_ok()
    }

    pub(super) fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    pub(super) fn user_agent(&self) -> HeaderValue {
        self.shared.user_agent.clone()
    }

    /// The TLS configuration, made at the first need: a plain-text run reads no
    /// certificates.
    pub(super) async fn tls(&self) -> Result<&TlsConnector, Error> {
        let insecure = self.config().insecure;
        self.shared
            .tls
            .get_or_try_init(|| async move {
                let build = move || {
                    let trust = match insecure {
                        true => Trust::Anyone,
                        false => Trust::Roots(tls::native_roots()?),
                    };
                    tls::connector(trust)
                };
                tokio::task::spawn_blocking(build)
                    .await
                    .map_err(|_| Error::new(ErrorKind::Tls, "the engine is shutting down"))?
            })
            .await
    }

    /// The addresses of a name, in the resolver's order.
    pub(super) async fn resolve(&self, name: &str) -> Result<Arc<[IpAddr]>, Error> {
        if let Some(known) = self.shared.names.lock().get(name)
            && known.at.elapsed() < DNS_TTL
        {
            return Ok(known.addresses.clone());
        }
        let unresolved =
            |cause: String| Error::new(ErrorKind::Dns, format!("cannot resolve {name}: {cause}"));
        let addresses: Arc<[IpAddr]> = tokio::net::lookup_host((name, 0))
            .await
            .map_err(|error| unresolved(error.to_string()))?
            .map(|address| address.ip())
            .collect();
        if addresses.is_empty() {
            return Err(unresolved("it has no address".to_owned()));
        }
        let mut names = self.shared.names.lock();
        if names.len() >= DNS_ENTRIES {
            names.retain(|_, known| known.at.elapsed() < DNS_TTL);
        }
        if names.len() < DNS_ENTRIES {
            let resolved = Resolved {
                at: Instant::now(),
                addresses: addresses.clone(),
            };
            names.insert(name.to_owned(), resolved);
        }
        Ok(addresses)
    }
}
