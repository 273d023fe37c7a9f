//! Values of flags as people write them → what they mean. Does not know which flags there
//! are.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use crate::load_shape::{parse_duration, parse_rate};

/// A value that no message and no debug output shows. Reading it never fails: clap would
/// repeat the value when it says why.
#[derive(Clone)]
pub(in crate::cli) struct Hidden(pub(super) String);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Hidden(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    offset(text)
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "not a duration above 0, for example 30s, 5m or 1h30m".into())
}

/// A duration that may be 0.
pub(super) fn offset(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "not a duration, for example 0, 30s or 1h30m".into())
}

/// A rate above 0, returned per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    parse_rate(text)
        .filter(|rate| *rate > 0.0)
        .ok_or_else(|| "not a rate above 0, for example 20, 20/s or 90/m".into())
}

/// Reads a size as people write it: `4096`, `64MiB`, `64M`, `1.5GB`.
pub(in crate::cli) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1024.0 * 1024.0,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        _ => return Err(format!("unknown unit '{unit}'; use KiB, MiB or GiB")),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number * factor < 1e18 => Ok((number * factor) as u64),
        _ => Err("not a size above 0, for example 64MiB".into()),
    }
}

pub(super) fn base_url(text: &str) -> Result<String, String> {
    check_base_url(text).map(|()| text.to_owned())
}

/// Whether a text can be the base URL of sessions.
pub(in crate::cli) fn check_base_url(text: &str) -> Result<(), String> {
    let url =
        Url::parse(text).map_err(|e| format!("not a URL such as http://127.0.0.1:8080 ({e})"))?;
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            Err("has a user name or a password in it; the scenario sends these itself".into())
        }
        "http" | "https" if url.has_host() => Ok(()),
        _ => Err("begins with neither http:// nor https://".into()),
    }
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("not KEY=VALUE".into()),
    }
}

/// A word that tells a run from others: a name that every output can have as a label.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = key_value(text)?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match begins && rest {
        true => Ok((name, value)),
        false => Err("a label's name has letters, digits and _, and begins with a letter".into()),
    }
}

/// Where metrics are pushed.
pub(super) fn push_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|e| format!("not a URL ({e})"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("begins with neither http:// nor https://".into()),
    }
}

pub(super) fn tag(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("an empty tag; give one or more, as in fast,smoke".into()),
        tag => Ok(tag.to_owned()),
    }
}

/// A value for the bucket bounds of a histogram, in seconds.
pub(super) fn bound(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(bound) if bound > 0.0 && bound.is_finite() => Ok(bound),
        _ => Err("not a number of seconds above 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(size("2k"), Ok(2048));
        assert!(size("").is_err() && size("-1").is_err() && size("9e99").is_err());
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for bad in ["0", "-1", "nan", "inf", "x", "", "5/y"] {
            assert!(rate(bad).is_err() && bound(bad).is_err(), "{bad}");
        }
        assert_eq!(rate("90/m"), Ok(1.5));
        assert_eq!(offset("0"), Ok(Duration::ZERO));
        assert!(duration("0").is_err() && offset("-1s").is_err());
    }

    #[test]
    fn hidden_values_stay_hidden() {
        let Ok(hidden) = "hunter2".parse::<Hidden>();
        assert_eq!(format!("{hidden:?}"), "***");
        assert_eq!(hidden.0, "hunter2");
    }
}
