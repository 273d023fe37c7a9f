//! Users that go wrong, and those who share a sandbox with them.

use std::collections::BTreeSet;

use aiotest_tests::{Recorder, Results, Storefront};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;

use crate::{FAILURES, OK, count, line, recorded, row, says, task_error, text, told};

const SCRIPT: &str = "unlucky.py";
const USERS: usize = 6;
const PASSES: usize = 3;

/// Six users in one sandbox, the first of them unlucky in each pass.
fn crowd(class: &str) -> (Recorder, Results) {
    let args = format!("{class} -u {USERS} -r 100 -i {PASSES} --users-per-sandbox {USERS}");
    let (recorder, results) = recorded(SCRIPT, &args);
    assert_eq!(
        (results.code(), results.reason()),
        (FAILURES, "all users finished"),
        "{results:#?}"
    );
    assert_eq!(results.report["sandbox_events"], json!([]), "{results:#?}");
    (recorder, results)
}

/// The unlucky one fails in each of its passes, and nobody else does.
fn alone(class: &str, error: &str) -> Results {
    let (recorder, results) = crowd(class);
    assert_eq!(told(&recorder)["good"], (USERS - 1) * PASSES);
    let (message, count) = task_error(&results, "test_luck");
    assert!(message.contains(error), "{message}");
    assert_eq!(count as usize, PASSES, "{message}");
    results
}

#[test]
fn an_exception_is_its_own_users() {
    let results = alone("Raises", "RuntimeError: bad luck");
    let (message, _) = task_error(&results, "test_luck");
    let place = line(SCRIPT, "RuntimeError(\"bad luck\")");
    let place = format!("unlucky.py:{place} in test_luck)");
    assert!(message.contains(&place), "{message}");
    says(&results.output, "in the background");
}

#[test]
fn endless_recursion_is_an_exception() {
    alone("Recurses", "RecursionError");
}

#[test]
fn hoarded_memory_is_an_exception() {
    alone("Hoards", "MemoryError");
}

#[test]
fn an_exit_ends_the_run() {
    let args = format!("Exits -u {USERS} -r 100 -i {PASSES} --users-per-sandbox {USERS}");
    let (_, results) = recorded(SCRIPT, &args);
    let reason = results.reason();
    assert_eq!(reason, "stopped by the scenario: Exits called sys.exit(3)");
    assert_eq!(results.code(), OK, "{results:#?}");
    assert_eq!(results.report["sandbox_events"], json!([]), "{results:#?}");
}

#[test]
fn a_start_that_fails_is_its_own_users() {
    let (recorder, results) = crowd("StartFails");
    // The unlucky one may have come again.
    assert!(told(&recorder)["good"] >= (USERS - 1) * PASSES);
    let (message, count) = task_error(&results, "on_start");
    assert!(message.contains("no luck at the start"), "{message}");
    assert_eq!(count, 1);
}

#[test]
fn an_endless_loop_ends_its_group_which_begins_again() {
    let recorder = Recorder::start();
    let args = format!("Loops -u {USERS} -r 100 -t 5s --users-per-sandbox 2 --cpu-limit 500ms");
    let results = aiotest_tests::scripts::run(SCRIPT, &recorder.url(), &args);
    assert_eq!(
        (results.code(), results.reason()),
        (FAILURES, "completed"),
        "{results:#?}"
    );
    let event = results.entry("sandbox_events", "class", "Loops");
    assert_eq!(
        (&event["kind"], count(&event["count"])),
        (&"cpu-limit".into(), 1)
    );
    // Who was at work, and in what.
    let message = text(&event["message"]);
    for words in ["user ", "Loops", "test_luck", "computed for 500ms"] {
        assert!(message.contains(words), "{message}");
    }
    assert!(count(&results.report["sandbox_restarts"]["Loops"]) >= 1);
    // Both of the group came again, and the others never left.
    let happy: BTreeSet<_> = recorder
        .events()
        .into_iter()
        .filter(|event| event.what == "good")
        .map(|event| event.user)
        .collect();
    assert!(happy.len() >= USERS, "{happy:?}");
    assert_eq!(told(&recorder)["come"], USERS + 2);
}

#[test]
fn a_thousand_users_are_there_at_a_time() {
    // Their connections end in this process.
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("more files can be open");
    let (recorder, results) = recorded("thousand.py", "-u 1000 -r 1000 -i 2");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished"),
        "{:#?}",
        results.output
    );
    assert_eq!(recorder.peak_at_gates(), 1000);
    assert_eq!(recorder.requests("/"), 2000);
    assert_eq!(row(&results, "all there"), (1000, 0));
    assert_eq!(row(&results, "home"), (2000, 0));
    assert_eq!(results.number("/users/peak"), 1000.0);
}

#[test]
fn counts_are_the_servers_when_a_packed_run_is_cut_off() {
    let shop = Storefront::start();
    let args = "Guest -u 40 -r 1000 -t 2s --users-per-sandbox 10 --stop-timeout 1ms";
    let results = aiotest_tests::scripts::run("basic.py", &shop.url(), args);
    assert_eq!(results.reason(), "completed");
    let counted = results.number("/total/requests");
    let (cut_off, seen) = (cut_off(&results), shop.exchanges().len() as f64);
    // What was cut off may have been seen or not.
    assert!(
        (counted - cut_off..=counted).contains(&seen),
        "{counted} {cut_off} {seen}"
    );
    assert!(seen > 40.0, "{seen}");
}

/// Requests that the end of the run interrupted.
fn cut_off(results: &Results) -> f64 {
    let errors = results.entries("errors", "kind", "interrupted");
    errors
        .iter()
        .map(|error| count(&error["count"]))
        .sum::<u64>() as f64
}
