//! The states of a run under way, and what each allows.

use std::time::{Duration, Instant};

use aiotest_tests::{
    Recorder,
    stalling::{Stall, Stalling},
};
use serde_json::Value;

use super::{assert_whole, plan, start, start_at, told};

#[test]
fn what_a_state_does_not_allow_is_a_conflict() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Stuck -u 1");
    recorder.wait_for_requests("/hold", 1);
    let refused = |path: &str, error: &str| {
        assert_eq!(control.post(path).refusal(), (409, error.to_owned()));
    };
    refused("/start", "cannot start a run that is running");
    refused("/resume", "cannot resume a run that is running");
    assert_eq!(control.post("/pause").json()["state"], "paused");
    refused("/pause", "cannot pause a run that is paused");
    refused("/start", "cannot start a run that is paused");
    assert_eq!(control.post("/resume").json()["state"], "running");
    // Its user will not stop by itself.
    assert_eq!(control.post("/stop").json()["state"], "stopping");
    refused("/stop", "cannot stop a run that is stopping");
    refused("/pause", "cannot pause a run that is stopping");
    refused("/resume", "cannot resume a run that is stopping");
    let over = (409, "the run is over".to_owned());
    assert_eq!(control.patch("{\"users\": 5}").refusal(), over);
    assert_eq!(control.state()["state"], "stopping");
    test.interrupt();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    assert_eq!(recorder.requests("/hold"), 1);
}

#[test]
fn the_state_shows_users_and_time() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 4 -r 100");
    let state = control.wait_until(|state| state["users"] == 4);
    assert_eq!(state["state"], "running");
    assert_eq!(state["paused_seconds"], 0.0);
    let expected = serde_json::json!({
        "name": "default", "active": true, "users": 4, "spawn_rate": 100.0,
        "arrival_rate": null,
    });
    assert_eq!(plan(&state), &expected);
    let time = |state: &Value| state["elapsed_seconds"].as_f64().unwrap();
    control.wait_until(|later| time(later) > time(&state));
    let metrics = control.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("aiotest_"), "{}", metrics.body);
    test.interrupt();
    assert_eq!(test.finish().code(), 130);
}

#[test]
fn stop_and_quit_end_a_run_gracefully() {
    for path in ["/stop", "/quit"] {
        let recorder = Recorder::start();
        let (test, control) = start(&recorder, "Worker -u 3 -t 60s");
        recorder.wait_for("task", 10);
        assert_eq!(control.post(path).json()["state"], "stopping", "{path}");
        let results = test.finish();
        assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
        assert_whole(&recorder, &results, 3);
        assert!(results.output.stdout.contains("stopped by order"));
    }
}

#[test]
fn sigterm_does_what_ctrl_c_does() {
    let recorder = Recorder::start();
    let (mut test, _) = start(&recorder, "Worker -u 3");
    recorder.wait_for("task", 10);
    test.terminate();
    test.wait_for_line("once more ends everything now");
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    assert_whole(&recorder, &results, 3);

    let recorder = Recorder::start();
    let (mut test, _) = start(&recorder, "Stuck -u 2");
    recorder.wait_for_requests("/hold", 2);
    test.terminate();
    test.wait_for_line("once more ends everything now");
    test.terminate();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
}

#[test]
fn a_signal_ends_a_hook_that_hangs_after_the_last_user() {
    // After the first hook and the only iteration nothing is answered for long.
    let server = Stalling::start(Stall::Once {
        after: 2,
        spell: Duration::from_secs(20),
    });
    let (test, control) = start_at(&server.url(), "Once -u 1 -i 1 -e hooks=tell");
    control.wait_until(|_| server.requests() == 3);
    let interrupted = Instant::now();
    test.terminate();
    let results = test.finish();
    assert!(interrupted.elapsed() < Duration::from_secs(15));
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    assert_eq!(results.number("/iterations/count"), 1.0);
}

#[test]
fn the_ways_of_aiotest_lead_here_too() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 2");
    recorder.wait_for("task", 5);
    let ask = |path: &str| {
        let answer = control.get(path);
        (answer.status, answer.body)
    };
    assert_eq!(ask("/control/pause"), (200, "Paused".to_owned()));
    assert_eq!(control.state()["state"], "paused");
    let refused = "cannot pause a run that is paused".to_owned();
    assert_eq!(ask("/control/pause"), (409, refused));
    assert_eq!(ask("/control/resume"), (200, "Running".to_owned()));
    recorder.wait_for("task", told(&recorder, "task") + 5);
    assert_eq!(ask("/control/quit"), (200, "Quitting".to_owned()));
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    assert_whole(&recorder, &results, 2);
}
