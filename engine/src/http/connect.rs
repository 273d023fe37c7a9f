//! Makes a connection to an origin: name, grant, TCP, TLS, protocol. Keeps nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::connection::Connection;
use super::error::{Error, ErrorKind};
use super::fault::{Fault, handshake_error};
use super::http1::Http1;
use super::http2::Http2;
use super::origin::Origin;
use super::stream::Stream;

/// How long the parts of the set-up took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Setup {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Duration,
}

/// When the set-up must be done, and what it is called when it is not.
#[derive(Clone, Copy)]
struct Limit<'a> {
    origin: &'a Origin,
    until: Instant,
    kind: ErrorKind,
    span: Duration,
}

/// Connects within the run's connect time-out and the request's deadline.
pub(super) async fn connect(
    client: &Client,
    origin: &Origin,
    deadline: Instant,
    timeout: Duration,
    setup: &mut Setup,
) -> Result<Connection, Error> {
    let span = client.config().connect_timeout;
    let limit = match Instant::now().checked_add(span) {
        Some(until) if until < deadline => Limit {
            origin,
            until,
            kind: ErrorKind::ConnectTimeout,
            span,
        },
        _ => Limit {
            origin,
            until: deadline,
            kind: ErrorKind::Timeout,
            span: timeout,
        },
    };
    let start = Instant::now();
    let addresses = limit.hold(resolve(client, origin)).await??;
    setup.dns = start.elapsed();

    let start = Instant::now();
    let tcp = limit.hold(tcp(origin, &addresses, limit)).await??;
    setup.connect = start.elapsed();

    if !origin.is_tls() {
        return start_http(
            client,
            origin,
            Stream::tcp(tcp),
            client.config().http2_prior_knowledge,
        )
        .await;
    }
    let start = Instant::now();
    let (stream, http2) = limit.hold(tls(client, origin, tcp)).await??;
    setup.tls = start.elapsed();
    start_http(client, origin, stream, http2).await
}

impl Limit<'_> {
    async fn hold<T>(&self, step: impl Future<Output = T>) -> Result<T, Error> {
        timeout_at(self.until, step).await.map_err(|_| {
            Error::new(
                self.kind,
                format!(
                    "no connection to {} within {:?}",
                    self.origin.authority(),
                    self.span
                ),
            )
        })
    }
}

/// The addresses that may be connected to, at least one.
async fn resolve(client: &Client, origin: &Origin) -> Result<Arc<[IpAddr]>, Error> {
    let addresses: Arc<[IpAddr]> = match origin.host().parse::<IpAddr>() {
        Ok(ip) => Arc::new([ip]),
        Err(_) => client.resolve(origin.host()).await?,
    };
    let egress = &client.config().egress;
    let granted = |ip: &IpAddr| egress.admits_address(*ip, origin.port());
    if addresses.iter().all(&granted) {
        return Ok(addresses);
    }
    let granted: Arc<[IpAddr]> = addresses.iter().copied().filter(granted).collect();
    if granted.is_empty() {
        return Err(Error::new(
            ErrorKind::Denied,
            format!(
                "{} resolves to {}, a link-local or metadata address, which is not granted",
                origin.host(),
                addresses[0],
            ),
        ));
    }
    Ok(granted)
}

/// Tries the addresses in order; each gets its share of the time that is left.
async fn tcp(origin: &Origin, addresses: &[IpAddr], limit: Limit<'_>) -> Result<TcpStream, Error> {
    let mut last = None;
    for (tried, ip) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let now = Instant::now();
        let until = now + limit.until.saturating_duration_since(now) / left;
        let attempt = TcpStream::connect(SocketAddr::new(*ip, origin.port()));
        match timeout_at(until, attempt).await {
            Ok(Ok(stream)) => {
                // Without it a request may wait for the server's delayed ACK. It fails
                // only for a socket that is closed already, which the request will see.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(connect_error(origin, &error)),
            Err(_) => {
                last = Some(Error::new(
                    limit.kind,
                    format!(
                        "no connection to {} within {:?}",
                        origin.authority(),
                        limit.span
                    ),
                ));
            }
        }
    }
    Err(last.unwrap_or_else(|| Error::new(ErrorKind::Connect, "no address to connect to")))
}

fn connect_error(origin: &Origin, error: &io::Error) -> Error {
    let server = origin.authority();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::new(
            ErrorKind::ConnectRefused,
            format!("connection to {server} refused"),
        ),
        io::ErrorKind::TimedOut => Error::new(
            ErrorKind::ConnectTimeout,
            format!("connection to {server} timed out"),
        ),
        io::ErrorKind::AddrNotAvailable => Error::new(
            ErrorKind::Connect,
            format!(
                "cannot connect to {server}: this machine has no local port left; keep connections alive or widen net.ipv4.ip_local_port_range"
            ),
        ),
        _ => Error::new(
            ErrorKind::Connect,
            format!("cannot connect to {server}: {error}"),
        ),
    }
}

async fn tls(client: &Client, origin: &Origin, tcp: TcpStream) -> Result<(Stream, bool), Error> {
    let name = ServerName::try_from(origin.host().to_owned()).map_err(|_| {
        Error::invalid(format!(
            "{} cannot be the name in a certificate",
            origin.host()
        ))
    })?;
    let stream = client
        .tls()
        .await?
        .connect(name, tcp)
        .await
        .map_err(|error| handshake_error(origin.authority(), &error))?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2".as_slice());
    Ok((Stream::tls(stream), http2))
}

async fn start_http(
    client: &Client,
    origin: &Origin,
    stream: Stream,
    http2: bool,
) -> Result<Connection, Error> {
    let max_headers = client.config().max_headers;
    let connection = if http2 {
        Http2::handshake(stream, max_headers)
            .await
            .map(|connection| Connection::Http2(Arc::new(connection)))
    } else {
        Http1::handshake(stream, max_headers as usize)
            .await
            .map(Connection::Http1)
    };
    connection.map_err(|error| {
        Fault::Http(error).into_error(origin.authority(), client.config().connect_timeout)
    })
}
