//! Which task a user does next: through task sets, in order or by weight. Pure; knows
//! neither waits nor what a task does.

use rand::Rng;

use crate::user_class::{Execution, Task, UserClass};

/// The tasks of a class as a tree.
#[derive(Clone, Debug)]
pub struct Itinerary {
    /// The tasks of the class itself.
    root: Level,
    /// The tasks of each task that is a set; empty for all others.
    sets: Vec<Level>,
    rounds: Vec<Option<u32>>,
}

/// Tasks that stand beside each other.
#[derive(Clone, Debug)]
struct Level {
    execution: Execution,
    /// Indices among the tasks of the class.
    tasks: Vec<usize>,
    weights: Vec<u32>,
}

/// Where a user is in its itinerary.
#[derive(Clone, Debug)]
pub struct Position {
    /// The root and the sets it is in, the innermost last.
    visits: Vec<Visit>,
}

#[derive(Clone, Copy, Debug)]
struct Visit {
    /// Absent for the root.
    set: Option<usize>,
    /// For sequential ones: how many tasks of the pass are done.
    done: usize,
    /// Rounds left; absent when only the scenario ends the visit.
    rounds: Option<u32>,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went well.
    Done,
    /// It failed: the pass that it is part of ends.
    Failed,
    /// The set that it is part of is done.
    LeaveSet,
}

impl Itinerary {
    /// The itinerary of a class that runs its tasks in order or by weight.
    pub fn new(class: &UserClass) -> Self {
        let level = |execution, parent: Option<usize>| {
            let belongs = |(_, task): &(usize, &Task)| task.parent == parent;
            let tasks = class.tasks.iter().enumerate().filter(belongs);
            let (tasks, weights) = tasks.map(|(index, task)| (index, task.weight)).unzip();
            Level {
                execution,
                tasks,
                weights,
            }
        };
        let set = |(index, task): (usize, &Task)| match &task.set {
            Some(set) => level(set.execution, Some(index)),
            None => level(Execution::Sequential, Some(index)),
        };
        Itinerary {
            root: level(class.execution, None),
            sets: class.tasks.iter().enumerate().map(set).collect(),
            rounds: class
                .tasks
                .iter()
                .map(|task| task.set.as_ref().and_then(|set| set.rounds))
                .collect(),
        }
    }

    /// The beginning.
    pub fn begin(&self) -> Position {
        Position {
            visits: vec![Visit {
                set: None,
                done: 0,
                rounds: None,
            }],
        }
    }

    /// The task to do now, as an index among the tasks of the class.
    pub fn next(&self, position: &mut Position, rng: &mut impl Rng) -> usize {
        loop {
            let visit = position.visits.last().copied();
            let set = visit.and_then(|visit| visit.set);
            let level = self.level(set);
            let at = match level.execution {
                Execution::Weighted => level.draw(rng),
                _ => visit.map_or(0, |visit| visit.done),
            };
            let task = level.tasks.get(at).copied().unwrap_or(0);
            if self.sets[task].tasks.is_empty() {
                return task;
            }
            position.visits.push(Visit {
                set: Some(task),
                done: 0,
                rounds: self.rounds[task],
            });
        }
    }

    /// Goes on after a task. Whether the iteration is over.
    pub fn after(&self, position: &mut Position, mut outcome: Outcome) -> bool {
        while let Some(visit) = position.visits.last_mut() {
            let level = self.level(visit.set);
            let pass_over = match (level.execution, outcome) {
                (Execution::Weighted, _) | (_, Outcome::Failed | Outcome::LeaveSet) => true,
                _ => visit.done + 1 >= level.tasks.len(),
            };
            visit.done = if pass_over { 0 } else { visit.done + 1 };
            if visit.set.is_none() {
                return pass_over;
            }
            if pass_over {
                visit.rounds = visit.rounds.map(|left| left.saturating_sub(1));
            }
            if outcome != Outcome::LeaveSet && visit.rounds != Some(0) {
                return false;
            }
            position.visits.pop();
            // For its parent, a set that is over went well.
            outcome = Outcome::Done;
        }
        true
    }

    fn level(&self, set: Option<usize>) -> &Level {
        set.map_or(&self.root, |set| &self.sets[set])
    }
}

impl Level {
    /// One position by weight.
    fn draw(&self, rng: &mut impl Rng) -> usize {
        draw(&self.weights, rng)
    }
}

