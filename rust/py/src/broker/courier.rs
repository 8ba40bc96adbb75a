//! Messages on their way to the event loop that runs Python handlers.
//!
//! Whoever has a message for a handler leaves it with the courier; one wake-up of the loop serves
//! all that is left before it comes round. A loop that is closed drops what it never
//! took, and that ends the requests among it.

use super::errand::Duty;
use super::handler::Worker;
use super::message::Message;
use crate::runtime::{Kept, awaitable, exit, gil};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often the courier empties its bag in one round of the loop, if handlers that end at
/// once have more put into it; then others have their turn.
const ROUNDS_MAX: usize = 64;

/// The courier of one event loop.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Courier")]
pub struct Courier {
    shared: Arc<Shared>,
}

#[pymethods]
impl Courier {
    #[new]
    fn new(event_loop: Py<PyAny>) -> Courier {
        Courier {
            shared: Arc::new(Shared {
                event_loop: Kept::new(event_loop),
                state: Mutex::default(),
            }),
        }
    }
}

impl Courier {
    /// For handlers.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// The courier, for those who give it something.
pub struct Shared {
    event_loop: Kept<Py<PyAny>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parcels: Vec<Parcel>,
    /// Whether the loop is told, or at it.
    woken: bool,
    closed: bool,
}

/// What a loop is to do.
pub enum Parcel {
    /// Have a message handled.
    Message(Arc<Worker>, Message, Duty),
    /// Cancel what a handler is at.
    Cancel(Arc<Worker>),
}

impl Parcel {
    fn open(self, py: Python<'_>) -> PyResult<()> {
        match self {
            Parcel::Message(worker, message, duty) if duty.is_wanted() => {
                worker.begin(py, message, duty)
            }
            // Its actor was stopped meanwhile.
            Parcel::Message(..) => Ok(()),
            Parcel::Cancel(worker) => worker.cancel(py),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a parcel; from any thread, with the GIL or without.
    pub fn leave(self: &Arc<Self>, parcel: Parcel) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            return drop(parcel);
        }
        state.parcels.push(parcel);
        let wakes = !std::mem::replace(&mut state.woken, true);
        drop(state);
        if wakes {
            // A handler that ran on this thread may have given the GIL up.
            gil::resume();
            let woken = exit::attach_aside(|py| self.wake(py));
            if woken.is_none() {
                // The interpreter ends, and no loop comes round any more.
                self.close();
            }
        }
    }

    fn wake(self: &Arc<Self>, py: Python<'_>) {
        let clear = Clear {
            courier: Arc::clone(self),
            ran: AtomicBool::new(false),
        };
        let event_loop = &*self.event_loop;
        let how = awaitable::soon(py, event_loop);
        // It fails only if the loop is closed, and the drop of `clear` sees to that.
        let _ = event_loop.call_method1(py, how, (clear,));
    }

    fn take(&self) -> Vec<Parcel> {
        let mut state = self.state();
        state.woken = !state.parcels.is_empty();
        std::mem::take(&mut state.parcels)
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let left = std::mem::take(&mut state.parcels);
        drop(state);
        drop(left);
    }
}

/// Empties the bag, on the loop's own thread.
#[pyclass(frozen, module = "airssys_wasm._native.broker")]
struct Clear {
    courier: Arc<Shared>,
    ran: AtomicBool,
}

#[pymethods]
impl Clear {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.ran.store(true, Ordering::Relaxed);
        // What goes wrong with one of them is no reason to let the others wait.
        let mut first = Ok(());
        for _ in 0..ROUNDS_MAX {
            let parcels = self.courier.take();
            if parcels.is_empty() {
                return first;
            }
            for parcel in parcels {
                first = first.and(parcel.open(py));
            }
        }
        self.courier.wake(py);
        first
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        if !*self.ran.get_mut() {
            self.courier.close();
        }
    }
}
