//! One measured exchange, as plain data, and where it goes. Knows neither who measured
//! it nor what becomes of it.

use std::time::{Duration, Instant};

use thiserror::Error;

/// When an exchange began, and how long each part took; parts that did not happen are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// When it began; absent where only its length is known.
    pub started: Option<Instant>,
    /// Name resolution.
    pub dns: Duration,
    /// TCP connection.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Duration,
    /// Writing the request.
    pub send: Duration,
    /// Last byte written until first byte read.
    pub first_byte: Duration,
    /// First byte read until the body was complete.
    pub body: Duration,
    /// From the call until the body was complete: the response time in the results.
    pub total: Duration,
}

/// Why an exchange counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// A word for machines: `status`, `mark`, `task`, or the name of a transport error
    /// such as `connect-refused` or `timeout`.
    pub kind: &'a str,
    /// One line for people.
    pub message: &'a str,
}

/// One exchange. It borrows its texts, so that recording allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// HTTP method, or the protocol's name for exchanges of another kind.
    pub method: &'a str,
    /// The name under which it is counted.
    pub name: &'a str,
    /// What tells requests of one name apart: `key=value` pairs, sorted by key and joined
    /// by commas; usually empty. Values have no commas.
    pub tags: &'a str,
    /// HTTP status; 0 when there was no response.
    pub status: u16,
    /// Absent for a success.
    pub failure: Option<Failure<'a>>,
    /// Where the time went.
    pub timings: Timings,
    /// Bytes of the request body.
    pub sent: u64,
    /// Bytes of the response body as they came over the wire.
    pub received: u64,
    /// How much later than planned the iteration began that it is part of; absent where
    /// nothing was planned.
    pub late: Option<Duration>,
}

/// Takes samples, from any thread, without blocking.
pub trait Sink: Send + Sync {
    /// Counts one exchange.
    fn record(&self, sample: &Sample<'_>);
}

/// Most tags of a request.
pub const MAX_TAGS: usize = 10;
/// Longest name and value of a tag, in bytes.
const MAX_TAG_NAME: usize = 50;
const MAX_TAG_VALUE: usize = 100;

/// Tags that cannot be kept.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidTags {
    /// Too many of them.
    #[error("a request has at most {MAX_TAGS} tags")]
    TooMany,
    /// A name that is none.
    #[error(
        "the name of a tag has 1 to {MAX_TAG_NAME} letters, digits and underscores, and begins \
         with a letter"
    )]
    Name,
    /// A value that cannot be shown.
    #[error(
        "the value of tag '{0}' has more than {MAX_TAG_VALUE} bytes, a comma, or control \
         characters"
    )]
    Value(String),
    /// Two tags of one name.
    #[error("tag '{0}' is there twice")]
    Duplicate(String),
}

/// Checks tags, and writes them as [`Sample::tags`] has them.
pub fn join_tags(tags: &[(String, String)]) -> Result<String, InvalidTags> {
    if tags.len() > MAX_TAGS {
        return Err(InvalidTags::TooMany);
    }
    let mut sorted: Vec<&(String, String)> = tags.iter().collect();
    sorted.sort();
    let mut text = String::new();
    for (at, (name, value)) in sorted.iter().enumerate() {
        if !is_tag_name(name) {
            return Err(InvalidTags::Name);
        }
        if value.len() > MAX_TAG_VALUE || value.contains(|c: char| c == ',' || c.is_control()) {
            return Err(InvalidTags::Value(name.clone()));
        }
        if at > 0 {
            if sorted[at - 1].0 == *name {
                return Err(InvalidTags::Duplicate(name.clone()));
            }
            text.push(',');
        }
        text.extend([name, "=", value]);
    }
    Ok(text)
}

fn is_tag_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    begins && rest && name.len() <= MAX_TAG_NAME
}

/// The names and values of [`Sample::tags`].
pub fn split_tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|tag| tag.split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(tags: &[(&str, &str)]) -> Result<String, InvalidTags> {
        let owned = tags.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        join_tags(&owned.collect::<Vec<_>>())
    }

    #[test]
    fn tags_are_sorted_and_come_apart_again() {
        let text = join(&[("region", "eu"), ("group", "a::b=c")]).unwrap();
        assert_eq!(text, "group=a::b=c,region=eu");
        let tags: Vec<_> = split_tags(&text).collect();
        assert_eq!(tags, [("group", "a::b=c"), ("region", "eu")]);
        assert_eq!(join(&[]).unwrap(), "");
        assert_eq!(split_tags("").count(), 0);
    }

    #[test]
    fn malformed_tags_are_refused() {
        assert_eq!(join(&[("", "x")]), Err(InvalidTags::Name));
        assert_eq!(join(&[("a-b", "x")]), Err(InvalidTags::Name));
        assert_eq!(join(&[("1a", "x")]), Err(InvalidTags::Name));
        assert_eq!(join(&[("a", "x,y")]), Err(InvalidTags::Value("a".into())));
        assert_eq!(join(&[("a", "\n")]), Err(InvalidTags::Value("a".into())));
        let twice = join(&[("a", "x"), ("a", "y")]);
        assert_eq!(twice, Err(InvalidTags::Duplicate("a".into())));
        assert_eq!(join(&[("a", "x"); 11]), Err(InvalidTags::TooMany));
    }
}
