//! What `#[user]` writes down of a class, and which of its functions a step calls.

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aiotest::__private::{Class, Execution, Step, User, WaitTime};
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
