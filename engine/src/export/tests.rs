//! Pushing to places that take it, and to those that do not.

mod collector;
pub(super) mod fixture;

use std::sync::Arc;

use tokio::sync::mpsc;
use url::Url;

use self::collector::{Collector, answer};
use self::fixture::{measured, request, sources};
use super::*;
use crate::metrics::Metrics;
use crate::steering::{Wheel, steering};

/// A run whose measurements are pushed, and what is said about that.
struct Run {
    parts: Parts,
    metrics: Arc<Metrics>,
    notices: mpsc::UnboundedReceiver<String>,
    // Whoever gives orders would otherwise be told that the run is over.
    _wheel: Wheel,
}

impl Run {
    fn new() -> Self {
        let metrics = measured();
        let (helm, wheel) = steering();
        let (told, notices) = mpsc::unbounded_channel();
        let parts = Parts {
            sources: sources(metrics.clone()),
            helm,
            labels: BTreeMap::new(),
            // Fails when the test no longer listens.
            say: Arc::new(move |line| drop(told.send(line.to_owned()))),
        };
        Self {
            parts,
            metrics,
            notices,
            _wheel: wheel,
        }
    }

    /// Pushes as often as it is allowed.
    fn push(&self, push: Push) -> Exporter {
        let push = Push {
            interval: LEAST_INTERVAL,
            ..push
        };
        Exporter::start(&push, &self.parts).unwrap().unwrap()
    }

    async fn notice(&mut self) -> String {
        self.notices.recv().await.unwrap()
    }

    /// What was said until the end.
    fn rest(mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(notice) = self.notices.try_recv() {
            all.push(notice);
        }
        all
    }
}

fn remote_write(url: &str) -> Push {
    Push {
        remote_write: Some(url.parse().unwrap()),
        ..Push::default()
    }
}

fn otlp(url: &str) -> Push {
    Push {
        otlp: Some(url.parse().unwrap()),
        ..Push::default()
    }
}

#[tokio::test]
async fn both_protocols_reach_their_places_until_the_end() {
    let mut collector = Collector::start(|_| answer("200 OK", "")).await;
    let run = Run::new();
    let exporter = run.push(Push {
        remote_write: Some(collector.url("/api/v1/write?tenant=a").parse().unwrap()),
        otlp: Some(collector.url("/otlp").parse().unwrap()),
        headers: vec![("X-Scope".into(), "me".into())],
        ..Push::default()
    });
    let (mut writes, mut exports) = (0, 0);
    while writes < 2 || exports < 2 {
        let request = collector.request().await;
        assert_eq!(
            request.header("content-type"),
            Some("application/x-protobuf")
        );
        assert_eq!(request.header("x-scope"), Some("me"));
        let user_agent = request.header("user-agent").unwrap();
        assert!(user_agent.starts_with("aiotest-engine/"), "{user_agent}");
        match request.target() {
            "/api/v1/write?tenant=a" => {
                let version = request.header("x-prometheus-remote-write-version");
                assert_eq!(version, Some("0.1.0"));
                assert_eq!(request.header("content-encoding"), Some("snappy"));
                writes += 1;
            }
            "/otlp/v1/metrics" => {
                assert_eq!(request.header("content-encoding"), None);
                exports += 1;
            }
            other => panic!("{other}"),
        }
    }
    request(&run.metrics, "/last", "", 200, 1);
    exporter.finish().await;
    let last = collector.rest();
    let shows_the_last = |target: &str| {
        let mut requests = last.iter().filter(|request| request.target() == target);
        requests.any(|request| request.shows("/last"))
    };
    assert!(shows_the_last("/otlp/v1/metrics") && shows_the_last("/api/v1/write?tenant=a"));
    assert_eq!(run.rest(), [""; 0]);
}

#[tokio::test]
async fn a_place_that_recovers_is_told_twice() {
    let failing = |n| match n {
        0..3 => answer("503 Service Unavailable", "busy\nfor a while"),
        _ => answer("204 No Content", ""),
    };
    let collector = Collector::start(failing).await;
    let mut run = Run::new();
    let exporter = run.push(remote_write(&collector.url("/write")));
    let place = collector.url("/write");
    let first = run.notice().await;
    assert_eq!(
        first,
        format!(
            "cannot push to {place}: it answers 503 Service Unavailable: busy; the run goes on, \
             and so do the attempts"
        )
    );
    let second = run.notice().await;
    let expected = format!("{place} takes measurements again, after 3 that did not arrive");
    assert_eq!(second, expected);
    exporter.finish().await;
    assert_eq!(run.rest(), [""; 0]);
}

#[tokio::test]
async fn a_refusal_is_told_once_and_counted() {
    let mut collector = Collector::start(|_| answer("400 Bad Request", "out of order")).await;
    let mut run = Run::new();
    let exporter = run.push(remote_write(&collector.url("/write")));
    assert!(run.notice().await.contains("400 Bad Request: out of order"));
    for _ in 0..3 {
        collector.request().await;
    }
    exporter.finish().await;
    let [last] = &run.rest()[..] else {
        panic!("not one notice")
    };
    assert!(
        last.starts_with("the last measurements did not arrive at "),
        "{last}"
    );
    let pushes = last
        .split_once('(')
        .unwrap()
        .1
        .split(' ')
        .collect::<Vec<_>>();
    // All of them failed: "n of n pushes".
    assert_eq!(pushes[0], pushes[2], "{last}");
}

