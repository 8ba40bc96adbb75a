//! An actor's turn, lent to Python: nothing else is handled meanwhile.

use crate::error::{Error, Result};
use crate::runtime::{awaitable, event_loop, gil};
use airssys_host::actor::{Answer, Cell, EMBEDDER, Handled, Job, Kind, Message, Payload, Refusal};
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// The turn; given back at the latest when it is dropped.
struct Turn(Option<Arc<Cell>>);

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            cell.resume(Handled::Served(Answer::NONE));
        }
    }
}

/// Who waits for the turn. Dropped, for instance because the actor has stopped, it
/// says that there is none.
struct Waits {
    waiter: Option<awaitable::Waiter>,
    actor: Arc<str>,
}

impl Waits {
    fn tell(mut self, turn: Turn) {
        if let Some(waiter) = self.waiter.take() {
            complete(waiter, Ok(turn));
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            complete(waiter, Err(Refusal::Stopped(Arc::clone(&self.actor))));
        }
    }
}

fn complete(waiter: awaitable::Waiter, turn: std::result::Result<Turn, Refusal>) {
    // A handler that ran on this thread may have given the GIL up.
    gil::resume();
    awaitable::complete(waiter, move |py| {
        let lease = Lease {
            turn: Mutex::new(Some(turn.map_err(Error::Refusal)?)),
        };
        Ok(Py::new(py, lease)?.into_any())
    });
}

/// Gives what can be awaited for the turn of an actor, before all its messages.
///
/// # Errors
///
/// If no event loop runs here.
pub fn take<'py>(py: Python<'py>, cell: &Arc<Cell>) -> Result<Bound<'py, PyAny>> {
    let (future, waiter) = awaitable::future(event_loop::running_loop(py)?)?;
    let waits = Waits {
        waiter: Some(waiter),
        actor: Arc::clone(cell.name()),
    };
    let job: Job = Box::new(move |_turn, _behaviour| {
        Handled::Away(Box::new(move |cell| waits.tell(Turn(Some(cell)))))
    });
    let message = Message::new(EMBEDDER, 0, Payload::EMPTY, Kind::Job(job));
    // One that has stopped gives the message back, and dropping it tells who waits.
    drop(cell.send_system(message));
    Ok(future)
}

/// The turn of an actor.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Lease")]
pub struct Lease {
    turn: Mutex<Option<Turn>>,
}

#[pymethods]
impl Lease {
    /// Gives it back; more than once does no harm.
    fn release(&self) {
        let turn = self
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(turn);
    }
}
