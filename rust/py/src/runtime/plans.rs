//! The plans of a component's functions, made once and shared by its instances.

use super::lanes::{self, Lane};
use crate::error::Result;
use crate::value::{FunctionPlan, Scope};
use airssys_host::Component;
use airssys_host::component::ImportKind;
use airssys_host::wasmtime::component::types::ComponentFunc;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Plans of one component, by export and by import.
pub struct Plans {
    component: Arc<Component>,
    /// Names that were found so far, with the index of their export.
    names: Py<PyDict>,
    recent: Recent,
    exports: Vec<OnceLock<ExportPlan>>,
}

/// The export that each of a few string objects names. Callers mostly pass the
/// very same object again, so comparing pointers finds it.
#[derive(Default)]
struct Recent {
    slots: [AtomicPtr<Named>; RECENT_SLOTS],
    /// Owns what the slots point to, strings included: a pointer in a slot
    /// stays good, and its string's address is never given to another object.
    owned: Mutex<Vec<Arc<Named>>>,
}

struct Named {
    name: Py<PyString>,
    index: usize,
}

/// A power of two.
const RECENT_SLOTS: usize = 16;
/// String objects kept; callers that make a new one each time do without.
const RECENT_NAMES_MAX: usize = 256;

impl Recent {
    #[inline]
    fn slot(&self, name: &Bound<'_, PyString>) -> &AtomicPtr<Named> {
        // Objects are at least 16 bytes apart.
        let address = name.as_ptr() as usize;
        &self.slots[((address >> 4) ^ (address >> 10)) % RECENT_SLOTS]
    }

    #[inline]
    fn find(&self, name: &Bound<'_, PyString>) -> Option<usize> {
        let named = self.slot(name).load(Ordering::Acquire);
        // SAFETY: a slot is null or points into `owned`, which only grows.
        let named = unsafe { named.as_ref() }?;
        (named.name.as_ptr() == name.as_ptr()).then_some(named.index)
    }

    #[cold]
    fn remember(&self, name: &Bound<'_, PyString>, index: usize) {
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        if owned.len() == RECENT_NAMES_MAX {
            return;
        }
        owned.push(Arc::new(Named {
            name: name.clone().unbind(),
            index,
        }));
        if let Some(named) = owned.last() {
            self.slot(name)
                .store(std::ptr::from_ref(&**named).cast_mut(), Ordering::Release);
        }
    }
}

/// How one exported function is called.
pub struct ExportPlan {
    /// Its values.
    pub function: FunctionPlan,
    /// Its lane, if its shape has one.
    pub lane: Option<Lane>,
    /// Why Python cannot call it, if it cannot.
    pub refused: Option<String>,
}

impl Plans {
    /// Plans of `component`, none made yet.
    pub fn new(py: Python<'_>, component: Arc<Component>) -> Plans {
        let exports = component
            .exports()
            .list()
            .iter()
            .map(|_| OnceLock::new())
            .collect();
        let names = PyDict::new(py).unbind();
        Plans {
            component,
            names,
            recent: Recent::default(),
            exports,
        }
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
        let index = match self.recent.find(name) {
            Some(index) => index,
            None => self.look_up(name)?,
        };
        Ok((index, self.at(name.py(), index)))
    }

    /// Plan of the export with this index.
    #[inline]
    pub fn at(&self, py: Python<'_>, index: usize) -> &ExportPlan {
        match self.exports[index].get() {
            Some(plan) => plan,
            None => self.plan(py, index),
        }
    }

    #[cold]
    fn look_up(&self, name: &Bound<'_, PyString>) -> Result<usize> {
        let index = match self.names.bind(name.py()).get_item(name)? {
            Some(index) => index.extract()?,
            None => self.find(name)?,
        };
        self.recent.remember(name, index);
        Ok(index)
    }

    fn find(&self, name: &Bound<'_, PyString>) -> Result<usize> {
        // No export has a lone surrogate in its name: none is found for what stands in.
        let wanted = name.to_string_lossy();
        let index = self
            .component
            .exports()
            .find(self.component.name(), &wanted)?;
        self.names.bind(name.py()).set_item(name, index)?;
        Ok(index)
    }

    #[cold]
    fn plan(&self, py: Python<'_>, index: usize) -> &ExportPlan {
        self.exports[index].get_or_init(|| {
            let export = &self.component.exports().list()[index];
            let function = self.function(py, &export.ty);
            let lane = lanes::select(&function);
            let refused = function
                .not_offered()
                .map(|why| format!("{:?} cannot be called: {why}", export.name));
            ExportPlan {
                function,
                lane,
                refused,
            }
        })
    }

    fn function(&self, py: Python<'_>, ty: &ComponentFunc) -> FunctionPlan {
        FunctionPlan::new(
            &Scope {
                py,
                resources: self.component.resources(),
            },
            ty,
        )
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

    /// The interfaces it imports.
    pub fn imported_interfaces(&self) -> impl Iterator<Item = &str> {
        let interface = |import: &ImportKind| matches!(import, ImportKind::Interface { .. });
        self.component
            .imports()
            .iter()
            .filter(move |import| interface(&import.kind))
            .map(|import| import.name.as_str())
    }

    /// The plan of an imported function.
    pub fn import(&self, py: Python<'_>, ty: &ComponentFunc) -> FunctionPlan {
        self.function(py, ty)
    }
}
