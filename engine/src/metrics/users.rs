//! How many users there are, by class and by what they are doing, and in how many
//! sandboxes. Counts only; who the
//! users are and why they change is the runner's knowledge.

use super::merge::Merge;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a user is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// From its creation until `on-start` is done.
    Starting,
    /// Doing tasks or waiting between them.
    Running,
    /// From the request to stop until `on-stop` is done.
    Stopping,
    /// Its sandbox failed and is being replaced.
    Restarting,
}

/// The users of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassUsers {
    /// The class.
    pub class: String,
    /// Users before the end of their `on-start`.
    pub starting: u64,
    /// Users at work.
    pub running: u64,
    /// Users on their way out.
    pub stopping: u64,
    /// Users between two sandboxes.
    pub restarting: u64,
}

impl ClassUsers {
    /// Users in whatever state.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.starting + self.running + self.stopping + self.restarting
    }
}

/// All users at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// How many there shall be.
    pub target: u64,
    /// How many there are, in the order of the classes.
    pub classes: Vec<ClassUsers>,
    /// The most there ever were at a time.
    pub peak: u64,
    /// Users that ever started.
    pub started: u64,
    /// Users that ever stopped.
    pub stopped: u64,
    /// Sandboxes alive, those of hooks and load shapes too.
    pub sandboxes: u64,
}

impl Users {
    /// Users of all classes in whatever state.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.classes.iter().map(ClassUsers::live).sum()
    }

    /// Adds the users of another node. The peak becomes the sum of both peaks, which need
    /// not have been at the same time.
    pub fn merge(&mut self, other: &Self) {
        self.target.merge_from(&other.target);
        self.peak.merge_from(&other.peak);
        self.started.merge_from(&other.started);
        self.stopped.merge_from(&other.stopped);
        self.sandboxes.merge_from(&other.sandboxes);
        for theirs in &other.classes {
            match self.classes.iter_mut().find(|c| c.class == theirs.class) {
                Some(ours) => {
                    ours.starting.merge_from(&theirs.starting);
                    ours.running.merge_from(&theirs.running);
                    ours.stopping.merge_from(&theirs.stopping);
                    ours.restarting.merge_from(&theirs.restarting);
                }
                None => self.classes.push(theirs.clone()),
            }
        }
    }
}

/// Counts users without a lock, from any thread.
#[derive(Debug)]
pub struct UserGauges {
    classes: Vec<(String, [AtomicU64; 4])>,
    target: AtomicU64,
    live: AtomicU64,
    peak: AtomicU64,
    started: AtomicU64,
    stopped: AtomicU64,
    sandboxes: AtomicU64,
}

impl UserGauges {
    /// No users yet, of these classes.
    pub fn new<C: Into<String>>(classes: impl IntoIterator<Item = C>) -> Arc<Self> {
        Arc::new(Self {
            classes: classes
                .into_iter()
                .map(|class| (class.into(), Default::default()))
                .collect(),
            target: AtomicU64::new(0),
            live: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            started: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            sandboxes: AtomicU64::new(0),
        })
    }

    /// Says how many users there shall be.
    pub fn set_target(&self, users: u64) {
        self.target.store(users, Relaxed);
    }

    /// Counts a new user, in state [`State::Starting`], until the result is dropped.
    ///
    /// # Panics
    ///
    /// When there is no class of that index.
    pub fn enter(self: &Arc<Self>, class: usize) -> CountedUser {
        self.classes[class].1[State::Starting as usize].fetch_add(1, Relaxed);
        self.started.fetch_add(1, Relaxed);
        let live = self.live.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(live, Relaxed);
        CountedUser {
            gauges: Arc::clone(self),
            class,
            state: State::Starting,
        }
    }

    /// Counts a sandbox until the result is dropped.
    pub fn enter_sandbox(self: &Arc<Self>) -> CountedSandbox {
        self.sandboxes.fetch_add(1, Relaxed);
        CountedSandbox(Arc::clone(self))
    }

    /// Users of a class before the end of their `on-start`; none of a class there is not.
    #[must_use]
    pub fn starting(&self, class: usize) -> u64 {
        let states = self.classes.get(class).map(|(_, states)| states);
        states.map_or(0, |states| states[State::Starting as usize].load(Relaxed))
    }

