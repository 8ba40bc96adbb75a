//! What `call_async`, `ask` and `send` give: to Python a coroutine, whether the call is
//! over already or goes on.

use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{ffi, intern};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A call that was begun, as a coroutine: to be awaited once, or made a task of.
///
/// It has what ``collections.abc.Coroutine`` asks for, so that event loops take it for one.
#[pyclass(
    frozen,
    weakref,
    module = "airssys_wasm._native.runtime",
    name = "Ongoing"
)]
pub struct Ongoing {
    state: Mutex<State>,
}

enum State {
    /// The call is over; nobody has asked.
    Ended(PyResult<Py<PyAny>>),
    /// It goes on, and this future is to have its outcome; nobody has asked.
    Waiting(Py<PyAny>),
    /// Somebody awaits the future, by its iterator.
    Awaited {
        future: Py<PyAny>,
        iterator: Py<PyAny>,
    },
    /// Its outcome was handed over, or given up.
    Over,
}

impl Ongoing {
    /// One that is over already.
    pub fn ended(outcome: PyResult<Py<PyAny>>) -> Ongoing {
        Ongoing {
            state: Mutex::new(State::Ended(outcome)),
        }
    }

    /// One whose outcome a future is to have; cancelling that ends the call.
    pub fn waiting(future: Py<PyAny>) -> Ongoing {
        Ongoing {
            state: Mutex::new(State::Waiting(future)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // No Python runs under the lock: what is taken out is put back after.
    fn take(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Over)
    }

    fn step(&self, future: Py<PyAny>, iterator: Py<PyAny>, sent: &Bound<'_, PyAny>) -> Step {
        let py = sent.py();
        *self.state() = State::Awaited {
            future,
            iterator: iterator.clone_ref(py),
        };
        let yielded = send(iterator.bind(py), sent);
        if yielded.is_err() {
            *self.state() = State::Over;
        }
        yielded
    }
}

/// What was yielded to the event loop; an error where that is over.
type Step = PyResult<Py<PyAny>>;

fn send(iterator: &Bound<'_, PyAny>, sent: &Bound<'_, PyAny>) -> Step {
    let py = sent.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: the GIL is held, both objects live, and the result is an owned reference
    // unless the answer is an error.
    let answer = unsafe { ffi::PyIter_Send(iterator.as_ptr(), sent.as_ptr(), &raw mut result) };
    // SAFETY: as above; null is no reference and gives the error that was raised.
    let result = unsafe { Bound::from_owned_ptr_or_err(py, result) }?.unbind();
    match answer {
        ffi::PySendResult::PYGEN_NEXT => Ok(result),
        ffi::PySendResult::PYGEN_RETURN | ffi::PySendResult::PYGEN_ERROR => Err(returned(result)),
    }
}

fn returned(value: Py<PyAny>) -> PyErr {
    PyStopIteration::new_err((value,))
}

/// Has an iterator that yields nothing more return a value: `StopIteration` as the
/// interpreter itself sets it, which makes an instance of it only where it must.
fn return_from_iterator(value: &Bound<'_, PyAny>) -> PyResult<()> {
    let plain = !value.is_instance_of::<PyTuple>() && !value.is_instance_of::<PyBaseException>();
    if !plain {
        return Err(returned(value.clone().unbind()));
    }
    if !value.is_none() {
        // SAFETY: the GIL is held and both objects live. The caller returns null.
        unsafe { ffi::PyErr_SetObject(ffi::PyExc_StopIteration, value.as_ptr()) };
    }
    Ok(())
}

// A StopIteration that leaves a coroutine would be taken for its result.
fn raised(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let told = PyRuntimeError::new_err("the call raised StopIteration");
    told.set_cause(py, Some(error));
    told
}

fn cancel(py: Python<'_>, future: &Py<PyAny>) -> PyResult<()> {
    future.call_method0(py, intern!(py, "cancel")).map(drop)
}

#[pymethods]
impl Ongoing {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let mut state = self.state();
        if let State::Ended(Ok(_)) = &*state {
            let State::Ended(Ok(value)) = std::mem::replace(&mut *state, State::Over) else {
                return Ok(None);
            };
            drop(state);
            return_from_iterator(value.bind(py))?;
            return Ok(None);
        }
        drop(state);
        self.send(py.None().bind(py)).map(Some)
    }

    /// Go on until the call ends or has to wait, as an event loop does.
    fn send(&self, value: &Bound<'_, PyAny>) -> Step {
        let py = value.py();
        match self.take() {
            State::Ended(outcome) => Err(outcome.map_or_else(|error| raised(py, error), returned)),
            State::Waiting(future) => {
                let iterator = future.call_method0(py, intern!(py, "__await__"))?;
                self.step(future, iterator, value)
            }
            State::Awaited { future, iterator } => self.step(future, iterator, value),
            State::Over => Err(PyRuntimeError::new_err("the call was awaited already")),
        }
    }

    /// Raise an exception where the call waits, and give the call up.
    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> Step {
        let py = typ.py();
        match self.take() {
            State::Awaited { future, iterator } => {
                let args: Vec<_> = [Some(typ), val, tb].into_iter().flatten().collect();
                let args = PyTuple::new(py, args)?;
                let thrown = iterator.call_method1(py, intern!(py, "throw"), args);
                match &thrown {
                    Ok(_) => *self.state() = State::Awaited { future, iterator },
                    Err(_) => cancel(py, &future)?,
                }
                thrown
            }
            State::Waiting(future) => {
                cancel(py, &future)?;
                Err(thrown(typ, val)?)
            }
            State::Ended(_) | State::Over => Err(thrown(typ, val)?),
        }
    }

    /// Give the call up.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.take() {
            State::Waiting(future) | State::Awaited { future, .. } => cancel(py, &future),
            State::Ended(_) | State::Over => Ok(()),
        }
    }

    fn __repr__(&self) -> &'static str {
        match &*self.state() {
            State::Ended(_) => "<Ongoing call, ended>",
            State::Waiting(_) => "<Ongoing call>",
            State::Awaited { .. } => "<Ongoing call, awaited>",
            State::Over => "<Ongoing call, over>",
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "the shape PyO3 asks for")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Never held while Python runs, so it is free.
        let Ok(state) = self.state.try_lock() else {
            return Ok(());
        };
        match &*state {
            State::Ended(Ok(value)) => visit.call(value),
            State::Waiting(future) => visit.call(future),
            State::Awaited { future, iterator } => {
                visit.call(future)?;
                visit.call(iterator)
            }
            State::Ended(Err(_)) | State::Over => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.take());
    }
}

/// The exception of a call of `throw`, by its three forms.
fn thrown(typ: &Bound<'_, PyAny>, val: Option<&Bound<'_, PyAny>>) -> PyResult<PyErr> {
    let is_exception = |value: &&Bound<'_, PyAny>| value.is_instance_of::<PyBaseException>();
    if let Some(instance) = val.filter(is_exception) {
        return Ok(PyErr::from_value(instance.clone()));
    }
    if typ.is_callable() && !is_exception(&typ) {
        return Ok(PyErr::from_value(
            typ.call(PyTuple::new(typ.py(), val)?, None)?,
        ));
    }
    Ok(PyErr::from_value(typ.clone()))
}
