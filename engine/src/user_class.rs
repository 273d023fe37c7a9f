//! User classes: what a scenario declares, checked, and how users are shared among them.
//! Pure; knows nothing of sandboxes or schedules.

use std::collections::HashSet;
use std::time::Duration;

use thiserror::Error;

/// How long a user waits after `on_start` and after each task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitTime {
    /// Not at all.
    None,
    /// Always the same.
    Fixed(Duration),
    /// Uniformly distributed, both ends included.
    Between(Duration, Duration),
    /// Tasks start this far apart.
    Pacing(Duration),
    /// The scenario says so each time.
    Computed,
}

/// In which order the tasks of a user run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// In order, again and again; a failed task ends the pass.
    Sequential,
    /// One at random each time, by weight.
    Weighted,
    /// Up to so many at a time.
    Concurrent(usize),
    /// The scenario's own loop.
    OwnLoop,
}

/// A task of a class, or a set of tasks that stands where a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Index in the component's manifest.
    pub index: u32,
    /// Unique in its class.
    pub name: String,
    /// At least 1.
    pub weight: u32,
    /// What `--tags` and `--exclude-tags` go by; those of its sets count too.
    pub tags: Vec<String>,
    /// Index among the tasks of the class of the set it belongs to, which comes earlier.
    pub parent: Option<usize>,
    /// Present for a set.
    pub set: Option<TaskSet>,
}

/// How the tasks of a set run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSet {
    /// Sequential or weighted.
    pub execution: Execution,
    /// Passes (or, if weighted, tasks) until the parent goes on; absent when only the
    /// scenario ends it.
    pub rounds: Option<u32>,
}

impl Default for Task {
    fn default() -> Self {
        Task {
            index: 0,
            name: String::new(),
            weight: 1,
            tags: Vec::new(),
            parent: None,
            set: None,
        }
    }
}

/// A kind of user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserClass {
    /// Index in the component's manifest.
    pub index: u32,
    /// Unique in the component.
    pub name: String,
    /// Share of the users.
    pub weight: u32,
    /// Base URL of its sessions.
    pub host: Option<String>,
    /// Wait between tasks.
    pub wait_time: WaitTime,
    /// Order of the tasks.
    pub execution: Execution,
    /// Its users share no sandbox.
    pub alone: bool,
    /// Iterations of all its users a second, at most.
    pub throughput: Option<f64>,
    /// Iterations start this far apart, instead of any wait time: the run says so, not the
    /// component.
    pub pacing: Option<Duration>,
    /// Its tasks.
    pub tasks: Vec<Task>,
}

/// What is wrong with a manifest or with the choice of classes.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidClass {
    /// Nothing to run.
    #[error("the component declares no user class")]
    NoClass,
    /// Two classes of one name.
    #[error("the component declares user class '{0}' twice")]
    DuplicateClass(String),
    /// A name that cannot be shown or typed.
    #[error("user class {0}: the name is empty, longer than 200 bytes, or has control characters")]
    BadName(u32),
    /// The SDK's name cannot be shown.
    #[error("the SDK's name is empty, longer than 200 bytes, or has control characters")]
    BadSdk,
    /// A base URL that cannot be shown.
    #[error("user class '{0}': the host is longer than 200 bytes, or has control characters")]
    BadHost(String),
    /// A class that sends requests, and nobody says where to.
    #[error("user class '{0}' has no host: give --host, or let the class name one")]
    NoHost(String),
    /// A class that has nothing to do.
    #[error("user class '{0}' has no tasks")]
    NoTasks(String),
    /// Two tasks of one name.
    #[error("user class '{0}' declares task '{1}' twice")]
    DuplicateTask(String, String),
    /// A task that would never run.
    #[error("user class '{0}': task '{1}' has weight 0; weights begin at 1")]
    ZeroTaskWeight(String, String),
    /// Weights beyond reason.
    #[error("user class '{0}': weight {1} is above 1,000,000")]
    WeightTooLarge(String, u32),
    /// The upper end lies below the lower one.
    #[error("user class '{0}': the wait time's upper end is below its lower end")]
    ReversedWait(String),
    /// Nothing at a time.
    #[error("user class '{0}': max-concurrent-tasks is 0")]
    ZeroConcurrency(String),
    /// A set where the order of tasks is not the host's to decide.
    #[error("user class '{0}': task sets need sequential or weighted execution")]
    MisplacedSet(String),
    /// A set that makes no sense.
    #[error("user class '{class}': task '{task}' {problem}")]
    BadTask {
        /// The class.
        class: String,
        /// The task or set.
        task: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A throughput that is none.
    #[error("user class '{0}': the throughput is not a number above 0")]
    BadThroughput(String),
    /// Tags that leave nothing to do.
    #[error("no task is left with {0}")]
    NoTaggedTask(String),
    /// More at a time than makes sense.
    #[error("user class '{0}': max-concurrent-tasks {1} is above {MAX_CONCURRENT}")]
    TooConcurrent(String, usize),
    /// Concurrency where calls cannot overlap.
    #[error(
        "user class '{0}' runs tasks concurrently, which needs the async convention; \
         build it with the SDK's `concurrent` feature"
    )]
    NeedsAsync(String),
    /// Every class is switched off.
    #[error("every user class has weight 0; name the classes to run on the command line")]
    AllZero,
    /// A name on the command line that is not in the component.
    #[error("no user class '{name}'; the component has {known}")]
    Unknown {
        /// As given.
        name: String,
        /// All names.
        known: String,
    },
}

