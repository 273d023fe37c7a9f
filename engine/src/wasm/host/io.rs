//! `io` and `blocking-io`: everything that waits, once for each calling convention.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wasmtime::component::{Accessor, Resource};

use super::http::{Response, Session, options};
use super::{Host, HostData, Member};
use crate::http;
use crate::sample::{InvalidTags, MAX_TAGS, join_tags};
use crate::wasm::bindings::blocking::aiotest::engine::blocking_io;
use crate::wasm::bindings::concurrent::aiotest::engine::io;
use crate::wasm::bindings::http as wit;

type Sent = Result<Resource<Response>, wit::HttpError>;
type Opened = (u64, Arc<Member>, Arc<http::Session>);
type Read = Result<Vec<u8>, wit::HttpError>;

/// The request's tags, and the group it belongs to.
fn with_group(mut tags: Vec<wit::Tag>, member: &Member) -> Result<String, InvalidTags> {
    let own = join_tags(&tags)?;
    let Some(group) = member.group() else {
        return Ok(own);
    };
    tags.retain(|(name, _)| name != "group");
    tags.truncate(MAX_TAGS - 1);
    tags.push(("group".to_owned(), group));
    join_tags(&tags)
}

fn invalid(message: String) -> wit::HttpError {
    wit::HttpError {
        kind: wit::ErrorKind::InvalidRequest,
        message,
    }
}

pub(super) fn request(
    request: wit::Request,
    member: &Member,
) -> Result<http::Request, wit::HttpError> {
    let method = match request.method {
        wit::Method::Get => ::http::Method::GET,
        wit::Method::Head => ::http::Method::HEAD,
        wit::Method::Post => ::http::Method::POST,
        wit::Method::Put => ::http::Method::PUT,
        wit::Method::Delete => ::http::Method::DELETE,
        wit::Method::Options => ::http::Method::OPTIONS,
        wit::Method::Patch => ::http::Method::PATCH,
        wit::Method::Other(token) => ::http::Method::from_bytes(token.as_bytes())
            .map_err(|_| invalid("the method is not a valid token".into()))?,
    };
    let tags = with_group(request.tags, member).map_err(|error| invalid(error.to_string()))?;
    Ok(http::Request {
        method,
        url: request.url,
        name: request.name,
        tags,
        headers: request.headers,
        body: request.body.map(Bytes::from),
        options: options(request.options),
    })
}

/// Waits, but not beyond the user's stop. Whether the wait was completed.
async fn wait(member: Option<Arc<Member>>, duration: Duration) -> bool {
    let Some(member) = member else { return false };
    let rest = async {
        if member.holds_on {
            member.run.clock.sleep(duration).await;
        } else {
            tokio::time::sleep(duration).await;
        }
    };
    tokio::select! {
        biased;
        () = member.stop.cancelled() => false,
        () = rest => true,
    }
}

impl Host {
    pub(super) fn opened(&self, session: &Resource<Session>) -> wasmtime::Result<Opened> {
        let session = self.table.get(session)?;
        Ok((session.user, session.member.clone(), session.inner.clone()))
    }

    /// Hands a response to the guest, which has control again.
    pub(super) fn received(
        &mut self,
        user: u64,
        result: Result<http::Response, wit::HttpError>,
    ) -> wasmtime::Result<Sent> {
        self.meter.reset();
        let response = match result {
            Ok(response) => response,
            Err(error) => return Ok(Err(error)),
        };
        let response = match self.hold(response) {
            Ok(response) => response,
            Err(error) => return Ok(Err(error)),
        };
        let handle = self.table.push(Response {
            inner: Some(response),
        })?;
        self.open.push((user, handle.rep()));
        Ok(Ok(handle))
    }

    /// Bodies that the guest holds on to count as its memory.
    fn hold(&mut self, response: http::Response) -> Result<http::Response, wit::HttpError> {
        let body = response.body().len();
        if self.held_bodies.saturating_add(body) > self.run.limits.memory {
            let message = "the responses that the sandbox holds exceed its memory limit".to_owned();
            response.fail_task(&message);
            let kind = wit::ErrorKind::TooLarge;
            return Err(wit::HttpError { kind, message });
        }
        self.held_bodies += body;
        Ok(response)
    }

    fn take_body(&mut self, response: &Resource<Response>) -> wasmtime::Result<http::Response> {
        let inner = self.table.get_mut(response)?.inner.take();
        inner.ok_or_else(|| wasmtime::format_err!("the response is being read already"))
    }

    fn put_body(
        &mut self,
        response: &Resource<Response>,
        inner: http::Response,
        chunk: Result<Bytes, http::Error>,
    ) -> wasmtime::Result<Read> {
        self.meter.reset();
        self.table.get_mut(response)?.inner = Some(inner);
        Ok(chunk.map(|bytes| bytes.to_vec()).map_err(Into::into))
    }
}

impl blocking_io::Host for Host {
    async fn send(
        &mut self,
        session: Resource<Session>,
        request: wit::Request,
    ) -> wasmtime::Result<Sent> {
        let (user, member, session) = self.opened(&session)?;
        let request = match self::request(request, &member) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let result = self
            .errand
            .run(async move { session.send(request).await })
            .await;
        self.received(user, result.map_err(Into::into))
    }

    async fn read(&mut self, response: Resource<Response>) -> wasmtime::Result<Read> {
        let inner = self.take_body(&response)?;
        let read = async move {
            let chunk = inner.read_chunk().await;
            (inner, chunk)
        };
        let (inner, chunk) = self.errand.run(read).await;
        self.put_body(&response, inner, chunk)
    }

    async fn wait(&mut self, user: u64, duration: u64) -> wasmtime::Result<bool> {
        let member = self.members.get(&user).cloned();
        let completed = self
            .errand
            .run(wait(member, Duration::from_nanos(duration)))
            .await;
        self.meter.reset();
        Ok(completed)
    }
}

impl io::Host for Host {}

impl io::HostWithStore<Host> for HostData {
    async fn send(
        accessor: &Accessor<Host, Self>,
        session: Resource<Session>,
        request: wit::Request,
    ) -> wasmtime::Result<Sent> {
        let (user, member, session) = accessor.with(|mut host| host.get().opened(&session))?;
        let request = match self::request(request, &member) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let result = session.send(request).await;
        accessor.with(|mut host| host.get().received(user, result.map_err(Into::into)))
    }

    async fn read(
        accessor: &Accessor<Host, Self>,
        response: Resource<Response>,
    ) -> wasmtime::Result<Read> {
        let inner = accessor.with(|mut host| host.get().take_body(&response))?;
        let chunk = inner.read_chunk().await;
        accessor.with(|mut host| host.get().put_body(&response, inner, chunk))
    }

    async fn wait(
        accessor: &Accessor<Host, Self>,
        user: u64,
        duration: u64,
    ) -> wasmtime::Result<bool> {
        let member = accessor.with(|mut host| host.get().members.get(&user).cloned());
        let completed = wait(member, Duration::from_nanos(duration)).await;
        accessor.with(|mut host| host.get().meter.reset());
        Ok(completed)
    }
}
