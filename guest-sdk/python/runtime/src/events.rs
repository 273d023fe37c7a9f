//! Events of the sandbox's users, and the futures that answers go to. Knows no users.

use std::cell::RefCell;
use std::collections::BTreeMap;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::bindings::aiotest::engine::event_loop::{self, Answer, Event, Outcome, Step};
use crate::client::{self, Response};
use crate::convert::{failure, nanoseconds};

thread_local! {
    /// Who waits for which answer.
    static EXPECTED: RefCell<BTreeMap<u64, Py<PyAny>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The future of a request that has begun.
pub fn expect(ticket: u64, future: Py<PyAny>) {
    EXPECTED.with_borrow_mut(|expected| expected.insert(ticket, future));
}

fn expected(ticket: u64) -> Option<Py<PyAny>> {
    EXPECTED.with_borrow_mut(|expected| expected.remove(&ticket))
}

/// Waits for events, and passes on the answers among them; see `_aiotest.pyi`.
#[pyfunction]
#[pyo3(signature = (timeout))]
pub fn next_events(py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Bound<'_, PyList>>> {
    let Some(events) = event_loop::next(timeout.map(nanoseconds)) else {
        return Ok(None);
    };
    let list = PyList::empty(py);
    for event in events {
        match event {
            Event::Answer(answer) => pass_on(py, answer)?,
            Event::Call(call) => {
                let (step, argument) = match call.step {
                    Step::OnStart(class) => (intern!(py, "on_start"), class),
                    Step::RunTask(task) => (intern!(py, "run_task"), task),
                    Step::Run => (intern!(py, "run"), 0),
                    Step::WaitTime => (intern!(py, "wait_time"), 0),
                    Step::OnStop => (intern!(py, "on_stop"), 0),
                };
                list.append((intern!(py, "call"), call.id, call.user, step, argument))?;
            }
            Event::Stop(user) => list.append((intern!(py, "stop"), user))?,
            Event::Leave(user) => list.append((intern!(py, "leave"), user))?,
        }
    }
    Ok(Some(list))
}

fn pass_on(py: Python<'_>, answer: Answer) -> PyResult<()> {
    let Some(future) = expected(answer.ticket) else {
        return Ok(());
    };
    let future = future.bind(py);
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match answer.outcome {
        Ok(response) => {
            let response = Bound::new(py, Response::new(response))?;
            future.call_method1(intern!(py, "set_result"), (response,))?;
        }
        Err(error) => {
            let error = client::error(py, error)?;
            future.call_method1(intern!(py, "set_exception"), (error,))?;
        }
    }
    Ok(())
}

/// Answers a call.
#[pyfunction]
#[pyo3(signature = (call, kind, payload))]
pub fn finish(call: u64, kind: &str, payload: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let outcome = match (kind, payload) {
        ("ok", _) => Outcome::Done,
        ("wait", Some(seconds)) => Outcome::Wait(nanoseconds(seconds.extract()?)),
        (kind, Some(text)) => Outcome::Failed(failure(kind, text.to_string())),
        (kind, None) => Outcome::Failed(failure(kind, String::new())),
    };
    event_loop::finish(call, &outcome);
    Ok(())
}

/// Gives up a request that was begun.
#[pyfunction]
pub fn cancel(ticket: u64) {
    if expected(ticket).is_some() {
        event_loop::cancel(ticket);
    }
}

/// Whose work follows.
#[pyfunction]
pub fn working_on(user: u64) {
    event_loop::working_on(user);
}
