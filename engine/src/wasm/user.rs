//! One user's life: `on_start`, then tasks and waits in the order of its class, then
//! `on_stop`. Knows the policy of a life, not how calls reach the sandbox.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt;
use parking_lot::Mutex;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::bindings::types::Failure;
use super::host::Member;
use super::run::Run;
use super::trap::Trap;
use crate::itinerary::{Itinerary, Outcome, Position, draw};
use crate::metrics::users::{CountedUser, State};
use crate::turnstile::Turnstile;
use crate::user_class::{Execution, UserClass, WaitTime};

/// Why a call did not succeed.
pub(super) enum CallError {
    /// The scenario said so.
    Failure(Failure),
    /// The sandbox died.
    Trap(Trap),
}

pub(super) type CallResult<T = ()> = Result<T, CallError>;

/// A user inside a sandbox, whatever the calling convention.
pub(super) trait Guest: Send {
    fn on_start(&mut self) -> impl Future<Output = CallResult> + Send;
    /// Runs the task of this index in the manifest.
    fn run_task(&mut self, index: u32) -> impl Future<Output = CallResult> + Send;
    /// Runs tasks, so many at a time: each is any number, which comes back with the result,
    /// and its index in the manifest. The results come in any order.
    fn run_tasks(
        &mut self,
        tasks: Vec<(usize, u32)>,
        at_a_time: usize,
    ) -> impl Future<Output = Vec<(usize, CallResult)>> + Send;
    fn run(&mut self) -> impl Future<Output = CallResult> + Send;
    fn wait_time(&mut self) -> impl Future<Output = CallResult<Duration>> + Send;
    fn on_stop(&mut self) -> impl Future<Output = CallResult> + Send;
}

/// Calls that overlap, so many at a time; for [`Guest::run_tasks`].
pub(super) async fn overlap<C: Future<Output = CallResult> + Send>(
    tasks: Vec<(usize, u32)>,
    at_a_time: usize,
    call: impl Fn(u32) -> C + Sync,
) -> Vec<(usize, CallResult)> {
    let call = &call;
    futures::stream::iter(tasks)
        .map(|(number, index)| async move { (number, call(index).await) })
        .buffer_unordered(at_a_time)
        .collect()
        .await
}

/// How a life ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to stop.
    Stopped,
    /// It has nothing left to do.
    Finished,
    /// It could not start; another life may.
    Failed,
    /// Its sandbox died.
    Trapped {
        /// Why.
        trap: Trap,
        /// It had nothing left to do anyway.
        finished: bool,
    },
}

/// What a user is, outside its sandbox.
pub(super) struct User {
    pub(super) member: Arc<Member>,
    /// Index among the classes of the run.
    pub(super) class: usize,
    /// Iterations that it began, in all of its lives.
    pub(super) begun: AtomicU64,
    /// Whether its start was told to who observes the run.
    pub(super) announced: AtomicBool,
}

/// Runs a user from `on_start` to `on_stop`.
pub(super) async fn live(
    guest: &mut impl Guest,
    user: &User,
    counted: &Mutex<CountedUser>,
    run: &Arc<Run>,
) -> End {
    let class = &run.classes[user.class];
    let mut life = Life {
        user,
        run,
        class: &class.class,
        itinerary: &class.itinerary,
        turnstile: &class.turnstile,
        rng: SmallRng::from_os_rng(),
        position: class.itinerary.begin(),
        iteration: None,
        last_start: None,
    };
    user.member.leave_groups();
    user.member.begin(None);
    // Users that come back to life during a pause wait for its end.
    tokio::select! {
        biased;
        () = user.member.stop.cancelled() => return End::Stopped,
        () = run.clock.running() => {}
    }
    let end = match life.settle("on_start", guest.on_start().await) {
        Step::Ok | Step::LeaveSet => {
            counted.lock().move_to(State::Running);
            if !user.announced.swap(true, Ordering::Relaxed) {
                run.observed.user_start(&user.member);
            }
            life.work(guest).await
        }
        step => step.end(),
    };
    if life.iteration.is_some() {
        run.metrics.interrupted_iteration();
    }
    if matches!(end, End::Trapped { .. }) {
        return end;
    }
    counted.lock().move_to(State::Stopping);
    user.member.begin(None);
    match life.settle("on_stop", guest.on_stop().await) {
        Step::Trap(trap) => End::Trapped {
            trap,
            finished: end == End::Finished,
        },
        _ => end,
    }
}

