//! Another load while the run is under way.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use aiotest_tests::Recorder;

use super::{assert_whole, plan, start, told};

#[test]
fn users_come_and_go() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 2");
    recorder.wait_for("start", 2);
    let changed = control.patch("{\"users\": 6}").json();
    assert_eq!(plan(&changed)["users"], 6);
    recorder.wait_for("start", 6);
    control.wait_until(|state| state["users"] == 6);
    let changed = control.patch("{\"users\": \"-5\"}").json();
    assert_eq!(plan(&changed)["users"], 1);
    recorder.wait_for("stop", 5);
    control.wait_until(|state| state["users"] == 1);
    assert_eq!(told(&recorder, "stop"), 5);
    let changed = control.patch("{\"users\": \"+2\"}").json();
    assert_eq!(plan(&changed)["users"], 3);
    recorder.wait_for("start", 8);
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!(results.code(), 0);
    assert_whole(&recorder, &results, 8);
    assert_eq!(results.number("/users/peak"), 6.0);
}

#[test]
fn no_users_at_all_are_a_load_too() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 3");
    recorder.wait_for("start", 3);
    assert_eq!(control.patch("{\"users\": 0}").status, 200);
    recorder.wait_for("stop", 3);
    let state = control.wait_until(|state| state["users"] == 0);
    assert_eq!(state["state"], "running");
    assert_eq!(control.patch("{\"users\": 2}").status, 200);
    recorder.wait_for("start", 5);
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    assert_whole(&recorder, &results, 5);
}

#[test]
fn users_start_at_another_rate() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -u 1");
    recorder.wait_for("start", 1);
    let ordered = Instant::now();
    let changed = control.patch("{\"users\": 50, \"spawn_rate\": 5}").json();
    assert_eq!(plan(&changed)["spawn_rate"], 5.0);
    recorder.wait_for("start", 11);
    // One at once, and nine a fifth of a second apart.
    let took = ordered.elapsed();
    assert!(took >= Duration::from_millis(1700), "{took:?}");
    let changed = control.patch("{\"spawn_rate\": 1000}").json();
    assert_eq!(plan(&changed)["users"], 50);
    let faster = Instant::now();
    recorder.wait_for("start", 50);
    assert!(faster.elapsed() < Duration::from_secs(7));
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!(results.code(), 0);
    assert_whole(&recorder, &results, 50);
}

#[test]
fn stages_give_way_to_orders_and_still_end_the_run() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Worker -s 1s:4 -s 3s:4");
    recorder.wait_for("start", 2);
    assert_eq!(control.patch("{\"users\": 7}").status, 200);
    recorder.wait_for("start", 7);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    assert_whole(&recorder, &results, 7);
    assert!(results.number("/run/duration_seconds") >= 4.0);
}

#[test]
fn iterations_start_at_another_rate() {
    let recorder = Recorder::start();
    let (test, control) = start(&recorder, "Once --arrival-rate 5 -u 5");
    recorder.wait_for("once", 3);
    let ordered = Instant::now();
    let changed = control.patch("{\"arrival_rate\": 100}").json();
    assert_eq!(plan(&changed)["arrival_rate"], 100.0);
    let before = told(&recorder, "once");
    recorder.wait_for("once", before + 200);
    let took = ordered.elapsed();
    // At the old rate it would have taken forty.
    let expected = Duration::from_millis(1800)..Duration::from_secs(20);
    assert!(expected.contains(&took), "{took:?}");

    let changed = control.patch("{\"users\": \"+10\"}").json();
    assert_eq!(plan(&changed)["arrival_rate"], 110.0);
    let changed = control.patch("{\"arrival_rate\": \"0/s\"}").json();
    assert_eq!(plan(&changed)["arrival_rate"], 0.0);
    let in_hand = changed["users"].as_u64().unwrap() as usize;
    let before = told(&recorder, "once");
    thread::sleep(Duration::from_secs(1));
    let more = told(&recorder, "once") - before;
    assert!(more <= in_hand, "{more}");
    assert_eq!(control.patch("{\"arrival_rate\": \"1200/m\"}").status, 200);
    recorder.wait_for("once", before + more + 10);
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    let requests = results.number("/total/requests");
    assert_eq!(told(&recorder, "once") as f64, requests);
}

