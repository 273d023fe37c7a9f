//! A loopback shop for scripts: the paths and the JSON that published examples of aiotest
//! and locust count on, and a record of every exchange. Knows nothing of who comes.
//!
//! | path | answer |
//! |---|---|
//! | `POST /login` | a token, and a cookie `session` with the same |
//! | `GET /GetShoppingTrolley` | goods |
//! | `POST /orderCommit` | a new order |
//! | `POST /Pay` | whether the order is known |
//! | `POST /search`, `GET /personalInfo` | hits; who is asking |
//! | `GET /`, `GET /entries`, `POST /check`, `/view`, `/addtocart`, `/viewcart` | a page; products, a cart |
//! | `POST /deletecart` | `Delete complete` |
//! | `/status/CODE` | this status |
//! | `/hold` | none |
//! | any other | 404 |

mod answers;

use std::{
    collections::BTreeMap,
    future::{self, IntoFuture},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use parking_lot::{Condvar, Mutex};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use answers::Answer;

/// Longest time that a test waits for requests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request, and what it was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The client's end of the connection.
    pub connection: SocketAddr,
    /// When the whole request was there.
    pub at: Instant,
    /// The method.
    pub method: Method,
    /// The path, and the query after it.
    pub uri: Uri,
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The body of the request.
    pub body: Bytes,
    /// The status of the answer; 0 when there is none.
    pub status: u16,
    /// The body of the answer.
    pub answer: String,
}

impl Exchange {
    /// The method and the path, for example `POST /login`.
    pub fn route(&self) -> String {
        format!("{} {}", self.method, self.uri.path())
    }

    /// The value of a header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of the request.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of the answer.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn answered(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running shop with a thread of its own. Dropping it stops it.
pub struct Storefront {
    address: SocketAddr,
    shop: Arc<Shop>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Shop {
    exchanges: Mutex<Vec<Exchange>>,
    /// An exchange was added.
    came: Condvar,
}

impl Storefront {
    /// Starts the shop on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Self {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be started");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("a port can be bound");
        let address = listener.local_addr().expect("the port is known");
        let shop = Arc::new(Shop::default());
        let router = Router::new()
            .fallback(serve)
            .with_state(Arc::clone(&shop))
            .into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(axum::serve(listener, router).into_future());
        Self {
            address,
            shop,
            _runtime: runtime,
        }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All exchanges so far, in the order in which their requests came.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shop.exchanges.lock().clone()
    }

    /// The exchanges of each connection, which are those of a user as long as it keeps one;
    /// in the order in which the connections had their first request.
    pub fn connections(&self) -> Vec<Vec<Exchange>> {
        let mut places = BTreeMap::new();
        let mut connections: Vec<Vec<Exchange>> = Vec::new();
        for exchange in self.exchanges() {
            let place = *places
                .entry(exchange.connection)
                .or_insert(connections.len());
            match connections.get_mut(place) {
                Some(connection) => connection.push(exchange),
                None => connections.push(vec![exchange]),
            }
        }
        connections
    }

    /// Requests by route.
    pub fn routes(&self) -> BTreeMap<String, u64> {
        let mut routes = BTreeMap::new();
        for exchange in self.shop.exchanges.lock().iter() {
            *routes.entry(exchange.route()).or_default() += 1;
        }
        routes
    }

    /// Waits until a route was asked for.
    ///
    /// # Panics
    /// When it was not for a minute.
    pub fn wait_for(&self, route: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut exchanges = self.shop.exchanges.lock();
        while !exchanges.iter().any(|exchange| exchange.route() == route) {
            let waited = self.shop.came.wait_until(&mut exchanges, deadline);
            assert!(!waited.timed_out(), "no {route} in {exchanges:#?}");
        }
    }
}

async fn serve(
    State(shop): State<Arc<Shop>>,
    ConnectInfo(connection): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = {
        let mut exchanges = shop.exchanges.lock();
        // How many came before is what makes tokens and orders unique.
        let number = exchanges.len();
        let answer = answers::answer(number, &method, uri.path(), &body, &exchanges);
        exchanges.push(Exchange {
            connection,
            at: Instant::now(),
            method,
            uri,
            headers,
            body,
            status: answer.as_ref().map_or(0, |answer| answer.status),
            answer: answer.as_ref().map_or_else(String::new, Answer::text),
        });
        shop.came.notify_all();
        answer
    };
    match answer {
        Some(answer) => answer.into_response(),
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        net::TcpStream,
    };

    use serde_json::json;

    use super::*;

    /// Sends requests over one connection, whose last one closes it.
    fn converse(shop: &Storefront, requests: &[&str]) -> String {
        let mut stream = TcpStream::connect(shop.address).unwrap();
        let last = requests.len() - 1;
        for (number, request) in requests.iter().enumerate() {
            let (line, body) = request.split_once('|').unwrap_or((request, ""));
            let connection = ["keep-alive", "close"][usize::from(number == last)];
            let head = format!("host: shop\r\nconnection: {connection}");
            let length = body.len();
            let request = format!("{line} HTTP/1.1\r\n{head}\r\ncontent-length: {length}");
            write!(stream, "{request}\r\n\r\n{body}").unwrap();
        }
        io::read_to_string(stream).unwrap()
    }

    #[test]
    fn customers_are_served_in_order_and_remembered() {
        let shop = Storefront::start();
        let answers = converse(
            &shop,
            &[
                "POST /login|username=me&password=secret",
                r#"POST /orderCommit|{"orderAmount": 1}"#,
                r#"POST /Pay|{"id": "2023000001"}"#,
                r#"POST /Pay|{"id": "2023000007"}"#,
                "GET /personalInfo?now",
            ],
        );
        for part in ["set-cookie: session=token-0", "HTTP/1.1 404 "] {
            assert!(answers.contains(part), "{answers}");
        }
        converse(&shop, &["POST /login|username=you"]);

        let [first, second] = &shop.connections()[..] else {
            panic!("{:#?}", shop.exchanges())
        };
        let statuses: Vec<_> = first.iter().map(|exchange| exchange.status).collect();
        assert_eq!(statuses, [200, 200, 200, 404, 200]);
        assert_eq!(first[1].json(), json!({"orderAmount": 1}));
        assert_eq!(first[2].answered(), json!({"paid": "2023000001"}));
        assert_eq!(first[4].route(), "GET /personalInfo");
        assert_eq!(first[4].header("host"), Some("shop"));
        assert_eq!(second[0].status, 401);
        assert_eq!(
            (shop.routes()["POST /Pay"], shop.routes()["POST /login"]),
            (2, 2)
        );
    }

    #[test]
    fn a_held_request_is_seen() {
        let shop = Storefront::start();
        let mut stream = TcpStream::connect(shop.address).unwrap();
        write!(stream, "GET /hold HTTP/1.1\r\nhost: shop\r\n\r\n").unwrap();
        shop.wait_for("GET /hold");
        assert_eq!(shop.exchanges()[0].status, 0);
    }
}
