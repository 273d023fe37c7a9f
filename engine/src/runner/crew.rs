//! The users that have not left: who is started, asked to stop, and ended when that takes
//! too long. Knows no reasons.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::scheduler::Action;
use crate::wasm::Exit;
use crate::wasm::sandboxes::{Sandboxes, Seat};

/// A user that has not left.
struct Present {
    plan: usize,
    seat: Seat,
    /// It was asked to stop.
    stopping: bool,
}

/// All of them.
pub(super) struct Crew {
    sandboxes: Sandboxes,
    exits: mpsc::UnboundedReceiver<Exit>,
    present: HashMap<u64, Present>,
    /// Users that were asked to stop, and until when they may take, in that order.
    deadlines: VecDeque<(Instant, u64)>,
    stop_timeout: Duration,
}

impl Crew {
    /// Nobody yet, in these sandboxes, which tell of exits.
    pub(super) fn new(
        (sandboxes, exits): (Sandboxes, mpsc::UnboundedReceiver<Exit>),
        stop_timeout: Duration,
    ) -> Self {
        Crew {
            sandboxes,
            exits,
            present: HashMap::new(),
            deadlines: VecDeque::new(),
            stop_timeout,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Starts and stops users of a plan.
    pub(super) fn carry_out(&mut self, plan: usize, actions: Vec<Action>) {
        let now = Instant::now();
        for action in actions {
            match action {
                Action::Start { id, class } => {
                    let seat = self.sandboxes.start(id, class);
                    let stopping = false;
                    let present = Present {
                        plan,
                        seat,
                        stopping,
                    };
                    self.present.insert(id, present);
                }
                Action::Stop { id, .. } => self.stop(id, now),
            }
        }
    }

    /// Asks a user to stop, at this moment: those asked together are ended together.
    fn stop(&mut self, id: u64, now: Instant) {
        if let Some(user) = self.present.get_mut(&id)
            && !user.stopping
        {
            user.stopping = true;
            user.seat.stop();
            self.deadlines.push_back((now + self.stop_timeout, id));
        }
    }

    /// Asks all users of a plan to stop.
    pub(super) fn stop_plan(&mut self, plan: usize, now: Instant) {
        let users = self.present.iter().filter(|(_, user)| user.plan == plan);
        let users: Vec<u64> = users.map(|(id, _)| *id).collect();
        users.into_iter().for_each(|id| self.stop(id, now));
    }

    /// Ends users that were asked to stop and did not in time. Returns how many.
    pub(super) fn end_late(&mut self) -> u64 {
        let now = Instant::now();
        let mut ended = 0;
        while let Some((_, id)) = self
            .deadlines
            .pop_front_if(|(deadline, _)| *deadline <= now)
        {
            if let Some(user) = self.present.get(&id) {
                user.seat.abort();
                ended += 1;
            }
        }
        ended
    }

    /// Ends everyone at once.
    pub(super) fn end_all(&self) {
        self.present.values().for_each(|user| user.seat.abort());
    }

    /// The next user that leaves.
    pub(super) async fn next_exit(&mut self) -> Option<Exit> {
        let exit = self.exits.recv().await?;
        self.present.remove(&exit.id);
        Some(exit)
    }

    /// Waits until every sandbox is gone. Nobody starts any more.
    pub(super) async fn close(&mut self) {
        self.sandboxes.close().await;
    }
}
