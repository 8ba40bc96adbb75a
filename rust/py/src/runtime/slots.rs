//! How the interpreter awaits an [`Ongoing`]: through these two slots a call that is over
//! hands its value on without a `StopIteration`. `await` looks for them up to Python 3.11 and
//! asyncio's tasks always; later ones await what is no generator by its iterator.

use super::ongoing::Ongoing;
use pyo3::exceptions::PyStopIteration;
use pyo3::ffi::{self, PySendResult};
use pyo3::prelude::*;
use pyo3::{Borrowed, intern};

/// Puts them into the class.
pub fn install(py: Python<'_>) {
    let class = py.get_type::<Ongoing>();
    // SAFETY: a class made at run time, which no other thread has seen; having `__await__`,
    // it has a table of its own for such slots.
    unsafe {
        if let Some(slots) = (*class.as_type_ptr()).tp_as_async.as_mut() {
            slots.am_await = Some(begin);
            slots.am_send = Some(send);
        }
    }
}

/// # Safety
///
/// The caller has the GIL, and `coroutine` is one.
unsafe fn ongoing<'a>(coroutine: *mut ffi::PyObject) -> &'a Ongoing {
    // SAFETY: as the caller says.
    unsafe {
        let py = Python::assume_attached();
        let coroutine = Borrowed::from_ptr(py, coroutine).cast_unchecked::<Ongoing>();
        &*std::ptr::from_ref(coroutine.get())
    }
}

unsafe extern "C" fn begin(coroutine: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls a slot with the GIL, and with an object of its class.
    match unsafe { ongoing(coroutine) }.refuse_second() {
        // SAFETY: as above.
        Ok(()) => unsafe { ffi::Py_NewRef(coroutine) },
        Err(error) => {
            // SAFETY: as above.
            error.restore(unsafe { Python::assume_attached() });
            std::ptr::null_mut()
        }
    }
}

unsafe extern "C" fn send(
    coroutine: *mut ffi::PyObject,
    sent: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> PySendResult {
    // SAFETY: as above; `result` is where the interpreter wants the value.
    unsafe {
        if sent == ffi::Py_None()
            && let Some(value) = ongoing(coroutine).take_value()
        {
            result.write(value.into_ptr());
            return PySendResult::PYGEN_RETURN;
        }
        let py = Python::assume_attached();
        let (answer, value) = send_by_name(
            &Borrowed::from_ptr(py, coroutine),
            &Borrowed::from_ptr(py, sent),
        );
        result.write(value.map_or(std::ptr::null_mut(), Py::into_ptr));
        answer
    }
}

fn send_by_name(
    coroutine: &Bound<'_, PyAny>,
    sent: &Bound<'_, PyAny>,
) -> (PySendResult, Option<Py<PyAny>>) {
    let py = coroutine.py();
    let error = match coroutine.call_method1(intern!(py, "send"), (sent,)) {
        Ok(yielded) => return (PySendResult::PYGEN_NEXT, Some(yielded.unbind())),
        Err(error) => error,
    };
    if !error.is_instance_of::<PyStopIteration>(py) {
        error.restore(py);
        return (PySendResult::PYGEN_ERROR, None);
    }
    let stopped = error.into_value(py).into_bound(py);
    match stopped.getattr(intern!(py, "value")) {
        Ok(value) => (PySendResult::PYGEN_RETURN, Some(value.unbind())),
        Err(error) => {
            error.restore(py);
            (PySendResult::PYGEN_ERROR, None)
        }
    }
}
