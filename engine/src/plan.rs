//! One plan of a run under way: which users of its classes start and stop now, and when
//! it is over. Knows no sandboxes: it answers with actions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;

use crate::arrival_driver::Source;
use crate::arrivals::Arrivals;
use crate::config::{Load, Plan};
use crate::load_shape::Curve;
use crate::scheduler::{Action, Scheduler};
use crate::steering::{Amount, Change, PlanStatus, Refused};
use crate::turnstile::{Queue, Throttle, Turnstile};
use crate::user_class::{Execution, UserClass};

/// Plans that do not fit the component's classes.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum InvalidPlan {
    /// Nobody to follow it.
    #[error("plan '{0}' has no user class: all of its classes are switched off")]
    NoClass(String),
    /// A class that cannot be driven from outside.
    #[error(
        "plan '{plan}' has an arrival rate, which user class '{class}' cannot follow: it has a \
         loop of its own"
    )]
    OwnLoop {
        /// The plan.
        plan: String,
        /// The class.
        class: String,
    },
}

/// What a plan follows.
enum Follows {
    /// So many users over time.
    Curve(Curve),
    /// What the load shape says.
    Shape,
    /// What was said while the run was under way, as long as the curve lasts.
    Orders { until: Option<Duration> },
    /// An arrival rate.
    Arrivals(Arc<Source>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its time has not come.
    Waiting,
    Active,
    /// Its users were asked to stop, or had nothing left to do.
    Over,
}

/// Why a plan is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Its time, its stages or its shape.
    Completed,
    /// Every user had nothing left to do.
    Finished,
}

/// A plan under way.
pub(crate) struct PlanRun {
    plan: Plan,
    /// Indices of its classes among those of the run.
    classes: Vec<usize>,
    scheduler: Scheduler,
    follows: Follows,
    /// Iterations left for all users together.
    shared: Option<Arc<AtomicU64>>,
    spawn_rate: f64,
    phase: Phase,
    /// Users that have not left yet.
    live: u32,
}

/// Makes plans of a run's plans, and turnstiles of its classes, in their order.
pub(crate) fn assign(
    plans: &[Plan],
    classes: &[UserClass],
) -> Result<(Vec<PlanRun>, Vec<Turnstile>), InvalidPlan> {
    let mut turnstiles: Vec<Turnstile> = classes
        .iter()
        .map(|class| Turnstile {
            throttle: class.throughput.map(Throttle::new),
            ..Turnstile::default()
        })
        .collect();
    let runs = plans
        .iter()
        .map(|plan| PlanRun::new(plan, classes, &mut turnstiles))
        .collect::<Result<_, _>>()?;
    Ok((runs, turnstiles))
}

