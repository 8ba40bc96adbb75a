//! Python objects and functions that stand for a component's imports.

use super::caller::{self, Caller, InstanceId, Serving};
use super::coroutine;
use super::exit;
use super::gil;
use super::lanes;
use super::plans::Plans;
use crate::error::{Result, err_value};
use crate::value::{
    FunctionPlan, Handles, Mismatch, Outcome, Plan, attribute as python_name, lift, lower, side,
};
use airssys_host::instance::StoreData;
use airssys_host::linker::{Answer, Embedder, HostObject, Pending, StandIn, Supplied};
use airssys_host::trap::HostFunctionFailed;
use airssys_host::wasmtime::component::{Resource, ResourceAny, Val};
use airssys_host::wasmtime::{self, StoreContextMut};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
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
    name: String,
    target: Target,
    plan: FunctionPlan,
}

enum Target {
    /// Called as it is.
    Plain(Py<PyAny>),
    /// A method looked up on the first argument, the resource.
    Method(Py<PyString>),
}

/// What the embedder's mapping gives to one component.
#[derive(Default)]
pub struct Given {
    /// Functions that were found.
    pub functions: Vec<Supplied>,
    /// Interfaces that an object was given for.
    pub interfaces: Vec<StandIn>,
    /// Names that fit no import.
    pub unused: Vec<String>,
    /// Runs the functions.
    pub embedder: Option<Arc<PythonImports>>,
}

/// Finds a Python function for each import that `imports` covers. The host names
/// what is missing, and gives nothing of an interface that is covered.
///
/// # Errors
///
/// If something given is not callable, or a name is no text.
pub fn supply(py: Python<'_>, plans: &Plans, imports: Option<&Bound<'_, PyDict>>) -> Result<Given> {
    let Some(imports) = imports.filter(|imports| !imports.is_empty()) else {
        return Ok(Given::default());
    };
    let interfaces = stand_ins(plans, imports)?;
    let unused = unused(plans, imports)?;
    let mut supplied = Vec::new();
    let mut functions = Vec::new();
    let mut lacking = Vec::new();
    let mut failed = Ok(());
    plans.imports(|interface, name, ty| {
        if failed.is_err() {
            return;
        }
        match find(imports, interface, name) {
            Ok(None) => {
                if lacking.last().is_none_or(|last: &String| last != interface) {
                    lacking.push(interface.to_owned());
                }
            }
            Ok(Some((target, waits))) => {
                let full = if interface.is_empty() {
                    name.to_owned()
                } else {
                    format!("{interface}#{name}")
                };
                let plan = plans.import(py, ty);
                supplied.push(Supplied {
                    interface: interface.to_owned(),
                    function: name.to_owned(),
                    waits,
                    define: lanes::import_lane(&plan, waits),
                });
                functions.push(Function {
                    name: full,
                    target,
                    plan,
                });
            }
            Err(error) => failed = Err(error),
        }
    });
    failed?;
    let embedder = PythonImports {
        functions,
        instance: OnceLock::new(),
        objects: Mutex::default(),
        next: AtomicU32::new(1),
    };
    let mut given = Given {
        functions: supplied,
        interfaces,
        unused,
        embedder: Some(Arc::new(embedder)),
    };
    given.note_offers(&lacking, imports)?;
    Ok(given)
}

impl Given {
    /// Looks what there is on an object that lacks some function.
    fn note_offers(&mut self, lacking: &[String], imports: &Bound<'_, PyDict>) -> PyResult<()> {
        for stand_in in &mut self.interfaces {
            if lacking.contains(&stand_in.interface)
                && let Some(object) = object_for(imports, &stand_in.interface)?
            {
                stand_in.offers = offers(&object)?;
            }
        }
        Ok(())
    }
}

/// The interfaces of the component that `imports` has an object for.
fn stand_ins(plans: &Plans, imports: &Bound<'_, PyDict>) -> PyResult<Vec<StandIn>> {
    let mut found = Vec::new();
    for interface in plans.imported_interfaces() {
        if object_for(imports, interface)?.is_some() {
            found.push(StandIn {
                interface: interface.to_owned(),
                offers: Vec::new(),
            });
        }
    }
    Ok(found)
}

/// Names in `imports` that are none of the component's.
fn unused(plans: &Plans, imports: &Bound<'_, PyDict>) -> Result<Vec<String>> {
    let mut unused = Vec::new();
    for name in imports.keys() {
        let Ok(text) = name.cast::<PyString>() else {
            return Err(Mismatch::wrong_type(&name, "the name of an import")
                .in_field("imports")
                .into());
        };
        let given = text.to_string_lossy();
        let fits = plans.component().imports().iter().any(|import| {
            import.name == given
                || bare(&import.name) == given
                || python_name(&import.name) == given
        });
        if !fits {
            unused.push(given.into_owned());
        }
    }
    Ok(unused)
}

