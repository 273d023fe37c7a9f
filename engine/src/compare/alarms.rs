//! Which of many differences count. Of a thousand that are nothing but noise, fifty look
//! like more by themselves; so a difference has to be the less likely, the more there are
//! (the procedure of Benjamini and Hochberg). Knows nothing of what differs.

use super::difference::Difference;
use super::reading::Each;

/// Which share of all alarms may be false, and how likely there is any where nothing has
/// changed.
const FALSE: f64 = 0.05;

/// Marks the differences that count, of all those that are looked at together.
pub(super) fn limit(rows: &mut [Each<Difference>]) {
    let all = || rows.iter().flatten();
    let mut chances: Vec<f64> = all().filter_map(|difference| difference.chance).collect();
    let Some(limit) = limit_of(&mut chances) else {
        return;
    };
    for difference in rows.iter_mut().flatten() {
        difference.alarm = difference.chance.is_some_and(|chance| chance <= limit);
    }
}

/// The largest chance that still counts, if any does.
fn limit_of(chances: &mut [f64]) -> Option<f64> {
    chances.sort_by(f64::total_cmp);
    let count = chances.len() as f64;
    let within = |(rank, chance): &(usize, &f64)| **chance <= FALSE * (rank + 1) as f64 / count;
    let largest = chances.iter().enumerate().rfind(within);
    largest.map(|(_, chance)| *chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_falls_with_the_number_and_rises_with_the_finds() {
        assert_eq!(limit_of(&mut []), None);
        assert_eq!(limit_of(&mut [0.04]), Some(0.04));
        assert_eq!(limit_of(&mut [0.04, 0.9]), None);
        assert_eq!(limit_of(&mut [0.9, 0.04, 0.02]), None);
        assert_eq!(limit_of(&mut [0.9, 0.03, 0.01]), Some(0.03));
        assert_eq!(limit_of(&mut [1.0; 100]), None);
    }
}
