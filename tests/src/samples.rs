//! A file of all requests (`--samples`), read back. Knows its columns, and nothing of what
//! the requests were.

use std::{fs, io::Read, path::Path};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// A line of the file, as far as tests look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When the request began: RFC 3339, UTC, microseconds.
    pub started_at: String,
    /// Method and name, as results tell requests apart.
    pub request: String,
    /// HTTP status.
    pub status: u64,
    /// Whether it counts as a success.
    pub ok: bool,
    /// Response time in microseconds.
    pub micros: u64,
    /// By how much its iteration was late, where it was planned, in microseconds.
    pub late_micros: Option<u64>,
    /// Bytes of the response.
    pub received: u64,
}

impl Row {
    /// # Panics
    /// When the line is none of such a file.
    pub fn parse(line: &str) -> Self {
        let value: Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |name: &str| value[name].as_str().expect("it is a text").to_owned();
        let number = |name: &str| value[name].as_u64().expect("it is a number");
        let flag = |name: &str| value[name].as_bool().expect("it is a truth value");
        let micros = |name: &str| {
            let ms = value[name].as_f64().expect("it is a time");
            (ms * 1e3).round() as u64
        };
        Self {
            started_at: text("started_at"),
            request: format!("{} {}", text("method"), text("name")),
            status: number("status"),
            ok: flag("ok"),
            micros: micros("total_ms"),
            late_micros: flag("planned").then(|| micros("late_ms")),
            received: number("bytes_received"),
        }
    }
}

/// All lines, which are whole.
///
/// # Panics
/// When there is no such file, or something else in it.
pub fn read(path: &Path) -> Vec<Row> {
    let file = fs::File::open(path).expect("there is a file of samples");
    let mut text = String::new();
    let read = match path.extension().is_some_and(|ending| ending == "gz") {
        true => MultiGzDecoder::new(file).read_to_string(&mut text),
        false => (&file).read_to_string(&mut text),
    };
    read.expect("the file can be read");
    assert!(text.is_empty() || text.ends_with('\n'), "half a line");
    text.lines().map(Row::parse).collect()
}
