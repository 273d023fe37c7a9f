//! `Feed`: rows of the run's data files.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::bindings::aiotest::engine::data;
use crate::convert::failure_words;
use crate::native::Failure;

/// A data file.
#[pyclass(module = "_aiotest", frozen)]
pub struct Feed(data::Feed);

#[pymethods]
impl Feed {
    #[new]
    fn new(name: &str) -> PyResult<Self> {
        data::Feed::open(name)
            .map(Feed)
            .map_err(PyValueError::new_err)
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns()
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows()
    }

    fn next(&self, user: u64, order: &str, at_end: &str) -> PyResult<Vec<String>> {
        let order = match order {
            "sequential" => data::Order::Sequential,
            "random" => data::Order::Random,
            "unique" => data::Order::Unique,
            "by_user" => data::Order::ByUser,
            _ => return Err(PyValueError::new_err(format!("unknown order {order:?}"))),
        };
        let at_end = match at_end {
            "wrap" => data::AtEnd::Wrap,
            "stop_user" => data::AtEnd::StopUser,
            "fail" => data::AtEnd::Fail,
            _ => return Err(PyValueError::new_err(format!("unknown end {at_end:?}"))),
        };
        self.0
            .next(user, order, at_end)
            .map_err(|failure| Failure::new_err(failure_words(failure)))
    }
}
