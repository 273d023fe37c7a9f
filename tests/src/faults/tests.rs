//! Each fault as a plain socket sees it.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use h2::Reason;
use http::Request;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::task::JoinHandle;

use super::{Fault, Server, start};

const GET: &[u8] = b"GET /somewhere HTTP/1.1\r\nhost: localhost\r\n\r\n";
const POST: &[u8] = b"POST / HTTP/1.1\r\nhost: localhost\r\nContent-Length: 5\r\n\r\nhello";

/// A connection over which a GET was sent. It gives up rather than hang.
fn get(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).unwrap();
    stream.write_all(GET).unwrap();
    stream
}

/// All that came until the server closed or reset the connection.
fn read_all(mut stream: impl Read) -> (Vec<u8>, io::Result<usize>) {
    let mut bytes = Vec::new();
    let result = stream.read_to_end(&mut bytes);
    (bytes, result)
}

fn error_kind(result: io::Result<usize>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Head and body.
fn split(answer: &[u8]) -> (String, &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.unwrap() + 4);
    (String::from_utf8(head.to_vec()).unwrap(), body)
}

#[test]
fn refused() {
    let server = start(Fault::Refused);
    let error = TcpStream::connect(server.address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!((server.connections(), server.requests()), (0, 0));
}

#[test]
fn reset_after_accept() {
    let server = start(Fault::ResetAfterAccept);
    let stream = TcpStream::connect(server.address()).unwrap();
    let (bytes, result) = read_all(stream);
    assert_eq!(bytes, b"");
    assert_eq!(error_kind(result), Some(ErrorKind::ConnectionReset));
    assert_eq!((server.connections(), server.requests()), (1, 0));
}

#[test]
fn reset_mid_headers() {
    let server = start(Fault::ResetMidHeaders);
    let (bytes, result) = read_all(get(&server));
    assert_eq!(bytes, b"HTTP/1.1 200 OK\r\ncontent-le");
    assert_eq!(error_kind(result), Some(ErrorKind::ConnectionReset));
    assert_eq!(server.requests(), 1);
}

#[test]
fn reset_mid_body() {
    let server = start(Fault::ResetMidBody);
    let (bytes, result) = read_all(get(&server));
    let (head, body) = split(&bytes);
    assert!(head.contains("content-length: 1000\r\n"), "{head}");
    assert_eq!(body, b"0123456789");
    assert_eq!(error_kind(result), Some(ErrorKind::ConnectionReset));
    assert_eq!(server.requests(), 1);
}

#[test]
fn slow_loris() {
    let server = start(Fault::SlowLoris);
    let mut stream = get(&server);
    let mut bytes = [0; 100];
    let first = stream.read(&mut bytes).unwrap();
    assert!(first < 10, "{first} bytes at once");
    stream.read_exact(&mut bytes[first..12]).unwrap();
    assert_eq!(&bytes[..12], b"HTTP/1.1 200");
}

#[test]
fn never_answers() {
    let server = start(Fault::NeverAnswers);
    let mut stream = get(&server);
    stream.write_all(POST).unwrap();
    // The server reads on to the end of the stream, and has counted by then.
    stream.shutdown(Shutdown::Write).unwrap();
    let (bytes, result) = read_all(stream);
    assert_eq!((bytes.len(), result.unwrap()), (0, 0));
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[test]
fn garbage() {
    let server = start(Fault::Garbage);
    let (bytes, result) = read_all(get(&server));
    assert!(result.unwrap() > 0);
    assert!(!bytes.starts_with(b"HTTP/"));
}

#[test]
fn body_too_short() {
    let server = start(Fault::BodyTooShort);
    let (bytes, result) = read_all(get(&server));
    let (head, body) = split(&bytes);
    assert!(head.contains("content-length: 1000\r\n"), "{head}");
    assert_eq!(body, b"0123456789");
    assert_eq!(error_kind(result), None);
}

#[test]
fn body_too_long_and_the_connection_lives_on() {
    let server = start(Fault::BodyTooLong);
    let mut stream = get(&server);
    stream.write_all(POST).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let (bytes, _) = read_all(stream);
    let (head, body) = split(&bytes);
    assert!(head.contains("content-length: 2\r\n"), "{head}");
    assert!(body.starts_with(b"ok and more than thatHTTP/1.1 200 OK\r\n"));
    assert_eq!(server.requests(), 2);
}

#[test]
fn header_bomb() {
    let server = start(Fault::HeaderBomb);
    let (bytes, _) = read_all(get(&server));
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\nx-bomb: aaa"));
    assert!(bytes.len() > 60 << 20, "{}", bytes.len());
    assert!(!bytes.windows(4).any(|four| four == b"\r\n\r\n"));
}

#[test]
fn endless_bodies_go_on_as_far_as_they_are_read() {
    for (fault, header) in [
        (Fault::EndlessChunks, "transfer-encoding: chunked\r\n"),
        (Fault::EndlessBody, "content-length: 1073741824\r\n"),
    ] {
        let server = start(fault);
        let (bytes, result) = read_all(get(&server).take(32 << 20));
        assert_eq!(result.unwrap(), 32 << 20);
        let (head, _) = split(&bytes);
        assert!(head.contains(header), "{head}");
    }
}

#[test]
fn gzip_bomb() {
    let server = start(Fault::GzipBomb);
    let stream = get(&server);
    stream.shutdown(Shutdown::Write).unwrap();
    let (bytes, _) = read_all(stream);
    let (head, body) = split(&bytes);
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    let length = format!("content-length: {}\r\n", body.len());
    assert!(head.contains(&length), "{head}");
    assert!(body.len() < 300 << 10, "{}", body.len());
    let inflated = io::copy(&mut GzDecoder::new(body), &mut io::sink()).unwrap();
    assert_eq!(inflated, 256 << 20);
}

#[test]
fn silent_close() {
    let server = start(Fault::SilentClose);
    let (bytes, result) = read_all(get(&server));
    let (head, body) = split(&bytes);
    assert!(!head.contains("connection"), "{head}");
    assert_eq!(body, b"ok");
    assert_eq!(error_kind(result), None);
}

#[test]
fn redirect_loop() {
    let server = start(Fault::RedirectLoop);
    let stream = get(&server);
    stream.shutdown(Shutdown::Write).unwrap();
    let (bytes, _) = read_all(stream);
    let (head, _) = split(&bytes);
    assert!(head.starts_with("HTTP/1.1 302 "), "{head}");
    assert!(head.contains("location: /\r\n"), "{head}");
}

/// A client with one HTTP/2 connection, whose end can be waited for.
struct Http2 {
    client: h2::client::SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    async fn connect(server: &Server) -> Self {
        let stream = tokio::net::TcpStream::connect(server.address()).await;
        let (client, connection) = h2::client::handshake(stream.unwrap()).await.unwrap();
        let connection = tokio::spawn(connection);
        Self { client, connection }
    }

    async fn get(&mut self, url: String) -> Result<Bytes, h2::Error> {
        let mut client = self.client.clone().ready().await?;
        let request = Request::get(url).body(()).unwrap();
        let (response, _) = client.send_request(request, true)?;
        let mut body = response.await?.into_body();
        body.data().await.unwrap()
    }
}

#[tokio::test]
async fn go_away_after_an_answer() {
    let server = start(Fault::GoAway);
    let mut http2 = Http2::connect(&server).await;
    assert_eq!(http2.get(server.url()).await.unwrap(), "ok");
    // The client is still there: only the server can have ended the connection.
    http2.connection.await.unwrap().unwrap();
    assert_eq!((server.connections(), server.requests()), (1, 1));
}

#[tokio::test]
async fn abrupt_go_away() {
    let server = start(Fault::AbruptGoAway);
    let mut http2 = Http2::connect(&server).await;
    assert!(http2.get(server.url()).await.is_err());
    let error = http2.connection.await.unwrap().unwrap_err();
    assert!(error.is_go_away() && error.is_remote(), "{error:?}");
    assert_eq!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn reset_stream_leaves_the_connection_in_use() {
    let server = start(Fault::ResetStream);
    let mut http2 = Http2::connect(&server).await;
    for _ in 0..2 {
        let error = http2.get(server.url()).await.unwrap_err();
        assert!(error.is_reset() && error.is_remote(), "{error:?}");
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    }
    assert_eq!((server.connections(), server.requests()), (1, 2));
    http2.connection.abort();
}

/// The answer to a GET by a client that trusts the certificate or nothing.
fn get_tls(server: &Server, trusting: bool) -> io::Result<Vec<u8>> {
    let mut roots = rustls::RootCertStore::empty();
    if trusting {
        let pem = server.certificate().unwrap().as_bytes();
        roots
            .add(CertificateDer::from_pem_slice(pem).unwrap())
            .unwrap();
    }
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(server.address()).unwrap();
    let mut stream = rustls::StreamOwned::new(client, socket);
    stream.write_all(GET)?;
    let mut answer = vec![0; super::http1::OK.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_self_signed_certificate_is_good_for_those_who_trust_it() {
    let server = start(Fault::SelfSignedCertificate);
    assert!(server.url().starts_with("https://127.0.0.1:"));
    assert_eq!(get_tls(&server, true).unwrap(), super::http1::OK);
    assert_eq!(server.requests(), 1);
    let error = get_tls(&server, false).unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
}

#[test]
fn an_expired_certificate_is_good_for_nobody() {
    let server = start(Fault::ExpiredCertificate);
    let error = get_tls(&server, true).unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_dropped_server_lets_go_of_its_port_and_connections() {
    let server = start(Fault::NeverAnswers);
    let address = server.address();
    let stream = get(&server);
    drop(server);
    // Closed or reset, but not left hanging.
    let (bytes, result) = read_all(stream);
    assert_eq!(bytes, b"");
    assert_ne!(error_kind(result), Some(ErrorKind::WouldBlock));
    assert!(TcpStream::connect(address).is_err());
}
