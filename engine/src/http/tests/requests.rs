//! What is sent, and how it is counted.

use super::support::*;
use crate::http::{ClientConfig, Egress, ErrorKind, Request, SessionOptions};

#[tokio::test]
async fn a_request_is_counted_when_its_response_is_dropped() {
    let server = serve(|_| reply(200, "hello")).await;
    let user = user(&server.url);
    let response = user.send(post("/items/42?verbose=1", "abc")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), http::Version::HTTP_11);
    assert_eq!(&response.body()[..], b"hello");
    assert_eq!(response.url(), format!("{}/items/42?verbose=1", server.url));
    assert_eq!(response.header("Content-Length").unwrap(), "5");
    assert_eq!(user.samples.count(), 0);
    let timings = response.timings();
    drop(response);

    let sample = user.samples.only();
    assert_eq!(
        (sample.method.as_str(), sample.name.as_str()),
        ("POST", "/items/{id}")
    );
    assert_eq!((sample.status, sample.kind.as_str()), (200, ""));
    assert_eq!((sample.sent, sample.received), (3, 5));
    assert_eq!(sample.timings, timings);
}

#[tokio::test]
async fn the_parts_of_an_exchange_add_up() {
    let server = serve(|_| reply(200, "hello")).await;
    let user = user(&server.url);
    for round in 0..2 {
        let t = user.send(get("/")).await.unwrap().timings();
        assert_eq!(t.connect.is_zero(), round == 1);
        assert!(t.tls.is_zero());
        assert!(!t.send.is_zero() && !t.first_byte.is_zero() && !t.body.is_zero());
        let parts = t.dns + t.connect + t.tls + t.send + t.first_byte + t.body;
        assert_eq!(parts, t.total);
    }
}

#[tokio::test]
async fn the_verdict_follows_the_status_unless_marked() {
    let server = serve(|got| reply(got.path()[1..].parse().unwrap(), "")).await;
    let user = user(&server.url);
    drop(user.send(get("/404")).await.unwrap());
    user.send(get("/404")).await.unwrap().success();
    user.send(get("/200"))
        .await
        .unwrap()
        .failure("price is\nwrong");
    user.send(get("/200")).await.unwrap().fail_task("boom");
    let marked = user.send(get("/500")).await.unwrap();
    marked.success();
    marked.fail_task("boom");
    drop(marked);

    let told: Vec<_> = user
        .samples
        .all()
        .into_iter()
        .map(|s| (s.kind, s.message))
        .collect();
    let told: Vec<_> = told.iter().map(|(k, m)| (k.as_str(), m.as_str())).collect();
    assert_eq!(
        told,
        [
            ("status", "404 Not Found"),
            ("", ""),
            ("mark", "price is wrong"),
            ("task", "boom"),
            ("", ""),
        ]
    );
}

#[tokio::test]
async fn headers_have_defaults_that_session_and_request_replace() {
    let server = serve(|got| {
        let names = [
            "host",
            "user-agent",
            "accept-encoding",
            "x-session",
            "x-both",
            "content-length",
        ];
        let seen: Vec<_> = names.iter().map(|name| got.header(name)).collect();
        reply(200, seen.join("|"))
    })
    .await;
    let user = user_with(config(), &server.url, |options| {
        options.headers = vec![
            ("X-Session".into(), "s".into()),
            ("x-both".into(), "s".into()),
        ];
    });
    let host = server.address.to_string();
    let agent = concat!("aiotest-engine/", env!("CARGO_PKG_VERSION"));

    let request = Request {
        headers: vec![("X-Both".into(), "r".into())],
        ..get("/")
    };
    let body = user.send(request).await.unwrap().body().clone();
    assert_eq!(body, format!("{host}|{agent}|gzip, br, deflate|s|r|"));

    user.set_header("user-agent", "me".into()).unwrap();
    user.remove_header("X-Session");
    let request = Request {
        headers: vec![
            ("Host".into(), "virtual".into()),
            ("Accept-Encoding".into(), "br".into()),
        ],
        ..post("/", "")
    };
    let body = user.send(request).await.unwrap().body().clone();
    assert_eq!(body, "virtual|me|br||s|0");
    assert!(user.set_header("x", "a\r\nb".into()).is_err());
    assert!(
        user.set_header("transfer-encoding", "chunked".into())
            .is_err()
    );
}

