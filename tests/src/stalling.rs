//! A loopback server that answers well and holds its answers back, always or once. Knows
//! nothing of who asks, or of how they should take it.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n0";

/// When answers are held back.
#[derive(Clone, Copy, Debug)]
pub enum Stall {
    /// Each one for so long.
    Always(Duration),
    /// None but those of one spell, which wait for its end.
    Once {
        /// Requests before the one that begins the spell.
        after: u64,
        /// How long the spell is.
        spell: Duration,
    },
}

/// The running server. Its threads end with the connections of its clients, and with the
/// process.
pub struct Stalling {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    stall: Stall,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    held: u64,
    /// When the spell ends, once it has begun.
    end: Option<Instant>,
}

impl Stalling {
    /// Starts the server on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(stall: Stall) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be bound");
        let address = listener.local_addr().expect("the port is known");
        let state = Arc::new(State {
            stall,
            counts: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                // How a connection ends is the client's matter.
                thread::spawn(move || converse(stream, &state));
            }
        });
        Self { address, state }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests received.
    pub fn requests(&self) -> u64 {
        self.state.counts.lock().requests
    }

    /// Requests whose answers were held back.
    pub fn held(&self) -> u64 {
        self.state.counts.lock().held
    }
}

fn converse(stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while read_head(&mut reader)? {
        thread::sleep(state.enter());
        reader.get_mut().write_all(ANSWER)?;
    }
    Ok(())
}

/// Reads the head of a request, which has no body; false after the client has closed.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<bool> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

impl State {
    /// Counts a request. How long its answer waits.
    fn enter(&self) -> Duration {
        let mut counts = self.counts.lock();
        counts.requests += 1;
        let hold = match self.stall {
            Stall::Always(hold) => hold,
            Stall::Once { after, spell } => {
                let now = Instant::now();
                if counts.requests > after {
                    counts.end.get_or_insert(now + spell);
                }
                let end = counts.end.unwrap_or(now);
                end.saturating_duration_since(now)
            }
        };
        counts.held += u64::from(!hold.is_zero());
        hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_wait_in_the_spell_and_neither_before_nor_after() {
        let state = State {
            stall: Stall::Once {
                after: 2,
                spell: Duration::from_millis(50),
            },
            counts: Mutex::default(),
        };
        assert_eq!([state.enter(), state.enter()], [Duration::ZERO; 2]);
        let waits = [state.enter(), state.enter()];
        assert_eq!(waits[0], Duration::from_millis(50));
        assert!(waits[1] <= waits[0]);
        thread::sleep(waits[0]);
        assert_eq!(state.enter(), Duration::ZERO);
        assert_eq!(state.counts.lock().requests, 5);
    }

    #[test]
    fn requests_are_counted_and_answered() {
        let server = Stalling::start(Stall::Always(Duration::from_millis(1)));
        let mut stream = TcpStream::connect(server.address).unwrap();
        let mut answer = vec![0; ANSWER.len()];
        for _ in 0..2 {
            let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
            stream.write_all(request).unwrap();
            io::Read::read_exact(&mut stream, &mut answer).unwrap();
            assert_eq!(answer, ANSWER);
        }
        assert_eq!((server.requests(), server.held()), (2, 2));
    }
}
