//! How many users there are when, what ends a run, and its exit code.

use aiotest_tests::{
    Engine, LoadTest, Recorder, Results,
    faults::{self, Fault},
};

const GUEST: &str = "guest-probe";

fn run(recorder: &Recorder, args: &str) -> Results {
    LoadTest::run(GUEST, &format!("{args} -H {}", recorder.url()))
}

#[test]
fn stages_are_followed_to_their_end() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker -s 500ms:8 -s 500ms:8 -s 500ms:0");
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    assert_eq!(results.number("/users/peak"), 8.0);
    assert_eq!(results.number("/users/started"), 8.0);
    assert!(results.number("/run/duration_seconds") >= 1.5);
}

#[test]
fn users_start_at_the_spawn_rate_until_the_run_time_is_over() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker -u 1000 -r 5 -t 2s");
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    let duration = results.number("/run/duration_seconds");
    assert!(duration >= 2.0, "{duration} s");
    // One at once, then five a second. On a busy machine the last ones come late.
    let started = results.number("/users/started");
    assert!(
        (4.0..=1.0 + 5.0 * duration).contains(&started),
        "{started} in {duration} s"
    );
    assert_eq!(results.number("/users/target"), 0.0);
}

#[test]
fn a_load_shape_gets_no_more_users_than_allowed() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker --max-users 2");
    assert_eq!((results.code(), results.reason()), (0, "completed"));
    assert_eq!(results.number("/users/peak"), 2.0);
    let notice = "the load shape wants 4 users; limited to 2 (--max-users)";
    assert!(
        results.output.stderr.contains(notice),
        "{}",
        results.output.stderr
    );
}

#[test]
fn a_load_shape_that_keeps_failing_ends_the_run() {
    let recorder = Recorder::start();
    let results = run(&recorder, "Worker -e shape=panic");
    assert_eq!(results.code(), 7);
    let reason = results.reason();
    assert!(
        reason.starts_with("the load shape keeps failing: "),
        "{reason}"
    );
    assert!(reason.contains("no shape today"), "{reason}");
    let error = results.entry("task_errors", "task", "tick");
    assert_eq!(
        (&error["class"], &error["count"]),
        (&"load shape".into(), &4.into())
    );
}

#[test]
fn users_that_do_not_stop_are_ended() {
    let recorder = Recorder::start();
    let test = LoadTest::start(
        &Engine::new(),
        GUEST,
        &format!("Stuck -u 3 --stop-timeout 500ms -H {}", recorder.url()),
    );
    recorder.wait_for_requests("/hold", 3);
    test.terminate();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    let notice = "3 users did not stop within 500ms and were ended";
    assert!(
        results.output.stderr.contains(notice),
        "{}",
        results.output.stderr
    );
    let error = results.entry("errors", "name", "held");
    assert_eq!(
        (&error["kind"], &error["count"]),
        (&"interrupted".into(), &3.into())
    );
    assert_eq!(results.number("/users/stopped"), 3.0);
}

#[test]
fn the_exit_code_tells_whether_anything_failed() {
    let recorder = Recorder::start();
    for (args, code) in [
        ("Quits -u 1", 0),
        ("Quits -u 1 --exit-code-on-error 9", 0),
        ("Statuses -u 1", 1),
        ("Statuses -u 1 --exit-code-on-error 9", 9),
        ("Statuses -u 1 --exit-code-on-error 0", 0),
        ("Parked -u 1 --exit-code-on-error 9", 9),
    ] {
        assert_eq!(run(&recorder, args).code(), code, "{args}");
    }
}

#[test]
fn a_host_that_cannot_be_reached_ends_the_run() {
    let nobody = faults::start(Fault::Refused);
    let results = LoadTest::run(GUEST, &format!("Worker -u 2 -t 60s -H {}", nobody.url()));
    assert_eq!(results.code(), 5);
    let why = format!(
        "host unreachable: connection to {} refused",
        nobody.address()
    );
    assert_eq!(results.reason(), why);
    assert!(
        results.output.stdout.contains(&why),
        "{}",
        results.output.stdout
    );
    assert!(results.number("/run/duration_seconds") < 60.0);
}

#[test]
fn ctrl_c_stops_gracefully_and_the_second_one_at_once() {
    let recorder = Recorder::start();
    let host = recorder.url();
    let mut test = LoadTest::start(
        &Engine::new(),
        GUEST,
        &format!("Stuck Worker -u 2 -H {host}"),
    );
    recorder.wait_for_requests("/hold", 1);
    recorder.wait_for("start", 1);
    test.interrupt();
    test.wait_for_line("once more ends everything now");
    recorder.wait_for("stop", 1);
    test.interrupt();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    assert!(
        results.output.stdout.contains("interrupted"),
        "{}",
        results.output.stdout
    );
    assert_eq!(
        results.entry("errors", "name", "held")["kind"],
        "interrupted"
    );
}
