//! The native part of the Python interpreter: the engine's interface as the module
//! `_aiotest`, and the exports of the world `script-interpreter` as calls into the Python
//! module `aiotest._engine.runtime`. Knows neither the public API nor how users are run.

mod bindings;
mod client;
mod convert;
mod events;
mod feed;
mod native;
mod scheduler;
mod snapshot;

use pyo3::prelude::*;

use bindings::exports::aiotest::engine as exports;
use exports::blocking_hooks::Failure;
use exports::blocking_observer::{Event, Kinds};
use exports::event_loop_scenario::Manifest;
use exports::load_shape::Target;

/// The component.
struct Interpreter;

/// Calls a function of the runtime in Python.
fn runtime<'py>(
    py: Python<'py>,
    function: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("aiotest._engine.runtime")?
        .getattr(function)?
        .call1(arguments)
}

/// What a call that cannot report an error ends with: the engine shows the text that a
/// sandbox leaves on standard error when it dies.
fn fatal(py: Python<'_>, error: &PyErr) -> ! {
    eprintln!("{}", convert::message(py, error));
    std::process::abort()
}

impl exports::interpreter::Guest for Interpreter {
    fn prepare() -> Result<(), String> {
        native::register();
        snapshot::name_folders();
        Python::initialize();
        let prepared = Python::attach(|py| match runtime(py, "prepare", ()) {
            Ok(_) => snapshot::settle(py).map_err(|error| error.to_string()),
            Err(error) => Err(convert::traceback(py, &error)),
        });
        snapshot::forget_files();
        prepared
    }
}

impl exports::event_loop_scenario::Guest for Interpreter {
    fn describe() -> Result<Manifest, String> {
        Python::attach(|py| {
            let described = runtime(py, "describe", ()).and_then(|it| convert::manifest(&it));
            described.map_err(|error| convert::message(py, &error))
        })
    }

    fn has_load_shape() -> bool {
        Python::attach(|py| {
            let answer = runtime(py, "has_load_shape", ()).and_then(|it| it.extract());
            answer.unwrap_or_else(|error| fatal(py, &error))
        })
    }

    fn serve() {
        Python::attach(|py| {
            if let Err(error) = runtime(py, "serve", ()) {
                fatal(py, &error);
            }
        });
    }
}

impl exports::load_shape::Guest for Interpreter {
    fn tick(run_time: u64) -> Option<Target> {
        Python::attach(|py| {
            let target = runtime(py, "tick", (convert::seconds(run_time),))
                .and_then(|it| it.extract::<Option<(u32, f64)>>());
            let target = target.unwrap_or_else(|error| fatal(py, &error));
            target.map(|(users, spawn_rate)| Target { users, spawn_rate })
        })
    }
}

fn hook(function: &str) -> Result<(), Failure> {
    Python::attach(|py| {
        let failure = runtime(py, function, ())
            .and_then(|it| it.extract::<Option<(String, String)>>())
            .unwrap_or_else(|error| Some(("failed".into(), convert::message(py, &error))));
        match failure {
            None => Ok(()),
            Some((kind, text)) => Err(convert::failure(&kind, text)),
        }
    })
}

impl exports::blocking_hooks::Guest for Interpreter {
    fn on_test_start() -> Result<(), Failure> {
        hook("on_test_start")
    }

    fn on_test_stop() -> Result<(), Failure> {
        hook("on_test_stop")
    }
}

impl exports::blocking_observer::Guest for Interpreter {
    fn wanted() -> Kinds {
        Python::attach(|py| {
            let wanted = runtime(py, "wanted", ()).and_then(|it| it.extract());
            let wanted: (bool, bool, bool, bool) = wanted.unwrap_or_else(|error| fatal(py, &error));
            let kinds = [
                (wanted.0, Kinds::USER_START),
                (wanted.1, Kinds::USER_STOP),
                (wanted.2, Kinds::REQUEST),
                (wanted.3, Kinds::USER_ERROR),
            ];
            let asked = kinds.into_iter().filter(|(asked, _)| *asked);
            asked.fold(Kinds::empty(), |all, (_, kind)| all | kind)
        })
    }

    fn observe(events: Vec<Event>) {
        Python::attach(|py| {
            let told =
                convert::observed(py, events).and_then(|events| runtime(py, "observe", (events,)));
            if let Err(error) = told {
                fatal(py, &error);
            }
        });
    }
}
