//! Response bodies: how they are read, and how large they may be.

use std::io::Write;

use bytes::Bytes;

use super::support::*;
use crate::http::{BodyMode, ErrorKind, Options, Request};

fn with(mode: BodyMode, max_body: Option<u64>) -> Request {
    let options = Options {
        body: Some(mode),
        max_body,
        ..Options::default()
    };
    Request {
        options,
        ..get("/")
    }
}

#[tokio::test]
async fn a_compressed_body_is_decompressed() {
    let server = serve(|_| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(&[b'a'; 5000]).unwrap();
        reply_with(
            200,
            &[("content-encoding", "gzip")],
            encoder.finish().unwrap(),
        )
    })
    .await;
    let user = user(&server.url);
    let response = user.send(get("/")).await.unwrap();
    assert_eq!(response.body().len(), 5000);
    drop(response);
    assert!(user.samples.only().received < 100);

    let error = user
        .send(with(BodyMode::Buffer, Some(4999)))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(user.samples.all()[1].status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_decompress_is_a_failure() {
    let server = serve(|_| reply_with(200, &[("content-encoding", "gzip")], "not gzip")).await;
    let user = user(&server.url);
    let error = user.send(get("/")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Decode);
    assert_eq!(user.samples.verdicts(), [(200, "decode".to_owned())]);
}

#[tokio::test]
async fn large_bodies_arrive_whole_or_not_at_all() {
    const SIZE: usize = 3 << 20;
    let server = serve(|_| reply(200, vec![7; SIZE])).await;
    let user = user(&server.url);
    let body = user
        .send(with(BodyMode::Buffer, None))
        .await
        .unwrap()
        .body()
        .clone();
    assert!(body.len() == SIZE && body.iter().all(|b| *b == 7));
    let discarded = user.send(with(BodyMode::Discard, None)).await.unwrap();
    assert!(discarded.body().is_empty());
    drop(discarded);
    assert!(user.samples.all().iter().all(|s| s.received == SIZE as u64));
    assert_eq!(server.connections(), 1);

    for mode in [BodyMode::Buffer, BodyMode::Discard, BodyMode::Stream] {
        let error = user
            .send(with(mode, Some(SIZE as u64 - 1)))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::TooLarge, "{mode:?}");
    }
}

#[tokio::test]
async fn the_limit_holds_when_no_length_is_announced() {
    let server = raw(|mut stream, _| async move {
        answer_with(
            &mut stream,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await;
        use tokio::io::AsyncWriteExt;
        while stream.write_all(b"5\r\nhello\r\n").await.is_ok() {}
    })
    .await;
    for mode in [BodyMode::Buffer, BodyMode::Discard] {
        let user = user(&server.url);
        let error = user.send(with(mode, Some(20_000))).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::TooLarge);
        let received = user.samples.only().received;
        assert!((20_001..200_000).contains(&received), "{received}");
    }
    let user = user(&server.url);
    let response = user
        .send(with(BodyMode::Stream, Some(20_000)))
        .await
        .unwrap();
    let mut total = 0;
    let error = loop {
        match response.read_chunk().await {
            Ok(piece) => total += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(total <= 20_000);
    assert_eq!(response.read_chunk().await.unwrap_err(), error);
    drop(response);
    assert_eq!(user.samples.only().kind, "too-large");
}

#[tokio::test]
async fn a_stream_is_read_in_pieces_and_frees_its_connection() {
    let server = serve(|got| {
        assert_eq!(got.header("accept-encoding"), "");
        reply(200, vec![1; 300_000])
    })
    .await;
    let user = user(&server.url);
    let response = user.send(with(BodyMode::Stream, None)).await.unwrap();
    assert!(response.body().is_empty());
    assert!(response.timings().total.is_zero());
    let mut pieces = Vec::new();
    loop {
        let piece = response.read_chunk().await.unwrap();
        if piece.is_empty() {
            break;
        }
        pieces.push(piece);
    }
    assert!(pieces.len() > 1);
    assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 300_000);
    assert!(!response.timings().total.is_zero());
    assert_eq!(response.read_chunk().await.unwrap(), "");
    drop(response);
    assert_eq!(user.samples.only().received, 300_000);

    drop(user.send(with(BodyMode::Stream, None)).await.unwrap());
    assert_eq!(server.connections(), 1);
    assert_eq!(user.samples.verdicts()[1], (200, String::new()));
    assert!(!user.samples.all()[1].timings.total.is_zero());
    user.send(with(BodyMode::Stream, None)).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn only_one_call_reads_a_stream_at_a_time() {
    let server = raw(|mut stream, _| async move {
        answer_with(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
        until_closed(&mut stream).await;
    })
    .await;
    let user = user(&server.url);
    let response = user.send(with(BodyMode::Stream, None)).await.unwrap();
    {
        let first = response.read_chunk();
        tokio::pin!(first);
        let pending = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx)));
        assert!(pending.await.is_pending());
        let error = response.read_chunk().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
    }
    let again = response.read_chunk();
    tokio::pin!(again);
    let pending = std::future::poll_fn(|cx| std::task::Poll::Ready(again.as_mut().poll(cx)));
    assert!(pending.await.is_pending());
}

#[tokio::test]
async fn a_response_to_head_has_no_body() {
    let server = raw(|mut stream, _| async move {
        loop {
            let head =
                b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\ncontent-encoding: gzip\r\n\r\n";
            if !read_head(&mut stream).await {
                return;
            }
            use tokio::io::AsyncWriteExt;
            stream.write_all(head).await.unwrap();
        }
    })
    .await;
    let user = user(&server.url);
    for _ in 0..2 {
        let request = Request {
            method: http::Method::HEAD,
            ..get("/")
        };
        assert_eq!(user.send(request).await.unwrap().body(), "");
    }
    assert_eq!(server.connections(), 1);
}
