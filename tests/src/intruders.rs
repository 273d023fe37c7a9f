//! Clients of a control endpoint that mean no good: many at a time, and none stops by
//! itself. Knows what the endpoint must not do for them, not how it defends itself.

use std::{
    io::{self, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{Control, control::Answer};

/// Connections that a half-open client holds at a time, more than the endpoint keeps.
const HALF_OPEN: usize = 100;
/// Between two attempts of a client.
const PAUSE: Duration = Duration::from_millis(2);
/// Attempts of each kind that make an attack.
const ENOUGH: u64 = 25;

/// An attack under way. Dropping it ends it.
pub struct Intruders {
    over: Arc<AtomicBool>,
    attempts: Vec<(&'static str, Arc<AtomicU64>)>,
    threads: Vec<JoinHandle<()>>,
}

/// A kind of client: one attempt, and whether the endpoint did what it wanted.
type Kind = fn(&Control, &mut Vec<TcpStream>) -> bool;

const KINDS: [(&str, Kind); 7] = [
    ("garbage", garbage),
    ("half-open connections", half_open),
    ("heads without end", huge_heads),
    ("huge bodies", huge_bodies),
    ("wrong methods", wrong_methods),
    ("other sites", other_sites),
    ("nonsense", nonsense),
];

impl Intruders {
    /// Lets them loose on an endpoint.
    pub fn attack(control: &Control) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut attempts = Vec::new();
        let mut threads = Vec::new();
        for (name, attempt) in KINDS {
            let count = Arc::new(AtomicU64::new(0));
            attempts.push((name, Arc::clone(&count)));
            let (control, over) = (control.clone(), Arc::clone(&over));
            threads.push(thread::spawn(move || {
                let mut held = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    assert!(!attempt(&control, &mut held), "{name} had success");
                    count.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(PAUSE);
                }
            }));
        }
        Self {
            over,
            attempts,
            threads,
        }
    }

    /// Whether each kind has tried often enough.
    pub fn have_tried(&self) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.all(|(_, count)| count.load(Ordering::SeqCst) >= ENOUGH)
    }

    /// Ends the attack.
    ///
    /// # Panics
    /// When one of them had success.
    pub fn retreat(mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().expect("no intruder has success");
        }
    }
}

impl Drop for Intruders {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Whether the endpoint did something. A connection that was closed or reset is a refusal
/// too.
fn done(answer: io::Result<Option<Answer>>) -> bool {
    let answer = answer.ok().flatten();
    answer.is_some_and(|Answer { status, .. }| status < 400)
}

fn garbage(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    let tries = [
        "\0\x01\x02\u{ff} POST /stop\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "POST /quit HTTP/1.1\r\nhost localhost\r\n\r\n",
        "POST /quit HTTP/9.9\r\nhost: localhost\r\n\r\n",
    ];
    tries.iter().any(|text| done(control.raw(text.as_bytes())))
}

/// Holds connections on which an order never ends.
fn half_open(control: &Control, held: &mut Vec<TcpStream>) -> bool {
    if let Ok(mut stream) = control.connect() {
        let order = b"POST /stop HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{";
        let part = 1 + held.len() % order.len();
        // It may have been refused already.
        let _ = stream.write_all(&order[..part]);
        held.push(stream);
    }
    if held.len() > HALF_OPEN {
        held.remove(0);
    }
    false
}

fn huge_heads(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    let line = format!("x-more: {}\r\n", "a".repeat(1000));
    let head = format!(
        "POST /stop HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        line.repeat(200)
    );
    done(control.raw(head.as_bytes()))
}

fn huge_bodies(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    let local = "host: localhost\r\nconnection: close\r\n";
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000)).repeat(50);
    let long = " ".repeat(100_000);
    [
        format!("POST /stop HTTP/1.1\r\n{local}transfer-encoding: chunked\r\n\r\n{chunk}"),
        format!("PATCH /load HTTP/1.1\r\n{local}content-length: 100000\r\n\r\n{long}"),
        format!("POST /quit HTTP/1.1\r\n{local}content-length: 99999999999\r\n\r\n{long}"),
    ]
    .iter()
    .any(|request| done(control.raw(request.as_bytes())))
}

fn wrong_methods(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    [
        "GET /stop",
        "HEAD /quit",
        "PUT /load",
        "POST /load",
        "POST /control/quit",
        "DELETE /state",
    ]
    .iter()
    .any(|request| done(control.try_send(request, &[], "{\"users\": 0}")))
}

fn other_sites(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    let headers = [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("host", "evil.example"),
        ("host", "127.0.0.1.evil.example"),
    ];
    let mut orders = [
        "POST /stop",
        "POST /quit",
        "GET /control/quit",
        "GET /state",
    ]
    .iter()
    .flat_map(|order| headers.map(|header| (order, header)));
    orders.any(|(order, header)| done(control.try_send(order, &[header], "")))
}

fn nonsense(control: &Control, _: &mut Vec<TcpStream>) -> bool {
    let bodies = [
        "{\"users\": -1}",
        "{\"users\": 4294967295}",
        "{\"users\": 0, \"users\": 0}",
        "{\"users\": 0, \"plan\": \"none\"}",
        "{\"arrival_rate\": 1e9}",
        "{\"spawn_rate\": 0}",
        "[[[[[[[[[[",
        "",
    ];
    bodies
        .iter()
        .any(|body| done(control.try_send("PATCH /load", &[], body)))
}
