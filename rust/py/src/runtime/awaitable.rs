//! Calls that an event loop waits for: over at once if the guest never had to wait,
//! else the business of an asyncio future.

use super::event_loop::running_loop;
use super::given::Given;
use super::ongoing::{GiveUp, Ongoing};
use super::{calling, event_loop, exit};
use crate::error::Result;
use airssys_host::instance::CallFuture;
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// Turns how a call ended into a Python value.
type Finish<T> = dyn for<'py> FnOnce(Python<'py>, Result<T>) -> Result<Bound<'py, PyAny>> + Send;

/// Starts a call and gives what can be awaited for it.
///
/// # Errors
///
/// If no event loop runs here.
pub fn begin<'py, T: Send + 'static>(
    py: Python<'py>,
    mut call: CallFuture<T>,
    given: Option<Given>,
    finish: impl calling::Finish<T>,
) -> Result<Bound<'py, PyAny>> {
    // Asked first: a guest that was started and cannot be waited for is lost.
    let event_loop = running_loop(py)?;
    match call.poll_once() {
        Poll::Ready(ended) => done(py, finish(py, calling::told(ended))),
        Poll::Pending => wait(event_loop, call, given, Box::new(finish)),
    }
}

/// An awaitable of what is over already.
///
/// # Errors
///
/// If Python has no memory left for it.
pub fn done<'py>(py: Python<'py>, outcome: Result<Bound<'py, PyAny>>) -> Result<Bound<'py, PyAny>> {
    let outcome = outcome.map(Bound::unbind).map_err(PyErr::from);
    if let Err(error) = &outcome
        && !error.is_instance_of::<PyException>(py)
    {
        // Ctrl-C means the whole program, whoever awaits this.
        return Err(error.clone_ref(py).into());
    }
    Ok(Bound::new(py, Ongoing::ended(py, outcome))?.into_any())
}

/// An awaitable of what a future is to have; cancelling it cancels the future, and calls
/// `give_up`, where there is something to do that the future does not.
///
/// # Errors
///
/// If Python has no memory left for it.
pub fn of(future: Bound<'_, PyAny>, give_up: Option<GiveUp>) -> Result<Bound<'_, PyAny>> {
    let py = future.py();
    Ok(Bound::new(py, Ongoing::waiting(future.unbind(), give_up))?.into_any())
}

fn wait<T: Send + 'static>(
    event_loop: Bound<'_, PyAny>,
    call: CallFuture<T>,
    given: Option<Given>,
    finish: Box<Finish<T>>,
) -> Result<Bound<'_, PyAny>> {
    let (future, waiter) = future(event_loop)?;
    let abort = call.spawn(move |ended| {
        // On the thread where it ended.
        let ended = calling::told(ended);
        complete(waiter, move |py| finish(py, ended).map(Bound::unbind));
    })?;
    let give_up: GiveUp = Arc::new(move || {
        abort.abort();
        if let Some(given) = &given {
            given.give_back();
        }
    });
    let on_done = OnDone {
        give_up: Arc::clone(&give_up),
    };
    future.call_method1("add_done_callback", (on_done,))?;
    of(future, Some(give_up))
}

/// Ends the guest's call when its future is cancelled, and gives back at once what the
/// call was to take along.
#[pyclass(frozen, module = "airssys_wasm._native.runtime")]
struct OnDone {
    give_up: GiveUp,
}

#[pymethods]
impl OnDone {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.is_truthy()? {
            (self.give_up)();
        }
        Ok(())
    }
}

/// A future of `event_loop`, and who is to complete it.
///
/// # Errors
///
/// What the event loop raises.
pub fn future(event_loop: Bound<'_, PyAny>) -> PyResult<(Bound<'_, PyAny>, Waiter)> {
    let future = event_loop.call_method0("create_future")?;
    let waiter = Waiter {
        event_loop: event_loop.unbind(),
        future: future.clone().unbind(),
    };
    Ok((future, waiter))
}

