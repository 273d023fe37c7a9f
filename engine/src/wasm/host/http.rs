//! `http`: sessions and responses, all that does not wait.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;

use super::{Host, Member, clip};
use crate::http::{self, BodyMode, ErrorKind, SessionOptions};
use crate::wasm::bindings::http as wit;

/// A session and the user that opened it.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Session {
    pub(super) user: u64,
    pub(super) member: Arc<Member>,
    pub(super) inner: Arc<http::Session>,
}

/// A response that the guest holds. Its body stream leaves for the time of a read.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Response {
    pub(super) inner: Option<http::Response>,
}

impl Response {
    fn get(&self) -> wasmtime::Result<&http::Response> {
        self.inner.as_ref().ok_or_else(|| {
            wasmtime::format_err!("the response is being read, or its user has left")
        })
    }

    /// Bytes of its body.
    pub(super) fn held(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.body().len())
    }

    /// Counts it without waiting for the guest to drop its handle.
    pub(super) fn release(&mut self) {
        self.inner = None;
    }

    pub(super) fn fail_task(&mut self, message: &str) {
        if let Some(response) = &mut self.inner {
            response.fail_task(message);
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// WIT options → those of the client.
pub(super) fn options(options: Option<wit::Options>) -> http::Options {
    let Some(options) = options else {
        return http::Options::default();
    };
    http::Options {
        timeout: options.timeout.map(Duration::from_nanos),
        redirects: options.redirects,
        retries: options.retries,
        max_body: options.max_body,
        body: options.body.map(|mode| match mode {
            wit::BodyMode::Buffer => BodyMode::Buffer,
            wit::BodyMode::Discard => BodyMode::Discard,
            wit::BodyMode::Stream => BodyMode::Stream,
        }),
    }
}

impl From<http::Error> for wit::HttpError {
    fn from(error: http::Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Dns => wit::ErrorKind::Dns,
            ErrorKind::ConnectRefused => wit::ErrorKind::ConnectRefused,
            ErrorKind::ConnectTimeout => wit::ErrorKind::ConnectTimeout,
            ErrorKind::Connect => wit::ErrorKind::Connect,
            ErrorKind::Tls => wit::ErrorKind::Tls,
            ErrorKind::Reset => wit::ErrorKind::Reset,
            ErrorKind::Timeout => wit::ErrorKind::Timeout,
            ErrorKind::Protocol => wit::ErrorKind::Protocol,
            ErrorKind::TooLarge => wit::ErrorKind::TooLarge,
            ErrorKind::TooManyRedirects => wit::ErrorKind::TooManyRedirects,
            ErrorKind::Decode => wit::ErrorKind::Decode,
            ErrorKind::Denied => wit::ErrorKind::Denied,
            ErrorKind::InvalidRequest => wit::ErrorKind::InvalidRequest,
            ErrorKind::Interrupted => wit::ErrorKind::Interrupted,
        };
        wit::HttpError {
            kind,
            message: error.message,
        }
    }
}

impl Host {
    fn session(&self, session: &Resource<Session>) -> wasmtime::Result<&http::Session> {
        Ok(&self.table.get(session)?.inner)
    }

    fn response(&self, response: &Resource<Response>) -> wasmtime::Result<&http::Response> {
        self.table.get(response)?.get()
    }
}

impl wit::Host for Host {}

impl wit::HostSession for Host {
    fn open(
        &mut self,
        user: u64,
        options: wit::SessionOptions,
    ) -> wasmtime::Result<Result<Resource<Session>, String>> {
        let Some(member) = self.members.get(&user).cloned() else {
            return Ok(Err(format!("there is no user {user} in this sandbox")));
        };
        let base_url = options
            .base_url
            .or_else(|| member.host.as_deref().map(str::to_owned));
        let session = http::Session::open(
            &self.run.client,
            member.clone(),
            SessionOptions {
                base_url,
                headers: options.headers,
                cookies: options.cookies,
                options: self::options(options.options),
            },
        );
        Ok(match session {
            Ok(inner) => Ok(self.table.push(Session {
                user,
                member,
                inner: Arc::new(inner),
            })?),
            Err(error) => Err(error.to_string()),
        })
    }

    fn set_header(
        &mut self,
        session: Resource<Session>,
        name: String,
        value: String,
    ) -> wasmtime::Result<Result<(), String>> {
        Ok(self.session(&session)?.set_header(&name, value))
    }

    fn remove_header(&mut self, session: Resource<Session>, name: String) -> wasmtime::Result<()> {
        self.session(&session)?.remove_header(&name);
        Ok(())
    }

    fn cookies(
        &mut self,
        session: Resource<Session>,
        url: String,
    ) -> wasmtime::Result<Vec<wit::Cookie>> {
        let cookies = self.session(&session)?.cookies(&url);
        Ok(cookies
            .into_iter()
            .map(|(name, value)| wit::Cookie { name, value })
            .collect())
    }

    fn set_cookie(
        &mut self,
        session: Resource<Session>,
        url: String,
        cookie: String,
    ) -> wasmtime::Result<Result<(), String>> {
        Ok(self
            .session(&session)?
            .set_cookie(&url, &cookie)
            .map_err(|e| e.to_string()))
    }

    fn clear_cookies(&mut self, session: Resource<Session>) -> wasmtime::Result<()> {
        self.session(&session)?.clear_cookies();
        Ok(())
    }

    fn drop(&mut self, session: Resource<Session>) -> wasmtime::Result<()> {
        self.table.delete(session)?;
        Ok(())
    }
}

impl wit::HostResponse for Host {
    fn status(&mut self, response: Resource<Response>) -> wasmtime::Result<u16> {
        Ok(self.response(&response)?.status())
    }

    fn version(&mut self, response: Resource<Response>) -> wasmtime::Result<wit::Version> {
        Ok(match self.response(&response)?.version() {
            ::http::Version::HTTP_2 => wit::Version::Http2,
            ::http::Version::HTTP_10 | ::http::Version::HTTP_09 => wit::Version::Http10,
            _ => wit::Version::Http11,
        })
    }

    fn url(&mut self, response: Resource<Response>) -> wasmtime::Result<String> {
        Ok(self.response(&response)?.url().to_string())
    }

    fn header(
        &mut self,
        response: Resource<Response>,
        name: String,
    ) -> wasmtime::Result<Option<String>> {
        let headers = self.response(&response)?.headers();
        Ok(headers.get(name.as_str()).map(text))
    }

    fn headers(&mut self, response: Resource<Response>) -> wasmtime::Result<Vec<wit::Header>> {
        let headers = self.response(&response)?.headers();
        Ok(headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect())
    }

    fn body(&mut self, response: Resource<Response>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.response(&response)?.body().to_vec())
    }

    fn timings(&mut self, response: Resource<Response>) -> wasmtime::Result<wit::Timings> {
        let t = self.response(&response)?.timings();
        Ok(wit::Timings {
            dns: nanos(t.dns),
            connect: nanos(t.connect),
            tls: nanos(t.tls),
            send: nanos(t.send),
            first_byte: nanos(t.first_byte),
            body: nanos(t.body),
            total: nanos(t.total),
        })
    }

    fn success(&mut self, response: Resource<Response>) -> wasmtime::Result<()> {
        if let Some(response) = &mut self.table.get_mut(&response)?.inner {
            response.success();
        }
        Ok(())
    }

    fn failure(&mut self, response: Resource<Response>, reason: String) -> wasmtime::Result<()> {
        if let Some(response) = &mut self.table.get_mut(&response)?.inner {
            response.failure(clip(reason));
        }
        Ok(())
    }

    fn fail_task(&mut self, response: Resource<Response>, reason: String) -> wasmtime::Result<()> {
        self.table.get_mut(&response)?.fail_task(&clip(reason));
        Ok(())
    }

    fn drop(&mut self, response: Resource<Response>) -> wasmtime::Result<()> {
        if let Some(at) = self.open.iter().position(|(_, rep)| *rep == response.rep()) {
            self.open.swap_remove(at);
        }
        let response = self.table.delete(response)?;
        self.held_bodies = self.held_bodies.saturating_sub(response.held());
        Ok(())
    }
}

fn text(value: &::http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
