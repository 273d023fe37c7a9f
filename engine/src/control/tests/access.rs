//! Who is let in, and who is not.

use super::*;

/// Every request that takes permission.
const GUARDED: [&str; 10] = [
    "GET /state",
    "POST /start",
    "POST /pause",
    "POST /resume",
    "POST /stop",
    "POST /quit",
    "PATCH /load",
    "GET /control/pause",
    "GET /control/resume",
    "GET /control/quit",
];

#[tokio::test]
async fn with_a_token_nothing_goes_without() {
    let mut served = served_by(true, "127.0.0.1:0", Some(TOKEN)).await;
    for request in GUARDED {
        for header in [("x-none", ""), ("authorization", "Bearer wrong horse")] {
            let answer = served.send(request, &[header], "").await;
            assert_eq!(answer.status, 401, "{request}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(!answer.error().contains("horse"));
        }
    }
    assert!(served.is_untouched());
    let right = ("authorization", "Bearer correct horse");
    let answer = served
        .send("POST /start", &[right, ("host", "load.example")], "")
        .await;
    assert_eq!(
        (answer.status, &answer.json()["state"]),
        (200, &"running".into())
    );
}

#[tokio::test]
async fn without_a_token_an_open_address_takes_no_orders() {
    let mut served = served_by(true, "0.0.0.0:0", None).await;
    for request in GUARDED {
        let answer = served.send(request, &[("host", "localhost")], "").await;
        assert_eq!(answer.status, 403, "{request}");
        let error = "control needs --control-token when the address is not loopback";
        assert_eq!(answer.error(), error);
    }
    assert!(served.is_untouched());
}

#[tokio::test]
async fn pages_of_other_sites_cannot_steer() {
    let mut served = served().await;
    for request in GUARDED {
        for sign in [
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("host", "evil.example"),
        ] {
            let answer = served.send(request, &[sign], "").await;
            assert_eq!(answer.status, 403, "{request} {sign:?}");
            assert!(!answer.error().is_empty());
        }
    }
    let unnamed = "POST /start HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_eq!(served.raw(unnamed).await.unwrap().status, 403);
    let target =
        "POST http://evil.example/start HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(served.raw(target).await.unwrap().status, 403);
    assert!(served.is_untouched());
    let old = "POST /start HTTP/1.0\r\n\r\n";
    assert_eq!(served.raw(old).await.unwrap().status, 200);
}
