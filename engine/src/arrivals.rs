//! An arrival rate → when each iteration is due, and which class it goes to. Pure; knows
//! neither clocks nor users.

use std::time::Duration;

use crate::load_shape::Curve;

/// The moments at which iterations are due, one after the other: the first at the start,
/// and in any span of time as many as the integral of the rate, give or take one.
#[derive(Clone, Debug)]
pub struct Arrivals {
    curve: Curve,
    /// When the curve begins.
    origin: Duration,
    /// Arrivals since then.
    count: u64,
    /// The integral of the curve at the first of them.
    first: f64,
}

impl Arrivals {
    /// Arrivals at this rate (per second) from time 0 on.
    pub fn new(curve: Curve) -> Self {
        Arrivals {
            curve,
            origin: Duration::ZERO,
            count: 0,
            first: 0.0,
        }
    }

    /// From `now` on the rate is always this one. What has come together of the next
    /// arrival so far counts.
    pub fn change(&mut self, now: Duration, rate: f64) {
        let since = now.saturating_sub(self.origin).as_secs_f64();
        let missing = self.first + self.count as f64 - area(&self.curve, since);
        self.first = missing.clamp(0.0, 1.0);
        self.curve = Curve::constant(rate);
        self.origin = now;
        self.count = 0;
    }

    /// Iterations a second at this time; nothing when the stages are over.
    pub fn rate(&self, now: Duration) -> Option<f64> {
        self.curve.at(now.saturating_sub(self.origin))
    }

    /// When the next iteration is due; nothing if there is none any more.
    pub fn peek(&self) -> Option<Duration> {
        let seconds = time_of(&self.curve, self.first + self.count as f64)?;
        let offset = Duration::try_from_secs_f64(seconds).ok()?;
        self.origin.checked_add(offset)
    }

    /// Goes on to the one after.
    pub fn advance(&mut self) {
        self.count += 1;
    }
}

/// The integral of the curve from its beginning to `until` seconds.
fn area(curve: &Curve, until: f64) -> f64 {
    if curve.stages.is_empty() {
        return curve.from * until;
    }
    let (mut begin, mut from, mut sum) = (0.0, curve.from, 0.0);
    for &(duration, to) in &curve.stages {
        let span = duration.as_secs_f64();
        let part = (until - begin).clamp(0.0, span);
        if span > 0.0 {
            sum += part * (from + (to - from) * part / span / 2.0);
        }
        begin += span;
        from = to;
    }
    sum
}

/// When the integral of the curve reaches `area`, in seconds; nothing if it never does.
fn time_of(curve: &Curve, area: f64) -> Option<f64> {
    if curve.stages.is_empty() {
        return (curve.from > 0.0).then(|| area / curve.from);
    }
    let mut left = area;
    let mut begin = 0.0;
    let mut from = curve.from;
    for &(duration, to) in &curve.stages {
        let span = duration.as_secs_f64();
        let all = span * (from + to) / 2.0;
        if left < all {
            return Some(begin + time_in_ramp(from, to, span, left));
        }
        left -= all;
        begin += span;
        from = to;
    }
    None
}

/// When the integral of a ramp reaches `area`, which it does.
fn time_in_ramp(from: f64, to: f64, span: f64, area: f64) -> f64 {
    let slope = (to - from) / span;
    // The form of the quadratic formula that stays exact as the slope goes to zero. On the
    // way down rounding may leave the root's argument just below zero.
    let root = (from * from + 2.0 * slope * area).max(0.0).sqrt();
    if from + root > 0.0 {
        (2.0 * area / (from + root)).min(span)
    } else {
        0.0
    }
}

/// Deals iterations to classes by weight: at every moment each class has had its share,
/// give or take one.
#[derive(Clone, Debug)]
pub struct Dealer {
    weights: Vec<u32>,
    dealt: Vec<u64>,
}

impl Dealer {
    /// Nothing dealt yet.
    pub fn new(weights: Vec<u32>) -> Self {
        Dealer {
            dealt: vec![0; weights.len()],
            weights,
        }
    }

