//! The dashboard, and the run behind it.

use super::*;
use crate::monitor::End;
use crate::sample::{Sample, Sink, Timings};

fn moment(seconds: u64) -> Moment {
    Moment {
        state: State::Running,
        elapsed: Duration::from_secs(seconds),
        paused: Duration::ZERO,
        began: None,
    }
}

fn request(metrics: &Metrics, name: &str) {
    metrics.record(&Sample {
        method: "GET",
        name,
        tags: "",
        status: 200,
        failure: None,
        timings: Timings {
            total: Duration::from_millis(5),
            ..Timings::default()
        },
        sent: 0,
        received: 10,
        late: None,
    });
}

/// Reads from a stream of events until the next one is complete.
async fn next_event(stream: &mut TcpStream, read: &mut String) -> serde_json::Value {
    loop {
        if let Some(start) = read.find("data: ")
            && let Some(length) = read[start..].find("\n\n")
        {
            let event = read[start + 6..start + length].to_owned();
            read.drain(..start + length);
            // The event came as one chunk.
            return serde_json::from_str(&event).unwrap();
        }
        let mut bytes = vec![0; 1 << 16];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{read}");
        read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

#[tokio::test]
async fn the_page_is_there_only_where_it_was_asked_for() {
    let served = served_by(true, "127.0.0.1:0", None).await;
    let answer = served.ask("GET /").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("/metrics"))
    );

    let served = Service::default().with_pages().start().await;
    let answer = served.ask("GET /").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert!(answer.body.contains("id=\"data\""), "{}", answer.body);
    assert_eq!(served.ask("POST /").await.status, 405);
}

#[tokio::test]
async fn the_report_has_the_whole_run_so_far() {
    let service = Service::default();
    let (metrics, monitor) = (service.metrics(), service.monitor.clone());
    let served = service.start().await;
    request(&metrics, "/cart");
    monitor.look_now(moment(1));
    request(&metrics, "/cart");
    monitor.look_now(moment(2));
    let report = served.ask("GET /report").await.json();
    assert_eq!(report["total"]["requests"], 2);
    assert_eq!(report["run"]["state"], "running");
    assert_eq!(report["timeline"]["requests"], serde_json::json!([1, 1]));
    assert!(report["total"]["time_ms"].get("histogram").is_none());
}

#[tokio::test]
async fn updates_follow_the_run_and_end_with_it() {
    let service = Service::default();
    let (metrics, monitor) = (service.metrics(), service.monitor.clone());
    let served = service.start().await;
    let mut stream = served.connect().await;
    let request_head = format!(
        "GET /updates HTTP/1.1\r\nhost: {}\r\n\r\n",
        served.endpoint.address()
    );
    stream.write_all(request_head.as_bytes()).await.unwrap();
    let mut read = String::new();
    // The state at once, even before anything happens.
    let first = next_event(&mut stream, &mut read).await;
    assert_eq!(first["run"]["state"], "ready");
    for n in 0..300 {
        request(&metrics, &format!("/item/{n}"));
    }
    (0..7).for_each(|_| request(&metrics, "/z"));
    monitor.look_now(moment(1));
    let second = next_event(&mut stream, &mut read).await;
    assert_eq!(second["timeline"]["requests"], serde_json::json!([307]));
    // The busiest names, and among them the one that comes last by name.
    let rows = second["requests"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[199]["name"]), (200, &"/z".into()));
    assert_eq!(second["total"]["requests"], 307);
    // The last report goes out, whenever the end comes.
    monitor.finish(
        Moment {
            state: State::Stopped,
            ..moment(2)
        },
        &monitor.snapshot(),
        End::default(),
    );
    served.endpoint.finish().await;
    let last = next_event(&mut stream, &mut read).await;
    assert_eq!(last["run"]["state"], "stopped");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn many_idle_connections_end_no_stream() {
    let service = Service::default();
    let monitor = service.monitor.clone();
    let served = service.start().await;
    let mut stream = served.connect().await;
    stream
        .write_all(b"GET /updates HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut read = String::new();
    next_event(&mut stream, &mut read).await;
    let mut idle = Vec::new();
    for _ in 0..2 * connections::LIMIT {
        idle.push(served.connect().await);
    }
    assert_eq!(served.ask("GET /state").await.status, 200);
    monitor.look_now(moment(1));
    assert_eq!(
        next_event(&mut stream, &mut read).await["run"]["state"],
        "running"
    );
}

#[tokio::test]
async fn what_a_run_does_is_shown_to_those_who_may_see_it() {
    let served = Service::default()
        .with_pages()
        .with_token(TOKEN)
        .start()
        .await;
    for path in ["/report", "/updates"] {
        assert_eq!(
            served.ask(&format!("GET {path}")).await.status,
            401,
            "{path}"
        );
    }
    assert_eq!(served.ask("GET /").await.status, 200);
    let bearer = format!("Bearer {TOKEN}");
    let answer = served
        .send("GET /report", &[("authorization", &bearer)], "")
        .await;
    assert_eq!(answer.status, 200);
    let cross = [
        ("authorization", &*bearer),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(served.send("GET /report", &cross, "").await.status, 403);
}
