//! Users that misbehave: each is contained and reported by name, and its neighbours go on.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use aiotest_tests::faults::{self, Fault};
use aiotest_tests::handmade::Scenario;
use aiotest_tests::{Engine, LoadTest, Results, Shop};
use parking_lot::Mutex;
use serde_json::Value;

/// Exit codes.
const OK: i32 = 0;
const FAILURES: i32 = 1;
const SCENARIO: i32 = 7;
const INTERRUPTED: i32 = 130;

const SEQUENTIAL: &str = "guest-hostile";
const CONCURRENT: &str = "guest-hostile-concurrent";

/// Everyone that the neighbours have to bear at a time.
const ROGUES: [&str; 14] = [
    "EndlessLoop",
    "MemoryBomb",
    "StackOverflow",
    "BadConstructor",
    "BadStart",
    "BadTask",
    "BadStop",
    "HandleBomb",
    "LogFlood",
    "NameFlood",
    "LongReason",
    "BigResponse",
    "HeaderBomb",
    "ForbiddenHost",
];

/// One run at a time: they are compared with each other.
static MACHINE: Mutex<()> = Mutex::new(());

/// Two users of each class, and a shop for them.
fn run(guest: &str, classes: &[&str], more: &str) -> Results {
    let _turn = MACHINE.lock();
    let shop = Shop::start(Default::default());
    let (url, users) = (shop.url(), classes.len() * 2);
    LoadTest::run(
        guest,
        &format!("{} -H {url} -u {users} {more}", classes.join(" ")),
    )
}

/// The neighbours among all rogues.
fn crowd(guest: &str) -> Results {
    let big = faults::start(Fault::EndlessChunks);
    let headers = faults::start(Fault::HeaderBomb);
    let mut classes = vec!["Neighbour"];
    classes.extend(ROGUES);
    let more = format!(
        "-t 4s --cpu-limit 100ms --max-body 1MiB \
         -e big={} --allow-host {} -e headers={} --allow-host {}",
        big.url(),
        big.address(),
        headers.url(),
        headers.address(),
    );
    run(guest, &classes, &more)
}

static CROWD: LazyLock<Results> = LazyLock::new(|| crowd(SEQUENTIAL));
static CONCURRENT_CROWD: LazyLock<Results> = LazyLock::new(|| crowd(CONCURRENT));

/// What holds in both conventions.
fn crowds() -> [&'static Results; 2] {
    [&CROWD, &CONCURRENT_CROWD]
}

/// Requests of this name, and how many of them failed.
fn requests(run: &Results, name: &str) -> (u64, u64) {
    let row = run.entry("requests", "name", name);
    (count(&row["requests"]), count(&row["failures"]))
}

#[track_caller]
fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("{value} is no count"))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

/// Lives of two users in 4 s with pauses of 0.5, 1 and 2 s between them, at most.
const LIVES: u64 = 2 * 4;

/// Sandboxes of a class died like this, again and again, but not at once.
fn dies(class: &str, kind: &str, words: &str) {
    for run in crowds() {
        let event = run.entry("sandbox_events", "class", class);
        assert_eq!(event["kind"], kind, "{event}");
        assert!(text(&event["message"]).contains(words), "{event}");
        assert!((3..=LIVES).contains(&count(&event["count"])), "{event}");
        let restarts = count(&run.report["sandbox_restarts"][class]);
        assert!((2..=LIVES).contains(&restarts), "{class}: {restarts}");
        let (_, table) = run
            .output
            .stdout
            .split_once("Sandbox failures")
            .expect("they are shown");
        let shown = |line: &str| line.contains(class) && line.contains(kind);
        assert!(table.lines().any(shown), "{class} {kind}: {table}");
    }
}

