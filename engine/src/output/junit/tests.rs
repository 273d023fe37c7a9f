//! The file, and what CI systems read from it.

use super::*;
use crate::output::fixture;
use crate::report::{Check, RequestError, Threshold};

fn read(report: &Report) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(&render(report)).unwrap()
}

/// What became of the cases of a suite, by name: `ok`, `failure`, `error` or `skipped`.
fn outcomes(document: &quick_junit::Report, suite: &str) -> BTreeMap<String, &'static str> {
    let suites = document.test_suites.iter();
    let cases = suites
        .filter(|found| found.name.as_str() == suite)
        .flat_map(|found| &found.test_cases);
    cases
        .map(|case| {
            let outcome = match &case.status {
                TestCaseStatus::Success { .. } => "ok",
                TestCaseStatus::NonSuccess { kind, .. } => match kind {
                    NonSuccessKind::Failure => "failure",
                    NonSuccessKind::Error => "error",
                },
                TestCaseStatus::Skipped { .. } => "skipped",
            };
            (case.name.as_str().to_owned(), outcome)
        })
        .collect()
}

fn failed(document: &quick_junit::Report) -> usize {
    document.failures + document.errors
}

/// The fixture without its thresholds.
fn unjudged(exit_code: u8) -> Report {
    let mut report = fixture::report();
    report.thresholds.clear();
    report.run.exit_code = exit_code;
    report
}

/// A run in which all went well.
fn spotless() -> Report {
    let mut report = unjudged(0);
    report.errors.clear();
    report.task_errors.clear();
    report.sandbox_events.clear();
    for row in &mut report.requests {
        row.requests.failures = 0;
    }
    for check in report.checks.values_mut() {
        check.failed = 0;
    }
    report
}

#[test]
fn the_file_matches_its_golden() {
    fixture::assert_golden("junit.xml", &render(&fixture::report()));
    fixture::assert_golden("junit-no-thresholds.xml", &render(&unjudged(1)));
}

#[test]
fn thresholds_judge_where_there_are_some() {
    let document = read(&fixture::report());
    let thresholds = outcomes(&document, "thresholds");
    assert_eq!(thresholds["http_req_duration: p(95)<500ms"], "ok");
    assert_eq!(thresholds["failures: rate<0.005"], "failure");
    let requests = outcomes(&document, "requests");
    assert_eq!(
        (requests["GET /"], requests["POST /cart"]),
        ("skipped", "ok")
    );
    assert_eq!(outcomes(&document, "tasks")["Buyer.pay"], "skipped");
    assert_eq!(outcomes(&document, "run")["run"], "ok");
    assert_eq!(failed(&document), 2);
}

#[test]
fn without_thresholds_failures_fail_as_the_exit_code_does() {
    let document = read(&unjudged(1));
    let requests = outcomes(&document, "requests");
    assert_eq!(
        (requests["GET /"], requests["POST /cart"]),
        ("failure", "ok")
    );
    assert_eq!(outcomes(&document, "tasks")["Buyer.pay"], "error");
    assert_eq!(
        outcomes(&document, "checks")["cart is not empty"],
        "skipped"
    );
    assert_eq!(outcomes(&document, "run")["run"], "ok");

    // With --exit-code-on-error 0, say.
    let document = read(&unjudged(0));
    assert_eq!(outcomes(&document, "requests")["GET /"], "skipped");
    assert_eq!(failed(&document), 0);
}

#[test]
fn the_file_fails_when_and_only_when_the_run_did() {
    let passed = Threshold {
        expression: "http_reqs: count>0".into(),
        passed: true,
        value: Some("1".into()),
        ended_run: false,
    };
    for report in [spotless(), unjudged(1), fixture::report()] {
        for exit_code in [0, 1, 5, 7, 42, 99, 130] {
            let crossed = report.thresholds.iter().any(|threshold| !threshold.passed);
            if crossed && exit_code == 0 {
                continue;
            }
            for thresholds in [report.thresholds.clone(), vec![passed.clone()]] {
                let mut report = report.clone();
                report.thresholds = thresholds;
                report.run.exit_code = exit_code;
                let document = read(&report);
                assert_eq!(failed(&document) > 0, exit_code != 0, "{document:#?}");
            }
        }
    }
    let mut interrupted = spotless();
    interrupted.run.exit_code = 130;
    "interrupted".clone_into(&mut interrupted.run.end_reason);
    let text = render(&interrupted);
    assert!(
        text.contains("message=\"exit code 130: interrupted\""),
        "{text}"
    );
}

#[test]
fn any_text_becomes_legal_xml() {
    let text = "a\0\x01\x1b[31m\u{8}\x0b\x7f\u{9b}\u{fffe}\u{ffff}\r\n\t]]><!--&amp;\"'</testcase>";
    let mut report = unjudged(1);
    report.requests[0].name = text.to_owned();
    report.requests[0].tags = [(text.to_owned(), text.to_owned())].into();
    report.run.labels = [(text.to_owned(), text.to_owned())].into();
    report.run.end_reason = text.to_owned();
    report.checks = [(
        text.to_owned(),
        Check {
            passed: 1,
            failed: 1,
        },
    )]
    .into();
    report.errors = vec![RequestError {
        name: text.to_owned(),
        message: text.to_owned(),
        ..report.errors[0].clone()
    }];
    report.task_errors[0].message = text.to_owned();

    let xml = render(&report);
    let legal = |c: char| matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    let illegal: Vec<char> = xml.chars().filter(|c| !legal(*c)).collect();
    assert!(illegal.is_empty(), "{illegal:?} in {xml}");
    let document = read(&report);
    let names = outcomes(&document, "checks");
    let [name] = &names.keys().collect::<Vec<_>>()[..] else {
        panic!("{names:?}");
    };
    assert!(name.ends_with("]]><!--&amp;\"'</testcase>"), "{name}");
}

#[test]
fn a_case_has_room_for_some_causes_only() {
    let mut report = unjudged(1);
    let error = report.errors[0].clone();
    report.errors = (0..500)
        .map(|n| RequestError {
            message: format!("cause {n}"),
            ..error.clone()
        })
        .collect();
    let text = render(&report);
    assert!(text.contains("cause 9\n"), "{text}");
    assert!(!text.contains("cause 10\n"), "{text}");
    assert!(text.contains("and 490 other causes"), "{text}");
}

#[test]
fn times_numbers_and_properties_are_those_of_the_report() {
    let report = fixture::report();
    let document = read(&report);
    assert_eq!(document.time, Some(Duration::from_secs(30)));
    let run = &document.test_suites[0];
    let property = |name: &str| {
        let found = run.properties.iter().find(|p| p.name.as_str() == name);
        found.map(|p| p.value.as_str())
    };
    assert_eq!(property("component"), Some("shop.wasm"));
    assert_eq!(property("label.build"), Some("1234"));
    assert_eq!(property("started"), Some("2025-06-15T15:06:40.000Z"));
    let requests = document
        .test_suites
        .iter()
        .find(|s| s.name.as_str() == "requests");
    let row = &report.requests[0];
    let case = &requests.unwrap().test_cases[0];
    assert_eq!(case.name.as_str(), label(row));
    let ms = case.time.unwrap().as_secs_f64() * 1e3;
    assert!((ms - row.requests.time_ms.avg).abs() <= 0.5, "{ms}");
    let output = case.system_out.as_ref().unwrap().as_str();
    let p99 = format!("p99 {:.3}", row.requests.time_ms.p99);
    assert!(output.contains(&p99), "{output}");
}
