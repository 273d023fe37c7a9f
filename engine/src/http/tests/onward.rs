//! Redirects and retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::support::*;
use crate::http::{ClientConfig, Egress, ErrorKind, Options, Request};

fn redirects(limit: u32) -> Options {
    Options {
        redirects: Some(limit),
        ..Options::default()
    }
}

fn retries(limit: u32) -> Options {
    Options {
        retries: Some(limit),
        ..Options::default()
    }
}

/// `/302/there` answers with that status and place; the rest tells what came.
fn wander(got: Received) -> Reply {
    let path = got.path().to_owned();
    let mut parts = path[1..].splitn(2, '/');
    match (parts.next().unwrap().parse(), parts.next()) {
        (Ok(status), Some(place)) => {
            let place = if place.starts_with("http") {
                place.into()
            } else {
                format!("/{place}")
            };
            reply_with(status, &[("location", &place)], "moved")
        }
        _ => reply(
            200,
            format!(
                "{} {} {} {}",
                got.head.method,
                got.body.len(),
                got.header("content-type"),
                got.header("authorization"),
            ),
        ),
    }
}

#[tokio::test]
async fn redirects_are_followed_as_browsers_do() {
    let server = serve(wander).await;
    let user = user(&server.url);
    for (status, seen) in [
        (301, "GET 0  Basic x"),
        (302, "GET 0  Basic x"),
        (303, "GET 0  Basic x"),
        (307, "POST 3 text/plain Basic x"),
        (308, "POST 3 text/plain Basic x"),
    ] {
        let headers = vec![
            ("content-type".into(), "text/plain".into()),
            ("authorization".into(), "Basic x".into()),
        ];
        let request = Request {
            headers,
            ..post(&format!("/{status}/end"), "abc")
        };
        let response = user.send(request).await.unwrap();
        assert_eq!(&response.body()[..], seen.as_bytes(), "{status}");
        assert_eq!(response.url(), format!("{}/end", server.url));
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(user.samples.count(), server.requests());
}

#[tokio::test]
async fn every_hop_is_a_sample_under_one_name() {
    let server = serve(wander).await;
    let user = user(&server.url);
    user.send(get("/302/303/end")).await.unwrap();
    let all = user.samples.all();
    let seen: Vec<_> = all
        .iter()
        .map(|s| (s.status, s.name.as_str(), s.kind.as_str()))
        .collect();
    let name = "/{id}/{id}/end";
    assert_eq!(seen, [(302, name, ""), (303, name, ""), (200, name, "")]);
}

#[tokio::test]
async fn redirects_end_at_their_limit() {
    let server = serve(|_| reply_with(302, &[("location", "/again")], "")).await;
    let user = user(&server.url);
    let error = user
        .send(Request {
            options: redirects(3),
            ..get("/")
        })
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::TooManyRedirects);
    let kinds: Vec<_> = user.samples.all().into_iter().map(|s| s.kind).collect();
    assert_eq!(kinds, ["", "", "", "too-many-redirects"]);
    assert_eq!(server.requests(), 4);

    let response = user
        .send(Request {
            options: redirects(0),
            ..get("/")
        })
        .await
        .unwrap();
    assert_eq!(response.status(), 302);
}

#[tokio::test]
async fn secrets_stay_with_their_origin() {
    let other = serve(|got| {
        reply(
            200,
            format!(
                "[{}{}{}]",
                got.header("authorization"),
                got.header("cookie"),
                got.header("x")
            ),
        )
    })
    .await;
    let place = format!("{}/there", other.url);
    let server = serve(move |_| reply_with(307, &[("location", &place)], "")).await;
    let user = user_with(config(), &server.url, |options| {
        options.headers = vec![("authorization".into(), "Basic x".into())];
    });
    let headers = vec![("cookie".into(), "a=b".into()), ("x".into(), "kept".into())];
    let response = user
        .send(Request {
            headers,
            ..get("/")
        })
        .await
        .unwrap();
    assert_eq!(response.body(), "[kept]");
    assert_eq!(response.url(), format!("{}/there", other.url));
}

#[tokio::test]
async fn a_redirect_cannot_leave_what_is_granted() {
    let server = serve(wander).await;
    let egress = Egress::new(["127.0.0.1"]).unwrap();
    let user = user_with(ClientConfig { egress, ..config() }, &server.url, |_| {});
    for place in [
        "http://169.254.169.254/latest",
        "http://localhost/",
        "http://127.0.0.2/",
    ] {
        let error = user
            .send(get(&format!("/302/{place}")))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Denied, "{place}");
    }
    let kinds: Vec<_> = user.samples.all().into_iter().map(|s| s.kind).collect();
    assert_eq!(kinds, ["", "denied", "", "denied", "", "denied"]);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_fault_of_the_server() {
    let server = serve(|got| match got.path() {
        "/bare" => reply(302, ""),
        _ => reply_with(302, &[("location", "gopher://h/")], ""),
    })
    .await;
    let user = user(&server.url);
    assert_eq!(user.send(get("/bare")).await.unwrap().status(), 302);
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Protocol);
    let verdicts = user.samples.verdicts();
    assert_eq!(
        verdicts,
        [(302, String::new()), (302, "protocol".to_owned())]
    );
}

#[tokio::test]
async fn a_busy_server_is_asked_again_if_the_scenario_wants() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let server = serve(move |_| match counter.fetch_add(1, SeqCst) {
        0 => reply(503, "busy"),
        1 => reply(429, "busy"),
        _ => reply(200, "done"),
    })
    .await;
    let user = user(&server.url);
    let response = user
        .send(Request {
            options: retries(5),
            ..post("/", "x")
        })
        .await
        .unwrap();
    assert_eq!(response.body(), "done");
    drop(response);
    let status = "status".to_owned();
    assert_eq!(
        user.samples.verdicts(),
        [(503, status.clone()), (429, status), (200, String::new())]
    );

    count.store(0, SeqCst);
    assert_eq!(user.send(get("/")).await.unwrap().status(), 503);
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn retries_end_with_the_last_failure() {
    let server = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    let user = user(&server.url);
    let error = user
        .send(Request {
            options: retries(2),
            ..get("/")
        })
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Reset);
    assert_eq!(user.samples.verdicts(), vec![(0, "reset".to_owned()); 3]);
    assert_eq!(server.connections(), 3);
}
