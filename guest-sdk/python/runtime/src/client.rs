//! `Session` and `Response`: HTTP by the host. Knows requests, not who awaits them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};

use crate::bindings::aiotest::engine::{blocking_io, event_loop, http};
use crate::convert::{nanoseconds, seconds};
use crate::events;

/// The exception for exchanges without a response; made in Python, since it has a field.
pub fn http_error(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS
        .get_or_try_init(py, || {
            let source = c"
class HttpError(Exception):
    __module__ = '_aiotest'

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
";
            let scope = pyo3::types::PyDict::new(py);
            py.run(source, Some(&scope), Some(&scope))?;
            let class = scope.get_item("HttpError")?;
            class
                .map(Bound::unbind)
                .ok_or_else(|| PyValueError::new_err("no HttpError"))
        })
        .map(|class| class.bind(py))
}

/// An exception for an exchange without a response.
pub fn error<'py>(py: Python<'py>, error: http::HttpError) -> PyResult<Bound<'py, PyAny>> {
    http_error(py)?.call1((kind(error.kind), error.message))
}

fn kind(kind: http::ErrorKind) -> &'static str {
    use http::ErrorKind as Kind;
    match kind {
        Kind::Dns => "dns",
        Kind::ConnectRefused => "connect-refused",
        Kind::ConnectTimeout => "connect-timeout",
        Kind::Connect => "connect",
        Kind::Tls => "tls",
        Kind::Reset => "reset",
        Kind::Timeout => "timeout",
        Kind::Protocol => "protocol",
        Kind::TooLarge => "too-large",
        Kind::TooManyRedirects => "too-many-redirects",
        Kind::Decode => "decode",
        Kind::Denied => "denied",
        Kind::InvalidRequest => "invalid-request",
        Kind::Interrupted => "interrupted",
    }
}

fn method(name: &str) -> http::Method {
    match name {
        "GET" => http::Method::Get,
        "HEAD" => http::Method::Head,
        "POST" => http::Method::Post,
        "PUT" => http::Method::Put,
        "DELETE" => http::Method::Delete,
        "OPTIONS" => http::Method::Options,
        "PATCH" => http::Method::Patch,
        other => http::Method::Other(other.to_owned()),
    }
}

fn options(
    timeout: Option<f64>,
    redirects: Option<u32>,
    retries: Option<u32>,
) -> Option<http::Options> {
    if timeout.is_none() && redirects.is_none() && retries.is_none() {
        return None;
    }
    Some(http::Options {
        timeout: timeout.map(nanoseconds),
        redirects,
        retries,
        max_body: None,
        body: None,
    })
}

/// Bytes as they are, and text as UTF-8.
struct Body(Vec<u8>);

impl<'a, 'py> FromPyObject<'a, 'py> for Body {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Body(text.to_str()?.as_bytes().to_owned()));
        }
        value.extract().map(Body)
    }
}

type Headers = Vec<(String, String)>;

/// A client with its own connections, default headers and cookies.
#[pyclass(module = "_aiotest", frozen)]
pub struct Session(http::Session);

