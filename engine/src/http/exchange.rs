//! What is known of a request under way, recorded exactly once per try and hop: when it
//! goes on, and at the latest when it is dropped. Sends nothing.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::connect::Setup;
use super::error::{Error, ErrorKind};
use super::fault::Fault;
use super::plan::Plan;
use super::stream::Stamps;
use super::target::default_name;
use crate::sample::{Failure, Sample, Timings};

/// What the scenario says about a response.
#[derive(Debug, Default)]
pub(super) enum Mark {
    #[default]
    None,
    Success,
    Failure(String),
    /// The task failed that held the response; gives way to the scenario's own mark.
    Task(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing to record.
    #[default]
    Idle,
    /// Connecting or sending; counted only if the server may have seen it.
    InFlight,
    /// The scenario has the response.
    Delivered,
}

/// A request, and the try or hop that is under way.
pub(super) struct Exchange {
    pub(super) plan: Plan,
    pub(super) mark: Mark,
    pub(super) setup: Setup,
    /// Bytes of the response body on the wire.
    pub(super) received: u64,
    phase: Phase,
    started: Instant,
    /// The connection's stamps, and when the request was given to it.
    wire: Option<(Arc<Stamps>, u64)>,
    /// When the head of a multiplexed response arrived: its connection's stamps are
    /// everybody's.
    head_at: Option<u64>,
    /// At least a part of the request was written.
    sent: bool,
    status: Option<StatusCode>,
    timings: Option<Timings>,
    failure: Option<Error>,
}

impl Exchange {
    pub(super) fn new(plan: Plan, started: Instant) -> Self {
        Self {
            plan,
            mark: Mark::None,
            setup: Setup::default(),
            received: 0,
            phase: Phase::Idle,
            started,
            wire: None,
            head_at: None,
            sent: false,
            status: None,
            timings: None,
            failure: None,
        }
    }

    /// Begins a try or a hop.
    pub(super) fn start(&mut self, now: Instant) {
        self.setup = Setup::default();
        self.received = 0;
        self.phase = Phase::InFlight;
        self.started = now;
        self.wire = None;
        self.head_at = None;
        self.sent = false;
        self.status = None;
        self.timings = None;
        self.failure = None;
    }

    /// The request goes to this connection.
    pub(super) fn sending(&mut self, stamps: &Arc<Stamps>) {
        self.wire = Some((stamps.clone(), stamps.begin()));
    }

    /// The head of the response is here.
    pub(super) fn answered(&mut self, status: StatusCode, multiplexed: bool) {
        self.status = Some(status);
        if let Some((stamps, _)) = &self.wire
            && multiplexed
        {
            self.head_at = Some(stamps.now());
        }
    }

    /// The body is complete.
    pub(super) fn end(&mut self) {
        self.timings = Some(self.measure(Instant::now()));
        self.sent = self.is_written();
        self.wire = None;
    }

    /// There is no (complete) response.
    pub(super) fn fail(&mut self, error: Error) {
        if self.timings.is_none() {
            self.end();
        }
        self.failure = Some(error);
    }

    /// The scenario gets the response; what becomes of it is the scenario's matter.
    pub(super) fn deliver(&mut self) {
        self.phase = Phase::Delivered;
    }

    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// How long the parts took; all zero until the body is complete.
    pub(super) fn timings(&self) -> Timings {
        self.timings.unwrap_or_default()
    }

    /// Whether a request that met this fault on a kept connection can be sent again
    /// without anybody noticing: the server has not processed it, or a second time does
    /// no harm.
    pub(super) fn may_repeat(&self, fault: &Fault) -> bool {
        if fault.is_unprocessed() {
            return true;
        }
        let unanswered = match &self.wire {
            Some((stamps, _)) => stamps.first_read() == 0,
            None => true,
        };
        let harmless = !self.is_written() || self.plan.method.is_idempotent();
        harmless && unanswered && fault.is_disconnect()
    }

    /// Counts the try or hop as it stands.
    pub(super) fn conclude(&mut self) {
        let phase = std::mem::take(&mut self.phase);
        let undelivered = phase == Phase::InFlight && self.failure.is_none();
        match phase {
            Phase::Idle => return,
            // A hop, or a try that is followed by another.
            Phase::InFlight if undelivered && self.timings.is_some() => {}
            Phase::InFlight if undelivered => {
                if !self.is_written() {
                    return;
                }
                self.fail(Error::new(
                    ErrorKind::Interrupted,
                    "the user was stopped in mid-exchange",
                ));
            }
            Phase::Delivered if self.timings.is_none() => self.end(),
            _ => {}
        }
        self.record();
        self.wire = None;
    }

