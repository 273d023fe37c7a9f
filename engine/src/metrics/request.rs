//! What is kept of the requests of one name, and of the parts of all requests.

use super::distribution::Durations;
use super::merge::Merge;
use crate::sample::{Sample, Timings};
use std::time::Duration;

/// The requests of one method and name, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestStats {
    /// Response times; its count is the number of requests.
    pub time: Durations,
    /// Requests that count as failures.
    pub failures: u64,
    /// Bytes of the request bodies.
    pub sent: u64,
    /// Bytes of the response bodies as they came over the wire.
    pub received: u64,
    /// How they ended.
    pub statuses: Statuses,
    /// How large the responses were.
    pub sizes: Sizes,
    /// Allocated with the first request whose start was planned: most runs plan none.
    pub(crate) intended: Option<Box<Durations>>,
}

impl RequestStats {
    pub(super) fn record(&mut self, sample: &Sample<'_>) {
        let passed = sample.failure.is_none();
        self.time.record(sample.timings.total);
        if let Some(late) = sample.late {
            let from_plan = sample.timings.total.saturating_add(late);
            self.intended.get_or_insert_default().record(from_plan);
        }
        self.failures += u64::from(!passed);
        self.sent = self.sent.saturating_add(sample.sent);
        self.received = self.received.saturating_add(sample.received);
        self.statuses.count(sample.status, passed);
        if passed || sample.status != 0 {
            self.sizes.count(sample.received);
        }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.time.count()
    }

    /// Response times from the planned start: how long the response took, and how much
    /// later than planned its iteration began. Absent where nothing was planned.
    #[must_use]
    pub fn intended(&self) -> Option<&Durations> {
        self.intended.as_deref()
    }

    /// Adds other requests, as if all had been counted together.
    pub fn merge(&mut self, other: &Self) {
        self.merge_from(other);
    }

    /// How many there were per second of `span`.
    #[must_use]
    pub fn rate(&self, span: Duration) -> f64 {
        rate(self.count(), span)
    }

    /// The share that failed, 0 to 1.
    #[must_use]
    pub fn failure_share(&self) -> f64 {
        self.failures as f64 / self.count().max(1) as f64
    }

    /// What came after `earlier`, a previous state of the same requests.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Window {
        Window {
            time: self.time.since(&earlier.time),
            failures: self.failures.saturating_sub(earlier.failures),
        }
    }
}

impl Merge for RequestStats {
    fn merge_from(&mut self, other: &Self) {
        self.time.merge_from(&other.time);
        self.failures.merge_from(&other.failures);
        self.sent.merge_from(&other.sent);
        self.received.merge_from(&other.received);
        self.statuses.merge_from(&other.statuses);
        self.sizes.merge_from(&other.sizes);
        if let Some(theirs) = &other.intended {
            self.intended.get_or_insert_default().merge_from(theirs);
        }
    }
}

fn rate(count: u64, span: Duration) -> f64 {
    if span.is_zero() {
        return 0.0;
    }
    count as f64 / span.as_secs_f64()
}

/// The requests between two snapshots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Response times; its count is the number of requests.
    pub time: Durations,
    /// Requests that count as failures.
    pub failures: u64,
}

impl Window {
    /// Requests per second, when the two snapshots lie `span` apart.
    #[must_use]
    pub fn rate(&self, span: Duration) -> f64 {
        rate(self.time.count(), span)
    }
}

/// Outcomes of one HTTP status; 0 stands for no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCount {
    /// The status.
    pub status: u16,
    /// Counted as successes.
    pub passed: u64,
    /// Counted as failures.
    pub failed: u64,
}

/// Outcomes by HTTP status: a handful, so a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses(Vec<StatusCount>);

impl Statuses {
    pub(super) fn count(&mut self, status: u16, passed: bool) {
        self.add(StatusCount {
            status,
            passed: u64::from(passed),
            failed: u64::from(!passed),
        });
    }

    fn add(&mut self, more: StatusCount) {
        match self.0.iter_mut().find(|known| known.status == more.status) {
            Some(known) => {
                known.passed.merge_from(&more.passed);
                known.failed.merge_from(&more.failed);
            }
            None => {
                let at = self.0.partition_point(|known| known.status < more.status);
                self.0.insert(at, more);
            }
        }
    }

    /// In ascending order of the status.
    pub fn iter(&self) -> impl Iterator<Item = StatusCount> {
        self.0.iter().copied()
    }
}

impl FromIterator<StatusCount> for Statuses {
    fn from_iter<I: IntoIterator<Item = StatusCount>>(counts: I) -> Self {
        let mut all = Self::default();
        counts.into_iter().for_each(|count| all.add(count));
        all
    }
}

impl Merge for Statuses {
    fn merge_from(&mut self, other: &Self) {
        other.iter().for_each(|more| self.add(more));
    }
}

/// Response sizes in few, fixed classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    classes: [u64; Self::BOUNDS.len() + 1],
    sum: u64,
}

impl Sizes {
    /// The largest size of each class but the last, in bytes.
    pub const BOUNDS: [u64; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];

    fn count(&mut self, bytes: u64) {
        self.classes[Self::BOUNDS.partition_point(|bound| *bound < bytes)] += 1;
        self.sum = self.sum.saturating_add(bytes);
    }

