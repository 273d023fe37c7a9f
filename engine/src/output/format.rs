//! Numbers and texts for people: thousands separators, three significant digits, units.

use std::borrow::Cow;
use std::time::Duration;

/// Three significant digits, and never a fraction beyond thousandths: `0.412`, `12.3`,
/// `1,204`.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        v if v < 0.000_5 => 0,
        v if v < 0.999_5 => 3,
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some(_) => text,
        None => separated(&text),
    }
}

/// A whole number with separators.
pub(super) fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// A time in seconds as a duration; nothing where it is none.
pub(super) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// `1.23 MB`, in powers of 1000.
pub(crate) fn bytes(value: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if value < 1000 {
        return format!("{value} B");
    }
    let mut scaled = value as f64 / 1e3;
    let mut unit = 0;
    while scaled >= 999.5 {
        scaled /= 1e3;
        unit += 1;
    }
    format!("{} {}", number(scaled), UNITS[unit])
}

/// A share (0 to 1) in percent: `0.10%`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

/// A span as people say it: `12.3 s`, `1m 05s`, `2h 00m 10s`.
pub(super) fn span(value: Duration) -> String {
    if value.as_secs_f64() < 59.95 {
        return format!("{:.1} s", value.as_secs_f64());
    }
    let seconds = value.as_secs_f64().round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}m {seconds:02}s")
    } else {
        format!("{hours}h {minutes:02}m {seconds:02}s")
    }
}

/// A stop-watch, to the nearest second: `0:05`, `1:02:03`.
pub(super) fn clock(value: Duration) -> String {
    let seconds = value.as_secs_f64().round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

/// The text on one line and without control characters: guests and servers chose it, and
/// it must not steer the terminal.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// Separators between each three digits of a whole number.
fn separated(whole: &str) -> String {
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_sensible_digits() {
        let cases = [
            (0.0, "0"),
            (0.412_3, "0.412"),
            (0.999_6, "1.00"),
            (1.234, "1.23"),
            (9.996, "10.0"),
            (12.34, "12.3"),
            (99.96, "100"),
            (1204.4, "1,204"),
            (1_234_567.0, "1,234,567"),
            (-1500.0, "-1,500"),
            (-0.5, "-0.500"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(999), "999");
    }

    #[test]
    fn units_change_where_the_digits_end() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.00 kB");
        assert_eq!(bytes(999_600), "1.00 MB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
        assert_eq!(percent(0.001), "0.10%");
    }

    #[test]
    fn time_reads_like_time() {
        assert_eq!(span(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(span(Duration::from_millis(59_960)), "1m 00s");
        assert_eq!(span(Duration::from_secs(7210)), "2h 00m 10s");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b[31m\nb\u{9b}"), "a [31m b ");
        assert_eq!(plain("käse"), "käse");
    }
}