/// Who waits for a future.
pub struct Waiter {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

type Conclude = Box<dyn FnOnce(Python<'_>) -> Result<Py<PyAny>> + Send>;

/// Calls that ended and wait for their event loop to take notice, by loop. One
/// wake-up serves all that end before the loop comes round.
static ENDED: Mutex<Option<Batches>> = Mutex::new(None);

type Batches = HashMap<usize, Vec<(Waiter, Conclude)>>;

/// Forgets what loops of the parent process wait for: none of them runs here.
pub fn mark_forked() {
    // Whoever held the lock in the parent does not exist here.
    let left = ENDED.try_lock().ok().and_then(|mut all| all.take());
    drop(left);
    event_loop::mark_forked();
}

fn ended() -> MutexGuard<'static, Option<Batches>> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a future its outcome, on the thread of its loop.
pub fn complete(
    waiter: Waiter,
    conclude: impl FnOnce(Python<'_>) -> Result<Py<PyAny>> + Send + 'static,
) {
    let key = waiter.event_loop.as_ptr() as usize;
    let mut all = ended();
    let batch = all.get_or_insert_default().entry(key).or_default();
    batch.push((waiter, Box::new(conclude)));
    let first = batch.len() == 1;
    drop(all);
    if first {
        // Once the interpreter ends, nobody awaits it any more.
        let _ = exit::attach_aside(|py| wake(py, key));
    }
}

fn wake(py: Python<'_>, key: usize) {
    let event_loop = ended()
        .as_ref()
        .and_then(|all| all.get(&key))
        .and_then(|batch| batch.first())
        .map(|(waiter, _)| waiter.event_loop.clone_ref(py));
    let Some(event_loop) = event_loop else { return };
    let woken = event_loop.call_method1(py, soon(py, &event_loop), (Drain::new(key),));
    if woken.is_err() {
        // The loop was closed: nobody waits for these any more.
        let orphans = ended().as_mut().and_then(|all| all.remove(&key));
        drop(orphans);
    }
}

/// How to have a loop call something: from its own thread without waking it.
pub fn soon(py: Python<'_>, event_loop: &Py<PyAny>) -> &'static str {
    if running_loop(py).is_ok_and(|running| running.is(event_loop)) {
        "call_soon"
    } else {
        "call_soon_threadsafe"
    }
}

/// Gives a loop's ended calls to their futures, on the loop's own thread.
#[pyclass(frozen, module = "airssys_wasm._native.runtime")]
struct Drain {
    key: usize,
    ran: AtomicBool,
}

impl Drain {
    fn new(key: usize) -> Drain {
        Drain {
            key,
            ran: AtomicBool::new(false),
        }
    }
}

// A loop that was closed lets go of what it never ran: nobody waits for these any
// more, and what they hold would stay for ever.
impl Drop for Drain {
    fn drop(&mut self) {
        if !*self.ran.get_mut() {
            let orphans = ended().as_mut().and_then(|all| all.remove(&self.key));
            drop(orphans);
        }
    }
}

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.ran.store(true, Ordering::Relaxed);
        let batch = ended()
            .as_mut()
            .and_then(|all| all.remove(&self.key))
            .unwrap_or_default();
        // What goes wrong with one of them is no reason to let the others wait.
        let mut first = Ok(());
        for (waiter, conclude) in batch {
            let settled = settle(py, &waiter, conclude);
            first = first.and(settled);
        }
        first
    }
}

/// Gives one future its outcome, or else what was in the way of that.
fn settle(py: Python<'_>, waiter: &Waiter, conclude: Conclude) -> PyResult<()> {
    let future = waiter.future.bind(py);
    if future.call_method0("done")?.is_truthy()? {
        return Ok(());
    }
    let set = match conclude(py) {
        Ok(value) => future.call_method1("set_result", (value,)),
        Err(error) => future.call_method1("set_exception", (PyErr::from(error),)),
    };
    let Err(error) = set else { return Ok(()) };
    // A StopIteration is no exception that a future takes, for one.
    let told = PyRuntimeError::new_err("the outcome of the call could not be handed over");
    told.set_cause(py, Some(error.clone_ref(py)));
    match future.call_method1("set_exception", (told,)) {
        // Ctrl-C meant the whole program, which the loop passes on.
        Ok(_) if error.is_instance_of::<PyException>(py) => Ok(()),
        _ => Err(error),
    }
}
