//! Who may look at a run and give it orders. Judges the head of a request; knows nothing
//! of what is asked.
//!
//! The endpoint has no users of its own but those who start runs, so there are two ways
//! in: a token, or being on the same machine. A browser on the same machine is there too,
//! with pages from everywhere, hence the checks of where a request comes from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What controlling a run takes.
#[derive(Clone, Default)]
pub struct Access {
    /// What clients have to know. Without it only those on the same machine may control.
    pub token: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("Access").field("token", &token).finish()
    }
}

/// Why a client may not.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Denied {
    /// It does not know the token.
    #[error("control needs the header 'Authorization: Bearer TOKEN' with the --control-token")]
    Token,
    /// There is no token, and the address is open to others.
    #[error("control needs --control-token when the address is not loopback")]
    Open,
    /// A browser sent it on behalf of another site.
    #[error("requests from the pages of other sites are refused")]
    CrossSite,
    /// It was sent to a name that may be anyone's.
    #[error(
        "without --control-token, address the run as localhost or by a loopback address, in \
         one Host header"
    )]
    Host,
}

/// Decides.
pub(super) struct Guard {
    /// The hash of the token: hashes are of one length, so that comparing them tells
    /// nothing of the token's.
    token: Option<[u8; 32]>,
    loopback: bool,
}

impl Guard {
    /// A guard for an endpoint that listens on `address`.
    pub(super) fn new(access: &Access, address: SocketAddr) -> Self {
        let token = access.token.as_ref();
        Guard {
            token: token.map(|token| hash(token.as_bytes())),
            loopback: is_loopback(address.ip()),
        }
    }

    /// Whether a request may pass.
    pub(super) fn check(&self, request: &Parts) -> Result<(), Denied> {
        same_site(&request.headers)?;
        match &self.token {
            Some(token) => knows(token, &request.headers),
            None if !self.loopback => Err(Denied::Open),
            None => addressed_locally(request),
        }
    }
}

fn hash(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Refuses what a browser says it sends for another site's page. Programs do not send
/// these headers.
fn same_site(headers: &HeaderMap) -> Result<(), Denied> {
    let own = |site: &HeaderValue| site == "same-origin" || site == "none";
    if !headers.get_all(SEC_FETCH_SITE).iter().all(own) {
        return Err(Denied::CrossSite);
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    let host = only(headers, HOST);
    let own = |origin: &HeaderValue| {
        let origin = origin.as_bytes().strip_prefix(b"http://");
        matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
    };
    match origins.all(own) {
        true => Ok(()),
        false => Err(Denied::CrossSite),
    }
}

fn knows(token: &[u8; 32], headers: &HeaderMap) -> Result<(), Denied> {
    let given = only(headers, AUTHORIZATION).and_then(bearer);
    let given = given.ok_or(Denied::Token)?;
    match bool::from(hash(given).ct_eq(token)) {
        true => Ok(()),
        false => Err(Denied::Token),
    }
}

/// The token in `Bearer TOKEN`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// Refuses names other than the machine's own: a page can have its own name lead here
/// (DNS rebinding), and then a browser thinks that they are one site.
fn addressed_locally(request: &Parts) -> Result<(), Denied> {
    let local = |host: &[u8]| {
        let host = std::str::from_utf8(host).ok();
        host.is_some_and(is_local)
    };
    let named = match only(&request.headers, HOST) {
        Some(host) => local(host),
        // Before HTTP/1.1 clients named no host; browsers always do.
        None => !request.headers.contains_key(HOST) && request.version < Version::HTTP_11,
    };
    let target = request.uri.authority();
    let named = named && target.is_none_or(|authority| local(authority.as_str().as_bytes()));
    match named {
        true => Ok(()),
        false => Err(Denied::Host),
    }
}

/// Whether `host[:port]` is this machine whatever a name server says.
fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    let name = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback))
}

