//! The call that a host function works for.
//!
//! A call of the same instance from inside would wait for itself; here it is
//! told from one that only has to wait its turn. On the thread that runs the host
//! function a list of the instances served tells it. A guest whose imports may
//! wait goes on in other threads: its host functions run in a copy of the caller's
//! context, its coroutines on the caller's event loop, and both carry a mark.

use crate::error::{Error, Result};
use airssys_host::Instance;
use airssys_host::instance::{Function, Invocation, StoreData, Target};
use airssys_host::wasmtime::{self, Store};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The innermost call that the running Python code serves.
static SERVED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

tokio::task_local! {
    static CURRENT: Option<Arc<Caller>>;
}

thread_local! {
    /// The instances whose host functions run on this thread, innermost last.
    static SERVING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Names an instance for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceId(usize);

impl InstanceId {
    /// Of this instance.
    pub fn of(instance: &Arc<Instance>) -> InstanceId {
        InstanceId(Arc::as_ptr(instance).addr())
    }
}

/// A host function of an instance runs on this thread; dropped when it ends.
pub struct Serving;

impl Serving {
    /// Notes the instance.
    pub fn note(instance: InstanceId) -> Serving {
        SERVING.with_borrow_mut(|serving| serving.push(instance.0));
        Serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        SERVING.with_borrow_mut(Vec::pop);
    }
}

/// Who called, and where.
pub struct Caller {
    instance: InstanceId,
    event_loop: Option<Py<PyAny>>,
    context: Py<PyAny>,
    mark: PyOnceLock<Py<Mark>>,
    /// The instances whose host functions this call is made from: its guest may go
    /// on in a thread whose list does not have them.
    served: Vec<usize>,
}

/// What the context of a host function carries.
#[pyclass(frozen, module = "airssys_wasm._native.runtime")]
struct Mark {
    instance: InstanceId,
    /// Host functions of that call that are running: a concurrent guest can have
    /// several in flight.
    busy: AtomicUsize,
    outer: Option<Py<Mark>>,
}

/// A running host function; dropped when it ends.
pub struct Busy {
    mark: Py<Mark>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.mark.get().busy.fetch_sub(1, Ordering::Release);
    }
}

/// The call of `instance` whose guest runs on this thread, if its imports may
/// wait.
pub fn current(instance: InstanceId) -> Option<Arc<Caller>> {
    let caller = CURRENT.try_with(Option::clone).ok().flatten()?;
    // A host function may have called another instance, which never waits.
    (caller.instance == instance).then_some(caller)
}

/// Fails if the running Python code serves a call of this very instance.
///
/// # Errors
///
/// [`HostError::Reentrant`].
pub fn refuse_reentrant(py: Python<'_>, instance: &Arc<Instance>, target: Target) -> Result<()> {
    let id = InstanceId::of(instance);
    if is_served(id) || is_marked(py, id)? {
        return Err(Error::Host(instance.reentrant(target)));
    }
    Ok(())
}

fn is_served(instance: InstanceId) -> bool {
    let by_caller = |caller: &Option<Arc<Caller>>| {
        let caller = caller.as_ref();
        caller.is_some_and(|caller| caller.served.contains(&instance.0))
    };
    SERVING.with_borrow(|serving| serving.contains(&instance.0))
        || CURRENT.try_with(by_caller).unwrap_or(false)
}

/// All that [`is_served`] finds here.
fn served() -> Vec<usize> {
    let by_caller =
        |caller: &Option<Arc<Caller>>| caller.as_ref().map(|caller| caller.served.clone());
    let mut served = CURRENT
        .try_with(by_caller)
        .ok()
        .flatten()
        .unwrap_or_default();
    SERVING.with_borrow(|serving| served.extend_from_slice(serving));
    served
}

fn is_marked(py: Python<'_>, instance: InstanceId) -> PyResult<bool> {
    // Before the first host function ran there is nothing to be inside of.
    let Some(served) = SERVED.get(py) else {
        return Ok(false);
    };
    let innermost = served.bind(py).call_method1("get", (py.None(),))?;
    let mut mark = innermost.cast_into::<Mark>().ok().map(Bound::unbind);
    while let Some(this) = mark {
        let this = this.get();
        if this.instance == instance && this.busy.load(Ordering::Acquire) > 0 {
            return Ok(true);
        }
        mark = this.outer.as_ref().map(|outer| outer.clone_ref(py));
    }
    Ok(false)
}