#[test]
fn neighbours_keep_their_pace() {
    for (guest, run_of_all) in [(SEQUENTIAL, &*CROWD), (CONCURRENT, &*CONCURRENT_CROWD)] {
        let alone = run(guest, &["Neighbour"], "-t 4s");
        assert_eq!(alone.code(), OK, "{alone:#?}");
        let (undisturbed, _) = requests(&alone, "/products");
        let (requests, failures) = requests(run_of_all, "/products");
        println!("{guest}: {undisturbed} requests alone, {requests} in the crowd");
        assert_eq!(failures, 0);
        assert!(
            requests * 2 >= undisturbed,
            "{requests} of {undisturbed} requests"
        );
    }
}

#[test]
fn a_crowd_of_rogues_does_not_end_the_run() {
    for run in crowds() {
        assert_eq!(run.code(), FAILURES, "{run:#?}");
        assert_eq!(run.reason(), "completed");
        assert_eq!(run.report["users"]["peak"], 2 * (1 + ROGUES.len()));
    }
}

#[test]
fn an_endless_loop_is_ended() {
    dies(
        "EndlessLoop",
        "cpu-limit",
        "computed for 100ms without waiting",
    );
}

#[test]
fn a_memory_bomb_is_ended() {
    dies("MemoryBomb", "memory-limit", "--memory-limit");
}

#[test]
fn a_stack_overflow_is_ended() {
    dies("StackOverflow", "stack-overflow", "call stack exhausted");
}

#[test]
fn panics_are_reported_with_their_words() {
    dies("BadConstructor", "panic", "no constructor today");
    dies("BadStart", "panic", "no start today");
    dies("BadTask", "panic", "no task today");
}

#[test]
fn a_panic_in_on_stop_is_counted() {
    for run in crowds() {
        let event = run.entry("sandbox_events", "class", "BadStop");
        assert_eq!(
            (&event["kind"], count(&event["count"])),
            (&"panic".into(), 2)
        );
        assert!(text(&event["message"]).contains("no stop today"), "{event}");
        assert_eq!(run.report["sandbox_restarts"]["BadStop"], Value::Null);
    }
}

#[test]
fn handles_are_limited() {
    for run in crowds() {
        let event = run.entry("sandbox_events", "class", "HandleBomb");
        assert_eq!(event["kind"], "handle-limit");
        assert!(
            text(&event["message"]).contains("10000 sessions"),
            "{event}"
        );
    }
}

#[test]
fn a_flood_of_lines_is_dropped_and_counted() {
    for run in crowds() {
        assert!(run.number("/engine/log_lines_dropped") > 1000.0);
        assert!(run.output.stdout.contains("log lines dropped"));
        let shown = run
            .output
            .stderr
            .lines()
            .filter(|line| line.starts_with("[LogFlood]"));
        // 100 lines a second.
        let seconds = run.number("/run/duration_seconds");
        let shown = shown.count();
        assert!(shown as f64 <= 100.0 * (seconds + 2.0), "{shown} lines");
        assert!(!run.output.stderr.contains('\x1b'));
    }
}

#[test]
fn a_flood_of_names_is_folded() {
    for run in crowds() {
        assert!(run.number("/engine/custom_values_folded") > 1000.0);
        let names = run.report["counters"].as_object().unwrap().len();
        assert!(names <= 1001, "{names}");
    }
}

#[test]
fn a_long_reason_is_cut_and_disarmed() {
    for run in crowds() {
        let error = run.entry("task_errors", "class", "LongReason");
        let message = text(&error["message"]);
        assert!(message.starts_with("because"), "{message}");
        assert!(message.len() <= 4096, "{} bytes", message.len());
        assert!(!run.output.stdout.contains('\x1b'));
    }
}

#[test]
fn a_long_goodbye_is_cut_and_disarmed() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        let run = run(guest, &["LongGoodbye"], "-t 60s");
        assert_eq!(run.code(), OK, "{}", run.output.stdout);
        let reason = run.reason();
        assert!(
            reason.starts_with("stopped by the scenario: goodbye"),
            "{reason}"
        );
        assert!(reason.len() <= 5000, "{} bytes", reason.len());
        assert!(!run.output.stdout.contains('\x1b'));
    }
}

