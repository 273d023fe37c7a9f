//! What a user class is made of. `#[user]` writes all of this down from the class; it
//! is not meant to be written by hand.

use std::cell::{Ref, RefCell, RefMut};
use std::time::Duration;

use crate::bindings::aiotest::engine::manifest;
use crate::call::{Caller, answer, on_behalf_of};
use crate::client::SessionOptions;
use crate::convention::{Reply, reply};
use crate::failure::{Failure, Result};
use crate::nanos;

/// A user class, as constants.
pub struct Class {
    /// The name of the type.
    pub name: &'static str,
    /// Share of the users.
    pub weight: u32,
    /// Base URL, unless the run names another.
    pub host: Option<&'static str>,
    /// How long a user waits after each task.
    pub wait_time: WaitTime,
    /// Who decides which task is next.
    pub execution: Execution,
    /// For concurrent execution.
    pub max_concurrent_tasks: Option<u32>,
    /// Iterations that all its users start per second, at most.
    pub throughput: Option<f64>,
    /// In the order of the class, each set before what belongs to it.
    pub tasks: &'static [Task],
    /// Options of clients that are made by default.
    pub session: fn() -> SessionOptions,
    /// Makes a user.
    pub create: fn() -> Box<dyn AnyUser>,
}

/// A task of a class, or a set of them.
pub struct Task {
    /// The name of the function or of the set.
    pub name: &'static str,
    /// Its share where tasks are drawn by weight.
    pub weight: u32,
    /// Words to choose it by.
    pub tags: &'static [&'static str],
    /// Where in the list the set stands that it belongs to.
    pub parent: Option<u32>,
    /// Present for a set.
    pub set: Option<TaskSet>,
}

/// How the tasks of a set run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskSet {
    /// Sequential or weighted.
    pub execution: Execution,
    /// After which it is done; absent for one that a task leaves.
    pub rounds: Option<u32>,
}

/// How long a user waits after each task.
#[derive(Clone, Copy)]
pub enum WaitTime {
    /// Not at all.
    None,
    /// Always as long.
    Fixed(Duration),
    /// Evenly distributed between the two.
    Between(Duration, Duration),
    /// Tasks start this far apart.
    Pacing(Duration),
    /// The user is asked.
    Computed,
}

/// Who decides which task is next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Execution {
    /// In the order of the class.
    Sequential,
    /// At random, by weight.
    Weighted,
    /// Several at a time.
    Concurrent,
    /// The scenario.
    OwnLoop,
}

/// What the host asks a user to do.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Get ready.
    OnStart,
    /// The task of this index.
    Task(u32),
    /// The scenario's own loop.
    Run,
    /// Say how long to wait.
    WaitTime,
    /// Clean up.
    OnStop,
}

/// A user class. `#[user]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user class",
    note = "put #[user] on its impl block"
)]
pub trait User: Default + 'static {
    /// What the class says about itself.
    const CLASS: Class;

    /// Takes one step. Only `WaitTime` returns something other than zero.
    fn call(user: &RefCell<Self>, step: Step) -> impl Future<Output = Result<Duration>>;
}

/// Users of all classes.
pub trait AnyUser {
    /// Takes one step for this caller.
    fn step(&self, caller: Caller, step: Step) -> Reply<'_, Duration>;
}

impl<T: User> AnyUser for RefCell<T> {
    fn step(&self, caller: Caller, step: Step) -> Reply<'_, Duration> {
        reply(answer(caller, T::call(self, step)))
    }
}

/// A user of class `T`.
#[must_use]
pub fn create<T: User>() -> Box<dyn AnyUser> {
    Box::new(RefCell::<T>::default())
}

/// A user of this class with this number.
pub(crate) fn start(class: &Class, id: u64) -> (Caller, Box<dyn AnyUser>) {
    let caller = Caller {
        user: id,
        session: class.session,
    };
    (caller, on_behalf_of(caller, class.create))
}

/// The user for a step that takes `&self`: such steps may overlap.
///
/// # Errors
///
/// When a step that takes `&mut self` is under way.
pub fn shared<T>(user: &RefCell<T>) -> Result<Ref<'_, T>> {
    user.try_borrow().map_err(|_| overlap())
}

/// The user for a step that takes `&mut self`: it runs alone.
///
/// # Errors
///
/// When another step is under way.
pub fn exclusive<T>(user: &RefCell<T>) -> Result<RefMut<'_, T>> {
    user.try_borrow_mut().map_err(|_| overlap())
}

#[cold]
fn overlap() -> Failure {
    Failure::new("two steps of the user overlap, and one of them takes `&mut self`")
}

