//! What gives a run its structure: task sets and tags of tasks, iterations, groups and tags
//! of requests, and the events that a scenario observes.

use std::collections::{BTreeMap, BTreeSet};

use aiotest_tests::{Control, Engine, LoadTest, Recorder, Results, guests};
use serde_json::{Value, json};

const BLOCKING: &str = "guest-probe";
const ASYNC: &str = "guest-probe-concurrent";
const GUESTS: [&str; 2] = [BLOCKING, ASYNC];

/// A scenario that watches its run.
const OBSERVER: &str = "guest-observer";

fn run(guest: &str, recorder: &Recorder, args: &str) -> Results {
    LoadTest::run(guest, &format!("{args} -q -H {}", recorder.url()))
}

/// What the only user did, in order.
fn life(guest: &str, args: &str) -> (Vec<String>, Results) {
    let recorder = Recorder::start();
    let results = run(guest, &recorder, &format!("-u 1 {args}"));
    let life = recorder.lives().remove(&1).unwrap_or_default();
    (life, results)
}

/// How often each thing was told.
fn told(recorder: &Recorder) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in recorder.events() {
        *counts.entry(event.what).or_default() += 1;
    }
    counts
}

/// The rounds of the browsing in one pass of `Sets`, each with its tasks.
#[track_caller]
fn rounds(pass: &[String]) -> Vec<&[String]> {
    let [open, browse @ .., cart, pay, close] = pass else {
        panic!("{pass:?}")
    };
    assert_eq!(
        [open, cart, pay, close],
        ["open", "cart", "pay", "close"],
        "{pass:?}"
    );
    let mut rounds = Vec::new();
    let mut rest = browse;
    while let Some(task) = rest.first() {
        let tasks = if task == "zoom" { 2 } else { 1 };
        let (round, later) = rest.split_at(tasks.min(rest.len()));
        assert!(
            matches!(round.join(" ").as_str(), "list" | "search" | "zoom unzoom"),
            "{round:?} of {pass:?}"
        );
        rounds.push(round);
        rest = later;
    }
    rounds
}

#[test]
fn task_sets_stand_where_tasks_do() {
    for guest in GUESTS {
        let (life, results) = life(guest, "Sets -i 2");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished"),
            "{:#?}",
            results.output
        );
        let passes: Vec<_> = life.split_inclusive(|task| task == "close").collect();
        assert_eq!(passes.len(), 2, "{guest}: {life:?}");
        for pass in passes {
            assert_eq!(rounds(pass).len(), 4, "{guest}: {pass:?}");
        }
        // An iteration is a whole pass, with all that its sets do.
        assert_eq!(results.number("/iterations/count"), 2.0);
        assert_eq!(results.number("/tasks"), life.len() as f64);
    }
}

#[test]
fn weighted_sets_draw_all_that_they_have() {
    let (life, results) = life(BLOCKING, "Sets -i 25");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let passes = life.split_inclusive(|task| task == "close");
    let drawn: Vec<String> = passes
        .flat_map(rounds)
        .map(|tasks| tasks.join(" "))
        .collect();
    assert_eq!(drawn.len(), 100);
    let distinct: BTreeSet<&str> = drawn.iter().map(String::as_str).collect();
    assert_eq!(distinct, BTreeSet::from(["list", "search", "zoom unzoom"]));
}

#[test]
fn a_set_without_rounds_is_left_by_its_tasks() {
    for guest in GUESTS {
        let (life, results) = life(guest, "Leaver -i 3");
        assert_eq!(results.code(), 0, "{:#?}", results.output);
        let passes: Vec<_> = life.split_inclusive(|task| task == "outside").collect();
        assert_eq!(passes.len(), 3, "{guest}: {life:?}");
        for pass in passes {
            let [inside @ .., outside] = pass else {
                panic!("{life:?}")
            };
            let known = |task: &String| task == "left" || task == "right";
            assert!(inside.iter().all(known), "{life:?}");
            assert_eq!((inside.len(), outside.as_str()), (3, "outside"));
        }
        // To leave a set is no failure.
        assert_eq!(results.report["task_errors"], json!([]));
        assert_eq!(results.number("/iterations/count"), 3.0);
        assert_eq!(results.number("/tasks"), 12.0);
    }
}

