//! How a request is put together. Sending it is up to the convention.

use std::time::Duration;

use serde::Serialize;

use crate::bindings::aiotest::engine::http::{self, BodyMode};
use crate::client::Client;
use crate::failure::HttpError;
use crate::response::Response;
use crate::{call, convention, nanos};

/// A request in the making; [`send`](Self::send) sends it.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<'a> {
    client: &'a Client,
    request: http::Request,
    /// The first thing that was wrong; told by `send`.
    problem: Option<HttpError>,
}

impl<'a> RequestBuilder<'a> {
    pub(crate) fn new(client: &'a Client, method: http::Method, url: String) -> Self {
        Self {
            client,
            request: http::Request {
                method,
                url,
                name: None,
                tags: Vec::new(),
                headers: Vec::new(),
                body: None,
                options: None,
            },
            problem: None,
        }
    }

    /// Under which name the request is counted. Without one it is the path without its
    /// query, where a segment of digits only reads `{id}`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.request.name = Some(name.into());
        self
    }

    /// Keeps the request apart in the results from others of its name. At most ten tags,
    /// whose names are words of letters, digits and underscores, and of few values each.
    ///
    /// ```
    /// # use aiotest::prelude::*;
    /// # async fn step(client: &Client) -> Result {
    /// client.get("/cart").tag("region", "eu").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.tags.push((name.into(), value.into()));
        self
    }

    /// Adds a header; it takes the place of the client's default of the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `Authorization: Bearer` with this token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", ["Bearer ", token].concat())
    }

    /// Adds parameters to the query of the URL: pairs, a map or a struct.
    pub fn query(mut self, parameters: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(parameters) {
            Ok(query) => append_query(&mut self.request.url, &query),
            Err(error) => self.reject("the query", &error),
        }
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = Some(body.into());
        self
    }

    /// Sends this value as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.typed_body("application/json", body),
            Err(error) => self.reject("the JSON body", &error),
        }
        self
    }

    /// Sends a form: pairs, a map or a struct.
    pub fn form(mut self, fields: &(impl Serialize + ?Sized)) -> Self {
        match serde_urlencoded::to_string(fields) {
            Ok(body) => self.typed_body("application/x-www-form-urlencoded", body.into()),
            Err(error) => self.reject("the form", &error),
        }
        self
    }

    /// Limit for the whole exchange, until the body is complete.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options().timeout = Some(nanos(timeout));
        self
    }

    /// Redirects followed, at most; 0 returns the 3xx response itself.
    pub fn redirects(mut self, most: u32) -> Self {
        self.options().redirects = Some(most);
        self
    }

    /// Further tries after a connection error, a time-out, or a 429, 502, 503 or 504.
    pub fn retries(mut self, most: u32) -> Self {
        self.options().retries = Some(most);
        self
    }

    /// Largest response body in bytes, after decompression.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.options().max_body = Some(bytes);
        self
    }

    /// The engine reads, counts and throws away the response body.
    pub fn discard(mut self) -> Self {
        self.options().body = Some(BodyMode::Discard);
        self
    }

    /// The response body is left on the connection, for [`Response::chunk`].
    pub fn stream(mut self) -> Self {
        self.options().body = Some(BodyMode::Stream);
        self
    }

    /// Sends the request, and returns when the response is there.
    ///
    /// # Errors
    ///
    /// When there is no response, whatever the reason; the engine has counted it. A
    /// response with an error status is no error here.
    pub async fn send(self) -> Result<Response, HttpError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let session = self.client.session()?;
        call::flush();
        match convention::send(session, self.request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(error) => Err(error.into()),
        }
    }

    fn options(&mut self) -> &mut http::Options {
        self.request.options.get_or_insert(http::Options {
            timeout: None,
            redirects: None,
            retries: None,
            max_body: None,
            body: None,
        })
    }

    /// The content type stands unless a header says it already.
    fn typed_body(&mut self, content_type: &str, body: Vec<u8>) {
        let headers = &mut self.request.headers;
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        self.request.body = Some(body);
    }

    #[cold]
    fn reject(&mut self, part: &str, error: &dyn std::error::Error) {
        self.problem.get_or_insert_with(|| {
            HttpError::invalid(format!("{part} cannot be serialized: {error}"))
        });
    }
}

/// Adds an encoded query to a URL, before its fragment.
fn append_query(url: &mut String, query: &str) {
    if query.is_empty() {
        return;
    }
    let end = url.find('#').unwrap_or(url.len());
    let separator = match url[..end].find('?') {
        None => "?",
        Some(start) if start + 1 == end || url[..end].ends_with('&') => "",
        Some(_) => "&",
    };
    url.insert_str(end, query);
    url.insert_str(end, separator);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_joins_what_the_url_has() {
        for (url, joined) in [
            ("/a", "/a?x=1"),
            ("/a?", "/a?x=1"),
            ("/a?b=2", "/a?b=2&x=1"),
            ("/a?b=2&", "/a?b=2&x=1"),
            ("/a#top?", "/a?x=1#top?"),
        ] {
            let mut url = url.to_owned();
            append_query(&mut url, "x=1");
            assert_eq!(url, joined);
        }
    }

    #[test]
    fn queries_and_forms_are_encoded() {
        let client = Client::default();
        let built = client
            .post("/search")
            .query(&[("q", "a b&c"), ("page", "2")])
            .form(&[("user", "ä")]);
        assert_eq!(built.request.url, "/search?q=a+b%26c&page=2");
        assert_eq!(built.request.body.as_deref(), Some(&b"user=%C3%A4"[..]));
    }

    #[test]
    fn tags_are_kept_in_their_order() {
        let client = Client::default();
        let built = client.get("/").tag("region", "eu").tag("tier", "gold");
        let tags = [("region", "eu"), ("tier", "gold")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(built.request.tags, tags);
    }

    #[test]
    fn a_content_type_of_the_scenario_stands() {
        let client = Client::default();
        let types = |built: RequestBuilder<'_>| built.request.headers;
        let json = client.post("/").json(&1);
        assert_eq!(
            types(json),
            [("content-type".to_owned(), "application/json".to_owned())]
        );
        let own = client
            .post("/")
            .header("Content-Type", "application/problem+json")
            .json(&1);
        assert_eq!(
            types(own),
            [(
                "Content-Type".to_owned(),
                "application/problem+json".to_owned()
            )]
        );
    }

    #[test]
    fn what_cannot_be_serialized_is_told_when_sent() {
        let client = Client::default();
        let mut send = std::pin::pin!(client.get("/").query(&1).json(&1).send());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Err(error)) = send.as_mut().poll(&mut context) else {
            panic!("nothing to wait for");
        };
        assert!(error.to_string().starts_with("the query cannot be"));
    }
}
