//! What the endpoint answers, and everything that can be wrong with a request. Knows HTTP
//! and the words of a run, not how either comes about.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{Either, Full};
use serde::Serialize;
use thiserror::Error;

use super::access::Denied;
use super::updates::Updates;
use crate::steering::{PlanStatus, Refused, Status};

/// An answer: whole, or one that goes on.
pub(super) type Reply = Response<Body>;

type Body = Either<Full<Bytes>, Updates>;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
const EVENTS: &str = "text/event-stream";
const TEXT: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why a request is not followed.
#[derive(Debug, Error, PartialEq)]
pub(super) enum Problem {
    /// There is no such page.
    #[error(
        "there is no such path; there are /metrics, /report, /updates, /state, /start, /pause, \
         /resume, /stop, /quit and /load"
    )]
    UnknownPath,
    /// The page is for other methods.
    #[error("this path takes {0}")]
    WrongMethod(&'static str),
    /// The client may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The body is too large.
    #[error("the body is larger than {} bytes", super::MAX_BODY)]
    TooLarge,
    /// The body does not come.
    #[error("the body did not arrive within {} seconds", super::BODY_TIME.as_secs())]
    TooSlow,
    /// The body says nothing that makes sense.
    #[error("{0}")]
    Malformed(String),
    /// The run does not follow.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Problem::UnknownPath => StatusCode::NOT_FOUND,
            Problem::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Denied(Denied::Token) => StatusCode::UNAUTHORIZED,
            Problem::Denied(_) => StatusCode::FORBIDDEN,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Problem::Malformed(_) | Problem::Refused(Refused::Invalid(_)) => {
                StatusCode::BAD_REQUEST
            }
            Problem::Refused(Refused::Illegal(_) | Refused::Over) => StatusCode::CONFLICT,
        }
    }

    /// What the status asks to be said in a header.
    fn header(&self) -> Option<(HeaderName, &'static str)> {
        match self {
            Problem::WrongMethod(allowed) => Some((ALLOW, allowed)),
            Problem::Denied(Denied::Token) => Some((WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        }
    }

    /// As `{"error": "..."}`.
    pub(super) fn as_json(&self) -> Reply {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        let error = self.to_string();
        self.reply(JSON, to_json(&Body { error }))
    }

    /// As the text alone, for the aliases, which answer with texts.
    pub(super) fn as_text(&self) -> Reply {
        self.reply(TEXT, self.to_string().into())
    }

    fn reply(&self, content_type: &'static str, body: Bytes) -> Reply {
        let mut reply = reply(self.status(), content_type, body);
        if let Some((name, value)) = self.header() {
            reply
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        reply
    }
}

/// How the run stands, as JSON.
pub(super) fn state(status: &Status) -> Reply {
    #[derive(Serialize)]
    struct Body<'a> {
        state: &'a str,
        elapsed_seconds: f64,
        paused_seconds: f64,
        users: u64,
        plans: Vec<Plan<'a>>,
    }
    let body = Body {
        state: status.state.as_str(),
        elapsed_seconds: status.elapsed.as_secs_f64(),
        paused_seconds: status.paused.as_secs_f64(),
        users: status.users,
        plans: status.plans.iter().map(Plan::from).collect(),
    };
    reply(StatusCode::OK, JSON, to_json(&body))
}

#[derive(Serialize)]
struct Plan<'a> {
    name: &'a str,
    active: bool,
    users: u32,
    spawn_rate: Option<f64>,
    arrival_rate: Option<f64>,
}

impl<'a> From<&'a PlanStatus> for Plan<'a> {
    fn from(plan: &'a PlanStatus) -> Self {
        Plan {
            name: &plan.name,
            active: plan.active,
            users: plan.users,
            spawn_rate: plan.spawn_rate,
            arrival_rate: plan.arrival_rate,
        }
    }
}

/// What serialises to a JSON document.
pub(super) fn json(body: &impl Serialize) -> Reply {
    reply(StatusCode::OK, JSON, to_json(body))
}

/// A page for browsers, which stands alone and in no frame of another.
pub(super) fn page(page: Bytes) -> Reply {
    let mut reply = reply(StatusCode::OK, HTML, page);
    let headers = reply.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// Events, one after the other.
pub(super) fn events(updates: Updates) -> Reply {
    head(StatusCode::OK, EVENTS, Either::Right(updates))
}

/// Whether an answer is one of events.
pub(super) fn goes_on(reply: &Reply) -> bool {
    matches!(reply.body(), Either::Right(_))
}

/// A word.
pub(super) fn text(text: &'static str) -> Reply {
    reply(StatusCode::OK, TEXT, Bytes::from_static(text.as_bytes()))
}

/// A page for Prometheus.
pub(super) fn metrics(page: String) -> Reply {
    reply(StatusCode::OK, PROMETHEUS, page.into())
}

/// The way to another page.
pub(super) fn redirect(to: &'static str) -> Reply {
    let mut reply = reply(StatusCode::TEMPORARY_REDIRECT, TEXT, Bytes::new());
    reply
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static(to));
    reply
}

/// All of it is true for the moment only, so nobody shall keep it.
fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> Reply {
    head(status, content_type, Either::Left(Full::new(body)))
}

fn head(status: StatusCode, content_type: &'static str, body: Body) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

fn to_json(body: &impl Serialize) -> Bytes {
    // Structs of plain fields always have a JSON form.
    serde_json::to_vec(body).unwrap_or_default().into()
}
