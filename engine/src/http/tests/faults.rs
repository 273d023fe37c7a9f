//! Servers and networks that misbehave, and users that are stopped.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::support::*;
use crate::http::{BodyMode, ClientConfig, ErrorKind, Options, Request};

/// The kind and the sample's kind of a request to a server that writes these bytes and
/// closes.
async fn fault_of(bytes: &'static [u8]) -> (ErrorKind, String) {
    let server = raw(move |mut stream, _| async move {
        answer_with(&mut stream, bytes).await;
    })
    .await;
    let user = user(&server.url);
    let error = user.send(get("/")).await.err().unwrap();
    let sample = user.samples.only();
    assert_eq!(sample.kind, error.kind.as_str());
    assert_eq!(sample.message, error.message);
    assert!(!error.message.contains('\n'));
    (error.kind, error.message)
}

#[tokio::test]
async fn every_broken_answer_has_its_kind() {
    let cases: [(&[u8], ErrorKind); 9] = [
        (b"", ErrorKind::Reset),
        (b"HTTP/1.1 200 OK\r\ncontent-le", ErrorKind::Reset),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal",
            ErrorKind::Reset,
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe",
            ErrorKind::Reset,
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ErrorKind::Protocol),
        (b"HTTP/1.1 abc OK\r\n\r\n", ErrorKind::Protocol),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
            ErrorKind::Protocol,
        ),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            ErrorKind::Protocol,
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            ErrorKind::Protocol,
        ),
    ];
    for (bytes, kind) in cases {
        let (got, message) = fault_of(bytes).await;
        assert_eq!(got, kind, "{}: {message}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn headers_are_limited_in_number_and_size() {
    for header in [
        format!("x: {}\r\n", "y".repeat(3000)).repeat(90),
        "a: b\r\n".repeat(1000),
    ] {
        let server = raw(move |mut stream, _| {
            let answer = format!("HTTP/1.1 200 OK\r\n{header}\r\n");
            async move {
                answer_with(&mut stream, answer.as_bytes()).await;
                until_closed(&mut stream).await;
            }
        })
        .await;
        let user = user(&server.url);
        let error = user.send(get("/")).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::TooLarge, "{error}");
    }
}

#[tokio::test]
async fn a_reset_connection_is_a_reset() {
    let server = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal")
            .await
            .unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let user = user(&server.url);
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Reset);
    assert_eq!(error.message.matches("127.0.0.1").count(), 1, "{error}");
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let user = user(&format!("http://{address}"));
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::ConnectRefused);
    assert_eq!(error.message, format!("connection to {address} refused"));
    let sample = user.samples.only();
    assert_eq!((sample.kind.as_str(), sample.sent), ("connect-refused", 0));
}

#[tokio::test]
async fn a_name_leads_to_its_addresses_in_turn() {
    let server = serve(|got| reply(200, got.header("host").to_owned())).await;
    let port = server.address.port();
    let user = user(&format!("http://localhost:{port}"));
    let response = user.send(get("/")).await.unwrap();
    assert_eq!(&response.body()[..], format!("localhost:{port}").as_bytes());
    assert!(!response.timings().dns.is_zero());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_dns_error() {
    let user = user("http://name.invalid");
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Dns, "{error}");
}

#[tokio::test]
async fn a_silent_server_meets_the_time_limit() {
    let scripts: [&'static [u8]; 3] = [
        b"",
        b"HTTP/1.1 200 OK\r\ncont",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal",
    ];
    for bytes in scripts {
        let server = raw(move |mut stream, _| async move {
            answer_with(&mut stream, bytes).await;
            until_closed(&mut stream).await;
        })
        .await;
        let user = user(&server.url);
        let error = user.late(100).await;
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert!(error.message.ends_with("within 100ms"), "{error}");
        assert_eq!(user.samples.only().kind, "timeout");

        let options = Options {
            body: Some(BodyMode::Stream),
            timeout: Some(Duration::from_millis(100)),
            ..Options::default()
        };
        let streamed = user
            .send(Request {
                options,
                ..get("/")
            })
            .await;
        if let Ok(response) = streamed {
            assert_eq!(response.read_chunk().await.unwrap(), "hal");
            assert_eq!(
                response.read_chunk().await.unwrap_err().kind,
                ErrorKind::Timeout
            );
        }
        assert_eq!(user.samples.all()[1].kind, "timeout");
    }
}

