//! One HTTP/1.1 connection, polled by the request that uses it: no task and no wake-up
//! between them. Knows nothing of pools and measurement.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::fault::Fault;
use super::gate::Gate;
use super::stream::{Stamps, Stream};

pub(super) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: http1::Connection<TokioIo<Stream>, Full<Bytes>>,
    /// Set when the connection has ended; it must not be polled again.
    end: Option<hyper::Result<()>>,
    /// Kept for the connection's life: moving a running timer further takes no lock.
    timer: Pin<Box<Sleep>>,
    gate: Gate,
    stamps: Arc<Stamps>,
}

/// How often the connection is polled in one turn of its task.
const MAX_TURNS: u32 = 4;

impl Http1 {
    pub(super) async fn handshake(stream: Stream, max_headers: usize) -> hyper::Result<Box<Self>> {
        let stamps = stream.stamps();
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(max_headers)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Box::new(Self {
            sender,
            connection,
            end: None,
            timer: Box::pin(sleep_until(Instant::now())),
            gate: Gate::new(),
            stamps,
        }))
    }

    pub(super) fn stamps(&self) -> &Arc<Stamps> {
        &self.stamps
    }

    /// Whether another request can be sent. Sees a close that the reactor has seen.
    pub(super) fn is_ready(&mut self) -> bool {
        self.drive();
        self.end.is_none() && self.sender.is_ready()
    }

    /// Whether the connection can be kept after an exchange.
    pub(super) fn is_reusable(&mut self) -> bool {
        self.end.is_none() && (self.sender.is_ready() || self.is_ready())
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        request: http::Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<http::Response<Incoming>, Fault> {
        self.timer.as_mut().reset(deadline);
        // Being told to yield, without a waker, would be the end of it.
        let mut response = pin!(unconstrained(self.sender.send_request(request)));
        std::future::poll_fn(|cx| self.poll_with(cx, |half| response.as_mut().poll(half)))
            .await?
            .map_err(Fault::Http)
    }

    /// The next frame of the body of the last response.
    pub(super) fn poll_frame(
        &mut self,
        mut body: Pin<&mut Incoming>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match ready!(self.poll_with(cx, |half| body.as_mut().poll_frame(half))) {
            Ok(Some(Err(error))) => Poll::Ready(Some(Err(self.fault(Some(error))))),
            Ok(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Fault::Http))),
            Err(fault) => Poll::Ready(Some(Err(fault))),
        }
    }

    /// Polls what the connection feeds, and the connection as far as that needs more. That
    /// half needs no waker: it changes only while the connection is polled.
    fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut half: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Fault>> {
        let mut quiet = Context::from_waker(Waker::noop());
        if let Poll::Ready(value) = half(&mut quiet) {
            return Poll::Ready(Ok(value));
        }
        for _ in 0..MAX_TURNS {
            self.drive();
            if let Poll::Ready(value) = half(&mut quiet) {
                return Poll::Ready(Ok(value));
            }
            if self.end.is_some() {
                return Poll::Ready(Err(self.fault(None)));
            }
            if self.gate.wait(cx.waker()) {
                return self.timer.as_mut().poll(cx).map(|()| Err(Fault::Timeout));
            }
        }
        // The task has used up its turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn drive(&mut self) {
        self.gate.close();
        if self.end.is_none() {
            let mut cx = Context::from_waker(self.gate.waker());
            if let Poll::Ready(end) = Pin::new(&mut self.connection).poll(&mut cx) {
                self.end = Some(end);
            }
        }
    }

    /// The connection's own error tells more than the one it hands to the body.
    fn fault(&mut self, reported: Option<hyper::Error>) -> Fault {
        match (self.end.take(), reported) {
            (Some(Err(error)), _) | (Some(Ok(())), Some(error)) => {
                self.end = Some(Ok(()));
                Fault::Http(error)
            }
            (None, Some(error)) => Fault::Http(error),
            (end, None) => {
                self.end = end;
                Fault::Closed
            }
        }
    }
}
