//! In what thresholds measure, and how such numbers are written. Knows nothing of where
//! they come from.

use std::fmt;

/// The unit of a bound and of what is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole, so that bounds and durations compare exactly.
    Nanoseconds,
    /// Of all, 0 to 1.
    Share,
    /// Of nothing in particular.
    Number,
    /// Like a number, but it may be negative.
    Signed,
    PerSecond,
    Bytes,
    BytesPerSecond,
}

/// Names of units of time, and their nanoseconds.
pub(super) const TIMES: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

impl Unit {
    /// For people who used another one.
    pub(super) fn description(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "a duration: us, ms, s, m or h",
            Unit::Share => "a share: 0 to 1, or 0% to 100%",
            Unit::Number | Unit::Signed => "a number without a unit",
            Unit::PerSecond => "a number a second, without a unit",
            Unit::Bytes => "a number of bytes, without a unit",
            Unit::BytesPerSecond => "a number of bytes a second, without a unit",
        }
    }

    /// Writes a bound as the parser reads it.
    pub(super) fn write(self, f: &mut fmt::Formatter<'_>, bound: f64) -> fmt::Result {
        match self {
            Unit::Nanoseconds => match bound {
                _ if bound >= 1e9 => write!(f, "{}s", bound / 1e9),
                _ if bound >= 1e6 || bound == 0.0 => write!(f, "{}ms", bound / 1e6),
                _ => write!(f, "{}us", bound / 1e3),
            },
            _ => write!(f, "{bound}"),
        }
    }

    /// A measured value for people, with as many digits as tell it from the bound.
    pub(super) fn show(self, value: f64, bound: f64) -> String {
        let plain = if value.fract() == 0.0 { 0 } else { 2 };
        match self {
            Unit::Nanoseconds => {
                let digits = if value < 1e6 { 3 } else { 2 };
                decimal(value / 1e6, bound / 1e6, digits) + " ms"
            }
            Unit::Share => decimal(value * 100.0, bound * 100.0, 2) + "%",
            Unit::Number | Unit::Signed => decimal(value, bound, plain),
            Unit::PerSecond => decimal(value, bound, 2) + "/s",
            Unit::Bytes => decimal(value, bound, plain) + " B",
            Unit::BytesPerSecond => decimal(value, bound, 2) + " B/s",
        }
    }
}

/// At least so many digits behind the point, and more if the bound would read the same.
fn decimal(value: f64, bound: f64, digits: usize) -> String {
    const MOST_DIGITS: usize = 9;
    const LARGEST_IN_FULL: f64 = 1e15;
    if !value.is_finite() {
        return value.to_string();
    }
    if value.abs() >= LARGEST_IN_FULL {
        return format!("{value:e}");
    }
    let differs = |digits: &usize| {
        value == bound || format!("{value:.digits$}") != format!("{bound:.digits$}")
    };
    let digits = (digits..MOST_DIGITS).find(differs).unwrap_or(MOST_DIGITS);
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_with_their_unit() {
        let cases = [
            (Unit::Nanoseconds, 123.4e6, "123.40 ms"),
            (Unit::Nanoseconds, 250e3, "0.250 ms"),
            (Unit::Nanoseconds, 0.0, "0.000 ms"),
            (Unit::Share, 0.012, "1.20%"),
            (Unit::Share, 1.0, "100.00%"),
            (Unit::Number, 17.0, "17"),
            (Unit::Number, 17.5, "17.50"),
            (Unit::Number, 1e300, "1e300"),
            (Unit::Number, f64::INFINITY, "inf"),
            (Unit::Signed, -3.0, "-3"),
            (Unit::PerSecond, 12.0, "12.00/s"),
            (Unit::Bytes, 4096.0, "4096 B"),
            (Unit::BytesPerSecond, 0.5, "0.50 B/s"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.show(value, -1.0), text);
        }
    }

    #[test]
    fn a_value_never_reads_like_a_bound_that_it_is_not() {
        assert_eq!(Unit::Nanoseconds.show(499.999e6, 500e6), "499.999 ms");
        assert_eq!(Unit::Share.show(0.000_01, 0.0), "0.001%");
        assert_eq!(Unit::Number.show(17.0, 17.4), "17.0");
        assert_eq!(Unit::Number.show(17.0, 17.0), "17");
        assert_eq!(Unit::Number.show(0.0, 1e-12), "0.000000000");
    }
}
