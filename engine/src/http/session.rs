//! A client of one user: its connections, default headers and cookies, and the way of a
//! request through them. Knows nothing of who measures or why.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::body;
use super::client::Client;
use super::connect::Setup;
use super::connection::{Connection, Payload};
use super::cookies::Jar;
use super::error::{Error, ErrorKind};
use super::exchange::{Exchange, pause};
use super::fault::Fault;
use super::headers::{Defaults, MAX_HEADERS};
use super::origins::Origins;
use super::plan::{BodyMode, Limits, Next, Options, Plan, Progress, Request, check_headers};
use super::response::{Answer, Response};
use super::target::MAX_NAME;
use crate::sample::{Failure, Sample, Sink, Timings};

/// Limits beyond this are as good as none, and no clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// The longest method, in bytes.
const MAX_METHOD: usize = 32;

/// How a session starts.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// What paths are appended to.
    pub base_url: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Store and send cookies.
    pub cookies: bool,
    /// Defaults of the session's requests.
    pub options: Options,
}

/// Why a session cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOptions(String);

/// A client with its own connections, default headers and cookie jar. Several requests may
/// be under way at once.
pub struct Session {
    origins: Origins,
    defaults: Mutex<Defaults>,
    jar: Option<Jar>,
    limits: Limits,
}

impl Session {
    /// Opens a session; nothing is connected yet. Fails when the base URL or a header is
    /// not valid.
    pub fn open(
        client: &Client,
        sink: Arc<dyn Sink>,
        options: SessionOptions,
    ) -> Result<Self, InvalidOptions> {
        let config = client.config();
        let base_url = options.base_url.as_deref();
        let origins = Origins::new(client, sink, base_url).map_err(InvalidOptions)?;
        if options.headers.len() > MAX_HEADERS {
            let text = format!("a session has at most {MAX_HEADERS} default headers");
            return Err(InvalidOptions(text));
        }
        let mut defaults = Defaults::new(client.user_agent());
        for (name, value) in options.headers {
            defaults.set(&name, value).map_err(InvalidOptions)?;
        }
        Ok(Self {
            origins,
            defaults: Mutex::new(defaults),
            jar: options.cookies.then(Jar::default),
            limits: Limits::new(config).with(&options.options, config),
        })
    }

    /// Adds or replaces a default header; the error says why it is not valid.
    pub fn set_header(&self, name: &str, value: String) -> Result<(), String> {
        self.defaults.lock().set(name, value)
    }

    /// Removes a default header.
    pub fn remove_header(&self, name: &str) {
        self.defaults.lock().remove(name);
    }

    /// Name and value of the cookies that a request to this URL would carry.
    pub fn cookies(&self, url: &str) -> Vec<(String, String)> {
        match (&self.jar, self.origins.resolve(url)) {
            (Some(jar), Ok(url)) => jar.list(&url),
            _ => Vec::new(),
        }
    }

    /// Stores a cookie, with attributes if it has any, as if the URL's server had set it.
    /// The error says why not.
    pub fn set_cookie(&self, url: &str, cookie: &str) -> Result<(), String> {
        let jar = self
            .jar
            .as_ref()
            .ok_or("the session was opened without cookies")?;
        let url = self.origins.resolve(url).map_err(|error| error.message)?;
        jar.set(&url, cookie)
    }

    /// Forgets all cookies.
    pub fn clear_cookies(&self) {
        if let Some(jar) = &self.jar {
            jar.clear();
        }
    }