#[test]
fn responses_without_end_are_cut_off() {
    for run in crowds() {
        for name in ["big", "headers"] {
            let (requests, failures) = requests(run, name);
            assert!(
                requests > 0 && failures == requests,
                "{name}: {requests}, {failures}"
            );
            assert_eq!(run.entry("errors", "name", name)["kind"], "too-large");
        }
    }
}

#[test]
fn a_host_that_is_not_granted_is_denied() {
    for run in crowds() {
        let (requests, failures) = requests(run, "steal");
        assert!(
            requests > 0 && failures == requests,
            "{requests}, {failures}"
        );
        let error = run.entry("errors", "name", "steal");
        assert_eq!(error["kind"], "denied");
        let message = text(&error["message"]);
        assert!(message.contains("169.254.169.254"), "{message}");
    }
}

#[test]
fn a_table_that_grows_is_ended() {
    let grow = "(loop
        (br_if 0 (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
        unreachable";
    let scenario = Scenario {
        task: grow.to_owned(),
        ..Scenario::default()
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, scenario.build()).unwrap();
    let output = Engine::new().run([Path::new("run"), file.path(), "-t".as_ref(), "1s".as_ref()]);
    assert_eq!(output.code, Some(FAILURES), "{output:?}");
    for words in ["Handmade", "table-limit", "table exhausted"] {
        assert!(output.stdout.contains(words), "{output:?}");
    }
}

#[test]
fn waits_without_end_do_not_keep_the_run() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        let classes = ["WaitForever", "SleepForever", "EndlessLoop"];
        let run = run(guest, &classes, "-t 1s --stop-timeout 1s --cpu-limit 1h");
        for line in ["[WaitForever] waiting", "[SleepForever] sleeping"] {
            assert!(run.output.stderr.contains(line), "{run:#?}");
        }
        // Who waits through the engine stops in order; the others are ended.
        assert_eq!(run.report["counters"]["waiters stopped"], 2.0);
        assert_eq!(run.report["counters"]["sleepers stopped"], Value::Null);
        let notice = "4 users did not stop within 1s and were ended";
        assert!(run.output.stderr.contains(notice), "{run:#?}");
        assert_eq!(run.report["users"]["stopped"], 6);
        assert_eq!(run.reason(), "completed");
    }
}

#[test]
fn bodies_without_end_are_cut_off_while_they_are_read() {
    const LIMIT: f64 = (1 << 20) as f64;
    for guest in [SEQUENTIAL, CONCURRENT] {
        let server = faults::start(Fault::EndlessChunks);
        let (url, address) = (server.url(), server.address());
        let more = format!("-t 2s --max-body 1MiB -e endless={url} --allow-host {address}");
        let run = run(guest, &["Neighbour", "Gulper"], &more);
        assert_eq!(run.code(), FAILURES, "{run:#?}");

        let (gulped, failures) = requests(&run, "gulped");
        assert!(
            gulped > 0 && failures == gulped,
            "{gulped}, {failures} failed"
        );
        let error = run.entry("errors", "name", "gulped");
        assert_eq!(error["kind"], "too-large");
        assert!(text(&error["message"]).contains("1048576"), "{error}");
        let bytes = run.number("/counters/bytes gulped");
        assert!(
            bytes > 0.0 && bytes <= LIMIT * gulped as f64,
            "{bytes} bytes of {gulped} bodies"
        );
        let (requests, failures) = requests(&run, "/products");
        assert!(requests > 0 && failures == 0, "{requests}, {failures}");
    }
}

