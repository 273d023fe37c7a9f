//! The life of users, as a server that they report to has seen it, in both conventions.

use std::collections::BTreeMap;

use aiotest_tests::{Engine, LoadTest, Recorder, Results};

const BLOCKING: &str = "guest-probe";
const ASYNC: &str = "guest-probe-concurrent";

/// Every way to run the same users.
const WAYS: [(&str, &str); 3] = [
    (BLOCKING, ""),
    (ASYNC, ""),
    (ASYNC, "--users-per-sandbox 3"),
];

fn start(guest: &str, recorder: &Recorder, args: &str) -> LoadTest {
    LoadTest::start(
        &Engine::new(),
        guest,
        &format!("{args} -q -H {}", recorder.url()),
    )
}

fn run(guest: &str, recorder: &Recorder, args: &str) -> Results {
    start(guest, recorder, args).finish()
}

/// Every user started once, before its first task, and stopped once, after its last; the
/// server and the report agree on how many there were.
#[track_caller]
fn assert_whole_lives(recorder: &Recorder, results: &Results) {
    let lives = recorder.lives();
    assert_eq!(results.number("/users/started"), lives.len() as f64);
    assert_eq!(results.number("/users/stopped"), lives.len() as f64);
    for (user, life) in &lives {
        let [first, tasks @ .., last] = &life[..] else {
            panic!("user {user}: {life:?}")
        };
        assert_eq!(
            (first.as_str(), last.as_str()),
            ("start", "stop"),
            "user {user}: {life:?}"
        );
        assert!(
            tasks.iter().all(|what| what == "task"),
            "user {user}: {life:?}"
        );
    }
    let tasks = recorder
        .events()
        .iter()
        .filter(|event| event.what == "task")
        .count();
    assert_eq!(results.number("/tasks"), tasks as f64);
    assert_eq!(
        results.number("/total/failures"),
        0.0,
        "{:#}",
        results.report
    );
}

#[test]
fn users_stop_when_the_run_time_is_over() {
    for (guest, how) in WAYS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, &format!("Worker -u 5 -t 1s {how}"));
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        assert_eq!(recorder.lives().len(), 5, "{guest} {how}");
        assert_whole_lives(&recorder, &results);
    }
}

#[test]
fn users_stop_when_stages_lead_down() {
    for (guest, how) in WAYS {
        let recorder = Recorder::start();
        let stages = "-s 500ms:6 -s 500ms:1 -s 500ms:4";
        let results = run(guest, &recorder, &format!("Worker {stages} {how}"));
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        assert_whole_lives(&recorder, &results);
        // Those that the last stage brought are new users.
        let peak = results.number("/users/peak");
        assert!(
            results.number("/users/started") > peak,
            "{guest} {how}: {peak}"
        );
    }
}

#[test]
fn users_stop_as_the_load_shape_says() {
    for (guest, how) in WAYS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, &format!("Worker {how}"));
        assert_eq!((results.code(), results.reason()), (0, "completed"));
        assert_eq!(results.number("/users/peak"), 4.0);
        assert_whole_lives(&recorder, &results);
    }
}

#[test]
fn users_stop_on_ctrl_c() {
    for (guest, how) in WAYS {
        let recorder = Recorder::start();
        let test = start(guest, &recorder, &format!("Worker -u 5 {how}"));
        recorder.wait_for("task", 20);
        test.interrupt();
        let results = test.finish();
        assert_eq!((results.code(), results.reason()), (130, "interrupted"));
        assert_eq!(recorder.lives().len(), 5, "{guest} {how}");
        assert_whole_lives(&recorder, &results);
    }
}

#[test]
fn sequential_tasks_run_in_order_and_a_failed_one_ends_the_pass() {
    for guest in [BLOCKING, ASYNC] {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Sequence -u 1");
        let passes = ["first second third", "first second", "first second third"].join(" ");
        assert_eq!(
            recorder.lives()[&1].join(" "),
            format!("start {passes} stop")
        );
        assert_eq!(
            (results.code(), results.reason()),
            (1, "all users finished")
        );
        let error = results.entry("task_errors", "task", "test_second");
        assert_eq!(
            (&error["class"], &error["message"]),
            (&"Sequence".into(), &"the second pass".into())
        );
        assert_eq!(error["count"], 1);
    }
}

#[test]
fn weighted_tasks_are_drawn_by_weight() {
    for guest in [BLOCKING, ASYNC] {
        let results = LoadTest::run(guest, "Dice -u 1 -q");
        let often = results.number("/counters/often");
        assert_eq!(often + results.number("/counters/seldom"), 400.0);
        assert_eq!(results.number("/tasks"), 400.0);
        // 300 are expected; this is seven standard deviations away.
        assert!((240.0..=360.0).contains(&often), "{often} of 400");
    }
}

