//! Python objects and functions that stand for a component's imports.

use super::caller::{self, Caller, InstanceId, Serving};
use super::coroutine;
use super::exit;
use super::gil;
use crate::error::err_value;
use crate::value::{FunctionPlan, Handles, Mismatch, Outcome, Plan, lift, lower, side};
use airssys_host::instance::{HeldBytes, StoreData};
use airssys_host::linker::{Answer, Embedder, HostObject, Pending};
use airssys_host::trap::HostFunctionFailed;
use airssys_host::wasmtime::component::{Resource, ResourceAny, Val};
use airssys_host::wasmtime::{self, StoreContextMut};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What the embedder gave for the imports of one instance.
pub struct PythonImports {
    functions: Vec<Function>,
    /// Nobody's until the instance exists; start functions run before that.
    instance: OnceLock<InstanceId>,
    objects: Mutex<HashMap<u32, Py<PyAny>>>,
    next: AtomicU32,
}

/// One supplied function.
pub struct Function {
    /// `interface#function`, or `function` for one of the world itself.
    pub name: String,
    /// What is called.
    pub target: Target,
    /// Its values.
    pub plan: FunctionPlan,
}

/// What a supplied function is in Python.
pub enum Target {
    /// Called as it is.
    Plain(Py<PyAny>),
    /// A method looked up on the first argument, the resource.
    Method(Py<PyString>),
}

impl PythonImports {
    /// Runs these functions, by index.
    pub fn new(functions: Vec<Function>) -> PythonImports {
        PythonImports {
            functions,
            instance: OnceLock::new(),
            objects: Mutex::default(),
            next: AtomicU32::new(1),
        }
    }

    /// The embedder of a store whose component was linked through a lane.
    ///
    /// # Errors
    ///
    /// If the store has another kind of embedder.
    pub fn of(embedder: &dyn Embedder) -> wasmtime::Result<&PythonImports> {
        let embedder: &dyn Any = embedder;
        embedder
            .downcast_ref()
            .ok_or_else(|| wasmtime::Error::msg("the store's imports are not Python's"))
    }

    /// Names the instance they serve.
    pub fn serve(&self, instance: InstanceId) {
        // There is one instance for each; a second would change nothing.
        let _ = self.instance.set(instance);
    }

