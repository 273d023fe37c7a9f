//! A number of two runs: how much it differs, and how likely noise alone would do that.
//! Knows nothing of other numbers.

use super::reading::{Metric, Reading, Spread};
use super::student::{beyond, critical, share_interval};
use super::{Change, Verdict};

/// Changes up to this are within what histograms tell apart, as a share.
const RESOLUTION: f64 = 0.001;
/// The same for times, in milliseconds.
const RESOLUTION_MS: f64 = 0.001;

/// The difference between two runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    metric: Metric,
    value: Option<f64>,
    /// Of the value, from the baseline.
    up: bool,
    change: Option<f64>,
    interval: Option<(f64, f64)>,
    reason: Option<String>,
    /// How likely noise makes such a difference, or a larger one; absent where nobody knows.
    pub(super) chance: Option<f64>,
    /// Whether it counts, however many others there are.
    pub(super) alarm: bool,
}

/// How far apart two numbers are, on the scale of their spread.
struct Distance {
    by: f64,
    low: f64,
    high: f64,
    chance: f64,
}

impl Difference {
    pub(super) fn new(metric: Metric, before: &Reading, after: &Reading) -> Self {
        let mut difference = Self {
            metric,
            value: after.value,
            up: after.value > before.value,
            change: relative(before.value, after.value),
            interval: None,
            reason: None,
            chance: None,
            alarm: false,
        };
        match (before.spread, after.spread) {
            (Ok(from), Ok(to)) => difference.judge(before, from, after, to),
            // The more basic one, if both are in doubt.
            (Err(doubt), after) if after.err().is_none_or(|other| doubt > other) => {
                difference.reason = Some(format!("baseline: {doubt}"));
            }
            (_, Err(doubt)) | (Err(doubt), _) => difference.reason = Some(doubt.to_string()),
        }
        difference
    }

    fn judge(&mut self, before: &Reading, from: Spread, after: &Reading, to: Spread) {
        let distance = match (from, to) {
            (Spread::Share { share, .. }, Spread::Share { .. }) => {
                let distance = of_shares(from, to);
                let relative = |by: f64| by / share;
                self.interval = (share > 0.0)
                    .then(|| (relative(distance.low).max(-1.0), relative(distance.high)));
                distance
            }
            _ => {
                let distance = of_logarithms(from, to);
                self.change = Some(distance.by.exp_m1());
                self.interval = Some((distance.low.exp_m1(), distance.high.exp_m1()));
                distance
            }
        };
        let seen = self.metric == Metric::Failures || self.is_resolved(before, after);
        self.chance = Some(if seen { distance.chance } else { 1.0 });
    }

    fn is_resolved(&self, before: &Reading, after: &Reading) -> bool {
        let (Some(before), Some(after)) = (before.value, after.value) else {
            return false;
        };
        let apart = (after - before).abs();
        let visible = !self.metric.is_time() || apart > RESOLUTION_MS;
        visible && apart > RESOLUTION * before.min(after)
    }

    pub(super) fn into_change(self, run: usize) -> Change {
        let verdict = match (self.chance, self.alarm) {
            (None, _) => Verdict::Unknown,
            (Some(_), false) => Verdict::Noise,
            (Some(_), true) if self.up == self.metric.more_is_better() => Verdict::Better,
            (Some(_), true) => Verdict::Worse,
        };
        Change {
            run,
            value: self.value,
            change: self.change,
            low: self.interval.map(|(low, _)| low),
            high: self.interval.map(|(_, high)| high),
            verdict,
            reason: self.reason,
        }
    }
}

/// Absent where something came of nothing.
fn relative(before: Option<f64>, after: Option<f64>) -> Option<f64> {
    let (before, after) = (before?, after?);
    match before > 0.0 {
        true => Some(after / before - 1.0),
        false => (after == before).then_some(0.0),
    }
}

/// What lies above and below a number, on a scale on which numbers add up.
#[derive(Clone, Copy)]
struct Around {
    at: f64,
    below: f64,
    above: f64,
    freedom: f64,
}

fn of_logarithms(from: Spread, to: Spread) -> Distance {
    apart(around(from, 1.0), around(to, 1.0))
}

/// Of two shares (Newcombe's interval). Failures that come in bursts may be missing in one of
/// the runs altogether: the burstier one says how much they do.
fn of_shares(from: Spread, to: Spread) -> Distance {
    let design = |spread| match spread {
        Spread::Share { design, .. } => design,
        Spread::Positive { .. } => 1.0,
    };
    let design = design(from).max(design(to));
    apart(around(from, design), around(to, design))
}

fn around(spread: Spread, design: f64) -> Around {
    match spread {
        Spread::Positive {
            log,
            below,
            above,
            freedom,
        } => Around {
            at: log,
            below,
            above,
            freedom,
        },
        Spread::Share {
            share,
            requests,
            freedom,
            ..
        } => {
            let (low, high) = share_interval(share, requests / design, freedom);
            Around {
                at: share,
                below: share - low,
                above: high - share,
                freedom,
            }
        }
    }
}

/// The difference of two numbers and its interval, from theirs: their distances from their
/// own ends add up like the sides of a right angle (the method of variance estimates
/// recovery).
fn apart(from: Around, to: Around) -> Distance {
    let by = to.at - from.at;
    let lower = to.below.hypot(from.above);
    let upper = to.above.hypot(from.below);
    let (half, parts) = match by > 0.0 {
        true => (lower, [(to.below, to.freedom), (from.above, from.freedom)]),
        false => (upper, [(to.above, to.freedom), (from.below, from.freedom)]),
    };
    let freedom = joint_freedom(parts);
    let chance = match by == 0.0 {
        true => 1.0,
        // At the end of the interval by its making, and from there on as t falls off.
        false => beyond(by.abs() / half * critical(freedom), freedom),
    };
    Distance {
        by,
        low: by - lower,
        high: by + upper,
        chance,
    }
}

