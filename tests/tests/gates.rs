//! Thresholds: conditions on the results that decide what a run comes to.

use std::ffi::OsStr;

use aiotest_tests::{Engine, LoadTest, Recorder, Results, guests};
use serde_json::{Value, json};

const GUEST: &str = "guest-probe";
/// Judges itself by `checks: rate>0.5` and `http_reqs: count>0`.
const JUDGE: &str = "guest-observer";

const OK: i32 = 0;
const FAILURES: i32 = 1;
const USAGE: i32 = 2;
const THRESHOLDS: i32 = 99;

/// The arguments, split at spaces, and a threshold for each other text.
fn line(recorder: &Recorder, args: &str, thresholds: &[&str]) -> Vec<String> {
    let mut line: Vec<_> = args.split_whitespace().map(str::to_owned).collect();
    line.extend(["-H".to_owned(), recorder.url()]);
    for threshold in thresholds {
        line.extend(["--threshold".to_owned(), (*threshold).to_owned()]);
    }
    line
}

fn run_guest(guest: &str, args: &str, thresholds: &[&str]) -> Results {
    let recorder = Recorder::start();
    let line = line(&recorder, args, thresholds);
    LoadTest::start_with(&Engine::new(), guest, line).finish()
}

fn run(args: &str, thresholds: &[&str]) -> Results {
    run_guest(GUEST, args, thresholds)
}

/// The thresholds of the report: each with its value, if there was one, and whether it
/// holds.
fn verdicts(results: &Results) -> Vec<(&str, Option<&str>, bool)> {
    let verdicts = results.report["thresholds"].as_array().expect("a list");
    verdicts.iter().map(verdict).collect()
}

fn verdict(entry: &Value) -> (&str, Option<&str>, bool) {
    let passed = entry["passed"].as_bool().expect("yes or no");
    let expression = entry["expression"].as_str().expect("a text");
    (expression, entry["value"].as_str(), passed)
}

/// The line of the summary about a threshold, which begins with its mark.
#[track_caller]
fn shown<'a>(results: &'a Results, expression: &str) -> &'a str {
    let mut lines = results.output.stdout.lines().map(str::trim);
    lines
        .find(|line| line.starts_with(['✓', '✗']) && line.contains(expression))
        .unwrap_or_else(|| panic!("no {expression:?}: {}", results.output.stdout))
}

#[test]
fn a_run_within_its_thresholds_passes() {
    for guest in [GUEST, "guest-probe-concurrent"] {
        let thresholds = [
            "http_reqs:count==10",
            "http_req_duration{name=\"once\"}: p(99) < 1m",
            "failures: rate<1%",
        ];
        let results = run_guest(guest, "Once -u 2 -i 5 -q", &thresholds);
        assert_eq!(results.code(), OK, "{:#?}", results.output);
        let counted = verdicts(&results)[0];
        assert_eq!(counted, ("http_reqs: count==10", Some("10"), true));
        assert!(verdicts(&results).iter().all(|(.., passed)| *passed));

        let stdout = &results.output.stdout;
        assert!(stdout.contains("Thresholds"), "{stdout}");
        let line = shown(&results, "http_reqs: count==10");
        assert!(line.starts_with('✓') && line.ends_with("= 10"), "{line}");
        assert_eq!(stdout.matches('✓').count(), 3, "{stdout}");
        assert!(!stdout.contains('✗'), "{stdout}");
    }
}

#[test]
fn a_run_beyond_a_threshold_fails() {
    let results = run("Once -u 2 -i 5 -q", &["http_reqs: count>10"]);
    assert_eq!(
        (results.code(), results.reason()),
        (THRESHOLDS, "all users finished")
    );
    let expected = [("http_reqs: count>10", Some("10"), false)];
    assert_eq!(verdicts(&results), expected);
    assert_eq!(results.report["thresholds"][0]["ended_run"], false);
    let line = shown(&results, "http_reqs: count>10");
    assert!(line.starts_with('✗') && line.ends_with("= 10"), "{line}");
}

