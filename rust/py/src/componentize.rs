//! `airssys_wasm._native.componentize`.

use airssys_core::componentize as core;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::error::Result;
use crate::runtime::exit::detached;
use crate::wit::Given;

#[pyfunction]
#[pyo3(signature = (module, *, adapters=None))]
fn encode(
    py: Python<'_>,
    module: PyBackedBytes,
    adapters: Option<Vec<(PyBackedStr, PyBackedBytes)>>,
) -> Result<Bound<'_, PyBytes>> {
    let component = detached(py, || {
        let adapters: Vec<_> = adapters
            .iter()
            .flatten()
            .map(|(name, module)| core::Adapter { name, module })
            .collect();
        core::encode(&module, &adapters)
    })??;
    Ok(PyBytes::new(py, &component))
}

#[pyfunction]
#[pyo3(signature = (module, wit, *, world=None, name="text.wit"))]
fn embed<'py>(
    py: Python<'py>,
    module: PyBackedBytes,
    wit: Given,
    world: Option<&str>,
    name: &str,
) -> Result<Bound<'py, PyBytes>> {
    let module = detached(py, || core::embed(&module, wit.source(name), world))??;
    Ok(PyBytes::new(py, &module))
}

#[pymodule(submodule, name = "componentize", gil_used = false)]
pub mod native {
    #[pymodule_export]
    use super::{embed, encode};
}
