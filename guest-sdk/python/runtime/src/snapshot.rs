//! What makes the state after `prepare` a good first state for every sandbox: its memory is
//! shared between sandboxes until they write to it.

use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCode, PyList};

unsafe extern "C" {
    /// Of wasi-libc: forgets the folders that were granted while preparing.
    fn __wasilibc_reset_preopens();
}

/// CPython's reference count of objects that live for ever, on 32 bits.
const IMMORTAL: i32 = 5 << 28;

/// Says where the library is while preparing: the standard library in `/python`, the SDK's
/// packages in `/sdk`.
pub fn name_folders() {
    let settings = [
        ("PYTHONHOME", "/python"),
        ("PYTHONPATH", "/python:/sdk"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        // All sandboxes have the same seed in any case.
        ("PYTHONHASHSEED", "0"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    for (name, value) in settings {
        // SAFETY: nothing else runs.
        unsafe { std::env::set_var(name, value) }
    }
}

/// Collects what is not needed any more, and takes the rest out of the collector's and the
/// reference counts' hands: both would write to every object they meet.
pub fn settle(py: Python<'_>) -> PyResult<()> {
    let gc = py.import("gc")?;
    gc.call_method0("collect")?;
    let tracked = gc.call_method0("get_objects")?.cast_into::<PyList>()?;
    let roots = tracked.iter().map(Bound::into_ptr).collect();
    drop(tracked);
    immortalise(py, roots)?;
    gc.call_method0("freeze")?;
    Ok(())
}

/// Makes all objects that can be reached from these immortal.
fn immortalise(py: Python<'_>, roots: Vec<*mut ffi::PyObject>) -> PyResult<()> {
    let mut pending = roots;
    let mut seen = BTreeSet::new();
    while let Some(object) = pending.pop() {
        if !seen.insert(object as usize) {
            continue;
        }
        // SAFETY: everything in `pending` is alive: the roots are owned, what is reached from
        // an object is held by it, and nothing dies here. The collector visits objects alike.
        unsafe {
            if ffi::PyObject_IS_GC(object) != 0
                && let Some(traverse) = (*ffi::Py_TYPE(object)).tp_traverse
            {
                traverse(object, visit, (&raw mut pending).cast());
            }
            object.cast::<i32>().write(IMMORTAL);
            // The collector does not look into code.
            let object = Borrowed::from_ptr(py, object);
            if object.is_instance_of::<PyCode>() {
                for part in ["co_consts", "co_names", "co_filename", "co_qualname"] {
                    pending.push(object.getattr(part)?.into_ptr());
                }
            }
        }
    }
    Ok(())
}

unsafe extern "C" fn visit(object: *mut ffi::PyObject, pending: *mut c_void) -> c_int {
    // SAFETY: `immortalise` passes its list.
    unsafe { (*pending.cast::<Vec<*mut ffi::PyObject>>()).push(object) };
    0
}

/// Sandboxes have folders of their own.
pub fn forget_files() {
    // SAFETY: no file is open, and nothing else runs.
    unsafe { __wasilibc_reset_preopens() }
}