struct Life<'a> {
    user: &'a User,
    run: &'a Arc<Run>,
    class: &'a UserClass,
    itinerary: &'a Itinerary,
    turnstile: &'a Turnstile,
    rng: SmallRng,
    position: Position,
    /// When the iteration under way began.
    iteration: Option<Instant>,
    /// When the last task (or, with a pacing of the run, iteration) began, by the run's
    /// clock.
    last_start: Option<Duration>,
}

/// What a call's result means for the life.
enum Step {
    Ok,
    Failed,
    LeaveSet,
    Stop,
    Finish,
    Trap(Trap),
}

impl Step {
    fn end(self) -> End {
        match self {
            Step::Ok | Step::LeaveSet | Step::Stop => End::Stopped,
            Step::Failed => End::Failed,
            Step::Finish => End::Finished,
            Step::Trap(trap) => End::Trapped {
                trap,
                finished: false,
            },
        }
    }
}

impl Life<'_> {
    /// Counts a call's failure.
    fn settle(&self, call: &str, result: CallResult) -> Step {
        match result {
            Ok(()) => Step::Ok,
            Err(CallError::Trap(trap)) => {
                self.count_error(call, &trap.message);
                Step::Trap(trap)
            }
            Err(CallError::Failure(Failure::Failed(message))) => {
                self.count_error(call, &message);
                Step::Failed
            }
            Err(CallError::Failure(Failure::Stopping)) => {
                if self.stopping() {
                    Step::Stop
                } else {
                    Step::Ok
                }
            }
            Err(CallError::Failure(Failure::LeaveSet)) => Step::LeaveSet,
            Err(CallError::Failure(Failure::StopUser)) => Step::Finish,
            Err(CallError::Failure(Failure::StopTest(reason))) => {
                self.run.request_stop(reason);
                Step::Ok
            }
        }
    }

    fn count_error(&self, call: &str, message: &str) {
        self.run.count_error(&self.user.member, call, message);
    }

    fn stopping(&self) -> bool {
        self.user.member.stop.is_cancelled()
    }

    /// Waits and tasks until the user must stop or has nothing left to do.
    async fn work(&mut self, guest: &mut impl Guest) -> End {
        loop {
            let step = match self.until_next(guest).await {
                Step::Ok => self.act(guest).await,
                step => step,
            };
            match step {
                Step::Ok | Step::Failed | Step::LeaveSet if !self.stopping() => {}
                Step::Ok | Step::Failed | Step::LeaveSet => return End::Stopped,
                step => return step.end(),
            }
        }
    }

    /// Waits until the next task may begin.
    async fn until_next(&mut self, guest: &mut impl Guest) -> Step {
        let begins = self.iteration.is_none();
        let begun = self.user.begun.load(Ordering::Relaxed);
        if begins && self.turnstile.is_spent(begun) {
            return Step::Finish;
        }
        // What is due does not wait for users that still think.
        if !(begins && self.turnstile.is_open()) {
            match self.pause(guest).await {
                Step::Ok => {}
                step => return step,
            }
        }
        let step = match begins {
            true => self.begin(begun).await,
            false => self.hold_on().await,
        };
        if !matches!(step, Step::Ok) {
            return step;
        }
        let per_task = matches!(self.class.wait_time, WaitTime::Pacing(_));
        match self.class.pacing {
            Some(_) if begins => self.last_start = Some(self.run.elapsed()),
            None if per_task => self.last_start = Some(self.run.elapsed()),
            _ => {}
        }
        Step::Ok
    }

    /// Passes the turnstile into a new iteration.
    async fn begin(&mut self, begun: u64) -> Step {
        let mut late = None;
        if !self.turnstile.is_free(&self.run.clock) {
            let pass = self.turnstile.pass(begun, &self.run.clock);
            match self.unless_stopped(pass).await {
                Some(Some(pass)) => late = pass.late,
                Some(None) => return Step::Finish,
                None => return Step::Stop,
            }
        }
        self.user.begun.store(begun + 1, Ordering::Relaxed);
        self.user.member.begin(late);
        if let Some(late) = late {
            self.run.metrics.late(late);
        }
        self.iteration = Some(Instant::now());
        Step::Ok
    }

    /// Waits for the end of a pause.
    async fn hold_on(&self) -> Step {
        if self.run.clock.is_running() {
            return Step::Ok;
        }
        match self.unless_stopped(self.run.clock.running()).await {
            Some(()) => Step::Ok,
            None => Step::Stop,
        }
    }

    /// One task, or as many as the class has at a time.
    async fn act(&mut self, guest: &mut impl Guest) -> Step {
        let mut tasks = 1;
        let (step, over) = match self.class.execution {
            Execution::Sequential | Execution::Weighted => self.next_task(guest).await,
            Execution::Concurrent(at_a_time) => {
                let step = self.batch(guest, at_a_time, &mut tasks).await;
                (step, true)
            }
            Execution::OwnLoop => {
                tasks = 0;
                let result = guest.run().await;
                (self.settle("run", result), true)
            }
        };
        let complete = matches!(step, Step::Ok | Step::Failed | Step::LeaveSet);
        let began = match over && complete {
            true => self.iteration.take(),
            false => None,
        };
        self.run
            .metrics
            .work(tasks, began.map(|began| began.elapsed()));
        step
    }

    /// The next task of the itinerary, and whether it ends the iteration.
    async fn next_task(&mut self, guest: &mut impl Guest) -> (Step, bool) {
        let at = self.itinerary.next(&mut self.position, &mut self.rng);
        let task = &self.class.tasks[at];
        let result = guest.run_task(task.index).await;
        let step = self.settle(&task.name, result);
        let outcome = match step {
            Step::Failed => Outcome::Failed,
            Step::LeaveSet => Outcome::LeaveSet,
            _ => Outcome::Done,
        };
        let over = self.itinerary.after(&mut self.position, outcome);
        (step, over)
    }

    /// As many tasks as the class has at a time; `done` becomes their number.
    async fn batch(&mut self, guest: &mut impl Guest, at_a_time: usize, done: &mut u64) -> Step {
        let tasks = &self.class.tasks;
        let chosen: Vec<usize> = if self.class.tasks_are_weighted() {
            let weights = self.class.task_weights();
            (0..at_a_time)
                .map(|_| draw(&weights, &mut self.rng))
                .collect()
        } else {
            (0..tasks.len()).collect()
        };
        *done = chosen.len() as u64;
        let calls = chosen.iter().map(|&at| (at, tasks[at].index)).collect();
        let mut worst = Step::Ok;
        for (at, result) in guest.run_tasks(calls, at_a_time).await {
            match self.settle(&tasks[at].name, result) {
                Step::Ok | Step::LeaveSet => {}
                Step::Failed if !matches!(worst, Step::Ok) => {}
                step => worst = step,
            }
        }
        worst
    }

    /// The wait before the next task.
    async fn pause(&mut self, guest: &mut impl Guest) -> Step {
        let since_last = |period: Duration| match self.last_start {
            Some(start) => period.saturating_sub(self.run.elapsed().saturating_sub(start)),
            None => Duration::ZERO,
        };
        let wait = match (self.class.pacing, self.class.wait_time) {
            (Some(period), _) if self.iteration.is_none() => since_last(period),
            (Some(_), _) => Duration::ZERO,
            (None, WaitTime::None) => Duration::ZERO,
            (None, WaitTime::Fixed(wait)) => wait,
            (None, WaitTime::Between(low, high)) => self.rng.random_range(low..=high),
            (None, WaitTime::Pacing(period)) => since_last(period),
            (None, WaitTime::Computed) => match guest.wait_time().await {
                Ok(wait) => wait,
                Err(error) => match self.settle("wait_time", Err(error)) {
                    // aiotest's answer to a wait time that cannot be computed.
                    Step::Failed => Duration::from_secs(1),
                    step => return step,
                },
            },
        };
        if wait.is_zero() {
            // Lets others run even if the tasks never wait.
            tokio::task::consume_budget().await;
        } else if self
            .unless_stopped(self.run.clock.sleep(wait))
            .await
            .is_none()
        {
            return Step::Stop;
        }
        match self.stopping() {
            true => Step::Stop,
            false => Step::Ok,
        }
    }

    /// What comes of it, or nothing if the user must stop before.
    async fn unless_stopped<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.user.member.stop.cancelled() => None,
            value = wait => Some(value),
        }
    }
}