#[test]
fn one_crossed_threshold_of_several_is_enough() {
    let thresholds = [
        "iterations: count==10",
        "http_reqs{name=\"once\",status=\"200\"}: count<10",
        "http_reqs{status=\"404\"}: count==0",
    ];
    let results = run("Once -u 2 -i 5 -q", &thresholds);
    assert_eq!(results.code(), THRESHOLDS);
    let passed: Vec<_> = verdicts(&results).iter().map(|v| v.2).collect();
    assert_eq!(passed, [true, false, true]);
    for (expression, mark) in [
        ("iterations: count==10", '✓'),
        ("status=\"200\"}: count<10", '✗'),
        ("status=\"404\"}: count==0", '✓'),
    ] {
        let line = shown(&results, expression);
        assert!(line.starts_with(mark), "{line}");
    }
}

#[test]
fn failures_are_tolerated_where_thresholds_judge() {
    // Two of the four requests fail.
    let args = "Statuses -u 1 -q";
    let within = ["http_reqs: count==4", "failures: rate<=0.5"];
    let beyond = ["failures: rate<50%"];
    for (more, thresholds, code) in [
        ("", &[][..], FAILURES),
        ("", &within, OK),
        ("", &beyond, THRESHOLDS),
        ("--exit-code-on-error 5", &[], 5),
        ("--exit-code-on-error 5", &within, 5),
        ("--exit-code-on-error 5", &beyond, THRESHOLDS),
        ("--exit-code-on-error 0", &[], OK),
    ] {
        let results = run(&format!("{args} {more}"), thresholds);
        assert_eq!(results.code(), code, "{more} {thresholds:?}");
        assert_eq!(results.number("/total/failures"), 2.0);
    }
}

#[test]
fn nothing_measured_is_no_success() {
    let thresholds = [
        "http_req_duration{name=\"onse\"}: p(95)<1m",
        "failures{name=\"onse\"}: rate<1%",
        "checks: rate>0.9",
        "no_such_trend: avg<5",
        "no_such_gauge: value<5",
        "iteration_lateness: max<1m",
        "http_req_tls_handshaking: avg<1m",
    ];
    let results = run("Once -u 1 -i 2 -q", &thresholds);
    assert_eq!(results.code(), THRESHOLDS);
    for (expression, value, passed) in verdicts(&results) {
        assert_eq!((value, passed), (None, false), "{expression}");
        let line = shown(&results, expression);
        assert!(line.starts_with('✗') && line.ends_with("no data"), "{line}");
    }
    assert_eq!(verdicts(&results).len(), thresholds.len());
}

#[test]
fn texts_that_are_no_thresholds_are_refused() {
    let component = guests::build(GUEST);
    for (text, place) in [
        ("", "at its end"),
        ("p95", "at its end"),
        ("http_reqs count>5", "at 'count>5'"),
        ("http_req_duration: p95<500ms", "at 'p95<500ms'"),
        ("http_req_duration: p(101)<1s", "at '101)<1s'"),
        ("http_req_duration: p(95)<fast", "at 'fast'"),
        ("http_req_duration: p(95)=1s", "at '=1s'"),
        ("failures: rate<5", "at '5'"),
        ("http_reqs: count>5 abrot", "at 'abrot'"),
        ("http_reqs: count>5 abort after soon", "at 'soon'"),
        ("http_req_duration{name=\"x: avg<5", "at '\"x: avg<5'"),
        ("http_reqs: p(95)<5", "at 'p(95)<5'"),
    ] {
        let line = ["Once", "--threshold", text].map(OsStr::new);
        let args = [&[OsStr::new("run"), component.as_os_str()], &line[..]].concat();
        let output = Engine::new().run(args);
        assert_eq!(output.code, Some(USAGE), "{text}: {output:#?}");
        assert_eq!(output.stdout, "", "{text}");
        let expected = format!("threshold '{text}', {place}: ");
        assert!(
            output.stderr.contains(&expected),
            "{expected}: {}",
            output.stderr
        );
    }
}

