//! What hyper, h2, rustls and the socket report, told as an `Error`. Knows nothing of
//! requests.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::error::{Error, ErrorKind};

/// Why a connection did not carry an exchange to its end.
#[derive(Debug)]
pub(super) enum Fault {
    /// The time limit passed.
    Timeout,
    /// The connection ended before the response was complete.
    Closed,
    /// Everything that the protocol's implementation reports.
    Http(hyper::Error),
}

impl Fault {
    /// Whether the peer says, or the connection knows, that the request was not processed.
    pub(super) fn is_unprocessed(&self) -> bool {
        let Self::Http(error) = self else {
            return false;
        };
        match find::<h2::Error>(error) {
            Some(h2) => {
                h2.is_remote()
                    && match h2.reason() {
                        Some(h2::Reason::REFUSED_STREAM) => true,
                        Some(h2::Reason::NO_ERROR) => h2.is_go_away(),
                        _ => false,
                    }
            }
            None => error.is_canceled(),
        }
    }

    /// Whether the connection went away.
    pub(super) fn is_disconnect(&self) -> bool {
        match self {
            Self::Timeout => false,
            Self::Closed => true,
            Self::Http(error) => describe(error).0 == ErrorKind::Reset,
        }
    }

    /// The error to report for an exchange with this server under this time limit.
    pub(super) fn into_error(self, server: &str, timeout: Duration) -> Error {
        match self {
            Self::Timeout => Error::new(
                ErrorKind::Timeout,
                format!("no complete response from {server} within {timeout:?}"),
            ),
            Self::Closed => Error::new(ErrorKind::Reset, format!("{server}: {CLOSED}")),
            Self::Http(error) => {
                let (kind, text) = describe(&error);
                Error::new(kind, format!("{server}: {text}"))
            }
        }
    }
}

const CLOSED: &str = "connection closed before the response was complete";

fn describe(error: &hyper::Error) -> (ErrorKind, String) {
    if error.is_parse_too_large() {
        return (
            ErrorKind::TooLarge,
            "response headers exceed the limit".into(),
        );
    }
    if let Some(error) = find::<h2::Error>(error) {
        return describe_h2(error);
    }
    if error.is_parse() {
        return (ErrorKind::Protocol, error.to_string());
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return (ErrorKind::Reset, CLOSED.into());
    }
    match find::<io::Error>(error) {
        Some(cause) => describe_io(cause),
        None => (ErrorKind::Protocol, error.to_string()),
    }
}

fn describe_h2(error: &h2::Error) -> (ErrorKind, String) {
    if let Some(cause) = error.get_io() {
        return describe_io(cause);
    }
    let reason = error.reason().unwrap_or(h2::Reason::INTERNAL_ERROR);
    match (error.is_remote(), error.is_go_away()) {
        (true, true) => (
            ErrorKind::Reset,
            format!("connection closed by the server: {reason}"),
        ),
        (true, false) => (
            ErrorKind::Reset,
            format!("stream reset by the server: {reason}"),
        ),
        (false, _) => (
            ErrorKind::Protocol,
            format!("invalid HTTP/2 from the server: {reason}"),
        ),
    }
}

fn describe_io(error: &io::Error) -> (ErrorKind, String) {
    if let Some(tls) = find::<rustls::Error>(error) {
        return (ErrorKind::Tls, format!("TLS error: {tls}"));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => (ErrorKind::Reset, CLOSED.into()),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => (ErrorKind::Reset, "connection reset".into()),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            (ErrorKind::Protocol, format!("invalid response: {error}"))
        }
        kind => (ErrorKind::Reset, format!("connection failed: {kind}")),
    }
}

/// The error for a handshake that failed with this cause.
pub(super) fn handshake_error(server: &str, error: &io::Error) -> Error {
    use rustls::Error::InvalidCertificate;

    let text = match find::<rustls::Error>(error) {
        Some(InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => {
            format!("the certificate of {server} has expired")
        }
        Some(InvalidCertificate(CertificateError::UnknownIssuer)) => format!(
            "the certificate of {server} has an unknown issuer; name its CA file in SSL_CERT_FILE"
        ),
        Some(InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => format!("the certificate of {server} is for a wrong name, not this one"),
        Some(tls) => format!("TLS handshake with {server} failed: {tls}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            format!("TLS handshake with {server} failed: connection closed")
        }
        None => format!("TLS handshake with {server} failed: {}", error.kind()),
    };
    Error::new(ErrorKind::Tls, text)
}

/// The first error of that type in a chain of causes.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An `io::Error` reports the source of what it wraps, not what it wraps.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
