//! Where to push: a URL, its headers, and how it is shown. Refuses what cannot work before
//! the run; knows nothing of what is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::Client;
use reqwest::redirect::Policy;
use thiserror::Error;
use url::Url;

use super::post::innermost;
use crate::secrets::Secrets;

/// How long an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers that belong to the protocols.
const RESERVED: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "x-prometheus-remote-write-version",
];
/// The end of all URLs that take metrics by OTLP.
const OTLP_PATH: &str = "/v1/metrics";

/// Why nothing can be pushed. Values of headers and passwords are never part of it.
#[derive(Debug, Error)]
pub enum InvalidPush {
    /// Not a URL of HTTP.
    #[error("cannot push to {0}: give a URL that begins with http:// or https://")]
    Url(String),
    /// A header that HTTP has not.
    #[error("cannot push with the header '{0}': its name or its value is not allowed in HTTP")]
    Header(String),
    /// A header that the protocols set themselves.
    #[error("cannot push with the header '{0}': pushing sets it itself; leave it out")]
    Reserved(String),
    /// Two sets of credentials.
    #[error(
        "cannot push to {0} with both the user name in the URL and a header Authorization: leave \
         one out"
    )]
    TwoCredentials(String),
    /// Pushes without a pause.
    #[error("cannot push that often: leave {0:?} or more between two pushes")]
    Interval(Duration),
    /// No client can be made.
    #[error("cannot push: {0}; without certificates, name a file of them in SSL_CERT_FILE")]
    Client(String),
}

/// How to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Prometheus remote write 1.0.
    RemoteWrite,
    /// OpenTelemetry's protocol over HTTP, with protobuf.
    Otlp,
}

/// A place to push to.
pub(super) struct Destination {
    pub(super) protocol: Protocol,
    pub(super) client: Client,
    pub(super) url: Url,
    /// The URL without what nobody shall read.
    pub(super) shown: String,
    /// The run's secrets.
    pub(super) secrets: Secrets,
    /// The credentials of this place: a server may repeat them in its answer.
    pub(super) credentials: Secrets,
}

impl Destination {
    pub(super) fn new(
        protocol: Protocol,
        url: &Url,
        headers: &[(String, String)],
        secrets: &Secrets,
    ) -> Result<Self, InvalidPush> {
        let url = match protocol {
            Protocol::RemoteWrite => url.clone(),
            Protocol::Otlp => otlp_url(url),
        };
        let shown = shown(&url);
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(InvalidPush::Url(shown));
        }
        let map = header_map(headers)?;
        let user = !url.username().is_empty() || url.password().is_some();
        if user && map.contains_key(header::AUTHORIZATION) {
            return Err(InvalidPush::TwoCredentials(shown));
        }
        Ok(Self {
            protocol,
            client: client(&url, map)
                .map_err(|error| InvalidPush::Client(innermost(&error).to_string()))?,
            credentials: credentials(&url, headers),
            url,
            shown,
            secrets: secrets.clone(),
        })
    }

    /// Words of a server, as they may be shown.
    pub(super) fn masked(&self, text: &str) -> String {
        let masked = self.secrets.mask(text);
        self.credentials.mask(&masked).into_owned()
    }
}

/// With the path for metrics, unless it has that already.
fn otlp_url(url: &Url) -> Url {
    let mut url = url.clone();
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with(OTLP_PATH) {
        url.set_path(&(path + OTLP_PATH));
    }
    url
}

/// Without user, query and fragment: any of them may hold a key.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Only URLs without a host refuse these, and they have none of it.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, InvalidPush> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let invalid = || InvalidPush::Header(name.clone());
        let key = HeaderName::try_from(name).map_err(|_| invalid())?;
        if RESERVED.contains(&key.as_str()) {
            return Err(InvalidPush::Reserved(name.clone()));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        map.append(key, value);
    }
    Ok(map)
}

/// A client that follows nobody anywhere: what a push was redirected to need not be meant to
/// have the credentials.
fn client(url: &Url, headers: HeaderMap) -> Result<Client, reqwest::Error> {
    // Fails if there is one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("aiotest-engine/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(Policy::none())
        .pool_max_idle_per_host(1)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    match url.scheme() {
        // Plain HTTP has to work on machines without certificates.
        "http" => builder.tls_certs_only([]).build(),
        _ => builder.build(),
    }
}

/// Everything that nobody shall read, as far as it is long enough to be told from ordinary
/// words.
fn credentials(url: &Url, headers: &[(String, String)]) -> Secrets {
    let mut all = Vec::new();
    for (_, value) in headers {
        // Also the part behind a word such as `Bearer`.
        all.extend([&**value, value.rsplit(' ').next().unwrap_or_default()]);
    }
    let basic = url.password().map(|password| {
        all.push(password);
        STANDARD.encode(format!("{}:{password}", url.username()))
    });
    all.extend(basic.as_deref());
    all.extend(url.query());
    let mut secrets = BTreeMap::new();
    for (n, value) in all.into_iter().enumerate() {
        let secret = BTreeMap::from([(n.to_string(), value.to_owned())]);
        if Secrets::new(secret.clone()).is_ok() {
            secrets.extend(secret);
        }
    }
    Secrets::new(secrets).unwrap_or_default()
}
