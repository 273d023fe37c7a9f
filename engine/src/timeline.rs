//! How a run went over time, within bounded memory: what came in each interval. Knows
//! snapshots; neither clocks nor how it is shown.

use crate::metrics::users::Users;
use crate::metrics::{Counts, Durations, RequestKey, RequestStats, Snapshot};
use std::time::Duration;

/// Above this many intervals they are joined in pairs.
const MAX_INTERVALS: usize = 480;
/// The shortest interval, unless there is only one.
const SHORTEST: Duration = Duration::from_millis(500);
/// Names that are followed by themselves: the first that occur.
const MAX_NAMES: usize = 25;

/// The process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// CPU since the last moment, in percent of one core.
    pub cpu_percent: f64,
    /// Its memory in bytes.
    pub memory: u64,
}

/// What came in an interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// When it began, in time of the run.
    pub start: Duration,
    /// How long it is.
    pub span: Duration,
    /// Users alive at its end.
    pub users: u64,
    /// Users there should be at its end.
    pub target: u64,
    /// Response times of the requests that ended in it.
    pub time: Counts,
    /// Requests that ended in it.
    pub requests: u64,
    /// Those that count as failures.
    pub failures: u64,
    /// The requests by the hundreds of their status; 0 without a response.
    pub statuses: [u64; 6],
    /// Bytes of the request bodies.
    pub sent: u64,
    /// Bytes of the response bodies.
    pub received: u64,
    /// Iterations that came to their end.
    pub iterations: u64,
    /// Planned iterations that were dropped.
    pub dropped: u64,
    /// How late the engine's own timers fired.
    pub lag: Counts,
    /// The process at its end; its CPU all through.
    pub process: Process,
    /// The requests of single names.
    pub names: Vec<NameInterval>,
    /// How many looks it is made of.
    looks: u32,
}

/// What came of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameInterval {
    /// Response times, within 1 %.
    pub time: Counts,
    /// Requests.
    pub requests: u64,
    /// Those that count as failures.
    pub failures: u64,
}

/// The intervals of a run, all of one length but the newest.
#[derive(Debug)]
pub struct Timeline {
    intervals: Vec<Interval>,
    names: Vec<RequestKey>,
    /// Looks that make an interval.
    looks: u32,
    reached: Duration,
    before: Before,
}

/// What the newest interval is the difference to.
#[derive(Debug, Default)]
struct Before {
    total: RequestStats,
    names: Vec<RequestStats>,
    iterations: u64,
    dropped: u64,
    lag: Durations,
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline {
            intervals: Vec::new(),
            names: Vec::new(),
            looks: 1,
            reached: Duration::ZERO,
            before: Before::default(),
        }
    }
}

impl Timeline {
    /// Adds what is new in `snapshot`, which was taken at `elapsed` of the run, and returns
    /// it. Nothing where no time has passed, as in a pause, or so little that its rates would
    /// say nothing: that becomes a part of the interval before.
    pub fn push(
        &mut self,
        elapsed: Duration,
        snapshot: &Snapshot,
        users: &Users,
        process: Process,
    ) -> Option<Interval> {
        let span = elapsed
            .checked_sub(self.reached)
            .filter(|span| !span.is_zero())?;
        self.follow_new_names(snapshot);
        let interval = Interval {
            start: self.reached,
            span,
            users: users.live(),
            target: users.target,
            process,
            names: self.new_of_names(snapshot),
            looks: 1,
            ..self.before.replace(snapshot)
        };
        self.reached = elapsed;
        if span < SHORTEST
            && let Some(newest) = self.intervals.last_mut()
        {
            newest.join(Interval {
                looks: 0,
                ..interval
            });
            return None;
        }
        self.add(interval.clone());
        if self.intervals.len() > MAX_INTERVALS {
            self.looks *= 2;
            for interval in std::mem::take(&mut self.intervals) {
                self.add(interval);
            }
        }
        Some(interval)
    }

