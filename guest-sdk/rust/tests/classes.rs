//! What `#[user]` writes down of a class, and which of its functions a step calls.

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aiotest::__private::{Class, Execution, Step, TaskSet, User, WaitTime};
use aiotest::{Failure, Result, user};

#[derive(Default)]
struct Plain {
    steps: Vec<&'static str>,
}

#[user]
impl Plain {
    async fn on_start(&mut self) -> Result {
        self.note("on_start");
        Ok(())
    }

    async fn test_first(&mut self) -> Result {
        self.note("first");
        Ok(())
    }

    fn note(&mut self, step: &'static str) {
        self.steps.push(step);
    }

    async fn second_test(&self) -> Result {
        Err(self.latest().await)
    }

    async fn latest(&self) -> Failure {
        Failure::new("second")
    }
}

#[derive(Default)]
struct Rich {
    waits: u32,
}

#[user(
    weight = 4,
    host = "https://example.org",
    wait_time = computed,
    timeout = 2.5,
    headers = [("accept", "text/html")],
    cookies = false,
    redirects = 0,
    retries = 3,
)]
impl Rich {
    #[weight(3)]
    async fn test_often(&mut self) -> Result {
        Ok(())
    }

    async fn test_seldom(&mut self) -> Result {
        Ok(())
    }

    fn wait_time(&mut self) -> Duration {
        self.waits += 1;
        Duration::from_secs(self.waits.into())
    }
}

/// Opens, browses (in which it inspects), and closes.
#[derive(Default)]
struct Nested;

#[user(
    throughput = 12.5,
    wait_time = throughput(0.5),
    sets(
        browse(weighted, rounds = 5, tags = ["read"]),
        inspect(sequential, parent = browse, weight = 2),
        outer(sequential, rounds = forever),
        inner(weighted, parent = outer),
    )
)]
impl Nested {
    #[task]
    async fn test_open(&mut self) -> Result {
        Err(Failure::new("open"))
    }

    #[task(set = inspect, tags = ["slow", "admin"])]
    async fn test_zoom(&mut self) -> Result {
        Err(Failure::new("zoom"))
    }

    #[task(weight = 3, set = browse)]
    async fn test_list(&mut self) -> Result {
        Err(Failure::leave_set())
    }

    async fn test_close(&mut self) -> Result {
        Err(Failure::new("close"))
    }

    #[task(set = inner)]
    async fn test_deep(&mut self) -> Result {
        Err(Failure::new("deep"))
    }

    // It follows its own kind, although another task stands between them.
    #[task(set = inspect)]
    async fn test_unzoom(&mut self) -> Result {
        Err(Failure::new("unzoom"))
    }
}

/// Chooses between a task and a set.
#[derive(Default)]
struct Choosy;

#[user(sets(many(sequential, weight = 4)))]
impl Choosy {
    async fn test_one(&mut self) -> Result {
        Ok(())
    }

    #[task(set = many)]
    async fn test_more(&mut self) -> Result {
        Ok(())
    }
}

fn step<T: User>(user: &RefCell<T>, step: Step) -> Result<Duration> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(T::call(user, step)).poll(&mut context) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

fn tasks(class: &Class) -> Vec<(&str, u32)> {
    let tasks = class.tasks.iter();
    tasks.map(|task| (task.name, task.weight)).collect()
}

#[test]
fn a_plain_class_has_the_defaults() {
    let class = Plain::CLASS;
    assert_eq!((class.name, class.weight, class.host), ("Plain", 1, None));
    assert!(matches!(class.wait_time, WaitTime::None));
    assert!(matches!(class.execution, Execution::Sequential));
    assert_eq!(tasks(&class), [("test_first", 1), ("second_test", 1)]);
    assert_eq!((class.session)(), aiotest::SessionOptions::default());
}

#[test]
fn attributes_are_kept() {
    let class = Rich::CLASS;
    assert_eq!((class.weight, class.host), (4, Some("https://example.org")));
    assert!(matches!(class.wait_time, WaitTime::Computed));
    assert!(matches!(class.execution, Execution::Weighted));
    assert_eq!(tasks(&class), [("test_often", 3), ("test_seldom", 1)]);
    let session = (class.session)();
    assert_eq!(session.timeout, Some(Duration::from_millis(2500)));
    assert_eq!(
        session.headers,
        [("accept".to_owned(), "text/html".to_owned())]
    );
    assert!(!session.cookies);
    assert_eq!((session.redirects, session.retries), (Some(0), Some(3)));
}