#[test]
fn stages_of_rates_give_way_to_orders_and_still_end_the_run() {
    let recorder = Recorder::start();
    let stages = "-s 1s:10/s -s 2s:10/s";
    let (test, control) = start(&recorder, &format!("Once -u 3 {stages} -t 8s"));
    recorder.wait_for("once", 2);
    assert_eq!(control.patch("{\"arrival_rate\": 50}").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    let duration = results.number("/run/duration_seconds");
    assert!((3.0..7.0).contains(&duration), "{duration} s");
    let most = 50.0 * duration + 2.0;
    let began = told(&recorder, "once") as f64;
    assert!((60.0..=most).contains(&began), "{began} of {most}");
}

#[test]
fn plans_are_changed_by_name_and_before_they_start() {
    let recorder = Recorder::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.toml");
    let text = "paused = true\n\
                plans.some = { classes = ['Worker'], users = 2 }\n\
                plans.flow = { classes = ['Once'], arrival-rate = 10 }\n";
    fs::write(&path, text).unwrap();
    let (mut test, control) = start(&recorder, &format!("-c {}", path.display()));
    test.wait_for_line("waiting for the order to start");
    let named = "name the plan to change; there are some, flow";
    for change in ["{\"users\": 3}", "{\"users\": 3, \"plan\": \"many\"}"] {
        let refusal = control.patch(change).refusal();
        assert_eq!(refusal, (400, named.to_owned()), "{change}");
    }
    let change = "{\"users\": 4, \"plan\": \"some\"}";
    assert_eq!(control.patch(change).json()["plans"][0]["users"], 4);
    let change = "{\"arrival_rate\": 40, \"plan\": \"flow\"}";
    let changed = control.patch(change).json();
    assert_eq!(changed["plans"][1]["arrival_rate"], 40.0);
    assert_eq!(recorder.events(), []);
    assert_eq!(control.post("/start").status, 200);
    recorder.wait_for("start", 4);
    recorder.wait_for("once", 40);
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    assert_eq!((told(&recorder, "start"), told(&recorder, "stop")), (4, 4));
    let most = 40.0 * results.number("/run/duration_seconds") + 2.0;
    assert!(told(&recorder, "once") as f64 <= most);
}

#[test]
fn a_plan_that_is_changed_still_begins_when_its_time_comes() {
    let recorder = Recorder::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.toml");
    let text = "plans.now = { classes = ['Worker'], users = 1, run-time = '2s' }\n\
                plans.then = { classes = ['Throttled'], users = 1, start = '2s' }\n";
    fs::write(&path, text).unwrap();
    let (test, control) = start(&recorder, &format!("-c {}", path.display()));
    control.wait_until(|state| state["plans"][1]["active"] == false);
    let change = "{\"users\": 3, \"plan\": \"then\"}";
    loop {
        let began = told(&recorder, "throttled");
        // The answer to an order is as things are, not as they were lately.
        let state = control.patch(change).json();
        let elapsed = state["elapsed_seconds"].as_f64().unwrap();
        if elapsed >= 2.0 {
            break;
        }
        assert_eq!(began, 0, "after {elapsed} s");
        thread::sleep(Duration::from_millis(100));
    }
    recorder.wait_for("throttled", 20);
    assert_eq!(control.post("/stop").status, 200);
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (0, "stopped by order"));
    let lives = recorder.lives();
    assert_eq!(lives.len(), 4, "{lives:?}");
}

#[test]
fn changes_that_make_no_sense_change_nothing() {
    for (args, changes) in [
        (
            "Worker -u 2",
            [
                "{}",
                "[]",
                "users=5",
                "{\"users\": 1.5}",
                "{\"users\": 5, \"usres\": 5}",
                "{\"users\": 1000000}",
                "{\"users\": 3, \"spawn_rate\": 0}",
                "{\"users\": 3, \"arrival_rate\": 5}",
                "{\"users\": 3, \"plan\": \"other\"}",
            ],
        ),
        (
            "Once --arrival-rate 20",
            [
                "{\"arrival_rate\": -1}",
                "{\"arrival_rate\": \"soon\"}",
                "{\"arrival_rate\": 1e300}",
                "{\"arrival_rate\": NaN}",
                "{\"arrival_rate\": 5, \"users\": 5}",
                "{\"arrival_rate\": 5, \"plan\": 5}",
                "{\"arrival_rate\": 5, \"spawn_rate\": -5}",
                "{\"users\": 3}",
                "{\"users\": \"3\"}",
            ],
        ),
    ] {
        let recorder = Recorder::start();
        let (test, control) = start(&recorder, args);
        let before = control.wait_until(|state| state["plans"][0]["active"] == true);
        for change in changes {
            let (status, error) = control.patch(change).refusal();
            assert_eq!(status, 400, "{change}: {error}");
        }
        let huge = format!("{{\"users\": {}2}}", " ".repeat(5000));
        assert_eq!(control.patch(&huge).refusal().0, 413);
        let after = control.state();
        for unchanged in ["spawn_rate", "arrival_rate"] {
            assert_eq!(plan(&before)[unchanged], plan(&after)[unchanged]);
        }
        if args.starts_with("Worker") {
            assert_eq!(plan(&after)["users"], 2);
        }
        assert_eq!(control.post("/stop").status, 200);
        assert_eq!(test.finish().code(), 0);
    }
}