#[tokio::test]
async fn nobody_is_followed_anywhere() {
    let mut other = Collector::start(|_| answer("200 OK", "")).await;
    let location = other.url("/there");
    let there = location.clone();
    let collector = Collector::start(move |_| {
        let head = format!("307 Temporary Redirect\r\nlocation: {there}");
        answer(&head, "")
    });
    let collector = collector.await;
    let mut run = Run::new();
    let exporter = run.push(otlp(&collector.url("")));
    let notice = run.notice().await;
    let expected = format!("points to {location}; give the URL that takes the pushes");
    assert!(notice.contains(&expected), "{notice}");
    exporter.finish().await;
    assert!(other.rest().is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let collector = Collector::start(|_| collector::endless("500 Internal Server Error")).await;
    let mut run = Run::new();
    let exporter = run.push(remote_write(&collector.url("/")));
    let notice = run.notice().await;
    assert!(
        notice.contains("500 Internal Server Error: xxxx"),
        "{notice}"
    );
    assert!(notice.len() < 500, "{notice}");
    exporter.finish().await;
}

#[tokio::test]
async fn nobody_there_is_told() {
    let address = Collector::start(|_| answer("200 OK", "")).await.url("/x");
    let mut run = Run::new();
    let exporter = run.push(remote_write(&address));
    let notice = run.notice().await;
    assert!(notice.contains("Connection refused"), "{notice}");
    exporter.finish().await;
    let last = run.rest().pop().unwrap();
    assert!(
        last.contains("did not arrive") && last.contains("Connection refused"),
        "{last}"
    );
}

/// The clock jumps to where something is due whenever nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn who_never_answers_does_not_keep_the_run() {
    let collector = Collector::start(|_| Vec::new()).await;
    let mut run = Run::new();
    let exporter = run.push(remote_write(&collector.url("/")));
    let notice = run.notice().await;
    assert!(notice.contains("no answer within 10s"), "{notice}");
    exporter.finish().await;
    let last = run.rest().pop().unwrap();
    assert!(last.contains("no answer within 5s"), "{last}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    // A server that repeats what it was sent.
    let mut collector = Collector::start(|_| {
        answer(
            "401 Unauthorized",
            "me:hunter22 bWU6aHVudGVyMjI= Basic bWU6aHVudGVyMjI= key=s3cr3t-key",
        )
    })
    .await;
    let mut run = Run::new();
    let url = collector
        .url("/write?key=s3cr3t-key")
        .replace("//", "//me:hunter22@");
    let exporter = run.push(remote_write(&url));
    let request = collector.request().await;
    assert_eq!(
        request.header("authorization"),
        Some("Basic bWU6aHVudGVyMjI=")
    );
    let notice = run.notice().await;
    assert!(
        notice.contains("--push-header") && notice.contains("***"),
        "{notice}"
    );
    for secret in ["hunter22", "bWU6aHVudGVyMjI", "s3cr3t-key"] {
        assert!(!notice.contains(secret), "{notice}");
    }
    exporter.finish().await;
}

#[tokio::test]
async fn what_a_collector_takes_in_part_is_told_once() {
    // ExportMetricsServiceResponse { partial_success: { 2, "too old" } }
    let partial = "\n\u{b}\u{8}\u{2}\u{12}\u{7}too old";
    let mut collector = Collector::start(move |_| answer("200 OK", partial)).await;
    let run = Run::new();
    let exporter = run.push(otlp(&collector.url("")));
    for _ in 0..3 {
        collector.request().await;
    }
    exporter.finish().await;
    let [notice] = &run.rest()[..] else {
        panic!("not one notice")
    };
    assert!(
        notice.ends_with("2 data points were rejected: too old"),
        "{notice}"
    );
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_the_run() {
    let run = Run::new();
    let refused = |url: &str, headers: &[(&str, &str)], millis| {
        let headers = headers.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let push = Push {
            remote_write: Some(Url::parse(url).unwrap()),
            headers: headers.collect(),
            interval: Duration::from_millis(millis),
            ..Push::default()
        };
        match Exporter::start(&push, &run.parts) {
            Ok(_) => panic!("{push:?} is accepted"),
            Err(error) => error.to_string(),
        }
    };
    let url = "http://127.0.0.1:9/";
    let cases = [
        (
            refused("ftp://me:pass@host/", &[], 1000),
            "ftp://host/: give a URL",
        ),
        (
            refused(url, &[("a b", "hunter2")], 1000),
            "'a b': its name or its value",
        ),
        (
            refused(url, &[("a", "hunter2\n")], 1000),
            "'a': its name or its value",
        ),
        (
            refused(url, &[("Content-Type", "hunter2")], 1000),
            "leave it out",
        ),
        (
            refused(
                "http://me:pass@host/",
                &[("authorization", "hunter2")],
                1000,
            ),
            "http://host/ with both",
        ),
        (refused(url, &[], 1), "leave 100ms or more"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error}");
        assert!(
            !error.contains("hunter2") && !error.contains("pass"),
            "{error}"
        );
    }
    assert!(
        Exporter::start(&Push::default(), &run.parts)
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told() {
    let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![key.cert.der().clone()],
            key.signing_key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/write", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The client breaks it off.
            assert!(acceptor.accept(stream).await.is_err());
        }
    });
    let mut run = Run::new();
    let exporter = run.push(remote_write(&url));
    let notice = run.notice().await;
    assert!(notice.contains("invalid peer certificate"), "{notice}");
    drop(exporter);
    server.abort();
}
