//! Python objects for a listener in another task or thread, bounded.

use super::feed;
use super::messages::overflow;
use super::named;
use crate::error::Result;
use airssys_host::broker::{Feed, FeedLimits};
use pyo3::prelude::*;
use std::sync::Arc;

/// A bounded queue that never holds up who fills it.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Queue")]
pub struct Queue {
    feed: Arc<Feed<Py<PyAny>>>,
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (*, items_max, when_full))]
    fn new(
        items_max: usize,
        #[pyo3(from_py_with = named::overflow)] when_full: &str,
    ) -> Result<Queue> {
        let limits = FeedLimits {
            items_max,
            bytes_max: usize::MAX,
            overflow: overflow(when_full)?,
        };
        Ok(Queue {
            feed: Feed::new(limits),
        })
    }

    /// Adds an object; what is dropped for it is destroyed here, outside of all locks.
    fn push(&self, item: Py<PyAny>) {
        drop(self.feed.push(item, 0));
    }

    fn take(&self) -> Result<Option<Py<PyAny>>> {
        feed::take(&self.feed)
    }

    fn ready<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        feed::ready(py, &self.feed)
    }

    #[pyo3(signature = (timeout=None))]
    fn next(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = named::wait)] timeout: Option<f64>,
    ) -> Result<Option<Py<PyAny>>> {
        feed::next(py, &self.feed, named::wait_at_most(timeout)?)
    }

    fn close(&self) {
        self.feed.close();
    }

    #[getter]
    fn closed(&self) -> bool {
        self.feed.is_closed()
    }

    #[getter]
    fn dropped(&self) -> u64 {
        self.feed.dropped()
    }

    fn __len__(&self) -> usize {
        self.feed.len()
    }
}
