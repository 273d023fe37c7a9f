//! Lines as text, and as programs read them.

use super::*;
use crate::sample::Failure;
use proptest::prelude::*;
use serde_json::{Value, json};

const US: Duration = Duration::from_micros(1);

fn sample() -> Sample<'static> {
    Sample {
        method: "GET",
        name: "/products",
        tags: "",
        status: 200,
        failure: None,
        timings: Timings {
            send: 12 * US,
            first_byte: 1200 * US,
            body: Duration::from_nanos(30_499),
            total: Duration::from_nanos(1_242_500),
            ..Timings::default()
        },
        sent: 0,
        received: 512,
        late: None,
    }
}

fn line(secrets: &Secrets, sample: &Sample<'_>) -> String {
    let mut out = Vec::new();
    let started = Duration::new(1_785_414_896, 7_890_999);
    Lines::new(secrets.clone()).write(&mut out, sample, started);
    String::from_utf8(out).unwrap()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line.strip_suffix('\n').unwrap()).unwrap()
}

#[test]
fn a_success_on_a_kept_connection() {
    assert_eq!(
        line(&Secrets::default(), &sample()),
        "{\"started_at\":\"2026-07-30T12:34:56.007890Z\",\"method\":\"GET\",\
         \"name\":\"/products\",\"tags\":\"\",\"status\":200,\"ok\":true,\"kind\":\"\",\
         \"message\":\"\",\"total_ms\":1.243,\"dns_ms\":0.000,\"connect_ms\":0.000,\
         \"tls_ms\":0.000,\"send_ms\":0.012,\"first_byte_ms\":1.200,\"body_ms\":0.030,\
         \"planned\":false,\"late_ms\":0.000,\"bytes_sent\":0,\"bytes_received\":512}\n"
    );
}

#[test]
fn a_failure_with_everything_has_the_same_fields_of_the_same_types() {
    let failed = Sample {
        method: "POST",
        tags: "group=checkout,region=eu",
        status: 503,
        failure: Some(Failure {
            kind: "status",
            message: "503 Service Unavailable",
        }),
        timings: Timings {
            dns: 100 * US,
            connect: 2000 * US,
            tls: 30_000 * US,
            total: Duration::from_secs(3600),
            ..Timings::default()
        },
        sent: 9,
        late: Some(1500 * US),
        ..sample()
    };
    let text = line(&Secrets::default(), &failed);
    assert_eq!(
        parsed(&text),
        json!({
            "started_at": "2026-07-30T12:34:56.007890Z", "method": "POST",
            "name": "/products", "tags": "group=checkout,region=eu", "status": 503,
            "ok": false, "kind": "status", "message": "503 Service Unavailable",
            "total_ms": 3_600_000.0, "dns_ms": 0.1, "connect_ms": 2.0, "tls_ms": 30.0,
            "send_ms": 0.0, "first_byte_ms": 0.0, "body_ms": 0.0,
            "planned": true, "late_ms": 1.5, "bytes_sent": 9, "bytes_received": 512,
        })
    );
    let fields = |line: &str| -> Vec<(String, std::mem::Discriminant<Value>, bool)> {
        let Value::Object(fields) = parsed(line) else {
            panic!("{line} is no object")
        };
        let types = fields.into_iter();
        types
            .map(|(name, value)| (name, std::mem::discriminant(&value), value.is_f64()))
            .collect()
    };
    assert_eq!(fields(&text), fields(&line(&Secrets::default(), &sample())));
}

#[test]
fn texts_are_escaped_and_cut_as_in_the_results() {
    let long = format!("{}tail", "é".repeat(200));
    let hostile = Sample {
        name: "a\"b\\\n\u{1b}[2J\u{2028}",
        failure: Some(Failure {
            kind: "mark",
            message: &long,
        }),
        ..sample()
    };
    let text = line(&Secrets::default(), &hostile);
    assert_eq!(text.matches('\n').count(), 1);
    assert!(!text.contains('\u{1b}'));
    let value = parsed(&text);
    assert_eq!(value["name"], hostile.name);
    assert_eq!(value["message"], "é".repeat(200));
}

#[test]
fn secrets_are_masked_in_every_text_each_time() {
    let values = [("token".to_owned(), "hunter22".to_owned())].into();
    let secrets = Secrets::new(values).unwrap();
    let telling = Sample {
        method: "hunter22",
        name: "/hunter22/a",
        tags: "key=hunter22",
        failure: Some(Failure {
            kind: "hunter22",
            message: "no hunter22 here",
        }),
        ..sample()
    };
    let mut lines = Lines::new(secrets);
    for _ in 0..2 {
        let mut out = Vec::new();
        lines.write(&mut out, &telling, Duration::ZERO);
        let value = parsed(std::str::from_utf8(&out).unwrap());
        let shown = ["method", "name", "tags", "kind", "message"].map(|field| &value[field]);
        assert_eq!(shown, ["***", "/***/a", "key=***", "***", "no *** here"]);
    }
    for n in 0..2 * MAX_KNOWN {
        let name = format!("/{n}/hunter22");
        let (mut out, named) = (
            Vec::new(),
            Sample {
                name: &name,
                ..telling
            },
        );
        lines.write(&mut out, &named, Duration::ZERO);
        let value = parsed(std::str::from_utf8(&out).unwrap());
        assert_eq!(value["name"], format!("/{n}/***"));
    }
    assert_eq!(lines.masked.known.len(), MAX_KNOWN);
}

#[test]
fn the_start_of_a_request_is_its_own() {
    let clock = Clock {
        origin: Instant::now() + Duration::from_secs(5),
        epoch: Duration::from_secs(1000),
    };
    let start_of = |started: Instant| {
        clock.start_of(&Sample {
            timings: Timings {
                started: Some(started),
                ..Timings::default()
            },
            ..sample()
        })
    };
    for seconds in 1..=5 {
        let span = Duration::from_secs(seconds);
        assert_eq!(start_of(clock.origin + span), clock.epoch + span);
        assert_eq!(start_of(clock.origin - span), clock.epoch - span);
    }
    // One of which only the length is known ends now, which is not after the origin.
    let untold = clock.start_of(&sample());
    assert_eq!(untold, clock.epoch - sample().timings.total);
}

proptest! {
    #[test]
    fn times_of_day_are_written_like_any(
        times in prop::collection::vec((0..10_u64, 0..1_000_000_000_u32), 1..20),
        day in 0..40_000_u64,
    ) {
        let mut stamp = Stamp::new();
        for (second, nanos) in times {
            let time = Duration::new(day * 86_400 + second, nanos);
            let expected = humantime::format_rfc3339_micros(SystemTime::UNIX_EPOCH + time);
            let text = std::str::from_utf8(stamp.at(time)).unwrap();
            prop_assert_eq!(text, expected.to_string());
        }
    }

    #[test]
    fn milliseconds_are_those_of_the_nearest_microsecond(nanos in any::<u64>()) {
        let mut out = Vec::new();
        millis(&mut out, b"", Duration::from_nanos(nanos));
        let text = String::from_utf8(out).unwrap();
        let (whole, fraction) = text.split_once('.').unwrap();
        prop_assert_eq!(fraction.len(), 3);
        let micros: u128 = format!("{whole}{fraction}").parse().unwrap();
        prop_assert_eq!(micros, (u128::from(nanos) + 500) / 1000);
    }
}
