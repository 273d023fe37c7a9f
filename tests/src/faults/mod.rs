//! Loopback servers that misbehave, each in one way, and count what reached them. Knows
//! nothing of how a client should take it.

mod http1;
mod http2;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdTcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime,
    sync::oneshot,
    task::JoinSet,
};

use tls::Identity;

/// Connections served at a time; more are closed as they come.
const MAX_CONNECTIONS: usize = 1024;

/// What a server does wrong. Unless said otherwise it reads whole HTTP/1.1 requests, of
/// any path, and treats every one on a connection alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens, and the port stays taken.
    Refused,
    /// Resets each connection without reading from it.
    ResetAfterAccept,
    /// Resets the connection in the middle of the response's head.
    ResetMidHeaders,
    /// Resets the connection after 10 of 1000 bytes of the body.
    ResetMidBody,
    /// Sends the response byte by byte, 50 ms apart, and will not be done for hours.
    SlowLoris,
    /// Reads requests and never answers.
    NeverAnswers,
    /// Answers with bytes that are not HTTP, and closes.
    Garbage,
    /// Promises 1000 bytes of body, sends 10 and closes.
    BodyTooShort,
    /// Promises 2 bytes of body, sends them and 19 more, and keeps the connection open.
    BodyTooLong,
    /// Sends 64 MiB of headers.
    HeaderBomb,
    /// Sends 1 GiB of body in chunks.
    EndlessChunks,
    /// Sends 1 GiB of body under its content length.
    EndlessBody,
    /// Sends 256 KiB of body that gzip inflates to 256 MiB.
    GzipBomb,
    /// Answers well and closes without having said so.
    SilentClose,
    /// Answers with a redirect to itself.
    RedirectLoop,
    /// HTTP/2 without TLS: answers well and sends GOAWAY after each response.
    GoAway,
    /// HTTP/2 without TLS: answers with GOAWAY (ENHANCE_YOUR_CALM) and closes.
    AbruptGoAway,
    /// HTTP/2 without TLS: answers each request with RST_STREAM (INTERNAL_ERROR).
    ResetStream,
    /// Answers well over TLS, under a certificate that is not valid any more.
    ExpiredCertificate,
    /// Answers well over TLS, under a certificate that nobody but itself has signed.
    SelfSignedCertificate,
}

/// A running server. Dropping it ends its connections and its thread.
pub struct Server {
    address: SocketAddr,
    certificate: Option<String>,
    counters: Arc<Counters>,
    running: Option<Running>,
    /// Bound but not listening: what makes connections be refused.
    _refusing: Option<TcpSocket>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Counters {
    fn request(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
    }
}

/// Starts a server on a free port of 127.0.0.1, in a thread of its own. It is ready when
/// this returns.
///
/// # Panics
/// When the server cannot be started.
pub fn start(fault: Fault) -> Server {
    match fault {
        Fault::Refused => refuse(),
        _ => listen(fault).expect("a server can be started"),
    }
}

impl Server {
    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.address)
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate as PEM, when the server speaks TLS. It is valid for `localhost`
    /// and 127.0.0.1.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Connections accepted.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::SeqCst)
    }

    /// Requests received whole.
    pub fn requests(&self) -> u64 {
        self.counters.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            // Both fail only after the thread has panicked, which it has printed.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

fn refuse() -> Server {
    let bind = || {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        io::Result::Ok((socket.local_addr()?, socket))
    };
    let (address, socket) = bind().expect("a port can be bound");
    Server {
        address,
        certificate: None,
        counters: Arc::default(),
        running: None,
        _refusing: Some(socket),
    }
}

fn listen(fault: Fault) -> io::Result<Server> {
    let listener = StdTcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let identity = match fault {
        Fault::ExpiredCertificate => Some(tls::expired()),
        Fault::SelfSignedCertificate => Some(tls::self_signed()),
        _ => None,
    };
    let certificate = identity.as_ref().map(|identity| identity.pem.clone());
    if fault == Fault::GzipBomb {
        // Before the first request, which else would wait for it.
        http1::gzip_bomb();
    }
    let counters = Arc::new(Counters::default());
    let (stop, stopped) = oneshot::channel();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let serve = serve(fault, listener, identity, Arc::clone(&counters));
    let thread = thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                result = serve => result.expect("the server can accept"),
                _ = stopped => {}
            }
        });
    });
    Ok(Server {
        address,
        certificate,
        counters,
        running: Some(Running { stop, thread }),
        _refusing: None,
    })
}

async fn serve(
    fault: Fault,
    listener: StdTcpListener,
    identity: Option<Identity>,
    counters: Arc<Counters>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        counters.connections.fetch_add(1, Ordering::SeqCst);
        while connections.try_join_next().is_some() {}
        if connections.len() < MAX_CONNECTIONS {
            let counters = Arc::clone(&counters);
            connections.spawn(converse(fault, stream, identity.clone(), counters));
        }
    }
}

/// One connection. How it ends is what the test looks at, from its own side.
async fn converse(
    fault: Fault,
    stream: TcpStream,
    identity: Option<Identity>,
    counters: Arc<Counters>,
) {
    let _ = stream.set_nodelay(true);
    let _ = match (fault, identity) {
        (_, Some(identity)) => tls::serve(stream, &identity, &counters).await,
        (Fault::GoAway | Fault::AbruptGoAway | Fault::ResetStream, _) => {
            http2::serve(fault, stream, &counters).await
        }
        _ => http1::serve(fault, stream, &counters).await,
    };
}
