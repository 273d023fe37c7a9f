//! One measured exchange, as plain data, and where it goes. Knows neither who measured
//! it nor what becomes of it.

use std::time::Duration;

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
    /// From the call until the body was complete: the response time in the results.
    pub total: Duration,
}

/// Why an exchange counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// A word for machines: `status`, `mark`, `task`, or the name of a transport error
    /// such as `connect-refused` or `timeout`.
    pub kind: &'a str,
    /// One line for people.
    pub message: &'a str,
}

/// One exchange. It borrows its texts, so that recording allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// HTTP method, or the protocol's name for exchanges of another kind.
    pub method: &'a str,
    /// The name under which it is counted.
    pub name: &'a str,
    /// HTTP status; 0 when there was no response.
    pub status: u16,
    /// Absent for a success.
    pub failure: Option<Failure<'a>>,
    /// Where the time went.
    pub timings: Timings,
    /// Bytes of the request body.
    pub sent: u64,
    /// Bytes of the response body as they came over the wire.
    pub received: u64,
}

/// Takes samples, from any thread, without blocking.
pub trait Sink: Send + Sync {
    /// Counts one exchange.
    fn record(&self, sample: &Sample<'_>);
}