#[test]
fn sets_stand_before_their_first_task() {
    let class = Nested::CLASS;
    let list = class.tasks.iter();
    let list: Vec<_> = list.map(|task| (task.name, task.parent)).collect();
    assert_eq!(
        list,
        [
            ("test_open", None),
            ("browse", None),
            ("inspect", Some(1)),
            ("test_zoom", Some(2)),
            ("test_list", Some(1)),
            ("test_close", None),
            ("outer", None),
            ("inner", Some(6)),
            ("test_deep", Some(7)),
            ("test_unzoom", Some(2)),
        ]
    );
    let sets = class.tasks.iter().filter_map(|task| task.set);
    let set = |execution, rounds| TaskSet { execution, rounds };
    assert_eq!(
        sets.collect::<Vec<_>>(),
        [
            set(Execution::Weighted, Some(5)),
            set(Execution::Sequential, Some(1)),
            set(Execution::Sequential, None),
            set(Execution::Weighted, None),
        ]
    );
}

#[test]
fn tasks_and_sets_have_weights_and_tags() {
    let class = Nested::CLASS;
    assert!(matches!(class.execution, Execution::Sequential));
    let weights: Vec<_> = tasks(&class).into_iter().filter(|(_, n)| *n > 1).collect();
    assert_eq!(weights, [("inspect", 2), ("test_list", 3)]);
    let tagged = class.tasks.iter().filter(|task| !task.tags.is_empty());
    assert_eq!(
        tagged
            .map(|task| (task.name, task.tags))
            .collect::<Vec<_>>(),
        [("browse", &["read"][..]), ("test_zoom", &["slow", "admin"])]
    );
    // A weight at the top makes the class weighted, and those further down do not.
    assert!(matches!(Choosy::CLASS.execution, Execution::Weighted));
    assert_eq!(
        tasks(&Choosy::CLASS),
        [("test_one", 1), ("many", 4), ("test_more", 1)]
    );
}

#[test]
fn thresholds_are_found_among_the_parts_of_a_scenario() {
    const NONE: &[&str] = aiotest::__scenario_thresholds!(shape = (), hooks = ());
    const SOME: &[&str] =
        aiotest::__scenario_thresholds!(events = (), thresholds = ["a", "b"], hooks = ());
    assert!(NONE.is_empty());
    assert_eq!(SOME, ["a", "b"]);
}

#[test]
fn throughput_limits_users_and_classes() {
    let class = Nested::CLASS;
    assert_eq!(class.throughput, Some(12.5));
    assert!(matches!(class.wait_time, WaitTime::Pacing(wait) if wait == Duration::from_secs(2)));
    assert_eq!(Plain::CLASS.throughput, None);
}

#[test]
fn tasks_are_called_by_their_place_among_the_sets() {
    let user = RefCell::new(Nested);
    let fails = |index| match step(&user, Step::Task(index)) {
        Err(Failure::Failed(reason)) => reason,
        other => format!("{other:?}"),
    };
    assert_eq!(
        [0, 3, 5, 8, 9].map(fails),
        ["open", "zoom", "close", "deep", "unzoom"]
    );
    assert_eq!(step(&user, Step::Task(4)), Err(Failure::LeaveSet));
    // A set has no code of its own.
    assert!(fails(1).contains("no step"));
}

#[test]
fn steps_reach_their_functions() {
    let user = RefCell::new(Plain::default());
    assert_eq!(step(&user, Step::OnStart), Ok(Duration::ZERO));
    assert_eq!(step(&user, Step::Task(0)), Ok(Duration::ZERO));
    assert_eq!(step(&user, Step::Task(1)), Err(Failure::new("second")));
    assert_eq!(step(&user, Step::OnStop), Ok(Duration::ZERO));
    assert_eq!(user.borrow().steps, ["on_start", "first"]);

    let user = RefCell::new(Rich::default());
    assert_eq!(step(&user, Step::WaitTime), Ok(Duration::from_secs(1)));
    assert_eq!(step(&user, Step::WaitTime), Ok(Duration::from_secs(2)));
}

#[test]
fn a_step_that_is_not_there_fails() {
    let user = RefCell::new(Plain::default());
    for missing in [Step::Task(2), Step::Run, Step::WaitTime] {
        assert!(matches!(step(&user, missing), Err(Failure::Failed(_))));
    }
}

#[test]
fn only_shared_steps_overlap() {
    let user = RefCell::new(Plain::default());
    let _under_way = user.borrow();
    assert_eq!(step(&user, Step::Task(1)), Err(Failure::new("second")));
    let overlap = step(&user, Step::Task(0)).unwrap_err();
    assert!(overlap.to_string().contains("overlap"), "{overlap}");
}
