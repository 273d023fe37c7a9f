//! Orders over HTTP to a run under way, and who may give them.

mod access;
mod ends;
mod loads;
mod pauses;
mod states;

use aiotest_tests::{Control, Engine, LoadTest, Recorder, Results};
use serde_json::Value;

const GUEST: &str = "guest-probe";

/// Starts a run that can be controlled.
fn start(recorder: &Recorder, args: &str) -> (LoadTest, Control) {
    start_with(&Engine::new(), recorder, args)
}

fn start_with(engine: &Engine, recorder: &Recorder, args: &str) -> (LoadTest, Control) {
    launch(engine, &recorder.url(), args)
}

fn start_at(host: &str, args: &str) -> (LoadTest, Control) {
    launch(&Engine::new(), host, args)
}

fn launch(engine: &Engine, host: &str, args: &str) -> (LoadTest, Control) {
    let endpoint = match args.contains("--prometheus") {
        true => "",
        false => "--prometheus 127.0.0.1:0",
    };
    let args = format!("{args} {endpoint} -H {host}");
    let mut test = LoadTest::start(engine, GUEST, &args);
    let control = Control::of(&mut test);
    (test, control)
}

/// How often this was told.
fn told(recorder: &Recorder, what: &str) -> usize {
    let events = recorder.events();
    events.iter().filter(|event| event.what == what).count()
}

/// What the state says of the only plan.
#[track_caller]
fn plan(state: &Value) -> &Value {
    let plans = state["plans"].as_array().expect("the state has plans");
    assert_eq!(plans.len(), 1, "{state}");
    &plans[0]
}

/// The run went well, with these users from their start to their stop.
#[track_caller]
fn assert_whole(recorder: &Recorder, results: &Results, users: usize) {
    let lives = recorder.lives();
    assert_eq!(lives.len(), users, "{lives:?}");
    for (user, life) in lives {
        let ends = [&life[0], &life[life.len() - 1]];
        assert_eq!(ends, ["start", "stop"], "user {user}: {life:?}");
    }
    assert_eq!(results.number("/users/started"), users as f64);
    assert_eq!(results.number("/users/stopped"), users as f64);
    let events = recorder.events().len();
    assert_eq!(results.number("/total/requests"), events as f64);
    assert_eq!(results.number("/total/failures"), 0.0);
}
