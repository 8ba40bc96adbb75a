//! Many messages in one crossing of the boundary.

use super::asking;
use super::reply::Reply;
use crate::error::{Error, Result};
use crate::runtime::{awaitable, gil};
use airssys_host::broker::{Batch, Sending, SendingGuard};
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::{Arc, Mutex, PoisonError};

/// Gives the replies of a batch that has ended.
///
/// # Errors
///
/// Why the first of them is none, unless exceptions are to stand in their places.
fn replies<'py>(py: Python<'py>, batch: &Batch, exceptions: bool) -> Result<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for outcome in batch.take() {
        match outcome {
            Ok(reply) => list.append(Reply::new(reply))?,
            Err(why) if exceptions => {
                let error = PyErr::from(Error::Refusal(why));
                list.append(error.into_value(py))?;
            }
            Err(why) => return Err(Error::Refusal(why)),
        }
    }
    Ok(list.into_any())
}

/// Waits for the replies on this thread.
///
/// # Errors
///
/// As for [`replies`]; what a signal handler raised meanwhile.
pub fn wait(py: Python<'_>, batch: &Batch, exceptions: bool) -> Result<Py<PyAny>> {
    // When the time is over, that is told of each request.
    let _ = asking::wait_for(py, batch.ended())?;
    replies(py, batch, exceptions).map(Bound::unbind)
}

/// Gives what can be awaited for the replies.
///
/// # Errors
///
/// If the event loop cannot make a future.
pub fn awaited<'py>(
    py: Python<'py>,
    event_loop: Bound<'py, PyAny>,
    batch: Batch,
    exceptions: bool,
) -> Result<Bound<'py, PyAny>> {
    if batch.ended().take().is_some() {
        return awaitable::done(py, replies(py, &batch, exceptions));
    }
    let ended = Arc::clone(batch.ended());
    let batch = Arc::new(Mutex::new(Some(batch)));
    let (future, waiter) = awaitable::future(event_loop)?;
    let guard = GivenUp {
        batch: Arc::clone(&batch),
    };
    future.call_method1("add_done_callback", (guard,))?;
    ended.then(move |_| {
        // A handler that ran on this thread may have given the GIL up.
        gil::resume();
        awaitable::complete(waiter, move |py| {
            let batch = batch.lock().unwrap_or_else(PoisonError::into_inner).take();
            match batch {
                Some(batch) => replies(py, &batch, exceptions).map(Bound::unbind),
                None => Ok(py.None()),
            }
        });
    });
    awaitable::of(future, None)
}

/// Gives the requests up when nobody waits for their future any more.
#[pyclass(frozen, module = "airssys_wasm._native.broker")]
struct GivenUp {
    batch: Arc<Mutex<Option<Batch>>>,
}

#[pymethods]
impl GivenUp {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        let batch = self.batch.lock();
        let batch = batch.unwrap_or_else(PoisonError::into_inner).take();
        drop(batch);
    }
}

/// Waits on this thread until all messages are accepted.
///
/// # Errors
///
/// Why one was not, with how many were; what a signal handler raised meanwhile.
pub fn sent(py: Python<'_>, sending: &Arc<Sending>, of: usize) -> Result<()> {
    // A signal ends the waiting, and with it the sending.
    let _guard = SendingGuard(Arc::clone(sending));
    match asking::wait_for(py, sending.ended())? {
        Ok(_) => Ok(()),
        Err(why) => Err(incomplete(py, why, sending.accepted(), of)),
    }
}

/// Gives what can be awaited until all messages are accepted.
///
/// # Errors
///
/// If the event loop cannot make a future.
pub fn sending<'py>(
    py: Python<'py>,
    event_loop: Bound<'py, PyAny>,
    sending: Arc<Sending>,
    of: usize,
) -> Result<Bound<'py, PyAny>> {
    let told = move |py: Python<'_>, accepted: usize, outcome: airssys_host::actor::Outcome| {
        outcome.map_err(|why| incomplete(py, why, accepted, of))?;
        Ok(py.None())
    };
    if let Some(outcome) = sending.ended().take() {
        let ended = told(py, sending.accepted(), outcome);
        return awaitable::done(py, ended.map(|none| none.into_bound(py)));
    }
    let (future, waiter) = awaitable::future(event_loop)?;
    let guard = asking::Unawaited::new(SendingGuard(Arc::clone(&sending)));
    future.call_method1("add_done_callback", (guard,))?;
    let ended = Arc::clone(sending.ended());
    ended.then(move |outcome| {
        // A handler that ran on this thread may have given the GIL up.
        gil::resume();
        awaitable::complete(waiter, move |py| told(py, sending.accepted(), outcome));
    });
    awaitable::of(future, None)
}

fn incomplete(
    py: Python<'_>,
    why: airssys_host::actor::Refusal,
    accepted: usize,
    of: usize,
) -> Error {
    let error = PyErr::from(Error::Refusal(why));
    let note = format!("{accepted} of {of} messages were accepted before");
    let noted = error.value(py).call_method1("add_note", (note,));
    Error::Python(noted.err().unwrap_or(error))
}
