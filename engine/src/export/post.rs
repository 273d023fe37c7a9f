//! One request and what its answer means. Knows neither what is in it nor what follows.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::Response;

use super::destination::{Destination, Protocol, TIMEOUT};

/// How much of an answer is read, in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// How much of an answer is shown, in characters.
const MAX_SHOWN: usize = 200;

const REMOTE_WRITE_VERSION: HeaderName =
    HeaderName::from_static("x-prometheus-remote-write-version");

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// It was taken, and answered with this.
    Taken(Vec<u8>),
    /// It was not taken, and would not be if it were sent again.
    Refused {
        /// The status.
        status: u16,
        /// For people.
        reason: String,
    },
    /// It may be taken later.
    Failed {
        /// For people.
        reason: String,
        /// How long the server wants to be left alone.
        after: Option<Duration>,
    },
}

/// Sends a body that is encoded as the protocol wants it.
pub(super) async fn post(to: &Destination, body: Vec<u8>) -> Answer {
    let request = to.client.post(to.url.clone()).body(body);
    let request = request.header(CONTENT_TYPE, "application/x-protobuf");
    let request = match to.protocol {
        Protocol::RemoteWrite => request
            .header(CONTENT_ENCODING, "snappy")
            .header(REMOTE_WRITE_VERSION, "0.1.0"),
        Protocol::Otlp => request,
    };
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            let (reason, after) = (cause(&error), None);
            return Answer::Failed { reason, after };
        }
    };
    let status = response.status();
    let body = read(&mut response).await;
    if status.is_success() {
        return Answer::Taken(body);
    }
    let reason = reason(to, &response, &body);
    match status {
        StatusCode::TOO_MANY_REQUESTS => {}
        status if status.is_server_error() => {}
        status => {
            let status = status.as_u16();
            return Answer::Refused { status, reason };
        }
    }
    let after = header(&response, RETRY_AFTER)
        .and_then(|seconds| seconds.trim().parse().ok())
        .map(Duration::from_secs);
    Answer::Failed { reason, after }
}

/// The beginning of the answer's body. What is wrong with the rest is of no interest.
async fn read(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    body
}

/// Why there was no answer. Without the URL, which may hold a password.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {TIMEOUT:?}");
    }
    let cause = innermost(error);
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the connection broke".to_owned(),
        None => cause.to_string(),
    }
}

/// The first of the causes, which is the one that says what to do.
pub(super) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

/// Status, words of the server, and what can be done.
fn reason(to: &Destination, response: &Response, body: &[u8]) -> String {
    let status = response.status();
    let mut reason = format!("it answers {status}");
    let words = words(to, &String::from_utf8_lossy(body));
    if !words.is_empty() {
        reason = format!("{reason}: {words}");
    }
    if status.is_redirection()
        && let Some(location) = header(response, LOCATION)
    {
        let location = self::words(to, location);
        reason =
            format!("{reason}, which points to {location}; give the URL that takes the pushes");
    }
    match (status, to.protocol) {
        (StatusCode::NOT_FOUND, Protocol::RemoteWrite) => {
            reason + "; is the path right? Prometheus has /api/v1/write"
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            reason + "; credentials go into the URL or --push-header"
        }
        _ => reason,
    }
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// The first line of what a server says, without what nobody shall read.
pub(super) fn words(to: &Destination, text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    // A secret may be cut at the end of what is shown, not of what is searched.
    let line = to.masked(line);
    let shown = line.chars().filter(|c| !c.is_control());
    shown.take(MAX_SHOWN).collect()
}