/// One index by weight.
pub fn draw(weights: &[u32], rng: &mut impl Rng) -> usize {
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let mut ticket = rng.random_range(0..total.max(1));
    for (index, &weight) in weights.iter().enumerate() {
        let weight = u64::from(weight);
        if ticket < weight {
            return index;
        }
        ticket -= weight;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_class::{TaskSet, WaitTime};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn class(execution: Execution, tasks: Vec<Task>) -> UserClass {
        UserClass {
            index: 0,
            name: "A".into(),
            weight: 1,
            host: None,
            wait_time: WaitTime::None,
            execution,
            alone: false,
            throughput: None,
            pacing: None,
            tasks,
        }
    }

    fn task(name: &str, parent: Option<usize>) -> Task {
        Task {
            name: name.into(),
            parent,
            ..Task::default()
        }
    }

    fn set(name: &str, parent: Option<usize>, execution: Execution, rounds: Option<u32>) -> Task {
        Task {
            set: Some(TaskSet { execution, rounds }),
            ..task(name, parent)
        }
    }

    /// Names of the tasks until `iterations` are over; `outcome` says what becomes of each.
    fn walk(
        class: &UserClass,
        iterations: usize,
        mut outcome: impl FnMut(&str) -> Outcome,
    ) -> Vec<String> {
        let itinerary = Itinerary::new(class);
        let mut position = itinerary.begin();
        let mut rng = StdRng::seed_from_u64(7);
        let mut names = Vec::new();
        let mut over = 0;
        while over < iterations {
            let name = &class.tasks[itinerary.next(&mut position, &mut rng)].name;
            names.push(name.clone());
            over += usize::from(itinerary.after(&mut position, outcome(name)));
        }
        names
    }

    fn shop() -> UserClass {
        class(
            Execution::Sequential,
            vec![
                task("open", None),
                set("browse", None, Execution::Sequential, Some(2)),
                task("list", Some(1)),
                set("inspect", Some(1), Execution::Sequential, Some(1)),
                task("look", Some(3)),
                task("zoom", Some(3)),
                task("close", None),
            ],
        )
    }

    #[test]
    fn sets_stand_where_tasks_do() {
        let pass = [
            "open", "list", "look", "zoom", "list", "look", "zoom", "close",
        ];
        assert_eq!(walk(&shop(), 1, |_| Outcome::Done), pass);
        assert_eq!(walk(&shop(), 2, |_| Outcome::Done), [pass, pass].concat());
    }

    #[test]
    fn a_failure_ends_the_pass_it_is_in() {
        let failing = |name: &str| match name {
            "look" => Outcome::Failed,
            _ => Outcome::Done,
        };
        let pass = ["open", "list", "look", "list", "look", "close"];
        assert_eq!(walk(&shop(), 1, failing), pass);
        let opening = |name: &str| match name {
            "open" => Outcome::Failed,
            _ => Outcome::Done,
        };
        assert_eq!(walk(&shop(), 3, opening), ["open"; 3]);
    }

    #[test]
    fn a_set_without_rounds_goes_on_until_it_is_left() {
        let endless = class(
            Execution::Sequential,
            vec![
                set("browse", None, Execution::Weighted, None),
                task("list", Some(0)),
                task("pay", None),
            ],
        );
        let mut seen = 0;
        let names = walk(&endless, 1, |name| {
            seen += 1;
            match (name, seen) {
                ("list", 5) => Outcome::LeaveSet,
                _ => Outcome::Done,
            }
        });
        assert_eq!(names, ["list", "list", "list", "list", "list", "pay"]);
    }

    #[test]
    fn a_weighted_class_has_one_task_or_set_an_iteration() {
        let weighted = class(
            Execution::Weighted,
            vec![
                set("both", None, Execution::Sequential, Some(1)),
                task("one", Some(0)),
                task("two", Some(0)),
            ],
        );
        let names = walk(&weighted, 2, |_| Outcome::Done);
        assert_eq!(names, ["one", "two", "one", "two"]);
    }

    proptest! {
        #[test]
        fn tasks_are_drawn_by_weight(seed: u64) {
            let mut rng = StdRng::seed_from_u64(seed);
            let hits = (0..4000).filter(|_| draw(&[1, 3], &mut rng) == 1).count();
            prop_assert!((2700..=3300).contains(&hits), "{hits}");
        }

        #[test]
        fn every_iteration_comes_to_an_end(
            parents in prop::collection::vec((0_usize..6, any::<bool>(), 1_u32..4), 1..8),
            seed: u64,
        ) {
            // Each set gets a task of its own, so that none is empty.
            let mut tasks = Vec::new();
            let mut sets: Vec<usize> = Vec::new();
            for (n, (parent, weighted, rounds)) in parents.into_iter().enumerate() {
                let parent = sets.get(parent).copied();
                let execution = if weighted { Execution::Weighted } else { Execution::Sequential };
                sets.push(tasks.len());
                tasks.push(set(&format!("set {n}"), parent, execution, Some(rounds)));
                tasks.push(task(&format!("task {n}"), sets.last().copied()));
            }
            let class = class(Execution::Sequential, tasks);
            let itinerary = Itinerary::new(&class);
            let mut position = itinerary.begin();
            let mut rng = StdRng::seed_from_u64(seed);
            let over = (0..100_000).any(|_| {
                let at = itinerary.next(&mut position, &mut rng);
                assert!(class.tasks[at].set.is_none());
                itinerary.after(&mut position, Outcome::Done)
            });
            prop_assert!(over);
            prop_assert_eq!(position.visits.len(), 1);
        }
    }
}
