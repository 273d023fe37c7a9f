//! Users of the event-loop convention, straight on the generated bindings. They tell a
//! server what happens to them. All have weight 0: name the classes on the command line.

mod executor;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Duration;

use bindings::aiotest::engine::event_loop::{Outcome, Step};
use bindings::aiotest::engine::http::{Method, Request, Response, Session, SessionOptions};
use bindings::aiotest::engine::manifest::{Execution, Manifest, Task, UserClass, WaitTime};
use bindings::aiotest::engine::types::Failure;
use bindings::aiotest::engine::{blocking_io, metrics, run};
use bindings::exports::aiotest::engine::event_loop_scenario::Guest;
use executor::{Work, begin_and_cancel, must_stop, send, serve, sleep};

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "event-loop-load-test",
        generate_all,
    });
    use super::Scenario;
    export!(Scenario);
}

/// Names of the classes, how their tasks run, and the tasks.
const CLASSES: [(&str, Execution, &[&str]); 12] = [
    ("Worker", Execution::Sequential, &["test_work"]),
    ("Sleeper", Execution::Sequential, &["test_sleep"]),
    ("Gate", Execution::Sequential, &["test_gate"]),
    ("Faulty", Execution::Sequential, &["test_maybe"]),
    ("Spinner", Execution::Sequential, &["test_spin"]),
    ("Held", Execution::Sequential, &["test_hold"]),
    ("Loop", Execution::OwnLoop, &[]),
    ("Stubborn", Execution::OwnLoop, &[]),
    ("Overlap", Execution::Concurrent, &["test_one", "test_two"]),
    ("Alone", Execution::Sequential, &["test_gate"]),
    ("Quitter", Execution::Sequential, &["test_quit"]),
    ("Fickle", Execution::Sequential, &["test_cancel"]),
];

struct Scenario;

impl Guest for Scenario {
    fn describe() -> Result<Manifest, String> {
        if let Some(why) = run::option("refuse") {
            return Err(why);
        }
        Ok(Manifest {
            sdk: "by hand".to_owned(),
            classes: CLASSES.iter().map(class).collect(),
            thresholds: Vec::new(),
        })
    }

    fn has_load_shape() -> bool {
        false
    }

    fn serve() {
        if run::option("serve").as_deref() == Some("no") {
            return;
        }
        serve(
            |user, step| match step {
                Step::OnStart(class) => Box::pin(start(user, class)),
                step => step_of(user, step),
            },
            |user| {
                USERS.with_borrow_mut(|users| users.remove(&user));
            },
        );
    }
}

fn class((name, execution, tasks): &(&str, Execution, &[&str])) -> UserClass {
    let task = |name: &&str| Task {
        name: (*name).to_owned(),
        weight: 1,
        tags: Vec::new(),
        parent: None,
        set: None,
    };
    UserClass {
        name: (*name).to_owned(),
        weight: 0,
        host: None,
        wait_time: match *name {
            "Faulty" => WaitTime::Computed,
            "Worker" => WaitTime::Fixed(20_000_000),
            _ => WaitTime::None,
        },
        execution: *execution,
        alone: *name == "Alone",
        max_concurrent_tasks: None,
        throughput: None,
        tasks: tasks.iter().map(task).collect(),
    }
}

struct User {
    id: u64,
    class: &'static str,
    session: Session,
    held: RefCell<Option<Response>>,
}

thread_local! {
    static USERS: RefCell<BTreeMap<u64, Rc<User>>> = RefCell::default();
}

async fn start(id: u64, class: u32) -> Outcome {
    let options = SessionOptions {
        base_url: None,
        headers: Vec::new(),
        cookies: false,
        options: None,
    };
    let session = match Session::open(id, &options) {
        Ok(session) => session,
        Err(why) => return failed(&why),
    };
    let (class, ..) = CLASSES[class as usize];
    let user = Rc::new(User {
        id,
        class,
        session,
        held: RefCell::default(),
    });
    USERS.with_borrow_mut(|users| users.insert(id, user.clone()));
    user.tell("start").await
}

fn step_of(id: u64, step: Step) -> Work {
    let user = USERS.with_borrow(|users| users.get(&id).cloned());
    // It is there: it has been started.
    let Some(user) = user else {
        return Box::pin(async { failed("who is that?") });
    };
    Box::pin(async move {
        match step {
            Step::OnStart(_) => failed("started twice"),
            Step::RunTask(_) => user.work().await,
            Step::Run => user.own_loop().await,
            Step::WaitTime => Outcome::Wait(50_000_000),
            Step::OnStop => user.tell("stop").await,
        }
    })
}

fn failed(why: &str) -> Outcome {
    Outcome::Failed(Failure::Failed(why.to_owned()))
}

fn request(url: String) -> Request {
    Request {
        method: Method::Get,
        url,
        name: None,
        tags: Vec::new(),
        headers: Vec::new(),
        body: None,
        options: None,
    }
}

impl User {
    async fn get(&self, url: &str) -> Result<Response, Outcome> {
        let answer = send(&self.session, &request(url.to_owned())).await;
        answer.map_err(|error| failed(&error.message))
    }

    async fn tell(&self, what: &str) -> Outcome {
        let url = format!("/event?user={}&what={what}", self.id);
        match self.get(&url).await {
            Ok(_) => Outcome::Done,
            Err(outcome) => outcome,
        }
    }

    async fn work(&self) -> Outcome {
        match self.class {
            "Sleeper" => {
                let whole = sleep(self.id, Duration::from_millis(500)).await;
                metrics::count(if whole { "naps" } else { "alarms" }, 1.0);
                Outcome::Done
            }
            "Gate" | "Overlap" => match self.get("/gate?of=2").await {
                Ok(_) => Outcome::Done,
                Err(outcome) => outcome,
            },
            "Faulty" if self.id.is_multiple_of(2) => match self.get("/status/200").await {
                Ok(response) => {
                    self.held.replace(Some(response));
                    failed("no luck today")
                }
                Err(outcome) => outcome,
            },
            "Spinner" if self.id == 2 => loop {
                black_box(self.id);
            },
            "Held" => match self.get("/hold").await {
                Ok(_) => Outcome::Done,
                Err(outcome) => outcome,
            },
            "Alone" => match blocking_io::send(&self.session, &request("/gate?of=2".into())) {
                Ok(_) => Outcome::Done,
                Err(error) => failed(&error.message),
            },
            "Quitter" => Outcome::Failed(Failure::StopUser),
            "Fickle" => {
                begin_and_cancel(&self.session, &request("/hold".to_owned()));
                self.tell("task").await
            }
            _ => self.tell("task").await,
        }
    }

    async fn own_loop(&self) -> Outcome {
        while !must_stop(self.id) {
            if self.class == "Stubborn" {
                // Fails before anything is sent, and so without any wait.
                let _ = self.get("http://[").await;
                continue;
            }
            if !matches!(self.tell("task").await, Outcome::Done) {
                return failed("the server is gone");
            }
            sleep(self.id, Duration::from_millis(50)).await;
        }
        Outcome::Failed(Failure::Stopping)
    }
}
