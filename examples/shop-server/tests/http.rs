//! The shop server as a client sees it.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::{sync::Arc, time::Duration, time::Instant};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::{http1, http2},
    header::AUTHORIZATION,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::{Value, json};
use shop_server::{Conduct, Config, Server};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

async fn start(conduct: Conduct) -> Server {
    let config = Config {
        conduct,
        ..Config::default()
    };
    shop_server::start(config).await.unwrap()
}

fn request(method: Method, path: &str, token: &str, body: &Value) -> Request<Full<Bytes>> {
    let body = match body {
        Value::Null => Full::default(),
        body => Full::from(body.to_string()),
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(body)
        .unwrap()
}

/// One request over one connection: status, headers and JSON body, null without one.
async fn call(
    server: &Server,
    method: Method,
    path: &str,
    token: &str,
    body: Value,
) -> (StatusCode, HeaderMap, Value) {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = request(method, path, token, &body);
    let (head, body) = client.send_request(request).await.unwrap().into_parts();
    let body = json_of(body).await;
    connection.abort();
    (head.status, head.headers, body)
}

async fn json_of(body: Incoming) -> Value {
    let body = body.collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_customer_goes_through_the_shop() {
    let shop = start(Conduct::default()).await;

    let credentials = json!({"username": "alice", "password": "123456"});
    let (status, headers, body) = call(&shop, Method::POST, "/login", "", credentials).await;
    assert_eq!(status, 200);
    let token = body["token"].as_str().unwrap();
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("session={token};")), "{cookie}");

    let (status, headers, products) = call(&shop, Method::GET, "/products", "", Value::Null).await;
    assert_eq!(
        (status, &headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    assert_eq!(
        products[0],
        json!({"id": 1, "name": "teapot", "price": 3490})
    );

    let line = json!({"product": 1, "quantity": 2});
    let cart = json!({"lines": [line], "total": 6980});
    let (status, _, body) = call(&shop, Method::POST, "/cart", token, line).await;
    assert_eq!((status, &body), (StatusCode::OK, &cart));
    let (status, _, body) = call(&shop, Method::GET, "/cart", token, Value::Null).await;
    assert_eq!((status, &body), (StatusCode::OK, &cart));

    let order = json!({"amount": 100, "coupon": 30});
    let (status, _, body) = call(&shop, Method::POST, "/orders", "", order).await;
    assert_eq!(
        (status, &body),
        (StatusCode::OK, &json!({"order": {"id": 1}}))
    );
    let (status, _, body) = call(&shop, Method::POST, "/pay", "", json!({"order": 1})).await;
    assert_eq!((status, &body), (StatusCode::OK, &json!({"paid": true})));
}

#[tokio::test]
async fn nonsense_is_refused_with_a_reason() {
    let shop = start(Conduct::default()).await;
    let credentials = json!({"username": "alice", "password": "123456"});
    let (_, _, body) = call(&shop, Method::POST, "/login", "", credentials).await;
    let token = body["token"].as_str().unwrap();
    let order = json!({"amount": 100});
    call(&shop, Method::POST, "/orders", "", order).await;
    call(&shop, Method::POST, "/pay", "", json!({"order": 1})).await;

    let wrong_password = json!({"username": "alice", "password": "guess"});
    let line = json!({"product": 1, "quantity": 1});
    for (expected, method, path, token, body) in [
        (400, Method::POST, "/login", "", Value::Null),
        (400, Method::POST, "/login", "", json!({"username": 1})),
        (401, Method::POST, "/login", "", wrong_password),
        (401, Method::GET, "/cart", "", Value::Null),
        (401, Method::POST, "/cart", "0000000000000000", line.clone()),
        (400, Method::POST, "/cart", token, json!([1, "x"])),
        (
            400,
            Method::POST,
            "/cart",
            token,
            json!({"product": 1, "quantity": 0}),
        ),
        (
            404,
            Method::POST,
            "/cart",
            token,
            json!({"product": 99, "quantity": 1}),
        ),
        (
            400,
            Method::POST,
            "/orders",
            "",
            json!({"amount": 10, "coupon": 11}),
        ),
        (404, Method::POST, "/pay", "", json!({"order": 2})),
        (409, Method::POST, "/pay", "", json!({"order": 1})),
        (400, Method::GET, "/delay/soon", "", Value::Null),
        (400, Method::GET, "/delay/60001", "", Value::Null),
    ] {
        let (status, _, answer) = call(&shop, method, path, token, body.clone()).await;
        assert_eq!(status, expected, "{path} {body}: {answer}");
        assert!(answer["error"].is_string(), "{path} {body}: {answer}");
    }
    let (status, ..) = call(&shop, Method::GET, "/nowhere", "", Value::Null).await;
    assert_eq!(status, 404);
    let long = json!({"username": "a".repeat(20_000), "password": "123456"});
    let (status, ..) = call(&shop, Method::POST, "/login", "", long).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn the_counters_tell_what_was_seen_and_nothing_of_themselves() {
    let shop = start(Conduct::default()).await;
    for path in ["/products", "/products", "/delay/1", "/nowhere", "/login"] {
        call(&shop, Method::GET, path, "", Value::Null).await;
    }
    call(&shop, Method::POST, "/pay", "", json!({"order": 7})).await;

    let (_, _, told) = call(&shop, Method::GET, "/stats", "", Value::Null).await;
    let expected = json!({
        "requests": 6,
        "by_route": {"GET /products": 2, "GET /delay/{ms}": 1, "POST /pay": 1, "(other)": 2},
        "by_status": {"200": 3, "404": 2, "405": 1},
        "connections": 7,
    });
    assert_eq!(told, expected);
    assert_eq!(serde_json::to_value(shop.stats()).unwrap(), expected);

    let (status, ..) = call(&shop, Method::DELETE, "/stats", "", Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(shop.stats(), shop_server::Stats::default());
}

#[tokio::test]
async fn it_is_slow_and_fails_when_told_to() {
    let latency = Duration::from_millis(40);
    let shop = start(Conduct {
        latency,
        jitter: Duration::from_millis(10),
        failure_rate: 1.0,
    })
    .await;
    let asked = Instant::now();
    let (status, _, body) = call(&shop, Method::GET, "/products", "", Value::Null).await;
    assert_eq!(status, 500, "{body}");
    assert!(asked.elapsed() >= Duration::from_millis(30));

    let asked = Instant::now();
    let (status, _, body) = call(&shop, Method::GET, "/delay/20", "", Value::Null).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"delay": 20})));
    assert!(asked.elapsed() >= Duration::from_millis(20));
}

