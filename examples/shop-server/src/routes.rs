//! The shop over HTTP: paths, status codes and JSON, and the latency and failures that
//! are put in their way. Knows nothing of sockets and TLS.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, MatchedPath, Path, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    Conduct,
    delay::Timer,
    shop::{Line, Refusal, Shop},
    stats::{Counters, Stats},
};

/// Largest request body in bytes.
const MAX_BODY: usize = 16 << 10;
/// Longest delay that `/delay/{ms}` grants.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// What all requests share.
pub(crate) struct App {
    pub(crate) counters: Counters,
    shop: Shop,
    timer: Timer,
    conduct: Conduct,
    /// The catalogue never changes, so neither does its JSON.
    products: Bytes,
}

impl App {
    pub(crate) fn new(conduct: Conduct) -> std::io::Result<Self> {
        Ok(Self {
            counters: Counters::new(),
            shop: Shop::new(),
            timer: Timer::start()?,
            conduct,
            products: serde_json::to_vec(&Shop::products())?.into(),
        })
    }
}

type Shared = State<Arc<App>>;

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
enum Rejection {
    #[error("the body is not the JSON object that was expected: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the delay must be a number of milliseconds up to {}", MAX_DELAY.as_millis())]
    Delay,
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Json(_) | Self::Delay => StatusCode::BAD_REQUEST,
            Self::Refusal(refusal) => match refusal {
                Refusal::WrongPassword | Refusal::NotLoggedIn => StatusCode::UNAUTHORIZED,
                Refusal::UnknownProduct | Refusal::UnknownOrder => StatusCode::NOT_FOUND,
                Refusal::BadQuantity | Refusal::BadAmount => StatusCode::BAD_REQUEST,
                Refusal::AlreadyPaid => StatusCode::CONFLICT,
            },
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let shop = Router::new()
        .route("/", get(async || "A shop to try load tests on.\n"))
        .route("/login", post(login))
        .route("/products", get(products))
        .route("/cart", get(show_cart).post(add_to_cart))
        .route("/orders", post(order))
        .route("/pay", post(pay))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), disturb));
    Router::new()
        .route("/delay/{ms}", get(delay))
        .merge(shop)
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), count))
        // After the layer: requests to the counters are not counted.
        .route("/stats", get(stats).delete(reset_stats))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(app)
}

async fn count(State(app): Shared, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let path = route.map_or("", MatchedPath::as_str);
    app.counters.request(request.method().as_str(), path);
    let response = next.run(request).await;
    app.counters.response(response.status().as_u16());
    response
}

/// Holds a request up for as long as the server has been told to, and fails some.
async fn disturb(State(app): Shared, request: Request, next: Next) -> Response {
    app.timer.sleep(app.conduct.draw_delay()).await;
    if app.conduct.draw_failure() {
        let body = json!({ "error": "this request was chosen to fail (--failure-rate)" });
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response();
    }
    next.run(request).await
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn login(State(app): Shared, body: Bytes) -> Result<Response, Rejection> {
    let Credentials { username, password } = parse(&body)?;
    let token = app.shop.log_in(&username, &password)?;
    let cookie = format!("session={token}; Path=/; HttpOnly");
    Ok(([(SET_COOKIE, cookie)], Json(json!({ "token": token }))).into_response())
}

async fn products(State(app): Shared) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], app.products.clone())
}

async fn show_cart(State(app): Shared, headers: HeaderMap) -> Result<Response, Rejection> {
    Ok(Json(app.shop.cart(token(&headers)?)?).into_response())
}

async fn add_to_cart(
    State(app): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Rejection> {
    let token = token(&headers)?;
    let line: Line = parse(&body)?;
    Ok(Json(app.shop.add(token, line)?).into_response())
}

#[derive(Deserialize)]
struct Order {
    amount: u64,
    #[serde(default)]
    coupon: u64,
}

async fn order(State(app): Shared, body: Bytes) -> Result<Response, Rejection> {
    let Order { amount, coupon } = parse(&body)?;
    let id = app.shop.order(amount, coupon)?;
    Ok(Json(json!({ "order": { "id": id } })).into_response())
}

#[derive(Deserialize)]
struct Payment {
    order: u64,
}

async fn pay(State(app): Shared, body: Bytes) -> Result<Response, Rejection> {
    let Payment { order } = parse(&body)?;
    app.shop.pay(order)?;
    Ok(Json(json!({ "paid": true })).into_response())
}

async fn delay(State(app): Shared, Path(millis): Path<String>) -> Result<Response, Rejection> {
    let delay = millis.parse().map(Duration::from_millis);
    let delay = delay.map_err(|_| Rejection::Delay)?;
    if delay > MAX_DELAY {
        return Err(Rejection::Delay);
    }
    app.timer.sleep(delay).await;
    Ok(Json(json!({ "delay": delay.as_millis() as u64 })).into_response())
}

async fn stats(State(app): Shared) -> Json<Stats> {
    Json(app.counters.stats())
}

async fn reset_stats(State(app): Shared) -> StatusCode {
    app.counters.reset();
    StatusCode::NO_CONTENT
}

/// Reads JSON whatever its content type says: a load test may send none.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    Ok(serde_json::from_slice(body)?)
}

fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(Refusal::NotLoggedIn)
}
