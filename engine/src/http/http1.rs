//! One HTTP/1.1 connection, polled by the request that uses it: no task and no wake-up
//! between them. Knows nothing of pools and measurement.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::fault::Fault;
use super::stream::{Stamps, Stream};

pub(super) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: http1::Connection<TokioIo<Stream>, Full<Bytes>>,
    /// Set when the connection has ended; it must not be polled again.
    end: Option<hyper::Result<()>>,
    /// Kept for the connection's life: moving a running timer further takes no lock.
    timer: Pin<Box<Sleep>>,
    stamps: Arc<Stamps>,
}

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
            stamps,
        }))
    }

    pub(super) fn stamps(&self) -> &Arc<Stamps> {
        &self.stamps
    }

    /// Whether another request can be sent. Sees a close that the reactor has seen, and
    /// forgets the last user's waker, so that nobody is woken by an idle connection.
    pub(super) fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
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
        // Without a waker, being told to yield would be the end of it.
        let mut response = pin!(unconstrained(self.sender.send_request(request)));
        std::future::poll_fn(|cx| {
            self.drive(cx);
            // Only the connection completes the response, and it has just been polled.
            match response
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(result) => Poll::Ready(result.map_err(Fault::Http)),
                Poll::Pending => self.poll_stalled(cx).map(Err),
            }
        })
        .await
    }

    /// The next frame of the body of the last response.
    pub(super) fn poll_frame(
        &mut self,
        body: Pin<&mut Incoming>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Fault>>> {
        use hyper::body::Body;

        self.drive(cx);
        match body.poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(self.fault(Some(error))))),
            Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Fault::Http))),
            Poll::Pending => self.poll_stalled(cx).map(|fault| Some(Err(fault))),
        }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if self.end.is_none()
            && let Poll::Ready(end) = Pin::new(&mut self.connection).poll(cx)
        {
            self.end = Some(end);
        }
    }

    /// Why nothing more will come, if that is so.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if self.end.is_some() {
            return Poll::Ready(self.fault(None));
        }
        self.timer.as_mut().poll(cx).map(|()| Fault::Timeout)
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
