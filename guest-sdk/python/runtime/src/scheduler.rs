//! The part of the event loop that every step of every user passes: callbacks that are ready,
//! in their order, each in its context. Knows neither timers nor events.

use std::cell::RefCell;
use std::collections::VecDeque;

use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::bindings::aiotest::engine::event_loop;

/// Turns of what is ready before the engine is asked for more.
const ROUNDS: usize = 8;

/// A callback that is ready, or was.
#[pyclass(module = "_aiotest", unsendable)]
pub struct Handle {
    callback: RefCell<Option<(Py<PyAny>, Py<PyTuple>)>>,
    context: Py<PyAny>,
}

#[pymethods]
impl Handle {
    fn cancel(&self) {
        self.callback.take();
    }

    fn cancelled(&self) -> bool {
        self.callback.borrow().is_none()
    }

    fn get_context(&self, py: Python<'_>) -> Py<PyAny> {
        self.context.clone_ref(py)
    }
}

impl Handle {
    fn run(&self, py: Python<'_>, user: &Users) -> PyResult<()> {
        let Some((callback, arguments)) = self.callback.take() else {
            return Ok(());
        };
        let context = self.context.as_ptr();
        // SAFETY: `context` is a context: `Scheduler::call_soon` saw to it.
        if unsafe { ffi::PyContext_Enter(context) } != 0 {
            return Err(PyErr::fetch(py));
        }
        let told = user.tell(py);
        let result = told.and_then(|()| callback.bind(py).call1(arguments).map(drop));
        // SAFETY: entered above.
        unsafe { ffi::PyContext_Exit(context) };
        result
    }
}

/// Whose work the engine was told of last.
struct Users {
    /// The user whose context it is, if any.
    variable: Py<PyAny>,
    last: RefCell<Option<Py<PyAny>>>,
}

impl Users {
    /// Tells the engine when the current context is another user's.
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let mut user = std::ptr::null_mut();
        // SAFETY: a context variable, and a place for a new reference.
        let result = unsafe {
            ffi::PyContextVar_Get(self.variable.as_ptr(), std::ptr::null_mut(), &raw mut user)
        };
        if result != 0 {
            return Err(PyErr::fetch(py));
        }
        // SAFETY: null, or a reference that is owned from here on.
        let Some(user) = (unsafe { Bound::from_owned_ptr_or_opt(py, user) }) else {
            return Ok(());
        };
        let mut last = self.last.borrow_mut();
        if user.is_none() || last.as_ref().is_some_and(|last| last.is(&user)) {
            return Ok(());
        }
        event_loop::working_on(user.getattr(intern!(py, "id"))?.extract()?);
        *last = Some(user.unbind());
        Ok(())
    }
}

/// Callbacks that are ready. The event loop is a subclass of it.
#[pyclass(module = "_aiotest", subclass, unsendable)]
pub struct Scheduler {
    ready: RefCell<VecDeque<Py<Handle>>>,
    users: Users,
}

#[pymethods]
impl Scheduler {
    /// `user` is a context variable: the user (with an `id`) whose context it is, or None.
    #[new]
    fn new(user: Py<PyAny>) -> PyResult<Self> {
        Ok(Scheduler {
            ready: RefCell::default(),
            users: Users {
                variable: user,
                last: RefCell::default(),
            },
        })
    }

    #[pyo3(signature = (callback, *args, context=None))]
    fn call_soon(
        &self,
        py: Python<'_>,
        callback: Py<PyAny>,
        args: Py<PyTuple>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<Py<Handle>> {
        let context = match context {
            Some(context) => context,
            // SAFETY: a new reference, or null with an exception.
            None => unsafe {
                Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent())?.unbind()
            },
        };
        let handle = Handle {
            callback: RefCell::new(Some((callback, args))),
            context,
        };
        let handle = Py::new(py, handle)?;
        self.ready.borrow_mut().push_back(handle.clone_ref(py));
        Ok(handle)
    }

    /// Holds on to no user any more.
    fn forget_user(&self) {
        self.users.last.take();
    }

    /// Whether `run_ready` would run something.
    fn has_ready(&self) -> bool {
        !self.ready.borrow().is_empty()
    }

    /// Runs what is ready, and what becomes ready by that; some rounds only, so that timers
    /// and events have their turn.
    fn run_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        for _ in 0..ROUNDS {
            if !Self::run_round(slf)? {
                break;
            }
        }
        Ok(())
    }
}

impl Scheduler {
    /// Runs what is ready now. False when there was nothing.
    fn run_round(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.borrow();
        let ready = this.ready.borrow().len();
        for _ in 0..ready {
            let Some(handle) = this.ready.borrow_mut().pop_front() else {
                break;
            };
            let Err(error) = handle.borrow(py).run(py, &this.users) else {
                continue;
            };
            if !error.is_instance_of::<PyException>(py) {
                return Err(error);
            }
            let context = PyDict::new(py);
            context.set_item(intern!(py, "message"), intern!(py, "a callback failed"))?;
            context.set_item(intern!(py, "exception"), error.value(py))?;
            slf.call_method1(intern!(py, "call_exception_handler"), (context,))?;
        }
        Ok(ready > 0)
    }
}
