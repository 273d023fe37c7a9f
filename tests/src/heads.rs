//! A loopback server that keeps the head of each request, for what only its receiver may
//! know. Answers each with `0`. Knows nothing of what the heads mean.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;

/// The running server. Its threads end with the connections of its clients, and with the
/// process.
pub struct Heads {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Heads {
    /// Starts the server on a free port of 127.0.0.1. It is ready when this returns.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be bound");
        let address = listener.local_addr().expect("the port is known");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                // How a connection ends is the client's matter.
                thread::spawn(move || converse(stream, &kept));
            }
        });
        Self { address, heads }
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The values of a header, by its name in small letters, in the order in which they
    /// came.
    pub fn values(&self, name: &str) -> Vec<String> {
        let heads = self.heads.lock();
        let fields = heads.iter().flat_map(|head| head.lines());
        let fields = fields.filter_map(|line| line.split_once(": "));
        let named = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.to_owned()).collect()
    }
}

fn converse(stream: TcpStream, kept: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        kept.lock().push(head);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n0";
        reader.get_mut().write_all(answer)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_kept_as_they_came() {
        let heads = Heads::start();
        let mut stream = TcpStream::connect(heads.address).unwrap();
        for value in ["a: b", " c"] {
            let head = format!("GET / HTTP/1.1\r\nX-Word: {value}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            let mut reader = BufReader::new(&stream);
            while !answer.ends_with("\r\n\r\n") {
                reader.read_line(&mut answer).unwrap();
            }
            let mut body = [0];
            io::Read::read_exact(&mut reader, &mut body).unwrap();
            assert_eq!(body, *b"0");
        }
        assert_eq!(heads.values("x-word"), ["a: b", " c"]);
        assert_eq!(heads.values("x-other"), [""; 0]);
    }
}
