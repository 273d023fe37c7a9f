//! A server that takes pushes and answers as it is told. Knows nothing of what is pushed.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What is at the end of an answer that has none.
const ENDLESS: &[u8] = b"\r\n\r\nx";

/// A running server; it ends when this is dropped.
pub(super) struct Collector {
    address: std::net::SocketAddr,
    requests: mpsc::UnboundedReceiver<Request>,
    _task: JoinSet<()>,
}

/// What was sent to it.
#[derive(Debug)]
pub(super) struct Request {
    head: String,
    body: Vec<u8>,
}

/// An answer. The status line may have more headers behind it.
pub(super) fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// An answer whose body does not end.
pub(super) fn endless(status: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}", u64::MAX / 2).into_bytes();
    head.extend_from_slice(ENDLESS);
    head
}

impl Collector {
    /// Answers the n-th request as told; not at all when told nothing.
    pub(super) async fn start(answer: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (taken, requests) = mpsc::unbounded_channel();
        let (answer, count) = (Arc::new(answer), Arc::default());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, taken) = (Arc::clone(&answer), taken.clone());
                connections.spawn(converse(stream, answer, taken, Arc::clone(&count)));
            }
        });
        Self {
            address,
            requests,
            _task: task,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request.
    pub(super) async fn request(&mut self) -> Request {
        self.requests.recv().await.unwrap()
    }

    /// All requests that have come and were not looked at.
    pub(super) fn rest(&mut self) -> Vec<Request> {
        let mut all = Vec::new();
        while let Ok(request) = self.requests.try_recv() {
            all.push(request);
        }
        all
    }
}

impl Request {
    /// Path and query.
    pub(super) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = headers.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    /// Whether a text is in its body, which may be compressed.
    pub(super) fn shows(&self, text: &str) -> bool {
        let plain = match self.header("content-encoding") {
            Some(_) => snap::raw::Decoder::new()
                .decompress_vec(&self.body)
                .unwrap(),
            None => self.body.clone(),
        };
        plain
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }
}

/// One connection. How it ends is the client's matter.
async fn converse(
    mut stream: TcpStream,
    answer: Arc<impl Fn(usize) -> Vec<u8>>,
    taken: mpsc::UnboundedSender<Request>,
    count: Arc<std::sync::atomic::AtomicUsize>,
) -> io::Result<()> {
    loop {
        let mut request = Request {
            head: String::new(),
            body: Vec::new(),
        };
        while !request.head.ends_with("\r\n\r\n") {
            request.head.push(stream.read_u8().await?.into());
        }
        let length = request.header("content-length").map(str::parse);
        request.body.resize(length.unwrap().unwrap(), 0);
        stream.read_exact(&mut request.body).await?;
        // Fails when the test no longer listens.
        let _ = taken.send(request);
        let answer = answer(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        stream.write_all(&answer).await?;
        if answer.ends_with(ENDLESS) {
            loop {
                stream.write_all(&[b'x'; 1024]).await?;
            }
        }
    }
}
