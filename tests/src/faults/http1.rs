//! Misbehaviour over HTTP/1.1.

use std::{
    io::{self, Read, Write},
    sync::OnceLock,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time,
};

use super::{Counters, Fault};

/// A good answer.
pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// Largest request that is read, in bytes.
const MAX_REQUEST: usize = 1 << 20;
/// Pause between the bytes of the slow loris.
const DRIBBLE: Duration = Duration::from_millis(50);
/// What an endless answer ends with, in bytes.
const ENDLESS: u64 = 1 << 30;
/// Header bytes after which the header bomb gives up.
const HEADERS: usize = 64 << 20;
/// Size of the bomb, inflated, in bytes.
const INFLATED: u64 = 256 << 20;

/// Serves one connection until either side ends it.
pub(super) async fn serve(
    fault: Fault,
    mut stream: TcpStream,
    counters: &Counters,
) -> io::Result<()> {
    if fault == Fault::ResetAfterAccept {
        return reset(stream);
    }
    let mut requests = Requests::default();
    while requests.next(&mut stream).await? {
        counters.request();
        match fault {
            Fault::ResetMidHeaders => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await?;
                return reset(stream);
            }
            Fault::ResetMidBody => {
                stream.write_all(&head("content-length: 1000")).await?;
                stream.write_all(b"0123456789").await?;
                return reset(stream);
            }
            Fault::SlowLoris => dribble(&mut stream).await?,
            Fault::Garbage => {
                return stream
                    .write_all(b"\x00\xff SSH-2.0 none of HTTP\r\n\r\n")
                    .await;
            }
            Fault::BodyTooShort => {
                stream.write_all(&head("content-length: 1000")).await?;
                return stream.write_all(b"0123456789").await;
            }
            Fault::BodyTooLong => {
                stream.write_all(OK).await?;
                stream.write_all(b" and more than that").await?;
            }
            Fault::HeaderBomb => return header_bomb(&mut stream).await,
            Fault::EndlessChunks => endless_chunks(&mut stream).await?,
            Fault::EndlessBody => endless_body(&mut stream).await?,
            Fault::GzipBomb => {
                let body = gzip_bomb();
                let length = format!("content-length: {}", body.len());
                let head = head(&format!("content-encoding: gzip\r\n{length}"));
                stream.write_all(&head).await?;
                stream.write_all(body).await?;
            }
            Fault::SilentClose => return stream.write_all(OK).await,
            Fault::RedirectLoop => {
                let answer = b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(answer).await?;
            }
            // The others are not of HTTP/1.1, or never answer.
            _ => {}
        }
    }
    Ok(())
}

/// Answers every request well.
pub(super) async fn serve_well<S>(stream: &mut S, counters: &Counters) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut requests = Requests::default();
    while requests.next(stream).await? {
        counters.request();
        stream.write_all(OK).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// The requests of a connection. They are read whole, bodies with a content length
/// included: closing a socket with unread bytes would reset the connection.
#[derive(Default)]
struct Requests {
    unread: Vec<u8>,
}

impl Requests {
    /// Reads one request; false after the peer has closed.
    async fn next<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<bool> {
        loop {
            if let Some(length) = request_length(&self.unread)
                && self.unread.len() >= length
            {
                self.unread.drain(..length);
                return Ok(true);
            }
            if self.unread.len() > MAX_REQUEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if stream.read_buf(&mut self.unread).await? == 0 {
                return Ok(false);
            }
        }
    }
}

/// Length of the first request in bytes, once its head is there.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    Some(end.saturating_add(length))
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").into_bytes()
}

/// Closes with RST in place of FIN.
fn reset(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

async fn dribble(stream: &mut TcpStream) -> io::Result<()> {
    let head = head("content-length: 1000000");
    for byte in head.into_iter().chain((0..1_000_000).map(|_| b'.')) {
        stream.write_all(&[byte]).await?;
        time::sleep(DRIBBLE).await;
    }
    Ok(())
}

async fn header_bomb(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    let lines = format!("x-bomb: {}\r\n", "a".repeat(1000)).repeat(16);
    for _ in 0..HEADERS / lines.len() {
        stream.write_all(lines.as_bytes()).await?;
    }
    Ok(())
}

async fn endless_chunks(stream: &mut TcpStream) -> io::Result<()> {
    stream
        .write_all(&head("transfer-encoding: chunked"))
        .await?;
    let chunk = format!("10000\r\n{}\r\n", ".".repeat(0x10000));
    for _ in 0..ENDLESS / 0x10000 {
        stream.write_all(chunk.as_bytes()).await?;
    }
    stream.write_all(b"0\r\n\r\n").await
}

async fn endless_body(stream: &mut TcpStream) -> io::Result<()> {
    let head = head(&format!("content-length: {ENDLESS}"));
    stream.write_all(&head).await?;
    let block = [b'.'; 0x10000];
    for _ in 0..ENDLESS / block.len() as u64 {
        stream.write_all(&block).await?;
    }
    Ok(())
}

pub(super) fn gzip_bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let deflate = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            io::copy(&mut io::repeat(0).take(INFLATED), &mut encoder)?;
            encoder.flush()?;
            encoder.finish()
        };
        deflate().expect("a vector can be written to")
    })
}