#[test]
fn bodies_that_nobody_reads_to_the_end_are_counted_once() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        let server = faults::start(Fault::EndlessChunks);
        let (url, address) = (server.url(), server.address());
        let more = format!("-t 2s -e endless={url} --allow-host {address}");
        let run = run(guest, &["Neighbour", "Nibbler"], &more);
        assert_eq!(run.reason(), "completed", "{run:#?}");
        let begun = run.number("/counters/bodies begun");
        let (nibbled, _) = requests(&run, "nibbled");
        assert!(begun > 0.0, "{run:#?}");
        assert_eq!(nibbled as f64, begun, "{guest}");
        assert_eq!(server.requests(), nibbled, "{guest}");
        let (requests, failures) = requests(&run, "/products");
        assert!(requests > 0 && failures == 0, "{requests}, {failures}");
    }
}

/// The ways in which all that is beside the users can die, and the words about them.
const DEATHS: [(&str, &str); 4] = [
    ("spin", "computed for 100ms without waiting"),
    ("panic", "no conductor today"),
    ("dig", "call stack exhausted"),
    ("hoard", "--memory-limit"),
];

/// The run failed because of what is beside the users, and says so everywhere.
#[track_caller]
fn assert_scenario_failed(run: &Results, start: &str, words: &str) {
    assert_eq!(run.code(), SCENARIO, "{run:#?}");
    let reason = run.reason();
    assert!(
        reason.starts_with(start) && reason.contains(words),
        "{words}: {reason}"
    );
    let stdout = &run.output.stdout;
    assert!(
        stdout.contains("ended ") && stdout.contains(start),
        "{stdout}"
    );
    assert!(!stdout.contains('\x1b'), "{stdout}");
}

#[test]
fn a_hook_that_dies_before_the_users_come_ends_the_run() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        for (how, words) in DEATHS {
            let more = format!("-t 60s --cpu-limit 100ms -e hooks=start-{how}");
            let run = run(guest, &["Neighbour"], &more);
            assert_scenario_failed(&run, "on_test_start failed: ", words);
            assert_eq!(run.report["users"]["started"], 0, "{how}");
            let error = run.entry("task_errors", "task", "on_test_start");
            assert_eq!(
                (&error["class"], &error["count"]),
                (&"hooks".into(), &1.into())
            );
        }
    }
}

#[test]
fn a_hook_that_dies_after_the_users_left_fails_the_run() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        for (how, words) in DEATHS {
            let more = format!("-t 500ms --cpu-limit 100ms -e hooks=stop-{how}");
            let run = run(guest, &["Neighbour"], &more);
            assert_scenario_failed(&run, "on_test_stop failed: ", words);
            assert_eq!(run.report["users"]["stopped"], 2, "{how}");
            assert!(requests(&run, "/products").0 > 0, "{how}");
            assert!(run.output.stdout.contains("GET /products"), "{run:#?}");
            run.entry("task_errors", "task", "on_test_stop");
        }
    }
}

#[test]
fn a_hook_that_says_too_much_is_cut_and_disarmed() {
    for (hook, start) in [
        ("start", "on_test_start failed: because"),
        ("stop", "on_test_stop failed: because"),
    ] {
        let more = format!("-t 200ms -e hooks={hook}-talk");
        let run = run(SEQUENTIAL, &["Neighbour"], &more);
        assert_scenario_failed(&run, start, "because");
        assert!(run.reason().len() <= 5000, "{} bytes", run.reason().len());
        assert!(!run.output.stderr.contains('\x1b'), "{run:#?}");
    }
}

#[test]
fn a_hook_that_waits_for_ever_can_be_interrupted() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        for (hook, users) in [("start", 0), ("stop", 2)] {
            for how in ["wait", "sleep"] {
                let shop = Shop::start(Default::default());
                let url = shop.url();
                let args = format!("Neighbour -u 2 -i 1 -e hooks={hook}-{how} -H {url}");
                let mut test = LoadTest::start(&Engine::new(), guest, &args);
                test.wait_for_line(&format!("at the {hook}"));
                test.interrupt();
                let run = test.finish();
                assert_eq!((run.code(), run.reason()), (INTERRUPTED, "interrupted"));
                assert_eq!(run.number("/users/stopped"), f64::from(users), "{how}");
                assert_eq!(run.number("/total/requests"), f64::from(users), "{how}");
            }
        }
    }
}

