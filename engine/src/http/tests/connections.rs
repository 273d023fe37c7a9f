//! Connections: kept, shared, stale, secured and given up.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt;

use super::support::*;
use crate::http::{Client, ClientConfig, ErrorKind, Request};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn http2() -> ClientConfig {
    ClientConfig {
        http2_prior_knowledge: true,
        ..config()
    }
}

struct Identity {
    certificate: CertificateDer<'static>,
    server: Arc<rustls::ServerConfig>,
}

fn identity(name: &str, alpn: &[&[u8]], expired: bool) -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    // Another name, another issuer.
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    if expired {
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    }
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    server.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Identity {
        certificate,
        server: Arc::new(server),
    }
}

fn trusting(identity: &Identity) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(identity.certificate.clone()).unwrap();
    Client::trusting(config(), roots)
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let server = serve(|_| reply(200, "")).await;
    let user = user(&server.url);
    for _ in 0..5 {
        user.send(get("/")).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[tokio::test]
async fn requests_at_once_have_connections_of_their_own() {
    let server = serve(|_| reply(200, "")).await;
    let user = user(&server.url);
    for _ in 0..2 {
        let (a, b, c) = tokio::join!(
            user.send(get("/")),
            user.send(get("/")),
            user.send(get("/"))
        );
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
    }
    assert_eq!((server.connections(), server.requests()), (3, 6));
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_not_kept() {
    let server = serve(|_| reply_with(200, &[("connection", "close")], "bye")).await;
    let user = user(&server.url);
    for _ in 0..3 {
        user.send(post("/", "x")).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
    assert!(user.samples.all().iter().all(|s| s.kind.is_empty()));
}

/// Answers once a connection, reads the next request and hangs up.
async fn forgetful() -> Server {
    raw(|mut stream, _| async move {
        answer_with(&mut stream, OK).await;
        read_head(&mut stream).await;
    })
    .await
}

#[tokio::test]
async fn a_stale_connection_is_not_the_request_s_fault() {
    let server = forgetful().await;
    let user = user(&server.url);
    for _ in 0..3 {
        user.send(get("/")).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
    assert_eq!(user.samples.verdicts(), vec![(200, String::new()); 3]);
}

#[tokio::test]
async fn a_post_that_the_server_may_have_seen_is_not_sent_twice() {
    let server = forgetful().await;
    let user = user(&server.url);
    user.send(get("/")).await.unwrap();
    let error = user.send(post("/", "order")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Reset);
    assert_eq!(server.connections(), 1);
    assert_eq!(user.samples.verdicts()[1], (0, "reset".to_owned()));
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_noticed_before_it_is_used() {
    let server = raw(|mut stream, _| async move {
        answer_with(&mut stream, OK).await;
    })
    .await;
    let user = user(&server.url);
    user.send(post("/", "a")).await.unwrap();
    let_others_run().await;
    user.send(post("/", "b")).await.unwrap();
    assert_eq!(server.connections(), 2);
    assert_eq!(user.samples.verdicts(), vec![(200, String::new()); 2]);
}

#[tokio::test]
async fn a_request_that_failed_on_a_new_connection_is_not_repeated() {
    let server = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
    })
    .await;
    let user = user(&server.url);
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Reset);
    assert_eq!((server.connections(), user.samples.count()), (1, 1));
}

#[tokio::test]
async fn http2_shares_one_connection() {
    let server = serve_over(Protocol::Http2, |got| reply(200, got.head.uri.to_string())).await;
    let user = user_with(http2(), &server.url, |_| {});
    let (a, b, c) = tokio::join!(
        user.send(get("/a")),
        user.send(get("/b")),
        user.send(post("/c", "x"))
    );
    for (response, path) in [(a, "/a"), (b, "/b"), (c, "/c")] {
        let response = response.unwrap();
        assert_eq!(response.version(), http::Version::HTTP_2);
        assert_eq!(
            &response.body()[..],
            format!("{}{path}", server.url).as_bytes()
        );
        let t = response.timings();
        assert_eq!(
            t.dns + t.connect + t.tls + t.send + t.first_byte + t.body,
            t.total
        );
    }
    assert_eq!((server.connections(), server.requests()), (1, 3));
}

#[tokio::test]
async fn http2_sends_the_host_header_as_authority() {
    let server = serve_over(Protocol::Http2, |got| {
        let host = got.head.uri.host().unwrap_or("").to_owned();
        reply(200, format!("{host}{}", got.header("host")))
    })
    .await;
    let user = user_with(http2(), &server.url, |_| {});
    let headers = vec![("host".into(), "virtual.example".into())];
    let response = user
        .send(Request {
            headers,
            ..get("/")
        })
        .await
        .unwrap();
    assert_eq!(response.body(), "virtual.example");
}

#[tokio::test]
async fn an_http2_connection_ends_with_its_session() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    let closed = Arc::new(parking_lot::Mutex::new(Some(closed)));
    let server = raw(move |stream, _| {
        let closed = closed.clone();
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond
                    .send_response(http::Response::new(()), true)
                    .unwrap();
            }
            closed.lock().take().unwrap().send(()).unwrap();
        }
    })
    .await;
    let user = user_with(http2(), &server.url, |_| {});
    user.send(get("/")).await.unwrap();
    drop(user);
    wait.await.unwrap();
}

