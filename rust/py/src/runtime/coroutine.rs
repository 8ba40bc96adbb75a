//! Coroutines of the embedder, awaited by a guest.
//!
//! A coroutine runs on the event loop that awaits the call, else on a loop of our
//! own in a thread of its own.

use super::caller::{self, Busy};
use airssys_host::linker::{Answer, Pending};
use airssys_host::wasmtime;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

static OWN_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

type Sender = oneshot::Sender<PyResult<Py<PyAny>>>;

/// Starts `coroutine` and gives what waits for it; dropping that cancels it.
///
/// # Errors
///
/// If no event loop can be had.
pub fn run(coroutine: &Bound<'_, PyAny>) -> PyResult<Pending> {
    let (task, busy) = match submit(coroutine) {
        Ok(submitted) => submitted,
        Err(error) => {
            // Else Python warns that nobody ever awaited it.
            coroutine.call_method0("close")?;
            return Err(error);
        }
    };
    let (sender, receiver) = oneshot::channel();
    let ended = Ended {
        sender: Mutex::new(Some(sender)),
    };
    task.call_method1("add_done_callback", (ended,))?;
    let cancel = Cancel {
        task: Some(task.unbind()),
    };
    Ok(Box::pin(async move {
        let mut cancel = cancel;
        let _busy = busy;
        let returned = receiver
            .await
            .map_err(|_| wasmtime::Error::msg("the event loop dropped the coroutine"))?;
        cancel.task = None;
        Ok(Box::new(returned) as Answer)
    }))
}

/// The coroutine's future, and a guard that holds while it runs.
fn submit<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Option<Busy>)> {
    let py = coroutine.py();
    let submit = py.import("asyncio")?.getattr("run_coroutine_threadsafe")?;
    let Some(caller) = caller::current() else {
        return Ok((submit.call1((coroutine, own_loop(py)?))?, None));
    };
    let event_loop = caller.event_loop(py).map_or_else(|| own_loop(py), Ok)?;
    let arguments = (coroutine, event_loop).into_pyobject(py)?;
    caller
        .call(&submit, &arguments)
        .map(|(task, busy)| (task, Some(busy)))
}

fn own_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let event_loop = OWN_LOOP.get_or_try_init(py, || {
        let event_loop = py.import("asyncio")?.call_method0("new_event_loop")?;
        let options = pyo3::types::PyDict::new(py);
        options.set_item("target", event_loop.getattr("run_forever")?)?;
        options.set_item("name", "airssys-coroutines")?;
        options.set_item("daemon", true)?;
        let thread = py
            .import("threading")?
            .getattr("Thread")?
            .call((), Some(&options))?;
        thread.call_method0("start")?;
        Ok::<_, PyErr>(event_loop.unbind())
    })?;
    Ok(event_loop.bind(py).clone())
}

/// Hears that the coroutine ended.
#[pyclass(frozen, module = "airssys_wasm._native.runtime")]
struct Ended {
    sender: Mutex<Option<Sender>>,
}

#[pymethods]
impl Ended {
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        let returned = task.call_method0("result").map(Bound::unbind);
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(sender) = sender {
            // Nobody listens once the guest is gone.
            let _ = sender.send(returned);
        }
    }
}

/// Cancels a coroutine whose guest is gone.
struct Cancel {
    task: Option<Py<PyAny>>,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            // A task that cannot be cancelled has ended already.
            Python::attach(|py| drop(task.call_method0(py, "cancel")));
        }
    }
}
