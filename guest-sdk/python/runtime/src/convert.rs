//! Values of the interface to and from Python's. Knows no calls.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::bindings::aiotest::engine::manifest::{
    Execution, Manifest, Task, TaskSet, UserClass, WaitTime,
};
use crate::bindings::aiotest::engine::types::Failure;
use crate::bindings::exports::aiotest::engine::blocking_observer::Event;

pub fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// Negative numbers and those that are none become 0.
pub fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// What a `ScriptError` says, and every other error as Python prints it.
pub fn message(py: Python<'_>, error: &PyErr) -> String {
    let script_error = py
        .import("aiotest._engine.model")
        .and_then(|model| model.getattr("ScriptError"));
    match script_error {
        Ok(class) if error.is_instance(py, &class) => error.value(py).to_string(),
        _ => traceback(py, error),
    }
}

pub fn traceback(py: Python<'_>, error: &PyErr) -> String {
    let lines = py
        .import("traceback")
        .and_then(|module| module.call_method1("format_exception", (error.value(py),)))
        .and_then(|lines| lines.extract::<Vec<String>>());
    lines.map_or_else(
        |_| error.to_string(),
        |lines| lines.concat().trim_end().to_owned(),
    )
}

pub fn failure(kind: &str, text: String) -> Failure {
    match kind {
        "stopping" => Failure::Stopping,
        "leave_set" => Failure::LeaveSet,
        "stop_user" => Failure::StopUser,
        "stop_test" => Failure::StopTest(text),
        _ => Failure::Failed(text),
    }
}

/// Kind and text, as `failure` takes them.
pub fn failure_words(failure: Failure) -> (&'static str, String) {
    match failure {
        Failure::Failed(text) => ("failed", text),
        Failure::Stopping => ("stopping", String::new()),
        Failure::LeaveSet => ("leave_set", String::new()),
        Failure::StopUser => ("stop_user", String::new()),
        Failure::StopTest(text) => ("stop_test", text),
    }
}

pub fn manifest(described: &Bound<'_, PyAny>) -> PyResult<Manifest> {
    let (sdk, classes, thresholds): (String, Vec<Bound<'_, PyAny>>, Vec<String>) =
        described.extract()?;
    Ok(Manifest {
        sdk,
        classes: classes.iter().map(class).collect::<PyResult<_>>()?,
        thresholds,
    })
}

type ClassTuple<'py> = (
    String,
    u32,
    Option<String>,
    Bound<'py, PyAny>,
    String,
    bool,
    Option<u32>,
    Option<f64>,
    Vec<TaskTuple>,
);
type TaskTuple = (
    String,
    u32,
    Vec<String>,
    Option<u32>,
    Option<(String, Option<u32>)>,
);

fn class(class: &Bound<'_, PyAny>) -> PyResult<UserClass> {
    let class: ClassTuple<'_> = class.extract()?;
    let (name, weight, host, wait, order, alone, max_concurrent_tasks, throughput, tasks) = class;
    Ok(UserClass {
        name,
        weight,
        host,
        wait_time: wait_time(&wait)?,
        execution: execution(&order)?,
        alone,
        max_concurrent_tasks,
        throughput,
        tasks: tasks.into_iter().map(task).collect::<PyResult<_>>()?,
    })
}

fn task((name, weight, tags, parent, set): TaskTuple) -> PyResult<Task> {
    let set = match set {
        None => None,
        Some((order, rounds)) => Some(TaskSet {
            execution: execution(&order)?,
            rounds,
        }),
    };
    Ok(Task {
        name,
        weight,
        tags,
        parent,
        set,
    })
}

fn execution(word: &str) -> PyResult<Execution> {
    Ok(match word {
        "sequential" => Execution::Sequential,
        "weighted" => Execution::Weighted,
        "concurrent" => Execution::Concurrent,
        "own-loop" => Execution::OwnLoop,
        _ => return Err(PyValueError::new_err(format!("unknown execution {word:?}"))),
    })
}

fn wait_time(wait: &Bound<'_, PyAny>) -> PyResult<WaitTime> {
    let word: String = wait.get_item(0)?.extract()?;
    let number = |at: usize| -> PyResult<u64> { Ok(nanoseconds(wait.get_item(at)?.extract()?)) };
    Ok(match word.as_str() {
        "none" => WaitTime::None,
        "fixed" => WaitTime::Fixed(number(1)?),
        "between" => WaitTime::Between((number(1)?, number(2)?)),
        "pacing" => WaitTime::Pacing(number(1)?),
        "computed" => WaitTime::Computed,
        _ => return Err(PyValueError::new_err(format!("unknown wait time {word:?}"))),
    })
}

/// Events as tuples that begin with the event's name.
pub fn observed(py: Python<'_>, events: Vec<Event>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for event in events {
        match event {
            Event::UserStart(user) => list.append(("user_start", user.id, user.class))?,
            Event::UserStop(user) => list.append(("user_stop", user.id, user.class))?,
            Event::Request(request) => {
                let tags = PyDict::new(py);
                for (name, value) in request.tags {
                    tags.set_item(name, value)?;
                }
                list.append((
                    "request",
                    request.user.id,
                    request.user.class,
                    seconds(request.at),
                    request.method,
                    request.name,
                    tags,
                    request.status,
                    seconds(request.duration),
                    request.size,
                    request.error,
                ))?;
            }
            Event::UserError(error) => list.append((
                "user_error",
                error.user.id,
                error.user.class,
                seconds(error.at),
                error.task,
                error.message,
            ))?,
        }
    }
    Ok(list)
}
