//! What happens in the run, on its way to a scenario that observes it. Nothing is kept,
//! and next to nothing is spent, unless the scenario asked for it.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::mpsc;

use super::bindings::events::{Event, Kinds, Request, User, UserError};
use super::host::Member;
use crate::metrics::Metrics;
use crate::sample::{Sample, split_tags};

/// Events that may wait for the scenario.
const QUEUE: usize = 20_000;
/// Longest text of an event, in bytes: so many of them wait, and results keep no more.
const MAX_TEXT: usize = 200;

/// Where events go.
#[derive(Default)]
pub(crate) struct Observed(OnceLock<Observer>);

struct Observer {
    kinds: Kinds,
    events: mpsc::Sender<Event>,
}

impl Observed {
    /// From now on events of these kinds are kept for the receiver. Called once a run.
    pub(super) fn subscribe(&self, kinds: Kinds) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(QUEUE);
        // A second one would find its channel closed.
        let _ = self.0.set(Observer { kinds, events });
        receiver
    }

    pub(super) fn request(&self, member: &Member, sample: &Sample<'_>) {
        self.tell(Kinds::REQUEST, &member.run.metrics, || {
            Event::Request(Request {
                user: user(member),
                at: nanos(member.run.elapsed()),
                method: cut(sample.method),
                name: cut(sample.name),
                tags: split_tags(sample.tags)
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                status: sample.status,
                duration: nanos(sample.timings.total),
                size: sample.received,
                error: sample.failure.map(|failure| cut(failure.message)),
            })
        });
    }

    pub(super) fn user_start(&self, member: &Member) {
        let event = || Event::UserStart(user(member));
        self.tell(Kinds::USER_START, &member.run.metrics, event);
    }

    pub(super) fn user_stop(&self, member: &Member) {
        let event = || Event::UserStop(user(member));
        self.tell(Kinds::USER_STOP, &member.run.metrics, event);
    }

    pub(super) fn user_error(&self, member: &Member, task: &str, message: &str) {
        self.tell(Kinds::USER_ERROR, &member.run.metrics, || {
            Event::UserError(UserError {
                user: user(member),
                at: nanos(member.run.elapsed()),
                task: task.to_owned(),
                message: cut(message),
            })
        });
    }

    fn tell(&self, kind: Kinds, metrics: &Metrics, event: impl FnOnce() -> Event) {
        let Some(observer) = self.0.get() else { return };
        if !observer.kinds.contains(kind) {
            return;
        }
        match observer.events.try_reserve() {
            Ok(place) => place.send(event()),
            Err(_) => metrics.events_dropped(1),
        }
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_TEXT)].to_owned()
}

fn user(member: &Member) -> User {
    User {
        id: member.id,
        class: member.class.to_string(),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
