//! The shop server as a process.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// Ends the process also when the test fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(args: &[&str]) -> Process {
    let child = Command::new(env!("CARGO_BIN_EXE_shop-server"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Process(child.unwrap())
}

#[test]
fn it_says_where_it_listens_serves_and_stops_on_a_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut shop = spawn(&["--listen", "127.0.0.1:0"]);
        let mut output = BufReader::new(shop.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .unwrap()
            .trim_end();

        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET /products HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");

        // The connection is still open, and does not hold up the end.
        kill_process(Pid::from_child(&shop.0), signal).unwrap();
        assert_eq!(shop.0.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn the_certificate_is_there_when_the_server_is_ready() {
    let path = std::env::temp_dir().join(format!("shop-server-{}.pem", std::process::id()));
    let mut shop = spawn(&[
        "--listen=127.0.0.1:0",
        "--tls",
        "--tls-cert-out",
        path.to_str().unwrap(),
    ]);
    let mut output = BufReader::new(shop.0.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let pem = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(
        line.starts_with("listening on https://127.0.0.1:"),
        "{line}"
    );
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
}

#[test]
fn what_cannot_work_is_an_error_that_says_why() {
    for (args, cause) in [
        (["--failure-rate", "2"], "failure rate must be from 0 to 1"),
        (["--latency", "2h"], "must not exceed an hour"),
        (["--listen", "192.0.2.1:80"], "cannot serve on 192.0.2.1:80"),
        (["--tls-cert-out", "x.pem"], "--tls"),
    ] {
        let mut shop = spawn(&args);
        let mut errors = String::new();
        let mut stderr = shop.0.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        assert!(errors.contains(cause), "{args:?}: {errors}");
        assert!(!shop.0.wait().unwrap().success());
    }
}