impl Session {
    #[expect(clippy::too_many_arguments, reason = "a request has as many parts")]
    fn request(
        name: Option<String>,
        method: &str,
        url: String,
        headers: Headers,
        body: Option<Body>,
        timeout: Option<f64>,
        redirects: Option<u32>,
        tags: Option<Headers>,
    ) -> http::Request {
        http::Request {
            method: self::method(method),
            url,
            name,
            tags: tags.unwrap_or_default(),
            headers,
            body: body.map(|Body(bytes)| bytes),
            options: options(timeout, redirects, None),
        }
    }
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (
        user, base_url=None, headers=Vec::new(), cookies=true, timeout=None, redirects=None,
        retries=None
    ))]
    fn new(
        user: u64,
        base_url: Option<String>,
        headers: Headers,
        cookies: bool,
        timeout: Option<f64>,
        redirects: Option<u32>,
        retries: Option<u32>,
    ) -> PyResult<Self> {
        let options = http::SessionOptions {
            base_url,
            headers,
            cookies,
            options: options(timeout, redirects, retries),
        };
        http::Session::open(user, &options)
            .map(Session)
            .map_err(PyValueError::new_err)
    }

    /// Begins a request; the future gets what comes of it from `next_events`.
    #[expect(clippy::too_many_arguments, reason = "a request has as many parts")]
    #[pyo3(signature = (future, method, url, name, headers, body, timeout, redirects, tags))]
    fn start(
        &self,
        future: Py<PyAny>,
        method: &str,
        url: String,
        name: Option<String>,
        headers: Headers,
        body: Option<Body>,
        timeout: Option<f64>,
        redirects: Option<u32>,
        tags: Option<Headers>,
    ) -> u64 {
        let request = Self::request(name, method, url, headers, body, timeout, redirects, tags);
        let ticket = event_loop::start(&self.0, &request);
        events::expect(ticket, future);
        ticket
    }

    /// Sends a request and suspends the whole sandbox until the answer is there.
    #[expect(clippy::too_many_arguments, reason = "a request has as many parts")]
    #[pyo3(signature = (method, url, name, headers, body, timeout, redirects, tags))]
    fn send(
        &self,
        py: Python<'_>,
        method: &str,
        url: String,
        name: Option<String>,
        headers: Headers,
        body: Option<Body>,
        timeout: Option<f64>,
        redirects: Option<u32>,
        tags: Option<Headers>,
    ) -> PyResult<Response> {
        let request = Self::request(name, method, url, headers, body, timeout, redirects, tags);
        match blocking_io::send(&self.0, &request) {
            Ok(response) => Ok(Response::new(response)),
            Err(error) => Err(PyErr::from_value(self::error(py, error)?)),
        }
    }

    fn set_header(&self, name: &str, value: &str) -> PyResult<()> {
        self.0
            .set_header(name, value)
            .map_err(PyValueError::new_err)
    }

    fn remove_header(&self, name: &str) {
        self.0.remove_header(name);
    }

    fn cookies(&self, url: &str) -> Vec<(String, String)> {
        let cookies = self.0.cookies(url).into_iter();
        cookies.map(|cookie| (cookie.name, cookie.value)).collect()
    }

    fn set_cookie(&self, url: &str, cookie: &str) -> PyResult<()> {
        self.0
            .set_cookie(url, cookie)
            .map_err(PyValueError::new_err)
    }

    fn clear_cookies(&self) {
        self.0.clear_cookies();
    }
}

/// An answer. It is counted when it is closed, or collected.
#[pyclass(module = "_aiotest")]
pub struct Response {
    inner: Option<http::Response>,
    status: u16,
}

impl Response {
    pub fn new(inner: http::Response) -> Self {
        Response {
            status: inner.status(),
            inner: Some(inner),
        }
    }

    fn open(&self) -> PyResult<&http::Response> {
        self.inner
            .as_ref()
            .ok_or_else(|| PyValueError::new_err("the response is closed"))
    }
}

#[pymethods]
impl Response {
    #[getter]
    fn status(&self) -> u16 {
        self.status
    }

    #[getter]
    fn url(&self) -> PyResult<String> {
        Ok(self.open()?.url())
    }

    #[getter]
    fn version(&self) -> PyResult<&'static str> {
        Ok(match self.open()?.version() {
            http::Version::Http10 => "1.0",
            http::Version::Http11 => "1.1",
            http::Version::Http2 => "2",
        })
    }

    fn header(&self, name: &str) -> PyResult<Option<String>> {
        Ok(self.open()?.header(name))
    }

    fn headers(&self) -> PyResult<Headers> {
        Ok(self.open()?.headers())
    }

    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.open()?.body()))
    }

    /// Seconds: dns, connect, tls, send, first byte, body, total.
    fn timings(&self) -> PyResult<(f64, f64, f64, f64, f64, f64, f64)> {
        let t = self.open()?.timings();
        let s = seconds;
        Ok((
            s(t.dns),
            s(t.connect),
            s(t.tls),
            s(t.send),
            s(t.first_byte),
            s(t.body),
            s(t.total),
        ))
    }

    fn success(&self) -> PyResult<()> {
        self.open()?.success();
        Ok(())
    }

    fn failure(&self, reason: &str) -> PyResult<()> {
        self.open()?.failure(reason);
        Ok(())
    }

    fn fail_task(&self, reason: &str) -> PyResult<()> {
        self.open()?.fail_task(reason);
        Ok(())
    }

    fn close(&mut self) {
        self.inner = None;
    }
}
