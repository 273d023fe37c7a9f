//! Timelines of several machines as one: beside each other by the clock on the wall, in
//! steps of the coarsest.

use super::Member;
use crate::metrics::Counts;
use crate::report::timeline::CLASSES;
use crate::report::{Detail, RestoreError, TimelineColumns};
use crate::timeline::Interval;
use std::time::Duration;

/// Runs that lie far apart get longer steps, not more.
const MAX_STEPS: f64 = 1000.0;
/// Spans of a second differ by what the timer was late.
const SHORTEST: f64 = 0.01;

/// The intervals of all members, added up; or the number of the member that cannot be
/// added, and why. Pauses are not seen: where only some were paused, what follows is out of
/// step.
///
/// Single names are left out where several members have intervals: their percentiles cannot
/// be merged. How late timers fired is that of the worst machine.
pub(super) fn merge(members: &[Member<'_>]) -> Result<TimelineColumns, (usize, RestoreError)> {
    let timed: Vec<(usize, &Member<'_>)> = (1..)
        .zip(members)
        .filter(|(_, member)| !member.report.timeline.start_seconds.is_empty())
        .collect();
    if let [] | [_] = timed[..] {
        let only = timed
            .first()
            .map(|(_, member)| member.report.timeline.clone());
        return Ok(only.unwrap_or_default());
    }
    let grid = Grid::of(&timed);
    let mut steps: Vec<Step> = Vec::new();
    for (n, member) in timed {
        let columns = &member.report.timeline;
        let places = grid.places(member);
        let needed = places.iter().max().map_or(0, |last| last + 1);
        steps.resize_with(steps.len().max(needed), Step::default);
        add(&mut steps, columns, &places).map_err(|error| (n, error))?;
    }
    let count = steps.len();
    for (at, step) in steps.iter_mut().enumerate() {
        step.interval.start = seconds(grid.step * at as f64);
        let is_last = at + 1 == count;
        let span = if is_last { step.longest } else { grid.step };
        step.interval.span = seconds(span.min(grid.step));
    }
    let (intervals, lags): (Vec<_>, Vec<_>) = steps
        .into_iter()
        .map(|step| (step.interval, step.lag_ms))
        .unzip();
    let mut merged = TimelineColumns::new(&intervals, &[], Detail::Everything);
    merged.engine.lag_ms = lags;
    Ok(merged)
}

/// Where steps begin and how long they are, in seconds.
struct Grid {
    start: Duration,
    step: f64,
}

impl Grid {
    fn of(timed: &[(usize, &Member<'_>)]) -> Self {
        let members = || timed.iter().map(|(_, member)| *member);
        let start = members()
            .map(|member| member.start)
            .min()
            .unwrap_or_default();
        let end = members().map(|member| member.end).max().unwrap_or_default();
        let coarsest = members()
            .flat_map(|member| member.report.timeline.span_seconds.iter().copied())
            .fold(SHORTEST, f64::max);
        let coarsest = (coarsest / SHORTEST).round() * SHORTEST;
        let too_many = ((end - start).as_secs_f64() / coarsest / MAX_STEPS).max(1.0);
        let step = coarsest * too_many.log2().ceil().exp2();
        Self { start, step }
    }

    /// In which step each interval of a member is. A member is moved by less than half a
    /// step, so that its intervals fall into steps as they fell into seconds.
    fn places(&self, member: &Member<'_>) -> Vec<usize> {
        let later = (member.start - self.start).as_secs_f64() / self.step;
        let columns = &member.report.timeline;
        let intervals = columns.start_seconds.iter().zip(&columns.span_seconds);
        intervals
            .map(|(start, span)| {
                let middle = (start + span / 2.0) / self.step;
                (later.round() + middle.floor()).min(2.0 * MAX_STEPS) as usize
            })
            .collect()
    }
}

/// A step while members are added.
#[derive(Default)]
struct Step {
    interval: Interval,
    lag_ms: f64,
    /// How much of it a member was there, at most, in seconds.
    longest: f64,
}

/// Adds the intervals of a member to the steps at these places.
fn add(
    steps: &mut [Step],
    columns: &TimelineColumns,
    places: &[usize],
) -> Result<(), RestoreError> {
    // The newest interval in each step, and how much of the step they all take.
    let mut there: Vec<(Option<usize>, f64)> = vec![(None, 0.0); steps.len()];
    for (at, &place) in places.iter().enumerate() {
        let Step {
            interval, lag_ms, ..
        } = &mut steps[place];
        interval.time.merge(&counts(columns, at)?);
        plus(&mut interval.requests, columns.requests[at]);
        plus(&mut interval.failures, columns.failures[at]);
        for (class, sum) in CLASSES.iter().zip(&mut interval.statuses) {
            plus(
                sum,
                columns.statuses.get(*class).map_or(0, |column| column[at]),
            );
        }
        plus(&mut interval.sent, columns.bytes_sent[at]);
        plus(&mut interval.received, columns.bytes_received[at]);
        plus(&mut interval.iterations, columns.iterations[at]);
        plus(&mut interval.dropped, columns.dropped[at]);
        *lag_ms = lag_ms.max(columns.engine.lag_ms[at]);
        there[place].0 = Some(at);
        there[place].1 += columns.span_seconds[at];
    }
    let last = places.iter().max().copied().unwrap_or_default();
    let mut newest = None;
    for (step, (here, span)) in steps.iter_mut().zip(there).take(last + 1) {
        newest = here.or(newest);
        step.longest = step.longest.max(span);
        if let Some(at) = newest {
            let interval = &mut step.interval;
            plus(&mut interval.users, columns.users[at]);
            plus(&mut interval.target, columns.target[at]);
            plus(
                &mut interval.process.memory,
                columns.engine.memory_bytes[at],
            );
            interval.process.cpu_percent += columns.engine.cpu_percent[at];
        }
    }
    Ok(())
}

/// The numbers come from files, and may be as large as these can say.
fn plus(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

fn counts(columns: &TimelineColumns, at: usize) -> Result<Counts, RestoreError> {
    const PLACE: &str = "timeline";
    match columns.durations(at) {
        Ok(Some(durations)) => Ok(Counts::exact(&durations)),
        Ok(None) if columns.requests[at] == 0 => Ok(Counts::default()),
        Ok(None) => Err(RestoreError::NoHistogram(PLACE)),
        Err(error) => Err(RestoreError::Histogram(PLACE, error)),
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}
