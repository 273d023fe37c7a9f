//! The dispatcher of a run: one loop that meets ticks, users that leave, the load shape,
//! orders, signals and the scenario's wishes, and turns them into users started and
//! stopped. Shows nothing itself: events go to whoever watches.

mod crew;
mod events;
mod rest;
mod signals;
mod verdicts;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crew::Crew;
pub use events::{EndReason, Event, Outcome};
pub use rest::Rest;
use signals::Signals;
use verdicts::{Answers, Jury};

use crate::clock::interval;
use crate::conductor_driver::{self, ConductorDriver, Prepared};
use crate::config::RunConfig;
use crate::lifecycle::{self, Illegal, State};
use crate::metrics::Snapshot;
use crate::monitor::{Moment, Monitor};
use crate::packing::Packing;
use crate::plan::{Over, PlanRun};
use crate::steering::{Change, Order, Refused, Request, Status, Wheel};
use crate::threshold::{Threshold, Verdict};
use crate::wasm::Exit;
use crate::wasm::conductor::Target;
use crate::wasm::plugin::Plugin;
use crate::wasm::run::{LogLine, Run};
use crate::wasm::sandboxes::Sandboxes;

/// How often users are started and stopped.
const TICK: Duration = Duration::from_millis(10);
/// How often the run is looked at and thresholds are judged.
const LOOK: Duration = Duration::from_secs(1);
/// How long users that an arrival rate needs beforehand may take to get ready.
const PREPARATION: Duration = Duration::from_secs(60);

/// How long a run takes if nothing ends it earlier, where that is known.
pub fn planned_duration(config: &RunConfig) -> Option<Duration> {
    let mut longest = Duration::ZERO;
    for plan in &config.plans {
        let duration = match (plan.run_time, plan.load.duration()) {
            (Some(time), Some(curve)) => time.min(curve),
            (time, curve) => time.or(curve)?,
        };
        longest = longest.max(plan.start.saturating_add(duration));
    }
    Some(longest)
}

/// What a run goes by.
pub struct Parts {
    /// The component.
    pub plugin: Arc<Plugin>,
    /// What its sandboxes share.
    pub run: Arc<Run>,
    /// How its users share sandboxes.
    pub packing: Packing,
    /// Its plans; see [`crate::plan::assign`].
    pub(crate) plans: Vec<PlanRun>,
    /// Conditions on the results.
    pub thresholds: Vec<Threshold>,
    /// Where their verdicts are shown while the run is under way.
    pub board: Arc<Mutex<Vec<Verdict>>>,
    /// Where orders come from.
    pub wheel: Wheel,
    /// What looks at the run.
    pub monitor: Arc<Monitor>,
}

/// Runs users until the load is over or something ends it, and returns when the last one
/// has left. Orders may still come, for [`Rest::linger`].
pub async fn run(
    parts: Parts,
    config: &RunConfig,
    mut log: mpsc::Receiver<LogLine>,
    watch: &mut dyn FnMut(Event),
) -> (Outcome, Rest) {
    let mut dispatcher = Dispatcher::new(parts, config);
    dispatcher.look();
    if config.paused {
        watch(Event::Notice(
            "ready; waiting for the order to start".into(),
        ));
        dispatcher.wait_for_start(&mut log, watch).await;
    }
    if dispatcher.state == State::Ready {
        dispatcher.step(lifecycle::Step::Start);
    }
    if dispatcher.state == State::Starting {
        dispatcher.prepare(&mut log, watch).await;
    }
    dispatcher.dispatch(&mut log, watch).await;
    dispatcher.finish(&mut log, watch).await
}

struct Dispatcher<'a> {
    plugin: Arc<Plugin>,
    run: Arc<Run>,
    config: &'a RunConfig,
    plans: Vec<PlanRun>,
    crew: Crew,
    next_id: u64,
    /// The conductor, until the load begins.
    prepared: Option<Prepared>,
    conductor: Option<ConductorDriver>,
    arrivals: JoinSet<()>,
    wheel: Wheel,
    signals: Signals,
    monitor: Arc<Monitor>,
    state: State,
    prepared_by: Instant,
    reason: Option<EndReason>,
    jury: Jury,
    answers: Answers,
    crossed: Option<usize>,
    users_ended: u64,
    quit: bool,
}

