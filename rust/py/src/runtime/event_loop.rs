//! The event loop that runs on a thread.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::cell::RefCell;

thread_local! {
    /// What asyncio keeps in the thread's state for a loop that runs, and that loop.
    static LAST: RefCell<Option<(Py<PyAny>, Py<PyAny>)>> = const { RefCell::new(None) };
}

/// The event loop of this thread.
///
/// Up to Python 3.11 asyncio asks the kernel each time whether the process was forked,
/// which takes longer than most handlers. What it keeps in the thread's state is another
/// object for each run of a loop, so the loop found for the same one is the same.
///
/// # Errors
///
/// If none runs.
pub fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let mark = mark(py);
    if let Some(event_loop) = mark.as_ref().and_then(|mark| known(py, mark)) {
        return Ok(event_loop);
    }
    let running = RUNNING.import(py, "asyncio", "get_running_loop")?.call0()?;
    if let Some(mark) = mark {
        remember(Some((mark.unbind(), running.clone().unbind())));
    }
    Ok(running)
}

/// Forgets the loop of a thread that goes on in a forked process, where none runs.
pub fn mark_forked() {
    remember(None);
}

fn known<'py>(py: Python<'py>, mark: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    LAST.with_borrow(|last| match last {
        Some((known, event_loop)) if known.is(mark) => Some(event_loop.bind(py).clone()),
        _ => None,
    })
}

fn remember(found: Option<(Py<PyAny>, Py<PyAny>)>) {
    // Dropped outside: that may run Python.
    let before = LAST.with_borrow_mut(|last| std::mem::replace(last, found));
    drop(before);
}

/// What asyncio keeps for the loop of this thread, if it keeps it there at all.
fn mark(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let key = intern!(py, "__asyncio_running_event_loop__");
    // SAFETY: this thread has the GIL; the reference is borrowed, or null.
    let state = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyThreadState_GetDict()) }?;
    // SAFETY: as above; a lookup of a text in a dictionary of texts raises nothing.
    unsafe {
        let mark = ffi::PyDict_GetItemWithError(state.as_ptr(), key.as_ptr());
        Bound::from_borrowed_ptr_or_opt(py, mark)
    }
}
