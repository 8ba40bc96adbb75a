//! Waiting for what an actor answers: on this thread, or in an event loop.

use super::reply::Reply;
use crate::error::{Error, Result};
use crate::runtime::{awaitable, exit, gil};
use airssys_host::actor::{Outcome, Pending};
use airssys_host::broker::{Asked, Room};
use pyo3::prelude::*;
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks at pending signals while a thread waits.
pub const SIGNAL_CHECK: Duration = Duration::from_millis(50);
/// As long as a wake-up of a parked thread takes.
const SPIN: Duration = Duration::from_micros(30);

/// Gives the end of a request to whoever asked.
///
/// # Errors
///
/// Why there is no reply.
pub fn told(py: Python<'_>, outcome: Outcome) -> Result<Bound<'_, PyAny>> {
    let reply = outcome.map_err(Error::Refusal)?;
    Ok(Bound::new(py, Reply::new(reply))?.into_any())
}

/// Waits for the end of a request on this thread.
///
/// # Errors
///
/// Why there is no reply; what a signal handler raised meanwhile.
pub fn wait(py: Python<'_>, asked: Asked) -> Result<Bound<'_, PyAny>> {
    match asked {
        Asked::Ended(outcome) => told(py, outcome),
        Asked::Waiting(waiting) => told(py, wait_for(py, waiting.pending())?),
    }
}

/// The same for any request.
///
/// # Errors
///
/// What a signal handler raised.
pub fn wait_for(py: Python<'_>, pending: &Pending) -> Result<Outcome> {
    let me = thread::current();
    if let Some(outcome) = exit::detached(py, || spin(pending))? {
        return Ok(outcome);
    }
    loop {
        if let Some(outcome) = pending.take_or_wake(&me) {
            return Ok(outcome);
        }
        exit::detached(py, || thread::park_timeout(SIGNAL_CHECK))?;
        py.check_signals()?;
    }
}

fn spin(pending: &Pending) -> Option<Outcome> {
    let began = Instant::now();
    while pending.is_open() {
        if began.elapsed() > SPIN {
            return None;
        }
        std::hint::spin_loop();
    }
    pending.take()
}

/// Gives what can be awaited for the end of a request.
///
/// # Errors
///
/// If the event loop cannot make a future.
pub fn awaited<'py>(
    py: Python<'py>,
    event_loop: Bound<'py, PyAny>,
    asked: Asked,
) -> Result<Bound<'py, PyAny>> {
    let waiting = match asked {
        Asked::Ended(outcome) => {
            return awaitable::done(py, told(py, outcome));
        }
        Asked::Waiting(waiting) => waiting,
    };
    let pending = Arc::clone(waiting.pending());
    follow(event_loop, &pending, Unawaited::new(waiting), told)
}

/// Gives what can be awaited until a message got into a full mailbox.
///
/// # Errors
///
/// As for [`awaited`].
pub fn room(event_loop: Bound<'_, PyAny>, room: Room) -> Result<Bound<'_, PyAny>> {
    let pending = Arc::clone(room.pending());
    let guard = Unawaited::new(room);
    follow(event_loop, &pending, guard, |py, outcome| {
        outcome.map_err(Error::Refusal)?;
        Ok(py.None().into_bound(py))
    })
}

fn follow<'py>(
    event_loop: Bound<'py, PyAny>,
    pending: &Pending,
    guard: Unawaited,
    finish: impl for<'any> FnOnce(Python<'any>, Outcome) -> Result<Bound<'any, PyAny>> + Send + 'static,
) -> Result<Bound<'py, PyAny>> {
    let (future, waiter) = awaitable::future(event_loop)?;
    future.call_method1("add_done_callback", (guard,))?;
    pending.then(move |outcome| {
        // A handler that ran on this thread may have given the GIL up.
        gil::resume();
        awaitable::complete(waiter, move |py| finish(py, outcome).map(Bound::unbind));
    });
    awaitable::of(future, None)
}

/// Gives up what nobody waits for any more, when its future is done.
#[pyclass(frozen, module = "airssys_wasm._native.broker")]
pub struct Unawaited {
    waiting: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Unawaited {
    /// What drops `waiting` when the future it is added to is done.
    pub fn new(waiting: impl Any + Send) -> Unawaited {
        Unawaited {
            waiting: Mutex::new(Some(Box::new(waiting))),
        }
    }
}

#[pymethods]
impl Unawaited {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        let waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(waiting);
    }
}
