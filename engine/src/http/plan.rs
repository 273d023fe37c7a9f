//! A request as the scenario asks for it, and how it goes on after an answer: again, or
//! elsewhere. Sends nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
    CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use http_body_util::Full;

use super::client::ClientConfig;
use super::error::Error;
use super::headers;
use super::origin::Origin;

/// What happens to a response body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMode {
    /// Read and decompressed before `send` returns.
    #[default]
    Buffer,
    /// Read, counted and thrown away before `send` returns.
    Discard,
    /// Left on the connection, to be read in pieces as they come.
    Stream,
}

/// How a request is sent; what is absent comes from the session, then from the client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Limit for the whole exchange, from the call until the body is complete.
    pub timeout: Option<Duration>,
    /// Redirects followed; 0 returns the 3xx response itself.
    pub redirects: Option<u32>,
    /// Further tries after a transient failure.
    pub retries: Option<u32>,
    /// Largest response body in bytes; the client's own limit cannot be exceeded.
    pub max_body: Option<u64>,
    /// What happens to the response body.
    pub body: Option<BodyMode>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Any method but CONNECT.
    pub method: Method,
    /// An absolute URL, or a path that is appended to the session's base URL.
    pub url: String,
    /// The name in the results, at most 256 bytes; made of the path when absent.
    pub name: Option<String>,
    /// Kept apart in the results; see `Sample::tags`.
    pub tags: String,
    /// They replace the session's defaults of the same name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
    /// How it is sent.
    pub options: Options,
}

/// `Options` with nothing left open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    pub(super) redirects: u32,
    pub(super) retries: u32,
    pub(super) max_body: u64,
    pub(super) body: BodyMode,
}

impl Limits {
    pub(super) fn new(config: &ClientConfig) -> Self {
        Self {
            timeout: config.timeout,
            redirects: config.redirects,
            retries: 0,
            max_body: config.max_body,
            body: BodyMode::default(),
        }
    }

    /// These limits where the options leave them; `max_body` never exceeds the run's.
    pub(super) fn with(self, options: &Options, config: &ClientConfig) -> Self {
        Self {
            timeout: options.timeout.unwrap_or(self.timeout),
            redirects: options.redirects.unwrap_or(self.redirects),
            retries: options.retries.unwrap_or(self.retries),
            max_body: options
                .max_body
                .unwrap_or(self.max_body)
                .min(config.max_body),
            body: options.body.unwrap_or(self.body),
        }
    }
}

/// How a request goes on after an answer or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    Retry,
    Redirect,
}

/// A checked request, and how far it has come.
pub(super) struct Plan {
    pub(super) method: Method,
    pub(super) origin: Arc<Origin>,
    pub(super) path: PathAndQuery,
    /// The name that was given; otherwise it is made of the path when it is needed.
    pub(super) name: Option<String>,
    pub(super) tags: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) limits: Limits,
    pub(super) progress: Progress,
}

/// What redirects and retries have changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) hops: u32,
    pub(super) tries: u32,
    /// A redirect led to another origin: no secrets are sent from there on.
    crossed: bool,
    /// A redirect turned the request into a GET.
    bodyless: bool,
}

/// What is left out after a redirect to another origin.
const SECRETS: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST];
/// What is left out with the body.
const BODY_HEADERS: [HeaderName; 4] = [
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
];

impl Plan {
    /// How the request goes on after this answer.
    pub(super) fn after(&self, status: StatusCode, headers: &HeaderMap) -> Next {
        if status.is_success() {
            return Next::Done;
        }
        let redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        if redirect && self.limits.redirects > 0 && headers.contains_key(LOCATION) {
            return Next::Redirect;
        }
        let busy = matches!(status.as_u16(), 429 | 502 | 503 | 504);
        if busy && self.may_retry() {
            return Next::Retry;
        }
        Next::Done
    }

    /// How the request goes on after this error.
    pub(super) fn after_error(&self, error: &Error) -> Next {
        if error.kind.is_transient() && self.may_retry() {
            Next::Retry
        } else {
            Next::Done
        }
    }

    fn may_retry(&self) -> bool {
        self.progress.tries < self.limits.retries
    }

    /// Directs the request to where an answer with this status points, as browsers do.
    pub(super) fn redirect(&mut self, status: StatusCode, origin: Arc<Origin>, path: PathAndQuery) {
        self.progress.hops += 1;
        self.progress.crossed |= origin.prefix() != self.origin.prefix();
        self.origin = origin;
        self.path = path;
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::HEAD && self.method != Method::GET,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.progress.bodyless = true;
        }
    }

    /// The request for the wire, on top of the session's default headers.
    pub(super) fn build(
        &self,
        mut headers: HeaderMap,
        cookies: impl FnOnce() -> Option<HeaderValue>,
        multiplexed: bool,
    ) -> Result<http::Request<Full<Bytes>>, Error> {
        self.set_headers(&mut headers);
        if !headers.contains_key(COOKIE)
            && let Some(cookies) = cookies()
        {
            headers.insert(COOKIE, cookies);
        }
        let uri = if multiplexed {
            let host = headers.remove(HOST);
            self.origin.uri(self.path.clone(), host)?
        } else {
            if !headers.contains_key(HOST) {
                headers.insert(HOST, self.origin.host_header());
            }
            Uri::from(self.path.clone())
        };
        let expects_body = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        if self.body.is_empty() && expects_body {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn set_headers(&self, headers: &mut HeaderMap) {
        for (index, (name, value)) in self.headers.iter().enumerate() {
            if self.headers[..index]
                .iter()
                .any(|(earlier, _)| earlier == name)
            {
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
        if self.progress.crossed {
            SECRETS.iter().for_each(|name| drop(headers.remove(name)));
        }
        if self.progress.bodyless {
            BODY_HEADERS
                .iter()
                .for_each(|name| drop(headers.remove(name)));
        }
    }
}

/// Checks the headers of a request with a body of this length.
pub(super) fn check_headers(
    given: Vec<(String, String)>,
    body: usize,
) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    if given.len() > headers::MAX_HEADERS {
        return Err(Error::invalid(format!(
            "a request has at most {} headers",
            headers::MAX_HEADERS
        )));
    }
    let mut checked = Vec::with_capacity(given.len());
    for (name, value) in given {
        let (name, value) = headers::check(&name, value).map_err(Error::invalid)?;
        // The length is told by the connection; a wrong one would break the protocol.
        if name != CONTENT_LENGTH {
            checked.push((name, value));
        } else if value.to_str().ok().and_then(|v| v.trim().parse().ok()) != Some(body) {
            return Err(Error::invalid(
                "the header content-length is not the length of the body",
            ));
        }
    }
    Ok(checked)
}
