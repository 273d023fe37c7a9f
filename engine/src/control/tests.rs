//! The endpoint as clients meet it, over real connections.

mod access;
mod hostile;
mod pages;

use std::io;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;
use crate::lifecycle::{State, Step};
use crate::metrics::Metrics;
use crate::metrics::users::UserGauges;
use crate::monitor::{self, Moment};
use crate::report;
use crate::secrets::Secrets;
use crate::steering::{Amount, Change, PlanStatus, Refused, Wheel, steering};
use crate::threshold::Verdict;

const TOKEN: &str = "correct horse";

/// A run of one plan that does what it is told at once and has no users to wait for.
async fn drive(mut wheel: Wheel, told: mpsc::UnboundedSender<Order>) {
    while let Some(request) = wheel.orders.recv().await {
        let mut status = wheel.status.borrow().clone();
        let followed = follow(&mut status, &request.order);
        let _ = told.send(request.order);
        if followed.is_ok() {
            wheel.status.send_replace(status.clone());
        }
        let _ = request.reply.send(followed.map(|()| status));
    }
}

fn follow(status: &mut Status, order: &Order) -> Result<(), Refused> {
    let steps: &[Step] = match order {
        Order::Start => &[Step::Start, Step::Begin],
        Order::Pause => &[Step::Pause],
        Order::Resume => &[Step::Resume],
        Order::Stop | Order::Quit => &[Step::Stop],
        Order::Load(_) => &[],
    };
    for step in steps {
        status.state = status.state.after(*step)?;
    }
    if let Order::Load(change) = order {
        let plan = &mut status.plans[0];
        if change.plan.as_ref().is_some_and(|name| *name != plan.name) {
            return Err(Refused::Invalid("there is no such \"plan\"".to_owned()));
        }
        match change.users {
            Some(Amount::To(users)) => plan.users = users,
            Some(Amount::By(by)) => plan.users = plan.users.saturating_add_signed(by),
            None => {}
        }
        plan.spawn_rate = change.spawn_rate.or(plan.spawn_rate);
    }
    Ok(())
}

/// An endpoint and the orders that reach the run.
struct Served {
    endpoint: Endpoint,
    orders: mpsc::UnboundedReceiver<Order>,
}

async fn served_by(wheel_at_work: bool, address: &str, token: Option<&str>) -> Served {
    let service = Service {
        wheel_at_work,
        address: address.to_owned(),
        token: token.map(str::to_owned),
        ..Service::default()
    };
    service.start().await
}

async fn served() -> Served {
    Service::default().start().await
}

/// An endpoint that is not there yet.
struct Service {
    wheel_at_work: bool,
    address: String,
    token: Option<String>,
    pages: bool,
    series: prometheus::Sources,
    monitor: Arc<Monitor>,
}

impl Default for Service {
    fn default() -> Self {
        let verdict = Verdict {
            expression: "checks: rate>0.5".to_owned(),
            passed: false,
            value: None,
            aborted: false,
        };
        let series = prometheus::Sources {
            metrics: Arc::new(Metrics::default()),
            gauges: UserGauges::new(["Customer"]),
            buckets: Vec::new(),
            thresholds: Arc::new(Mutex::new(vec![verdict])),
            secrets: Secrets::default(),
        };
        let monitor = Monitor::new(monitor::Sources {
            metrics: series.metrics.clone(),
            gauges: series.gauges.clone(),
            thresholds: series.thresholds.clone(),
            secrets: Secrets::default(),
            run: report::Run::default(),
            environment: report::Environment::default(),
        });
        Service {
            wheel_at_work: true,
            address: "127.0.0.1:0".to_owned(),
            token: None,
            pages: false,
            series,
            monitor: Arc::new(monitor),
        }
    }
}

impl Service {
    fn with_pages(self) -> Self {
        Service {
            pages: true,
            ..self
        }
    }

    fn with_token(self, token: &str) -> Self {
        Service {
            token: Some(token.to_owned()),
            ..self
        }
    }

    fn metrics(&self) -> Arc<Metrics> {
        self.series.metrics.clone()
    }

    fn sources(self) -> Sources {
        Sources {
            series: self.series,
            monitor: self.monitor,
        }
    }

