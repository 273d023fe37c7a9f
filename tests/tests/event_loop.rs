//! Users of the event-loop convention, who share a sandbox and the one call that serves it:
//! they live side by side, and what one of them does is its own matter.

use std::time::{Duration, Instant};

use aiotest_tests::{Engine, LoadTest, Recorder, Results, guests};

const GUEST: &str = "guest-looping";
/// Exit codes.
const OK: i32 = 0;
const FAILURES: i32 = 1;
const COMPONENT: i32 = 3;

fn start(recorder: &Recorder, args: &str) -> LoadTest {
    let args = format!("{args} -H {}", recorder.url());
    LoadTest::start(&Engine::new(), GUEST, &args)
}

fn run(recorder: &Recorder, args: &str) -> Results {
    start(recorder, args).finish()
}

/// Every user started once and stopped once, with nothing but tasks between.
#[track_caller]
fn assert_whole_lives(recorder: &Recorder, users: usize) {
    let lives = recorder.lives();
    assert_eq!(lives.len(), users, "{lives:?}");
    for (user, life) in lives {
        let [first, tasks @ .., last] = &life[..] else {
            panic!("user {user}: {life:?}")
        };
        assert_eq!((&**first, &**last), ("start", "stop"), "user {user}");
        assert!(tasks.iter().all(|what| what == "task"), "user {user}");
    }
}

#[test]
fn counts_are_those_of_the_server() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker -u 7 -t 1s --users-per-sandbox 3");
    assert_eq!((results.code(), results.reason()), (OK, "completed"));
    assert_whole_lives(&recorder, 7);
    let events = recorder.events();
    let tasks = events.iter().filter(|event| event.what == "task").count();
    assert!(tasks > 7, "{tasks} tasks");
    assert_eq!(results.number("/tasks"), tasks as f64);
    assert_eq!(results.number("/total/requests"), events.len() as f64);
}

#[test]
fn users_of_a_sandbox_wait_for_the_server_together() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Gate -u 2 -i 3 --users-per-sandbox 2");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(recorder.peak_at_gates(), 2);
    assert_eq!(recorder.requests("/gate?of=2"), 6);
}

#[test]
fn users_of_a_sandbox_sleep_at_the_same_time() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Sleeper -u 10 -i 2 --users-per-sandbox 10");
    assert_eq!(results.code(), OK);
    assert_eq!(results.number("/counters/naps"), 20.0);
    // Two naps of half a second each, and not twenty.
    let seconds = results.number("/run/duration_seconds");
    assert!((1.0..4.0).contains(&seconds), "{seconds} s");
}

#[test]
fn a_failure_is_that_of_its_user() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Faulty -u 4 -i 3 --users-per-sandbox 4");
    assert_eq!(results.code(), FAILURES);
    let error = results.entry("task_errors", "task", "test_maybe");
    assert_eq!(error["message"], "no luck today");
    assert_eq!(error["count"], 6);
    // The failed tasks held a response each.
    let held = results.entry("requests", "name", "/status/{id}");
    assert_eq!(
        (&held["requests"], &held["failures"]),
        (&6.into(), &6.into())
    );
    let told = results.entry("requests", "name", "/event");
    assert_eq!(told["failures"], 0);
    let lives = recorder.lives();
    for user in [1, 3] {
        assert_eq!(lives[&user].join(" "), "start task task task stop");
    }
    for user in [2, 4] {
        assert_eq!(lives[&user].join(" "), "start stop");
    }
}

#[test]
fn an_endless_loop_is_named_and_its_sandbox_begins_anew() {
    let recorder = Recorder::start();
    let args = "Spinner -u 6 --users-per-sandbox 3 --cpu-limit 100ms --stop-timeout 1s";
    let test = start(&recorder, args);
    // The users of the one sandbox start twice.
    recorder.wait_for("start", 9);
    test.interrupt();
    let results = test.finish();
    let event = results.entry("sandbox_events", "class", "Spinner");
    assert_eq!(event["kind"], "cpu-limit");
    let message = event["message"].as_str().unwrap();
    let words = "user 2 (Spinner), in test_spin: computed for 100ms without waiting";
    assert!(message.starts_with(words), "{message}");
    let error = results.entry("task_errors", "task", "test_spin");
    assert_eq!(error["count"], event["count"]);
    assert!(results.number("/sandbox_restarts/Spinner") >= 1.0);
    let lives = recorder.lives();
    for user in 1..=6 {
        let starts = lives[&user].iter().filter(|what| *what == "start").count();
        assert_eq!(starts > 1, user <= 3, "user {user}: {:?}", lives[&user]);
    }
}