const MAX_WEIGHT: u32 = 1_000_000;
const MAX_CONCURRENT: usize = 10_000;

impl UserClass {
    /// Checks what the component declared of one class.
    pub fn validate(&self) -> Result<(), InvalidClass> {
        let name = || self.name.clone();
        if !is_name(&self.name) {
            return Err(InvalidClass::BadName(self.index));
        }
        let host = self.host.as_deref().filter(|host| !host.is_empty());
        if host.is_some_and(|host| !is_name(host)) {
            return Err(InvalidClass::BadHost(name()));
        }
        if self.weight > MAX_WEIGHT {
            return Err(InvalidClass::WeightTooLarge(name(), self.weight));
        }
        if self.tasks.is_empty() && self.execution != Execution::OwnLoop {
            return Err(InvalidClass::NoTasks(name()));
        }
        if matches!(self.wait_time, WaitTime::Between(low, high) if high < low) {
            return Err(InvalidClass::ReversedWait(name()));
        }
        match self.execution {
            Execution::Concurrent(0) => return Err(InvalidClass::ZeroConcurrency(name())),
            Execution::Concurrent(most) if most > MAX_CONCURRENT => {
                return Err(InvalidClass::TooConcurrent(name(), most));
            }
            _ => {}
        }
        if self
            .throughput
            .is_some_and(|rate| !(rate > 0.0 && rate.is_finite()))
        {
            return Err(InvalidClass::BadThroughput(name()));
        }
        let mut seen = HashSet::new();
        for (index, task) in self.tasks.iter().enumerate() {
            if !is_name(&task.name) || task.tags.iter().any(|tag| !is_name(tag)) {
                return Err(InvalidClass::BadName(self.index));
            }
            self.validate_place(index, task)?;
            if !seen.insert(&task.name) {
                return Err(InvalidClass::DuplicateTask(name(), task.name.clone()));
            }
            match task.weight {
                0 => return Err(InvalidClass::ZeroTaskWeight(name(), task.name.clone())),
                1..=MAX_WEIGHT => {}
                over => return Err(InvalidClass::WeightTooLarge(name(), over)),
            }
        }
        Ok(())
    }

