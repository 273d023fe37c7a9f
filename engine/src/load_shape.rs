//! Elapsed time → how many users there shall be, or how many iterations shall start a
//! second. Pure; knows neither clocks nor users.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A quantity over time: it changes linearly from stage to stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Where it begins.
    pub from: f64,
    /// How long each ramp takes, and what it leads to; a ramp of no duration jumps.
    /// Without stages the quantity never changes and never ends.
    pub stages: Vec<(Duration, f64)>,
}

impl Curve {
    /// Always the same.
    pub fn constant(value: f64) -> Self {
        Curve {
            from: value,
            stages: Vec::new(),
        }
    }

    /// Ramps of so many seconds to values.
    #[cfg(test)]
    pub(crate) fn ramps(from: f64, stages: &[(f64, f64)]) -> Self {
        let stages = stages.iter();
        Curve {
            from,
            stages: stages
                .map(|&(s, to)| (Duration::from_secs_f64(s), to))
                .collect(),
        }
    }

    /// The value after `elapsed`, or nothing when the stages are over.
    pub fn at(&self, elapsed: Duration) -> Option<f64> {
        if self.stages.is_empty() {
            return Some(self.from);
        }
        let mut from = self.from;
        let mut begin = Duration::ZERO;
        for &(duration, to) in &self.stages {
            let end = begin.saturating_add(duration);
            if elapsed < end {
                let done = (elapsed - begin).as_secs_f64() / duration.as_secs_f64();
                return Some(from + (to - from) * done);
            }
            from = to;
            begin = end;
        }
        None
    }

    /// How long all stages take; nothing if the curve never ends.
    pub fn duration(&self) -> Option<Duration> {
        let sum = |sum: Duration, &(duration, _): &(Duration, f64)| sum.saturating_add(duration);
        (!self.stages.is_empty()).then(|| self.stages.iter().fold(Duration::ZERO, sum))
    }

    /// The largest value that it reaches.
    pub fn peak(&self) -> f64 {
        let values = self.stages.iter().map(|&(_, to)| to);
        values.fold(self.from, f64::max)
    }
}

/// What a stage leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Level {
    /// So many users.
    Users(u32),
    /// So many iterations started a second.
    Rate(f64),
}

/// One stage as people write it: `30s:100` (users) or `30s:200/s` (arrivals).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long the ramp takes; zero jumps.
    pub duration: Duration,
    /// What it leads to.
    pub level: Level,
}

/// What is wrong with `--stage`.
#[derive(Debug, Error, PartialEq)]
#[error(
    "stage '{0}' is neither DURATION:USERS, for example 30s:100, nor DURATION:RATE, for \
     example 30s:200/s"
)]
pub struct InvalidStage(String);

impl FromStr for Stage {
    type Err = InvalidStage;

    fn from_str(text: &str) -> Result<Self, InvalidStage> {
        let parsed = text.split_once(':').and_then(|(duration, level)| {
            let level = match level.contains('/') {
                true => Level::Rate(parse_rate(level)?),
                false => Level::Users(level.trim().parse().ok()?),
            };
            let duration = parse_duration(duration)?;
            Some(Stage { duration, level })
        });
        parsed.ok_or_else(|| InvalidStage(text.to_owned()))
    }
}

/// Reads a duration as people write it: `90`, `1.5` (seconds), `30s`, `1h30m`, `500ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    }
}

/// Reads a rate as people write it, and returns it per second: `200`, `200/s`, `90/m`,
/// `1000/h`. Zero is a rate.
pub fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && (0.0..=MAX_RATE).contains(&number)).then_some(number / seconds)
}

/// Beyond what any machine starts in a second.
const MAX_RATE: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stages_are_linear_ramps() {
        let curve = Curve::ramps(0.0, &[(10.0, 100.0), (20.0, 100.0), (60.0, 0.0)]);
        let at = |s: f64| curve.at(Duration::from_secs_f64(s));
        assert_eq!(at(0.0), Some(0.0));
        assert_eq!(at(5.0), Some(50.0));
        assert_eq!(at(10.0), Some(100.0));
        assert_eq!(at(29.9), Some(100.0));
        assert_eq!(at(60.0), Some(50.0));
        assert_eq!(at(90.0), None);
        assert_eq!(curve.duration(), Some(Duration::from_secs(90)));
        assert_eq!(curve.peak(), 100.0);
    }

    #[test]
    fn a_stage_without_duration_jumps() {
        let curve = Curve::ramps(3.0, &[(0.0, 70.0), (10.0, 70.0)]);
        assert_eq!(curve.at(Duration::ZERO), Some(70.0));
    }

    #[test]
    fn without_stages_nothing_changes_or_ends() {
        let curve = Curve::constant(5.0);
        assert_eq!(curve.at(Duration::from_secs(1_000_000)), Some(5.0));
        assert_eq!(curve.duration(), None);
    }

    #[test]
    fn stages_read_as_people_write_them() {
        let stage = |text: &str| text.parse::<Stage>().unwrap();
        assert_eq!(
            stage("30s:100"),
            Stage {
                duration: Duration::from_secs(30),
                level: Level::Users(100)
            }
        );
        assert_eq!(stage("1m30s:200/s").level, Level::Rate(200.0));
        assert_eq!(stage("0:90/m").level, Level::Rate(1.5));
    }

    #[test]
    fn malformed_stages_are_refused_by_name() {
        for bad in [
            "10",
            "10s",
            ":5",
            "10s:-1",
            "10s:x",
            "x:5",
            "10s:5:5",
            "10s:5/y",
            "10s:/s",
            "10s:-5/s",
            "10s:inf/s",
            "10s:nan/s",
        ] {
            assert_eq!(bad.parse::<Stage>(), Err(InvalidStage(bad.to_owned())));
        }
    }

    #[test]
    fn durations_and_rates_read_as_people_write_them() {
        assert_eq!(parse_duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        for bad in ["", "x", "-1", "inf", "nan", "1e30", "10 parsecs"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(parse_rate("200"), Some(200.0));
        assert_eq!(parse_rate(" 0.5 / s "), Some(0.5));
        assert_eq!(parse_rate("7200/h"), Some(2.0));
    }

    proptest! {
        #[test]
        fn values_stay_between_the_ends_of_their_stage(
            from in 0_u32..200_000,
            ramp in prop::collection::vec((0_u64..100_000, 0_u32..200_000), 1..6),
            at in 0_u64..600_000,
        ) {
            let stages = ramp.iter().map(|&(ms, to)| (Duration::from_millis(ms), f64::from(to)));
            let curve = Curve { from: f64::from(from), stages: stages.collect() };
            let elapsed = Duration::from_millis(at);
            match curve.at(elapsed) {
                Some(value) => {
                    prop_assert!(Some(elapsed) < curve.duration());
                    prop_assert!((0.0..=curve.peak()).contains(&value));
                }
                None => prop_assert!(Some(elapsed) >= curve.duration()),
            }
        }
    }
}
