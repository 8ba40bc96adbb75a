//! The native half of `aw.Component`.

use super::desk::Desk;
use super::instance::Instance;
use super::plans::Plans;
use super::{exit, gil, supply};
use crate::error::{Error, Result};
use airssys_host as host;
use airssys_host::linker::{Embedder, Grant, NoImports, Supply};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::Arc;

/// What of WASI to grant: clocks, random, output, environment, an empty
/// filesystem, an empty network.
type Granted = (bool, bool, bool, Option<Vec<(String, String)>>, bool, bool);

/// A limit that is a whole number. Past 128 bits any number stands for it: it is
/// above every policy, and the refusal does not spell it out.
struct Whole(i128);

impl<'py> FromPyObject<'_, 'py> for Whole {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Whole> {
        match value.extract::<i64>() {
            Ok(whole) => Ok(Whole(whole.into())),
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
                Ok(Whole(value.extract().unwrap_or(i128::MAX)))
            }
            Err(error) => Err(error),
        }
    }
}

/// Seconds. Past the range of floats they are above every policy, as whole numbers are.
struct Seconds(f64);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Seconds> {
        match value.extract() {
            Ok(seconds) => Ok(Seconds(seconds)),
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
                Ok(Seconds(f64::MAX))
            }
            Err(error) => Err(error),
        }
    }
}

/// A loaded component.
#[pyclass(
    frozen,
    subclass,
    module = "airssys_wasm._native.runtime",
    name = "Component"
)]
pub struct Component {
    plans: Arc<Plans>,
}

impl Component {
    /// Wraps a loaded component.
    pub fn new(plans: Arc<Plans>) -> Component {
        Component { plans }
    }
}

#[pymethods]
impl Component {
    #[getter]
    fn name(&self) -> &str {
        self.plans.component().name()
    }

    #[getter]
    fn digest(&self) -> String {
        self.plans.component().digest_text()
    }

    #[getter]
    fn binary<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.plans.component().binary())
    }

    #[getter]
    fn functions(&self) -> Vec<&str> {
        let exports = self.plans.component().exports();
        exports
            .list()
            .iter()
            .map(|export| export.name.as_str())
            .collect()
    }

    /// The full name of the export that ``function`` calls: with its interface and version.
    ///
    /// Args:
    ///     function: as ``Instance.call`` takes it.
    ///
    /// Raises:
    ///     ExportMissing: there is none, or several versions fit; the hint names what was
    ///         probably meant.
    fn full_name(&self, function: &str) -> Result<&str> {
        let component = self.plans.component();
        let index = component.exports().find(component.name(), function)?;
        Ok(&component.exports().list()[index].name)
    }

    #[getter]
    fn is_async(&self) -> bool {
        self.plans.component().is_concurrent()
    }

    #[getter]
    fn import_names(&self) -> Vec<&str> {
        let imports = self.plans.component().imports();
        imports.iter().map(|import| import.name.as_str()).collect()
    }

    #[pyo3(signature = (
        memory_bytes_max, call_seconds_max, fuel_max, imports, granted, desk=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "one for each that Python gives")]
    fn instantiate_native(
        &self,
        py: Python<'_>,
        memory_bytes_max: Whole,
        call_seconds_max: Seconds,
        fuel_max: Option<Whole>,
        imports: Option<&Bound<'_, PyDict>>,
        granted: Granted,
        desk: Option<&Bound<'_, Desk>>,
    ) -> Result<Instance> {
        let component = self.plans.component();
        let policy = &component.engine().options().policy;
        let fuel_max = fuel_max.map(|fuel| fuel.0);
        let limits = host::Limits::new(memory_bytes_max.0, call_seconds_max.0, fuel_max, policy)?;
        let given = supply::supply(py, &self.plans, imports)?;
        let grant = grant(granted);
        let embedder: Arc<dyn Embedder> = match &given.embedder {
            Some(imports) => Arc::clone(imports) as _,
            None => Arc::new(NoImports),
        };
        let supply = Supply {
            functions: &given.functions,
            interfaces: &given.interfaces,
            unused: &given.unused,
            embedder,
            post: desk.map(|desk| Arc::clone(desk.get().host()) as _),
        };
        // What may wait, or compile, must not hold the interpreter up.
        let slow = fuel_max.is_some() || component.may_wait(&given.functions);
        let instance = if slow {
            exit::detached(py, || {
                host::Instance::new(component, limits, &grant, supply)
            })?
        } else {
            let _held = gil::Held::new(py);
            host::Instance::new(component, limits, &grant, supply)
        };
        let instance = instance.map_err(|error| {
            gil::take_raised().map_or_else(|| Error::Host(error), Error::Python)
        })?;
        Ok(Instance::new(
            instance,
            Arc::clone(&self.plans),
            given.embedder,
        ))
    }
}

fn grant(granted: Granted) -> Grant {
    let (clocks, random, output, environment, empty_filesystem, empty_network) = granted;
    Grant {
        clocks,
        random,
        output,
        environment,
        empty_filesystem,
        empty_network,
    }
}