    /// The intervals, the oldest first.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The names that [`Interval::names`] is about, in that order; younger names are
    /// missing at the end of older intervals.
    #[must_use]
    pub fn names(&self) -> &[RequestKey] {
        &self.names
    }

    fn follow_new_names(&mut self, snapshot: &Snapshot) {
        let room = MAX_NAMES - self.names.len();
        if room == 0 {
            return;
        }
        let new = snapshot
            .requests
            .keys()
            .filter(|key| !self.names.contains(key));
        let new: Vec<_> = new.take(room).cloned().collect();
        self.names.extend(new);
        self.before
            .names
            .resize_with(self.names.len(), RequestStats::default);
    }

    fn new_of_names(&mut self, snapshot: &Snapshot) -> Vec<NameInterval> {
        let names = self.names.iter().zip(&mut self.before.names);
        names
            .map(|(key, before)| {
                // A name that was counted once is in every later snapshot.
                let Some(now) = snapshot
                    .requests
                    .get(key)
                    .filter(|now| now.count() > before.count())
                else {
                    return NameInterval::default();
                };
                let new = now.since(before);
                before.clone_from(now);
                NameInterval {
                    requests: new.time.count(),
                    failures: new.failures,
                    time: Counts::coarse(&new.time),
                }
            })
            .collect()
    }

    /// Adds an interval to the newest one, unless that is complete.
    fn add(&mut self, interval: Interval) {
        match self.intervals.last_mut() {
            Some(newest) if newest.looks + interval.looks <= self.looks => newest.join(interval),
            _ => self.intervals.push(interval),
        }
    }
}

impl Before {
    /// What is new in a snapshot, over all names.
    fn replace(&mut self, snapshot: &Snapshot) -> Interval {
        let total = &snapshot.total;
        let new = total.since(&self.total);
        let mut statuses = by_hundreds(total);
        for (now, before) in statuses.iter_mut().zip(by_hundreds(&self.total)) {
            *now = now.saturating_sub(before);
        }
        let iterations = snapshot.iterations.count();
        let interval = Interval {
            requests: new.time.count(),
            failures: new.failures,
            time: Counts::exact(&new.time),
            statuses,
            sent: total.sent.saturating_sub(self.total.sent),
            received: total.received.saturating_sub(self.total.received),
            iterations: iterations.saturating_sub(self.iterations),
            dropped: snapshot.dropped_iterations.saturating_sub(self.dropped),
            lag: Counts::coarse(&snapshot.lag.since(&self.lag)),
            ..Interval::default()
        };
        self.total.clone_from(total);
        self.iterations = iterations;
        self.dropped = snapshot.dropped_iterations;
        self.lag.clone_from(&snapshot.lag);
        interval
    }
}

fn by_hundreds(stats: &RequestStats) -> [u64; 6] {
    let mut counts = [0; 6];
    for outcome in stats.statuses.iter() {
        let hundreds = usize::from(outcome.status / 100);
        // As HTTP would have clients treat what it does not define.
        counts[if hundreds < 6 { hundreds } else { 5 }] += outcome.passed + outcome.failed;
    }
    counts
}

