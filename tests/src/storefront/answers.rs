//! What the shop answers. Knows the requests before, and nothing of sockets.

use axum::{
    body::Bytes,
    http::{
        Method, StatusCode,
        header::{CONTENT_TYPE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Exchange;

/// What goes back.
pub(super) struct Answer {
    pub(super) status: u16,
    content: Content,
    cookie: Option<String>,
}

enum Content {
    Json(Value),
    Page(&'static str),
}

impl Answer {
    fn json(status: u16, content: Value) -> Self {
        Self {
            status,
            content: Content::Json(content),
            cookie: None,
        }
    }

    fn page(content: &'static str) -> Self {
        Self {
            status: 200,
            content: Content::Page(content),
            cookie: None,
        }
    }

    pub(super) fn text(&self) -> String {
        match &self.content {
            Content::Json(value) => value.to_string(),
            Content::Page(page) => (*page).to_owned(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("it is a status");
        let kind = match self.content {
            Content::Json(_) => "application/json",
            Content::Page(_) => "text/html",
        };
        let cookie = self.cookie.as_ref().map(|cookie| [(SET_COOKIE, cookie)]);
        (status, [(CONTENT_TYPE, kind)], cookie, self.text()).into_response()
    }
}

/// The answer to the request with this number, if it gets one.
pub(super) fn answer(
    number: usize,
    method: &Method,
    path: &str,
    body: &Bytes,
    before: &[Exchange],
) -> Option<Answer> {
    if path == "/hold" {
        return None;
    }
    if let Some(code) = path.strip_prefix("/status/") {
        let status = code.parse().expect("the path has a status");
        return Some(Answer::json(status, json!({ "status": status })));
    }
    Some(match (method.as_str(), path) {
        ("POST", "/login") => login(number, body),
        ("GET", "/GetShoppingTrolley") => Answer::json(200, json!({"goods": ["tea", "cup"]})),
        ("POST", "/orderCommit") => order(number, body),
        ("POST", "/Pay") => pay(body, before),
        ("POST", "/search") => search(body),
        ("GET", "/personalInfo") => Answer::json(200, json!({"id": "123456"})),
        ("GET", "/") => Answer::page("<!DOCTYPE html><title>STORE</title>"),
        ("GET", "/entries") => Answer::json(200, json!({"Items": [{"id": 1, "cat": "phone"}]})),
        ("POST", "/check" | "/view" | "/addtocart" | "/viewcart") => {
            Answer::json(200, json!({"Items": []}))
        }
        ("POST", "/deletecart") => Answer::page("Delete complete"),
        _ => Answer::json(404, json!({"error": "no such page"})),
    })
}

/// A field of a body, which is a JSON object or a form.
fn field(body: &Bytes, name: &str) -> Option<Value> {
    if let Ok(Value::Object(mut object)) = serde_json::from_slice(body) {
        return object.remove(name);
    }
    form_urlencoded::parse(body)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into())
}

fn login(number: usize, body: &Bytes) -> Answer {
    let given = ["username", "password"].map(|name| field(body, name));
    if given.contains(&None) {
        return Answer::json(401, json!({"error": "username and password are needed"}));
    }
    let token = format!("token-{number}");
    Answer {
        cookie: Some(format!("session={token}; Path=/")),
        ..Answer::json(200, json!({ "token": token }))
    }
}

fn order(number: usize, body: &Bytes) -> Answer {
    match field(body, "orderAmount") {
        Some(_) => Answer::json(
            200,
            json!({"order": {"Orderid": format!("2023{number:06}")}}),
        ),
        None => Answer::json(400, json!({"error": "an order has an amount"})),
    }
}

fn pay(body: &Bytes, before: &[Exchange]) -> Answer {
    let id = field(body, "id").unwrap_or_default();
    let orders = before
        .iter()
        .filter(|exchange| exchange.uri.path() == "/orderCommit" && exchange.status == 200);
    match orders
        .map(Exchange::answered)
        .any(|answer| answer["order"]["Orderid"] == id)
    {
        true => Answer::json(200, json!({ "paid": id })),
        false => Answer::json(404, json!({"error": "no such order"})),
    }
}

fn search(body: &Bytes) -> Answer {
    match field(body, "keyword") {
        Some(keyword) => Answer::json(200, json!({"keyword": keyword, "hits": 3})),
        None => Answer::json(400, json!({"error": "a search has a keyword"})),
    }
}
