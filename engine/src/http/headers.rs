//! Which request headers a scenario may set, and the defaults of a session. Knows nothing
//! of connections.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that one session or one request may set.
pub(super) const MAX_HEADERS: usize = 128;

/// Checks a header of the scenario; the error says what is wrong with it.
pub(super) fn check(name: &str, value: String) -> Result<(HeaderName, HeaderValue), String> {
    let name = HeaderName::try_from(name)
        .map_err(|_| format!("{:?} is not a header name", shortened(name)))?;
    if matches!(name, TRANSFER_ENCODING | UPGRADE) {
        return Err(format!("the header {name} is not the scenario's to set"));
    }
    let value = HeaderValue::from_maybe_shared(bytes::Bytes::from(value))
        .map_err(|_| format!("the value of the header {name} has control characters"))?;
    Ok((name, value))
}

fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(64)]
}

/// The headers that every request of a session starts with.
#[derive(Clone)]
pub(super) struct Defaults {
    map: HeaderMap,
    /// The scenario set `accept-encoding` itself.
    own_encoding: bool,
}

impl Defaults {
    pub(super) fn new(user_agent: HeaderValue) -> Self {
        let mut map = HeaderMap::with_capacity(8);
        map.insert(USER_AGENT, user_agent);
        map.insert(ACCEPT, HeaderValue::from_static("*/*"));
        map.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_static("gzip, br, deflate"),
        );
        Self {
            map,
            own_encoding: false,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let (name, value) = check(name, value)?;
        if name == CONTENT_LENGTH {
            return Err(format!("the header {name} is not the scenario's to set"));
        }
        if self.map.len() >= MAX_HEADERS && !self.map.contains_key(&name) {
            return Err(format!(
                "a session has at most {MAX_HEADERS} default headers"
            ));
        }
        self.own_encoding |= name == ACCEPT_ENCODING;
        self.map.insert(name, value);
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.map.remove(name);
    }

    /// The start of a request's headers. A streamed body is passed on as it comes, so
    /// the session does not ask for a compressed one by itself.
    pub(super) fn start(&self, streamed: bool) -> HeaderMap {
        let mut map = self.map.clone();
        if streamed && !self.own_encoding {
            map.remove(ACCEPT_ENCODING);
        }
        map
    }
}