    /// Checks a task's place among the sets.
    fn validate_place(&self, index: usize, task: &Task) -> Result<(), InvalidClass> {
        let bad = |problem| InvalidClass::BadTask {
            class: self.name.clone(),
            task: task.name.clone(),
            problem,
        };
        if let Some(parent) = task.parent {
            let is_set = |at| {
                self.tasks
                    .get(at)
                    .is_some_and(|task: &Task| task.set.is_some())
            };
            if parent >= index || !is_set(parent) {
                return Err(bad("belongs to something that is not a set before it"));
            }
        }
        let Some(set) = &task.set else { return Ok(()) };
        let ordered = |execution| matches!(execution, Execution::Sequential | Execution::Weighted);
        if !ordered(self.execution) {
            return Err(InvalidClass::MisplacedSet(self.name.clone()));
        }
        if !ordered(set.execution) {
            return Err(bad("is a set that is neither sequential nor weighted"));
        }
        if set.rounds == Some(0) {
            return Err(bad("is a set of 0 rounds"));
        }
        match self.tasks.iter().any(|other| other.parent == Some(index)) {
            true => Ok(()),
            false => Err(bad("is a set without tasks")),
        }
    }

    /// Leaves only tasks with one of `only` (all, when that is empty) and none of
    /// `except`, and the sets that still have any.
    fn keep_tagged(&mut self, only: &[String], except: &[String]) {
        let tags = |mut at: usize| {
            let mut tags: Vec<&String> = Vec::new();
            loop {
                tags.extend(&self.tasks[at].tags);
                match self.tasks[at].parent {
                    Some(parent) => at = parent,
                    None => return tags,
                }
            }
        };
        let has = |at: usize, wanted: &[String]| tags(at).iter().any(|tag| wanted.contains(tag));
        let mut kept: Vec<bool> = (0..self.tasks.len())
            .map(|at| {
                let is_task = self.tasks[at].set.is_none();
                is_task && (only.is_empty() || has(at, only)) && !has(at, except)
            })
            .collect();
        for at in (0..self.tasks.len()).rev() {
            if let (true, Some(parent)) = (kept[at], self.tasks[at].parent) {
                kept[parent] = true;
            }
        }
        let moved: Vec<usize> = kept
            .iter()
            .scan(0, |next, kept| {
                Some(std::mem::replace(next, *next + usize::from(*kept)))
            })
            .collect();
        let mut keep = kept.iter();
        self.tasks.retain(|_| keep.next() == Some(&true));
        for task in &mut self.tasks {
            task.parent = task.parent.map(|parent| moved[parent]);
        }
    }

    /// Weights of its tasks, in their order.
    pub fn task_weights(&self) -> Vec<u32> {
        self.tasks.iter().map(|task| task.weight).collect()
    }

