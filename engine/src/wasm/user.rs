//! One user's life: `on_start`, then tasks and waits in the order of its class, then
//! `on_stop`. Knows the policy of a life, not how calls reach the sandbox.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::bindings::types::Failure;
use super::run::Run;
use super::trap::Trap;
use crate::metrics::users::{CountedUser, State};
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
    fn run_task(&mut self, index: usize) -> impl Future<Output = CallResult> + Send;
    /// Runs tasks, so many at a time; the results come in any order.
    fn run_tasks(
        &mut self,
        indices: Vec<usize>,
        at_a_time: usize,
    ) -> impl Future<Output = Vec<(usize, CallResult)>> + Send;
    fn run(&mut self) -> impl Future<Output = CallResult> + Send;
    fn wait_time(&mut self) -> impl Future<Output = CallResult<Duration>> + Send;
    fn on_stop(&mut self) -> impl Future<Output = CallResult> + Send;
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
    Trapped(Trap),
}

/// What a user is, outside its sandbox.
#[derive(Clone)]
pub(super) struct User {
    pub(super) id: u64,
    /// Index among the classes of the run.
    pub(super) class: usize,
    pub(super) stop: CancellationToken,
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
        class,
        rng: SmallRng::from_os_rng(),
        last_start: None,
    };
    let end = match life.settle("on_start", guest.on_start().await) {
        Step::Ok => {
            counted.lock().move_to(State::Running);
            life.work(guest).await
        }
        step => step.end(),
    };
    if matches!(end, End::Trapped(_)) {
        return end;
    }
    counted.lock().move_to(State::Stopping);
    match life.settle("on_stop", guest.on_stop().await) {
        Step::Trap(trap) => End::Trapped(trap),
        _ => end,
    }
}

struct Life<'a> {
    user: &'a User,
    run: &'a Arc<Run>,
    class: &'a UserClass,
    rng: SmallRng,
    last_start: Option<Instant>,
}

/// What a call's result means for the life.
enum Step {
    Ok,
    Failed,
    Stop,
    Finish,
    Trap(Trap),
}

impl Step {
    fn end(self) -> End {
        match self {
            Step::Ok | Step::Stop => End::Stopped,
            Step::Failed => End::Failed,
            Step::Finish => End::Finished,
            Step::Trap(trap) => End::Trapped(trap),
        }
    }
}

impl Life<'_> {
    /// Counts a call's failure.
    fn settle(&self, call: &str, result: CallResult) -> Step {
        match result {
            Ok(()) => Step::Ok,
            Err(CallError::Trap(trap)) => {
                self.run
                    .metrics
                    .task_error(&self.class.name, call, &trap.message);
                Step::Trap(trap)
            }
            Err(CallError::Failure(Failure::Failed(message))) => {
                self.run
                    .metrics
                    .task_error(&self.class.name, call, &message);
                Step::Failed
            }
            Err(CallError::Failure(Failure::Stopping)) => {
                if self.stopping() {
                    Step::Stop
                } else {
                    Step::Ok
                }
            }
            Err(CallError::Failure(Failure::StopUser)) => Step::Finish,
            Err(CallError::Failure(Failure::StopTest(reason))) => {
                self.run.request_stop(reason);
                Step::Ok
            }
        }
    }

    fn stopping(&self) -> bool {
        self.user.stop.is_cancelled()
    }

    /// Waits and tasks until the user must stop or has nothing left to do.
    async fn work(&mut self, guest: &mut impl Guest) -> End {
        let mut next = 0;
        loop {
            match self.pause(guest).await {
                Step::Ok => {}
                step => return step.end(),
            }
            self.last_start = Some(Instant::now());
            let step = match self.class.execution {
                Execution::Sequential => {
                    let step = self.task(guest, next).await;
                    let pass_goes_on =
                        matches!(step, Step::Ok) && next + 1 < self.class.tasks.len();
                    next = if pass_goes_on { next + 1 } else { 0 };
                    step
                }
                Execution::Weighted => {
                    let index = self.class.pick_task(&mut self.rng);
                    self.task(guest, index).await
                }
                Execution::Concurrent(at_a_time) => self.batch(guest, at_a_time).await,
                Execution::OwnLoop => {
                    let result = guest.run().await;
                    self.settle("run", result)
                }
            };
            match step {
                Step::Ok | Step::Failed if !self.stopping() => {}
                Step::Ok | Step::Failed => return End::Stopped,
                step => return step.end(),
            }
        }
    }

    async fn task(&mut self, guest: &mut impl Guest, index: usize) -> Step {
        let result = guest.run_task(index).await;
        self.run.metrics.task_run();
        self.settle(&self.class.tasks[index].name, result)
    }

    async fn batch(&mut self, guest: &mut impl Guest, at_a_time: usize) -> Step {
        let count = self.class.tasks.len();
        let indices = if self.class.tasks_are_weighted() {
            (0..at_a_time)
                .map(|_| self.class.pick_task(&mut self.rng))
                .collect()
        } else {
            (0..count).collect()
        };
        let mut worst = Step::Ok;
        for (index, result) in guest.run_tasks(indices, at_a_time).await {
            self.run.metrics.task_run();
            match self.settle(&self.class.tasks[index].name, result) {
                Step::Ok => {}
                Step::Failed if !matches!(worst, Step::Ok) => {}
                step => worst = step,
            }
        }
        worst
    }

    /// The wait before the next task.
    async fn pause(&mut self, guest: &mut impl Guest) -> Step {
        if self.stopping() {
            return Step::Stop;
        }
        let wait = match self.class.wait_time {
            WaitTime::None => return self.breathe().await,
            WaitTime::Fixed(wait) => wait,
            WaitTime::Between(low, high) => self.rng.random_range(low..=high),
            WaitTime::Pacing(period) => match self.last_start {
                Some(start) => period.saturating_sub(start.elapsed()),
                None => Duration::ZERO,
            },
            WaitTime::Computed => match guest.wait_time().await {
                Ok(wait) => wait,
                Err(error) => match self.settle("wait_time", Err(error)) {
                    // aiotest's answer to a wait time that cannot be computed.
                    Step::Failed => Duration::from_secs(1),
                    step => return step,
                },
            },
        };
        if wait.is_zero() {
            return self.breathe().await;
        }
        tokio::select! {
            biased;
            () = self.user.stop.cancelled() => Step::Stop,
            () = tokio::time::sleep(wait) => Step::Ok,
        }
    }

    /// Lets others run even if the tasks never wait.
    async fn breathe(&self) -> Step {
        tokio::task::consume_budget().await;
        Step::Ok
    }
}