/// The value of a header that is there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use proptest::prelude::*;

    const TOKEN: &str = "correct horse";

    fn guard(token: Option<&str>, address: &str) -> Guard {
        let token = token.map(str::to_owned);
        Guard::new(&Access { token }, address.parse().unwrap())
    }

    fn request(headers: &[(&str, &str)]) -> Parts {
        let request = Request::get("/state");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.body(()).unwrap().into_parts().0
    }

    fn local(headers: &[(&str, &str)]) -> Result<(), Denied> {
        guard(None, "127.0.0.1:8089").check(&request(headers))
    }

    fn with_token(headers: &[(&str, &str)]) -> Result<(), Denied> {
        guard(Some(TOKEN), "0.0.0.0:8089").check(&request(headers))
    }

    #[test]
    fn without_a_token_only_loopback_addresses_take_orders() {
        let request = request(&[("host", "localhost:8089")]);
        for address in [
            "127.0.0.1:1",
            "127.8.9.1:1",
            "[::1]:1",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert_eq!(guard(None, address).check(&request), Ok(()), "{address}");
        }
        for address in [
            "0.0.0.0:1",
            "[::]:1",
            "192.168.1.2:1",
            "[::ffff:10.0.0.1]:1",
        ] {
            let denied = Err(Denied::Open);
            assert_eq!(guard(None, address).check(&request), denied, "{address}");
        }
    }

    #[test]
    fn without_a_token_only_this_machine_may_be_the_host() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:8089",
            "127.1.2.3",
            "[::1]:8089",
            "[::1]",
        ] {
            assert_eq!(local(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8089",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil@localhost",
            "10.0.0.1",
            "[::2]",
            "0.0.0.0",
            "",
            "[::1",
            "127.0.0.1:8089:1",
            "localhost.",
        ] {
            assert_eq!(local(&[("host", host)]), Err(Denied::Host), "{host}");
        }
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(local(&twice), Err(Denied::Host));
    }

    #[test]
    fn only_before_http_1_1_the_host_may_be_absent() {
        let guard = guard(None, "127.0.0.1:8089");
        let mut request = request(&[]);
        assert_eq!(guard.check(&request), Err(Denied::Host));
        request.version = Version::HTTP_10;
        assert_eq!(guard.check(&request), Ok(()));
    }

    #[test]
    fn a_whole_url_as_target_has_to_name_this_machine_too() {
        let guard = guard(None, "127.0.0.1:8089");
        let mut request = request(&[("host", "localhost")]);
        request.uri = "http://evil.example/state".parse().unwrap();
        assert_eq!(guard.check(&request), Err(Denied::Host));
        request.uri = "http://localhost/state".parse().unwrap();
        assert_eq!(guard.check(&request), Ok(()));
    }

    #[test]
    fn the_token_opens_and_nothing_else_does() {
        let host = ("host", "load.example:8089");
        let try_with = |value: &str| with_token(&[host, ("authorization", value)]);
        assert_eq!(try_with("Bearer correct horse"), Ok(()));
        assert_eq!(try_with("bearer  correct horse "), Ok(()));
        for wrong in [
            "Bearer correct hors",
            "Bearer correct horse2",
            "Bearer ",
            "Bearer",
            "",
            "Basic correct horse",
            "correct horse",
            "Bearercorrect horse",
            "Bearer Correct horse",
        ] {
            assert_eq!(try_with(wrong), Err(Denied::Token), "{wrong}");
        }
        assert_eq!(with_token(&[host]), Err(Denied::Token));
        let right = ("authorization", "Bearer correct horse");
        assert_eq!(with_token(&[host, right, right]), Err(Denied::Token));
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        let guard = guard(Some(""), "127.0.0.1:8089");
        for value in ["Bearer ", "Bearer", "Bearer  "] {
            let request = request(&[("host", "localhost"), ("authorization", value)]);
            assert_eq!(guard.check(&request), Err(Denied::Token));
        }
    }

    #[test]
    fn other_sites_are_refused_with_and_without_a_token() {
        let bearer = ("authorization", "Bearer correct horse");
        let host = ("host", "localhost:8089");
        for sign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("origin", "null"),
            ("origin", "http://evil.example"),
            ("origin", "https://localhost:8089"),
            ("origin", "http://localhost"),
            ("origin", "http://localhost:8089.evil.example"),
        ] {
            assert_eq!(local(&[host, sign]), Err(Denied::CrossSite), "{sign:?}");
            let denied = Err(Denied::CrossSite);
            assert_eq!(with_token(&[host, bearer, sign]), denied, "{sign:?}");
        }
        for sign in [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
            ("origin", "http://localhost:8089"),
        ] {
            assert_eq!(local(&[host, sign]), Ok(()), "{sign:?}");
            assert_eq!(with_token(&[host, bearer, sign]), Ok(()), "{sign:?}");
        }
        let both = [
            host,
            ("origin", "http://localhost:8089"),
            ("origin", "null"),
        ];
        assert_eq!(local(&both), Err(Denied::CrossSite));
    }

    #[test]
    fn no_message_has_the_token() {
        let access = Access {
            token: Some(TOKEN.to_owned()),
        };
        assert_eq!(format!("{access:?}"), r#"Access { token: Some("***") }"#);
    }

    proptest! {
        #[test]
        fn other_tokens_do_not_open(token in "[ -~]{1,40}") {
            prop_assume!(token.trim() != TOKEN);
            let value = format!("Bearer {token}");
            let answer = with_token(&[("host", "x"), ("authorization", &value)]);
            prop_assert_eq!(answer, Err(Denied::Token));
        }

        #[test]
        fn names_are_never_local(host in "[a-z0-9.:@\\[\\]-]{0,20}") {
            let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
            let literal = name.trim_matches(['[', ']']).parse().is_ok_and(is_loopback);
            let bare = host.trim_matches(['[', ']']).parse().is_ok_and(is_loopback);
            prop_assume!(!literal && !bare && name != "localhost");
            prop_assert!(!is_local(&host));
        }
    }
}
