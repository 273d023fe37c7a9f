//! Which intervals of a run are compared: those under its full load. Knows only the columns
//! of the timeline.

use crate::report::TimelineColumns;
use std::ops::Range;

/// From this share of the most users on, the load counts as full.
const FULL: f64 = 0.95;

/// The intervals from when the users were first complete until they last were. Where that is
/// less than half of the run, its load is meant to change, and all count but the first one,
/// in which connections are opened and caches filled.
pub(super) fn steady(timeline: &TimelineColumns) -> Range<usize> {
    let all = length(timeline);
    let users = &timeline.users[..all];
    let most = users.iter().copied().max().unwrap_or_default() as f64;
    let full = |users: &u64| *users as f64 >= FULL * most;
    // Users are counted at the end of an interval: the one that became full was not.
    let start = users.iter().position(full).map_or(all, |at| at + 1);
    let end = users.iter().rposition(full).map_or(all, |at| at + 1);
    if 2 * (end.saturating_sub(start) + 1) >= all {
        start..end.max(start)
    } else {
        1..all.max(1)
    }
}

/// How many intervals all columns have that are looked at.
fn length(timeline: &TimelineColumns) -> usize {
    let lengths = [
        timeline.start_seconds.len(),
        timeline.span_seconds.len(),
        timeline.users.len(),
        timeline.requests.len(),
        timeline.failures.len(),
        timeline.time_ms.avg.len(),
    ];
    lengths.into_iter().min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(users: &[u64]) -> Range<usize> {
        steady(&TimelineColumns {
            start_seconds: vec![0.0; users.len()],
            span_seconds: vec![1.0; users.len()],
            users: users.to_vec(),
            requests: vec![1; users.len()],
            failures: vec![0; users.len()],
            time_ms: crate::report::TimeColumns {
                avg: vec![1.0; users.len()],
                ..Default::default()
            },
            ..TimelineColumns::default()
        })
    }

    #[test]
    fn start_and_end_of_the_load_are_left_out() {
        assert_eq!(of(&[20, 60, 100, 100, 99, 100, 100, 0]), 3..7);
        assert_eq!(of(&[1, 1, 1, 1]), 1..4);
    }

    #[test]
    fn a_load_that_is_meant_to_change_counts_as_a_whole() {
        assert_eq!(of(&[10, 20, 30, 40, 50, 60, 70, 80]), 1..8);
        assert_eq!(of(&[10, 10, 100, 10, 10, 10, 10]), 1..7);
    }

    #[test]
    fn short_and_empty_runs_have_nothing_steady() {
        for users in [&[][..], &[5]] {
            assert!(of(users).is_empty());
        }
        assert!(
            steady(&TimelineColumns {
                users: vec![1; 9],
                ..Default::default()
            })
            .is_empty()
        );
    }
}