#[test]
fn requests_of_users_that_do_not_stop_are_interrupted_and_counted() {
    let recorder = Recorder::start();
    let args = "Held -u 3 --users-per-sandbox 3 --stop-timeout 300ms";
    let test = start(&recorder, args);
    recorder.wait_for_requests("/hold", 3);
    test.interrupt();
    let results = test.finish();
    let row = results.entry("requests", "name", "/hold");
    assert_eq!((&row["requests"], &row["failures"]), (&3.into(), &3.into()));
    let error = results.entry("errors", "name", "/hold");
    assert_eq!(error["kind"], "interrupted");
    assert_eq!(results.number("/total/requests"), 6.0);
}

#[test]
fn requests_may_be_given_up() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Fickle -u 3 -i 4 --users-per-sandbox 3");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished")
    );
    assert_whole_lives(&recorder, 3);
    assert_eq!(results.number("/tasks"), 12.0);
}

#[test]
fn waits_end_when_users_must_stop() {
    for (class, least) in [("Loop", 3), ("Sleeper", 0)] {
        let recorder = Recorder::start();
        let args = format!("{class} -u 3 --users-per-sandbox 3 --stop-timeout 1h");
        let test = start(&recorder, &args);
        recorder.wait_for("start", 3);
        recorder.wait_for("task", least);
        test.interrupt();
        let began = Instant::now();
        let results = test.finish();
        assert!(began.elapsed() < Duration::from_secs(20), "{class}");
        assert_whole_lives(&recorder, 3);
        assert_eq!(results.number("/total/failures"), 0.0);
    }
}

#[test]
fn answers_without_a_wait_keep_nobody_from_stopping() {
    let recorder = Recorder::start();
    let args = "Stubborn -u 4 -t 1s --users-per-sandbox 2 --stop-timeout 1h";
    let results = run(&recorder, args);
    assert_eq!(results.reason(), "completed");
    assert_whole_lives(&recorder, 4);
}

#[test]
fn tasks_of_a_user_may_overlap() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Overlap -u 1 -i 2");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(recorder.peak_at_gates(), 2);
    assert_eq!(results.number("/tasks"), 4.0);
}

#[test]
fn users_that_suspend_their_sandbox_have_one_each() {
    let recorder = Recorder::start();
    // Neither would come through the gate without the other.
    let results = run(&recorder, "Alone -u 2 -i 3 --users-per-sandbox 2");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(recorder.peak_at_gates(), 2);
    let said = "users that suspend their sandbox have one each, not 2";
    assert!(results.output.stderr.contains(said), "{results:#?}");
}

#[test]
fn users_are_packed_as_it_suits_the_machine() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker -u 30 -i 1");
    assert_eq!(results.code(), OK);
    assert_whole_lives(&recorder, 30);
    let cores = std::thread::available_parallelism().unwrap().get();
    let said = format!("30 users in {} sandboxes", (2 * cores).min(30));
    assert!(results.output.stderr.contains(&said), "{results:#?}");
}

#[test]
fn users_with_nothing_left_to_do_leave() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Quitter -u 3 --users-per-sandbox 2");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished")
    );
    assert_whole_lives(&recorder, 3);
}

#[test]
fn a_loop_that_ends_too_soon_is_reported() {
    let recorder = Recorder::start();
    let test = start(
        &recorder,
        "Worker -u 2 --users-per-sandbox 2 -e serve=no -t 1s",
    );
    let results = test.finish();
    assert_eq!(results.code(), FAILURES);
    let event = results.entry("sandbox_events", "class", "Worker");
    assert_eq!(event["kind"], "ended");
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("ended before its users did"), "{message}");
}

#[test]
fn a_scenario_says_itself_why_it_cannot_run() {
    let file = guests::build(GUEST);
    let args = [
        "run",
        file.to_str().unwrap(),
        "-e",
        "refuse=line 1\n  line 2",
    ];
    let output = Engine::new().run(args);
    assert_eq!(output.code, Some(COMPONENT));
    assert_eq!(output.stderr, "line 1\n  line 2\n");
}