impl PlanRun {
    fn new(
        plan: &Plan,
        all: &[UserClass],
        turnstiles: &mut [Turnstile],
    ) -> Result<Self, InvalidPlan> {
        let named =
            |class: &UserClass| plan.classes.is_empty() || plan.classes.contains(&class.name);
        let classes: Vec<usize> = (0..all.len()).filter(|&at| named(&all[at])).collect();
        if classes.is_empty() {
            return Err(InvalidPlan::NoClass(plan.name.clone()));
        }
        let weights: Vec<u32> = classes.iter().map(|&class| all[class].weight).collect();
        let shared = plan.shared_iterations.map(|n| Arc::new(AtomicU64::new(n)));
        for &class in &classes {
            turnstiles[class].each = plan.iterations;
            turnstiles[class].shared.clone_from(&shared);
        }
        let follows = match &plan.load {
            Load::Users(curve) => Follows::Curve(curve.clone()),
            Load::Shape => Follows::Shape,
            Load::Arrivals { rate, patience, .. } => {
                let mut queues = Vec::new();
                for &class in &classes {
                    if all[class].execution == Execution::OwnLoop {
                        return Err(InvalidPlan::OwnLoop {
                            plan: plan.name.clone(),
                            class: all[class].name.clone(),
                        });
                    }
                    let queue = Arc::new(Queue::new(*patience));
                    turnstiles[class].arrivals = Some(queue.clone());
                    queues.push(queue);
                }
                let arrivals = Arrivals::new(rate.clone());
                let end = plan.run_time.unwrap_or(Duration::MAX);
                let times = plan.start..plan.start.saturating_add(end);
                Follows::Arrivals(Source::new(arrivals, weights.clone(), queues, times))
            }
        };
        let mut scheduler = Scheduler::new(weights);
        scheduler.set_rate(plan.spawn_rate);
        Ok(PlanRun {
            classes,
            scheduler,
            follows,
            shared,
            spawn_rate: plan.spawn_rate,
            phase: Phase::Waiting,
            live: 0,
            plan: plan.clone(),
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.plan.name
    }

    /// Whether this class of the run is one of its own.
    pub(crate) fn has(&self, class: usize) -> bool {
        self.classes.contains(&class)
    }

    /// Where its iterations come from, if it has an arrival rate.
    pub(crate) fn source(&self) -> Option<&Arc<Source>> {
        match &self.follows {
            Follows::Arrivals(source) => Some(source),
            _ => None,
        }
    }

    /// Whether it follows the component's load shape.
    pub(crate) fn follows_shape(&self) -> bool {
        matches!(self.follows, Follows::Shape)
    }

    /// Users there shall be.
    pub(crate) fn target(&self) -> u32 {
        self.scheduler.target()
    }

    /// Whether it is over; its last users may still be leaving.
    pub(crate) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Users that its arrival rate needs before the run begins.
    pub(crate) fn beforehand(&self) -> u32 {
        match &self.plan.load {
            Load::Arrivals { users, .. } => *users,
            _ => 0,
        }
    }

    /// Starts the users that are needed beforehand. `since` is any time that goes on.
    pub(crate) fn prepare(&mut self, since: Duration, next_id: &mut u64) -> Vec<Action> {
        if self.beforehand() == 0 {
            return Vec::new();
        }
        self.scheduler
            .set_target(self.beforehand(), self.spawn_rate);
        self.act(since, next_id)
    }

    /// Starts and stops users as the plan wants it at this time of the run. `starting` says
    /// how many users of a class are not ready yet.
    pub(crate) fn tick(
        &mut self,
        now: Duration,
        starting: impl Fn(usize) -> u64,
        next_id: &mut u64,
    ) -> Vec<Action> {
        if self.phase == Phase::Waiting && now >= self.plan.start {
            self.phase = Phase::Active;
        }
        if self.phase == Phase::Active {
            self.follow(now, starting);
        }
        // Users that are needed beforehand may come before the plan's time.
        match self.phase == Phase::Waiting && self.beforehand() == 0 {
            true => Vec::new(),
            false => self.act(now, next_id),
        }
    }

    fn follow(&mut self, now: Duration, starting: impl Fn(usize) -> u64) {
        match &self.follows {
            Follows::Curve(curve) => {
                if let Some(users) = curve.at(now.saturating_sub(self.plan.start)) {
                    let users = users.round() as u32;
                    self.scheduler.set_target(users, self.spawn_rate);
                }
            }
            Follows::Shape | Follows::Orders { .. } => {}
            Follows::Arrivals(source) => {
                let wanted = (0..self.classes.len()).map(|at| self.scheduler.outstanding(at));
                let taken = self.live.saturating_add(wanted.sum());
                let mut room = self.plan.max_users.saturating_sub(taken);
                for (at, queue) in source.queues().iter().enumerate() {
                    queue.expire(now);
                    let outstanding = u64::from(self.scheduler.outstanding(at));
                    let coming = starting(self.classes[at]) + outstanding;
                    let missing = (queue.unserved() as u64).saturating_sub(coming);
                    let more = u32::try_from(missing).unwrap_or(u32::MAX).min(room);
                    self.scheduler.add(at, more);
                    room -= more;
                }
            }
        }
    }

    /// What is to be done, with the classes as the run numbers them.
    fn act(&mut self, now: Duration, next_id: &mut u64) -> Vec<Action> {
        if self.is_spent() {
            return Vec::new();
        }
        let room = self.plan.max_users.saturating_sub(self.live);
        let mut actions = self.scheduler.tick(now, room, next_id);
        for action in &mut actions {
            match action {
                Action::Start { class, .. } => {
                    self.live += 1;
                    *class = self.classes[*class];
                }
                Action::Stop { class, .. } => *class = self.classes[*class],
            }
        }
        actions
    }

    /// Whether the iterations of all users together have begun. Who began one finishes it,
    /// and nobody else needs to start.
    fn is_spent(&self) -> bool {
        let none_left = |left: &Arc<AtomicU64>| left.load(Ordering::Relaxed) == 0;
        self.phase == Phase::Active && self.shared.as_ref().is_some_and(none_left)
    }

    /// Whether every user that there will be had nothing left to do.
    fn all_finished(&self) -> bool {
        let most = match &self.follows {
            Follows::Curve(curve) => curve.peak().round() as u32,
            Follows::Orders { .. } => self.scheduler.target(),
            // There may always be more of them.
            Follows::Shape | Follows::Arrivals(_) => return false,
        };
        most > 0 && self.scheduler.finished() >= most
    }

    /// A user of one of its classes has left.
    pub(crate) fn exited(&mut self, id: u64, class: usize, finished: bool) {
        self.live = self.live.saturating_sub(1);
        if let Some(at) = self.classes.iter().position(|&own| own == class) {
            self.scheduler.exited(id, at, finished);
        }
    }

    /// Whether it has come to its end.
    pub(crate) fn over(&self, now: Duration) -> Option<Over> {
        if self.phase != Phase::Active {
            return None;
        }
        let elapsed = now.saturating_sub(self.plan.start);
        let past = |end: Option<Duration>| end.is_some_and(|end| elapsed >= end);
        let ended = match &self.follows {
            Follows::Curve(curve) => past(curve.duration()),
            Follows::Orders { until } => past(*until),
            Follows::Shape => false,
            Follows::Arrivals(_) => past(self.plan.load.duration()),
        };
        if ended || past(self.plan.run_time) {
            return Some(Over::Completed);
        }
        let finished = self.all_finished() || self.is_spent();
        (finished && self.live == 0).then_some(Over::Finished)
    }

    /// There shall be no users any more. Returns iterations that were due and will not
    /// begin.
    pub(crate) fn stop(&mut self) -> u64 {
        self.phase = Phase::Over;
        self.scheduler.set_target(0, f64::INFINITY);
        if let Some(source) = self.source() {
            source.close();
            source.queues().iter().for_each(|queue| queue.clear());
        }
        self.take_dropped()
    }

    /// Iterations dropped since the last call.
    pub(crate) fn take_dropped(&self) -> u64 {
        let queues = self.source().map_or(&[][..], |source| source.queues());
        queues.iter().map(|queue| queue.take_dropped()).sum()
    }

    /// The load shape wants so many users. Returns how many it gets.
    pub(crate) fn shaped(&mut self, users: u32, spawn_rate: f64) -> u32 {
        let users = users.min(self.plan.max_users);
        if self.follows_shape() && self.phase == Phase::Active {
            self.scheduler.set_target(users, spawn_rate);
        }
        users
    }

    /// Whether a change makes sense here; nothing is changed.
    pub(crate) fn check(&self, change: &Change) -> Result<(), Refused> {
        let invalid = |text: String| Err(Refused::Invalid(text));
        let (name, max) = (&self.plan.name, self.plan.max_users);
        let open = self.source().is_some();
        if self.phase == Phase::Over {
            return invalid(format!("plan '{name}' is over"));
        }
        match change.users {
            Some(Amount::To(_)) if open => {
                return invalid(format!(
                    "plan '{name}' has an arrival rate and as many users as it takes; change \
                     its arrival_rate"
                ));
            }
            Some(Amount::To(users)) if users > max => {
                return invalid(format!(
                    "plan '{name}' has room for {max} users; start the run with a larger \
                     --max-users"
                ));
            }
            _ => {}
        }
        if change.arrival_rate.is_some() && !open {
            return invalid(format!(
                "plan '{name}' has no arrival rate; change its users"
            ));
        }
        Ok(())
    }

    /// Another load from now on, which [`PlanRun::check`] has found to make sense.
    pub(crate) fn change(&mut self, change: &Change, now: Duration) {
        if let Some(rate) = change.spawn_rate {
            self.spawn_rate = rate;
            self.scheduler.set_rate(rate);
        }
        if let Some(source) = self.source() {
            let by = match change.users {
                Some(Amount::By(by)) => f64::from(by),
                _ => 0.0,
            };
            let current = source.rate(now).unwrap_or(0.0);
            let rate = change.arrival_rate.unwrap_or((current + by).max(0.0));
            if change.arrival_rate.is_some() || by != 0.0 {
                source.change(now, rate);
            }
            return;
        }
        let users = match change.users {
            None => self.target(),
            Some(Amount::To(users)) => users,
            Some(Amount::By(by)) => self
                .target()
                .saturating_add_signed(by)
                .min(self.plan.max_users),
        };
        if change.users.is_some() {
            let until = match &self.follows {
                Follows::Curve(curve) => curve.duration(),
                Follows::Orders { until } => *until,
                _ => None,
            };
            self.follows = Follows::Orders { until };
        }
        if matches!(self.follows, Follows::Orders { .. }) {
            self.scheduler.set_target(users, self.spawn_rate);
        }
    }

    /// How it stands.
    pub(crate) fn status(&self, now: Duration) -> PlanStatus {
        PlanStatus {
            name: self.plan.name.clone(),
            active: self.phase == Phase::Active,
            users: self.target(),
            spawn_rate: self.spawn_rate.is_finite().then_some(self.spawn_rate),
            arrival_rate: self.source().and_then(|source| source.rate(now)),
        }
    }
}

#[cfg(test)]
mod tests;
