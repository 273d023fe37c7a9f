//! Drives the conductor's sandbox beside the run: its hooks, and the load shape's tick
//! once a second. A slow or failing scenario never holds up the runner.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::wasm::conductor::{Conductor, Target};
use crate::wasm::plugin::Plugin;
use crate::wasm::run::Run;

/// How often the load shape is asked.
const TICK: Duration = Duration::from_secs(1);
/// Failed ticks in a row after which the run ends; aiotest's number.
const MAX_FAILURES: u32 = 4;

/// What the load shape said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Target(Target),
    End,
    /// One tick failed; the target stays.
    Failed(String),
    /// Too many ticks failed in a row.
    GaveUp(String),
}

/// Instantiates the conductor and runs the hook before the first user.
pub(crate) async fn prepare(
    plugin: &Arc<Plugin>,
    run: &Arc<Run>,
) -> Result<Option<Conductor>, String> {
    let Some(mut conductor) = Conductor::new(plugin, run).await? else {
        return Ok(None);
    };
    match conductor.on_test_start().await {
        Ok(()) => Ok(Some(conductor)),
        Err(why) => {
            run.metrics.task_error("hooks", "on_test_start", &why);
            Err(format!("on_test_start failed: {why}"))
        }
    }
}

/// The conductor at work.
pub(crate) struct ShapeDriver {
    steps: mpsc::Receiver<Step>,
    over: CancellationToken,
    task: JoinHandle<Result<(), String>>,
    run: Arc<Run>,
}

impl ShapeDriver {
    /// Begins to tick, if the run follows the load shape.
    pub(crate) fn start(
        conductor: Conductor,
        plugin: Arc<Plugin>,
        run: Arc<Run>,
        ticks: bool,
    ) -> Self {
        let (sender, steps) = mpsc::channel(1);
        let over = CancellationToken::new();
        let work = Work {
            conductor,
            plugin,
            run: run.clone(),
            steps: sender,
        };
        let task = tokio::spawn(work.until(over.clone(), ticks));
        ShapeDriver {
            steps,
            over,
            task,
            run,
        }
    }

    /// The next word of the load shape.
    pub(crate) async fn next(&mut self) -> Option<Step> {
        match self.steps.recv().await {
            Some(step) => Some(step),
            None => std::future::pending().await,
        }
    }

    /// Runs the hook after the last user, within a limit.
    pub(crate) async fn finish(mut self, limit: Duration) -> Result<(), String> {
        self.over.cancel();
        self.steps.close();
        let result = match tokio::time::timeout(limit, &mut self.task).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => {
                self.task.abort();
                Err(format!("it did not end within {limit:?}"))
            }
        };
        result.map_err(|why| {
            self.run.metrics.task_error("hooks", "on_test_stop", &why);
            format!("on_test_stop failed: {why}")
        })
    }
}

struct Work {
    conductor: Conductor,
    plugin: Arc<Plugin>,
    run: Arc<Run>,
    steps: mpsc::Sender<Step>,
}

impl Work {
    async fn until(mut self, over: CancellationToken, ticks: bool) -> Result<(), String> {
        if ticks {
            tokio::select! {
                () = over.cancelled() => {}
                () = self.tick() => {}
            }
        }
        over.cancelled().await;
        self.conductor.on_test_stop().await
    }

    /// Ticks until the load shape ends the run or fails for good.
    async fn tick(&mut self) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = 0;
        loop {
            interval.tick().await;
            let step = match self.conductor.tick(self.run.elapsed()).await {
                Ok(Some(target)) => {
                    failures = 0;
                    Step::Target(target)
                }
                Ok(None) => Step::End,
                Err(why) => {
                    failures += 1;
                    self.run.metrics.task_error("load shape", "tick", &why);
                    self.revive().await;
                    if failures < MAX_FAILURES {
                        Step::Failed(why)
                    } else {
                        Step::GaveUp(why)
                    }
                }
            };
            let last = matches!(step, Step::End | Step::GaveUp(_));
            if self.steps.send(step).await.is_err() || last {
                return;
            }
        }
    }

    /// A new sandbox, in case the failure was a trap; the old one if that fails too.
    async fn revive(&mut self) {
        if let Ok(Some(conductor)) = Conductor::new(&self.plugin, &self.run).await {
            self.conductor = conductor;
        }
    }
}