    /// Calls a function, in the context of the caller where its guest may have
    /// moved away from it.
    ///
    /// # Errors
    ///
    /// Whatever it raises.
    pub fn invoke<'py>(
        &self,
        py: Python<'py>,
        function: &Function,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(caller) = self.caller() else {
            return match &function.target {
                Target::Plain(callable) => callable.bind(py).call1(arguments),
                Target::Method(name) => {
                    let (method, rest) = method(py, name, arguments)?;
                    method.call1(rest)
                }
            };
        };
        let (callable, arguments) = match &function.target {
            Target::Plain(callable) => (callable.bind(py).clone(), arguments.clone()),
            Target::Method(name) => method(py, name, arguments)?,
        };
        caller
            .call(&callable, &arguments)
            .map(|(returned, _)| returned)
    }

    fn caller(&self) -> Option<Arc<Caller>> {
        caller::current(*self.instance.get()?)
    }

    /// Starts a function that waits; its coroutine keeps `held`.
    ///
    /// # Errors
    ///
    /// Whatever it raises before it waits.
    pub fn start<'py>(
        &self,
        py: Python<'py>,
        function: &Function,
        arguments: &Bound<'py, PyTuple>,
        held: Option<HeldBytes>,
    ) -> PyResult<Pending> {
        let coroutine = self.invoke(py, function, arguments)?;
        coroutine::run(&coroutine, self.caller(), held)
    }

    /// Shows the garbage collector what is held here.
    ///
    /// # Errors
    ///
    /// Whatever the collector says.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        for function in &self.functions {
            match &function.target {
                Target::Plain(callable) => visit.call(callable)?,
                Target::Method(_) => {}
            }
        }
        // Held only for a moment, and never by the thread that collects.
        match self.objects.try_lock() {
            Ok(objects) => objects.values().try_for_each(|object| visit.call(object)),
            Err(_) => Ok(()),
        }
    }

    /// Runs function `index` with Python at hand.
    ///
    /// # Errors
    ///
    /// What it raised, as what ends the guest.
    pub fn run<T>(
        &self,
        index: usize,
        run: impl FnOnce(Python<'_>, &Function) -> PyResult<T>,
    ) -> wasmtime::Result<T> {
        gil::resume();
        let _serving = self.serving();
        let function = &self.functions[index];
        // What an error says is Python's to say, so it is asked while that may be.
        exit::attach(|py| run(py, function).map_err(|error| (error.to_string(), error)))
            .unwrap_or_else(|| Err((exit::ENDING_TEXT.to_owned(), exit::turned_away())))
            .map_err(|(message, error)| self.failed(index, message, error))
    }

    /// Runs the end of function `index`, whose coroutine answered.
    ///
    /// # Errors
    ///
    /// As for [`PythonImports::run`].
    pub fn run_answered<T>(
        &self,
        index: usize,
        answer: Answer,
        run: impl FnOnce(Python<'_>, &Function, PyResult<Bound<'_, PyAny>>) -> PyResult<T>,
    ) -> wasmtime::Result<T> {
        let Ok(returned) = answer.downcast::<PyResult<Py<PyAny>>>() else {
            return Err(wasmtime::Error::msg(
                "a coroutine answered with something else",
            ));
        };
        self.run(index, |py, function| {
            let returned = returned.map(|value| value.into_bound(py));
            run(py, function, returned)
        })
    }

    fn serving(&self) -> Option<Serving> {
        self.instance.get().copied().map(Serving::note)
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<u32, Py<PyAny>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arguments<'py>(
        &self,
        py: Python<'py>,
        function: &Function,
        store: &mut StoreContextMut<'_, StoreData>,
        params: &[Val],
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut handles = Objects {
            imports: self,
            store,
        };
        let lifted: PyResult<Vec<_>> = function
            .plan
            .params
            .iter()
            .zip(params)
            .map(|((_, plan), value)| lift(py, plan, value.clone(), &mut handles))
            .collect();
        PyTuple::new(py, lifted?)
    }

    /// Turns what Python returned or raised into the function's results.
    fn conclude(
        &self,
        py: Python<'_>,
        function: &Function,
        store: &mut StoreContextMut<'_, StoreData>,
        returned: PyResult<Bound<'_, PyAny>>,
        results: &mut [Val],
    ) -> PyResult<()> {
        let mut handles = Objects {
            imports: self,
            store,
        };
        let lowered = match (&function.plan.result, returned) {
            (None, returned) => return nothing(&returned?),
            (Some(Plan::Result { ok, err }), returned) => {
                result(py, ok.as_deref(), err.as_deref(), returned, &mut handles)?
            }
            (Some(plan), returned) => lower(plan, &returned?, &mut handles),
        };
        let lowered = lowered.map_err(|mismatch| {
            crate::error::Error::from(mismatch.in_field("the returned value"))
        })?;
        if let Some(slot) = results.first_mut() {
            *slot = lowered;
        }
        Ok(())
    }

    fn failed(&self, index: usize, message: String, error: PyErr) -> wasmtime::Error {
        HostFunctionFailed {
            function: self.functions[index].name.clone(),
            message: shortened(message),
            cause: Some(Box::new(error)),
        }
        .into()
    }
}

/// Bytes kept of what an exception says. It may tell of a call that failed inside
/// this one, which told of one inside that, and so on; the exception itself, which
/// is the cause, still says all of it.
const SAID_BYTES_MAX: usize = 1024;

fn shortened(mut said: String) -> String {
    if said.len() > SAID_BYTES_MAX {
        said.truncate(said.floor_char_boundary(SAID_BYTES_MAX));
        said.push('…');
    }
    said
}

/// What a function without a result returned is of no use to the guest, but if it
/// is still to be awaited, the function has not run.
///
/// # Errors
///
/// For an awaitable.
pub fn nothing(returned: &Bound<'_, PyAny>) -> PyResult<()> {
    if returned.is_none() || !returned.hasattr("__await__")? {
        return Ok(());
    }
    if returned.hasattr("close")? {
        // Else Python warns that nobody ever awaited it.
        returned.call_method0("close")?;
    }
    let why = "an awaitable came back from a function that is no coroutine function; \
               hint: make it `async def`, wrappers included";
    let mismatch = Mismatch::because(why.to_owned()).in_field("the returned value");
    Err(crate::error::Error::from(mismatch).into())
}