    fn record(&self) {
        let status = self.status.map_or(0, |status| status.as_u16());
        let told;
        let failure = match (&self.mark, &self.failure) {
            (Mark::Success, _) => None,
            (Mark::Failure(reason), _) => Some(("mark", reason.as_str())),
            (_, Some(error)) => Some((error.kind.as_str(), error.message.as_str())),
            (Mark::Task(reason), None) => Some(("task", reason.as_str())),
            (Mark::None, None) => match self.status {
                Some(status) if status.as_u16() >= 400 => {
                    told = describe(status);
                    Some(("status", &*told))
                }
                _ => None,
            },
        };
        self.plan.origin.sink().record(&Sample {
            method: self.plan.method.as_str(),
            name: &self.name(),
            tags: &self.plan.tags,
            status,
            failure: failure.map(|(kind, message)| Failure { kind, message }),
            timings: self.timings(),
            sent: if self.sent {
                self.plan.body.len() as u64
            } else {
                0
            },
            received: self.received,
            late: None,
        });
    }

    /// The name under which it is counted.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match &self.plan.name {
            Some(name) => Cow::Borrowed(name),
            None => default_name(self.plan.path.path()),
        }
    }

    fn is_written(&self) -> bool {
        self.wire
            .as_ref()
            .is_some_and(|(stamps, since)| stamps.last_write() >= *since)
    }

    fn measure(&self, end: Instant) -> Timings {
        let total = end.saturating_duration_since(self.started);
        let Setup { dns, connect, tls } = self.setup;
        let mut timings = Timings {
            started: Some(self.started.into_std()),
            dns,
            connect,
            tls,
            total,
            ..Timings::default()
        };
        if let Some((stamps, since)) = &self.wire
            && self.is_written()
        {
            let (written, read) = match self.head_at {
                Some(head) => (*since, head),
                None => (stamps.last_write(), stamps.first_read()),
            };
            let before = dns + connect + tls;
            let written = stamps.instant(written);
            timings.send = written
                .saturating_duration_since(self.started)
                .saturating_sub(before);
            if read != 0 {
                let read = stamps.instant(read);
                timings.first_byte = read.saturating_duration_since(written);
                timings.body = end.saturating_duration_since(read.max(written));
            }
        }
        timings
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.conclude();
    }
}

fn describe(status: StatusCode) -> Cow<'static, str> {
    match (status, status.canonical_reason()) {
        (StatusCode::NOT_FOUND, _) => Cow::Borrowed("404 Not Found"),
        (StatusCode::TOO_MANY_REQUESTS, _) => Cow::Borrowed("429 Too Many Requests"),
        (StatusCode::INTERNAL_SERVER_ERROR, _) => Cow::Borrowed("500 Internal Server Error"),
        (StatusCode::SERVICE_UNAVAILABLE, _) => Cow::Borrowed("503 Service Unavailable"),
        (status, Some(reason)) => Cow::Owned(format!("{} {reason}", status.as_u16())),
        (status, None) => Cow::Owned(status.as_u16().to_string()),
    }
}

/// The growing pause before another try, between half of it and all of it.
pub(super) fn pause(tries: u32, random: f64) -> Duration {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);
    let full = FIRST.saturating_mul(1 << tries.min(10)).min(LONGEST);
    full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        assert_eq!(pause(0, 1.0), Duration::from_millis(100));
        assert_eq!(pause(0, 0.0), Duration::from_millis(50));
        assert_eq!(pause(3, 1.0), Duration::from_millis(800));
        assert_eq!(pause(u32::MAX, 1.0), Duration::from_secs(5));
    }

    #[test]
    fn a_status_is_told_as_one_line() {
        assert_eq!(describe(StatusCode::NOT_FOUND), "404 Not Found");
        assert_eq!(describe(StatusCode::IM_A_TEAPOT), "418 I'm a teapot");
        assert_eq!(describe(StatusCode::from_u16(599).unwrap()), "599");
    }
}
