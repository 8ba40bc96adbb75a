//! Threads that run the event loop of a host: what blocks them holds its handlers up.

use crate::error::Result;
use pyo3::exceptions::PyRuntimeError;
use std::cell::Cell;

thread_local! {
    static IS_HOME: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread runs such a loop, and nothing else until its end.
pub fn make() {
    IS_HOME.set(true);
}

/// Fails on a thread that does: whoever waits there may wait for themselves.
///
/// # Errors
///
/// `RuntimeError`.
#[inline]
pub fn refuse() -> Result<()> {
    if IS_HOME.get() {
        return Err(PyRuntimeError::new_err(
            "this would hold up the host's own event loop, and wait for itself; \
             hint: a plain `def` handler, or `await` the same of `.awaitable`",
        )
        .into());
    }
    Ok(())
}
