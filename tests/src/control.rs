//! The control endpoint of an engine under way, over plain sockets. Knows how to ask, not
//! what orders mean.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::LoadTest;

/// Longest time that a test waits for an answer, or for a run to get somewhere.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the state is looked at.
const POLL: Duration = Duration::from_millis(20);

/// The endpoint of a run (`--prometheus 127.0.0.1:0`).
#[derive(Clone, Debug)]
pub struct Control {
    address: SocketAddr,
    token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Control {
    /// The endpoint whose address the engine prints at the start.
    ///
    /// # Panics
    /// When the engine prints none.
    pub fn of(test: &mut LoadTest) -> Self {
        Self::told(test, "metrics at http://", "/metrics")
    }

    /// The same of a run with pages (`--web 127.0.0.1:0`).
    ///
    /// # Panics
    /// When the engine prints none.
    pub fn of_dashboard(test: &mut LoadTest) -> Self {
        Self::told(test, "dashboard at http://", "/")
    }

    fn told(test: &mut LoadTest, start: &str, end: &str) -> Self {
        let line = test.wait_for_line(start);
        let (_, url) = line.split_once("http://").expect("the line has a URL");
        let address = url.trim_end_matches(end);
        let mut address: SocketAddr = address.parse().expect("the URL has an address");
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        Self {
            address,
            token: None,
        }
    }

    /// The same with a token in every request.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            address: self.address,
            token: Some(token.to_owned()),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Looks at a page.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], "")
    }

    /// Gives an order.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn post(&self, path: &str) -> Answer {
        self.send(&format!("POST {path}"), &[], "")
    }

    /// Orders another load.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn patch(&self, change: &str) -> Answer {
        self.send("PATCH /load", &[], change)
    }

    /// How the run stands.
    ///
    /// # Panics
    /// When it is not shown.
    pub fn state(&self) -> Value {
        self.get("/state").json()
    }

    /// Waits until the run stands as wanted, and returns how that is.
    ///
    /// # Panics
    /// When it does not for a minute.
    pub fn wait_until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state();
            if wanted(&state) {
                return state;
            }
            assert!(Instant::now() < deadline, "never as wanted: {state}");
            thread::sleep(POLL);
        }
    }

    /// Sends a request, with more headers; `host` is added unless it is among them.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn send(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        match self.try_send(request, headers, body) {
            Ok(Some(answer)) => answer,
            other => panic!("no answer to {request}: {other:?}"),
        }
    }

    /// The same for those who expect no answer.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn try_send(
        &self,
        request: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Option<Answer>> {
        let mut text = format!("{request} HTTP/1.1\r\nconnection: close\r\n");
        let mut add = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\r\n"));
        for (name, value) in headers {
            add(name, value);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            add("host", &self.address.to_string());
        }
        if let Some(token) = &self.token {
            add("authorization", &format!("Bearer {token}"));
        }
        add("content-length", &body.len().to_string());
        text.push_str("\r\n");
        text.push_str(body);
        self.raw(text.as_bytes())
    }

    /// Sends bytes and reads until the engine closes; nothing if what came is not HTTP.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<Option<Answer>> {
        let mut stream = self.connect()?;
        stream.write_all(bytes)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(Answer::parse(&answer))
    }

    /// Connects. The connection gives up rather than hang.
    ///
    /// # Errors
    /// When there is no connection.
    pub fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some(Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    /// The body of an answer that is well.
    ///
    /// # Panics
    /// When it is not well, or its body is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The status and the text of an error.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn refusal(&self) -> (u16, String) {
        let body: Value = serde_json::from_str(&self.body).expect("the body is JSON");
        let error = body["error"].as_str();
        let error = error.unwrap_or_else(|| panic!("no error in {self:?}"));
        (self.status, error.to_owned())
    }
}
