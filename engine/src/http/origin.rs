//! One server as one session sees it: its address, whether it is granted, and the
//! connections that are kept. Connects nowhere itself.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};
use url::{Position, Url};

use super::client::Client;
use super::connect::{Setup, connect};
use super::connection::Connection;
use super::error::{Error, ErrorKind};
use super::http1::Http1;
use super::http2::Http2;
use crate::sample::Sink;

/// Idle HTTP/1.1 connections kept.
const MAX_IDLE: usize = 8;

pub(super) struct Origin {
    /// `https://example.com:8443`, without the port when it is the scheme's own.
    prefix: String,
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    authority: Authority,
    host_header: HeaderValue,
    /// The grant for the host as the URL names it; its addresses are checked when they
    /// are known.
    granted: Result<(), Error>,
    sink: Arc<dyn Sink>,
    /// Whether connections may turn out to be shared by several requests.
    may_multiplex: bool,
    pool: Mutex<Pool>,
    /// Held while connecting, so that requests that start together share one HTTP/2
    /// connection.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "requests take them and put them back, by pointer"
    )]
    idle: Vec<Box<Http1>>,
    shared: Option<Arc<Http2>>,
    /// The server chose HTTP/1.1: nothing is shared, so nobody waits for another.
    http1_only: bool,
}

impl Origin {
    /// The origin of an absolute URL; the error says what is wrong with it.
    pub(super) fn new(url: &Url, client: &Client, sink: Arc<dyn Sink>) -> Result<Self, Error> {
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(Error::invalid("the URL is neither http:// nor https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::invalid(
                "the URL has a user name or a password; send an authorization header instead",
            ));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Error::invalid("the URL has no host"));
        };
        let written = &url[Position::BeforeHost..Position::AfterPort];
        let invalid = || Error::invalid("the URL's host is not valid");
        let authority = Authority::try_from(written).map_err(|_| invalid())?;
        let host_header = HeaderValue::try_from(written).map_err(|_| invalid())?;
        let granted = if client.config().egress.admits_host(&host, port) {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::Denied,
                format!("{written} is not granted to this scenario; grant it with --allow-host"),
            ))
        };
        Ok(Self {
            prefix: url[..Position::AfterPort].to_owned(),
            tls,
            host: host.to_string().trim_matches(['[', ']']).to_owned(),
            port,
            authority,
            host_header,
            granted,
            sink,
            may_multiplex: tls || client.config().http2_prior_knowledge,
            pool: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as they are written in the URL.
    pub(super) fn authority(&self) -> &str {
        self.authority.as_str()
    }

    pub(super) fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    pub(super) fn granted(&self) -> Result<(), &Error> {
        self.granted.as_ref().copied()
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    /// The absolute form that HTTP/2 needs; the scenario's own `host` header, if it is
    /// one, names the site.
    pub(super) fn uri(&self, path: PathAndQuery, host: Option<HeaderValue>) -> Result<Uri, Error> {
        let scheme = if self.tls {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        };
        let authority = match host {
            Some(host) => Authority::try_from(host.as_bytes())
                .map_err(|_| Error::invalid("the header host is not a host"))?,
            None => self.authority.clone(),
        };
        Uri::builder()
            .scheme(scheme)
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(|_| Error::invalid("the URL is not valid"))
    }

    /// A kept connection that is still open, as far as can be known.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut pool = self.pool.lock();
        if let Some(shared) = &pool.shared {
            if shared.is_ready() {
                return Some(Connection::Http2(shared.clone()));
            }
            pool.shared = None;
        }
        while let Some(mut connection) = pool.idle.pop() {
            if connection.is_ready() {
                return Some(Connection::Http1(connection));
            }
        }
        None
    }

    /// Keeps a connection whose exchange is complete.
    pub(super) fn put(&self, connection: Connection) {
        // An HTTP/2 connection never left the pool.
        if let Connection::Http1(mut connection) = connection
            && connection.is_reusable()
        {
            let mut pool = self.pool.lock();
            if pool.idle.len() < MAX_IDLE {
                pool.idle.push(connection);
            }
        }
    }

    /// Gives new requests a connection of their own after this one, which others may go
    /// on using, did not answer.
    pub(super) fn forget_shared(&self) {
        self.pool.lock().shared = None;
    }

    /// A new connection, or one that another request has just made and shares.
    pub(super) async fn connect(
        &self,
        client: &Client,
        deadline: Instant,
        timeout: Duration,
        setup: &mut Setup,
    ) -> Result<Connection, Error> {
        if !self.may_multiplex || self.pool.lock().http1_only {
            return connect(client, self, deadline, timeout, setup).await;
        }
        let Ok(_guard) = timeout_at(deadline, self.connecting.lock()).await else {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("no connection to {} within {timeout:?}", self.authority()),
            ));
        };
        {
            let pool = self.pool.lock();
            if let Some(shared) = pool.shared.as_ref().filter(|shared| shared.is_ready()) {
                return Ok(Connection::Http2(shared.clone()));
            }
        }
        let connection = connect(client, self, deadline, timeout, setup).await?;
        let mut pool = self.pool.lock();
        match &connection {
            Connection::Http1(_) => pool.http1_only = true,
            Connection::Http2(shared) => pool.shared = Some(shared.clone()),
        }
        drop(pool);
        Ok(connection)
    }
}
