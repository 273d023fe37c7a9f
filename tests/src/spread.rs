//! A loopback server whose answers take times spread evenly over four orders of magnitude,
//! and of which some are failures. Knows nothing of who asks, or what for.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Every so manieth answer is a failure.
const FAILURE: u64 = 23;
/// Answers wait up to so many microseconds.
const LONGEST: f64 = 100_000.0;
/// How much longer the longest wait is than the shortest.
const RANGE: f64 = 10_000.0;

/// The running server. Its threads end with the connections of its clients, and with the
/// process.
pub struct Spread {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
}

impl Spread {
    /// Starts the server on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be bound");
        let address = listener.local_addr().expect("the port is known");
        let requests = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let count = Arc::clone(&count);
                // How a connection ends is the client's matter.
                thread::spawn(move || converse(stream, &count));
            }
        });
        Self { address, requests }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests received.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Those that were answered with status 500, or will be.
    pub fn failures(&self) -> u64 {
        self.requests() / FAILURE
    }
}

fn converse(stream: TcpStream, requests: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while read_head(&mut reader)? {
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        thread::sleep(wait(number));
        let status = match number.is_multiple_of(FAILURE) {
            true => "500 Internal Server Error",
            false => "200 OK",
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 1\r\n\r\n0");
        reader.get_mut().write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// How long the answer to a request waits: multiples of the golden section lie evenly
/// between 0 and 1, in no order.
fn wait(number: u64) -> Duration {
    let place = (number as f64 * 0.618_033_988_749_895).fract();
    let micros = LONGEST * RANGE.powf(place - 1.0);
    Duration::from_nanos((micros * 1e3) as u64)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_of_magnitude_has_its_share() {
        let waits: Vec<f64> = (1..=4000).map(|n| wait(n).as_secs_f64() * 1e6).collect();
        for (low, high) in [(10.0, 100.0), (100.0, 1e3), (1e3, 1e4), (1e4, 1e5)] {
            let within = waits.iter().filter(|&&us| us >= low && us < high).count();
            assert!(
                (990..=1010).contains(&within),
                "{within} from {low} to {high}"
            );
        }
    }

    #[test]
    fn requests_are_counted_and_some_fail() {
        let server = Spread::start();
        let mut stream = BufReader::new(TcpStream::connect(server.address).unwrap());
        let mut failures = 0;
        for _ in 0..FAILURE {
            let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
            stream.get_mut().write_all(request).unwrap();
            let mut status = String::new();
            stream.read_line(&mut status).unwrap();
            failures += u64::from(status.starts_with("HTTP/1.1 500 "));
            assert!(read_head(&mut stream).unwrap());
            io::Read::read_exact(&mut stream, &mut [0]).unwrap();
        }
        assert_eq!(failures, 1);
        assert_eq!((server.requests(), server.failures()), (FAILURE, 1));
    }
}
