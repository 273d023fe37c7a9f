//! The dispatcher of a run: one loop that meets ticks, users that leave, the load shape,
//! signals and the scenario's wishes, and turns them into users started and stopped.
//! Shows nothing itself: events go to whoever watches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::config::{Load, RunConfig};
use crate::health::Health;
use crate::load_shape::{total_duration, users_at};
use crate::metrics::{RequestStats, Window};
use crate::scheduler::{Action, Scheduler};
use crate::shape_driver::{self, ShapeDriver};
use crate::wasm::Exit;
use crate::wasm::conductor::{Conductor, Target};
use crate::wasm::plugin::Plugin;
use crate::wasm::run::{LogLine, Run};
use crate::wasm::sandboxes::Sandboxes;

/// How often users are started and stopped.
const TICK: Duration = Duration::from_millis(10);
/// How often progress is reported.
const PROGRESS: Duration = Duration::from_secs(1);

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The run time, the stages or the load shape are over.
    Completed,
    /// Every user had nothing left to do.
    UsersFinished,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The scenario asked for it.
    StoppedByScenario(String),
    /// A hook or the load shape failed for good.
    ScenarioFailed(String),
    /// Nothing answered from the first second on.
    Unreachable(String),
}

impl std::fmt::Display for EndReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EndReason::Completed => f.write_str("completed"),
            EndReason::UsersFinished => f.write_str("all users finished"),
            EndReason::Interrupted => f.write_str("interrupted"),
            EndReason::StoppedByScenario(why) => write!(f, "stopped by the scenario: {why}"),
            EndReason::ScenarioFailed(why) => write!(f, "{why}"),
            EndReason::Unreachable(why) => write!(f, "host unreachable: {why}"),
        }
    }
}

/// What happens during a run, for those who watch.
#[derive(Debug)]
pub enum Event {
    /// About once a second.
    Progress(Progress),
    /// The scenario wrote a line.
    Log(LogLine),
    /// The engine has something to say.
    Notice(String),
}

/// The state of a run.
#[derive(Debug)]
pub struct Progress {
    /// Time since the start.
    pub elapsed: Duration,
    /// Users alive.
    pub users: u64,
    /// Users there shall be.
    pub target: u32,
    /// Requests so far.
    pub requests: u64,
    /// Failures so far.
    pub failures: u64,
    /// The requests since the last report.
    pub window: Window,
    /// How long that is.
    pub span: Duration,
}

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended.
    pub reason: EndReason,
    /// How long it took.
    pub elapsed: Duration,
    /// The engine was short of CPU for much of it.
    pub saturated: bool,
}

/// How long a run takes if nothing ends it earlier, where that is known.
pub fn planned_duration(config: &RunConfig) -> Option<Duration> {
    let stages = match &config.load {
        Load::Stages(stages) => Some(total_duration(stages)),
        Load::Constant { .. } | Load::Shape { .. } => None,
    };
    match (config.run_time, stages) {
        (Some(time), Some(stages)) => Some(time.min(stages)),
        (time, stages) => time.or(stages),
    }
}

/// Runs users until the load is over or something ends it, and returns when the last one
/// has left.
pub async fn run(
    plugin: &Arc<Plugin>,
    run: &Arc<Run>,
    config: &RunConfig,
    log: mpsc::Receiver<LogLine>,
    watch: &mut dyn FnMut(Event),
) -> Outcome {
    let conductor = match shape_driver::prepare(plugin, run).await {
        Ok(conductor) => conductor,
        Err(why) => {
            return Outcome {
                reason: EndReason::ScenarioFailed(why),
                elapsed: run.elapsed(),
                saturated: false,
            };
        }
    };
    Dispatcher::new(plugin, run, config, conductor)
        .dispatch(log, watch)
        .await
}

/// Whether the run goes on.
enum Phase {
    Running,
    /// Users were asked to stop, and are ended at this time.
    Stopping(Instant),
    /// Users are being ended.
    Aborted,
}

struct Dispatcher<'a> {
    run: &'a Arc<Run>,
    config: &'a RunConfig,
    scheduler: Scheduler,
    sandboxes: Sandboxes,
    exits: mpsc::UnboundedReceiver<Exit>,
    shape: Option<ShapeDriver>,
    stops: HashMap<u64, CancellationToken>,
    health: Health,
    phase: Phase,
    reason: Option<EndReason>,
    reported: (Duration, RequestStats),
    answered: bool,
}

