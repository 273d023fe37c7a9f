//! Good answers over TLS, under certificates that are not.

use std::{io, sync::Arc};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{Counters, http1};

/// A certificate with what it takes to present it.
#[derive(Clone)]
pub(super) struct Identity {
    acceptor: TlsAcceptor,
    pub(super) pem: String,
}

pub(super) fn self_signed() -> Identity {
    sign(params())
}

pub(super) fn expired() -> Identity {
    let mut params = params();
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    sign(params)
}

/// Serves one connection until either side ends it.
pub(super) async fn serve(
    stream: TcpStream,
    identity: &Identity,
    counters: &Counters,
) -> io::Result<()> {
    let mut stream = identity.acceptor.accept(stream).await?;
    http1::serve_well(&mut stream, counters).await
}

fn params() -> CertificateParams {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    CertificateParams::new(names).expect("the names are valid")
}

fn sign(params: CertificateParams) -> Identity {
    let key = KeyPair::generate().expect("a key can be generated");
    let certificate = params.self_signed(&key).expect("the key can sign");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("the key belongs to the certificate");
    Identity {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        pem: certificate.pem(),
    }
}