impl<'a> Dispatcher<'a> {
    fn new(parts: Parts, config: &'a RunConfig) -> Self {
        let plugin = parts.plugin;
        let sandboxes = Sandboxes::new(plugin.clone(), parts.run.clone(), parts.packing);
        Dispatcher {
            plugin,
            run: parts.run,
            config,
            plans: parts.plans,
            crew: Crew::new(sandboxes, config.stop_timeout),
            next_id: 1,
            prepared: None,
            conductor: None,
            arrivals: JoinSet::new(),
            wheel: parts.wheel,
            signals: Signals::new(),
            monitor: parts.monitor,
            state: State::Ready,
            prepared_by: Instant::now() + PREPARATION,
            reason: None,
            jury: Jury {
                thresholds: parts.thresholds,
                board: parts.board,
            },
            answers: Answers::default(),
            crossed: None,
            users_ended: 0,
            quit: false,
        }
    }

    /// Waits in state `Ready`.
    async fn wait_for_start(
        &mut self,
        log: &mut mpsc::Receiver<LogLine>,
        watch: &mut dyn FnMut(Event),
    ) {
        while self.state == State::Ready {
            tokio::select! {
                Some(request) = self.wheel.orders.recv() => self.obey(request),
                Some(line) = log.recv() => watch(Event::Log(line)),
                () = self.signals.next() => self.stop(EndReason::Interrupted),
            }
        }
    }

    /// Runs the hooks, and begins to start the users that are needed beforehand.
    async fn prepare(&mut self, log: &mut mpsc::Receiver<LogLine>, watch: &mut dyn FnMut(Event)) {
        self.look();
        let (plugin, run) = (self.plugin.clone(), self.run.clone());
        let preparation = conductor_driver::prepare(&plugin, &run);
        tokio::pin!(preparation);
        let prepared = loop {
            tokio::select! {
                prepared = &mut preparation => break prepared,
                Some(request) = self.wheel.orders.recv() => self.obey(request),
                Some(line) = log.recv() => watch(Event::Log(line)),
                () = self.signals.next() => self.stop(EndReason::Interrupted),
            }
            if self.state != State::Starting {
                return;
            }
        };
        match prepared {
            Ok(conductor) => {
                self.prepared = conductor;
                self.prepared_by = Instant::now() + PREPARATION;
                self.start_beforehand();
            }
            Err(why) => self.stop(EndReason::ScenarioFailed(why)),
        }
    }

    fn start_beforehand(&mut self) {
        let left = self.prepared_by.saturating_duration_since(Instant::now());
        let since = PREPARATION.saturating_sub(left);
        for plan in 0..self.plans.len() {
            let actions = self.plans[plan].prepare(since, &mut self.next_id);
            self.crew.carry_out(plan, actions);
        }
    }

    /// The load begins.
    fn begin(&mut self) {
        self.step(lifecycle::Step::Begin);
        self.run.clock().start();
        for source in self.plans.iter().filter_map(PlanRun::source) {
            let (source, run) = (source.clone(), self.run.clone());
            self.arrivals
                .spawn(async move { source.drive(run.clock()).await });
        }
        self.conduct(self.plans.iter().any(PlanRun::follows_shape));
        self.publish();
        self.follow_plans(Duration::ZERO);
    }

    /// Lets the conductor work.
    fn conduct(&mut self, ticks: bool) {
        if let Some(prepared) = self.prepared.take() {
            let (plugin, run) = (self.plugin.clone(), self.run.clone());
            self.conductor = Some(ConductorDriver::start(prepared, plugin, run, ticks));
        }
    }

