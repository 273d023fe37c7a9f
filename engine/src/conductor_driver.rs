//! Drives the conductor's sandbox beside the run: its hooks, the load shape's tick once a
//! second, and the events it observes. A slow or failing scenario never holds up the
//! runner.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::clock::interval;
use crate::wasm::conductor::{Conductor, Events, Target};
use crate::wasm::plugin::Plugin;
use crate::wasm::run::Run;

/// How often the load shape is asked.
const TICK: Duration = Duration::from_secs(1);
/// How often the observer is told of events.
const TELL: Duration = Duration::from_millis(250);
/// Events told at a time, so that the sandbox's memory holds them.
const BATCH: usize = 500;
/// How long the last events and the hook after the last user may take together.
const LAST_WORDS: Duration = Duration::from_secs(60);
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

/// A conductor that is ready for the run, and what it observes.
pub(crate) struct Prepared {
    conductor: Conductor,
    events: Option<Events>,
}

/// Instantiates the conductor, asks what it observes, and runs the hook before the first
/// user.
pub(crate) async fn prepare(
    plugin: &Arc<Plugin>,
    run: &Arc<Run>,
) -> Result<Option<Prepared>, String> {
    let Some(mut conductor) = Conductor::new(plugin, run).await? else {
        return Ok(None);
    };
    let events = conductor.subscribe(run).await.map_err(|why| {
        run.metrics.task_error("events", "kinds", &why);
        format!("the events it observes: {why}")
    })?;
    match conductor.on_test_start().await {
        Ok(()) => Ok(Some(Prepared { conductor, events })),
        Err(why) => {
            run.metrics.task_error("hooks", "on_test_start", &why);
            Err(format!("on_test_start failed: {why}"))
        }
    }
}

/// The conductor at work.
pub(crate) struct ConductorDriver {
    steps: mpsc::Receiver<Step>,
    over: CancellationToken,
    task: AbortOnDropHandle<Result<(), String>>,
    run: Arc<Run>,
}

impl ConductorDriver {
    /// Begins to tell events, and to tick if the run follows the load shape.
    pub(crate) fn start(
        prepared: Prepared,
        plugin: Arc<Plugin>,
        run: Arc<Run>,
        ticks: bool,
    ) -> Self {
        let (sender, steps) = mpsc::channel(1);
        let over = CancellationToken::new();
        let work = Work {
            conductor: prepared.conductor,
            plugin,
            run: run.clone(),
            steps: sender,
            ticks,
            failures: 0,
        };
        let work = tokio::spawn(work.until(over.clone(), prepared.events));
        let task = AbortOnDropHandle::new(work);
        ConductorDriver {
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

    /// Tells the last events and runs the hook after the last user, within a limit.
    pub(crate) async fn finish(mut self) -> Result<(), String> {
        self.over.cancel();
        self.steps.close();
        let result = match tokio::time::timeout(LAST_WORDS, &mut self.task).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it did not end within {LAST_WORDS:?}")),
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
    /// Whether the load shape is (still) asked.
    ticks: bool,
    failures: u32,
}

impl Work {
    async fn until(
        mut self,
        over: CancellationToken,
        mut events: Option<Events>,
    ) -> Result<(), String> {
        let (mut tick, mut tell) = (interval(TICK), interval(TELL));
        loop {
            // Nothing is cancelled in the middle of a call into the sandbox.
            tokio::select! {
                biased;
                () = over.cancelled() => break,
                _ = tick.tick(), if self.ticks => {
                    let Some(step) = self.tick(&over).await else { break };
                    self.ticks = !matches!(step, Step::End | Step::GaveUp(_));
                    // Nobody listens once the run is over.
                    let _ = self.steps.send(step).await;
                }
                _ = tell.tick(), if events.is_some() => {
                    if self.tell(&mut events).await {
                        // There is more; but the load shape comes first.
                        tell.reset_immediately();
                    }
                }
            }
        }
        while self.tell(&mut events).await {}
        self.conductor.on_test_stop().await
    }

    /// Asks the load shape, unless the run is over before its clock goes on.
    async fn tick(&mut self, over: &CancellationToken) -> Option<Step> {
        tokio::select! {
            biased;
            () = over.cancelled() => return None,
            () = self.run.clock().running() => {}
        }
        Some(match self.conductor.tick(self.run.elapsed()).await {
            Ok(Some(target)) => {
                self.failures = 0;
                Step::Target(target)
            }
            Ok(None) => Step::End,
            Err(why) => {
                self.failures += 1;
                self.run.metrics.task_error("load shape", "tick", &why);
                self.revive().await;
                match self.failures < MAX_FAILURES {
                    true => Step::Failed(why),
                    false => Step::GaveUp(why),
                }
            }
        })
    }

    /// Tells what happened since the last time, or the first part of it. Whether there is
    /// more to tell.
    async fn tell(&mut self, events: &mut Option<Events>) -> bool {
        let Some(events) = events else { return false };
        let batch = events.take(BATCH);
        if batch.is_empty() {
            return false;
        }
        if let Err(why) = self.conductor.observe(batch).await {
            self.run.metrics.task_error("events", "observe", &why);
            self.revive().await;
        }
        !events.is_empty()
    }

    /// A new sandbox, in case the failure was a trap; the old one if that fails too.
    async fn revive(&mut self) {
        if let Ok(Some(conductor)) = Conductor::new(&self.plugin, &self.run).await {
            self.conductor = conductor;
        }
    }
}