impl Caller {
    /// The caller of `instance`, on the event loop of this thread or on none.
    fn new(py: Python<'_>, instance: &Arc<Instance>, on_loop: bool) -> PyResult<Arc<Caller>> {
        static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let context = COPY
            .import(py, "contextvars", "copy_context")?
            .call0()?
            .unbind();
        let event_loop = if on_loop {
            // No loop runs here: coroutines get one of our own.
            RUNNING
                .import(py, "asyncio", "get_running_loop")?
                .call0()
                .ok()
        } else {
            None
        };
        Ok(Arc::new(Caller {
            instance: InstanceId::of(instance),
            event_loop: event_loop.map(Bound::unbind),
            context,
            mark: PyOnceLock::new(),
            served: served(),
        }))
    }

    /// The event loop it awaits on.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.event_loop
            .as_ref()
            .map(|event_loop| event_loop.bind(py).clone())
    }

    /// Calls in the caller's context, marked; the mark holds until the guard is
    /// dropped.
    ///
    /// # Errors
    ///
    /// What the callable raised.
    pub fn call<'py>(
        &self,
        callable: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<(Bound<'py, PyAny>, Busy)> {
        let py = callable.py();
        let mark = self.mark.get_or_try_init(py, || self.marked(py))?;
        mark.get().busy.fetch_add(1, Ordering::Release);
        let busy = Busy {
            mark: mark.clone_ref(py),
        };
        let all = std::iter::once(callable.clone()).chain(arguments.iter());
        let all = PyTuple::new(py, all.collect::<Vec<_>>())?;
        let returned = self.context.bind(py).getattr("run")?.call1(all)?;
        Ok((returned, busy))
    }

    fn marked(&self, py: Python<'_>) -> PyResult<Py<Mark>> {
        let served = SERVED.get_or_try_init(py, || {
            let variable = py.import("contextvars")?.getattr("ContextVar")?;
            variable.call1(("airssys_wasm_served",)).map(Bound::unbind)
        })?;
        let context = self.context.bind(py);
        let outer = context.call_method1("get", (served, py.None()))?;
        let outer = outer.cast_into::<Mark>().ok().map(Bound::unbind);
        let mark = Mark {
            instance: self.instance,
            busy: AtomicUsize::new(0),
            outer,
        };
        let mark = Py::new(py, mark)?;
        let set = served.bind(py).getattr("set")?;
        context.call_method1("run", (set, mark.clone_ref(py)))?;
        Ok(mark)
    }
}

/// A call that knows its caller wherever its guest goes on.
pub struct Called<I> {
    /// Nobody, if no import of its instance waits.
    caller: Option<Arc<Caller>>,
    invocation: I,
}

impl<I> Called<I> {
    /// A call of an instance. If its imports may wait, then with `on_loop` its
    /// coroutines run on the event loop of this thread, which must be free to
    /// run them.
    ///
    /// # Errors
    ///
    /// If Python cannot say where we are.
    pub fn new(
        py: Python<'_>,
        instance: &Arc<Instance>,
        invocation: I,
        on_loop: bool,
    ) -> Result<Called<I>> {
        let caller = if instance.waits() {
            Some(Caller::new(py, instance, on_loop)?)
        } else {
            None
        };
        Ok(Called { caller, invocation })
    }
}

impl<I: Invocation> Invocation for Called<I> {
    type Output = I::Output;

    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<I::Output> {
        CURRENT.sync_scope(self.caller, || self.invocation.call(store, function))
    }

    fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> impl Future<Output = wasmtime::Result<I::Output>> + Send {
        CURRENT.scope(self.caller, self.invocation.call_async(store, function))
    }

    fn bytes_in(&self) -> u64 {
        self.invocation.bytes_in()
    }

    fn bytes_out(output: &I::Output) -> u64 {
        I::bytes_out(output)
    }
}
