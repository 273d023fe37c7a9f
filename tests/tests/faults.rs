//! Servers that misbehave: each fault has its kind in the results, every request that
//! reached a server is counted, and no user hangs.

use aiotest_tests::{
    LoadTest, Results,
    faults::{self, Fault, Server},
};
use serde_json::Value;

/// What a fault does to the three requests that each server gets.
struct Case {
    fault: Fault,
    /// What the requests fail with, one or the other; empty when they succeed.
    kinds: &'static [&'static str],
    /// Requests that the server receives for each.
    received: u64,
}

const fn case(fault: Fault, kinds: &'static [&'static str], received: u64) -> Case {
    Case {
        fault,
        kinds,
        received,
    }
}

const HTTP1: [Case; 17] = [
    case(Fault::Refused, &["connect-refused"], 0),
    // Whether the reset comes before the client has seen its connection made is chance.
    case(Fault::ResetAfterAccept, &["reset", "connect"], 0),
    case(Fault::ResetMidHeaders, &["reset"], 1),
    case(Fault::ResetMidBody, &["reset"], 1),
    case(Fault::SlowLoris, &["timeout"], 1),
    case(Fault::NeverAnswers, &["timeout"], 1),
    case(Fault::Garbage, &["protocol"], 1),
    case(Fault::BodyTooShort, &["reset"], 1),
    case(Fault::BodyTooLong, &[], 1),
    case(Fault::HeaderBomb, &["too-large"], 1),
    case(Fault::EndlessChunks, &["too-large"], 1),
    case(Fault::EndlessBody, &["too-large"], 1),
    case(Fault::GzipBomb, &["too-large"], 1),
    case(Fault::SilentClose, &[], 1),
    case(Fault::RedirectLoop, &["too-many-redirects"], 11),
    case(Fault::ExpiredCertificate, &["tls"], 0),
    case(Fault::SelfSignedCertificate, &["tls"], 0),
];

const HTTP2: [Case; 3] = [
    case(Fault::GoAway, &[], 1),
    case(Fault::AbruptGoAway, &["reset"], 1),
    case(Fault::ResetStream, &["reset"], 1),
];

/// Requests that the guest sends to each server.
const TRIES: u64 = 3;

/// One user for each fault, all in one run.
fn assert_classified(cases: &[Case], args: &str) {
    let servers: Vec<Server> = cases.iter().map(|case| faults::start(case.fault)).collect();
    let list: Vec<_> = cases
        .iter()
        .zip(&servers)
        .map(|(case, server)| format!("{:?}={}", case.fault, server.url()))
        .collect();
    let results = LoadTest::run(
        "guest-probe",
        &format!(
            "Faulty -u {} -e servers={} --allow-host 127.0.0.1 {args}",
            cases.len(),
            list.join(",")
        ),
    );
    assert_eq!(
        (results.code(), results.reason()),
        (1, "all users finished")
    );
    assert_eq!(results.report["task_errors"], serde_json::json!([]));
    for (case, server) in cases.iter().zip(&servers) {
        assert_case(&results, case, server);
    }
}

fn assert_case(results: &Results, case: &Case, server: &Server) {
    let name = format!("{:?}", case.fault);
    let errors = results.entries("errors", "name", &name);
    let requests = results.entry("requests", "name", &name);
    let (requests, failures) = (&requests["requests"], &requests["failures"]);
    assert_eq!(
        server.requests(),
        TRIES * case.received,
        "{name}: {errors:?}"
    );
    assert_eq!(
        *requests,
        TRIES * case.received.max(1),
        "{name}: {errors:?}"
    );
    let failed = if case.kinds.is_empty() { 0 } else { TRIES };
    assert_eq!(*failures, failed, "{name}: {errors:?}");
    let counted: u64 = errors
        .iter()
        .filter_map(|error| error["count"].as_u64())
        .sum();
    assert_eq!(counted, failed, "{name}: {errors:?}");
    // Messages of one cause are equal, so that it is one line in the results. Where the
    // peer says goodbye and resets at once, either may be seen first.
    let lines = match case.fault {
        Fault::ResetAfterAccept | Fault::AbruptGoAway => TRIES as usize,
        _ => case.kinds.len(),
    };
    assert!(errors.len() <= lines, "{name}: {errors:?}");
    for error in errors {
        let (kind, message) = (text(&error["kind"]), text(&error["message"]));
        assert!(case.kinds.contains(&kind), "{name}: {error}");
        assert!(results.output.stdout.contains(kind), "{name}: {kind}");
        assert!(!message.is_empty(), "{name}: {error}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

#[test]
fn every_fault_over_http1_is_classified_and_counted() {
    assert_classified(&HTTP1, "--timeout 500ms --max-body 1MiB");
}

#[test]
fn every_fault_over_http2_is_classified_and_counted() {
    assert_classified(&HTTP2, "--timeout 5s --http2-prior-knowledge");
}