/// The method of the resource that comes first, and the other arguments.
fn method<'py>(
    py: Python<'py>,
    name: &Py<PyString>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
    let this = arguments.get_item(0)?;
    let method = this.getattr(name.bind(py))?;
    Ok((method, arguments.get_slice(1, arguments.len())))
}

// A ComponentError is the guest's `err`, if the function has one; anything
// else that Python raises ends the guest.
fn result(
    py: Python<'_>,
    ok: Option<&Plan>,
    err: Option<&Plan>,
    returned: PyResult<Bound<'_, PyAny>>,
    handles: &mut dyn Handles,
) -> PyResult<Outcome<Val>> {
    match returned {
        Ok(value) => Ok(side(ok, &value, "ok", handles).map(|value| Val::Result(Ok(value)))),
        Err(error) => match err_value(py, &error)? {
            Some(value) => {
                Ok(side(err, &value, "err", handles).map(|value| Val::Result(Err(value))))
            }
            None => Err(error),
        },
    }
}

// The store goes, and what it holds with it, while the GIL may be given up.
impl Drop for PythonImports {
    fn drop(&mut self) {
        gil::resume();
    }
}

impl Embedder for PythonImports {
    fn call(
        &self,
        mut store: StoreContextMut<'_, StoreData>,
        index: usize,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        self.run(index, |py, function| {
            let arguments = self.arguments(py, function, &mut store, params)?;
            let returned = self.invoke(py, function, &arguments);
            self.conclude(py, function, &mut store, returned, results)
        })
    }

    fn start(
        &self,
        mut store: StoreContextMut<'_, StoreData>,
        index: usize,
        params: &[Val],
        held: Option<HeldBytes>,
    ) -> wasmtime::Result<Pending> {
        self.run(index, |py, function| {
            let arguments = self.arguments(py, function, &mut store, params)?;
            PythonImports::start(self, py, function, &arguments, held)
        })
    }

    fn finish(
        &self,
        mut store: StoreContextMut<'_, StoreData>,
        index: usize,
        answer: Answer,
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        self.run_answered(index, answer, |py, function, returned| {
            self.conclude(py, function, &mut store, returned, results)
        })
    }

    fn drop_object(&self, rep: u32) {
        gil::resume();
        let _serving = self.serving();
        let _ = exit::attach(|_| {
            let object = self.objects().remove(&rep);
            drop(object);
        });
    }
}

/// Host resources: numbers for the guest, Python objects for the embedder.
struct Objects<'a, 'store> {
    imports: &'a PythonImports,
    store: &'a mut StoreContextMut<'store, StoreData>,
}

impl Handles for Objects<'_, '_> {
    fn give<'py>(
        &mut self,
        py: Python<'py>,
        resource: ResourceAny,
        _methods: Option<&Arc<str>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let refused = |error: wasmtime::Error| {
            pyo3::exceptions::PyRuntimeError::new_err(format!("a resource of the guest: {error}"))
        };
        let handle: Resource<HostObject> = resource
            .try_into_resource(&mut *self.store)
            .map_err(refused)?;
        let mut objects = self.imports.objects();
        let found = if handle.owned() {
            objects.remove(&handle.rep())
        } else {
            objects
                .get(&handle.rep())
                .map(|object| object.clone_ref(py))
        };
        drop(objects);
        found.map(|object| object.into_bound(py)).ok_or_else(|| {
            pyo3::exceptions::PyRuntimeError::new_err("the host resource was dropped earlier")
        })
    }

    fn take(
        &mut self,
        value: &Bound<'_, PyAny>,
        owned: bool,
        _methods: Option<&Arc<str>>,
    ) -> Outcome<ResourceAny> {
        if !owned {
            return Err(Mismatch::because(
                "a result cannot lend a resource".to_owned(),
            ));
        }
        let rep = self.imports.next.fetch_add(1, Ordering::Relaxed);
        let handle = Resource::<HostObject>::new_own(rep);
        let resource = ResourceAny::try_from_resource(handle, &mut *self.store)
            .map_err(|error| Mismatch::because(format!("no more resources: {error}")))?;
        self.imports.objects().insert(rep, value.clone().unbind());
        Ok(resource)
    }
}
