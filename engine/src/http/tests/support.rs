//! Servers, well-behaved and scripted, and a sink that remembers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{Client, ClientConfig, Egress, Error, Options, Request, Session, SessionOptions};
use crate::sample::{Sample, Sink, Timings};

#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) name: String,
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) timings: Timings,
    pub(super) sent: u64,
    pub(super) received: u64,
}

#[derive(Default)]
pub(super) struct Samples(Mutex<Vec<Recorded>>);

impl Samples {
    pub(super) fn all(&self) -> Vec<Recorded> {
        self.0.lock().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Status and failure kind of each sample.
    pub(super) fn verdicts(&self) -> Vec<(u16, String)> {
        self.all().into_iter().map(|s| (s.status, s.kind)).collect()
    }

    pub(super) fn only(&self) -> Recorded {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }
}

impl Sink for Samples {
    fn record(&self, sample: &Sample<'_>) {
        self.0.lock().push(Recorded {
            method: sample.method.to_owned(),
            name: sample.name.to_owned(),
            status: sample.status,
            kind: sample.failure.map_or("", |f| f.kind).to_owned(),
            message: sample.failure.map_or("", |f| f.message).to_owned(),
            timings: sample.timings,
            sent: sample.sent,
            received: sample.received,
        });
    }
}

/// A session whose samples can be seen.
pub(super) struct User {
    pub(super) session: Session,
    pub(super) samples: Arc<Samples>,
}

impl std::ops::Deref for User {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

pub(super) fn config() -> ClientConfig {
    ClientConfig {
        egress: Egress::new(["*"]).unwrap(),
        ..ClientConfig::default()
    }
}

impl User {
    /// What a GET / fails with that may take so many milliseconds.
    pub(super) async fn late(&self, ms: u64) -> Error {
        let request = Request {
            options: Options {
                timeout: Some(Duration::from_millis(ms)),
                ..Options::default()
            },
            ..get("/")
        };
        self.send(request).await.err().unwrap()
    }
}

pub(super) fn user(base: &str) -> User {
    user_with(config(), base, |_| {})
}

pub(super) fn user_with(
    config: ClientConfig,
    base: &str,
    change: impl FnOnce(&mut SessionOptions),
) -> User {
    user_of(&Client::new(config).unwrap(), base, change)
}

pub(super) fn user_of(
    client: &Client,
    base: &str,
    change: impl FnOnce(&mut SessionOptions),
) -> User {
    let samples = Arc::new(Samples::default());
    let mut options = SessionOptions {
        base_url: Some(base.to_owned()),
        cookies: true,
        ..SessionOptions::default()
    };
    change(&mut options);
    let session = Session::open(client, samples.clone(), options).unwrap();
    User { session, samples }
}

pub(super) fn get(url: &str) -> Request {
    Request {
        method: http::Method::GET,
        url: url.to_owned(),
        name: None,
        tags: String::new(),
        headers: Vec::new(),
        body: None,
        options: Options::default(),
    }
}

pub(super) fn post(url: &str, body: &'static str) -> Request {
    Request {
        method: http::Method::POST,
        body: Some(Bytes::from_static(body.as_bytes())),
        ..get(url)
    }
}

/// What a server got.
pub(super) struct Received {
    pub(super) head: http::request::Parts,
    pub(super) body: Bytes,
}

impl Received {
    pub(super) fn path(&self) -> &str {
        self.head.uri.path()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.head
            .headers
            .get(name)
            .map_or("", |v| v.to_str().unwrap())
    }
}

pub(super) type Reply = http::Response<Full<Bytes>>;

pub(super) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = http::Response::new(Full::new(body.into()));
    *reply.status_mut() = http::StatusCode::from_u16(status).unwrap();
    reply
}

pub(super) fn reply_with(
    status: u16,
    headers: &[(&'static str, &str)],
    body: impl Into<Bytes>,
) -> Reply {
    let mut reply = reply(status, body);
    for (name, value) in headers {
        reply.headers_mut().append(*name, value.parse().unwrap());
    }
    reply
}

/// A running server; it ends with the test's runtime.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) url: String,
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) requests: Arc<AtomicUsize>,
}

impl Server {
    pub(super) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }
}

#[derive(Clone)]
pub(super) enum Protocol {
    Http1,
    Http2,
    /// As the client chooses by ALPN.
    Tls(Arc<rustls::ServerConfig>),
}

/// Answers requests over HTTP/1.1.
pub(super) async fn serve(answer: impl Fn(Received) -> Reply + Clone + Send + 'static) -> Server {
    serve_over(Protocol::Http1, answer).await
}

pub(super) async fn serve_over(
    protocol: Protocol,
    answer: impl Fn(Received) -> Reply + Clone + Send + 'static,
) -> Server {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let scheme = if matches!(protocol, Protocol::Tls(_)) {
        "https"
    } else {
        "http"
    };
    let mut server = raw(move |tcp, _| {
        let (answer, counter, protocol) = (answer.clone(), counter.clone(), protocol.clone());
        async move {
            match protocol {
                Protocol::Http1 => converse(tcp, false, answer, counter).await,
                Protocol::Http2 => converse(tcp, true, answer, counter).await,
                Protocol::Tls(config) => {
                    let acceptor = tokio_rustls::TlsAcceptor::from(config);
                    let Ok(tls) = acceptor.accept(tcp).await else {
                        return;
                    };
                    let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                    converse(tls, http2, answer, counter).await;
                }
            }
        }
    })
    .await;
    server.url = format!("{scheme}://{}", server.address);
    server.requests = requests;
    server
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http2: bool,
    answer: impl Fn(Received) -> Reply + Clone + Send + 'static,
    counter: Arc<AtomicUsize>,
) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (answer, counter) = (answer.clone(), counter.clone());
        async move {
            counter.fetch_add(1, SeqCst);
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(answer(Received { head, body }))
        }
    });
    let io = TokioIo::new(stream);
    // The client is free to close whenever it likes.
    let _ = if http2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await
    } else {
        hyper::server::conn::http1::Builder::new()
            .serve_connection(io, service)
            .await
    };
}

/// Hands every connection, with its number from 0, to a script.
pub(super) async fn raw<F>(script: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let number = counter.fetch_add(1, SeqCst);
            tokio::spawn(script(stream, number));
        }
    });
    Server {
        address,
        url: format!("http://{address}"),
        connections,
        requests: Arc::default(),
    }
}

/// Reads a request head (and whatever came with it); false at the end of the stream.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut got = Vec::new();
    let mut buf = [0; 4096];
    while !got.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buf).await {
            Ok(0) | Err(_) => return false,
            Ok(n) => got.extend_from_slice(&buf[..n]),
        }
    }
    true
}

/// Reads a request and writes these bytes.
pub(super) async fn answer_with(stream: &mut TcpStream, bytes: &[u8]) {
    read_head(stream).await;
    let _ = stream.write_all(bytes).await;
}

/// Waits until the peer closes.
pub(super) async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buf = [0; 4096];
    while matches!(stream.read(&mut buf).await, Ok(n) if n > 0) {}
}

/// Lets the other tasks and the reactor have their turn.
pub(super) async fn let_others_run() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}