impl<'a> Dispatcher<'a> {
    fn new(
        plugin: &Arc<Plugin>,
        run: &'a Arc<Run>,
        config: &'a RunConfig,
        conductor: Option<Conductor>,
    ) -> Self {
        let weights = run.classes.iter().map(|class| class.weight).collect();
        let (sandboxes, exits) =
            Sandboxes::new(plugin.clone(), run.clone(), config.users_per_sandbox);
        let ticks = matches!(config.load, Load::Shape { .. });
        let shape = conductor.map(|c| ShapeDriver::start(c, plugin.clone(), run.clone(), ticks));
        Dispatcher {
            run,
            config,
            scheduler: Scheduler::new(weights),
            sandboxes,
            exits,
            shape,
            stops: HashMap::new(),
            health: Health::start(),
            phase: Phase::Running,
            reason: None,
            reported: (Duration::ZERO, RequestStats::default()),
            answered: false,
        }
    }

    async fn dispatch(
        mut self,
        mut log: mpsc::Receiver<LogLine>,
        watch: &mut dyn FnMut(Event),
    ) -> Outcome {
        let mut tick = interval(TICK);
        let mut progress = interval(PROGRESS);
        progress.tick().await;
        let mut signals = Signals::new();
        loop {
            tokio::select! {
                scheduled = tick.tick() => {
                    self.run.metrics.lag(scheduled.elapsed());
                    self.tick(watch);
                }
                Some(exit) = self.exits.recv() => self.left(exit),
                Some(step) = next_step(&mut self.shape) => self.shaped(step, watch),
                Some(line) = log.recv() => watch(Event::Log(line)),
                _ = progress.tick() => self.report(watch),
                () = signals.next() => self.interrupted(watch),
                why = self.run.stop_requested(), if matches!(self.phase, Phase::Running) => {
                    self.stop(EndReason::StoppedByScenario(why));
                }
            }
            if !matches!(self.phase, Phase::Running) && self.run.gauges.live() == 0 {
                break;
            }
        }
        let outcome = self.finish(watch).await;
        while let Ok(line) = log.try_recv() {
            watch(Event::Log(line));
        }
        outcome
    }

    async fn finish(self, watch: &mut dyn FnMut(Event)) -> Outcome {
        let elapsed = self.run.elapsed();
        self.sandboxes.finish().await;
        let mut reason = self.reason.unwrap_or(EndReason::Completed);
        if let Some(shape) = self.shape
            && let Err(why) = shape.finish(self.config.stop_timeout).await
        {
            watch(Event::Notice(why.clone()));
            // What ended the run in trouble outweighs what came after it.
            if matches!(
                reason,
                EndReason::Completed | EndReason::UsersFinished | EndReason::StoppedByScenario(_)
            ) {
                reason = EndReason::ScenarioFailed(why);
            }
        }
        Outcome {
            reason,
            elapsed,
            saturated: self.health.was_saturated(),
        }
    }

    /// Starts and stops users as the load wants it now.
    fn tick(&mut self, watch: &mut dyn FnMut(Event)) {
        match self.phase {
            Phase::Running => self.follow_load(),
            Phase::Stopping(deadline) if Instant::now() >= deadline => {
                let left = self.run.gauges.live();
                watch(Event::Notice(format!(
                    "{left} {} did not stop within {:?} and were ended",
                    if left == 1 { "user" } else { "users" },
                    self.config.stop_timeout
                )));
                self.abort();
            }
            Phase::Stopping(_) | Phase::Aborted => {}
        }
        for action in self.scheduler.tick(self.run.elapsed()) {
            match action {
                Action::Start { id, class } => {
                    self.stops.insert(id, self.sandboxes.start(id, class));
                }
                Action::Stop { id, .. } => {
                    if let Some(stop) = self.stops.get(&id) {
                        stop.cancel();
                    }
                }
            }
        }
        self.run
            .set_live_users(u32::try_from(self.run.gauges.live()).unwrap_or(u32::MAX));
    }

    fn follow_load(&mut self) {
        let elapsed = self.run.elapsed();
        if self.config.run_time.is_some_and(|time| elapsed >= time) {
            return self.stop(EndReason::Completed);
        }
        match &self.config.load {
            Load::Constant { users } => self.set_target(*users, self.config.spawn_rate),
            Load::Stages(stages) => match users_at(stages, elapsed) {
                Some(users) => self.set_target(users, self.config.spawn_rate),
                None => return self.stop(EndReason::Completed),
            },
            Load::Shape { .. } => {}
        }
        if self.scheduler.all_finished() && self.run.gauges.live() == 0 {
            self.stop(EndReason::UsersFinished);
        }
    }

