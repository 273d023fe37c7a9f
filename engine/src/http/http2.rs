//! One HTTP/2 connection, driven by tasks of its own, since PING and GOAWAY must be served
//! while nobody sends. Knows nothing of pools and measurement.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};

use super::fault::Fault;
use super::stream::{Stamps, Stream};

/// How much of one response may wait unread in memory, in bytes.
const STREAM_WINDOW: u32 = 1 << 20;
/// The same for all responses of a connection.
const CONNECTION_WINDOW: u32 = 4 << 20;

pub(super) struct Http2 {
    sender: http2::SendRequest<Full<Bytes>>,
    stamps: Arc<Stamps>,
    _driver: Driver,
}

/// The tasks that serve the connection; they end with it, whatever the peer does.
struct Driver(Vec<AbortHandle>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Spawns, and remembers what it spawned while the connection was set up: that is what
/// serves it. Later tasks belong to single streams and end with the connection.
#[derive(Clone)]
struct Executor(Arc<Mutex<Option<Vec<AbortHandle>>>>);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        let task = tokio::spawn(future);
        if let Some(tasks) = self.0.lock().as_mut() {
            tasks.push(task.abort_handle());
        }
    }
}

impl Http2 {
    pub(super) async fn handshake(stream: Stream, max_headers: u32) -> hyper::Result<Self> {
        let stamps = stream.stamps();
        let executor = Executor(Arc::new(Mutex::new(Some(Vec::new()))));
        let (sender, connection) = http2::Builder::new(executor.clone())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(max_headers)
            .handshake(TokioIo::new(stream))
            .await?;
        let mut tasks = executor.0.lock().take().unwrap_or_default();
        // Its error reaches every request in flight.
        tasks.push(tokio::spawn(connection).abort_handle());
        Ok(Self {
            sender,
            stamps,
            _driver: Driver(tasks),
        })
    }

    pub(super) fn stamps(&self) -> &Arc<Stamps> {
        &self.stamps
    }

    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &self,
        request: http::Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<(http::Response<Incoming>, Pin<Box<Sleep>>), Fault> {
        let mut timer = Box::pin(sleep_until(deadline));
        let mut response = pin!(self.sender.clone().send_request(request));
        let response = std::future::poll_fn(|cx| match response.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(result.map_err(Fault::Http)),
            Poll::Pending => timer.as_mut().poll(cx).map(|()| Err(Fault::Timeout)),
        })
        .await?;
        Ok((response, timer))
    }
}

/// The next frame of a body, until the timer fires.
pub(super) fn poll_frame(
    body: Pin<&mut Incoming>,
    timer: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
    match body.poll_frame(cx) {
        Poll::Ready(frame) => Poll::Ready(frame.map(|frame| frame.map_err(Fault::Http))),
        Poll::Pending => timer.poll(cx).map(|()| Some(Err(Fault::Timeout))),
    }
}
