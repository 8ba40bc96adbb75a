//! Coroutines of the embedder, awaited by a guest.
//!
//! A coroutine runs on the event loop that awaits the call, else on a loop of our
//! own in a thread of its own.

use super::caller::{Busy, Caller};
use super::exit;
use airssys_host::instance::HeldBytes;
use airssys_host::linker::{Answer, Pending};
use airssys_host::wasmtime;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::PyTuple;
use std::ffi::CStr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

static OWN_LOOP: Mutex<Option<(u32, Py<PyAny>)>> = Mutex::new(None);

type Sender = oneshot::Sender<PyResult<Py<PyAny>>>;

/// Starts `coroutine` for `caller` and gives what waits for it; dropping that cancels
/// it. A coroutine that was cancelled goes on for as long as it likes, and its loop may
/// not get round to it: until it is gone, it keeps `held`.
///
/// # Errors
///
/// If no event loop can be had.
pub fn run(
    coroutine: &Bound<'_, PyAny>,
    caller: Option<Arc<Caller>>,
    held: Option<HeldBytes>,
) -> PyResult<Pending> {
    let kept = match held {
        Some(held) => Bound::new(
            coroutine.py(),
            Keeper {
                coroutine: coroutine.clone().unbind(),
                _held: held,
            },
        )?
        .into_any(),
        None => coroutine.clone(),
    };
    let (task, busy) = match submit(&kept, caller) {
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
fn submit<'py>(
    coroutine: &Bound<'py, PyAny>,
    caller: Option<Arc<Caller>>,
) -> PyResult<(Bound<'py, PyAny>, Option<Busy>)> {
    let py = coroutine.py();
    let submit = py.import("asyncio")?.getattr("run_coroutine_threadsafe")?;
    let Some(caller) = caller else {
        return Ok((submit.call1((coroutine, own_loop(py)?))?, None));
    };
    let event_loop = caller.event_loop(py).map_or_else(|| own_loop(py), Ok)?;
    let arguments = (coroutine, event_loop).into_pyobject(py)?;
    caller
        .call(&submit, &arguments)
        .map(|(task, busy)| (task, Some(busy)))
}

// Ctrl-C or exit() in a coroutine ends `run_forever`, though the coroutine's task
// keeps it as its outcome: the loop has to go on for the others. It is Python's own
// code because a thread in it may not be unwound through ours when Python ends.
const SERVE: &CStr = c"
def serve(loop):
    while not loop.is_closed():
        try:
            loop.run_forever()
        except BaseException:
            pass
";

/// The loop for coroutines whose caller has none, and the process it runs in.
fn own_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let mut own = OWN_LOOP
        .lock_py_attached(py)
        .unwrap_or_else(PoisonError::into_inner);
    if let Some((process, event_loop)) = own.as_ref() {
        let event_loop = event_loop.bind(py);
        let alive = !event_loop.call_method0("is_closed")?.is_truthy()?;
        if alive && *process == std::process::id() {
            return Ok(event_loop.clone());
        }
    }
    let event_loop = start_loop(py)?;
    *own = Some((std::process::id(), event_loop.clone().unbind()));
    Ok(event_loop)
}

fn start_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let event_loop = py.import("asyncio")?.call_method0("new_event_loop")?;
    let module = PyModule::from_code(py, SERVE, c"airssys_wasm_loop.py", c"airssys_wasm_loop")?;
    let options = pyo3::types::PyDict::new(py);
    options.set_item("target", module.getattr("serve")?)?;
    options.set_item("args", (&event_loop,))?;
    options.set_item("name", "airssys-coroutines")?;
    options.set_item("daemon", true)?;
    let thread = py
        .import("threading")?
        .getattr("Thread")?
        .call((), Some(&options))?;
    thread.call_method0("start")?;
    Ok(event_loop)
}

/// A coroutine, and what its arguments take of the host: to an event loop it is the
/// coroutine itself.
#[pyclass(frozen, module = "airssys_wasm._native.runtime")]
struct Keeper {
    coroutine: Py<PyAny>,
    _held: HeldBytes,
}

#[pymethods]
impl Keeper {
    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine
            .bind(value.py())
            .call_method1(intern!(value.py(), "send"), (value,))
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine
            .bind(error.py())
            .call_method1(intern!(error.py(), "throw"), error.clone())
    }

    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).call_method0(intern!(py, "close"))
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).call_method0("__await__")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.coroutine.bind(py).repr()?.to_string())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.coroutine)
    }
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

/// Cancels a coroutine whose guest is gone, or has given it up.
struct Cancel {
    task: Option<Py<PyAny>>,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        let cancel = CancelHere(Some(task));
        // A guest gives a call up on its own stack, where Python must not run without
        // a look at how much of that is left: what is cancelled may call guests.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { drop(cancel) });
        }
    }
}

/// Cancels a coroutine on the thread that drops this.
struct CancelHere(Option<Py<PyAny>>);

impl Drop for CancelHere {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            // A task that cannot be cancelled has ended already.
            let _ = exit::attach_aside(|py| drop(task.call_method0(py, "cancel")));
        }
    }
}
