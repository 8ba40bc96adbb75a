//! The plans of a component's functions, made once and shared by its instances.

use super::lanes::{self, Lane};
use crate::error::Result;
use crate::value::{FunctionPlan, Scope};
use airssys_host::Component;
use airssys_host::component::ImportKind;
use airssys_host::wasmtime::component::types::ComponentFunc;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::{Arc, OnceLock};

/// Plans of one component, by export and by import.
pub struct Plans {
    component: Arc<Component>,
    /// Names that were found so far, with the index of their export.
    names: Py<PyDict>,
    exports: Vec<OnceLock<ExportPlan>>,
}

/// How one exported function is called.
pub struct ExportPlan {
    /// Its values.
    pub function: FunctionPlan,
    /// Its lane, if its shape has one.
    pub lane: Option<Lane>,
}

impl Plans {
    /// Plans of `component`, none made yet.
    pub fn new(py: Python<'_>, component: Arc<Component>) -> Plans {
        let exports = component.exports().list().iter().map(|_| OnceLock::new()).collect();
        Plans { component, names: PyDict::new(py).unbind(), exports }
    }

    /// The component.
    pub fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// Index and plan of the export called `name`.
    ///
    /// # Errors
    ///
    /// If there is no such export.
    #[inline]
    pub fn export(&self, name: &Bound<'_, PyString>) -> Result<(usize, &ExportPlan)> {
        let known = self.names.bind(name.py()).get_item(name)?;
        let index = match known {
            Some(index) => index.extract()?,
            None => self.find(name)?,
        };
        let plan = match self.exports[index].get() {
            Some(plan) => plan,
            None => self.plan(name.py(), index),
        };
        Ok((index, plan))
    }

    #[cold]
    fn find(&self, name: &Bound<'_, PyString>) -> Result<usize> {
        let index = self.component.exports().find(self.component.name(), name.to_str()?)?;
        self.names.bind(name.py()).set_item(name, index)?;
        Ok(index)
    }

    #[cold]
    fn plan(&self, py: Python<'_>, index: usize) -> &ExportPlan {
        self.exports[index].get_or_init(|| {
            let function = self.function(py, &self.component.exports().list()[index].ty);
            let lane = lanes::select(&function);
            ExportPlan { function, lane }
        })
    }

    fn function(&self, py: Python<'_>, ty: &ComponentFunc) -> FunctionPlan {
        FunctionPlan::new(&Scope { py, resources: self.component.resources() }, ty)
    }

    /// Calls `visit` with interface, name and type of each imported function.
    pub fn imports(&self, mut visit: impl FnMut(&str, &str, &ComponentFunc)) {
        for import in self.component.imports() {
            match &import.kind {
                ImportKind::Function(ty) => visit("", &import.name, ty),
                ImportKind::Interface { functions, .. } => {
                    for (name, ty) in functions {
                        visit(&import.name, name, ty);
                    }
                }
                ImportKind::Unsupported => {}
            }
        }
    }

    /// The plan of an imported function.
    pub fn import(&self, py: Python<'_>, ty: &ComponentFunc) -> FunctionPlan {
        self.function(py, ty)
    }
}
