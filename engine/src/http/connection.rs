//! A connection of either protocol, and the response body that it carries. Knows nothing of
//! URLs and measurement.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, Sleep};

use super::fault::Fault;
use super::http1::Http1;
use super::http2::{self, Http2};
use super::stream::Stamps;

pub(super) enum Connection {
    /// Belongs to one request at a time.
    Http1(Box<Http1>),
    /// Shared by the requests of a session.
    Http2(Arc<Http2>),
}

impl Connection {
    pub(super) fn stamps(&self) -> &Arc<Stamps> {
        match self {
            Self::Http1(connection) => connection.stamps(),
            Self::Http2(connection) => connection.stamps(),
        }
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        self,
        request: http::Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<(http::response::Parts, Payload), Fault> {
        let (response, carrier) = match self {
            Self::Http1(mut connection) => {
                let response = connection.send(request, deadline).await?;
                (response, Carrier::Http1(connection))
            }
            Self::Http2(connection) => {
                let (response, timer) = Box::pin(connection.send(request, deadline)).await?;
                (response, Carrier::Http2 { connection, timer })
            }
        };
        let (head, body) = response.into_parts();
        Ok((head, Payload { body, carrier }))
    }
}

/// A response body that is still on its connection.
pub(super) struct Payload {
    body: Incoming,
    carrier: Carrier,
}

enum Carrier {
    Http1(Box<Http1>),
    Http2 {
        /// Keeps the connection served until the body is read.
        connection: Arc<Http2>,
        timer: Pin<Box<Sleep>>,
    },
}

impl Payload {
    /// The announced length in bytes, if any.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece, never empty; `None` at the end.
    pub(super) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            let body = Pin::new(&mut self.body);
            let frame = match &mut self.carrier {
                Carrier::Http1(connection) => connection.poll_frame(body, cx),
                Carrier::Http2 { timer, .. } => http2::poll_frame(body, timer.as_mut(), cx),
            };
            match std::task::ready!(frame) {
                None => return Poll::Ready(None),
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                // What is not data is a trailer, which nobody asks for.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                    _ => {}
                },
            }
        }
    }

    /// The connection, when the body has been read to its end.
    pub(super) fn into_connection(self) -> Connection {
        match self.carrier {
            Carrier::Http1(connection) => Connection::Http1(connection),
            Carrier::Http2 { connection, .. } => Connection::Http2(connection),
        }
    }
}