#[test]
fn tags_choose_tasks() {
    for (args, expected) in [
        ("", "quick thorough admin quick thorough admin"),
        ("-T fast", "quick admin quick admin"),
        ("-T slow", "thorough thorough"),
        ("-T slow,admin", "thorough admin thorough admin"),
        ("-T slow -T admin", "thorough admin thorough admin"),
        ("-E slow", "quick admin quick admin"),
        ("-E admin", "quick thorough quick thorough"),
        ("-T fast -E admin", "quick quick"),
        ("--tags fast,slow --exclude-tags fast", "thorough thorough"),
        ("-E nothing", "quick thorough admin quick thorough admin"),
    ] {
        let (life, results) = life(BLOCKING, &format!("Tagged -i 2 {args}"));
        assert_eq!(results.code(), 0, "{args}: {:#?}", results.output);
        assert_eq!(life.join(" "), expected, "{args}");
        assert_eq!(results.number("/iterations/count"), 2.0, "{args}");
    }
    let (life, results) = life(ASYNC, "Tagged -i 2 -T fast -E admin");
    assert_eq!((results.code(), life.join(" ")), (0, "quick quick".into()));
}

#[test]
fn classes_that_tags_leave_nothing_to_do_have_no_users() {
    let recorder = Recorder::start();
    let results = run(BLOCKING, &recorder, "Tagged Worker -u 4 -i 1 -T slow");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let lives = recorder.lives();
    assert_eq!(lives.len(), 4);
    assert!(
        lives.values().all(|life| life == &["thorough"]),
        "{lives:?}"
    );
    let classes = results.report["users"]["classes"].as_object().unwrap();
    assert_eq!(classes.keys().collect::<Vec<_>>(), ["Tagged"]);
}

#[test]
fn tags_that_leave_no_task_at_all_are_refused() {
    let component = guests::build(BLOCKING);
    let component = component.to_str().unwrap();
    for (args, words) in [
        ("Tagged -T none", "--tags none"),
        ("Worker -T fast,slow", "--tags fast,slow"),
        ("Tagged -E fast,slow", "--exclude-tags fast,slow"),
        ("Tagged -T slow -E slow", "--tags slow --exclude-tags slow"),
    ] {
        let line = ["run", component].into_iter().chain(args.split(' '));
        let output = Engine::new().run(line);
        assert_eq!(output.code, Some(2), "{args}: {output:#?}");
        let expected = format!("no task is left with {words}");
        assert!(output.stderr.contains(&expected), "{output:#?}");
        assert_eq!(output.stdout, "", "{args}");
    }
}

#[test]
fn iterations_are_counted_and_timed() {
    let recorder = Recorder::start();
    for (guest, class, args, iterations, tasks) in [
        // One task each.
        (BLOCKING, "Worker", "-u 2 -i 5", 10.0, 10.0),
        (ASYNC, "Worker", "-u 4 --shared-iterations 9", 9.0, 9.0),
        // A failed task ends the iteration early; the last one is not complete.
        (BLOCKING, "Sequence", "-u 1", 2.0, 8.0),
        // One drawn task each.
        (BLOCKING, "Dice", "-u 1", 399.0, 400.0),
        // All at a time.
        (ASYNC, "Pairs", "-u 1 -i 1", 1.0, 4.0),
    ] {
        let results = run(guest, &recorder, &format!("{class} {args}"));
        assert_eq!(results.reason(), "all users finished", "{class}");
        assert_eq!(results.number("/iterations/count"), iterations, "{class}");
        assert_eq!(results.number("/iterations/time_ms/count"), iterations);
        assert_eq!(results.number("/tasks"), tasks, "{class}");
        assert_eq!(results.number("/iterations/dropped"), 0.0, "{class}");
        assert_eq!(results.number("/iterations/late_ms/count"), 0.0, "{class}");
    }
}

