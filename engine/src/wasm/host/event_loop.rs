//! `event-loop`: the users of a sandbox as events, for a guest that brings its own loop.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;

use super::http::Session;
use super::{Host, io};
use crate::wasm::bindings::event_loop::aiotest::engine::event_loop as wit;
use crate::wasm::bindings::http::Request;
use crate::wasm::bindings::types::Failure;
use crate::wasm::desk::{Desk, Item};
use crate::wasm::run::Run;

/// Waits until there is something on the desk, but not longer than this. Time stands still
/// in a pause if there is a run to go by.
async fn wait(desk: Desk, timeout: Option<Duration>, run: Option<Arc<Run>>) {
    let rest = async {
        match (timeout, run) {
            (None, _) => std::future::pending().await,
            // The timer would take a millisecond; but others have their turn.
            (Some(Duration::ZERO), _) => tokio::task::yield_now().await,
            (Some(timeout), Some(run)) => run.clock.sleep(timeout).await,
            (Some(timeout), None) => tokio::time::sleep(timeout).await,
        }
    };
    // Lets others run even if there is always something.
    tokio::task::consume_budget().await;
    tokio::select! {
        biased;
        () = desk.filled() => {}
        () = rest => {}
    }
}

impl Host {
    fn event(&mut self, item: Item) -> wasmtime::Result<wit::Event> {
        Ok(match item {
            Item::Call { id, member, step } => {
                let user = member.id;
                if let wit::Step::OnStart(_) = step {
                    self.join(member);
                }
                wit::Event::Call(wit::Call { id, user, step })
            }
            Item::Answer {
                ticket,
                user,
                result,
            } => {
                let outcome = self.received(user, result)?;
                wit::Event::Answer(wit::Answer { ticket, outcome })
            }
            Item::Stop(user) => wit::Event::Stop(user),
            Item::Leave(user) => {
                // What it holds may still be used until the guest knows.
                self.leaving.push(user);
                wit::Event::Leave(user)
            }
        })
    }
}

impl wit::Host for Host {
    fn start(&mut self, session: Resource<Session>, request: Request) -> wasmtime::Result<u64> {
        let (user, member, session) = self.opened(&session)?;
        Ok(match io::request(request, &member) {
            Ok(request) => {
                let sending = async move { session.send(request).await.map_err(Into::into) };
                self.desk.begin(user, &self.errand, sending)
            }
            Err(error) => self.desk.refuse(user, error),
        })
    }

    fn cancel(&mut self, ticket: u64) -> wasmtime::Result<()> {
        self.desk.cancel(ticket);
        Ok(())
    }

    fn finish(&mut self, call: u64, outcome: wit::Outcome) -> wasmtime::Result<()> {
        let Some(question) = self.desk.question(call) else {
            return Err(wasmtime::format_err!("there is no call {call} to finish"));
        };
        match (&outcome, question.step) {
            (wit::Outcome::Failed(Failure::Failed(message)), _) if !question.overlapping => {
                self.fail_open(Some(question.user), message);
            }
            (wit::Outcome::Failed(_), _)
            | (wit::Outcome::Wait(_), wit::Step::WaitTime)
            | (wit::Outcome::Done, wit::Step::OnStart(_) | wit::Step::RunTask(_))
            | (wit::Outcome::Done, wit::Step::Run | wit::Step::OnStop) => {}
            (wit::Outcome::Done, wit::Step::WaitTime) => {
                return Err(wasmtime::format_err!("call {call} asked for a wait time"));
            }
            (wit::Outcome::Wait(_), _) => {
                return Err(wasmtime::format_err!("call {call} asked for no wait time"));
            }
        }
        self.desk.finish(call, outcome);
        Ok(())
    }

    fn working_on(&mut self, user: u64) -> wasmtime::Result<()> {
        self.desk.working_on(user);
        Ok(())
    }

    async fn next(&mut self, timeout: Option<u64>) -> wasmtime::Result<Option<Vec<wit::Event>>> {
        for user in std::mem::take(&mut self.leaving) {
            self.leave(user);
        }
        let timeout = timeout.map(Duration::from_nanos);
        // All users of a sandbox are of one class.
        let holds_on = self.members.values().any(|member| member.holds_on);
        let run = holds_on.then(|| self.run.clone());
        let wait = wait(self.desk.clone(), timeout, run);
        self.errand.run(wait).await;
        let Some(items) = self.desk.take() else {
            return Ok(None);
        };
        // To ask again and again is no rest.
        if !items.is_empty() || timeout != Some(Duration::ZERO) {
            self.meter.reset();
        }
        let events = items.into_iter().map(|item| self.event(item));
        events.collect::<wasmtime::Result<_>>().map(Some)
    }
}
