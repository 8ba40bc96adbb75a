//! What `call_async`, `ask` and `send` give: to Python a coroutine, whether the call is
//! over already or goes on.

use super::exit;
use pyo3::exceptions::{
    PyAttributeError, PyBaseException, PyRuntimeError, PyStopIteration, PyTypeError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{ffi, intern};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    Ended(Result<Py<PyAny>, Py<PyAny>>),
    /// It goes on, and this future is to have its outcome; nobody has asked.
    Waiting(Going),
    /// Somebody awaits the future, by its iterator.
    Awaited { going: Going, iterator: Py<PyAny> },
    /// Its outcome was handed over, or given up.
    Over,
}

/// Ends what goes on without an event loop, which may be closed.
pub type GiveUp = Arc<dyn Fn() + Send + Sync>;

/// A call that goes on.
struct Going {
    future: Py<PyAny>,
    give_up: Option<GiveUp>,
}

impl Going {
    /// Ends it, and tells whoever else waits for the future.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(give_up) = &self.give_up {
            give_up();
        }
        match self.future.call_method0(py, intern!(py, "cancel")) {
            // The loop is closed: nobody is left to be told.
            Err(error) if error.is_instance_of::<PyRuntimeError>(py) => Ok(()),
            told => told.map(drop),
        }
    }
}

impl Ongoing {
    /// One that is over already.
    pub fn ended(py: Python<'_>, outcome: PyResult<Py<PyAny>>) -> Ongoing {
        let outcome = outcome.map_err(|error| error.into_value(py).into_any());
        Ongoing {
            state: Mutex::new(State::Ended(outcome)),
        }
    }

    /// One whose outcome a future is to have; cancelling that ends the call, and so does
    /// `give_up`.
    pub fn waiting(future: Py<PyAny>, give_up: Option<GiveUp>) -> Ongoing {
        Ongoing {
            state: Mutex::new(State::Waiting(Going { future, give_up })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // No Python runs under the lock: what is taken out is put back after.
    fn take(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Over)
    }

    fn step(&self, going: Going, iterator: Py<PyAny>, sent: &Bound<'_, PyAny>) -> Step {
        let py = sent.py();
        *self.state() = State::Awaited {
            going,
            iterator: iterator.clone_ref(py),
        };
        let yielded = send(iterator.bind(py), sent);
        if yielded.is_err() {
            drop(self.take());
        }
        yielded
    }

    /// Gives it up, and tells of an error that nobody asked for.
    fn tell_unasked(&self) {
        let State::Ended(Err(error)) = self.take() else {
            return;
        };
        // Once the interpreter ends, there is nobody to tell.
        let _ = exit::attach(|py| {
            // It may go while another error is on its way up.
            let raised = PyErr::take(py);
            PyErr::from_value(error.into_bound(py)).write_unraisable(py, None);
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }

    /// What the call gave, if it is over, went well, and nobody has asked yet.
    #[inline]
    pub fn take_value(&self) -> Option<Py<PyAny>> {
        let mut state = self.state();
        if !matches!(*state, State::Ended(Ok(_))) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Ended(Ok(value)) => Some(value),
            _ => None,
        }
    }

    /// Refuses to be awaited while somebody else awaits it.
    ///
    /// # Errors
    ///
    /// That somebody does.
    #[inline]
    pub fn refuse_second(&self) -> PyResult<()> {
        match &*self.state() {
            State::Awaited { .. } => {
                Err(PyRuntimeError::new_err("the call is being awaited already"))
            }
            _ => Ok(()),
        }
    }
}

/// What nobody asked for is told, as asyncio tells it of a task.
impl Drop for Ongoing {
    fn drop(&mut self) {
        self.tell_unasked();
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

#[pymethods]
impl Ongoing {
    #[allow(clippy::unused_self, reason = "the shape PyO3 asks for")]
    #[getter]
    fn __name__(&self) -> &'static str {
        "Ongoing"
    }

    #[allow(clippy::unused_self, reason = "the shape PyO3 asks for")]
    #[getter]
    fn __qualname__(&self) -> &'static str {
        "Ongoing"
    }

    /// Whoever asks it for what it will bring has forgotten to wait for that.
    #[allow(clippy::unused_self, reason = "the shape PyO3 asks for")]
    fn __getattr__(&self, name: &str) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!(
            "{name:?} of a call that was not awaited; hint: (await ...).{name}"
        )))
    }

    fn __await__(slf: Py<Self>) -> PyResult<Py<Self>> {
        slf.get().refuse_second()?;
        Ok(slf)
    }

    fn __iter__(slf: Py<Self>) -> PyResult<Py<Self>> {
        slf.get().refuse_second()?;
        Ok(slf)
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.take_value() {
            Some(value) => return_from_iterator(value.bind(py)).map(|()| None),
            None => self.send(py.None().bind(py)).map(Some),
        }
    }

    /// Go on until the call ends or has to wait, as an event loop does.
    fn send(&self, value: &Bound<'_, PyAny>) -> Step {
        let py = value.py();
        match self.take() {
            begun @ (State::Ended(_) | State::Waiting(_)) if !value.is_none() => {
                *self.state() = begun;
                Err(PyTypeError::new_err(
                    "can't send a value to a coroutine that nobody awaits yet",
                ))
            }
            State::Ended(Ok(value)) => Err(returned(value)),
            State::Ended(Err(error)) => Err(raised(py, PyErr::from_value(error.into_bound(py)))),
            State::Waiting(going) => {
                let iterator = going.future.call_method0(py, intern!(py, "__await__"));
                match iterator {
                    Ok(iterator) => self.step(going, iterator, value),
                    Err(error) => {
                        going.cancel(py)?;
                        Err(error)
                    }
                }
            }
            State::Awaited { going, iterator } => self.step(going, iterator, value),
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
            State::Awaited { going, iterator } => {
                let args: Vec<_> = [Some(typ), val, tb].into_iter().flatten().collect();
                let args = PyTuple::new(py, args)?;
                match iterator.call_method1(py, intern!(py, "throw"), args) {
                    Ok(yielded) => {
                        *self.state() = State::Awaited { going, iterator };
                        Ok(yielded)
                    }
                    Err(error) => {
                        going.cancel(py)?;
                        Err(raised(py, error))
                    }
                }
            }
            State::Waiting(going) => {
                going.cancel(py)?;
                Err(raised(py, thrown(typ, val)?))
            }
            State::Ended(_) | State::Over => Err(raised(py, thrown(typ, val)?)),
        }
    }

    /// Give the call up.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.take() {
            State::Waiting(going) | State::Awaited { going, .. } => going.cancel(py),
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
            State::Ended(Ok(value) | Err(value)) => visit.call(value),
            State::Waiting(going) => visit.call(&going.future),
            State::Awaited { going, iterator } => {
                visit.call(&going.future)?;
                visit.call(iterator)
            }
            State::Over => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.tell_unasked();
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
