//! What counts as a failure, what ends a user or the run, and what a scenario measures by
//! itself, held against users whose results are known.

use aiotest_tests::{LoadTest, Recorder, Results};
use serde_json::{Value, json};

const GUESTS: [&str; 2] = ["guest-probe", "guest-probe-concurrent"];

fn run(guest: &str, recorder: &Recorder, args: &str) -> Results {
    LoadTest::run(guest, &format!("{args} -q -H {}", recorder.url()))
}

/// Requests and failures under a name.
#[track_caller]
fn assert_counts(results: &Results, name: &str, requests: u64, failures: u64) {
    let entry = results.entry("requests", "name", name);
    let counts = (&entry["requests"], &entry["failures"]);
    assert_eq!(counts, (&json!(requests), &json!(failures)), "{name}");
}

/// The kind and message of the one error under a name, which occurred once.
#[track_caller]
fn error<'a>(results: &'a Results, name: &str) -> (&'a str, &'a str) {
    let error = results.entry("errors", "name", name);
    assert_eq!(error["count"], 1, "{name}");
    (text(&error["kind"]), text(&error["message"]))
}

/// The message of the one error of a class's tasks, which occurred once.
#[track_caller]
fn task_error<'a>(results: &'a Results, class: &str) -> &'a str {
    let error = results.entry("task_errors", "class", class);
    assert_eq!(error["count"], 1, "{class}");
    text(&error["message"])
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

#[test]
fn statuses_and_marks_decide() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Statuses Marks -u 2");
        assert_eq!(
            (results.code(), results.reason()),
            (1, "all users finished")
        );

        for (name, failures) in [
            ("status 200", 0),
            ("status 302", 0),
            ("status 404", 1),
            ("status 503", 1),
        ] {
            assert_counts(&results, name, 1, failures);
        }
        assert_eq!(error(&results, "status 404"), ("status", "404 Not Found"));
        assert_eq!(
            error(&results, "status 503"),
            ("status", "503 Service Unavailable")
        );

        // The marks stand although the task failed afterwards.
        assert_counts(&results, "as expected", 1, 0);
        assert_counts(&results, "sold out", 1, 1);
        assert_eq!(error(&results, "sold out"), ("mark", "no tea left"));
        assert_eq!(
            task_error(&results, "Marks"),
            "a failure that the marks outlive"
        );

        assert_eq!(results.number("/total/requests"), 6.0);
        assert_eq!(results.number("/total/failures"), 3.0);
        assert!(
            results.output.stdout.contains("no tea left"),
            "{}",
            results.output.stdout
        );
    }
}

#[test]
fn a_failed_task_fails_the_response_that_it_read_last() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Parked Held Asserts -u 3");
        assert_eq!(
            (results.code(), results.reason()),
            (1, "all users finished")
        );

        assert_counts(&results, "before parked", 1, 0);
        assert_counts(&results, "parked", 1, 1);
        assert_eq!(error(&results, "parked"), ("task", "nothing parked here"));
        assert_eq!(task_error(&results, "Parked"), "nothing parked here");

        assert_counts(&results, "held", 1, 1);
        assert_eq!(error(&results, "held"), ("task", "nothing held here"));
        assert_eq!(task_error(&results, "Held"), "nothing held here");

        let (kind, message) = error(&results, "asserted");
        assert_eq!(kind, "task");
        assert!(
            message.ends_with("response.status() == 201: 200 and 201"),
            "{message}"
        );
        assert_eq!(task_error(&results, "Asserts"), message);
    }
}

