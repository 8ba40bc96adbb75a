//! `aw.Instance`: a live component instance and its calls.

use super::caller::InstanceId;
use super::calling::{self, When};
use super::given::{Delivery, Given, Moved};
use super::imports::PythonImports;
use super::plans::{ExportPlan, Plans};
use super::receipt::Receipt;
use super::resource::{self, Resource};
use crate::error::Result;
use crate::value::{FunctionPlan, Handles, Mismatch, Outcome, Plan, lift, lower, raise_err};
use airssys_host as host;
use airssys_host::instance::{Dynamic, Target};
use airssys_host::wasmtime::component::{ResourceAny, Val};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::sync::{Arc, Weak};

/// A live instance of a component.
///
/// Threads may share it: it serves one call at a time, and others wait their turn.
/// When a call fails it is closed for good.
#[pyclass(frozen, weakref, module = "airssys_wasm", name = "Instance")]
pub struct Instance {
    pub(super) host: Arc<host::Instance>,
    plans: Arc<Plans>,
    /// What its imports run, for the garbage collector: they often hold on to
    /// the very object that holds the instance.
    /// They go with the store, not with this handle.
    imports: Weak<PythonImports>,
}

impl Instance {
    /// Wraps a live instance.
    pub fn new(
        host: Arc<host::Instance>,
        plans: Arc<Plans>,
        imports: Option<Arc<PythonImports>>,
    ) -> Instance {
        if let Some(imports) = &imports {
            imports.serve(InstanceId::of(&host));
        }
        Instance {
            host,
            plans,
            imports: imports.as_ref().map(Arc::downgrade).unwrap_or_default(),
        }
    }

    /// The instance itself.
    pub fn host(&self) -> &Arc<host::Instance> {
        &self.host
    }

    /// Calls a method of a resource that this instance gave out.
    pub fn call_method<'py>(
        slf: &Bound<'py, Self>,
        resource: &Bound<'py, Resource>,
        prefix: &str,
        method: &str,
        args: &Bound<'py, PyTuple>,
    ) -> Result<Bound<'py, PyAny>> {
        let py = slf.py();
        let name = PyString::new(py, &format!("{prefix}{method}"));
        let all = std::iter::once(resource.clone().into_any()).chain(args.iter());
        let args = PyTuple::new(py, all.collect::<Vec<_>>())?;
        Self::invoke(slf, &name, &args)
    }

    #[inline]
    fn invoke<'py>(
        slf: &Bound<'py, Self>,
        function: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
    ) -> Result<Bound<'py, PyAny>> {
        let this = slf.get();
        let (index, plan) = this.plans.export(function)?;
        let params = &plan.function.params;
        if params.len() != args.len() {
            return Err(wrong_count(function, &plan.function, args.len()).into());
        }
        let target = Target::Export(index);
        match plan.lane {
            Some(lane) if !this.host.waits() => {
                (lane.run)(slf.py(), &this.host, target, &plan.function, args)
            }
            _ => Self::start(slf, index, plan, args, When::Now),
        }
    }

    /// Calls a guest that may wait, or with values that have no lane.
    fn start<'py>(
        slf: &Bound<'py, Self>,
        index: usize,
        plan: &ExportPlan,
        args: &Bound<'py, PyTuple>,
        when: When,
    ) -> Result<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let target = Target::Export(index);
        if let Some(start) = plan.lane.and_then(|lane| lane.start) {
            return start(slf.as_any(), &this.host, target, &plan.function, args, when);
        }
        let (call, given) = this.lower_call(plan, args)?;
        let call = Delivery::new(call, given.clone());
        if when == When::Now && !this.host.waits() {
            let results = calling::run_here(py, &this.host, target, call)?;
            return Ok(Self::lift_results(slf, &plan.function, results)?);
        }
        let (instance, plans) = (slf.clone().unbind(), Arc::clone(&this.plans));
        calling::start(
            py,
            &this.host,
            target,
            call,
            when,
            given,
            move |py, ended| {
                let plan = plans.at(py, index);
                Ok(Self::lift_results(
                    instance.bind(py),
                    &plan.function,
                    ended?,
                )?)
            },
        )
    }

    fn lower_call(
        &self,
        plan: &ExportPlan,
        args: &Bound<'_, PyTuple>,
    ) -> Outcome<(Dynamic, Option<Given>)> {
        if let Some(refused) = &plan.refused {
            return Err(Mismatch::because(refused.clone()));
        }
        let mut handles = Taking {
            host: &self.host,
            moved: Moved::default(),
        };
        let params = &plan.function.params;
        let mut lowered = Vec::with_capacity(params.len());
        for ((name, plan), value) in params.iter().zip(args.as_slice()) {
            match lower(plan, value, &mut handles) {
                Ok(value) => lowered.push(value),
                Err(mismatch) => return Err(mismatch.in_field(name)),
            }
        }
        let results = usize::from(plan.function.result.is_some());
        Ok((Dynamic::new(lowered, results), Given::new(handles.moved)))
    }

    fn lift_results<'py>(
        slf: &Bound<'py, Self>,
        plan: &FunctionPlan,
        results: Vec<Val>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let (Some(plan), Some(value)) = (&plan.result, results.into_iter().next()) else {
            return Ok(py.None().into_bound(py));
        };
        let mut handles = Giving { instance: slf };
        match plan {
            Plan::Result { .. } => raise_err(py, plan, value, &mut handles),
            _ => lift(py, plan, value, &mut handles),
        }
    }
}