#[test]
fn a_loop_of_ones_own_is_called_until_the_user_stops() {
    for guest in [BLOCKING, ASYNC] {
        let recorder = Recorder::start();
        let test = start(guest, &recorder, "Loop -u 2");
        recorder.wait_for("run", 6);
        test.interrupt();
        let results = test.finish();
        for life in recorder.lives().values() {
            assert_eq!(life.join(" "), "start run run run stop");
        }
        // To be stopped in a wait is no failure.
        let error = results.entry("task_errors", "task", "run");
        assert_eq!(
            (&error["message"], &error["count"]),
            (&"the first round".into(), &2.into())
        );
        assert_eq!(results.code(), 130);
    }
}

#[test]
fn concurrent_tasks_overlap_and_no_more_than_they_may() {
    for (class, at_a_time, tasks) in [("Pairs", 2, 8), ("Everything", 3, 3), ("Drawn", 4, 40)] {
        let recorder = Recorder::start();
        let results = run(ASYNC, &recorder, &format!("{class} -u 1"));
        assert_eq!(results.reason(), "all users finished", "{class}");
        assert_eq!(recorder.peak_at_gates(), at_a_time, "{class}");
        assert_eq!(
            recorder.requests(&format!("/gate?of={at_a_time}")),
            tasks,
            "{class}"
        );
        assert_eq!(results.number("/tasks"), tasks as f64, "{class}");
        if class == "Pairs" {
            let each = BTreeMap::from(["a", "b", "c", "d"].map(|task| (task, 2.0)));
            assert_eq!(results.report["counters"], serde_json::json!(each));
        }
        if class == "Drawn" {
            // 36 of 40 are expected.
            assert!(
                results.number("/counters/often") > 20.0,
                "{:#}",
                results.report
            );
        }
    }
}

#[test]
fn users_wait_as_long_as_their_class_says() {
    for guest in [BLOCKING, ASYNC] {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Fixed Range Paced Computed -u 4");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        // The values are kept to three digits, and a pace is taken before the call into
        // the guest that measures it.
        for (name, waits, least) in [
            ("fixed", 5.0, 99.0),
            ("range", 5.0, 49.0),
            ("paced", 4.0, 150.0),
            ("computed", 5.0, 29.0),
        ] {
            assert_eq!(
                results.number(&format!("/trends/{name}/count")),
                waits,
                "{name}"
            );
            let shortest = results.number(&format!("/trends/{name}/min"));
            assert!(shortest >= least, "{name}: {shortest} ms");
        }
        recorder.wait_for("wtwtwtwtwt", 1);
    }
}

#[test]
fn users_are_shared_among_classes_by_weight() {
    for guest in [BLOCKING, ASYNC] {
        let recorder = Recorder::start();
        let test = start(guest, &recorder, "-u 100");
        recorder.wait_for("minor", 20);
        recorder.wait_for("major", 80);
        test.interrupt();
        let results = test.finish();
        assert_eq!(recorder.events().len(), 100);
        assert_eq!(results.number("/users/started"), 100.0);
    }
}

#[test]
fn only_the_named_classes_run() {
    let recorder = Recorder::start();
    let test = start(BLOCKING, &recorder, "Minor Worker -u 10");
    recorder.wait_for("minor", 5);
    recorder.wait_for("start", 5);
    test.interrupt();
    let results = test.finish();
    let classes = results.report["users"]["classes"].as_object().unwrap();
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["Minor", "Worker"]);
    assert!(recorder.events().iter().all(|event| event.what != "major"));
}

#[test]
fn the_command_line_names_host_and_options() {
    for guest in [BLOCKING, ASYNC] {
        let recorder = Recorder::start();
        let test = start(guest, &recorder, "Hosted -u 2");
        recorder.wait_for("hosted", 4);
        test.interrupt();
        let results = test.finish();
        assert_eq!(results.number("/total/failures"), 0.0);
        assert_eq!(results.report["run"]["host"], recorder.url());

        let results = run(guest, &recorder, "Optional -u 1 -e word=tea -e other=x");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        recorder.wait_for("tea", 1);
    }
}

#[test]
fn a_panic_restarts_the_users_of_its_sandbox_and_no_others() {
    let recorder = Recorder::start();
    let args = "Group -u 20 --users-per-sandbox 10 -e group=20";
    let test = start(ASYNC, &recorder, args);
    recorder.wait_for("start", 30);
    recorder.wait_for_requests("/gate?of=20", 30);
    test.interrupt();
    let results = test.finish();

    for (user, life) in recorder.lives() {
        let starts = if user <= 10 {
            "start start stop"
        } else {
            "start stop"
        };
        assert_eq!(life.join(" "), starts, "user {user}");
    }
    assert_eq!(results.number("/users/started"), 20.0);
    assert_eq!(results.number("/sandbox_restarts/Group"), 1.0);
    let event = results.entry("sandbox_events", "class", "Group");
    assert_eq!(
        (&event["kind"], &event["count"]),
        (&"panic".into(), &1.into())
    );
    assert!(
        event["message"]
            .as_str()
            .unwrap()
            .contains("user 1 has had enough"),
        "{event}"
    );
}