#[test]
fn a_panic_fails_the_open_response_and_the_user_starts_anew() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Panics -u 1");
        assert_eq!(
            (results.code(), results.reason()),
            (1, "all users finished")
        );
        assert_eq!(recorder.events().len(), 2);
        assert_eq!(results.number("/users/started"), 1.0);

        assert_counts(&results, "panicked", 1, 1);
        let (kind, message) = error(&results, "panicked");
        assert_eq!(kind, "task");
        assert!(message.contains("out of tea"), "{message}");

        let event = results.entry("sandbox_events", "class", "Panics");
        assert_eq!(
            (text(&event["kind"]), &event["count"]),
            ("panic", &json!(1))
        );
        assert!(text(&event["message"]).contains("out of tea"), "{event}");
        assert_eq!(results.number("/sandbox_restarts/Panics"), 1.0);
        // The table breaks lines where the message is too long for them.
        let words: Vec<_> = results.output.stdout.split_whitespace().collect();
        assert!(words.join(" ").contains("out of tea"), "{words:?}");
    }
}

#[test]
fn users_with_nothing_left_to_do_are_not_replaced() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Quits -u 10");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished")
        );
        assert_eq!(results.number("/users/started"), 10.0);
        assert_eq!(results.number("/users/stopped"), 10.0);
    }
}

#[test]
fn a_scenario_can_end_the_run() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Ender Worker -u 4");
        assert_eq!(results.code(), 0);
        assert_eq!(results.reason(), "stopped by the scenario: that is enough");
        assert_eq!(results.report["task_errors"], json!([]));
        for life in recorder.lives().values() {
            assert_eq!(life.last().map(String::as_str), Some("stop"), "{life:?}");
        }
    }
}

#[test]
fn hooks_run_once_at_both_ends_of_the_run() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Worker -u 3 -t 1s -e hooks=tell");
        assert_eq!(results.code(), 0);
        let events = recorder.events();
        assert_eq!(recorder.lives()[&0], ["test-start", "test-stop"]);
        let ends = (
            events.first().map(|event| event.user),
            events.last().map(|event| event.user),
        );
        assert_eq!(ends, (Some(0), Some(0)), "{events:?}");
    }
}

#[test]
fn a_hook_that_fails_before_the_run_keeps_it_from_starting() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Worker -u 3 -e hooks=test-start");
        assert_eq!(results.code(), 7);
        assert_eq!(
            results.reason(),
            "on_test_start failed: no test-start today"
        );
        assert_eq!(results.number("/users/started"), 0.0);
        assert_eq!(recorder.events(), []);
        assert!(
            results.output.stdout.contains("no test-start today"),
            "{:#?}",
            results.output
        );
    }
}

#[test]
fn a_hook_that_fails_after_the_run_is_told() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        for args in ["Worker -u 1 -t 500ms", "Quits -u 1", "Ender -u 1"] {
            let results = run(guest, &recorder, &format!("{args} -e hooks=test-stop"));
            assert_eq!(results.code(), 7, "{args}");
            assert_eq!(
                results.reason(),
                "on_test_stop failed: no test-stop today",
                "{args}"
            );
            let error = results.entry("task_errors", "task", "on_test_stop");
            assert_eq!(text(&error["message"]), "no test-stop today");
        }
    }
}

#[test]
fn what_a_scenario_measures_is_in_the_report() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Measures -u 1");
        let report = &results.report;
        assert_eq!(
            report["checks"],
            json!({"in stock": {"passed": 2, "failed": 1}})
        );
        assert_eq!(report["counters"], json!({"orders": 3.5}));
        assert_eq!(report["gauges"], json!({"stock": 3.0}));
        let basket = &report["trends"]["basket"];
        assert_eq!(basket["count"], 100);
        assert_eq!(
            (&basket["min"], &basket["max"]),
            (&json!(1.0), &json!(100.0))
        );
        assert_eq!(basket["avg"], 50.5);
        // Percentiles are kept to three digits.
        for (name, value) in [("p50", 50.0), ("p99", 99.0)] {
            let kept = basket[name].as_f64().unwrap();
            assert!((kept - value).abs() < 0.1, "{name}: {kept}");
        }

        let list = results.entry("requests", "name", "List");
        assert_eq!(list["method"], "gRPC");
        assert_eq!(
            (&list["requests"], &list["failures"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(list["bytes_received"], 20);
        assert_eq!(list["time_ms"]["avg"], 5.0);
        assert_eq!(error(&results, "List"), ("scenario", "unavailable"));
    }
}
