//! Clients that are slow, many or too much.

use super::*;
use crate::control::connections::{HEAD_TIME, LIMIT, MAX_HEAD};

#[tokio::test]
async fn large_bodies_are_not_read() {
    let mut served = served().await;
    let host = served.endpoint.address();
    for request in ["PATCH /load", "POST /start"] {
        // Only announced: the answer does not wait for the rest.
        let announced =
            format!("{request} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 99999999999\r\n\r\n");
        let answer = served.raw(&announced).await.unwrap();
        assert_eq!(
            (answer.status, &*answer.error()),
            (413, "the body is larger than 4096 bytes")
        );
        // Not announced: the answer comes once there is too much.
        let chunk = "x".repeat(MAX_BODY + 1);
        let chunked = format!(
            "{request} HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n",
            chunk.len()
        );
        assert_eq!(served.raw(&chunked).await.unwrap().status, 413);
    }
    assert!(served.is_untouched());
    let largest = format!("{:<1$}", r#"{"users": 1}"#, MAX_BODY);
    assert_eq!(served.patch(&largest).await.status, 200);
}

#[tokio::test]
async fn hostile_clients_keep_nobody_out() {
    let served = served().await;
    let beginnings: [&[u8]; 6] = [
        b"",
        b"POST /pau",
        b"GET /state HTTP/1.1\r\nhost: localhost\r\nx-slow: ",
        b"PATCH /load HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\0\0\xff\xff GET GET HTTP/9.9\r\n\r\n",
    ];
    let mut hostile = Vec::new();
    for beginning in beginnings.iter().cycle().take(2 * LIMIT) {
        let mut stream = served.connect().await;
        stream.write_all(beginning).await.unwrap();
        hostile.push(stream);
    }
    for (request, status) in [
        ("GET /state", 200),
        ("POST /start", 200),
        ("GET /metrics", 200),
    ] {
        assert_eq!(served.ask(request).await.status, status, "{request}");
    }
    // Those that came first had to give way; their connections are closed, not forgotten.
    soon(closed(&mut hostile[0])).await;
}

#[tokio::test]
async fn large_heads_are_refused() {
    let served = served().await;
    let head = "GET /state HTTP/1.1\r\nx: ";
    // Not a byte more, so that none is left unread: closing would then take the answer back.
    let endless = format!("{head}{}", "x".repeat(MAX_HEAD - head.len()));
    assert_eq!(served.raw(&endless).await.unwrap().status, 431);
}

#[tokio::test]
async fn the_end_does_not_wait_for_the_slow() {
    let served = served().await;
    let mut slow = served.connect().await;
    slow.write_all(b"POST /pau").await.unwrap();
    assert_eq!(served.ask("GET /state").await.status, 200);
    soon(served.endpoint.finish()).await;
    soon(closed(&mut slow)).await;
}

/// Reads until a client that was not answered is cut off.
async fn closed(client: &mut TcpStream) {
    let mut rest = Vec::new();
    // Cutting off may also look like a reset.
    let _ = client.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{rest:?}");
}

/// Fails when something happens only because a client was silent for too long.
async fn soon<T>(happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(HEAD_TIME / 2, happens).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn slow_clients_are_given_up() {
    let served = served().await;
    let mut head = served.connect().await;
    head.write_all(b"GET /state HTTP/1.1\r\n").await.unwrap();
    let mut rest = String::new();
    let _ = head.read_to_string(&mut rest).await;
    assert!(!rest.contains("200"), "{rest}");
    let body = "PATCH /load HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{";
    let answer = served.raw(body).await.unwrap();
    assert_eq!(
        (answer.status, &*answer.error()),
        (408, "the body did not arrive within 5 seconds")
    );
}
