//! asyncio in a sandbox, as Python has it anywhere.

use aiotest_tests::{Recorder, Results};
use serde_json::json;

use crate::{OK, life, recorded, row, says, task_error, told};

const SCRIPT: &str = "coroutines.py";

/// One pass of one user.
fn one(class: &str) -> (Recorder, Results) {
    let (recorder, results) = recorded(SCRIPT, &format!("{class} -u 1 -i 1"));
    assert_eq!(results.reason(), "all users finished");
    assert_eq!(results.report["task_errors"], json!([]), "{results:#?}");
    assert_eq!(results.report["sandbox_events"], json!([]));
    (recorder, results)
}

#[test]
fn gathered_requests_overlap() {
    let (recorder, results) = one("Gathers");
    assert_eq!(results.code(), OK);
    assert_eq!(recorder.peak_at_gates(), 5);
    let mut life = life(&recorder);
    life.sort_unstable();
    assert_eq!(life, ["one", "two"]);
}

#[test]
fn tasks_and_groups_of_tasks_run_and_fail_together() {
    let (recorder, results) = one("Tasks");
    assert_eq!(recorder.peak_at_gates(), 3);
    let mut life = life(&recorder);
    assert_eq!(life.pop().as_deref(), Some("group-failed"));
    life.sort_unstable();
    assert_eq!(life, ["a", "b", "failing", "first", "second"]);
    // It was under way when its group failed.
    assert_eq!(row(&results, "/hold"), (1, 1));
}

#[test]
fn a_wait_that_times_out_ends_its_request() {
    let (recorder, results) = one("TimesOut");
    assert_eq!(life(&recorder), ["wait_for", "timeout", "in-time"]);
    assert_eq!(recorder.requests("/hold"), 2);
    assert_eq!(row(&results, "/hold"), (2, 2));
    assert_eq!(row(&results, "tell"), (3, 0));
}

#[test]
fn a_cancelled_task_cleans_up_and_a_shielded_one_goes_on() {
    let (recorder, results) = one("Cancels");
    assert_eq!(life(&recorder), ["begun", "cleaned-up", "cancelled"]);
    assert_eq!(row(&results, "/hold"), (1, 1));
    assert_eq!(row(&results, "/gate"), (1, 0));
}

#[test]
fn locks_semaphores_and_queues_hold_tasks_back() {
    let (recorder, results) = one("Locks");
    assert_eq!(results.code(), OK);
    assert_eq!(recorder.peak_at_gates(), 2);
    let entries = ["in", "out"].repeat(4);
    let expected = [&entries[..], &["got-0", "got-1", "got-2"]].concat();
    assert_eq!(life(&recorder), expected);
}

#[test]
fn work_in_the_background_ends_with_its_user() {
    let (recorder, results) = recorded(SCRIPT, "Background -u 2 -r 100 -i 3");
    assert_eq!(results.reason(), "all users finished");
    assert_eq!(results.report["task_errors"], json!([]), "{results:#?}");
    assert_eq!(results.report["sandbox_events"], json!([]));
    let told = told(&recorder);
    assert_eq!(told["job"], 6);
    assert!(told["beat"] >= 18, "{told:?}");
    // Nobody waits for the task that fails, but its exception is not lost.
    says(&results.output, "nobody waits for me");
}

#[test]
fn threads_are_refused_by_name() {
    let (_, results) = recorded(SCRIPT, "ToThread -u 1 -i 1");
    let (message, _) = task_error(&results, "test_thread");
    assert!(message.contains("thread"), "{message}");
    assert_eq!(results.report["sandbox_events"], json!([]));
}
