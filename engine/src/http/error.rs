//! What a request can fail with: a kind for machines and a line for people. Does not know
//! which library reported the cause; see `fault`.

use std::fmt;

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The name could not be resolved.
    Dns,
    /// Nobody listens at the address.
    ConnectRefused,
    /// The connection was not made in time.
    ConnectTimeout,
    /// The connection could not be made for another reason.
    Connect,
    /// The handshake failed or the certificate was not accepted.
    Tls,
    /// The peer closed or reset the connection or the stream in mid-exchange.
    Reset,
    /// The request's time limit passed.
    Timeout,
    /// The peer broke the rules of HTTP.
    Protocol,
    /// The response body or its headers exceed the limit.
    TooLarge,
    /// More redirects than the request allows.
    TooManyRedirects,
    /// The body could not be decompressed.
    Decode,
    /// The address is not granted.
    Denied,
    /// The request itself is not valid.
    InvalidRequest,
    /// The user was stopped in mid-exchange.
    Interrupted,
}

impl ErrorKind {
    /// The word that stands in the results, for example `connect-refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::ConnectRefused => "connect-refused",
            Self::ConnectTimeout => "connect-timeout",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::TooLarge => "too-large",
            Self::TooManyRedirects => "too-many-redirects",
            Self::Decode => "decode",
            Self::Denied => "denied",
            Self::InvalidRequest => "invalid-request",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether another try may go better.
    pub(super) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Dns
                | Self::ConnectRefused
                | Self::ConnectTimeout
                | Self::Connect
                | Self::Reset
                | Self::Timeout
        )
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request has no (complete) response.
///
/// Messages of one cause are equal: they name the server, and no ids or local ports, since
/// results are grouped by them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// For machines.
    pub kind: ErrorKind,
    /// One line that names the cause.
    pub message: String,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }
}

/// The longest reason that a mark keeps, in bytes.
const REASON_LIMIT: usize = 512;

/// Makes one bounded line of a text from the scenario.
pub(super) fn one_line(mut text: String) -> String {
    if text.len() > REASON_LIMIT {
        text.truncate(text.floor_char_boundary(REASON_LIMIT));
    }
    if text.contains(char::is_control) {
        text = text.replace(char::is_control, " ");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_bounded_line() {
        assert_eq!(one_line("a\nb\tc".into()), "a b c");
        let long = one_line("é".repeat(400));
        assert_eq!(long.len(), 512);
        assert!(one_line(format!("a{}", "é".repeat(400))).len() <= 512);
    }
}