fn wrong_count(function: &Bound<'_, PyString>, plan: &FunctionPlan, given: usize) -> Box<Mismatch> {
    let params: Vec<_> = plan
        .params
        .iter()
        .map(|(name, plan)| format!("{name}: {}", plan.name()))
        .collect();
    Mismatch::because(format!(
        "{function} takes {} argument{} ({}), got {given}",
        params.len(),
        if params.len() == 1 { "" } else { "s" },
        params.join(", ")
    ))
}

/// Handles on their way to the guest.
struct Taking<'a> {
    host: &'a Arc<host::Instance>,
    moved: Moved,
}

impl Handles for Taking<'_> {
    fn give<'py>(
        &mut self,
        _py: Python<'py>,
        _resource: ResourceAny,
        _methods: Option<&Arc<str>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Err(pyo3::exceptions::PyRuntimeError::new_err(
            "arguments give no handles out",
        ))
    }

    fn take(
        &mut self,
        value: &Bound<'_, PyAny>,
        owned: bool,
        methods: Option<&Arc<str>>,
    ) -> Outcome<ResourceAny> {
        let resource = value
            .cast::<Resource>()
            .map_err(|_| Mismatch::wrong_type(value, "aw.Resource"))?;
        let handle = resource.get();
        if !handle.belongs_to(self.host) {
            return Err(Mismatch::because(resource::FOREIGN.to_owned()));
        }
        if !handle.is_kind(methods) {
            return Err(Mismatch::because(resource::OTHER_KIND.to_owned()));
        }
        let passed = handle.pass(owned).map_err(Mismatch::because)?;
        if owned {
            self.moved.add(resource.clone().unbind(), passed);
        }
        Ok(passed)
    }
}

/// Handles on their way to Python.
struct Giving<'a, 'py> {
    instance: &'a Bound<'py, Instance>,
}

impl Handles for Giving<'_, '_> {
    fn give<'py>(
        &mut self,
        py: Python<'py>,
        resource: ResourceAny,
        methods: Option<&Arc<str>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let host = Arc::clone(&self.instance.get().host);
        let instance = self.instance.clone().unbind();
        let resource = Resource::new(instance, host, resource, methods.cloned());
        Ok(Bound::new(py, resource)?.into_any())
    }

    fn take(
        &mut self,
        _value: &Bound<'_, PyAny>,
        _owned: bool,
        _methods: Option<&Arc<str>>,
    ) -> Outcome<ResourceAny> {
        Err(Mismatch::because("results take no handles".to_owned()))
    }
}

