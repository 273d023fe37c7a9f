//! How far the mean of a series may be off whose neighbours resemble each other. Knows
//! nothing of what the numbers are.
//!
//! A mean of independent numbers has the variance of one of them, divided by their count.
//! Seconds of a run are not independent: what slows one down slows the next one too. So the
//! variance is taken from the sums of whole blocks, each a fifth of the series, at all places
//! where such a block fits. That is what drawing such blocks at random, over and over, comes
//! to (the moving-block bootstrap), without having to draw.

/// How many blocks a series is worth. Fewer and longer ones would allow for noise that lasts
/// longer, but know less of how much of it there is.
const BLOCKS: usize = 5;

/// Degrees of freedom that the variance of such blocks has: half as many again as blocks
/// side by side would have.
pub(super) const FREEDOM: f64 = 1.5 * (BLOCKS as f64 - 1.0);

/// Fewer numbers say too little of how their neighbours resemble each other.
pub(super) const FEWEST: usize = 20;

/// The variance of `sum(amounts) / sum(sizes)`: of a mean over intervals of different size.
/// Both have the same length, at least [`FEWEST`].
pub(super) fn variance_of_ratio(amounts: &[f64], sizes: &[f64]) -> f64 {
    let size: f64 = sizes.iter().sum();
    let count = amounts.len().min(sizes.len());
    if size <= 0.0 || count < FEWEST {
        return 0.0;
    }
    let ratio = amounts.iter().sum::<f64>() / size;
    let pairs = amounts.iter().zip(sizes);
    let off: Vec<f64> = pairs.map(|(amount, size)| amount - ratio * size).collect();
    variance_of_sum(&off) / (size * size)
}

/// The variance of the sum of numbers around zero.
fn variance_of_sum(off: &[f64]) -> f64 {
    let block = off.len() / BLOCKS;
    let (count, length) = (off.len() as f64, block as f64);
    let squares = off.windows(block).map(|block| {
        let sum: f64 = block.iter().sum();
        sum * sum
    });
    let mean_square = squares.sum::<f64>() / (count - length + 1.0);
    // The mean was taken from the same numbers, which made the blocks' sums smaller.
    let blocks = mean_square * count / length * (count / (count - length));
    // What the ends of the blocks have in common with their neighbours is not in any block:
    // so much of it, if the resemblance fades evenly.
    let alike = resemblance(off);
    blocks * (1.0 + 2.0 * alike / (length * (1.0 - alike * alike)))
}

/// How much neighbours resemble each other, from 0 to almost 1: their correlation, without
/// its bias in short series.
fn resemblance(off: &[f64]) -> f64 {
    let squares: f64 = off.iter().map(|x| x * x).sum();
    if squares <= 0.0 {
        return 0.0;
    }
    let products: f64 = off.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let count = off.len() as f64;
    ((count * products / squares + 1.0) / (count - 3.0)).clamp(0.0, 0.95)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::synthetic::Dice;

    /// The mean of the estimates, as a multiple of what the means of many series really do.
    fn relative(alike: f64, count: usize) -> f64 {
        let mut dice = Dice::new(3);
        let sizes = vec![2.0; count];
        let (mut estimates, mut squares) = (0.0, 0.0);
        for _ in 0..400 {
            let mut level = dice.normal();
            let amounts: Vec<f64> = (0..count)
                .map(|_| {
                    level = alike * level + (1.0 - alike * alike).sqrt() * dice.normal();
                    10.0 + level
                })
                .collect();
            estimates += variance_of_ratio(&amounts, &sizes);
            let mean = amounts.iter().sum::<f64>() / sizes.iter().sum::<f64>();
            squares += (mean - 5.0).powi(2);
        }
        estimates / squares
    }

    #[test]
    fn the_variance_is_right_with_and_without_resemblance() {
        for (alike, count) in [(0.0, 40), (0.5, 60), (0.8, 120), (0.9, 480)] {
            let relative = relative(alike, count);
            assert!((0.8..1.25).contains(&relative), "{alike}: {relative}");
        }
    }

    #[test]
    fn what_never_changes_has_no_variance() {
        assert_eq!(variance_of_ratio(&[3.0; 40], &[1.0; 40]), 0.0);
        assert_eq!(variance_of_ratio(&[0.0; 40], &[0.0; 40]), 0.0);
        assert_eq!(variance_of_ratio(&[1.0, 2.0], &[1.0, 1.0]), 0.0);
    }
}
