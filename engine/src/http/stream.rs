//! The byte stream under a connection, plain or TLS, which notes when bytes pass. Knows
//! nothing of HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

/// When bytes passed, in nanoseconds since the connection was made; 0 is never.
///
/// Written where the bytes pass and read by whoever measures the exchange, mostly in the
/// same task, so relaxed atomics do.
#[derive(Debug)]
pub(super) struct Stamps {
    epoch: Instant,
    last_write: AtomicU64,
    first_read: AtomicU64,
}

impl Stamps {
    fn new() -> Self {
        Self {
            epoch: Instant::now(),
            last_write: AtomicU64::new(0),
            first_read: AtomicU64::new(0),
        }
    }

    /// Starts an exchange; the result is its time stamp.
    pub(super) fn begin(&self) -> u64 {
        self.first_read.store(0, Relaxed);
        self.now()
    }

    /// Nanoseconds since the connection was made, at least 1.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    pub(super) fn last_write(&self) -> u64 {
        self.last_write.load(Relaxed)
    }

    pub(super) fn first_read(&self) -> u64 {
        self.first_read.load(Relaxed)
    }

    pub(super) fn instant(&self, stamp: u64) -> Instant {
        self.epoch + Duration::from_nanos(stamp)
    }

    fn wrote(&self) {
        self.last_write.store(self.now(), Relaxed);
    }

    fn read(&self) {
        if self.first_read.load(Relaxed) == 0 {
            self.first_read.store(self.now(), Relaxed);
        }
    }
}

#[derive(Debug)]
enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connected stream. The stamps are those of the plain bytes: a TLS session ticket is not
/// the first byte of a response.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    stamps: Arc<Stamps>,
}

impl Stream {
    pub(super) fn tcp(stream: TcpStream) -> Self {
        Self::new(Transport::Tcp(stream))
    }

    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self::new(Transport::Tls(Box::new(stream)))
    }

    fn new(transport: Transport) -> Self {
        Self {
            transport,
            stamps: Arc::new(Stamps::new()),
        }
    }

    pub(super) fn stamps(&self) -> Arc<Stamps> {
        self.stamps.clone()
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(n)) if n > 0) {
            self.stamps.wrote();
        }
        written
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = match &mut self.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        };
        if buf.filled().len() > before {
            self.stamps.read();
        }
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        };
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Tcp(tcp) => tcp.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
