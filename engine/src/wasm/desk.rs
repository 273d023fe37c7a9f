//! Where a sandbox of the event-loop convention and its users meet: calls to users and their
//! outcomes, requests and their answers, and what becomes of users. Both sides run in one
//! task. Knows neither what the users do nor how requests are sent.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};

use futures::future::AbortHandle;
use parking_lot::Mutex;

use super::bindings::event_loop::aiotest::engine::event_loop::{Outcome, Step};
use super::bindings::http::HttpError;
use super::errand::Errand;
use super::host::Member;
use crate::http::Response;

/// What the guest is told next.
#[expect(clippy::large_enum_variant, reason = "most of them are answers")]
pub(super) enum Item {
    Call {
        id: u64,
        member: Arc<Member>,
        step: Step,
    },
    Answer {
        ticket: u64,
        user: u64,
        result: Result<Response, HttpError>,
    },
    Stop(u64),
    Leave(u64),
}

/// A call that the guest has not answered.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) user: u64,
    pub(super) step: Step,
    /// The user's tasks overlap, so that an open response does not tell whose it is.
    pub(super) overlapping: bool,
}

/// One for each sandbox, shared by its host and by the lives of its users.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    inbox: Vec<Item>,
    /// Who waits for the inbox.
    reader: Option<Waker>,
    closed: bool,
    /// Calls and requests so far.
    numbers: u64,
    calls: HashMap<u64, Call>,
    requests: HashMap<u64, Sending>,
    /// Users that the guest was told of and that have not left.
    users: HashMap<u64, Arc<Member>>,
    at_work: Option<u64>,
}

struct Call {
    question: Question,
    outcome: Option<Outcome>,
    caller: Option<Waker>,
}

struct Sending {
    user: u64,
    handle: AbortHandle,
}

/// The side of the users.
impl Desk {
    /// Asks a user to do something, and waits until it is done.
    pub(super) async fn call(
        &self,
        member: &Arc<Member>,
        step: Step,
        overlapping: bool,
    ) -> Outcome {
        let id = self.ask(member, step, overlapping);
        poll_fn(|cx| {
            let mut state = self.0.lock();
            let Some(call) = state.calls.get_mut(&id) else {
                return Poll::Pending;
            };
            match call.outcome.take() {
                Some(outcome) => {
                    state.calls.remove(&id);
                    Poll::Ready(outcome)
                }
                None => {
                    call.caller = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn ask(&self, member: &Arc<Member>, step: Step, overlapping: bool) -> u64 {
        let mut state = self.0.lock();
        let (id, user) = (state.number(), member.id);
        let question = Question {
            user,
            step,
            overlapping,
        };
        let call = Call {
            question,
            outcome: None,
            caller: None,
        };
        state.calls.insert(id, call);
        if let Step::OnStart(_) = step {
            state.users.insert(user, member.clone());
        }
        let member = member.clone();
        state.post(Item::Call { id, member, step });
        id
    }

    /// The user must stop.
    pub(super) fn stop(&self, user: u64) {
        let mut state = self.0.lock();
        if state.users.contains_key(&user) {
            state.post(Item::Stop(user));
        }
    }

    /// The user is gone, and with it what it waited for.
    pub(super) fn leave(&self, user: u64) {
        let mut state = self.0.lock();
        if state.users.remove(&user).is_none() {
            return;
        }
        state.requests.retain(|_, request| {
            let stays = request.user != user;
            if !stays {
                request.handle.abort();
            }
            stays
        });
        state
            .inbox
            .retain(|item| !matches!(item, Item::Answer { user: of, .. } if *of == user));
        if state.at_work == Some(user) {
            state.at_work = None;
        }
        state.post(Item::Leave(user));
    }

    /// Nobody comes any more.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.wake();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Who was at work when the sandbox died, and at what.
    pub(super) fn at_work(&self) -> Option<(Arc<Member>, Vec<Step>)> {
        let state = self.0.lock();
        let member = state.users.get(&state.at_work?)?.clone();
        let open = |call: &&Call| call.outcome.is_none() && call.question.user == member.id;
        let calls = state.calls.values().filter(open);
        let steps = calls.map(|call| call.question.step).collect();
        Some((member, steps))
    }
}

/// The side of the guest.
impl Desk {
    /// All that happened, once; nothing when nobody comes any more.
    pub(super) fn take(&self) -> Option<Vec<Item>> {
        let mut state = self.0.lock();
        match state.inbox.is_empty() && state.closed {
            true => None,
            false => Some(std::mem::take(&mut state.inbox)),
        }
    }

    /// Resolves when there is something to take.
    pub(super) async fn filled(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock();
            if state.closed || !state.inbox.is_empty() {
                return Poll::Ready(());
            }
            state.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Begins a request of a user, whose answer will come with the ticket that this returns.
    pub(super) fn begin<F>(&self, user: u64, errand: &Errand, sending: F) -> u64
    where
        F: Future<Output = Result<Response, HttpError>> + Send + 'static,
    {
        let ticket = self.0.lock().number();
        let desk = self.clone();
        let handle = errand.begin(async move {
            let result = sending.await;
            desk.answer(ticket, user, result);
        });
        let sending = Sending { user, handle };
        self.0.lock().requests.insert(ticket, sending);
        ticket
    }

    fn answer(&self, ticket: u64, user: u64, result: Result<Response, HttpError>) {
        let mut state = self.0.lock();
        state.requests.remove(&ticket);
        state.post(Item::Answer {
            ticket,
            user,
            result,
        });
    }

    /// The answer to a request that could not begin. Returns its ticket.
    pub(super) fn refuse(&self, user: u64, error: HttpError) -> u64 {
        let ticket = self.0.lock().number();
        self.answer(ticket, user, Err(error));
        ticket
    }

    /// Ends a request; an answer that was not taken yet goes with it.
    pub(super) fn cancel(&self, ticket: u64) {
        let mut state = self.0.lock();
        if let Some(request) = state.requests.remove(&ticket) {
            request.handle.abort();
        }
        state
            .inbox
            .retain(|item| !matches!(item, Item::Answer { ticket: of, .. } if *of == ticket));
    }

    /// A call that is not answered yet.
    pub(super) fn question(&self, call: u64) -> Option<Question> {
        let state = self.0.lock();
        let call = state.calls.get(&call)?;
        call.outcome.is_none().then_some(call.question)
    }

    /// Answers a call.
    pub(super) fn finish(&self, call: u64, outcome: Outcome) {
        let mut state = self.0.lock();
        if let Some(call) = state.calls.get_mut(&call) {
            call.outcome = Some(outcome);
            if let Some(caller) = call.caller.take() {
                caller.wake();
            }
        }
    }

    pub(super) fn working_on(&self, user: u64) {
        self.0.lock().at_work = Some(user);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn post(&mut self, item: Item) {
        self.inbox.push(item);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}
