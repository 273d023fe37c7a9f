//! Reports of runs that never were, of a process whose truth is known, for tests.

use crate::metrics::Durations;
use crate::report::{
    Distribution, NameColumns, NamedRequests, Report, Requests, Run, TimelineColumns, Users,
};
use std::time::Duration;

/// Random numbers that a seed decides (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed ^ (mixed >> 31)) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Around 0, with a deviation of 1.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A server and its load.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    /// Intervals under full load, of a second each; one comes before.
    pub(crate) intervals: usize,
    /// Requests in each.
    pub(crate) requests: f64,
    /// Names that share the requests evenly.
    pub(crate) names: usize,
    /// Names that the timeline follows.
    pub(crate) followed: usize,
    /// Deviation of the logarithm of all times from interval to interval.
    pub(crate) noise: f64,
    /// The same of each name by itself.
    pub(crate) own_noise: f64,
    /// Correlation of this noise in neighbouring intervals.
    pub(crate) alike: f64,
    /// Share of failures.
    pub(crate) failures: f64,
    /// What all times are multiplied by.
    pub(crate) slower: f64,
    /// What the times of the slowest tenth are multiplied by.
    pub(crate) slower_tail: f64,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            intervals: 60,
            requests: 60.0,
            names: 1,
            followed: 25,
            noise: 0.1,
            own_noise: 0.0,
            alike: 0.6,
            failures: 0.01,
            slower: 1.0,
            slower_tail: 1.0,
        }
    }
}

/// What some requests took, and how many failed.
#[derive(Clone, Default)]
struct Some {
    times: Durations,
    failures: u64,
}

impl Some {
    fn record(&mut self, time: Duration, failed: bool) {
        self.times.record(time);
        self.failures += u64::from(failed);
    }

    fn requests(&self, seconds: f64) -> Requests {
        let count = self.times.count();
        Requests {
            requests: count,
            failures: self.failures,
            failure_share: self.failures as f64 / count.max(1) as f64,
            requests_per_second: count as f64 / seconds,
            time_ms: Distribution::of_durations_with_histogram(&self.times),
            ..Requests::default()
        }
    }
}

/// Noise that fades from one interval to the next.
struct Level {
    at: f64,
    alike: f64,
    deviation: f64,
}

impl Level {
    fn new(dice: &mut Dice, alike: f64, deviation: f64) -> Self {
        let at = deviation * dice.normal();
        Self {
            at,
            alike,
            deviation,
        }
    }

    fn next(&mut self, dice: &mut Dice) -> f64 {
        let fresh = (1.0 - self.alike * self.alike).sqrt() * self.deviation;
        self.at = self.alike * self.at + fresh * dice.normal();
        self.at
    }
}

impl Process {
    /// A run of it.
    pub(crate) fn run(&self, seed: u64) -> Report {
        let mut dice = Dice::new(seed);
        let mut level = Level::new(&mut dice, self.alike, self.noise);
        let mut own: Vec<Level> = (0..self.names)
            .map(|_| Level::new(&mut dice, self.alike, self.own_noise))
            .collect();
        let mut timeline = TimelineColumns {
            names: (0..self.followed.min(self.names)).map(columns).collect(),
            ..TimelineColumns::default()
        };
        let mut all = Some::default();
        let mut names = vec![Some::default(); self.names];
        for at in 0..=self.intervals {
            let full = if at == 0 { 0.3 } else { 1.0 };
            let level = level.next(&mut dice);
            let own: Vec<f64> = own.iter_mut().map(|own| own.next(&mut dice)).collect();
            let mut interval = Some::default();
            let mut of_names = vec![Some::default(); self.names];
            let count = (self.requests * full * (0.05 * dice.normal()).exp()).round();
            for _ in 0..count as u64 {
                let name = (dice.uniform() * self.names as f64) as usize;
                let normal = dice.normal();
                let tail = if normal > 1.2816 {
                    self.slower_tail
                } else {
                    1.0
                };
                let log = level + own[name] + 0.3 * normal;
                let micros = 500.0 * log.exp() * self.slower * tail;
                let time = Duration::from_nanos((micros * 1e3) as u64);
                let failed = dice.uniform() < self.failures;
                interval.record(time, failed);
                of_names[name].record(time, failed);
            }
            push(&mut timeline, at, &interval, &of_names);
            for (all, new) in
                std::iter::once((&mut all, &interval)).chain(names.iter_mut().zip(&of_names))
            {
                all.times.merge(&new.times);
                all.failures += new.failures;
            }
        }
        let seconds = (self.intervals + 1) as f64;
        let named = names.iter().enumerate().map(|(at, some)| NamedRequests {
            method: "GET".into(),
            name: format!("/{at}"),
            requests: some.requests(seconds),
            ..NamedRequests::default()
        });
        report(all.requests(seconds), named.collect(), timeline)
    }
}

fn columns(at: usize) -> NameColumns {
    NameColumns {
        method: "GET".into(),
        name: format!("/{at}"),
        ..NameColumns::default()
    }
}

fn push(timeline: &mut TimelineColumns, at: usize, all: &Some, names: &[Some]) {
    let times = Distribution::of_durations_with_histogram(&all.times);
    timeline.start_seconds.push(at as f64);
    timeline.span_seconds.push(1.0);
    timeline.users.push(if at == 0 { 100 } else { 99 });
    timeline.requests.push(times.count);
    timeline.failures.push(all.failures);
    timeline.time_ms.avg.push(times.avg);
    timeline.histograms.push(all.times.encode());
    for (columns, some) in timeline.names.iter_mut().zip(names) {
        let [p50, p95, p99] = some.times.percentiles([0.5, 0.95, 0.99]);
        columns.requests.push(some.times.count());
        columns.failures.push(some.failures);
        columns.p50.push(p50.as_secs_f64() * 1e3);
        columns.p95.push(p95.as_secs_f64() * 1e3);
        columns.p99.push(p99.as_secs_f64() * 1e3);
    }
}

fn report(total: Requests, requests: Vec<NamedRequests>, timeline: TimelineColumns) -> Report {
    let mut report: Report = serde_json::from_value(serde_json::json!({
        "schema": 1,
        "run": Run::default(),
        "total": Requests::default(),
        "requests": [],
    }))
    .expect("a report needs no more than this");
    report.users = Users {
        peak: 100,
        ..Users::default()
    };
    report.total = total;
    report.requests = requests;
    report.timeline = timeline;
    report
}
