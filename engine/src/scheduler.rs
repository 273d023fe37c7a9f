//! Reconciles the users that live with the users there shall be, at the spawn rate and in
//! the proportions of the classes. Pure: time comes in as a number, and what to do goes
//! out as a list.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::user_class::distribute;

/// What is to be done to one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a user with this id.
    Start {
        /// Unique in the run, from 1.
        id: u64,
        /// Index of its class.
        class: usize,
    },
    /// Ask this user to stop.
    Stop {
        /// Its id.
        id: u64,
        /// Index of its class.
        class: usize,
    },
}

/// Who lives and who shall.
#[derive(Debug)]
pub struct Scheduler {
    weights: Vec<u32>,
    /// Ids of the users that live and were not asked to stop, by class.
    live: Vec<BTreeSet<u64>>,
    /// Users that had nothing left to do; they still fill their place.
    finished: Vec<u32>,
    /// Users that there shall be, by class.
    shares: Vec<u32>,
    /// Users a second.
    rate: f64,
    /// Actions that the rate allows now.
    credit: f64,
    last: Duration,
}

impl Scheduler {
    /// No users yet, of classes with these weights.
    pub fn new(weights: Vec<u32>) -> Self {
        Scheduler {
            live: vec![BTreeSet::new(); weights.len()],
            finished: vec![0; weights.len()],
            shares: vec![0; weights.len()],
            weights,
            rate: f64::INFINITY,
            credit: 1.0,
            last: Duration::ZERO,
        }
    }

    /// Sets how many users there shall be, and how many start or stop a second.
    pub fn set_target(&mut self, users: u32, rate: f64) {
        self.shares = distribute(users, &self.weights);
        self.rate = rate;
    }

    /// From now on there shall be so many more users of this class.
    pub fn add(&mut self, class: usize, users: u32) {
        self.shares[class] = self.shares[class].saturating_add(users);
    }

    /// Users there shall be.
    pub fn target(&self) -> u32 {
        self.shares
            .iter()
            .fold(0, |sum, users| sum.saturating_add(*users))
    }