#[test]
fn an_iteration_takes_as_long_as_its_tasks_and_the_waits_between_them() {
    let recorder = Recorder::start();
    // Four beats of 100 ms and a last one that ends the user; each is an iteration.
    let results = run(BLOCKING, &recorder, "Paced -u 1");
    assert_eq!(results.number("/iterations/count"), 4.0);
    let shortest = results.number("/iterations/time_ms/min");
    assert!(shortest >= 99.0, "{shortest} ms");
    // The wait after an iteration is not part of it; 300 ms apart they would take longer.
    let recorder = Recorder::start();
    let results = run(BLOCKING, &recorder, "Worker -u 1 -i 3 --pacing 500ms");
    assert_eq!(results.number("/iterations/count"), 3.0);
    let shortest = results.number("/iterations/time_ms/min");
    assert!(shortest < 500.0, "{shortest} ms");
    let duration = results.number("/run/duration_seconds");
    assert!(duration >= 1.0, "{duration} s");
}

/// Requests under a name, by their tags.
fn by_tags(results: &Results, name: &str) -> Vec<(Value, u64)> {
    let rows = results.entries("requests", "name", name).into_iter();
    rows.map(|row| {
        (
            row["tags"].clone(),
            row["requests"].as_u64().expect("a number"),
        )
    })
    .collect()
}

#[test]
fn groups_are_timed_and_mark_their_requests() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Grouped -u 3");
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished"),
            "{:#?}",
            results.output
        );
        let groups = results.report["groups"].as_object().unwrap();
        let names: Vec<_> = groups.keys().collect();
        assert_eq!(names, ["shop", "shop::checkout"], "{guest}");
        for (name, group) in groups {
            assert_eq!(group["time_ms"]["count"], 3, "{name}");
        }
        let longest = |name: &str| groups[name]["time_ms"]["max"].as_f64().unwrap();
        assert!(longest("shop") >= longest("shop::checkout"), "{groups:?}");

        for (name, tags, requests) in [
            ("before", json!({}), 3),
            ("browse", json!({"group": "shop"}), 6),
            ("pay", json!({"group": "shop::checkout", "region": "eu"}), 3),
            ("after", json!({"region": "eu"}), 3),
        ] {
            assert_eq!(by_tags(&results, name), [(tags, requests)], "{guest}");
        }
        assert_eq!(results.number("/total/requests"), 15.0);
        let stdout = &results.output.stdout;
        assert!(stdout.contains("Groups (ms)"), "{stdout}");
        assert!(stdout.contains("GET after {region=eu}"), "{stdout}");
    }
}

#[test]
fn groups_of_users_in_one_sandbox_do_not_mix() {
    let recorder = Recorder::start();
    let results = run(ASYNC, &recorder, "Grouped -u 20 --users-per-sandbox 10");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    for (name, tags, requests) in [
        ("before", json!({}), 20),
        ("browse", json!({"group": "shop"}), 40),
        (
            "pay",
            json!({"group": "shop::checkout", "region": "eu"}),
            20,
        ),
        ("after", json!({"region": "eu"}), 20),
    ] {
        assert_eq!(by_tags(&results, name), [(tags, requests)]);
    }
}

#[test]
fn tags_are_labels_of_the_metrics() {
    let recorder = Recorder::start();
    let args = format!(
        "Grouped -u 2 --prometheus 127.0.0.1:0 --linger -H {}",
        recorder.url()
    );
    let mut test = LoadTest::start(&Engine::new(), BLOCKING, &args);
    let control = Control::of(&mut test);
    test.wait_for_line("all users finished");
    let page = control.get("/metrics").body;
    assert_eq!(control.post("/quit").status, 200);
    let results = test.finish();
    assert_eq!(results.code(), 0, "{:#?}", results.output);

    for (name, tags, requests) in [
        ("before", "", 2),
        ("browse", ",group=\"shop\"", 4),
        ("pay", ",group=\"shop::checkout\",region=\"eu\"", 2),
        ("after", ",region=\"eu\"", 2),
    ] {
        let series = format!(
            "aiotest_http_requests_total{{method=\"GET\",endpoint=\"{name}\",\
             status_code=\"200\",assertion_result=\"pass\"{tags}}} {requests}\n"
        );
        assert!(page.contains(&series), "{series}: {page}");
        let count = format!(
            "aiotest_http_request_duration_seconds_count{{method=\"GET\",\
             endpoint=\"{name}\"{tags}}} {requests}\n"
        );
        assert!(page.contains(&count), "{count}: {page}");
    }
    for series in [
        "aiotest_group_duration_seconds_count{group=\"shop\"} 2\n",
        "aiotest_group_duration_seconds_count{group=\"shop::checkout\"} 2\n",
        "aiotest_run_state{state=\"stopped\"} 1\n",
    ] {
        assert!(page.contains(series), "{series}: {page}");
    }
}

