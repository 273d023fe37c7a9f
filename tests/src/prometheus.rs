//! A real Prometheus with a directory of its own. Knows how to start and ask it, not what
//! it is asked.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded::Serializer;

use crate::Process;

/// Longest life of a Prometheus.
const LIFE: Duration = Duration::from_secs(300);
/// Longest time that a test waits for an answer, or for something to be known.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked for what is not known yet.
const POLL: Duration = Duration::from_millis(100);

/// A running Prometheus. Dropping it kills it.
pub struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _directory: TempDir,
}

/// What a query yields of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels; the name of the metric, where it has one, is `__name__`.
    pub labels: BTreeMap<String, String>,
    /// Its values, the oldest first; one for an instant.
    pub values: Vec<f64>,
}

impl Prometheus {
    /// Starts it with a configuration and more flags; it answers when this returns.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start(configuration: &str, flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, configuration).expect("the configuration can be written");
        let mut command = command("prometheus");
        command
            .arg("--web.listen-address=127.0.0.1:0")
            .arg(option("config.file", &file))
            .arg(option("storage.tsdb.path", &directory.path().join("data")))
            .args(flags);
        let mut process = Process::spawn(command, LIFE);
        let line = process.wait_for_line("\"Listening on\"");
        let address = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("address="));
        let prometheus = Self {
            address: address
                .and_then(|address| address.parse().ok())
                .unwrap_or_else(|| panic!("no address in {line}")),
            _process: process,
            _directory: directory,
        };
        // It listens before it has read its own log.
        prometheus.wait_until("it is ready", || prometheus.get("/-/ready").0.then_some(()));
        prometheus
    }

    /// Checks files with `promtool`, and returns what it says.
    ///
    /// # Panics
    /// When it is not installed or finds something wrong.
    pub fn check(what: &str, file: &Path) -> String {
        let mut command = command("promtool");
        command.args(["check", what]).arg(file);
        let output = Process::spawn(command, PATIENCE).wait();
        assert_eq!(output.code, Some(0), "{output:#?}");
        output.stdout
    }

    /// The base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What an expression yields now.
    ///
    /// # Panics
    /// When it is no expression, or yields no vector or scalar.
    pub fn query(&self, expression: &str) -> Vec<Series> {
        series(&self.ask("query", &[("query", expression)]))
    }

    /// What an expression yields over time, from a moment until now, with a value each
    /// second.
    ///
    /// # Panics
    /// When it is no expression.
    pub fn query_since(&self, start: f64, expression: &str) -> Vec<Series> {
        let now = self.query("time()")[0].values[0];
        series(&self.ask(
            "query_range",
            &[
                ("query", expression),
                ("start", &start.to_string()),
                ("end", &now.to_string()),
                ("step", "1"),
            ],
        ))
    }

    /// The values of a label on the series that a selector chooses.
    ///
    /// # Panics
    /// When it is no selector.
    pub fn label_values(&self, label: &str, selector: &str) -> Vec<String> {
        let values = self.ask(&format!("label/{label}/values"), &[("match[]", selector)]);
        let values = values.as_array().expect("it is a list").iter();
        values
            .map(|value| value.as_str().expect("a label is a text").to_owned())
            .collect()
    }

    /// Waits until an expression yields exactly one series, and returns its value.
    ///
    /// # Panics
    /// When it does not for a minute.
    pub fn wait_for(&self, expression: &str) -> f64 {
        self.wait_until(expression, || match &self.query(expression)[..] {
            [series] => Some(series.values[0]),
            _ => None,
        })
    }

    fn wait_until<T>(&self, what: &str, known: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = known() {
                return value;
            }
            assert!(Instant::now() < deadline, "Prometheus: never {what}");
            thread::sleep(POLL);
        }
    }

    /// The data of an answer of the API.
    #[track_caller]
    fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let query = Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let (_, body) = self.get(&format!("/api/v1/{path}?{query}"));
        let mut answer: Value = serde_json::from_str(&body).expect("the answer is JSON");
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer["data"].take()
    }

    /// Whether it is well, and the body.
    fn get(&self, target: &str) -> (bool, String) {
        let mut stream =
            TcpStream::connect_timeout(&self.address, PATIENCE).expect("Prometheus is there");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("the limit is not zero");
        // Of this version the body is neither in chunks nor compressed, and then all is said.
        let request = format!("GET {target} HTTP/1.0\r\nhost: {}\r\n\r\n", self.address);
        stream
            .write_all(request.as_bytes())
            .expect("Prometheus takes requests");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("Prometheus answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("the answer is HTTP");
        (head.split(' ').nth(1) == Some("200"), body.to_owned())
    }
}

/// A program of Debian's package `prometheus`.
fn command(program: &str) -> Command {
    let found = Command::new(program).arg("--version").output();
    let missing = found.is_err_and(|error| error.kind() == ErrorKind::NotFound);
    assert!(
        !missing,
        "no {program}: install Prometheus (Debian's package is called prometheus)"
    );
    Command::new(program)
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// The series of a vector, a matrix or a scalar.
fn series(data: &Value) -> Vec<Series> {
    if data["resultType"] == "scalar" {
        return vec![Series {
            labels: BTreeMap::new(),
            values: vec![sample(&data["result"])],
        }];
    }
    let result = data["result"].as_array().expect("the result is a list");
    let series = result.iter().map(|series| {
        let labels = series["metric"].as_object().expect("there are labels");
        let labels = labels.iter().map(|(name, value)| {
            let value = value.as_str().expect("a label is a text");
            (name.clone(), value.to_owned())
        });
        let values = match series["values"].as_array() {
            Some(values) => values.iter().map(sample).collect(),
            None => vec![sample(&series["value"])],
        };
        Series {
            labels: labels.collect(),
            values,
        }
    });
    series.collect()
}

/// The value of a pair of time and value.
fn sample(pair: &Value) -> f64 {
    let value = pair[1].as_str().expect("a value is a text");
    match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        value => value.parse().expect("it is a number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_and_answers() {
        let prometheus = Prometheus::start("", &[]);
        let two = prometheus.query("1 + 1");
        assert_eq!(two[0].values, [2.0]);
        let version = prometheus.query("label_replace(vector(1 / 0), \"a\", \"b\", \"\", \"\")");
        assert_eq!(version[0].labels["a"], "b");
        assert_eq!(version[0].values, [f64::INFINITY]);
        assert!(prometheus.label_values("job", "up").is_empty());
    }

    #[test]
    #[should_panic(expected = "parse error")]
    fn what_is_no_expression_is_told() {
        Prometheus::start("", &[]).query("rate(");
    }
}
