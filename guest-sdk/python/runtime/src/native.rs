//! The module `_aiotest`: functions. Its classes are in `client` and `feed`.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::bindings::aiotest::engine::{blocking_io, log, metrics, run, script};
use crate::client::{Response, Session};
use crate::convert::{nanoseconds, seconds};
use crate::events;
use crate::feed::Feed;
use crate::scheduler::{Handle, Scheduler};

pyo3::create_exception!(
    _aiotest,
    Failure,
    PyException,
    "A step must end: kind, text."
);

/// Makes the module importable; before Python starts.
pub fn register() {
    pyo3::append_to_inittab!(_aiotest);
}

#[pymodule]
fn _aiotest(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Session>()?;
    module.add_class::<Response>()?;
    module.add_class::<Feed>()?;
    module.add_class::<Group>()?;
    module.add_class::<Handle>()?;
    module.add_class::<Scheduler>()?;
    module.add("Failure", module.py().get_type::<Failure>())?;
    module.add("HttpError", crate::client::http_error(module.py())?)?;
    module.add_function(wrap_pyfunction!(events::next_events, module)?)?;
    module.add_function(wrap_pyfunction!(events::finish, module)?)?;
    module.add_function(wrap_pyfunction!(events::cancel, module)?)?;
    module.add_function(wrap_pyfunction!(events::working_on, module)?)?;
    module.add_function(wrap_pyfunction!(wait, module)?)?;
    module.add_function(wrap_pyfunction!(record, module)?)?;
    module.add_function(wrap_pyfunction!(count, module)?)?;
    module.add_function(wrap_pyfunction!(gauge, module)?)?;
    module.add_function(wrap_pyfunction!(trend, module)?)?;
    module.add_function(wrap_pyfunction!(check, module)?)?;
    module.add_function(wrap_pyfunction!(option, module)?)?;
    module.add_function(wrap_pyfunction!(options, module)?)?;
    module.add_function(wrap_pyfunction!(host, module)?)?;
    module.add_function(wrap_pyfunction!(secret, module)?)?;
    module.add_function(wrap_pyfunction!(run_time, module)?)?;
    module.add_function(wrap_pyfunction!(users, module)?)?;
    module.add_function(wrap_pyfunction!(log_line, module)?)?;
    module.add_function(wrap_pyfunction!(main_file, module)?)?;
    module.add_function(wrap_pyfunction!(read_file, module)?)?;
    module.add_function(wrap_pyfunction!(made, module)?)?;
    module.add_function(wrap_pyfunction!(keep, module)?)?;
    Ok(())
}

/// Suspends the whole sandbox.
#[pyfunction]
fn wait(user: u64, duration: f64) -> bool {
    blocking_io::wait(user, nanoseconds(duration))
}

#[pyfunction]
#[pyo3(signature = (user, protocol, name, duration, size, error))]
fn record(
    user: u64,
    protocol: String,
    name: String,
    duration: f64,
    size: u64,
    error: Option<String>,
) {
    let duration = nanoseconds(duration);
    let sample = metrics::Sample {
        protocol,
        name,
        duration,
        size,
        error,
    };
    metrics::record(user, &sample);
}

#[pyfunction]
fn count(name: &str, value: f64) {
    metrics::count(name, value);
}

#[pyfunction]
fn gauge(name: &str, value: f64) {
    metrics::gauge(name, value);
}

#[pyfunction]
fn trend(name: &str, value: f64) {
    metrics::trend(name, value);
}

#[pyfunction]
fn check(name: &str, passed: bool) -> bool {
    metrics::check(name, passed)
}

/// A part of a user's work under a name of its own, until it is closed.
#[pyclass(module = "_aiotest")]
struct Group(Option<metrics::Group>);

#[pymethods]
impl Group {
    #[new]
    fn new(user: u64, name: &str) -> Self {
        Group(Some(metrics::Group::enter(user, name)))
    }

    fn close(&mut self) {
        self.0 = None;
    }
}

#[pyfunction]
fn option(name: &str) -> Option<String> {
    run::option(name)
}

#[pyfunction]
fn options() -> Vec<(String, String)> {
    run::options()
}

#[pyfunction]
fn host(user: u64) -> Option<String> {
    run::host(user)
}

#[pyfunction]
fn secret(name: &str) -> Option<String> {
    run::secret(name)
}

#[pyfunction]
fn run_time() -> f64 {
    seconds(run::run_time())
}

#[pyfunction]
fn users() -> u32 {
    run::users()
}

#[pyfunction]
#[pyo3(name = "log")]
fn log_line(level: &str, message: &str) {
    let level = match level {
        "trace" => log::Level::Trace,
        "debug" => log::Level::Debug,
        "warn" | "warning" => log::Level::Warn,
        "error" | "critical" => log::Level::Error,
        _ => log::Level::Info,
    };
    // The engine has one line a message.
    for line in message.lines() {
        log::write(level, line);
    }
}

#[pyfunction]
fn main_file(py: Python<'_>) -> Option<(String, Bound<'_, PyBytes>)> {
    script::main().map(|file| (file.origin, PyBytes::new(py, &file.content)))
}

#[pyfunction]
fn read_file<'py>(py: Python<'py>, path: &str) -> Option<(String, Bound<'py, PyBytes>)> {
    script::read(path).map(|file| (file.origin, PyBytes::new(py, &file.content)))
}

#[pyfunction]
fn made<'py>(py: Python<'py>, path: &str) -> Option<Bound<'py, PyBytes>> {
    script::made(path).map(|content| PyBytes::new(py, &content))
}

#[pyfunction]
fn keep(path: &str, content: &[u8]) {
    script::keep(path, content);
}