/// The degrees of freedom of a sum, of parts so wide with so many (Welch and Satterthwaite).
fn joint_freedom(parts: [(f64, f64); 2]) -> f64 {
    let variance = |(half, freedom): (f64, f64)| (half / critical(freedom)).powi(2);
    let [a, b] = parts.map(variance);
    let [(_, of_a), (_, of_b)] = parts;
    let sum = a + b;
    match sum > 0.0 {
        true => sum * sum / (a * a / of_a + b * b / of_b),
        false => of_a.min(of_b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::reading::Doubt;

    fn time(ms: f64, half: f64) -> Reading {
        Reading {
            value: Some(ms),
            spread: Ok(Spread::Positive {
                log: ms.ln(),
                below: half,
                above: half,
                freedom: 6.0,
            }),
        }
    }

    fn failures(failed: f64, requests: f64, design: f64) -> Reading {
        Reading {
            value: Some(failed / requests),
            spread: Ok(Spread::Share {
                share: failed / requests,
                requests,
                design,
                freedom: 1e6,
            }),
        }
    }

    fn alarmed(metric: Metric, before: &Reading, after: &Reading) -> Change {
        let mut difference = Difference::new(metric, before, after);
        difference.alarm = difference.chance.is_some_and(|chance| chance < 0.05);
        difference.into_change(1)
    }

    #[test]
    fn a_change_has_an_interval_of_both_runs_noise() {
        let change = alarmed(Metric::Average, &time(100.0, 0.03), &time(110.0, 0.04));
        assert!((change.change.unwrap() - 0.1).abs() < 1e-9);
        assert!((change.low.unwrap() - (1.1 * (-0.05f64).exp() - 1.0)).abs() < 1e-9);
        assert!((change.high.unwrap() - (1.1 * 0.05f64.exp() - 1.0)).abs() < 1e-9);
        assert_eq!(change.verdict, Verdict::Worse);
        let change = alarmed(Metric::Rate, &time(100.0, 0.03), &time(110.0, 0.04));
        assert_eq!(change.verdict, Verdict::Better);
        let change = alarmed(Metric::Average, &time(110.0, 0.04), &time(100.0, 0.03));
        assert_eq!(change.verdict, Verdict::Better);
        let change = alarmed(Metric::Average, &time(100.0, 0.08), &time(110.0, 0.08));
        assert_eq!(change.verdict, Verdict::Noise);
    }

    #[test]
    fn the_chance_is_five_percent_where_the_interval_ends_at_zero() {
        for half in [0.01, 0.3] {
            let other = 100.0 * (half * std::f64::consts::SQRT_2).exp();
            let edge = Difference::new(Metric::Average, &time(100.0, half), &time(other, half));
            assert!((edge.chance.unwrap() - 0.05).abs() < 0.001, "{edge:?}");
        }
    }

    #[test]
    fn what_the_histograms_cannot_tell_apart_is_noise() {
        for (before, after) in [(100.0, 100.1), (0.05, 0.051), (0.0, 0.001)] {
            let change = alarmed(
                Metric::Percentile(0),
                &time(before, 1e-9),
                &time(after, 1e-9),
            );
            assert_eq!(change.verdict, Verdict::Noise, "{change:?}");
        }
        let change = alarmed(Metric::Percentile(0), &time(0.05, 1e-9), &time(0.053, 1e-9));
        assert_eq!(change.verdict, Verdict::Worse);
    }

    #[test]
    fn failures_that_come_of_nothing_have_no_relative_change() {
        let change = alarmed(
            Metric::Failures,
            &failures(0.0, 1000.0, 1.0),
            &failures(30.0, 1000.0, 1.0),
        );
        assert_eq!((change.change, change.low), (None, None));
        assert_eq!(change.verdict, Verdict::Worse);
        let back = alarmed(
            Metric::Failures,
            &failures(30.0, 1000.0, 1.0),
            &failures(0.0, 1000.0, 1.0),
        );
        assert_eq!(back.change, Some(-1.0));
        assert_eq!(back.verdict, Verdict::Better);
        let none = failures(0.0, 1000.0, 1.0);
        let change = alarmed(Metric::Failures, &none, &none);
        assert_eq!((change.change, change.verdict), (Some(0.0), Verdict::Noise));
    }

    #[test]
    fn a_single_burst_of_failures_is_noise() {
        let change = alarmed(
            Metric::Failures,
            &failures(0.0, 10_000.0, 1.0),
            &failures(100.0, 10_000.0, 100.0),
        );
        assert_eq!(change.verdict, Verdict::Noise);
    }

    #[test]
    fn an_unknown_change_says_why() {
        let short = Reading {
            value: Some(120.0),
            spread: Err(Doubt::FewRequests {
                found: 7,
                needed: 30,
            }),
        };
        let change = alarmed(Metric::Average, &time(100.0, 0.1), &short);
        assert_eq!(change.verdict, Verdict::Unknown);
        assert!((change.change.unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(
            change.reason.as_deref(),
            Some("only 7 requests; it takes 30")
        );
        let change = alarmed(Metric::Average, &short, &time(100.0, 0.1));
        assert!(change.reason.unwrap().starts_with("baseline: only 7"));
    }
}
