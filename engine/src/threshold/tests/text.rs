//! Which texts are thresholds, and what is said about the others.

use super::{ms, threshold};
use crate::threshold::Threshold;

#[test]
fn texts_are_read_in_all_their_spellings() {
    let cases = [
        ("failures:rate<0.01", "failures: rate<0.01"),
        (" failures : rate < 1 % ", "failures: rate<0.01"),
        ("http_req_failed: rate<0.7%", "http_req_failed: rate<0.007"),
        ("checks: rate>=100%", "checks: rate>=1"),
        (
            r#"http_req_duration { name = "Login" , region="eu" } : p( 99.9 ) <= 1.5 s"#,
            r#"http_req_duration{name="Login",region="eu"}: p(99.9)<=1.5s"#,
        ),
        (
            "http_req_duration{name:Get it,status_text:'}'}: med<250us",
            r#"http_req_duration{name="Get it",status_text="}"}: med<250us"#,
        ),
        (
            r#"http_req_duration_planned{name:"say \"hi\" \\"}: max<1m30s"#,
            r#"http_req_duration_planned{name="say \"hi\" \\"}: max<90s"#,
        ),
        (
            "http_req_duration{group:::a::b}: avg<500",
            r#"http_req_duration{group="a::b"}: avg<500ms"#,
        ),
        (
            "http_req_duration{name:/item/{id},region:eu}: avg<1.25",
            r#"http_req_duration{name="/item/{id}",region="eu"}: avg<1.25ms"#,
        ),
        (
            "http_reqs{status:404,name=x}: count===0",
            r#"http_reqs{name="x",status="404"}: count==0"#,
        ),
        ("iterations: rate!==20", "iterations: rate!=20"),
        ("depth: value>-1.50", "depth: value>-1.5"),
        (
            r#""my orders: all": count>1"#,
            r#""my orders: all": count>1"#,
        ),
        (r#""orders": count>1"#, "orders: count>1"),
        ("group_duration: p(100)<2m", "group_duration: p(100)<120s"),
        ("http_req_dns: min>0", "http_req_dns: min>0ms"),
        ("http_req_dns: count>7", "http_req_dns: count>7"),
        ("iteration_lateness: max<3µs", "iteration_lateness: max<3us"),
    ];
    for (text, usual) in cases {
        let read = threshold(text);
        assert_eq!(read.to_string(), usual);
        assert_eq!(threshold(usual), read, "{usual}");
    }
}

#[test]
fn a_threshold_may_abort_at_once_or_later() {
    let cases = [
        ("checks: rate>0.9", None),
        ("checks: rate>0.9 abort", Some(0)),
        ("checks: rate>90%abort", Some(0)),
        ("iteration_duration: avg<500 abort", Some(0)),
        ("checks: rate>0.9 abort after 30s", Some(30_000)),
        ("checks: rate>0.9  abort  after  1m 500ms ", Some(60_500)),
    ];
    for (text, after) in cases {
        assert_eq!(threshold(text).abort_after(), after.map(ms), "{text}");
        assert!(!threshold(text).to_string().contains("abort"));
    }
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    let cases = [
        ("", "at its end: expected the name of a metric"),
        (
            "failures",
            "at its end: expected ':' after the metric (names with more than letters, digits and _-./ go in quotes)",
        ),
        (
            "my metric: count>1",
            "at 'metric: count>1': expected ':' after the metric (names with more than letters, digits and _-./ go in quotes)",
        ),
        (
            "\"my: count>1",
            "at '\"my: count>1': the quote \" is never closed",
        ),
        ("failures:", "at its end: expected one of rate, count"),
        (
            "failures: p(95)<3",
            "at 'p(95)<3': failures has no 'p(95)'; it has rate, count",
        ),
        (
            "http_req_duration: p95<500",
            "at 'p95<500': http_req_duration has no 'p95'; it has avg, min, max, med, p(N), count",
        ),
        (
            "http_req_duration: rate<500",
            "at 'rate<500': http_req_duration has no 'rate'; it has avg, min, max, med, p(N), count",
        ),
        (
            "sandbox_failures: rate<1",
            "at 'rate<1': sandbox_failures has no 'rate'; it has count",
        ),
        (
            "orders: last<1",
            "at 'last<1': orders has no 'last'; it has avg, min, max, med, p(N), count, rate, value",
        ),
        (
            "http_req_duration: p<500",
            "at '<500': expected '(' as in p(95)",
        ),
        (
            "http_req_duration: p(101)<500",
            "at '101)<500': a percentile is between 0 and 100",
        ),
        (
            "http_req_duration: p(x)<500",
            "at 'x)<500': expected a number",
        ),
        (
            "http_req_duration: p(9<500",
            "at '<500': expected ')' as in p(95)",
        ),
        (
            "failures: rate",
            "at its end: expected <, <=, >, >=, == or !=",
        ),
        (
            "failures: rate = 0",
            "at '= 0': expected <, <=, >, >=, == or !=",
        ),
        ("failures: rate < ", "at its end: expected a number"),
        ("failures: rate<1.2.3", "at '1.2.3': expected a number"),
        ("failures: count<-1", "at '-1': expected a number"),
        ("failures: count<NaN", "at 'NaN': expected a number"),
        (
            "failures: rate<5",
            "at '5': a share is between 0 and 1, or 0% and 100%",
        ),
        (
            "failures: rate<101%",
            "at '101%': a share is between 0 and 1, or 0% and 100%",
        ),
        (
            "failures: count<1%",
            "at '%': unexpected text after the bound (count of failures is a number without a unit)",
        ),
        (
            "failures: rate<1ms",
            "at 'ms': unexpected text after the bound (rate of failures is a share: 0 to 1, or 0% to 100%)",
        ),
        (
            "failures: rate<0.1 or so",
            "at 'or so': unexpected text after the bound (rate of failures is a share: 0 to 1, or 0% to 100%)",
        ),
        (
            "data_sent: rate<5MB",
            "at 'MB': unexpected text after the bound (rate of data_sent is a number of bytes a second, without a unit)",
        ),
        (
            "basket: avg<5ms",
            "at 'ms': unexpected text after the bound (avg of basket is a number without a unit)",
        ),
        (
            "http_req_duration: avg<5 years",
            "at 'years': expected a unit of time: us, ms, s, m or h",
        ),
        (
            "http_req_duration: avg<5%",
            "at '%': unexpected text after the bound (avg of http_req_duration is a duration: us, ms, s, m or h)",
        ),
        (
            "http_req_duration: avg<1s 5",
            "at its end: expected a unit of time: us, ms, s, m or h",
        ),
        (
            "http_req_duration: avg<241h",
            "at '241h': longer than ten days",
        ),
        (
            "checks: rate>0.9 abort after",
            "at its end: expected a number",
        ),
        (
            "checks: rate>0.9 abort after 30",
            "at its end: expected a unit of time: us, ms, s, m or h",
        ),
        (
            "checks: rate>0.9 abort 30s",
            "at 'abort 30s': expected 'abort', 'abort after 30s' or nothing more",
        ),
        (
            "checks: rate>0.9 abort after 30s now",
            "at 'now': expected nothing more",
        ),
        (
            "http_req_duration{}: avg<5",
            "at '}: avg<5': expected a key such as name",
        ),
        (
            "http_req_duration{name}: avg<5",
            "at '}: avg<5': expected name=\"…\"",
        ),
        (
            "http_req_duration{name:}: avg<5",
            "at '}: avg<5': expected the value of name",
        ),
        (
            "http_req_duration{name:a: avg<5",
            "at its end: expected ',' or '}'",
        ),
        (
            "http_req_duration{name=\"a\" b}: avg<5",
            "at 'b}: avg<5': expected ',' or '}'",
        ),
        (
            "http_req_duration{name:a,name:b}: avg<5",
            "at 'name:b}: avg<5': name is there twice",
        ),
        (
            "http_reqs{status:1,status:2}: count<5",
            "at 'status:2}: count<5': status is there twice",
        ),
        (
            "http_reqs{status:5xx}: count<5",
            "at '5xx}: count<5': a status is a number such as 404, or 0 for no response",
        ),
        (
            "http_req_duration{status:200}: avg<5",
            "at 'status:200}: avg<5': http_req_duration is not kept by status (http_reqs and failures are)",
        ),
        (
            "group_duration{name:a}: avg<5",
            "at 'name:a}: avg<5': group_duration can be selected by group only",
        ),
        (
            "checks{name:a}: rate>0",
            "at 'name:a}: rate>0': checks can be selected by check only",
        ),
        (
            "http_req_dns{name:a}: avg<5",
            "at '{name:a}: avg<5': http_req_dns has no selectors",
        ),
        (
            "http_req_duraton{name:a}: avg<5",
            "at '{name:a}: avg<5': http_req_duraton would be a metric of the scenario, and those have no selectors; http_req_duration, http_req_duration_planned, group_duration, http_reqs, data_received, data_sent, failures, http_req_failed, checks have",
        ),
        (
            "vus: value>5",
            "at 'vus: value>5': 'vus' is not measured; use iterations or http_reqs",
        ),
        (
            "http_req_blocked: avg<5",
            "at 'http_req_blocked: avg<5': 'http_req_blocked' is not measured; use http_req_connecting or http_req_dns",
        ),
        (
            "checks{check=\"a\u{1b}[31m\"}: rate>0",
            "at ' [31m\"}: rate>0': no name has control characters",
        ),
    ];
    for (text, problem) in cases {
        let Err(error) = text.parse::<Threshold>() else {
            panic!("{text} is read");
        };
        let quoted = text.trim().replace('\u{1b}', " ");
        let expected = format!("threshold '{quoted}', {problem}; for example {EXAMPLE}");
        assert_eq!(error.to_string(), expected);
    }
    threshold(EXAMPLE);
}

const EXAMPLE: &str = r#"http_req_duration{name="Login"}: p(95)<500ms"#;

#[test]
fn long_texts_are_refused_and_not_repeated() {
    let long = format!("{}: count>0", "é".repeat(100_000));
    let error = long.parse::<Threshold>().unwrap_err().to_string();
    assert!(error.len() < 1000, "{error}");
    assert!(error.contains("longer than 1000 bytes"), "{error}");
}