    async fn start(self) -> Served {
        let (helm, wheel) = steering();
        wheel.status.send_modify(|status| {
            status.elapsed = Duration::from_millis(1250);
            status.users = 3;
            status.plans = vec![PlanStatus {
                name: "browse".to_owned(),
                active: true,
                users: 5,
                ..PlanStatus::default()
            }];
        });
        let (told, orders) = mpsc::unbounded_channel();
        if self.wheel_at_work {
            tokio::spawn(drive(wheel, told));
        }
        let address = self.address.parse().unwrap();
        let access = Access {
            token: self.token.clone(),
        };
        let pages = self.pages;
        let endpoint = Endpoint::start(address, self.sources(), helm, access, pages)
            .await
            .unwrap();
        Served { endpoint, orders }
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(found, _)| found.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    fn json(&self) -> serde_json::Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).unwrap()
    }

    fn error(&self) -> String {
        let body = self.json();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        body["error"].as_str().unwrap().to_owned()
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        let mut address = self.endpoint.address();
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        TcpStream::connect(address).await.unwrap()
    }

    /// Sends a text and reads until the server closes.
    async fn raw(&self, text: &str) -> io::Result<Answer> {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        parsed(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    async fn send(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{request} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            text.push_str(&format!("host: {}\r\n", self.endpoint.address()));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.raw(&text).await.unwrap()
    }

    async fn ask(&self, request: &str) -> Answer {
        self.send(request, &[], "").await
    }

    async fn patch(&self, body: &str) -> Answer {
        self.send("PATCH /load", &[], body).await
    }

    /// Whether nothing was ordered yet.
    fn is_untouched(&mut self) -> bool {
        self.orders.try_recv().is_err()
    }
}

fn parsed(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

#[tokio::test]
async fn the_state_is_shown_as_it_is() {
    let served = served().await;
    let answer = served.ask("GET /state").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let expected = serde_json::json!({
        "state": "ready", "elapsed_seconds": 1.25, "paused_seconds": 0.0, "users": 3,
        "plans": [{
            "name": "browse", "active": true, "users": 5, "spawn_rate": null, "arrival_rate": null,
        }],
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn orders_move_the_run_from_state_to_state() {
    let mut served = served().await;
    for (path, state, order) in [
        ("/start", "running", Order::Start),
        ("/pause", "paused", Order::Pause),
        ("/resume", "running", Order::Resume),
        ("/stop", "stopping", Order::Stop),
    ] {
        let answer = served.ask(&format!("POST {path}")).await;
        assert_eq!(
            (answer.status, &answer.json()["state"]),
            (200, &state.into()),
            "{path}"
        );
        assert_eq!(served.ask("GET /state").await.json()["state"], state);
        assert_eq!(served.orders.try_recv(), Ok(order));
    }
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_a_conflict() {
    let served = served().await;
    let answer = served.ask("POST /resume").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.error(), "cannot resume a run that is ready");
    assert_eq!(served.ask("POST /start").await.status, 200);
    assert_eq!(served.ask("POST /pause").await.status, 200);
    let answer = served.ask("POST /pause").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.error(), "cannot pause a run that is paused");
    assert_eq!(served.ask("GET /state").await.json()["state"], "paused");
}

#[tokio::test]
async fn a_run_that_is_over_says_so() {
    let served = served_by(false, "127.0.0.1:0", None).await;
    for request in ["POST /pause", "POST /quit"] {
        let answer = served.ask(request).await;
        assert_eq!((answer.status, &*answer.error()), (409, "the run is over"));
    }
    assert_eq!(served.ask("GET /state").await.status, 200);
    assert_eq!(served.ask("GET /metrics").await.status, 200);
}

#[tokio::test]
async fn the_load_changes() {
    let mut served = served().await;
    let answer = served.patch(r#"{"users": 20, "spawn_rate": 2.5}"#).await;
    assert_eq!(answer.status, 200);
    let plan = &answer.json()["plans"][0];
    assert_eq!(
        (&plan["users"], &plan["spawn_rate"]),
        (&20.into(), &2.5.into())
    );
    assert_eq!(
        served.patch(r#"{"users": "-5"}"#).await.json()["plans"][0]["users"],
        15
    );
    assert_eq!(
        served
            .patch(r#"{"plan": "browse", "users": "+1"}"#)
            .await
            .status,
        200
    );
    assert_eq!(
        served.patch(r#"{"arrival_rate": "90/m"}"#).await.status,
        200
    );
    let mut last = None;
    while let Ok(order) = served.orders.try_recv() {
        last = Some(order);
    }
    let rate = Change {
        arrival_rate: Some(1.5),
        ..Change::default()
    };
    assert_eq!(last, Some(Order::Load(rate)));
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused_and_reach_nobody() {
    let mut served = served().await;
    for (body, error) in [
        ("", "the body is not a JSON object"),
        ("{", "the body is no change of the load: EOF"),
        ("{}", "there is nothing to change"),
        (
            r#"{"usres": 5}"#,
            "the body is no change of the load: unknown field `usres`",
        ),
        (r#"{"users": -5}"#, "users: -5 is neither"),
        (r#"{"users": 1e300}"#, "users: 1e+300 is neither"),
        (r#"{"spawn_rate": 0}"#, "spawn_rate: 0 is not"),
        (
            r#"{"arrival_rate": "nan"}"#,
            "arrival_rate: \"nan\" is neither",
        ),
    ] {
        let answer = served.patch(body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().starts_with(error), "{body}: {answer:?}");
    }
    assert!(served.is_untouched());
    // What only the run can judge comes back in the same form.
    let answer = served.patch(r#"{"plan": "x", "users": 5}"#).await;
    assert_eq!(
        (answer.status, &*answer.error()),
        (400, "there is no such \"plan\"")
    );
}

#[tokio::test]
async fn the_aliases_answer_with_words() {
    let mut served = served().await;
    let words = async |path| {
        let answer = served.ask(path).await;
        let text = Some("text/plain; charset=utf-8");
        assert_eq!(answer.header("content-type"), text);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        (answer.status, answer.body)
    };
    let refused = "cannot pause a run that is ready".to_owned();
    assert_eq!(words("GET /control/pause").await, (409, refused));
    assert_eq!(served.ask("POST /start").await.status, 200);
    assert_eq!(
        words("GET /control/pause").await,
        (200, "Paused".to_owned())
    );
    assert_eq!(
        words("GET /control/resume").await,
        (200, "Running".to_owned())
    );
    assert_eq!(
        words("GET /control/quit").await,
        (200, "Quitting".to_owned())
    );
    let mut last = None;
    while let Ok(order) = served.orders.try_recv() {
        last = Some(order);
    }
    assert_eq!(last, Some(Order::Quit));
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_refused_in_json() {
    let mut served = served().await;
    for path in [
        "/nope",
        "/state/",
        "/load/x",
        "/control",
        "/start?x/../state",
        "/%73tate",
        "//state",
    ] {
        let answer = served.ask(&format!("GET {path}")).await;
        let status = if path.starts_with("/start?") {
            405
        } else {
            404
        };
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.error().is_empty());
    }
    for (request, allowed) in [
        ("GET /start", "POST"),
        ("GET /quit", "POST"),
        ("OPTIONS /load", "PATCH"),
        ("POST /load", "PATCH"),
        ("POST /state", "GET, HEAD"),
        ("DELETE /metrics", "GET, HEAD"),
        ("POST /control/quit", "GET"),
        ("BREW /pause", "POST"),
    ] {
        let answer = served.ask(request).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some(allowed)),
            "{request}"
        );
        assert_eq!(answer.error(), format!("this path takes {allowed}"));
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
    assert!(served.is_untouched());
}

#[tokio::test]
async fn measurements_are_open_to_all_who_reach_them() {
    let served = served_by(true, "0.0.0.0:0", Some(TOKEN)).await;
    let foreign = [("host", "load.example"), ("sec-fetch-site", "cross-site")];
    let answer = served.send("GET /metrics", &foreign, "").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    assert!(
        answer.body.contains("aiotest_run_state{state=\"ready\"} 1"),
        "{}",
        answer.body
    );
    let threshold = "aiotest_threshold_passed{threshold=\"checks: rate>0.5\"} 0";
    assert!(answer.body.contains(threshold), "{}", answer.body);
    let root = served.ask("GET /").await;
    assert_eq!(
        (root.status, root.header("location")),
        (307, Some("/metrics"))
    );
    let head = served.ask("HEAD /metrics").await;
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[tokio::test]
async fn a_connection_serves_more_than_one_request() {
    let served = served().await;
    let mut stream = served.connect().await;
    let host = served.endpoint.address();
    for (path, word) in [("/start", "running"), ("/pause", "paused")] {
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\n\r\n{{}}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_one(&mut stream).await;
        assert_eq!(answer.json()["state"], word);
    }
}

/// Reads one answer from a connection that stays open.
async fn read_one(stream: &mut TcpStream) -> Answer {
    let mut text = String::new();
    loop {
        if let Some(answer) = parsed(&text)
            && let Some(length) = answer.header("content-length")
            && answer.body.len() >= length.parse().unwrap()
        {
            return answer;
        }
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
}

#[tokio::test]
async fn what_is_in_hand_is_answered_before_the_end() {
    let (helm, mut wheel) = steering();
    let address = "127.0.0.1:0".parse().unwrap();
    let sources = Service::default().sources();
    let endpoint = Endpoint::start(address, sources, helm, Access::default(), false);
    let endpoint = endpoint.await.unwrap();
    let address = endpoint.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let quit = "POST /quit HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.write_all(quit.as_bytes()).await.unwrap();
    let request = wheel.orders.recv().await.unwrap();
    assert_eq!(request.order, Order::Quit);
    let finishing = tokio::spawn(endpoint.finish());
    // The idle connection closes, which shows that the end has begun.
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    let status = Status {
        state: State::Stopping,
        ..wheel.status.borrow().clone()
    };
    request.reply.send(Ok(status)).unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(parsed(&text).unwrap().json()["state"], "stopping");
    finishing.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_used_address_is_named() {
    let served = served().await;
    let taken = served.endpoint.address();
    let (helm, _wheel) = steering();
    let sources = Service::default().sources();
    match Endpoint::start(taken, sources, helm, Access::default(), true).await {
        Ok(_) => panic!("two endpoints listen on {taken}"),
        Err(error) => assert!(error.to_string().contains(&taken.to_string()), "{error}"),
    }
}