    fn set_target(&mut self, users: u32, rate: f64) {
        self.scheduler.set_target(users, rate);
        self.run.gauges.set_target(u64::from(users));
    }

    fn shaped(&mut self, step: shape_driver::Step, watch: &mut dyn FnMut(Event)) {
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        match step {
            shape_driver::Step::Target(Target { users, spawn_rate }) => {
                let max = self.config.load.peak_users();
                if users > max {
                    watch(Event::Notice(format!(
                        "the load shape wants {users} users; limited to {max} (--max-users)"
                    )));
                }
                self.set_target(users.min(max), spawn_rate);
            }
            shape_driver::Step::End => self.stop(EndReason::Completed),
            shape_driver::Step::Failed(why) => {
                watch(Event::Notice(format!("load shape: {why}")));
            }
            shape_driver::Step::GaveUp(why) => {
                self.stop(EndReason::ScenarioFailed(format!(
                    "the load shape keeps failing: {why}"
                )));
            }
        }
    }

    fn left(&mut self, exit: Exit) {
        self.stops.remove(&exit.id);
        self.scheduler.exited(exit.id, exit.class, exit.finished);
    }

    fn interrupted(&mut self, watch: &mut dyn FnMut(Event)) {
        match self.phase {
            Phase::Running => {
                watch(Event::Notice(format!(
                    "stopping gracefully, for {:?} at most; once more ends everything now",
                    self.config.stop_timeout
                )));
                self.stop(EndReason::Interrupted);
            }
            Phase::Stopping(_) => {
                self.reason = Some(EndReason::Interrupted);
                self.abort();
            }
            Phase::Aborted => {}
        }
    }

    /// Asks all users to stop.
    fn stop(&mut self, reason: EndReason) {
        self.reason.get_or_insert(reason);
        self.set_target(0, f64::INFINITY);
        for stop in self.stops.values() {
            stop.cancel();
        }
        self.phase = Phase::Stopping(Instant::now() + self.config.stop_timeout);
    }

    fn abort(&mut self) {
        self.phase = Phase::Aborted;
        self.sandboxes.abort();
    }

    fn report(&mut self, watch: &mut dyn FnMut(Event)) {
        self.health.sample();
        let elapsed = self.run.elapsed();
        let total = self.run.metrics.total();
        watch(Event::Progress(Progress {
            elapsed,
            users: self.run.gauges.live(),
            target: self.scheduler.target(),
            requests: total.count(),
            failures: total.failures,
            window: total.since(&self.reported.1),
            span: elapsed.saturating_sub(self.reported.0),
        }));
        self.reported = (elapsed, total);
        if !self.answered && matches!(self.phase, Phase::Running) {
            self.look_for_answers();
        }
    }

    /// Ends a run in which every request so far failed to reach its host.
    fn look_for_answers(&mut self) {
        const NO_CONNECTION: [&str; 5] = [
            "dns",
            "connect-refused",
            "connect-timeout",
            "connect",
            "tls",
        ];
        let snapshot = self.run.metrics.snapshot();
        if snapshot.total.count() == 0 {
            return;
        }
        let unreached = |kind: &str| NO_CONNECTION.contains(&kind);
        let failed: u64 = snapshot
            .errors
            .iter()
            .filter(|(key, _)| unreached(&key.kind))
            .map(|(_, count)| *count)
            .sum();
        self.answered = failed < snapshot.total.count();
        if !self.answered {
            let most = snapshot.errors.iter().max_by_key(|(_, count)| **count);
            let why = most.map_or_else(String::new, |(key, _)| key.message.clone());
            self.stop(EndReason::Unreachable(why));
        }
    }
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The load shape's next word; never, without one.
async fn next_step(shape: &mut Option<ShapeDriver>) -> Option<shape_driver::Step> {
    match shape {
        Some(shape) => shape.next().await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    terminate: Option<tokio::signal::unix::Signal>,
    interrupt: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // Without a handler the signal ends the process, as it would without us.
        Signals {
            terminate: signal(SignalKind::terminate()).ok(),
            interrupt: signal(SignalKind::interrupt()).ok(),
        }
    }

    async fn next(&mut self) {
        async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => {
                    if signal.recv().await.is_none() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = received(&mut self.terminate) => {}
            () = received(&mut self.interrupt) => {}
        }
    }
}