/// Neighbours, as many as the load shape wants.
fn shaped(guest: &str, more: &str) -> Results {
    let _turn = MACHINE.lock();
    let shop = Shop::start(Default::default());
    LoadTest::run(guest, &format!("Neighbour -H {} {more}", shop.url()))
}

#[test]
fn a_load_shape_that_dies_each_time_ends_the_run() {
    let of_spawn_rates = [
        ("nan", "spawn rate NaN is not above 0"),
        ("backwards", "spawn rate -1 is not above 0"),
    ];
    for (guest, ways) in [
        (SEQUENTIAL, &DEATHS[..]),
        (SEQUENTIAL, &of_spawn_rates),
        (CONCURRENT, &DEATHS[..1]),
    ] {
        for (how, words) in ways {
            let more = format!("-t 60s --cpu-limit 100ms -e shape={how}");
            let run = shaped(guest, &more);
            assert_scenario_failed(&run, "the load shape keeps failing: ", words);
            let error = run.entry("task_errors", "task", "tick");
            assert_eq!(
                (&error["class"], &error["count"]),
                (&"load shape".into(), &4.into())
            );
            assert_eq!(run.report["users"]["started"], 0, "{how}");
        }
    }
}

#[test]
fn a_load_shape_that_wants_too_much_gets_what_there_is() {
    let run = shaped(SEQUENTIAL, "-t 1s --max-users 3 -e shape=crowd");
    assert_eq!(run.code(), OK, "{run:#?}");
    assert_eq!(run.report["users"]["peak"], 3);
    let notice = "the load shape wants 4294967295 users; limited to 3 (--max-users)";
    assert!(run.output.stderr.contains(notice), "{run:#?}");
    assert_eq!(run.number("/counters/stop hooks"), 1.0);
}

#[test]
fn a_load_shape_that_never_answers_can_be_interrupted() {
    let shop = Shop::start(Default::default());
    let args = format!("Neighbour -e shape=sleep -H {}", shop.url());
    let mut test = LoadTest::start(&Engine::new(), SEQUENTIAL, &args);
    test.wait_for_line("0:01");
    test.interrupt();
    test.wait_for_line("stopping gracefully");
    test.interrupt();
    let run = test.finish();
    assert_eq!((run.code(), run.reason()), (INTERRUPTED, "interrupted"));
    assert_eq!(run.report["users"]["started"], 0);
}

#[test]
fn a_handler_of_events_that_dies_disturbs_nobody() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        for (how, words) in DEATHS {
            let more = format!("-t 1s --cpu-limit 100ms -e events={how}");
            let run = run(guest, &["Neighbour"], &more);
            assert_eq!((run.code(), run.reason()), (FAILURES, "completed"), "{how}");
            let error = run.entry("task_errors", "class", "events");
            assert!(text(&error["message"]).contains(words), "{error}");
            let (requests, failures) = requests(&run, "/products");
            assert!(requests > 0 && failures == 0, "{requests}, {failures}");
            assert_eq!(run.number("/counters/stop hooks"), 1.0, "{how}");
        }
    }
}

#[test]
fn a_handler_of_events_does_not_see_what_it_does_itself() {
    for guest in [SEQUENTIAL, CONCURRENT] {
        let run = run(guest, &["Neighbour"], "-t 1s -e events=echo");
        assert_eq!((run.code(), run.reason()), (OK, "completed"), "{run:#?}");
        let (seen, _) = requests(&run, "/products");
        assert!(seen > 0, "{run:#?}");
        assert_eq!(requests(&run, "echo"), (seen, 0));
        assert_eq!(run.number("/engine/events_dropped"), 0.0);
    }
}
