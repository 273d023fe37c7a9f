//! How a run begins and how its process ends, by order or by signal.

use std::{thread, time::Duration};

use aiotest_tests::{
    Control, LoadTest, Recorder, Results,
    stalling::{Stall, Stalling},
};

use super::{assert_whole, plan, start, start_at, told};

#[test]
fn a_paused_start_waits_for_the_order() {
    let recorder = Recorder::start();
    let (mut test, control) = start(&recorder, "Once -u 2 -i 5 --paused -e hooks=tell");
    test.wait_for_line("waiting for the order to start");
    let waiting = control.wait_until(|state| state["plans"][0]["active"] == false);
    assert_eq!(
        (&waiting["state"], &waiting["users"]),
        (&"ready".into(), &0.into())
    );
    assert_eq!(plan(&waiting)["active"], false);
    for path in ["/pause", "/resume"] {
        assert_eq!(control.post(path).status, 409, "{path}");
    }
    assert_eq!(recorder.events(), []);
    let started = control.post("/start").json();
    assert_eq!(started["state"], "starting");
    let results = test.finish();
    assert_eq!(
        (results.code(), results.reason()),
        (0, "all users finished")
    );
    assert_eq!(told(&recorder, "once"), 10);
    assert_eq!(recorder.events()[0].what, "test-start");
}

#[test]
fn a_run_that_prepares_says_so_and_cannot_be_paused() {
    // The hook before the first user waits for its answer.
    let server = Stalling::start(Stall::Once {
        after: 0,
        spell: Duration::from_secs(2),
    });
    let (test, control) = start_at(&server.url(), "Once -u 2 -i 1 -e hooks=tell");
    control.wait_until(|_| server.requests() == 1);
    let state = control.state();
    assert_eq!(state["state"], "starting");
    assert_eq!(plan(&state)["name"], "default");
    let refused = "cannot pause a run that is starting".to_owned();
    assert_eq!(control.post("/pause").refusal(), (409, refused));
    let results = test.finish();
    assert_eq!(
        (results.code(), results.reason()),
        (0, "all users finished")
    );
    // Both hooks, and an iteration of each user.
    assert_eq!(server.requests(), 4);
}

#[test]
fn a_run_that_waits_can_be_ended_before_it_starts() {
    for end in ["/stop", "/quit", "SIGINT"] {
        let recorder = Recorder::start();
        let (mut test, control) = start(&recorder, "Worker -u 2 --paused");
        test.wait_for_line("waiting for the order to start");
        let expected = if end == "SIGINT" {
            test.interrupt();
            (130, "interrupted")
        } else {
            assert_eq!(control.post(end).status, 200);
            (0, "stopped by order")
        };
        let results = test.finish();
        assert_eq!((results.code(), results.reason()), expected, "{end}");
        assert_eq!(recorder.events(), []);
    }
}

#[test]
fn the_endpoint_lingers_until_it_is_told_to_quit() {
    let recorder = Recorder::start();
    let (mut test, control) = start(&recorder, "Once -u 2 -i 5 --linger");
    // The summary is there before anyone lets the process go.
    test.wait_for_line("all users finished");
    let state = control.wait_until(|state| state["state"] == "stopped");
    assert_eq!(
        (&state["users"], &plan(&state)["active"]),
        (&0.into(), &false.into())
    );
    let metrics = control.get("/metrics");
    assert!(
        metrics.body.contains("endpoint=\"once\""),
        "{}",
        metrics.body
    );
    for (path, what) in [("/start", "start"), ("/pause", "pause"), ("/stop", "stop")] {
        let error = format!("cannot {what} a run that is stopped");
        assert_eq!(control.post(path).refusal(), (409, error));
    }
    assert_eq!(control.patch("{\"users\": 1}").status, 409);
    assert_eq!(control.post("/quit").json()["state"], "stopped");
    let results = test.finish();
    assert_eq!(
        (results.code(), results.reason()),
        (0, "all users finished")
    );
    assert_eq!(results.number("/total/requests"), 10.0);
}

#[test]
fn quitting_leaves_nothing_to_linger_for_and_signals_end_it() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 2 --linger");
    recorder.wait_for("task", 5);
    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    assert_whole(&recorder, &results, 2);

    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 2 --linger");
    recorder.wait_for("task", 5);
    assert_eq!(control.post("/stop").status, 200);
    control.wait_until(|state| state["state"] == "stopped");
    let results = ended_by_signals(test, &control);
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
}

/// Signals the process until it is gone: it may not listen in the moment between the end
/// of the run and lingering, in which it writes its results.
fn ended_by_signals(mut test: LoadTest, control: &Control) -> Results {
    test.wait_for_line("stopped by order");
    while control.connect().is_ok() {
        test.terminate();
        thread::sleep(Duration::from_millis(20));
    }
    test.finish()
}
