//! `aw.Resource`: a handle to something inside an instance.

use super::calling;
use super::instance::Instance;
use crate::error::{Error, Result};
use airssys_host::wasmtime::component::ResourceAny;
use airssys_host::{self as host, Error as HostError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle to something inside an instance.
///
/// It lives until it is dropped, handed to a guest as its own, or its instance
/// closes. One that is garbage-collected instead is dropped at the start of the
/// instance's next call.
#[pyclass(frozen, module = "airssys_wasm", name = "Resource")]
pub struct Resource {
    instance: Py<Instance>,
    host: Arc<host::Instance>,
    /// What the names of its exported methods begin with.
    methods: Option<Arc<str>>,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    Here(ResourceAny),
    Dropped,
    Moved,
}

impl Resource {
    /// Wraps a handle that `instance` gave out.
    pub fn new(
        instance: Py<Instance>,
        host: Arc<host::Instance>,
        resource: ResourceAny,
        methods: Option<Arc<str>>,
    ) -> Self {
        Self {
            instance,
            host,
            methods,
            state: Mutex::new(State::Here(resource)),
        }
    }

    /// The handle, to be lent to its guest, or given away if `owned`.
    ///
    /// # Errors
    ///
    /// If it is gone; the text says how.
    pub fn pass(&self, owned: bool) -> std::result::Result<ResourceAny, String> {
        let mut state = self.lock();
        let State::Here(resource) = *state else {
            return Err(Self::gone(*state));
        };
        if owned {
            *state = State::Moved;
        }
        Ok(resource)
    }

    /// Takes the handle back from a call that did not happen.
    pub fn give_back(&self, resource: ResourceAny) {
        *self.lock() = State::Here(resource);
    }

    /// Whether it is the resource whose methods are wanted; what has none cannot
    /// be told apart here, and is by the guest.
    pub fn is_kind(&self, methods: Option<&Arc<str>>) -> bool {
        match (&self.methods, methods) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => true,
        }
    }

    fn gone(state: State) -> String {
        let how = match state {
            State::Here(_) => "in use",
            State::Dropped => "dropped",
            State::Moved => "given away to a guest",
        };
        format!("the resource was {how} earlier; hint: ask its component for a new one")
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it belongs to this instance: a handle means nothing elsewhere.
    pub fn belongs_to(&self, instance: &Arc<host::Instance>) -> bool {
        Arc::ptr_eq(&self.host, instance)
    }
}

// Collected without having been dropped: its guest is told at the next call.
impl Drop for Resource {
    fn drop(&mut self) {
        if let State::Here(resource) = *self.lock() {
            self.host.abandon(resource);
        }
    }
}

#[pymethods]
impl Resource {
    /// Call a method of the resource; as :meth:`Instance.call`.
    ///
    /// Raises:
    ///     ExportMissing: there is no such method.
    ///     ValueMismatch: an argument does not fit, or the resource is gone.
    #[pyo3(signature = (method, *args))]
    fn call<'py>(
        slf: &Bound<'py, Self>,
        method: &str,
        args: &Bound<'py, PyTuple>,
    ) -> Result<Bound<'py, PyAny>> {
        let this = slf.get();
        let Some(prefix) = &this.methods else {
            return Err(HostError::ExportMissing(format!(
                "the resource has no exported methods, so {method:?} cannot be called"
            ))
            .into());
        };
        Instance::call_method(this.instance.bind(slf.py()), slf, prefix, method, args)
    }

    /// Drop it; its destructor runs under the limits of a call. Dropping twice is harmless.
    ///
    /// Raises:
    ///     ComponentFailed: the destructor failed.
    fn drop(&self, py: Python<'_>) -> Result<()> {
        let mut state = self.lock();
        let State::Here(resource) = std::mem::replace(&mut *state, State::Dropped) else {
            return Ok(());
        };
        drop(state);
        if !self.host.is_open() {
            // It went with its instance.
            return Ok(());
        }
        let (target, invocation) = host::Instance::drop_resource(resource);
        let dropped = calling::run(py, &self.host, target, invocation);
        if dropped.as_ref().is_err_and(Error::nothing_ran) {
            self.give_back(resource);
        }
        dropped
    }

    /// Whether it was dropped, given away, or lost with its instance.
    #[getter]
    fn closed(&self) -> bool {
        !matches!(*self.lock(), State::Here(_)) || !self.host.is_open()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> Result<()> {
        self.drop(py)
    }

    #[allow(clippy::needless_pass_by_value, reason = "the shape PyO3 asks for")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        visit.call(&self.instance)
    }

    fn __repr__(&self) -> String {
        let state = match *self.lock() {
            State::Here(_) if self.host.is_open() => "open",
            State::Here(_) => "closed with its instance",
            State::Dropped => "dropped",
            State::Moved => "given away",
        };
        format!("<Resource of {:?}, {state}>", self.host.component().name())
    }
}

/// What is wrong with a handle from elsewhere.
pub const FOREIGN: &str =
    "the resource belongs to another instance; hint: a handle is only good where it was made";
/// What is wrong with a handle to something else.
pub const OTHER_KIND: &str =
    "the resource is of another type; hint: hand over one that this component made for it";
