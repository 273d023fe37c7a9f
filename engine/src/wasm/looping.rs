//! A sandbox of the event-loop convention: one call serves all users in it, who meet it at a
//! desk.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;

use super::bindings::event_loop::EventLoopLoadTestPre;
use super::bindings::event_loop::aiotest::engine::event_loop::{Outcome, Step};
use super::desk::Desk;
use super::group::{Arrivals, Household, Room, Shareable};
use super::host::{Host, Member};
use super::run::Run;
use super::trap::Trap;
use super::user::{CallError, CallResult, Guest, User, overlap};
use crate::user_class::Execution;

/// How long a guest may go on when all of its users have left.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Shareable for EventLoopLoadTestPre<Host> {
    async fn life(
        &self,
        household: &Household<'_>,
        store: &mut Store<Host>,
        arrivals: &mut Arrivals,
    ) -> Option<Trap> {
        let (errand, desk) = (store.data().errand(), store.data().desk());
        let plugin = match errand.attend(self.instantiate_async(&mut *store)).await {
            Ok(plugin) => plugin,
            Err(error) => return Some(Trap::of(&error, store.data())),
        };
        let run = &*household.template.run;
        let room = AtDesk { desk: &desk, run };
        let serve = plugin
            .aiotest_engine_event_loop_scenario()
            .call_serve(&mut *store);
        // The users go first, so that the guest finds what they ask for when its turn comes.
        // They meet no trap: it is the guest's call that ends with it.
        let users = async {
            household.run(room, arrivals).await;
            desk.close();
            tokio::time::sleep(LAST_WORDS).await;
        };
        let served = tokio::select! {
            biased;
            () = users => None,
            served = errand.attend(serve) => Some(served),
        };
        let trap = match served {
            Some(Ok(())) if desk.is_closed() => return None,
            Some(Ok(())) => Trap {
                kind: "ended",
                message: "the scenario's event loop ended before its users did".into(),
            },
            Some(Err(error)) => Trap::of(&error, store.data()),
            None => Trap {
                kind: "stuck",
                message: "the scenario's event loop goes on without users".into(),
            },
        };
        Some(blame(trap, &desk, household.class, run))
    }
}

/// Counts the death of a sandbox for the user that was at work, and names it.
fn blame(mut trap: Trap, desk: &Desk, class: usize, run: &Run) -> Trap {
    let Some((member, steps)) = desk.at_work() else {
        return trap;
    };
    let class = &run.classes[class].class;
    let names = steps.iter().map(|step| match step {
        Step::OnStart(_) => "on_start",
        Step::RunTask(index) => {
            let task = class.tasks.iter().find(|task| task.index == *index);
            task.map_or("a task", |task| &task.name)
        }
        Step::Run => "run",
        Step::WaitTime => "wait_time",
        Step::OnStop => "on_stop",
    });
    let names: Vec<&str> = names.collect();
    let mut who = format!("user {} ({})", member.id, member.class);
    if !names.is_empty() {
        who = format!("{who}, in {}", names.join(" or "));
    }
    for name in names {
        run.count_error(&member, name, &trap.message);
    }
    trap.message = format!("{who}: {}", trap.message);
    trap
}

/// The inside of the sandbox.
#[derive(Clone, Copy)]
struct AtDesk<'a> {
    desk: &'a Desk,
    run: &'a Run,
}

impl<'a> Room for AtDesk<'a> {
    type Guest = Caller<'a>;

    async fn seat(self, user: &User) -> Result<Caller<'a>, Trap> {
        let class = &self.run.classes[user.class].class;
        Ok(Caller {
            desk: self.desk,
            member: user.member.clone(),
            class: class.index,
            overlapping: matches!(class.execution, Execution::Concurrent(_)),
        })
    }

    fn stop(self, user: &User) {
        self.desk.stop(user.member.id);
    }

    fn clear(self, guest: Caller<'a>) {
        self.desk.leave(guest.member.id);
    }
}

/// A user in it.
struct Caller<'a> {
    desk: &'a Desk,
    member: Arc<Member>,
    /// Index in the manifest.
    class: u32,
    overlapping: bool,
}

impl Caller<'_> {
    async fn call(&self, step: Step) -> CallResult<Duration> {
        match self.desk.call(&self.member, step, self.overlapping).await {
            Outcome::Done => Ok(Duration::ZERO),
            Outcome::Wait(nanos) => Ok(Duration::from_nanos(nanos)),
            Outcome::Failed(failure) => Err(CallError::Failure(failure)),
        }
    }

    async fn act(&self, step: Step) -> CallResult {
        self.call(step).await.map(|_| ())
    }
}

impl Guest for Caller<'_> {
    async fn on_start(&mut self) -> CallResult {
        self.act(Step::OnStart(self.class)).await
    }

    async fn run_task(&mut self, index: u32) -> CallResult {
        self.act(Step::RunTask(index)).await
    }

    async fn run_tasks(
        &mut self,
        tasks: Vec<(usize, u32)>,
        at_a_time: usize,
    ) -> Vec<(usize, CallResult)> {
        let this = &*self;
        overlap(tasks, at_a_time, |index| this.act(Step::RunTask(index))).await
    }

    async fn run(&mut self) -> CallResult {
        self.act(Step::Run).await
    }

    async fn wait_time(&mut self) -> CallResult<Duration> {
        self.call(Step::WaitTime).await
    }

    async fn on_stop(&mut self) -> CallResult {
        self.act(Step::OnStop).await
    }
}