#[tokio::test]
async fn urls_join_the_base_or_stand_alone() {
    let server = serve(|got| reply(200, got.head.uri.to_string())).await;
    let user = user(&format!("{}/api/", server.url));
    let cases = [
        ("/users?q=1", "/api/users?q=1"),
        ("users", "/api/users"),
        ("?q=1", "/api?q=1"),
        ("", "/api"),
        ("/a b/é#part", "/api/a%20b/%C3%A9"),
        ("/a/../b", "/api/b"),
        (&format!("{}/x?y=1", server.url), "/x?y=1"),
        (&server.url, "/"),
    ];
    for (url, seen) in cases {
        let response = user.send(get(url)).await.unwrap();
        assert_eq!(&response.body()[..], seen.as_bytes(), "{url}");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_is_not_valid_is_counted_and_not_sent() {
    let server = serve(|_| reply(200, "")).await;
    let user = user(&server.url);
    let named = |name: &str| Request {
        name: Some(name.into()),
        ..get("/")
    };
    let headed = |name: &str, value: &str| Request {
        headers: vec![(name.into(), value.into())],
        ..get("/")
    };
    let requests = [
        named(&"n".repeat(257)),
        named("a\nb"),
        named(""),
        headed("bad name", ""),
        headed("x", "a\r\nb: c"),
        headed("transfer-encoding", "chunked"),
        headed("content-length", "5"),
        Request {
            method: http::Method::CONNECT,
            ..get("/")
        },
        Request {
            headers: vec![("x".into(), "y".into()); 1000],
            ..get("/")
        },
        get("ftp://127.0.0.1/"),
        get("http://"),
        get("http://user:secret@127.0.0.1/"),
        get(&format!("/{}", "x".repeat(100_000))),
    ];
    let count = requests.len();
    for request in requests {
        let error = user.send(request.clone()).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{request:?}");
    }
    assert_eq!(user.samples.count(), count);
    assert!(
        user.samples
            .all()
            .iter()
            .all(|s| s.kind == "invalid-request" && s.status == 0)
    );
    assert_eq!(server.connections(), 0);

    let homeless = user_with(config(), &server.url, |options| options.base_url = None);
    let error = homeless.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_session_tells_what_is_wrong_with_its_options() {
    let client = crate::http::Client::new(config()).unwrap();
    let open = |options| {
        let sink = std::sync::Arc::new(Samples::default());
        crate::http::Session::open(&client, sink, options)
            .err()
            .unwrap()
            .to_string()
    };
    let based = |url: &str| SessionOptions {
        base_url: Some(url.into()),
        ..Default::default()
    };
    assert!(open(based("localhost:80")).contains("http://"));
    assert!(open(based("ftp://h")).contains("neither http"));
    let headers = vec![("a b".to_owned(), String::new())];
    assert!(
        open(SessionOptions {
            headers,
            ..Default::default()
        })
        .contains("header name")
    );
}

#[tokio::test]
async fn cookies_come_back_to_their_server() {
    let server = serve(|got| match got.path() {
        "/login" => reply_with(
            200,
            &[("set-cookie", "sid=7; Path=/"), ("set-cookie", "a=b")],
            "",
        ),
        _ => reply(200, got.header("cookie").to_owned()),
    })
    .await;
    let user = user(&server.url);
    assert_eq!(user.send(get("/")).await.unwrap().body(), "");
    user.send(get("/login")).await.unwrap();
    user.set_cookie("/", "theme=dark; Path=/").unwrap();
    let mut cookies = user.cookies("/");
    cookies.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        cookies,
        [pair("a", "b"), pair("sid", "7"), pair("theme", "dark")]
    );
    let sent = user.send(get("/")).await.unwrap().body().clone();
    for cookie in ["sid=7", "a=b", "theme=dark"] {
        assert!(String::from_utf8_lossy(&sent).contains(cookie));
    }
    user.clear_cookies();
    assert_eq!(user.send(get("/")).await.unwrap().body(), "");

    let plain = user_with(config(), &server.url, |options| options.cookies = false);
    plain.send(get("/login")).await.unwrap();
    assert_eq!(plain.send(get("/")).await.unwrap().body(), "");
    assert!(plain.set_cookie("/", "a=b").is_err());
}

#[tokio::test]
async fn what_is_not_granted_is_not_connected() {
    let server = serve(|_| reply(200, "")).await;
    let granting = |entry: &str| {
        let egress = Egress::new([entry]).unwrap();
        user_with(ClientConfig { egress, ..config() }, &server.url, |_| {})
    };
    for entry in ["example.com", "127.0.0.2", "127.0.0.1:1"] {
        let user = granting(entry);
        let error = user.send(get("/")).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Denied, "{entry}");
        assert_eq!(user.samples.only().kind, "denied");
    }
    assert_eq!(server.connections(), 0);
    granting("127.0.0.0/8").send(get("/")).await.unwrap();

    let user = user(&server.url);
    for url in [
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://0xa9fea9fe/",
    ] {
        let error = user.send(get(url)).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Denied, "{url}");
    }
}

/// Once to send and once for the answer: nothing wakes the request but its socket.
#[tokio::test]
async fn a_request_on_a_kept_connection_is_polled_twice() {
    let server = serve(|_| reply(200, "hello")).await;
    let user = user(&server.url);
    user.send(get("/")).await.unwrap();
    for _ in 0..3 {
        let mut polls = 0;
        let mut sending = std::pin::pin!(user.send(get("/")));
        let response = std::future::poll_fn(|cx| {
            polls += 1;
            sending.as_mut().poll(cx)
        });
        response.await.unwrap();
        assert_eq!(polls, 2);
    }
}

#[tokio::test]
async fn sessions_and_responses_go_between_threads() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    fn movable<T: Send>(value: T) -> T {
        value
    }
    let server = serve(|_| reply(200, "")).await;
    let user = shared(user(&server.url));
    let response = shared(movable(user.send(get("/"))).await.unwrap());
    movable(response.read_chunk()).await.unwrap();
}

#[tokio::test]
async fn the_future_of_a_request_is_small() {
    let server = serve(|_| reply(200, "")).await;
    let user = user(&server.url);
    let size = size_of_val(&user.session.send(get("/")));
    assert!(size <= 2304, "{size} bytes");
}