#[test]
fn a_threshold_can_end_the_run() {
    for guest in [GUEST, "guest-probe-concurrent"] {
        let recorder = Recorder::start();
        let thresholds = ["failures: rate<1%", "http_reqs: count<20 abort"];
        // Without it the run would not end.
        let line = line(&recorder, "Worker -u 5", &thresholds);
        let results = LoadTest::start_with(&Engine::new(), guest, line).finish();
        assert_eq!(
            (results.code(), results.reason()),
            (THRESHOLDS, "threshold crossed: http_reqs: count<20"),
            "{:#?}",
            results.output
        );
        let judged = &results.report["thresholds"];
        let ended = [&judged[0], &judged[1]].map(|verdict| &verdict["ended_run"]);
        assert_eq!(ended, [&json!(false), &json!(true)]);
        assert_eq!(judged[1]["passed"], false);

        // It stopped gracefully and shows what there is.
        assert_eq!(results.number("/users/stopped"), 5.0);
        assert_eq!(results.number("/users/ended_by_stop_timeout"), 0.0);
        assert_eq!(
            results.number("/total/requests"),
            recorder.events().len() as f64
        );
        for life in recorder.lives().values() {
            assert_eq!(life.last().map(String::as_str), Some("stop"));
        }
        let stdout = &results.output.stdout;
        assert!(stdout.contains("GET event"), "{stdout}");
        let line = shown(&results, "http_reqs: count<20");
        assert!(
            line.starts_with('✗') && line.ends_with("(ended the run)"),
            "{line}"
        );
    }
}

#[test]
fn a_threshold_ends_no_run_before_its_time_or_without_data() {
    let thresholds = [
        "http_reqs: count<1 abort after 1h",
        "http_req_duration{name=\"onse\"}: avg<1m abort",
        "http_req_duration: avg<1m abort",
    ];
    let results = run("Worker -u 2 -t 3s", &thresholds);
    assert_eq!(
        (results.code(), results.reason()),
        (THRESHOLDS, "completed")
    );
    let passed: Vec<_> = verdicts(&results).iter().map(|v| v.2).collect();
    assert_eq!(passed, [false, false, true]);
    assert!(
        !results.output.stdout.contains("ended the run"),
        "{}",
        results.output.stdout
    );
}

#[test]
fn a_scenario_judges_itself() {
    for (options, code, passed) in [
        ("", OK, [true, true]),
        // Its own thresholds say what matters to it.
        ("-e tasks=fail", OK, [true, true]),
        ("-e checks=fail", THRESHOLDS, [false, true]),
    ] {
        let results = run_guest(JUDGE, &format!("-u 2 -i 3 -q {options}"), &[]);
        assert_eq!(results.code(), code, "{options}: {:#?}", results.output);
        let judged = verdicts(&results);
        let expressions: Vec<_> = judged.iter().map(|v| v.0).collect();
        assert_eq!(expressions, ["checks: rate>0.5", "http_reqs: count>0"]);
        let judged: Vec<_> = judged.iter().map(|v| v.2).collect();
        assert_eq!(judged, passed, "{options}");
    }
}

#[test]
fn thresholds_of_the_command_line_come_on_top() {
    let thresholds = ["iterations: count==6", "task_errors: count==0"];
    let results = run_guest(JUDGE, "-u 2 -i 3 -q -e tasks=fail", &thresholds);
    assert_eq!(results.code(), THRESHOLDS, "{:#?}", results.output);
    let expected = [
        ("checks: rate>0.5", Some("100.00%"), true),
        ("iterations: count==6", Some("6"), true),
        ("task_errors: count==0", Some("6"), false),
    ];
    let mut judged = verdicts(&results);
    judged.remove(1);
    assert_eq!(judged, expected);
}