    async fn dispatch(&mut self, log: &mut mpsc::Receiver<LogLine>, watch: &mut dyn FnMut(Event)) {
        let mut tick = interval(TICK);
        let mut look = interval(LOOK);
        look.tick().await;
        let run = self.run.clone();
        while !(self.state == State::Stopping && self.crew.is_empty()) {
            let live = self.state != State::Stopping;
            tokio::select! {
                scheduled = tick.tick() => {
                    run.metrics.lag(scheduled.elapsed());
                    self.tick(watch);
                }
                Some(exit) = self.crew.next_exit() => self.left(exit),
                Some(step) = next_step(&mut self.conductor) => self.shaped(step, watch),
                Some(request) = self.wheel.orders.recv() => self.obey(request),
                Some(line) = log.recv() => watch(Event::Log(line)),
                _ = look.tick() => self.look(),
                () = self.signals.next() => self.interrupted(watch),
                why = run.stop_requested(), if live => {
                    self.stop(EndReason::StoppedByScenario(why));
                }
                () = run.client.requests_spent(), if live => self.stop(EndReason::RequestsSpent),
            }
        }
    }

    async fn finish(
        mut self,
        log: &mut mpsc::Receiver<LogLine>,
        watch: &mut dyn FnMut(Event),
    ) -> (Outcome, Rest) {
        let elapsed = self.run.elapsed();
        let paused = self.run.clock().paused();
        // The hook after the last user is due even if the load never began.
        self.conduct(false);
        self.crew.close().await;
        let conducted = match self.conductor.take() {
            Some(conductor) => self.finish_conductor(conductor, log, watch).await,
            None => Ok(()),
        };
        let mut reason = self.reason.unwrap_or(EndReason::Completed);
        if let Err(why) = conducted {
            watch(Event::Notice(why.clone()));
            // What ended the run in trouble outweighs what came after it.
            if reason.is_regular() {
                reason = EndReason::ScenarioFailed(why);
            }
        }
        self.state = self
            .state
            .after(lifecycle::Step::Finish)
            .unwrap_or(self.state);
        self.wheel.status.send_modify(|status| {
            status.state = self.state;
            status.users = 0;
        });
        let outcome = Outcome {
            reason,
            elapsed,
            paused,
            began: self.run.clock().began(),
            users_ended: self.users_ended,
            crossed: self.crossed,
            quit: self.quit,
        };
        while let Ok(line) = log.try_recv() {
            watch(Event::Log(line));
        }
        let rest = Rest {
            wheel: self.wheel,
            signals: self.signals,
        };
        (outcome, rest)
    }

    /// Runs the hook after the last user. Orders are answered meanwhile, and another signal
    /// ends the hook.
    async fn finish_conductor(
        &mut self,
        conductor: ConductorDriver,
        log: &mut mpsc::Receiver<LogLine>,
        watch: &mut dyn FnMut(Event),
    ) -> Result<(), String> {
        let end = conductor.finish();
        tokio::pin!(end);
        loop {
            tokio::select! {
                result = &mut end => return result,
                Some(line) = log.recv() => watch(Event::Log(line)),
                Some(request) = self.wheel.orders.recv() => self.obey(request),
                () = self.signals.next() => {
                    self.reason = Some(EndReason::Interrupted);
                    return Ok(());
                }
            }
        }
    }

    /// Starts and stops users as the plans want it now.
    fn tick(&mut self, watch: &mut dyn FnMut(Event)) {
        self.end_late_users(watch);
        let now = self.run.elapsed();
        match self.state {
            State::Starting => self.look_whether_ready(),
            State::Running => self.follow_plans(now),
            _ => {}
        }
        let target = self.plans.iter().map(PlanRun::target).map(u64::from).sum();
        self.run.gauges.set_target(target);
        self.run
            .set_live_users(u32::try_from(self.run.gauges.live()).unwrap_or(u32::MAX));
    }