    /// Users alive now, of all classes.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live.load(Relaxed)
    }

    /// All counts. A user that moves at this very moment may be missing or appear twice.
    #[must_use]
    pub fn snapshot(&self) -> Users {
        let class_users = |(class, states): &(String, [AtomicU64; 4])| {
            let in_state = |state: State| states[state as usize].load(Relaxed);
            ClassUsers {
                class: class.clone(),
                starting: in_state(State::Starting),
                running: in_state(State::Running),
                stopping: in_state(State::Stopping),
                restarting: in_state(State::Restarting),
            }
        };
        Users {
            target: self.target.load(Relaxed),
            classes: self.classes.iter().map(class_users).collect(),
            peak: self.peak.load(Relaxed),
            started: self.started.load(Relaxed),
            stopped: self.stopped.load(Relaxed),
            sandboxes: self.sandboxes.load(Relaxed),
        }
    }
}

/// One sandbox in the count; it leaves when this is dropped.
#[derive(Debug)]
pub struct CountedSandbox(Arc<UserGauges>);

impl Drop for CountedSandbox {
    fn drop(&mut self) {
        self.0.sandboxes.fetch_sub(1, Relaxed);
    }
}

/// One user in the count; it leaves when this is dropped.
#[derive(Debug)]
pub struct CountedUser {
    gauges: Arc<UserGauges>,
    class: usize,
    state: State,
}

impl CountedUser {
    /// Counts the user in another state from now on.
    pub fn move_to(&mut self, state: State) {
        let states = &self.gauges.classes[self.class].1;
        states[state as usize].fetch_add(1, Relaxed);
        states[self.state as usize].fetch_sub(1, Relaxed);
        self.state = state;
    }
}

impl Drop for CountedUser {
    fn drop(&mut self) {
        self.gauges.classes[self.class].1[self.state as usize].fetch_sub(1, Relaxed);
        self.gauges.live.fetch_sub(1, Relaxed);
        self.gauges.stopped.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_counted_where_they_are() {
        let gauges = UserGauges::new(["Buyer", "Guest"]);
        gauges.set_target(3);
        let mut one = gauges.enter(0);
        let two = gauges.enter(0);
        let mut three = gauges.enter(1);
        let _sandboxes = [gauges.enter_sandbox(), gauges.enter_sandbox()];
        drop(gauges.enter_sandbox());
        assert_eq!(gauges.snapshot().sandboxes, 2);
        assert_eq!([0, 1, 2].map(|class| gauges.starting(class)), [2, 1, 0]);
        one.move_to(State::Running);
        three.move_to(State::Restarting);
        drop(two);

        let users = gauges.snapshot();
        assert_eq!((users.target, users.live(), gauges.live()), (3, 2, 2));
        assert_eq!((users.peak, users.started, users.stopped), (3, 3, 1));
        assert_eq!(
            (users.classes[0].starting, users.classes[0].running),
            (0, 1)
        );
        assert_eq!(users.classes[1].restarting, 1);

        three.move_to(State::Stopping);
        assert_eq!(gauges.snapshot().classes[1].stopping, 1);
        drop((one, three));
        assert_eq!(gauges.snapshot().live(), 0);
        assert_eq!(gauges.snapshot().stopped, 3);
    }

    #[test]
    fn counts_hold_across_threads() {
        let gauges = UserGauges::new(["A", "B"]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..1000 {
                        let mut user = gauges.enter(n % 2);
                        user.move_to(State::Running);
                    }
                });
            }
        });
        let users = gauges.snapshot();
        assert_eq!(
            (users.live(), users.started, users.stopped),
            (0, 4000, 4000)
        );
        assert!((1..=4).contains(&users.peak));
    }

    #[test]
    fn nodes_merge_by_class() {
        let node = |class: &str, running| Users {
            target: 5,
            classes: vec![ClassUsers {
                class: class.into(),
                running,
                ..ClassUsers::default()
            }],
            peak: 4,
            started: 6,
            stopped: 1,
            sandboxes: 1,
        };
        let mut all = node("A", 2);
        all.merge(&node("A", 3));
        all.merge(&node("B", 1));
        assert_eq!(
            (all.target, all.peak, all.started, all.stopped),
            (15, 12, 18, 3)
        );
        assert_eq!(all.classes.len(), 2);
        assert_eq!((all.live(), all.sandboxes), (6, 3));
    }
}