#[test]
fn what_a_scenario_measures_can_be_judged() {
    let within = [
        "checks: rate>0.66",
        "checks{check=\"in stock\"}: count==2",
        "basket: p(90)<=91",
        "basket: count==100",
        "basket: max==100",
        "orders: count==3.5",
        "stock: value==3",
        "http_reqs{method=\"gRPC\"}: count==2",
        "failures{name=\"List\"}: rate==0.5",
        "http_req_duration{name=\"List\"}: max<=6ms",
    ];
    let results = run("Measures -u 1 -q", &within);
    assert_eq!(results.code(), OK, "{}", results.output.stdout);

    let beyond = [
        "checks: rate>0.67",
        "basket: med>51",
        "orders: count<3.5",
        "stock: value!=3",
        // A trend has no last value, and a gauge no average.
        "basket: value>0",
        "stock: avg>0",
    ];
    let results = run("Measures -u 1 -q", &beyond);
    assert_eq!(results.code(), THRESHOLDS);
    for (expression, _, passed) in verdicts(&results) {
        assert!(!passed, "{expression}: {}", results.output.stdout);
    }
}

#[test]
fn groups_and_tags_can_be_judged_by_themselves() {
    let thresholds = [
        "http_reqs{group=\"shop\"}: count==4",
        "http_reqs{group:::shop::checkout}: count==2",
        "http_reqs{region=\"eu\"}: count==4",
        "http_reqs{region=\"eu\",name=\"pay\"}: count==2",
        "http_reqs{region=\"us\"}: count==0",
        "group_duration{group=\"shop\"}: count==2",
        "group_duration: count==4",
    ];
    let results = run("Grouped -u 2 -q", &thresholds);
    assert_eq!(results.code(), OK, "{}", results.output.stdout);
}

#[test]
fn iterations_that_found_no_user_can_be_judged() {
    // One user, who is busy for ever.
    let args = "Stuck --arrival-rate 50 --max-users 1 --max-lateness 100ms -t 2s \
                --stop-timeout 500ms -q";
    let thresholds = ["dropped_iterations: count==0"];
    let results = run(args, &thresholds);
    assert_eq!(
        (results.code(), results.reason()),
        (THRESHOLDS, "completed")
    );
    let dropped = results.number("/iterations/dropped");
    assert!(dropped > 0.0, "{:#}", results.report["iterations"]);
    let shown_value = format!("{dropped}");
    let expected = [(
        "dropped_iterations: count==0",
        Some(shown_value.as_str()),
        false,
    )];
    assert_eq!(verdicts(&results), expected);

    // The last second is there for whoever is late.
    let args = "Once -s 1s:20/s -s 500ms:0/s -s 1s:0/s -q";
    let results = run(
        args,
        &["dropped_iterations: count==0", "iterations: count>5"],
    );
    assert_eq!(results.code(), OK, "{}", results.output.stdout);
    assert_eq!(results.number("/iterations/dropped"), 0.0);
}

#[test]
fn what_ended_a_run_outweighs_its_thresholds() {
    let recorder = Recorder::start();
    let line = line(&recorder, "Worker -u 2", &["http_reqs: count<1"]);
    let test = LoadTest::start_with(&Engine::new(), GUEST, line);
    recorder.wait_for("task", 2);
    test.interrupt();
    let results = test.finish();
    assert_eq!((results.code(), results.reason()), (130, "interrupted"));
    let expression = "http_reqs: count<1";
    assert!(shown(&results, expression).starts_with('✗'));

    // Nor do they save a run whose hook failed.
    let thresholds = ["http_reqs: count>=0"];
    let results = run("Once -u 1 -i 1 -q -e hooks=test-stop", &thresholds);
    assert_eq!(results.code(), 7, "{:#?}", results.output);
}