    /// The load begins when no user is getting ready any more.
    fn look_whether_ready(&mut self) {
        let users = self.run.gauges.snapshot();
        let starting: u64 = users.classes.iter().map(|class| class.starting).sum();
        let wanted: u32 = self.plans.iter().map(PlanRun::beforehand).sum();
        let started = users.started >= u64::from(wanted);
        if (started && starting == 0) || Instant::now() >= self.prepared_by {
            self.begin();
        } else {
            self.start_beforehand();
        }
    }

    fn follow_plans(&mut self, now: Duration) {
        let gauges = self.run.gauges.clone();
        let starting = |class| gauges.starting(class);
        let mut last = None;
        for plan in 0..self.plans.len() {
            if let Some(over) = self.plans[plan].over(now) {
                self.stop_plan(plan, Instant::now());
                last = Some(over);
            }
            let actions = self.plans[plan].tick(now, starting, &mut self.next_id);
            self.crew.carry_out(plan, actions);
            let dropped = self.plans[plan].take_dropped();
            self.count_dropped(dropped);
        }
        if self.plans.iter().all(PlanRun::is_over) {
            self.stop(match last {
                Some(Over::Finished) => EndReason::UsersFinished,
                _ => EndReason::Completed,
            });
        }
    }

    fn count_dropped(&mut self, iterations: u64) {
        if iterations > 0 {
            self.run.metrics.dropped_iterations(iterations);
        }
    }

    fn shaped(&mut self, step: conductor_driver::Step, watch: &mut dyn FnMut(Event)) {
        let follower = self.plans.iter().position(PlanRun::follows_shape);
        let (Some(plan), State::Starting | State::Running | State::Paused) = (follower, self.state)
        else {
            return;
        };
        match step {
            conductor_driver::Step::Target(Target { users, spawn_rate }) => {
                let granted = self.plans[plan].shaped(users, spawn_rate);
                if granted < users {
                    watch(Event::Notice(format!(
                        "the load shape wants {users} users; limited to {granted} (--max-users)"
                    )));
                }
            }
            conductor_driver::Step::End => self.stop_plan(plan, Instant::now()),
            conductor_driver::Step::Failed(why) => {
                watch(Event::Notice(format!("load shape: {why}")));
            }
            conductor_driver::Step::GaveUp(why) => {
                self.stop(EndReason::ScenarioFailed(format!(
                    "the load shape keeps failing: {why}"
                )));
            }
        }
    }

    fn left(&mut self, exit: Exit) {
        if let Some(plan) = self.plans.iter_mut().find(|plan| plan.has(exit.class)) {
            plan.exited(exit.id, exit.class, exit.finished);
        }
    }

    fn interrupted(&mut self, watch: &mut dyn FnMut(Event)) {
        if self.state != State::Stopping {
            watch(Event::Notice(format!(
                "stopping gracefully, for {:?} at most; once more ends everything now",
                self.config.stop_timeout
            )));
            self.stop(EndReason::Interrupted);
        } else {
            self.reason = Some(EndReason::Interrupted);
            self.crew.end_all();
        }
    }

    /// Follows an order, or says why not.
    fn obey(&mut self, Request { order, reply }: Request) {
        let obeyed = match order {
            Order::Start => self.try_step(lifecycle::Step::Start),
            Order::Pause => self.try_step(lifecycle::Step::Pause),
            Order::Resume => self.try_step(lifecycle::Step::Resume),
            Order::Stop => {
                let allowed = self.state.after(lifecycle::Step::Stop);
                allowed.map(|_| self.stop(EndReason::Ordered))
            }
            Order::Quit => {
                self.quit = true;
                self.stop(EndReason::Ordered);
                Ok(())
            }
            Order::Load(change) => {
                let changed = self.change(&change);
                self.publish();
                // Whoever asked may have gone.
                let _ = reply.send(changed.map(|()| self.status()));
                return;
            }
        };
        self.publish();
        let _ = reply.send(obeyed.map(|()| self.status()).map_err(Refused::from));
    }