    /// Whether its tasks have different weights.
    pub fn tasks_are_weighted(&self) -> bool {
        self.tasks
            .windows(2)
            .any(|pair| pair[0].weight != pair[1].weight)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.chars().any(char::is_control)
}

/// Checks all that a component says of itself.
pub fn validate(sdk: &str, classes: &[UserClass]) -> Result<(), InvalidClass> {
    if !is_name(sdk) {
        return Err(InvalidClass::BadSdk);
    }
    if classes.is_empty() {
        return Err(InvalidClass::NoClass);
    }
    let mut seen = HashSet::new();
    for class in classes {
        class.validate()?;
        if !seen.insert(&class.name) {
            return Err(InvalidClass::DuplicateClass(class.name.clone()));
        }
    }
    Ok(())
}

/// The class of that name.
pub fn find<'a>(classes: &'a [UserClass], name: &str) -> Result<&'a UserClass, InvalidClass> {
    classes
        .iter()
        .find(|class| class.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            InvalidClass::Unknown {
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
}

/// The classes to run: those named, or all with a weight. A class that is named and has
/// weight 0 counts as 1.
pub fn select(classes: Vec<UserClass>, names: &[String]) -> Result<Vec<UserClass>, InvalidClass> {
    for name in names {
        find(&classes, name)?;
    }
    let mut chosen: Vec<UserClass> = classes
        .into_iter()
        .filter(|c| {
            if names.is_empty() {
                c.weight > 0
            } else {
                names.contains(&c.name)
            }
        })
        .collect();
    for class in &mut chosen {
        class.weight = class.weight.max(1);
    }
    if chosen.is_empty() {
        Err(InvalidClass::AllZero)
    } else {
        Ok(chosen)
    }
}

/// Leaves only tasks with one of `only` (all, when that is empty) and none of `except`;
/// classes without any task do not run. Own loops have no tasks to choose from, and run
/// unless `only` asks for something.
pub fn keep_tagged(
    mut classes: Vec<UserClass>,
    only: &[String],
    except: &[String],
) -> Result<Vec<UserClass>, InvalidClass> {
    if only.is_empty() && except.is_empty() {
        return Ok(classes);
    }
    for class in &mut classes {
        class.keep_tagged(only, except);
    }
    classes.retain(|class| {
        let own_loop = class.execution == Execution::OwnLoop && only.is_empty();
        own_loop || !class.tasks.is_empty()
    });
    if !classes.is_empty() {
        return Ok(classes);
    }
    let mut words = Vec::new();
    if !only.is_empty() {
        words.push(format!("--tags {}", only.join(",")));
    }
    if !except.is_empty() {
        words.push(format!("--exclude-tags {}", except.join(",")));
    }
    Err(InvalidClass::NoTaggedTask(words.join(" ")))
}

/// Shares `total` users by weight with the largest-remainder method: the shares add up to
/// `total`, and each is within one of its exact value. Ties go to the earlier class.
pub fn distribute(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u32| u64::from(total) * u64::from(weight);
    let mut shares: Vec<u32> = weights.iter().map(|&w| (exact(w) / sum) as u32).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&i| std::cmp::Reverse(exact(weights[i]) % sum));
    let left = total - shares.iter().sum::<u32>();
    for &index in by_remainder.iter().take(left as usize) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class(name: &str, weight: u32) -> UserClass {
        UserClass {
            index: 0,
            name: name.into(),
            weight,
            host: None,
            wait_time: WaitTime::None,
            execution: Execution::Sequential,
            alone: false,
            throughput: None,
            pacing: None,
            tasks: vec![task("test", None, &[])],
        }
    }

    fn task(name: &str, parent: Option<usize>, tags: &[&str]) -> Task {
        Task {
            name: name.into(),
            parent,
            tags: tags.iter().map(ToString::to_string).collect(),
            ..Task::default()
        }
    }

    fn set(name: &str, parent: Option<usize>, tags: &[&str]) -> Task {
        let set = TaskSet {
            execution: Execution::Sequential,
            rounds: Some(1),
        };
        Task {
            set: Some(set),
            ..task(name, parent, tags)
        }
    }

    #[test]
    fn sets_have_to_make_sense() {
        let with = |execution, tasks: Vec<Task>| {
            let class = UserClass {
                execution,
                tasks,
                ..class("A", 1)
            };
            class.validate()
        };
        let tree = || vec![set("s", None, &[]), task("t", Some(0), &[])];
        assert_eq!(with(Execution::Weighted, tree()), Ok(()));
        assert_eq!(
            with(Execution::Concurrent(2), tree()),
            Err(InvalidClass::MisplacedSet("A".into()))
        );
        let problem = |tasks| match with(Execution::Sequential, tasks) {
            Err(InvalidClass::BadTask { problem, .. }) => problem,
            other => panic!("{other:?}"),
        };
        let not_a_set = "belongs to something that is not a set before it";
        assert_eq!(problem(vec![task("t", Some(0), &[])]), not_a_set);
        assert_eq!(problem(vec![task("t", Some(9), &[])]), not_a_set);
        assert_eq!(problem(vec![set("s", None, &[])]), "is a set without tasks");
    }

    #[test]
    fn tags_choose_tasks_and_sets_pass_theirs_on() {
        let tagged = || UserClass {
            tasks: vec![
                task("plain", None, &[]),
                set("shop", None, &["shop"]),
                task("look", Some(1), &[]),
                task("pay", Some(1), &["slow"]),
                set("rest", None, &[]),
                task("sleep", Some(4), &["slow"]),
            ],
            ..class("A", 1)
        };
        let words = |tags: &[&str]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
        let left = |only: &[&str], except: &[&str]| {
            let classes = keep_tagged(vec![tagged()], &words(only), &words(except))?;
            assert!(classes.iter().all(|class| class.validate().is_ok()));
            let names = classes[0].tasks.iter().map(|t| t.name.clone());
            Ok::<_, InvalidClass>(names.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(left(&[], &[]).unwrap(), "plain shop look pay rest sleep");
        assert_eq!(left(&["shop"], &[]).unwrap(), "shop look pay");
        assert_eq!(left(&["shop"], &["slow"]).unwrap(), "shop look");
        assert_eq!(left(&["slow"], &[]).unwrap(), "shop pay rest sleep");
        assert_eq!(left(&[], &["slow"]).unwrap(), "plain shop look");
        let none = left(&["x"], &["slow"]).unwrap_err().to_string();
        assert_eq!(none, "no task is left with --tags x --exclude-tags slow");
    }

    #[test]
    fn the_seeds_split() {
        assert_eq!(distribute(100, &[1, 4]), [20, 80]);
        assert_eq!(distribute(3, &[1, 4]), [1, 2]);
        assert_eq!(distribute(10, &[1, 1, 1]), [4, 3, 3]);
    }

    #[test]
    fn malformed_manifests_are_refused() {
        let with = |change: fn(&mut UserClass)| {
            let mut c = class("A", 1);
            change(&mut c);
            validate("sdk 1", &[c])
        };
        assert_eq!(validate("sdk 1", &[]), Err(InvalidClass::NoClass));
        assert_eq!(
            validate("sdk 1", &[class("A", 1), class("A", 2)]),
            Err(InvalidClass::DuplicateClass("A".into()))
        );
        assert_eq!(
            with(|c| c.tasks.clear()),
            Err(InvalidClass::NoTasks("A".into()))
        );
        assert_eq!(with(|c| c.name.clear()), Err(InvalidClass::BadName(0)));
        assert_eq!(
            with(|c| c.tasks[0].weight = 0),
            Err(InvalidClass::ZeroTaskWeight("A".into(), "test".into()))
        );
        assert_eq!(
            with(|c| c.weight = u32::MAX),
            Err(InvalidClass::WeightTooLarge("A".into(), u32::MAX))
        );
        assert_eq!(
            with(|c| c.execution = Execution::Concurrent(0)),
            Err(InvalidClass::ZeroConcurrency("A".into()))
        );
        assert_eq!(
            with(|c| c.wait_time = WaitTime::Between(Duration::from_secs(2), Duration::ZERO)),
            Err(InvalidClass::ReversedWait("A".into()))
        );
        assert_eq!(
            with(|c| c.tasks.push(c.tasks[0].clone())),
            Err(InvalidClass::DuplicateTask("A".into(), "test".into()))
        );
        let own_loop = with(|c| {
            c.tasks.clear();
            c.execution = Execution::OwnLoop;
        });
        assert_eq!(own_loop, Ok(()));
    }

    #[test]
    fn named_classes_run_even_without_weight() {
        let all = || vec![class("A", 0), class("B", 3)];
        let names = |v: Vec<UserClass>| v.into_iter().map(|c| c.name).collect::<Vec<_>>();
        assert_eq!(names(select(all(), &[]).unwrap()), ["B"]);
        assert_eq!(select(all(), &["A".into()]).unwrap()[0].weight, 1);
        assert_eq!(select(vec![class("A", 0)], &[]), Err(InvalidClass::AllZero));
        let unknown = select(all(), &["C".into()]).unwrap_err().to_string();
        assert_eq!(unknown, "no user class 'C'; the component has A, B");
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_within_one(
            total in 0_u32..1_000_000,
            weights in prop::collection::vec(1_u32..=MAX_WEIGHT, 1..20),
        ) {
            let shares = distribute(total, &weights);
            let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
            prop_assert_eq!(shares.iter().sum::<u32>(), total);
            for (share, weight) in shares.iter().zip(&weights) {
                let exact = f64::from(total) * f64::from(*weight) / sum;
                prop_assert!((f64::from(*share) - exact).abs() < 1.0 + 1e-6);
            }
        }
    }
}