#[tokio::test]
async fn streams_that_the_server_refuses_are_sent_again_and_others_are_not() {
    let server = raw(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut count = 0;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            count += 1;
            match (request.uri().path(), count) {
                ("/refuse", 2) => respond.send_reset(h2::Reason::REFUSED_STREAM),
                ("/break", _) => respond.send_reset(h2::Reason::INTERNAL_ERROR),
                _ => drop(
                    respond
                        .send_response(http::Response::new(()), true)
                        .unwrap(),
                ),
            }
        }
    })
    .await;
    let user = user_with(http2(), &server.url, |_| {});
    user.send(get("/")).await.unwrap();
    user.send(post("/refuse", "x")).await.unwrap();
    let error = user.send(get("/break")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Reset);
    let kinds: Vec<_> = user.samples.all().into_iter().map(|s| s.kind).collect();
    assert_eq!(kinds, ["", "", "reset"]);
}

#[tokio::test]
async fn a_server_that_says_goodbye_is_connected_anew() {
    let server = raw(|stream, _| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let (_, mut respond) = connection.accept().await.unwrap().unwrap();
        respond
            .send_response(http::Response::new(()), true)
            .unwrap();
        connection.graceful_shutdown();
        while connection.accept().await.is_some() {}
    })
    .await;
    let user = user_with(http2(), &server.url, |_| {});
    for _ in 0..3 {
        user.send(post("/", "x")).await.unwrap();
        let_others_run().await;
    }
    assert_eq!(server.connections(), 3);
    assert_eq!(user.samples.verdicts(), vec![(200, String::new()); 3]);
}

#[tokio::test]
async fn a_dead_http2_connection_is_left_after_a_timeout() {
    let server = raw(|stream, number| async move {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if number == 0 {
                std::mem::forget(respond);
            } else {
                respond
                    .send_response(http::Response::new(()), true)
                    .unwrap();
            }
        }
    })
    .await;
    let user = user_with(http2(), &server.url, |_| {});
    let error = user.late(100).await;
    assert_eq!(error.kind, ErrorKind::Timeout);
    user.send(get("/")).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn tls_negotiates_the_protocol() {
    for (alpn, version) in [
        (vec![b"h2".as_slice(), b"http/1.1"], http::Version::HTTP_2),
        (vec![b"http/1.1".as_slice()], http::Version::HTTP_11),
        (vec![], http::Version::HTTP_11),
    ] {
        let identity = identity("127.0.0.1", &alpn, false);
        let server = serve_over(Protocol::Tls(identity.server.clone()), |_| {
            reply(200, "safe")
        })
        .await;
        let user = user_of(&trusting(&identity), &server.url, |_| {});
        for round in 0..2 {
            let response = user.send(get("/")).await.unwrap();
            assert_eq!(response.version(), version);
            assert_eq!(response.body(), "safe");
            assert_eq!(response.timings().tls.is_zero(), round == 1);
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn certificates_are_checked_unless_told_otherwise() {
    let trusted = identity("elsewhere.example", &[], false);
    let foreign = identity("127.0.0.1", &[], false);
    let misnamed = identity("example.com", &[], false);
    let expired = identity("127.0.0.1", &[], true);
    for (trusted, used, told) in [
        (&trusted, &foreign, "unknown issuer"),
        (&misnamed, &misnamed, "wrong name"),
        (&expired, &expired, "expired"),
    ] {
        let server = serve_over(Protocol::Tls(used.server.clone()), |_| reply(200, "")).await;
        let user = user_of(&trusting(trusted), &server.url, |_| {});
        let error = user.send(get("/")).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Tls);
        assert!(error.message.contains(told), "{}", error.message);
        assert_eq!(user.samples.only().kind, "tls");

        let insecure = ClientConfig {
            insecure: true,
            ..config()
        };
        user_with(insecure, &server.url, |_| {})
            .send(get("/"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn no_more_than_a_few_idle_connections_are_kept() {
    let server = raw(|mut stream, _| async move {
        while read_head(&mut stream).await {
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let user = user(&server.url);
    for _ in 0..2 {
        let all = (0..20).map(|_| user.send(get("/")));
        let all = futures_join(all.collect()).await;
        assert!(all.iter().all(Result::is_ok));
    }
    assert_eq!(server.connections(), 20 + 12);
}

/// Polls all futures to their end.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<_> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(move |cx| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(cx)
            {
                *slot = Some(output);
            }
        }
        if done.iter().any(Option::is_none) {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
    })
    .await
}
