//! Who may give orders, and what those who may not can do about it.

use aiotest_tests::{Engine, Recorder, intruders::Intruders};

use super::{assert_whole, plan, start, start_with, told};

const TOKEN: &str = "correct-horse-battery";

#[test]
fn control_takes_the_token_and_nothing_shows_it() {
    let flag = format!("--control-token {TOKEN}");
    let by_env = Engine::new().env("AIOTEST_CONTROL_TOKEN", TOKEN);
    for (engine, flag) in [(Engine::new(), flag.as_str()), (by_env, "")] {
        let recorder = Recorder::start();
        let args = format!("Worker -u 2 {flag}");
        let (test, control) = start_with(&engine, &recorder, &args);
        recorder.wait_for("task", 2);
        let wrong = [
            control.clone(),
            control.with_token("correct-horse-batter"),
            control.with_token("correct-horse-batteryy"),
        ];
        for client in &wrong {
            for answer in [
                client.get("/state"),
                client.post("/stop"),
                client.patch("{\"users\": 1}"),
                client.get("/control/quit"),
            ] {
                let (status, error) = answer.refusal();
                assert_eq!(status, 401);
                assert!(error.contains("Authorization: Bearer TOKEN"), "{error}");
                let head = answer.head.to_ascii_lowercase();
                assert!(head.contains("www-authenticate: bearer"), "{head}");
                assert!(!format!("{answer:?}").contains(TOKEN));
            }
        }
        let metrics = control.get("/metrics");
        assert_eq!(metrics.status, 200);
        assert!(!metrics.body.contains(TOKEN));
        let known = control.with_token(TOKEN);
        assert_eq!(known.state()["state"], "running");
        assert_eq!(known.post("/pause").status, 200);
        assert_eq!(known.post("/resume").status, 200);
        assert_eq!(known.post("/stop").status, 200);
        let results = test.finish();
        assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
        assert!(!format!("{results:?}").contains(TOKEN), "{results:#?}");
    }
}

#[test]
fn an_address_that_is_open_to_others_takes_orders_with_a_token_only() {
    let recorder = Recorder::start();
    let open = "Worker -u 2 --prometheus 0.0.0.0:0";
    let (mut test, control) = start(&recorder, open);
    test.wait_for_line("control over HTTP is off: it needs --control-token here");
    for answer in [
        control.get("/state"),
        control.post("/stop"),
        control.get("/control/pause"),
    ] {
        let (status, error) = answer.refusal();
        assert_eq!(status, 403);
        assert!(error.contains("--control-token"), "{error}");
    }
    assert_eq!(control.get("/metrics").status, 200);
    recorder.wait_for("task", 5);
    test.interrupt();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));

    let recorder = Recorder::start();
    let (test, control) = start(&recorder, &format!("{open} --control-token {TOKEN}"));
    recorder.wait_for("task", 5);
    assert_eq!(control.with_token(TOKEN).post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
}

#[test]
fn nobody_keeps_the_run_from_its_orders_or_its_results() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 4");
    recorder.wait_for("task", 10);
    let intruders = Intruders::attack(&control);
    let mut rounds = 0;
    while !intruders.have_tried() || rounds < 3 {
        rounds += 1;
        let paused = control.post("/pause").json();
        assert_eq!(paused["state"], "paused");
        assert_eq!(plan(&paused)["users"], 4);
        assert_eq!(control.post("/resume").json()["state"], "running");
        let changed = control.patch("{\"users\": 6}").json();
        assert_eq!(plan(&changed)["users"], 6);
        recorder.wait_for("start", 4 + 2 * rounds);
        let changed = control.patch("{\"users\": 4}").json();
        assert_eq!(plan(&changed)["users"], 4);
        let metrics = control.get("/metrics");
        assert_eq!(metrics.status, 200);
        // Those who work are still at it.
        recorder.wait_for("task", told(&recorder, "task") + 5);
    }
    intruders.retreat();
    assert_eq!(control.state()["state"], "running");
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    assert_whole(&recorder, &results, 4 + 2 * rounds);
}