#[test]
fn events_are_told_without_a_loss() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let args = "Worker -u 3 -i 4 -e events=tell";
        let results = run(guest, &recorder, args);
        assert_eq!(
            (results.code(), results.reason()),
            (0, "all users finished"),
            "{:#?}",
            results.output
        );
        let observed = recorder.lives().remove(&0).unwrap_or_default();
        let mut sorted = observed.clone();
        sorted.sort_unstable();
        let (starts, stops) = (["user-start"; 3], ["user-stop"; 3]);
        assert_eq!(sorted, [&starts[..], &stops].concat(), "{guest}");
        assert_eq!(observed.first().map(String::as_str), Some("user-start"));

        // What the handlers send is counted, but not told: they would never be done.
        assert_eq!(results.number("/total/requests"), 3.0 * 6.0 + 6.0);
        assert_eq!(results.number("/counters/observed"), 3.0 * 6.0, "{guest}");
        assert_eq!(results.number("/engine/events_dropped"), 0.0);
    }
}

#[test]
fn failed_steps_are_told_with_their_task() {
    for guest in GUESTS {
        let recorder = Recorder::start();
        let results = run(guest, &recorder, "Sequence -u 2 -e events=tell");
        assert_eq!(results.code(), 1, "{:#?}", results.output);
        let told = told(&recorder);
        assert_eq!(told["error-test_second"], 2, "{guest}: {told:?}");
        let errors = told.keys().filter(|what| what.starts_with("error-"));
        assert_eq!(errors.count(), 1, "{guest}: {told:?}");
    }
}

#[test]
fn nothing_is_told_that_nobody_asked_for() {
    let recorder = Recorder::start();
    let results = run(BLOCKING, &recorder, "Worker -u 2 -i 2");
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    assert_eq!(recorder.lives().keys().collect::<Vec<_>>(), [&1, &2]);
    assert_eq!(results.report["counters"], json!({}));
}

#[test]
fn handlers_are_called_by_priority() {
    const USERS: usize = 4;
    let recorder = Recorder::start();
    let results = run(OBSERVER, &recorder, &format!("-u {USERS} -i 3"));
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let of_run = recorder.lives().remove(&0).unwrap_or_default();
    let order = ["start-first", "start-second", "start-last"].repeat(USERS);
    assert_eq!(of_run, order);

    let checked = told(&recorder)["checked"] as f64;
    assert_eq!(checked, 12.0);
    let counters = json!({
        "requests seen of Checker": checked,
        "stops seen": USERS as f64,
    });
    assert_eq!(results.report["counters"], counters);
    assert!(results.number("/gauges/slowest seen ms") > 0.0);
}

#[test]
fn errors_of_users_are_told() {
    let recorder = Recorder::start();
    let results = run(OBSERVER, &recorder, "-u 2 -i 3 -e tasks=fail");
    // Its thresholds tolerate them.
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    assert_eq!(results.number("/counters/errors seen of test_check"), 6.0);
    let error = results.entry("task_errors", "task", "test_check");
    assert_eq!(error["count"], 6);
}

#[test]
fn a_failing_handler_is_mentioned_and_the_others_are_called() {
    let recorder = Recorder::start();
    let url = recorder.url();
    let args = format!("-u 2 -i 1 -e handler=fail -H {url}");
    let results = LoadTest::run(OBSERVER, &args);
    assert_eq!(results.code(), 0, "{:#?}", results.output);
    let of_run = recorder.lives().remove(&0).unwrap_or_default();
    assert_eq!(
        of_run,
        ["start-first", "start-second", "start-last"].repeat(2)
    );
    let stderr = &results.output.stderr;
    assert_eq!(stderr.matches("no handler today").count(), 2, "{stderr}");
}
