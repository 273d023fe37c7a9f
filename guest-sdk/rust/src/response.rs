//! An answer, and the scenario's verdict on it.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::bindings::aiotest::engine::http;
use crate::failure::{Failure, HttpError, Result};
use crate::{call, convention};

pub use crate::bindings::aiotest::engine::http::Version;

/// An answer of the server.
///
/// It counts as a failure when its status is 400 or above, unless
/// [`success`](Self::success) or [`failure`](Self::failure) says otherwise, or the step
/// that got it fails. As Rust drops a response before the step's error arrives anywhere,
/// a dropped response is kept until the next request, the next
/// [`wait`](crate::wait()) or the end of the step: only when the step fails before that,
/// the response fails with it. So `assert!` and `?` judge the response just read,
/// and no block has to be kept around it.
pub struct Response {
    /// Present until the drop.
    handle: Option<http::Response>,
}

impl Response {
    pub(crate) fn new(handle: http::Response) -> Self {
        Self {
            handle: Some(handle),
        }
    }

    fn handle(&self) -> &http::Response {
        match &self.handle {
            Some(handle) => handle,
            None => unreachable!("only the drop takes it"),
        }
    }

    /// The status code, for example 200.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.handle().status()
    }

    /// The version of HTTP that was spoken.
    #[must_use]
    pub fn version(&self) -> Version {
        self.handle().version()
    }

    /// Where the answer came from, after redirects.
    #[must_use]
    pub fn url(&self) -> String {
        self.handle().url()
    }

    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.handle().header(name)
    }

    /// All headers, in the order of the answer.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        self.handle().headers()
    }

    /// The body, copied from the engine; empty after `discard` or `stream`.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.handle().body()
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// When the body is not JSON, or not of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.bytes()).map_err(|error| self.not_json(&error))
    }

    #[cold]
    fn not_json(&self, error: &serde_json::Error) -> Failure {
        Failure::Failed(format!(
            "status {} and not the JSON expected: {error}",
            self.status()
        ))
    }

    /// The next piece of a body sent for with
    /// [`stream`](crate::RequestBuilder::stream); nothing at its end.
    ///
    /// # Errors
    ///
    /// When the body breaks off or is too large.
    pub async fn chunk(&self) -> Result<Option<Vec<u8>>, HttpError> {
        match convention::read(self.handle()).await {
            Ok(piece) if piece.is_empty() => Ok(None),
            Ok(piece) => Ok(Some(piece)),
            Err(error) => Err(error.into()),
        }
    }

    /// The response itself, when its status is below 400.
    ///
    /// # Errors
    ///
    /// Fails the step when the status is 400 or above.
    pub fn error_for_status(self) -> Result<Self> {
        match self.status() {
            ..400 => Ok(self),
            status => Err(Failure::Failed(format!("status {status}"))),
        }
    }

    /// How long each part of the exchange took.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.handle().timings().into()
    }

    /// Counts the response as a success, whatever its status.
    pub fn success(&self) {
        self.handle().success();
    }

    /// Counts the response as a failure with this reason, whatever its status. The step
    /// goes on.
    pub fn failure(&self, reason: &str) {
        self.handle().failure(reason);
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            call::park(handle);
        }
    }
}

/// How long each part of an exchange took; parts that did not happen are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Name resolution.
    pub dns: Duration,
    /// TCP connection.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Duration,
    /// Writing the request.
    pub send: Duration,
    /// Last byte written until first byte read.
    pub first_byte: Duration,
    /// First byte read until the body was complete.
    pub body: Duration,
    /// All of the above: the response time in the results.
    pub total: Duration,
}

impl From<http::Timings> for Timings {
    fn from(timings: http::Timings) -> Self {
        Self {
            dns: Duration::from_nanos(timings.dns),
            connect: Duration::from_nanos(timings.connect),
            tls: Duration::from_nanos(timings.tls),
            send: Duration::from_nanos(timings.send),
            first_byte: Duration::from_nanos(timings.first_byte),
            body: Duration::from_nanos(timings.body),
            total: Duration::from_nanos(timings.total),
        }
    }
}
