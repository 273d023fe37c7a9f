//! What lives in sandboxes have in common, whatever the calling convention: a user that
//! stays through several of them, and what becomes of it and of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::bindings::types::Failure;
use super::host::{Host, Member};
use super::plugin::Plugin;
use super::run::Run;
use super::trap::Trap;
use super::user::{CallError, CallResult, End, User};
use crate::metrics::users::{CountedUser, State};
use crate::user_class::Execution;

/// Pauses between the lives of a user whose sandbox dies or that cannot start.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LAST_BACKOFF: Duration = Duration::from_secs(30);

/// A user has left, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its id.
    pub id: u64,
    /// Index of its class.
    pub class: usize,
    /// It had nothing left to do, and is not to be replaced.
    pub finished: bool,
}

/// What the sandboxes of a run have in common.
#[derive(Clone)]
pub(super) struct Template {
    pub(super) plugin: Arc<Plugin>,
    pub(super) run: Arc<Run>,
    pub(super) exits: mpsc::UnboundedSender<Exit>,
}

/// A user that has not left yet; it reports its exit when dropped, however that happens.
pub(super) struct Resident {
    pub(super) user: User,
    pub(super) counted: Mutex<CountedUser>,
    backoff: Mutex<Duration>,
    pub(super) finished: AtomicBool,
    /// Its place in a sandbox that it shares.
    pub(super) seat: Option<Arc<()>>,
    exits: mpsc::UnboundedSender<Exit>,
}

impl Drop for Resident {
    fn drop(&mut self) {
        let id = self.user.member.id;
        let class = self.user.class;
        let finished = self.finished.load(Ordering::Relaxed);
        if self.user.announced.load(Ordering::Relaxed) {
            let run = &self.user.member.run;
            run.observed.user_stop(&self.user.member);
        }
        // Nobody listens once the run is over.
        let _ = self.exits.send(Exit {
            id,
            class,
            finished,
        });
    }
}

impl Resident {
    /// Counts how a life ended. Whether another one may follow.
    pub(super) fn judge(&self, end: &End, template: &Template) -> bool {
        if let End::Trapped { trap, .. } = end {
            template.bury(self.user.class, trap);
        }
        self.note_finished(end);
        let goes_on = match end {
            End::Failed => true,
            End::Trapped { finished, .. } => !finished,
            End::Stopped | End::Finished => false,
        };
        goes_on && !self.user.member.stop.is_cancelled()
    }

    pub(super) fn note_finished(&self, end: &End) {
        let finished = matches!(end, End::Finished | End::Trapped { finished: true, .. });
        self.finished.store(finished, Ordering::Relaxed);
    }

    /// Waits before the next life. Whether it still shall be.
    pub(super) async fn back_off(&self) -> bool {
        self.counted.lock().move_to(State::Restarting);
        let pause = {
            let mut backoff = self.backoff.lock();
            let pause = *backoff;
            *backoff = (pause * 2).min(LAST_BACKOFF);
            pause
        };
        tokio::select! {
            biased;
            () = self.user.member.stop.cancelled() => false,
            () = tokio::time::sleep(pause) => {
                self.counted.lock().move_to(State::Starting);
                true
            }
        }
    }

    /// A life that lasted makes up for the failures before it.
    pub(super) fn lived(&self, began: Instant) {
        if began.elapsed() > LAST_BACKOFF {
            *self.backoff.lock() = FIRST_BACKOFF;
        }
    }
}

impl Template {
    pub(super) fn resident(&self, id: u64, class: usize, stop: CancellationToken) -> Resident {
        let class_of = &self.run.classes[class];
        let host = class_of.host.clone();
        let mut member = Member::new(&self.run, id, &class_of.name, &stop, host);
        member.holds_on = class_of.class.execution == Execution::OwnLoop;
        Resident {
            user: User {
                member: Arc::new(member),
                class,
                begun: AtomicU64::new(0),
                announced: AtomicBool::new(false),
            },
            counted: Mutex::new(self.run.gauges.enter(class)),
            backoff: Mutex::new(FIRST_BACKOFF),
            finished: AtomicBool::new(false),
            seat: None,
            exits: self.exits.clone(),
        }
    }

    pub(super) fn bury(&self, class: usize, trap: &Trap) {
        let class = &self.run.classes[class].name;
        self.run
            .metrics
            .sandbox_event(class, trap.kind, &trap.message);
    }

    /// Another sandbox takes the place of one that died.
    pub(super) fn replace(&self, class: usize) {
        self.run.metrics.restart(&self.run.classes[class].name);
    }
}

/// What a call's result means, and what becomes of the responses it left open.
pub(super) fn settle<T>(
    result: wasmtime::Result<Result<T, Failure>>,
    host: &mut Host,
    user: u64,
) -> CallResult<T> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failure)) => {
            if let Failure::Failed(message) = &failure {
                host.fail_open(Some(user), message);
            }
            Err(CallError::Failure(failure))
        }
        Err(error) => {
            let trap = Trap::of(&error, host);
            host.fail_open(None, &trap.message);
            Err(CallError::Trap(trap))
        }
    }
}
