//! `airssys_wasm._native.wit`.

use std::path::PathBuf;

use airssys_core::wit as core;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::error::Result;
use crate::runtime::exit::detached;

/// WIT as Python hands it over: the type says what it is.
#[derive(FromPyObject)]
pub enum Given {
    /// A component, or an encoded WIT package.
    Binary(PyBackedBytes),
    /// WIT text.
    Text(PyBackedStr),
    /// A file or directory.
    Path(PathBuf),
}

impl Given {
    /// Borrows it as the source that core reads; `name` is for text in errors.
    pub fn source<'a>(&'a self, name: &'a str) -> core::Source<'a> {
        match self {
            Self::Binary(bytes) => core::Source::Binary(bytes),
            Self::Text(contents) => core::Source::Text { name, contents },
            Self::Path(path) => core::Source::Path(path),
        }
    }
}

#[pyfunction]
#[pyo3(signature = (source, *, world=None, name="text.wit"))]
fn resolve_json(py: Python<'_>, source: Given, world: Option<&str>, name: &str) -> Result<String> {
    Ok(detached(py, || {
        core::resolve_json(source.source(name), world)
    })??)
}

#[pyfunction]
#[pyo3(signature = (source, *, name="text.wit"))]
fn world_text(py: Python<'_>, source: Given, name: &str) -> Result<String> {
    Ok(detached(py, || core::world_text(source.source(name)))??)
}

#[pyfunction]
#[pyo3(signature = (source, *, name="text.wit"))]
fn validate(
    py: Python<'_>,
    source: Given,
    name: &str,
) -> Result<(String, Vec<String>, Vec<String>, usize)> {
    let found = detached(py, || core::validate(source.source(name)))??;
    Ok((
        found.package,
        found.interfaces,
        found.worlds,
        found.functions,
    ))
}

#[pymodule(submodule, name = "wit", gil_used = false)]
pub mod native {
    #[pymodule_export]
    use super::{resolve_json, validate, world_text};
}