    /// For each bound, how many responses do not exceed it; at last, how many there are.
    #[must_use]
    pub fn cumulative(&self) -> [u64; Self::BOUNDS.len() + 1] {
        let mut sum = 0;
        self.classes.map(|count| {
            sum += count;
            sum
        })
    }

    /// All of them together, in bytes.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }
}

impl Merge for Sizes {
    fn merge_from(&mut self, other: &Self) {
        for (ours, theirs) in self.classes.iter_mut().zip(&other.classes) {
            ours.merge_from(theirs);
        }
        self.sum.merge_from(&other.sum);
    }
}

/// How long the parts of the exchanges took, over all names. A part is counted where it
/// happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Phases {
    /// Name resolution.
    pub dns: Durations,
    /// TCP connection.
    pub connect: Durations,
    /// TLS handshake.
    pub tls: Durations,
    /// Writing the request.
    pub send: Durations,
    /// Last byte written until first byte read.
    pub first_byte: Durations,
    /// First byte read until the body was complete.
    pub body: Durations,
}

impl Phases {
    pub(super) fn record(&mut self, timings: &Timings) {
        for (phase, took) in [
            (&mut self.dns, timings.dns),
            (&mut self.connect, timings.connect),
            (&mut self.tls, timings.tls),
            (&mut self.send, timings.send),
            (&mut self.first_byte, timings.first_byte),
            (&mut self.body, timings.body),
        ] {
            if !took.is_zero() {
                phase.record(took);
            }
        }
    }

    /// Each with its name, in the order in which they happen.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Durations)> {
        [
            ("dns", &self.dns),
            ("connect", &self.connect),
            ("tls", &self.tls),
            ("send", &self.send),
            ("first byte", &self.first_byte),
            ("body", &self.body),
        ]
        .into_iter()
    }
}

impl Merge for Phases {
    fn merge_from(&mut self, other: &Self) {
        self.dns.merge_from(&other.dns);
        self.connect.merge_from(&other.connect);
        self.tls.merge_from(&other.tls);
        self.send.merge_from(&other.send);
        self.first_byte.merge_from(&other.first_byte);
        self.body.merge_from(&other.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Failure;

    #[test]
    fn a_request_is_counted_under_its_status_verdict_and_size() {
        let ok = Sample {
            method: "GET",
            name: "/",
            tags: "",
            status: 200,
            failure: None,
            timings: Timings::default(),
            sent: 5,
            received: 100,
            late: None,
        };
        let failure = Some(Failure {
            kind: "mark",
            message: "no",
        });
        let mut stats = RequestStats::default();
        for sample in [
            ok,
            Sample { failure, ..ok },
            Sample {
                status: 0,
                failure,
                received: 0,
                ..ok
            },
            Sample {
                status: 101,
                received: 2_000_000,
                ..ok
            },
        ] {
            stats.record(&sample);
        }

        assert_eq!((stats.count(), stats.failures), (4, 2));
        assert_eq!((stats.sent, stats.received), (20, 2_000_200));
        assert_eq!(stats.failure_share(), 0.5);
        assert_eq!(stats.rate(Duration::from_secs(2)), 2.0);
        assert_eq!(stats.rate(Duration::ZERO), 0.0);
        let rows: Vec<_> = stats
            .statuses
            .iter()
            .map(|s| (s.status, s.passed, s.failed))
            .collect();
        assert_eq!(rows, [(0, 0, 1), (101, 1, 0), (200, 1, 1)]);
        // The one without a response has no size.
        assert_eq!(stats.sizes.cumulative(), [2, 2, 2, 2, 2, 3]);
        assert_eq!(stats.sizes.sum(), 2_000_200);
    }

    #[test]
    fn the_time_from_the_planned_start_is_kept_of_planned_requests_only() {
        let ms = Duration::from_millis;
        let unplanned = Sample {
            method: "GET",
            name: "/",
            tags: "",
            status: 200,
            failure: None,
            timings: Timings {
                total: ms(10),
                ..Timings::default()
            },
            sent: 0,
            received: 0,
            late: None,
        };
        let mut stats = RequestStats::default();
        stats.record(&unplanned);
        assert_eq!(stats.intended(), None);

        let mut planned = RequestStats::default();
        for late in [Duration::ZERO, ms(500), Duration::MAX] {
            planned.record(&Sample {
                late: Some(late),
                ..unplanned
            });
        }
        stats.merge(&planned);
        let intended = stats.intended().unwrap();
        assert_eq!((stats.count(), intended.count()), (4, 3));
        assert_eq!(intended.min(), ms(10));
        assert_eq!(intended.max(), Duration::MAX);
        assert_eq!(stats.time.max(), ms(10));
    }

    #[test]
    fn only_phases_that_happened_are_counted() {
        let mut phases = Phases::default();
        let kept_alive = Timings {
            send: Duration::from_micros(3),
            first_byte: Duration::from_micros(40),
            ..Timings::default()
        };
        phases.record(&kept_alive);
        phases.record(&Timings {
            dns: Duration::from_millis(1),
            ..kept_alive
        });
        let counts: Vec<_> = phases.iter().map(|(name, d)| (name, d.count())).collect();
        assert_eq!(
            counts,
            [
                ("dns", 1),
                ("connect", 0),
                ("tls", 0),
                ("send", 2),
                ("first byte", 2),
                ("body", 0)
            ]
        );
    }
}