#[pymethods]
impl Instance {
    /// Call an exported function.
    ///
    /// The GIL is held until the first epoch tick, at most a millisecond, and
    /// given up for the rest of the call.
    ///
    /// Args:
    ///     function: ``interface#function``, the version optional when only one
    ///         interface fits, or ``function`` for an export of the world itself.
    ///     args: its arguments: bool, int, float, str (``char`` too), bytes for
    ///         ``list<u8>``, any sequence (any buffer of the same number type for a
    ///         list of numbers), dict or dataclass for a record, ``Variant``, str
    ///         for an enum, a set of str for flags, ``None`` or a value for an
    ///         option, ``Resource``. The empty value of an option inside an option
    ///         is ``Variant("some", None)``.
    ///
    /// Returns:
    ///     Its result in the same types; for a ``result`` the ``ok`` value.
    ///
    /// Raises:
    ///     ComponentError: the function returned ``err``; ``.value`` has it.
    ///     ValueMismatch: an argument does not fit; the guest did not run.
    ///     ExportMissing: there is no such function.
    ///     Trapped: the guest trapped, or a host function failed under it.
    ///     CallTimeout: the deadline passed.
    ///     FuelExhausted: the fuel ran out.
    ///     OutOfMemory: the guest needed more memory than its limit, or its values
    ///         more of the host.
    ///     InstanceClosed: the instance was closed, or failed earlier.
    ///     InstanceBusy: another call had the instance for as long as a call may last.
    ///     ReentrantCall: a host function called the instance that it runs for. A
    ///         thread it started itself is not recognised, and waits its turn.
    ///     CapacityExhausted: this thread has too little stack left for a guest.
    ///     SystemExit: the program is ending, and this is not its main thread.
    #[pyo3(signature = (function, *args))]
    fn call<'py>(
        slf: &Bound<'py, Self>,
        function: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
    ) -> Result<Bound<'py, PyAny>> {
        Self::invoke(slf, function, args)
    }

    /// Call an exported function without holding the event loop up.
    ///
    /// The call starts at once, before it is awaited: a guest that ends within a
    /// millisecond and never waits has ended when this returns, any other goes on in
    /// threads of its own. A sync function of the embedder that it calls in that time
    /// runs on this thread. Cancelling the task that awaits it ends the call, and closes
    /// the instance if the guest had begun; one that nobody awaits runs to its end.
    ///
    /// Args:
    ///     function: as for :meth:`call`.
    ///     args: as for :meth:`call`.
    ///
    /// Returns:
    ///     A coroutine with the result: to be awaited once, or given to
    ///     ``asyncio.create_task``, ``gather``, ``wait_for`` or a task group.
    ///
    /// Raises:
    ///     ValueMismatch: an argument does not fit; the guest did not run.
    ///     ExportMissing: there is no such function.
    ///     ReentrantCall: as for :meth:`call`.
    ///     RuntimeError: no event loop runs in this thread, whether the guest would
    ///         have to wait or not; it did not run, and the instance is as it was.
    ///         Awaiting again what was awaited raises it too.
    #[pyo3(signature = (function, *args))]
    fn call_async<'py>(
        slf: &Bound<'py, Self>,
        function: &Bound<'py, PyString>,
        args: &Bound<'py, PyTuple>,
    ) -> Result<Bound<'py, PyAny>> {
        let this = slf.get();
        let (index, plan) = this.plans.export(function)?;
        if plan.function.params.len() != args.len() {
            return Err(wrong_count(function, &plan.function, args.len()).into());
        }
        Self::start(slf, index, plan, args, When::Later)
    }

    /// What the last call used; after a failure, what the failed call used.
    #[getter]
    fn receipt(&self) -> Receipt {
        Receipt::new(self.host.receipt(), self.host.limits().memory_bytes_max)
    }

    /// The last 64 KiB of lines written to standard output, control characters escaped.
    #[getter]
    fn stdout(&self) -> String {
        self.host
            .output()
            .map_or_else(String::new, |(stdout, _)| stdout.text())
    }

    /// The same of standard error.
    #[getter]
    fn stderr(&self) -> String {
        self.host
            .output()
            .map_or_else(String::new, |(_, stderr)| stderr.text())
    }

    /// Bytes of older output that are gone.
    #[getter]
    fn output_bytes_dropped(&self) -> u64 {
        self.host.output().map_or(0, |(stdout, stderr)| {
            stdout.dropped_bytes() + stderr.dropped_bytes()
        })
    }

    /// Whether it was closed or failed.
    #[getter]
    fn closed(&self) -> bool {
        !self.host.is_open()
    }

    /// Close it: at once if it is idle, else when the running call ends.
    fn close(&self) {
        self.host.close();
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.host.close();
    }

    #[allow(clippy::needless_pass_by_value, reason = "the shape PyO3 asks for")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        match self.imports.upgrade() {
            Some(imports) => imports.traverse(&visit),
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.host.close();
    }

    fn __repr__(&self) -> String {
        let state = if self.host.is_open() {
            "open"
        } else {
            "closed"
        };
        format!("<Instance of {:?}, {state}>", self.plans.component().name())
    }
}