#[tokio::test]
async fn a_drop_at_a_time_does_not_hold_a_request_open() {
    let server = raw(|mut stream, _| async move {
        answer_with(&mut stream, b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let user = user(&server.url);
    let error = user.late(60).await;
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn the_set_up_of_a_connection_has_its_own_limit() {
    let server = raw(|mut stream, _| async move { until_closed(&mut stream).await }).await;
    let url = server.url.replace("http:", "https:");
    let connect_timeout = Duration::from_millis(100);
    let config = ClientConfig {
        connect_timeout,
        insecure: true,
        ..config()
    };
    let user = user_with(config.clone(), &url, |_| {});
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::ConnectTimeout);

    let user = user_with(config, &url, |options| {
        options.options.timeout = Some(Duration::from_millis(50));
    });
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn an_answer_in_clear_text_is_a_tls_error() {
    let server = raw(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        until_closed(&mut stream).await;
    })
    .await;
    let config = ClientConfig {
        insecure: true,
        ..config()
    };
    let user = user_with(config, &server.url.replace("http:", "https:"), |_| {});
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_user_stopped_in_mid_exchange_is_counted_as_the_server_counts() {
    for mode in [BodyMode::Buffer, BodyMode::Discard] {
        let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let server = raw(move |mut stream, _| {
            let seen = seen.clone();
            async move {
                answer_with(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal",
                )
                .await;
                seen.send(()).unwrap();
                until_closed(&mut stream).await;
            }
        })
        .await;
        let user = user(&server.url);
        let options = Options {
            body: Some(mode),
            ..Options::default()
        };
        tokio::select! {
            _ = user.send(Request { options, ..get("/") }) => panic!("the answer is not complete"),
            _ = requests.recv() => {}
        }
        assert_eq!(user.samples.only().kind, "interrupted");
    }
}

#[tokio::test]
async fn a_user_stopped_over_http2_is_counted_once() {
    let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let server = raw(move |stream, _| {
        let seen = seen.clone();
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok(request)) = connection.accept().await {
                seen.send(request).unwrap();
            }
        }
    })
    .await;
    let config = ClientConfig {
        http2_prior_knowledge: true,
        ..config()
    };
    let user = user_with(config, &server.url, |_| {});
    tokio::select! {
        _ = user.send(get("/")) => panic!("there is no answer"),
        _ = requests.recv() => {}
    }
    assert_eq!(user.samples.only().kind, "interrupted");
}

#[tokio::test]
async fn a_user_stopped_before_anything_was_sent_is_not_counted() {
    let (seen, mut connected) = tokio::sync::mpsc::unbounded_channel();
    let server = raw(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            seen.send(()).unwrap();
            until_closed(&mut stream).await;
        }
    })
    .await;
    let config = ClientConfig {
        insecure: true,
        ..config()
    };
    let user = user_with(config, &server.url.replace("http:", "https:"), |_| {});
    tokio::select! {
        _ = user.send(get("/")) => panic!("the handshake is never answered"),
        _ = connected.recv() => {}
    }
    assert_eq!(user.samples.count(), 0);
}

#[tokio::test]
async fn a_broken_stream_fails_its_response_unless_marked() {
    let server = raw(|mut stream, _| async move {
        answer_with(
            &mut stream,
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal",
        )
        .await;
    })
    .await;
    let user = user(&server.url);
    for marked in [false, true] {
        let options = Options {
            body: Some(BodyMode::Stream),
            ..Options::default()
        };
        let response = user
            .send(Request {
                options,
                ..get("/")
            })
            .await
            .unwrap();
        assert_eq!(response.read_chunk().await.unwrap(), "hal");
        assert_eq!(
            response.read_chunk().await.unwrap_err().kind,
            ErrorKind::Reset
        );
        if marked {
            response.success();
        }
    }
    let verdicts = user.samples.verdicts();
    assert_eq!(verdicts, [(200, "reset".to_owned()), (200, String::new())]);
}