#[tokio::test]
async fn conduct_out_of_its_limits_is_an_error() {
    for conduct in [
        Conduct {
            failure_rate: 1.5,
            ..Conduct::default()
        },
        Conduct {
            failure_rate: f64::NAN,
            ..Conduct::default()
        },
        Conduct {
            latency: Duration::MAX,
            ..Conduct::default()
        },
        Conduct {
            jitter: Duration::MAX,
            ..Conduct::default()
        },
    ] {
        let config = Config {
            conduct,
            ..Config::default()
        };
        assert!(shop_server::start(config).await.is_err(), "{conduct:?}");
    }
}

#[tokio::test]
async fn http2_works_without_tls_and_many_requests_share_a_connection() {
    let shop = start(Conduct::default()).await;
    let stream = TcpStream::connect(shop.address()).await.unwrap();
    let executor = TokioExecutor::new();
    let (client, connection) = http2::handshake(executor, TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let url = format!("{}/products", shop.url());
    for _ in 0..3 {
        let request = request(Method::GET, &url, "", &Value::Null);
        let response = client.clone().send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(json_of(response.into_body()).await.is_array());
    }
    assert_eq!((shop.stats().requests, shop.stats().connections), (3, 1));
    connection.abort();
}

async fn connect_tls(shop: &Server, protocol: &str) -> TlsStream<TcpStream> {
    let pem = shop.certificate().unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .unwrap();
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    let stream = TcpStream::connect(shop.address()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    assert_eq!(
        stream.get_ref().1.alpn_protocol(),
        Some(protocol.as_bytes())
    );
    stream
}

#[tokio::test]
async fn tls_serves_both_versions_under_a_certificate_that_can_be_trusted() {
    let config = Config {
        tls: true,
        ..Config::default()
    };
    let shop = shop_server::start(config).await.unwrap();
    let url = format!("{}/products", shop.url());
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");

    let stream = connect_tls(&shop, "http/1.1").await;
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let first = tokio::spawn(connection);
    let answer = client
        .send_request(request(Method::GET, "/products", "", &Value::Null))
        .await;
    assert_eq!(answer.unwrap().status(), 200);

    let stream = connect_tls(&shop, "h2").await;
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    let second = tokio::spawn(connection);
    let answer = client
        .send_request(request(Method::GET, &url, "", &Value::Null))
        .await;
    assert_eq!(answer.unwrap().status(), 200);
    first.abort();
    second.abort();
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let shop = start(Conduct::default()).await;
    let address = shop.address();
    shop.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}
