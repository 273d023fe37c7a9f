//! Student's t distribution: how far an estimate may be off whose variance is an estimate
//! too, of so many degrees of freedom. By Wallace's approximation, which is within a percent
//! from four degrees on. Knows nothing of runs.

/// Within so many standard deviations lies 95 % of a normal distribution.
const NORMAL: f64 = 1.959_964;

/// Within so many standard errors an estimate lies with 95 % probability.
pub(super) fn critical(freedom: f64) -> f64 {
    let normal = NORMAL * (8.0 * freedom + 3.0) / (8.0 * freedom + 1.0);
    (freedom * (normal * normal / freedom).exp_m1()).sqrt()
}

/// How likely an estimate is at least so many standard errors off, in either direction.
pub(super) fn beyond(errors: f64, freedom: f64) -> f64 {
    let normal = (freedom * (errors * errors / freedom).ln_1p()).sqrt();
    2.0 * upper_tail(normal * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0))
}

/// How much of a normal distribution lies above `z`, which is not negative.
fn upper_tail(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    if z > 3.0 {
        let fraction = (1..60).rev().fold(z, |rest, k| z + f64::from(k) / rest);
        return density / fraction;
    }
    let (mut term, mut sum) = (z, z);
    for k in 1..40 {
        term *= z * z / f64::from(2 * k + 1);
        sum += term;
    }
    0.5 - density * sum
}

/// Between which shares the true one lies with 95 % probability (Wilson's interval), when
/// `share` was seen among so many independent observations.
pub(super) fn share_interval(share: f64, observations: f64, freedom: f64) -> (f64, f64) {
    let t = critical(freedom);
    let weight = t * t / observations;
    let middle = (share + weight / 2.0) / (1.0 + weight);
    let half = t / (1.0 + weight)
        * (share * (1.0 - share) / observations + weight / (4.0 * observations)).sqrt();
    // Rounding must not leave the share itself outside.
    let (low, high) = (middle - half, middle + half);
    (low.clamp(0.0, share), high.clamp(share, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, within: f64) {
        let off = (found / expected - 1.0).abs();
        assert!(off < within, "{found} for {expected}");
    }

    #[test]
    fn the_usual_tables_agree() {
        for (freedom, expected) in [(4.0, 2.776), (6.0, 2.447), (12.0, 2.179), (1e6, 1.960)] {
            close(critical(freedom), expected, 0.01);
            close(beyond(expected, freedom), 0.05, 0.02);
        }
        // Two-sided tails of the normal distribution.
        for (z, expected) in [(0.5, 0.6171), (2.999, 2.7087e-3), (3.001, 2.6910e-3)] {
            close(beyond(z, 1e9), expected, 0.001);
        }
        close(beyond(6.0, 1e9), 1.9732e-9, 0.001);
        assert_eq!(beyond(0.0, 6.0), 1.0);
        assert_eq!(beyond(f64::INFINITY, 6.0), 0.0);
    }

    #[test]
    fn a_share_lies_in_its_interval() {
        // Published for 81 of 263: 0.2553 to 0.3662.
        let (low, high) = share_interval(81.0 / 263.0, 263.0, 1e9);
        close(low, 0.2553, 0.001);
        close(high, 0.3662, 0.001);
        for share in [0.0, 1e-9, 0.5, 1.0] {
            let (low, high) = share_interval(share, 10.0, 6.0);
            assert!((0.0..=share).contains(&low) && (share..=1.0).contains(&high));
            assert!(high - low > 0.1);
        }
    }
}
