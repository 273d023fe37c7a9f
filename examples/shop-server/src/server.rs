//! Sockets, TLS and HTTP versions: from a bound port to requests for the router. Knows
//! nothing of what the routes do.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time,
};
use tokio_rustls::TlsAcceptor;

use crate::routes::App;

/// Connections that may wait to be accepted: load tests open many at once.
const BACKLOG: u32 = 16_384;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is dropped, which closes every connection.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Arc<App>,
    router: Router,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    app.counters.connection();
                    connections.spawn(converse(stream, tls.clone(), router.clone()));
                }
                Err(_) => time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection from accept to close. How it ends is the client's business.
async fn converse(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => speak_http(stream, router).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                speak_http(stream, router).await;
            }
        }
    }
}

async fn speak_http<S>(stream: S, router: Router)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(router);
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A certificate for the loopback names, signed by itself, as PEM beside its acceptor.
pub(crate) fn self_signed() -> io::Result<(TlsAcceptor, String)> {
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let issued = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), issued.cert.pem()))
}