fn offers(object: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let names = match object.cast::<PyDict>() {
        Ok(functions) => functions.keys(),
        Err(_) => object.dir()?,
    };
    Ok(names
        .iter()
        .filter_map(|name| name.extract::<String>().ok())
        .filter(|name| !name.starts_with("__"))
        .collect())
}

fn bare(interface: &str) -> &str {
    interface
        .split_once('@')
        .map_or(interface, |(bare, _)| bare)
}

/// What was given for an interface, its version named or left out.
fn object_for<'py>(
    imports: &Bound<'py, PyDict>,
    interface: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(imports
        .get_item(interface)?
        .or(imports.get_item(bare(interface))?))
}

fn find(
    imports: &Bound<'_, PyDict>,
    interface: &str,
    name: &str,
) -> PyResult<Option<(Target, bool)>> {
    if interface.is_empty() {
        let given = imports
            .get_item(name)?
            .or(imports.get_item(python_name(name))?);
        return given.map(|given| plain(given, name)).transpose();
    }
    let Some(object) = object_for(imports, interface)? else {
        return Ok(None);
    };
    match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        None => attribute(&object, name)?
            .map(|found| plain(found, name))
            .transpose(),
        Some(("constructor", class)) => class_of(&object, class)?
            .map(|found| plain(found, name))
            .transpose(),
        Some((kind, path)) => {
            let Some((class, member)) = path.split_once('.') else {
                return Ok(None);
            };
            let Some(class) = class_of(&object, class)? else {
                return Ok(None);
            };
            let Some(member_found) = attribute(&class, member)? else {
                return Ok(None);
            };
            if kind == "static" {
                return plain(member_found, name).map(Some);
            }
            let waits = is_coroutine_function(&member_found)?;
            let method = PyString::intern(object.py(), &python_name(member)).unbind();
            Ok(Some((Target::Method(method), waits)))
        }
    }
}

fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    // A mapping of functions is as good as an object with methods.
    if let Ok(dict) = object.cast::<PyDict>() {
        return Ok(dict.get_item(name)?.or(dict.get_item(python_name(name))?));
    }
    object.getattr_opt(python_name(name))
}

/// The Python class for a resource: `Session`, or `session`.
fn class_of<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match attribute(object, &pascal_case(name))? {
        Some(class) => Ok(Some(class)),
        None => attribute(object, name),
    }
}

fn pascal_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
            .unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}

fn plain(found: Bound<'_, PyAny>, name: &str) -> PyResult<(Target, bool)> {
    if !found.is_callable() {
        let mismatch = Mismatch::wrong_type(&found, "a function").in_field(name);
        return Err(crate::error::Error::from(mismatch).into());
    }
    let waits = is_coroutine_function(&found)?;
    Ok((Target::Plain(found.unbind()), waits))
}

fn is_coroutine_function(found: &Bound<'_, PyAny>) -> PyResult<bool> {
    let inspect = found.py().import("inspect")?;
    if inspect
        .call_method1("iscoroutinefunction", (found,))?
        .is_truthy()?
    {
        return Ok(true);
    }
    // An object with `async def __call__` waits too.
    match found.get_type().getattr_opt("__call__")? {
        Some(call) => inspect
            .call_method1("iscoroutinefunction", (call,))?
            .is_truthy(),
        None => Ok(false),
    }
}

impl PythonImports {
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

    /// Starts a function that waits.
    ///
    /// # Errors
    ///
    /// Whatever it raises before it waits.
    pub fn start<'py>(
        &self,
        py: Python<'py>,
        function: &Function,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Pending> {
        let coroutine = self.invoke(py, function, arguments)?;
        coroutine::run(&coroutine, self.caller())
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
        exit::attach(|py| run(py, function))
            .unwrap_or_else(|| Err(exit::turned_away().into()))
            .map_err(|error| self.failed(index, error))
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

    fn failed(&self, index: usize, error: PyErr) -> wasmtime::Error {
        let message = error.to_string();
        HostFunctionFailed {
            function: self.functions[index].name.clone(),
            message,
            cause: Some(Box::new(error)),
        }
        .into()
    }
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
    ) -> wasmtime::Result<Pending> {
        self.run(index, |py, function| {
            let arguments = self.arguments(py, function, &mut store, params)?;
            PythonImports::start(self, py, function, &arguments)
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
