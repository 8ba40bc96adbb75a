//! `airssys_wasm._native`: one file per native module.

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {}
