//! The HTTP client of a user: a session of the engine, opened by its first use. Knows
//! nothing of how a request is put together or sent.

use std::cell::OnceCell;
use std::time::Duration;

use crate::bindings::aiotest::engine::http;
use crate::call::Caller;
use crate::failure::HttpError;
use crate::nanos;
use crate::request::RequestBuilder;

pub use crate::bindings::aiotest::engine::http::Cookie;

/// What all requests of a client have in common. What is absent is the engine's default.
///
/// ```
/// use aiotest::prelude::*;
///
/// let options = SessionOptions {
///     base_url: Some("https://pay.example.org".to_owned()),
///     timeout: Some(Duration::from_secs(2)),
///     ..SessionOptions::default()
/// };
/// let client = Client::new(options);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// Joined with every URL that is not absolute. Without one it is the run's `--host`,
    /// or else the host of the user class.
    pub base_url: Option<String>,
    /// Name and value of headers sent with every request.
    pub headers: Vec<(String, String)>,
    /// Store and send cookies: yes, unless said otherwise.
    pub cookies: bool,
    /// Limit for a whole exchange.
    pub timeout: Option<Duration>,
    /// Redirects followed, at most.
    pub redirects: Option<u32>,
    /// Further tries after a connection error, a time-out, or a 429, 502, 503 or 504.
    pub retries: Option<u32>,
    /// Largest response body in bytes, after decompression.
    pub max_body: Option<u64>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            base_url: None,
            headers: Vec::new(),
            cookies: true,
            timeout: None,
            redirects: None,
            retries: None,
            max_body: None,
        }
    }
}

impl From<SessionOptions> for http::SessionOptions {
    fn from(options: SessionOptions) -> Self {
        Self {
            base_url: options.base_url,
            headers: options.headers,
            cookies: options.cookies,
            options: Some(http::Options {
                timeout: options.timeout.map(nanos),
                redirects: options.redirects,
                retries: options.retries,
                max_body: options.max_body,
                body: None,
            }),
        }
    }
}

/// An HTTP client with its own connections, default headers and cookies. A user usually
/// has one, in a field:
///
/// ```
/// use aiotest::prelude::*;
///
/// #[derive(Default)]
/// struct Visitor {
///     client: Client,
/// }
///
/// #[user(host = "http://127.0.0.1:8080", timeout = 5.0)]
/// impl Visitor {
///     async fn test_home(&mut self) -> Result {
///         self.client.get("/").send().await?;
///         Ok(())
///     }
/// }
/// ```
///
/// `Client::default()` takes its options from the attributes of the class. Nothing is
/// opened before the first request.
pub struct Client {
    user: u64,
    options: http::SessionOptions,
    session: OnceCell<http::Session>,
}

impl Default for Client {
    fn default() -> Self {
        let caller = Caller::current();
        Self::of(caller.user, (caller.session)())
    }
}

impl Client {
    /// A client of its own kind, beside or in place of that of the class.
    #[must_use]
    pub fn new(options: SessionOptions) -> Self {
        Self::of(Caller::current().user, options)
    }

    fn of(user: u64, options: SessionOptions) -> Self {
        Self {
            user,
            options: options.into(),
            session: OnceCell::new(),
        }
    }

    /// A GET request to an absolute URL, or to a path below the base URL.
    pub fn get(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Get, url.into())
    }

    /// A HEAD request.
    pub fn head(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Head, url.into())
    }

    /// A POST request.
    pub fn post(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Post, url.into())
    }

    /// A PUT request.
    pub fn put(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Put, url.into())
    }

    /// A DELETE request.
    pub fn delete(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Delete, url.into())
    }

    /// An OPTIONS request.
    pub fn options(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Options, url.into())
    }

    /// A PATCH request.
    pub fn patch(&self, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Patch, url.into())
    }

    /// A request with any other method, for example `PROPFIND`.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> RequestBuilder<'_> {
        RequestBuilder::new(self, http::Method::Other(method.into()), url.into())
    }

    /// Sends this header with every request from now on.
    ///
    /// # Errors
    ///
    /// When the name or the value is not valid.
    pub fn set_header(&self, name: &str, value: &str) -> Result<(), HttpError> {
        self.session()?
            .set_header(name, value)
            .map_err(HttpError::invalid)
    }

    /// Sends this header no longer with every request.
    ///
    /// # Errors
    ///
    /// When the options of the client are not valid.
    pub fn remove_header(&self, name: &str) -> Result<(), HttpError> {
        self.session()?.remove_header(name);
        Ok(())
    }

    /// The cookies that a request to this URL (absolute or a path) would carry.
    ///
    /// # Errors
    ///
    /// When the options of the client are not valid.
    pub fn cookies(&self, url: &str) -> Result<Vec<Cookie>, HttpError> {
        Ok(self.session()?.cookies(url))
    }

    /// Stores a cookie as if the URL's server had set it; it may carry attributes
    /// (`theme=dark; Path=/`).
    ///
    /// # Errors
    ///
    /// When the cookie is not valid, or not for that URL.
    pub fn set_cookie(&self, url: &str, cookie: &str) -> Result<(), HttpError> {
        self.session()?
            .set_cookie(url, cookie)
            .map_err(HttpError::invalid)
    }

    /// Forgets all cookies.
    ///
    /// # Errors
    ///
    /// When the options of the client are not valid.
    pub fn clear_cookies(&self) -> Result<(), HttpError> {
        self.session()?.clear_cookies();
        Ok(())
    }

    pub(crate) fn session(&self) -> Result<&http::Session, HttpError> {
        if let Some(session) = self.session.get() {
            return Ok(session);
        }
        let session = http::Session::open(self.user, &self.options).map_err(HttpError::invalid)?;
        Ok(self.session.get_or_init(|| session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::on_behalf_of;

    #[test]
    fn the_client_of_a_user_follows_its_class() {
        let caller = Caller {
            user: 3,
            session: || SessionOptions {
                cookies: false,
                timeout: Some(Duration::from_millis(1)),
                ..SessionOptions::default()
            },
        };
        let client = on_behalf_of(caller, Client::default);
        assert_eq!(client.user, 3);
        assert!(!client.options.cookies);
        let timeout = client.options.options.and_then(|options| options.timeout);
        assert_eq!(timeout, Some(1_000_000));
    }
}
