//! The end of the interpreter.
//!
//! A thread that asks for the GIL while the interpreter ends is unwound by Python,
//! through our frames and the guest's, which ends the process with an abort. So
//! before that, other threads than the main one are turned away from Python, their
//! guests are interrupted, and those that are in are waited for.

use super::gil;
use crate::error::{Error, Result};
use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long the end of the interpreter waits for host functions that block. One
/// that blocks longer can still end the process badly.
const WAIT_MAX: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(1);

/// What a thread is told that is turned away.
pub const ENDING_TEXT: &str = "the interpreter is ending";

static ENDING: AtomicBool = AtomicBool::new(false);
/// Threads that will want the GIL (back) with frames of ours on their stack.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Those of the parent process, which a forked child will not see end.
static INSIDE_AT_FORK: AtomicUsize = AtomicUsize::new(0);

/// A thread's promise to be waited for; dropped when it is out again.
pub struct Inside(());

impl Inside {
    /// Fails once the interpreter ends, but for the main thread.
    pub fn enter() -> Option<Inside> {
        // Counted before it looks: the other side sets the flag before it counts.
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(());
        (!is_turned_away()).then_some(inside)
    }

    /// Leaves it to [`Inside::leave`] to end this.
    pub fn stay(self) {
        std::mem::forget(self);
    }

    /// Ends what [`Inside::stay`] left.
    pub fn leave() {
        drop(Inside(()));
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether this thread may not ask for the GIL any more.
pub fn is_turned_away() -> bool {
    ENDING.load(Ordering::SeqCst) && !gil::on_main_thread()
}

/// What a thread gets that is turned away: it ends, as Python would end it, and as
/// `threading` says nothing of.
pub fn turned_away() -> PyErr {
    PySystemExit::new_err(ENDING_TEXT)
}

/// Runs `work` with the GIL, from a thread that may not have it, unless the
/// interpreter ends.
pub fn attach<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _inside = Inside::enter()?;
    Some(Python::attach(work))
}

/// The same in a thread of the runtime, where Python may run anything: a finalizer
/// that waits for another guest, for example.
pub fn attach_aside<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    tokio::task::block_in_place(|| attach(work))
}

/// Runs `work` with the GIL given up.
///
/// # Errors
///
/// [`turned_away`].
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let _inside = Inside::enter().ok_or_else(|| Error::Python(turned_away()))?;
    Ok(gil::detached(py, work))
}

/// Asks Python to say when it ends.
///
/// # Errors
///
/// What Python raises.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let hook = pyo3::wrap_pyfunction!(end, py)?;
    py.import("atexit")?.call_method1("register", (hook,))?;
    Ok(())
}

/// Leaves the threads of the parent process out of account.
pub fn mark_forked() {
    INSIDE_AT_FORK.store(INSIDE.load(Ordering::SeqCst), Ordering::SeqCst);
}

#[pyfunction]
fn end(py: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let all_out = || INSIDE.load(Ordering::SeqCst) <= INSIDE_AT_FORK.load(Ordering::SeqCst);
    py.detach(|| {
        while !all_out() && began.elapsed() < WAIT_MAX {
            thread::sleep(POLL);
        }
    });
}
