//! The servers of one session, and where a URL leads among them. Knows nothing of requests.

use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use parking_lot::Mutex;
use url::{Position, Url};

use super::client::Client;
use super::error::Error;
use super::origin::Origin;
use super::target::{is_absolute, is_plain_path, join};
use crate::sample::Sink;

/// Servers beside the base URL's whose connections are kept.
const MAX_ORIGINS: usize = 32;

pub(super) struct Origins {
    client: Client,
    sink: Arc<dyn Sink>,
    base: Option<Base>,
    /// Other servers than the base URL's, oldest first.
    others: Mutex<Vec<Arc<Origin>>>,
}

struct Base {
    origin: Arc<Origin>,
    /// Without the slash at its end; often empty.
    path: String,
}

impl Origins {
    /// Without connections. The error says what is wrong with the base URL.
    pub(super) fn new(
        client: &Client,
        sink: Arc<dyn Sink>,
        base_url: Option<&str>,
    ) -> Result<Self, String> {
        let base = match base_url {
            Some(url) => Some(Base::new(url, client, &sink)?),
            None => None,
        };
        Ok(Self {
            client: client.clone(),
            sink,
            base,
            others: Mutex::default(),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    /// Where a URL leads. A path below the base URL, or a URL of a server that the session
    /// knows, needs no parser.
    pub(super) fn target(&self, url: String) -> Result<(Arc<Origin>, PathAndQuery), Error> {
        if let Some(base) = &self.base
            && is_plain_path(&url)
        {
            let path = if base.path.is_empty() {
                url
            } else {
                join(&base.path, &url)
            };
            return Ok((base.origin.clone(), parse_path(path.into())?));
        }
        if let Some(origin) = self.known_origin(&url) {
            let path = Bytes::from(url).slice(origin.prefix().len()..);
            return Ok((origin, parse_path(path)?));
        }
        self.split(&self.resolve(&url)?)
    }

    /// The server that a plain absolute URL names, if the session knows it.
    fn known_origin(&self, url: &str) -> Option<Arc<Origin>> {
        let leads =
            |origin: &Arc<Origin>| url.strip_prefix(origin.prefix()).is_some_and(is_plain_path);
        if let Some(base) = &self.base
            && leads(&base.origin)
        {
            return Some(base.origin.clone());
        }
        self.others
            .lock()
            .iter()
            .find(|origin| leads(origin))
            .cloned()
    }

    /// The absolute URL of what a scenario writes.
    pub(super) fn resolve(&self, url: &str) -> Result<Url, Error> {
        let invalid = |error| Error::invalid(format!("the URL is not valid: {error}"));
        if is_absolute(url) {
            return Url::parse(url).map_err(invalid);
        }
        let Some(base) = &self.base else {
            return Err(Error::invalid(
                "the URL is only a path and there is no base URL; give the whole URL or a host",
            ));
        };
        let base = [base.origin.prefix(), &base.path].concat();
        Url::parse(&join(&base, url)).map_err(invalid)
    }

    /// The origin and the path of an absolute URL.
    pub(super) fn split(&self, url: &Url) -> Result<(Arc<Origin>, PathAndQuery), Error> {
        let path =
            Bytes::copy_from_slice(url[Position::BeforePath..Position::AfterQuery].as_bytes());
        let path = parse_path(path)?;
        let prefix = &url[..Position::AfterPort];
        if let Some(base) = &self.base
            && base.origin.prefix() == prefix
        {
            return Ok((base.origin.clone(), path));
        }
        let mut origins = self.others.lock();
        if let Some(known) = origins.iter().find(|origin| origin.prefix() == prefix) {
            return Ok((known.clone(), path));
        }
        let origin = Arc::new(Origin::new(url, &self.client, self.sink.clone())?);
        if origins.len() >= MAX_ORIGINS {
            origins.remove(0);
        }
        origins.push(origin.clone());
        Ok((origin, path))
    }
}

impl Base {
    fn new(url: &str, client: &Client, sink: &Arc<dyn Sink>) -> Result<Self, String> {
        let invalid = |cause: String| format!("base URL {url:?}: {cause}");
        if !is_absolute(url) {
            return Err(invalid("it does not start with http:// or https://".into()));
        }
        let parsed = Url::parse(url).map_err(|error| invalid(error.to_string()))?;
        let origin =
            Origin::new(&parsed, client, sink.clone()).map_err(|error| invalid(error.message))?;
        Ok(Self {
            origin: Arc::new(origin),
            path: parsed.path().trim_end_matches('/').to_owned(),
        })
    }
}

fn parse_path(path: Bytes) -> Result<PathAndQuery, Error> {
    PathAndQuery::from_maybe_shared(path)
        .map_err(|_| Error::invalid("the URL's path is not valid or is too long"))
}