    fn try_step(&mut self, step: lifecycle::Step) -> Result<(), Illegal> {
        self.state = self.state.after(step)?;
        match step {
            lifecycle::Step::Pause => self.run.clock().pause(),
            lifecycle::Step::Resume => self.run.clock().resume(),
            _ => {}
        }
        Ok(())
    }

    /// A step that the state allows.
    fn step(&mut self, step: lifecycle::Step) {
        let taken = self.try_step(step);
        debug_assert!(taken.is_ok(), "{taken:?}");
    }

    fn change(&mut self, change: &Change) -> Result<(), Refused> {
        if self.state == State::Stopping {
            return Err(Refused::Over);
        }
        let plan = match (&change.plan, self.plans.len()) {
            (None, 1) => 0,
            (wanted, _) => {
                let named = |plan: &PlanRun| Some(plan.name()) == wanted.as_deref();
                self.plans.iter().position(named).ok_or_else(|| {
                    let names: Vec<_> = self.plans.iter().map(PlanRun::name).collect();
                    let names = names.join(", ");
                    Refused::Invalid(format!("name the plan to change; there are {names}"))
                })?
            }
        };
        self.plans[plan].check(change)?;
        self.plans[plan].change(change, self.run.elapsed());
        Ok(())
    }

    /// Asks all users to stop.
    fn stop(&mut self, reason: EndReason) {
        self.reason.get_or_insert(reason);
        if self.state == State::Stopping {
            return;
        }
        self.step(lifecycle::Step::Stop);
        let now = Instant::now();
        for plan in 0..self.plans.len() {
            self.stop_plan(plan, now);
        }
        // After the users know, so that none of them begins anything.
        self.run.clock().resume();
        self.publish();
    }

    /// Asks the users of a plan to stop.
    fn stop_plan(&mut self, plan: usize, now: Instant) {
        if self.plans[plan].is_over() {
            return;
        }
        let dropped = self.plans[plan].stop();
        self.count_dropped(dropped);
        self.crew.stop_plan(plan, now);
    }

    /// Ends users that were asked to stop and did not in time.
    fn end_late_users(&mut self, watch: &mut dyn FnMut(Event)) {
        let ended = self.crew.end_late();
        if ended > 0 {
            self.users_ended += ended;
            watch(Event::Notice(format!(
                "{ended} {} did not stop within {:?} and {} ended",
                if ended == 1 { "user" } else { "users" },
                self.config.stop_timeout,
                if ended == 1 { "was" } else { "were" },
            )));
        }
    }

    /// Has the run looked at, and follows what is seen.
    fn look(&mut self) {
        self.publish();
        let elapsed = self.run.elapsed();
        let snapshot = self.monitor.look(Moment {
            state: self.state,
            elapsed,
            paused: self.run.clock().paused(),
            began: self.run.clock().began(),
        });
        if let Some(snapshot) = snapshot
            && self.state == State::Running
        {
            self.judge(&snapshot, elapsed);
        }
    }

    /// Ends the run if a threshold says so, or if nothing can be reached from the start.
    fn judge(&mut self, snapshot: &Snapshot, elapsed: Duration) {
        if let Some(why) = self.answers.missing(snapshot) {
            self.stop(EndReason::Unreachable(why));
        }
        if let Some((at, expression)) = self.jury.judge(snapshot, elapsed) {
            self.crossed = Some(at);
            self.stop(EndReason::ThresholdCrossed(expression));
        }
    }

    fn status(&self) -> Status {
        let now = self.run.elapsed();
        Status {
            state: self.state,
            elapsed: now,
            paused: self.run.clock().paused(),
            users: self.run.gauges.live(),
            plans: self.plans.iter().map(|plan| plan.status(now)).collect(),
        }
    }

    fn publish(&self) {
        self.wheel.status.send_replace(self.status());
    }
}

/// The load shape's next word; never, without one.
async fn next_step(conductor: &mut Option<ConductorDriver>) -> Option<conductor_driver::Step> {
    match conductor {
        Some(conductor) => conductor.next().await,
        None => std::future::pending().await,
    }
}