    /// Sends a request and returns when the response is there. Each try and each hop of it
    /// becomes one sample; the last one's is recorded when the response is dropped.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let started = Instant::now();
        let plan = self.plan(request)?;
        let deadline = started + plan.limits.timeout.min(LONGEST);
        let mut exchange = Exchange::new(plan, started);
        let mut outcome = self.attempt(&mut exchange, started, deadline).await;
        if next(&exchange.plan, &outcome) != Next::Done {
            outcome = Box::pin(self.follow(&mut exchange, outcome, deadline)).await;
        }
        outcome.map(|answer| Response::new(exchange, answer))
    }

    /// Retries and follows redirects until there is nothing more to do.
    async fn follow(
        &self,
        exchange: &mut Exchange,
        mut outcome: Result<Answer, Error>,
        mut deadline: Instant,
    ) -> Result<Answer, Error> {
        loop {
            match (next(&exchange.plan, &outcome), &outcome) {
                (Next::Redirect, Ok(answer)) => {
                    if let Err(error) = self.redirect(exchange, answer) {
                        exchange.fail(error.clone());
                        return Err(error);
                    }
                }
                (Next::Retry, _) => {
                    exchange.conclude();
                    let tries = exchange.plan.progress.tries;
                    exchange.plan.progress.tries += 1;
                    tokio::time::sleep(pause(tries, rand::random())).await;
                    deadline = Instant::now() + exchange.plan.limits.timeout.min(LONGEST);
                }
                _ => return outcome,
            }
            outcome = self.attempt(exchange, Instant::now(), deadline).await;
        }
    }

    /// Counts the hop and directs the request to its target.
    fn redirect(&self, exchange: &mut Exchange, answer: &Answer) -> Result<(), Error> {
        let limit = exchange.plan.limits.redirects;
        let server = exchange.plan.origin.authority();
        if exchange.plan.progress.hops >= limit {
            return Err(Error::new(
                ErrorKind::TooManyRedirects,
                format!("{server}: more than {limit} redirects"),
            ));
        }
        let invalid = || {
            let text = format!("{server}: the redirect's location is not a valid HTTP URL");
            Error::new(ErrorKind::Protocol, text)
        };
        let here = [exchange.plan.origin.prefix(), exchange.plan.path.as_str()].concat();
        let there = answer
            .headers
            .get(LOCATION)
            .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
            .and_then(|location| Url::parse(&here).ok()?.join(location).ok())
            .ok_or_else(invalid)?;
        let (origin, path) = self.origins.split(&there).map_err(|_| invalid())?;
        let name = exchange.name().into_owned();
        exchange.conclude();
        // The whole chain is counted under the name of its first request.
        exchange.plan.name = Some(name);
        exchange.plan.redirect(answer.status, origin, path);
        Ok(())
    }

    /// One try of one hop.
    async fn attempt(
        &self,
        exchange: &mut Exchange,
        started: Instant,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        if !self.origins.client().may_send() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "the run's limit of requests is reached",
            ));
        }
        exchange.start(started);
        let outcome = self.carry(exchange, deadline).await;
        if let Err(error) = &outcome {
            exchange.fail(error.clone());
        }
        outcome
    }

    async fn carry(&self, exchange: &mut Exchange, deadline: Instant) -> Result<Answer, Error> {
        exchange.plan.origin.granted().map_err(Error::clone)?;
        let timeout = exchange.plan.limits.timeout;
        let mut kept = exchange.plan.origin.take();
        loop {
            let is_kept = kept.is_some();
            let connection = match kept.take() {
                Some(connection) => connection,
                None => self.connect(exchange, deadline).await?,
            };
            let multiplexed = connection.is_multiplexed();
            let request = self.build(&exchange.plan, multiplexed)?;
            exchange.sending(connection.stamps());
            let fault = match connection.send(request, deadline).await {
                Ok((head, payload)) => {
                    exchange.answered(head.status, multiplexed);
                    return self.receive(exchange, head, payload).await;
                }
                Err(fault) => fault,
            };
            let repeats = is_kept && exchange.may_repeat(&fault);
            if multiplexed && (repeats || matches!(fault, Fault::Timeout)) {
                exchange.plan.origin.forget_shared();
            }
            if !repeats {
                return Err(fault.into_error(exchange.plan.origin.authority(), timeout));
            }
        }
    }

    /// Connects in a task of its own. That takes a deep stack, which would otherwise be
    /// the guest's, and stay as deep for all of the user's life.
    async fn connect(
        &self,
        exchange: &mut Exchange,
        deadline: Instant,
    ) -> Result<Connection, Error> {
        let (origin, client) = (exchange.plan.origin.clone(), self.origins.client().clone());
        let timeout = exchange.plan.limits.timeout;
        let connecting = tokio::spawn(async move {
            let mut setup = Setup::default();
            let connection = origin.connect(&client, deadline, timeout, &mut setup).await;
            (connection, setup)
        });
        match AbortOnDropHandle::new(connecting).await {
            Ok((connection, setup)) => {
                exchange.setup = setup;
                connection
            }
            Err(_) => Err(Error::new(
                ErrorKind::Connect,
                "the engine is shutting down",
            )),
        }
    }

    fn build(
        &self,
        plan: &Plan,
        multiplexed: bool,
    ) -> Result<http::Request<http_body_util::Full<Bytes>>, Error> {
        let streamed = plan.limits.body == BodyMode::Stream;
        let defaults = self.defaults.lock().start(streamed);
        let cookies = || {
            let jar = self.jar.as_ref().filter(|jar| !jar.is_empty())?;
            jar.header(&whole_url(plan)?)
        };
        plan.build(defaults, cookies, multiplexed)
    }

    /// Takes the response off the connection, as far as the body mode says.
    async fn receive(
        &self,
        exchange: &mut Exchange,
        head: http::response::Parts,
        mut payload: Payload,
    ) -> Result<Answer, Error> {
        let plan = &exchange.plan;
        self.store_cookies(plan, &head.headers);
        if head.status == http::StatusCode::SWITCHING_PROTOCOLS {
            let text = format!("{}: switched protocols unasked", plan.origin.authority());
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let limit = plan.limits.max_body;
        let mode = match plan.after(head.status, &head.headers) {
            Next::Done => plan.limits.body,
            Next::Retry | Next::Redirect => BodyMode::Discard,
        };
        let mut answer = Answer {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body: Bytes::new(),
            stream: None,
        };
        if mode == BodyMode::Stream && payload.length() != Some(0) {
            if payload.length().is_some_and(|length| length > limit) {
                return Err(body::too_large(limit));
            }
            answer.stream = Some(payload);
            return Ok(answer);
        }
        let keep = mode == BodyMode::Buffer;
        let read = body::read(&mut payload, limit, keep, &mut exchange.received).await;
        let body = read.map_err(|failure| match failure {
            body::Failure::TooLarge => body::too_large(limit),
            body::Failure::Fault(fault) => {
                let plan = &exchange.plan;
                fault.into_error(plan.origin.authority(), plan.limits.timeout)
            }
        })?;
        exchange.end();
        exchange.plan.origin.put(payload.into_connection());
        answer.body = body::decode(&answer.headers, body, limit)?;
        Ok(answer)
    }

    fn store_cookies(&self, plan: &Plan, headers: &HeaderMap) {
        if let Some(jar) = &self.jar
            && headers.contains_key(SET_COOKIE)
            && let Some(url) = whole_url(plan)
        {
            jar.store(&url, headers);
        }
    }

    /// Checks a request; what is not valid is counted as a failure.
    fn plan(&self, request: Request) -> Result<Plan, Error> {
        let Request {
            method,
            url,
            name,
            tags,
            headers,
            body,
            options,
        } = request;
        let body = body.unwrap_or_default();
        let checked = check_method(&method).and_then(|()| {
            check_name(name.as_deref())?;
            let headers = check_headers(headers, body.len())?;
            Ok((headers, self.origins.target(url)?))
        });
        match checked {
            Ok((headers, (origin, path))) => Ok(Plan {
                method,
                origin,
                path,
                name,
                tags,
                headers,
                body,
                limits: self.limits.with(&options, self.origins.client().config()),
                progress: Progress::default(),
            }),
            Err(error) => {
                self.reject(&method, name.as_deref(), &error);
                Err(error)
            }
        }
    }

    #[cold]
    fn reject(&self, method: &Method, name: Option<&str>, error: &Error) {
        let valid_method = method.as_str().len() <= MAX_METHOD;
        self.origins.sink().record(&Sample {
            method: if valid_method {
                method.as_str()
            } else {
                "(invalid)"
            },
            name: name
                .filter(|name| check_name(Some(name)).is_ok())
                .unwrap_or("(invalid)"),
            tags: "",
            status: 0,
            failure: Some(Failure {
                kind: error.kind.as_str(),
                message: &error.message,
            }),
            timings: Timings::default(),
            sent: 0,
            received: 0,
            late: None,
        });
    }
}

fn next(plan: &Plan, outcome: &Result<Answer, Error>) -> Next {
    match outcome {
        Ok(answer) => plan.after(answer.status, &answer.headers),
        Err(error) => plan.after_error(error),
    }
}

fn whole_url(plan: &Plan) -> Option<Url> {
    Url::parse(&[plan.origin.prefix(), plan.path.as_str()].concat()).ok()
}

fn check_method(method: &Method) -> Result<(), Error> {
    if *method == Method::CONNECT {
        return Err(Error::invalid(
            "the method CONNECT is not the scenario's to use",
        ));
    }
    if method.as_str().len() > MAX_METHOD {
        return Err(Error::invalid(format!(
            "a method has at most {MAX_METHOD} bytes"
        )));
    }
    Ok(())
}

fn check_name(name: Option<&str>) -> Result<(), Error> {
    let Some(name) = name else { return Ok(()) };
    if name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control) {
        return Err(Error::invalid(format!(
            "a name has 1 to {MAX_NAME} bytes and no control characters"
        )));
    }
    Ok(())
}
