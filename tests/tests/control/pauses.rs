//! What a pause holds on to: users, time, stages, the load shape and arrivals.

use std::{
    thread,
    time::{Duration, Instant},
};

use aiotest_tests::{Control, Recorder, Results};
use serde_json::Value;

use super::{assert_whole, plan, start, told};

const PAUSE: Duration = Duration::from_secs(3);

/// What a pause was like.
struct Paused {
    /// The state at its end.
    state: Value,
    /// How long it was in seconds, at least and at most.
    least: f64,
    most: f64,
}

impl Paused {
    #[track_caller]
    fn assert_in(&self, results: &Results) {
        let paused = results.number("/run/paused_seconds");
        assert!((self.least..=self.most).contains(&paused), "{paused} s");
    }
}

/// Pauses a run for a while, in which nothing happens but what was in hand.
fn pause(control: &Control, recorder: &Recorder) -> Paused {
    let ordered = Instant::now();
    let before = control.post("/pause").json();
    let paused = Instant::now();
    let events = recorder.events().len();
    assert_eq!(before["state"], "paused");
    thread::sleep(PAUSE);
    let state = control.state();
    let more = recorder.events().len() - events;
    let least = paused.elapsed();
    assert_eq!(control.post("/resume").json()["state"], "running");
    let most = ordered.elapsed();
    assert_eq!(state["state"], "paused");
    let in_hand = before["users"].as_u64().expect("the state has users");
    assert!(more as u64 <= in_hand, "{more} requests of {in_hand} users");
    // The run's clock stood still, and with it the load.
    assert_eq!(before["elapsed_seconds"], state["elapsed_seconds"]);
    assert_eq!(plan(&before), plan(&state));
    Paused {
        state,
        least: least.as_secs_f64(),
        most: most.as_secs_f64(),
    }
}

#[test]
fn nothing_begins_and_the_run_time_is_not_spent() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 3 -t 3s");
    recorder.wait_for("task", 20);
    let paused = pause(&control, &recorder);
    recorder.wait_for("task", told(&recorder, "task") + 20);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    assert_whole(&recorder, &results, 3);
    paused.assert_in(&results);
    let shown = paused.state["paused_seconds"].as_f64().unwrap();
    assert!((1.0..=paused.most).contains(&shown), "{shown} s");
    let duration = results.number("/run/duration_seconds");
    assert!((3.0..3.0 + paused.least).contains(&duration), "{duration}");
}

#[test]
fn stages_go_on_where_they_were() {
    let recorder = Recorder::start();
    let stages = "-s 2s:10 -s 1s:10 -s 500ms:0";
    let (test, control) = start(&recorder, &format!("Worker {stages}"));
    recorder.wait_for("start", 3);
    let paused = pause(&control, &recorder);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    // By the clock on the wall the stages were over before the run went on.
    assert_whole(&recorder, &results, 10);
    assert_eq!(results.number("/users/peak"), 10.0);
    assert!(results.number("/run/duration_seconds") >= 3.5);
    paused.assert_in(&results);
}

#[test]
fn a_load_shape_is_not_asked() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker");
    recorder.wait_for("start", 4);
    let paused = pause(&control, &recorder);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    assert_whole(&recorder, &results, 4);
    paused.assert_in(&results);
}

#[test]
fn iterations_of_an_arrival_rate_do_not_pile_up() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Once --arrival-rate 50 -u 5 -t 3s");
    recorder.wait_for("once", 30);
    let paused = pause(&control, &recorder);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    paused.assert_in(&results);
    let began = told(&recorder, "once") as f64;
    assert_eq!(results.number("/iterations/count"), began);
    let planned = began + results.number("/iterations/dropped");
    let most = 50.0 * results.number("/run/duration_seconds") + 2.0;
    assert!((148.0..=most).contains(&planned), "{planned} of {most}");
    // A pause makes nothing late.
    let latest = results.number("/iterations/late_ms/max");
    assert!(latest < 1000.0 * paused.least, "{latest} ms");
}

#[test]
fn a_paused_run_can_be_ended() {
    for end in ["POST /stop", "SIGTERM"] {
        let recorder = Recorder::start();
        let (test, control) = start(&recorder, "Worker -u 3");
        recorder.wait_for("task", 6);
        assert_eq!(control.post("/pause").status, 200);
        let expected = match end {
            "SIGTERM" => {
                test.terminate();
                (130, "interrupted")
            }
            _ => {
                assert_eq!(control.post("/stop").json()["state"], "stopping");
                (0, "stopped by order")
            }
        };
        let results = test.finish();
        assert_eq!((results.code(), results.reason()), expected, "{end}");
        assert_whole(&recorder, &results, 3);
    }
}