impl Interval {
    /// Adds the one that follows.
    fn join(&mut self, next: Interval) {
        let share = |span: Duration| span.as_secs_f64() / (self.span + next.span).as_secs_f64();
        self.process = Process {
            cpu_percent: self.process.cpu_percent * share(self.span)
                + next.process.cpu_percent * share(next.span),
            memory: next.process.memory,
        };
        self.span += next.span;
        self.users = next.users;
        self.target = next.target;
        self.time.merge(&next.time);
        self.requests += next.requests;
        self.failures += next.failures;
        for (ours, theirs) in self.statuses.iter_mut().zip(next.statuses) {
            *ours += theirs;
        }
        self.sent += next.sent;
        self.received += next.received;
        self.iterations += next.iterations;
        self.dropped += next.dropped;
        self.lag.merge(&next.lag);
        self.names
            .resize_with(next.names.len(), NameInterval::default);
        for (ours, theirs) in self.names.iter_mut().zip(next.names) {
            ours.time.merge(&theirs.time);
            ours.requests += theirs.requests;
            ours.failures += theirs.failures;
        }
        self.looks += next.looks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::sample::{Sample, Sink, Timings};
    use proptest::prelude::*;

    fn request<'a>(name: &'a str, status: u16, micros: u64) -> Sample<'a> {
        Sample {
            method: "GET",
            name,
            tags: "",
            status,
            failure: None,
            timings: Timings {
                total: Duration::from_micros(micros),
                ..Timings::default()
            },
            sent: 1,
            received: 10,
            late: None,
        }
    }

    fn seconds(n: usize) -> Duration {
        Duration::from_secs(n as u64)
    }

    fn look(timeline: &mut Timeline, metrics: &Metrics, at: Duration) -> Option<Interval> {
        timeline.push(
            at,
            &metrics.snapshot(),
            &Users::default(),
            Process::default(),
        )
    }

    #[test]
    fn an_interval_has_what_is_new() {
        let (metrics, mut timeline) = (Metrics::default(), Timeline::default());
        metrics.record(&request("a", 200, 100));
        let first = look(&mut timeline, &metrics, seconds(1)).unwrap();
        metrics.record(&request("b", 503, 300));
        metrics.record(&request("a", 0, 500));
        let second = look(&mut timeline, &metrics, seconds(3)).unwrap();
        assert_eq!((first.requests, first.names.len()), (1, 1));
        assert_eq!((second.start, second.span), (seconds(1), seconds(2)));
        assert_eq!(second.statuses, [1, 0, 0, 0, 0, 1]);
        assert_eq!(second.time.durations().min(), Duration::from_micros(300));
        assert_eq!(
            [&second.names[0], &second.names[1]].map(|n| n.requests),
            [1, 1]
        );
        assert_eq!((second.sent, second.received), (2, 20));
        assert!(look(&mut timeline, &metrics, seconds(3)).is_none());
        assert_eq!(timeline.intervals(), [first, second]);
    }

    #[test]
    fn a_sliver_is_a_part_of_the_interval_before() {
        let (metrics, mut timeline) = (Metrics::default(), Timeline::default());
        let sliver = Duration::from_millis(3);
        assert!(look(&mut timeline, &metrics, sliver).is_some());
        look(&mut timeline, &metrics, seconds(1));
        metrics.record(&request("a", 200, 100));
        assert!(look(&mut timeline, &metrics, seconds(1) + sliver).is_none());
        let [_, last] = timeline.intervals() else {
            panic!("{:?}", timeline.intervals())
        };
        assert_eq!(
            (last.requests, last.start, last.span),
            (1, sliver, seconds(1))
        );
    }

    #[test]
    fn only_the_first_names_are_followed() {
        let (metrics, mut timeline) = (Metrics::default(), Timeline::default());
        for n in 0..100 {
            metrics.record(&request(&format!("{n}"), 200, 1));
        }
        let interval = look(&mut timeline, &metrics, seconds(1)).unwrap();
        assert_eq!(
            (timeline.names().len(), interval.names.len()),
            (MAX_NAMES, MAX_NAMES)
        );
        assert_eq!(interval.requests, 100);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn long_runs_keep_everything_in_few_intervals(looks in 1usize..1500) {
            let (metrics, mut timeline) = (Metrics::default(), Timeline::default());
            for n in 1..=looks {
                metrics.record(&request("a", 200, n as u64));
                look(&mut timeline, &metrics, seconds(n));
            }
            let intervals = timeline.intervals();
            prop_assert!(intervals.len() <= MAX_INTERVALS);
            let mut all = Counts::default();
            for pair in intervals.windows(2) {
                prop_assert_eq!(pair[0].start + pair[0].span, pair[1].start);
                prop_assert_eq!(pair[0].span, intervals[0].span);
            }
            for interval in intervals {
                prop_assert_eq!(interval.time.durations().count(), interval.requests);
                all.merge(&interval.time);
            }
            prop_assert_eq!(all.durations(), metrics.snapshot().total.time);
        }
    }
}
