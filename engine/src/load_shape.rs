//! Elapsed time → how many users there shall be. Pure; knows neither clocks nor users.

use std::time::Duration;

use thiserror::Error;

/// One stage: the users change linearly to `users` over `duration`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long the ramp takes; zero jumps.
    pub duration: Duration,
    /// Users at its end.
    pub users: u32,
}

/// What is wrong with `--stage`.
#[derive(Debug, Error, PartialEq)]
#[error("stage '{0}' is not DURATION:USERS, for example 30s:100")]
pub struct InvalidStage(String);

impl std::str::FromStr for Stage {
    type Err = InvalidStage;

    fn from_str(text: &str) -> Result<Self, InvalidStage> {
        let invalid = || InvalidStage(text.to_owned());
        let (duration, users) = text.split_once(':').ok_or_else(invalid)?;
        Ok(Stage {
            duration: parse_duration(duration).ok_or_else(invalid)?,
            users: users.trim().parse().map_err(|_| invalid())?,
        })
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

/// Users wanted after `elapsed`, or nothing when the stages are over.
pub fn users_at(stages: &[Stage], elapsed: Duration) -> Option<u32> {
    let mut from = 0_u32;
    let mut begin = Duration::ZERO;
    for stage in stages {
        let end = begin + stage.duration;
        if elapsed < end {
            let done = (elapsed - begin).as_secs_f64() / stage.duration.as_secs_f64();
            let change = (f64::from(stage.users) - f64::from(from)) * done;
            return Some((f64::from(from) + change).round() as u32);
        }
        from = stage.users;
        begin = end;
    }
    None
}

/// Length of all stages.
pub fn total_duration(stages: &[Stage]) -> Duration {
    stages.iter().map(|s| s.duration).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stages_are_linear_ramps_that_start_at_zero() {
        let stages = ["10s:100", "20:100", "1m:0"].map(|s| s.parse::<Stage>().unwrap());
        let at = |s: f64| users_at(&stages, Duration::from_secs_f64(s));
        assert_eq!(at(0.0), Some(0));
        assert_eq!(at(5.0), Some(50));
        assert_eq!(at(10.0), Some(100));
        assert_eq!(at(29.9), Some(100));
        assert_eq!(at(60.0), Some(50));
        assert_eq!(at(90.0), None);
        assert_eq!(total_duration(&stages), Duration::from_secs(90));
    }

    #[test]
    fn a_stage_without_duration_jumps() {
        let stages = ["0s:70", "10s:70"].map(|s| s.parse::<Stage>().unwrap());
        assert_eq!(users_at(&stages, Duration::ZERO), Some(70));
    }

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(parse_duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5400)));
        for bad in ["", "x", "-1", "inf", "nan", "1e30", "10 parsecs"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn malformed_stages_are_refused_by_name() {
        for bad in ["10", "10s", ":5", "10s:-1", "10s:x", "x:5", "10s:5:5"] {
            assert_eq!(bad.parse::<Stage>(), Err(InvalidStage(bad.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn users_stay_between_the_ends_of_the_stage(
            ramp in prop::collection::vec((0_u64..100_000, 0_u32..200_000), 1..6),
            at in 0_u64..600_000,
        ) {
            let stages: Vec<Stage> = ramp
                .iter()
                .map(|&(ms, users)| Stage { duration: Duration::from_millis(ms), users })
                .collect();
            let elapsed = Duration::from_millis(at);
            match users_at(&stages, elapsed) {
                Some(users) => {
                    prop_assert!(elapsed < total_duration(&stages));
                    prop_assert!(users <= stages.iter().map(|s| s.users).max().unwrap());
                }
                None => prop_assert!(elapsed >= total_duration(&stages)),
            }
        }
    }
}