    /// Sets how many users start or stop a second.
    pub fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }

    /// Users of this class that there shall be and that did not start yet.
    pub fn outstanding(&self, class: usize) -> u32 {
        self.shares[class].saturating_sub(self.finished[class] + self.live(class))
    }

    /// Users that had nothing left to do.
    pub fn finished(&self) -> u32 {
        self.finished.iter().sum()
    }

    /// What is to be done at this time of the run, with at most `room` users more than
    /// there are. New users are numbered from `next_id` on, which is left at the number of
    /// the next one.
    pub fn tick(&mut self, elapsed: Duration, mut room: u32, next_id: &mut u64) -> Vec<Action> {
        let passed = elapsed.saturating_sub(self.last).as_secs_f64();
        self.last = elapsed;
        let wanted = self.wanted();
        let mut actions = Vec::new();
        self.credit = if self.rate.is_finite() {
            self.credit + passed * self.rate
        } else {
            f64::INFINITY
        };
        while self.credit >= 1.0 {
            let Some(action) = self.step(&wanted, room > 0, next_id) else {
                // What the rate allowed while nothing was to be done is not saved up.
                self.credit = 1.0;
                break;
            };
            self.credit -= 1.0;
            room -= u32::from(matches!(action, Action::Start { .. }));
            actions.push(action);
        }
        actions
    }

    /// A user has left. If it had nothing left to do it is not replaced.
    pub fn exited(&mut self, id: u64, class: usize, finished: bool) {
        if self.live[class].remove(&id) && finished {
            self.finished[class] += 1;
        }
    }

    /// Users of each class that shall live.
    fn wanted(&self) -> Vec<u32> {
        self.shares
            .iter()
            .zip(&self.finished)
            .map(|(share, done)| share.saturating_sub(*done))
            .collect()
    }

    /// Users of this class that live and were not asked to stop.
    fn live(&self, class: usize) -> u32 {
        self.live[class].len() as u32
    }

    fn step(&mut self, wanted: &[u32], room: bool, next_id: &mut u64) -> Option<Action> {
        let classes = 0..self.weights.len();
        let surplus = classes.clone().filter(|&c| self.live(c) > wanted[c]);
        if let Some(class) = surplus.max_by_key(|&c| self.live(c) - wanted[c]) {
            let id = self.live[class].pop_last()?;
            return Some(Action::Stop { id, class });
        }
        if !room {
            return None;
        }
        // The class furthest behind its share, so that the mix holds at every moment.
        let behind = classes.filter(|&c| self.live(c) < wanted[c]);
        let class = behind.min_by(|&a, &b| {
            let done = |c: usize| f64::from(self.live(c)) / f64::from(wanted[c]);
            done(a).total_cmp(&done(b)).then(wanted[b].cmp(&wanted[a]))
        })?;
        let id = *next_id;
        *next_id += 1;
        self.live[class].insert(id);
        Some(Action::Start { id, class })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(scheduler: &Scheduler) -> Vec<usize> {
        scheduler.live.iter().map(BTreeSet::len).collect()
    }

    /// A scheduler that numbers its users itself.
    struct Numbered(Scheduler, u64);

    impl Numbered {
        fn new(weights: Vec<u32>) -> Self {
            Numbered(Scheduler::new(weights), 1)
        }

        fn tick(&mut self, elapsed: Duration) -> Vec<Action> {
            self.0.tick(elapsed, u32::MAX, &mut self.1)
        }
    }

    impl std::ops::Deref for Numbered {
        type Target = Scheduler;
        fn deref(&self) -> &Scheduler {
            &self.0
        }
    }

    impl std::ops::DerefMut for Numbered {
        fn deref_mut(&mut self) -> &mut Scheduler {
            &mut self.0
        }
    }

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn users_start_at_the_rate_and_no_faster() {
        let mut scheduler = Numbered::new(vec![1]);
        scheduler.set_target(10, 4.0);
        assert_eq!(
            scheduler.tick(at(0.0)).len(),
            1,
            "the first one starts at once"
        );
        assert_eq!(scheduler.tick(at(0.1)).len(), 0);
        assert_eq!(scheduler.tick(at(0.25)).len(), 1);
        assert_eq!(scheduler.tick(at(1.0)).len(), 3);
        assert_eq!(scheduler.tick(at(60.0)).len(), 5);
        assert_eq!(scheduler.tick(at(61.0)), []);
    }

    #[test]
    fn a_rate_below_one_a_second_is_kept() {
        let mut scheduler = Numbered::new(vec![1]);
        scheduler.set_target(3, 0.1);
        let starts: usize = (0..=150)
            .map(|s| scheduler.tick(at(f64::from(s) / 10.0)).len())
            .sum();
        assert_eq!(starts, 2);
    }

    #[test]
    fn everyone_at_once_without_a_rate() {
        let mut scheduler = Numbered::new(vec![1, 4]);
        scheduler.set_target(100, f64::INFINITY);
        assert_eq!(scheduler.tick(at(0.0)).len(), 100);
        assert_eq!(counts(&scheduler), [20, 80]);
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut scheduler = Numbered::new(vec![1]);
        scheduler.set_target(1, 10.0);
        scheduler.tick(at(0.0));
        scheduler.tick(at(100.0));
        scheduler.set_target(1000, 10.0);
        assert!(scheduler.tick(at(100.1)).len() <= 2);
    }

    #[test]
    fn the_mix_holds_on_the_way_up_and_down() {
        let mut scheduler = Numbered::new(vec![1, 4]);
        scheduler.set_target(100, 1.0);
        for second in 0..50 {
            scheduler.tick(at(f64::from(second)));
            let live = counts(&scheduler);
            let share = live[0] as f64 - (live[0] + live[1]) as f64 / 5.0;
            assert!(share.abs() <= 1.0, "{live:?}");
        }
        scheduler.set_target(10, f64::INFINITY);
        let stops = scheduler.tick(at(51.0));
        assert!(stops.iter().all(|a| matches!(a, Action::Stop { .. })));
        assert_eq!(counts(&scheduler), [2, 8]);
    }

    #[test]
    fn users_that_left_are_replaced_unless_they_finished() {
        let mut scheduler = Numbered::new(vec![1]);
        scheduler.set_target(2, f64::INFINITY);
        scheduler.tick(at(0.0));
        scheduler.exited(1, 0, false);
        assert_eq!(scheduler.tick(at(1.0)), [Action::Start { id: 3, class: 0 }]);
        scheduler.exited(2, 0, true);
        assert_eq!(scheduler.tick(at(2.0)), []);
        scheduler.exited(3, 0, true);
        assert_eq!(scheduler.finished(), 2);
    }

    #[test]
    fn single_classes_can_grow() {
        let mut scheduler = Numbered::new(vec![1, 4]);
        scheduler.set_target(5, f64::INFINITY);
        scheduler.add(0, 2);
        assert_eq!((scheduler.target(), scheduler.outstanding(0)), (7, 3));
        scheduler.tick(at(0.0));
        assert_eq!(counts(&scheduler), [3, 4]);
        assert_eq!(scheduler.outstanding(0), 0);
    }

    #[test]
    fn nobody_starts_without_room() {
        let mut scheduler = Scheduler::new(vec![1]);
        scheduler.set_target(10, f64::INFINITY);
        let mut next_id = 1;
        assert_eq!(scheduler.tick(at(0.0), 4, &mut next_id).len(), 4);
        assert_eq!(scheduler.tick(at(1.0), 0, &mut next_id), []);
        scheduler.set_target(1, f64::INFINITY);
        assert_eq!(
            scheduler.tick(at(2.0), 0, &mut next_id).len(),
            3,
            "stops need none"
        );
    }

    proptest! {
        #[test]
        fn targets_are_reached_and_ids_never_reused(
            weights in prop::collection::vec(1_u32..50, 1..5),
            targets in prop::collection::vec(0_u32..300, 1..6),
        ) {
            let mut scheduler = Numbered::new(weights.clone());
            let mut seen = BTreeSet::new();
            for (second, &target) in targets.iter().enumerate() {
                scheduler.set_target(target, f64::INFINITY);
                for action in scheduler.tick(at(second as f64)) {
                    if let Action::Start { id, .. } = action {
                        prop_assert!(seen.insert(id));
                    }
                }
                let live: Vec<u32> = counts(&scheduler).iter().map(|&n| n as u32).collect();
                prop_assert_eq!(live, distribute(target, &weights));
            }
        }
    }
}
