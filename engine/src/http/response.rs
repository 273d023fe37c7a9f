//! An answer in the hands of the scenario: counted when it is dropped. Knows nothing of how
//! it was asked for.

use std::borrow::Cow;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use parking_lot::Mutex;

use super::body;
use super::connection::Payload;
use super::error::{Error, one_line};
use super::exchange::{Exchange, Mark};
use crate::sample::Timings;

/// What a connection delivered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The body, when it is left on the connection.
    pub(super) stream: Option<Payload>,
}

/// An answer. Dropping it records one sample: a failure when the status is 400 or above,
/// or when the connection broke while the body was read, unless a mark says otherwise.
pub struct Response {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    body: Bytes,
    state: Mutex<State>,
}

struct State {
    /// Before `exchange`: what is left of the stream ends with the response.
    stream: Option<Box<Payload>>,
    reading: bool,
    exchange: Exchange,
}

impl Response {
    pub(super) fn new(mut exchange: Exchange, answer: Answer) -> Self {
        exchange.deliver();
        Self {
            status: answer.status,
            version: answer.version,
            headers: answer.headers,
            body: answer.body,
            state: Mutex::new(State {
                stream: answer.stream.map(Box::new),
                reading: false,
                exchange,
            }),
        }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The protocol version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> String {
        let state = self.state.lock();
        let plan = &state.exchange.plan;
        [plan.origin.prefix(), plan.path.as_str()].concat()
    }

    /// The first header of that name; bytes outside UTF-8 become U+FFFD.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The decompressed body; empty when it was discarded or is streamed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How long the parts took; all zero until a streamed body is complete.
    pub fn timings(&self) -> Timings {
        self.state.lock().exchange.timings()
    }

    /// Counts it as a success whatever its status.
    pub fn success(&self) {
        self.state.lock().exchange.mark = Mark::Success;
    }

    /// Counts it as a failure with this reason whatever its status.
    pub fn failure(&self, reason: impl Into<String>) {
        self.state.lock().exchange.mark = Mark::Failure(one_line(reason.into()));
    }

    /// Counts it as a failure because the task that holds it failed, unless it was marked.
    pub fn fail_task(&self, message: impl Into<String>) {
        let mark = &mut self.state.lock().exchange.mark;
        if matches!(mark, Mark::None | Mark::Task(_)) {
            *mark = Mark::Task(one_line(message.into()));
        }
    }

    /// The next piece of a streamed body as it came over the wire; empty at its end. Fails
    /// when the connection does, when the limits are exceeded, and when another piece is
    /// being read.
    pub async fn read_chunk(&self) -> Result<Bytes, Error> {
        let _reading = Reading::start(self)?;
        std::future::poll_fn(|cx| self.state.lock().poll_chunk(cx)).await
    }
}

/// Two readers at once would steal each other's wake-ups.
struct Reading<'a>(&'a Response);

impl<'a> Reading<'a> {
    fn start(response: &'a Response) -> Result<Self, Error> {
        let mut state = response.state.lock();
        if std::mem::replace(&mut state.reading, true) {
            return Err(Error::invalid("the body is being read by another call"));
        }
        Ok(Self(response))
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.state.lock().reading = false;
    }
}

impl State {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(match self.exchange.failure() {
                Some(error) => Err(error.clone()),
                None => Ok(Bytes::new()),
            });
        };
        let limits = self.exchange.plan.limits;
        let error = match std::task::ready!(stream.poll_data(cx)) {
            Some(Ok(piece)) => {
                self.exchange.received += piece.len() as u64;
                if self.exchange.received <= limits.max_body {
                    return Poll::Ready(Ok(piece));
                }
                body::too_large(limits.max_body)
            }
            Some(Err(fault)) => {
                fault.into_error(self.exchange.plan.origin.authority(), limits.timeout)
            }
            None => {
                self.exchange.end();
                if let Some(stream) = self.stream.take() {
                    self.exchange.plan.origin.put(stream.into_connection());
                }
                return Poll::Ready(Ok(Bytes::new()));
            }
        };
        self.stream = None;
        self.exchange.fail(error.clone());
        Poll::Ready(Err(error))
    }
}