    /// The next one's class. Of the classes that may have one without getting ahead of
    /// their share, it is the one that would fall behind first (Tijdeman's rule).
    pub fn deal(&mut self) -> usize {
        let sum: f64 = self.weights.iter().map(|&w| f64::from(w)).sum();
        let classes = self.weights.iter().filter(|w| **w > 0).count() as f64;
        let slack = 1.0 / (2.0 * classes - 2.0).max(1.0);
        let round = self.dealt.iter().sum::<u64>() as f64 + 1.0;
        let share = |class: usize| f64::from(self.weights[class]) / sum;
        let dealt = |class: usize| self.dealt[class] as f64;
        let deadline = |class: usize| (dealt(class) + 1.0 - slack) / share(class);
        let weighted = (0..self.weights.len()).filter(|&class| self.weights[class] > 0);
        let due = weighted
            .clone()
            .filter(|&class| round * share(class) - dealt(class) >= slack - 1e-9);
        let by_deadline = |a: &usize, b: &usize| deadline(*a).total_cmp(&deadline(*b));
        let class = due
            .min_by(by_deadline)
            .or_else(|| weighted.min_by(by_deadline))
            .unwrap_or(0);
        self.dealt[class] += 1;
        class
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(curve: Curve) -> Vec<f64> {
        let mut arrivals = Arrivals::new(curve);
        std::iter::from_fn(|| {
            let next = arrivals.peek();
            arrivals.advance();
            next.map(|at| at.as_secs_f64())
        })
        .collect()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let mut arrivals = Arrivals::new(Curve::constant(200.0));
        for n in 0..1000_u32 {
            let due = arrivals.peek().unwrap();
            let exact = Duration::from_millis(5) * n;
            assert!(due.abs_diff(exact) < Duration::from_micros(1), "{n}");
            arrivals.advance();
        }
        assert_eq!(Arrivals::new(Curve::constant(0.0)).peek(), None);
    }

    #[test]
    fn a_ramp_begins_slowly_and_ends_with_its_stages() {
        let times = all(Curve::ramps(0.0, &[(10.0, 20.0)]));
        assert_eq!(times.len(), 100);
        assert!((times[25] - 5.0).abs() < 1e-6, "{}", times[25]);
        let down = all(Curve::ramps(20.0, &[(10.0, 0.0)]));
        assert_eq!(down.len(), 100);
        assert!((down[75] - 5.0).abs() < 1e-6, "{}", down[75]);
    }

    #[test]
    fn a_changed_rate_holds_from_then_on() {
        let mut arrivals = Arrivals::new(Curve::constant(1.0));
        (0..3).for_each(|_| arrivals.advance());
        // Half of the next one has come together.
        arrivals.change(Duration::from_millis(2500), 2.0);
        assert_eq!(arrivals.peek(), Some(Duration::from_millis(2750)));
        arrivals.advance();
        assert_eq!(arrivals.peek(), Some(Duration::from_millis(3250)));
        assert_eq!(arrivals.rate(Duration::from_secs(1000)), Some(2.0));
    }

    #[test]
    fn many_changes_neither_make_nor_lose_arrivals() {
        let mut arrivals = Arrivals::new(Curve::constant(0.1));
        let mut seen = 0;
        for second in 0..100 {
            let now = Duration::from_secs(second);
            while arrivals.peek().is_some_and(|due| due <= now) {
                arrivals.advance();
                seen += 1;
            }
            arrivals.change(now, 0.1);
        }
        assert_eq!(seen, 10);
    }

    proptest! {
        #[test]
        fn arrivals_in_any_window_are_within_one_of_the_plan(
            from in 0.0_f64..50.0,
            ramp in prop::collection::vec((0.0_f64..20.0, 0.0_f64..50.0), 1..5),
            window in (0.0_f64..100.0, 0.0_f64..100.0),
        ) {
            let curve = Curve::ramps(from, &ramp);
            let times = all(curve.clone());
            prop_assert!(times.is_sorted());
            let (a, b) = (window.0.min(window.1), window.0.max(window.1));
            let seen = times.iter().filter(|&&t| a <= t && t < b).count() as f64;
            let planned = area(&curve, b) - area(&curve, a);
            prop_assert!((seen - planned).abs() <= 1.0 + 1e-6, "{seen} of {planned}");
        }

        #[test]
        fn every_class_has_its_share_at_every_moment(
            weights in prop::collection::vec(1_u32..100, 1..7),
        ) {
            let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
            let mut dealer = Dealer::new(weights.clone());
            let mut dealt = vec![0.0_f64; weights.len()];
            for round in 1..=500 {
                dealt[dealer.deal()] += 1.0;
                for (count, weight) in dealt.iter().zip(&weights) {
                    let share = f64::from(round) * f64::from(*weight) / sum;
                    prop_assert!((count - share).abs() <= 1.0, "{count} of {share}");
                }
            }
        }
    }
}