/// The class does not have this step.
#[cold]
#[must_use]
pub fn unknown(step: Step) -> Failure {
    Failure::Failed(format!("the user class has no step {step:?}"))
}

/// Whether all classes differ in their names; for use in constants.
#[must_use]
pub const fn distinct(classes: &[Class]) -> bool {
    let mut one = 0;
    while one < classes.len() {
        let mut other = one + 1;
        while other < classes.len() {
            if same(classes[one].name.as_bytes(), classes[other].name.as_bytes()) {
                return false;
            }
            other += 1;
        }
        one += 1;
    }
    true
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// What the component says about itself.
pub(crate) fn describe(classes: &[Class], thresholds: &[&str]) -> manifest::Manifest {
    manifest::Manifest {
        sdk: concat!("aiotest-rust ", env!("CARGO_PKG_VERSION")).to_owned(),
        classes: classes.iter().map(manifest::UserClass::from).collect(),
        thresholds: owned(thresholds),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

impl From<&Class> for manifest::UserClass {
    fn from(class: &Class) -> Self {
        Self {
            name: class.name.to_owned(),
            weight: class.weight,
            host: class.host.map(str::to_owned),
            wait_time: class.wait_time.into(),
            execution: class.execution.into(),
            alone: false,
            max_concurrent_tasks: class.max_concurrent_tasks,
            throughput: class.throughput,
            tasks: class.tasks.iter().map(manifest::Task::from).collect(),
        }
    }
}

impl From<&Task> for manifest::Task {
    fn from(task: &Task) -> Self {
        Self {
            name: task.name.to_owned(),
            weight: task.weight,
            tags: owned(task.tags),
            parent: task.parent,
            set: task.set.map(manifest::TaskSet::from),
        }
    }
}

impl From<TaskSet> for manifest::TaskSet {
    fn from(set: TaskSet) -> Self {
        Self {
            execution: set.execution.into(),
            rounds: set.rounds,
        }
    }
}

impl From<WaitTime> for manifest::WaitTime {
    fn from(wait_time: WaitTime) -> Self {
        match wait_time {
            WaitTime::None => Self::None,
            WaitTime::Fixed(wait) => Self::Fixed(nanos(wait)),
            WaitTime::Between(least, most) => Self::Between((nanos(least), nanos(most))),
            WaitTime::Pacing(interval) => Self::Pacing(nanos(interval)),
            WaitTime::Computed => Self::Computed,
        }
    }
}

impl From<Execution> for manifest::Execution {
    fn from(execution: Execution) -> Self {
        match execution {
            Execution::Sequential => Self::Sequential,
            Execution::Weighted => Self::Weighted,
            Execution::Concurrent => Self::Concurrent,
            Execution::OwnLoop => Self::OwnLoop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn class(name: &'static str) -> Class {
        Class {
            name,
            weight: 1,
            host: None,
            wait_time: WaitTime::None,
            execution: Execution::Sequential,
            max_concurrent_tasks: None,
            throughput: None,
            tasks: &[],
            session: SessionOptions::default,
            create: || unreachable!(),
        }
    }

    #[test]
    fn a_manifest_has_all_that_the_classes_say() {
        const LISTED: &[Task] = &[
            Task {
                name: "browse",
                weight: 2,
                tags: &["read"],
                parent: None,
                set: Some(TaskSet {
                    execution: Execution::Weighted,
                    rounds: Some(5),
                }),
            },
            Task {
                name: "test_list",
                weight: 1,
                tags: &[],
                parent: Some(0),
                set: None,
            },
        ];
        let class = Class {
            throughput: Some(2.5),
            tasks: LISTED,
            ..class("Cart")
        };
        let manifest = describe(&[class], &["failures: rate<1%"]);
        assert_eq!(manifest.thresholds, ["failures: rate<1%"]);
        let class = &manifest.classes[0];
        assert_eq!(class.throughput, Some(2.5));
        let [browse, list] = &class.tasks[..] else {
            panic!("two tasks: {:?}", class.tasks);
        };
        assert_eq!(
            (browse.weight, &browse.tags[..]),
            (2, &["read".to_owned()][..])
        );
        let set = browse.set.as_ref().unwrap();
        assert!(matches!(set.execution, manifest::Execution::Weighted));
        assert_eq!((set.rounds, browse.parent), (Some(5), None));
        assert!(list.set.is_none() && list.parent == Some(0));
    }

    #[test]
    fn classes_of_the_same_name_are_found() {
        assert!(distinct(&[class("Cart"), class("Card"), class("Car")]));
        assert!(!distinct(&[class("Cart"), class("Card"), class("Cart")]));
    }
}
