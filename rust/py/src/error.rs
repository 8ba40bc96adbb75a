//! The only place where a Rust error becomes a Python exception.
//!
//! The exceptions are Python classes, written once in `airssys_wasm.errors`. No
//! match here has a `_` arm: a new variant stops the build at this file.

use airssys_core::componentize::ComponentizeError;
use airssys_core::wit::{Location, WitError};
use pyo3::prelude::*;

pyo3::import_exception!(airssys_wasm.errors, BuildError);
pyo3::import_exception!(airssys_wasm.errors, ComponentInvalid);
pyo3::import_exception!(airssys_wasm.errors, EngineError);
pyo3::import_exception!(airssys_wasm.errors, WitInvalid);

/// Any error of the crates below.
pub enum Error {
    /// From `airssys_core::wit`.
    Wit(WitError),
    /// From `airssys_core::componentize`.
    Componentize(ComponentizeError),
}

/// What every function of this crate returns.
pub type Result<T> = core::result::Result<T, Error>;

impl From<WitError> for Error {
    fn from(error: WitError) -> Self {
        Self::Wit(error)
    }
}

impl From<ComponentizeError> for Error {
    fn from(error: ComponentizeError) -> Self {
        Self::Componentize(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Wit(error) => wit(error),
            Error::Componentize(error) => componentize(error),
        }
    }
}

fn wit(error: WitError) -> PyErr {
    let message = error.to_string();
    match error {
        WitError::Invalid { location, .. } => {
            let Location { file, line, column } = location;
            WitInvalid::new_err((message, file, line, column))
        }
        WitError::Unreadable { path, .. }
        | WitError::NotText { path, .. }
        | WitError::Empty { path } => WitInvalid::new_err((message, path.display().to_string())),
        WitError::Unlocated { .. }
        | WitError::TooLarge { .. }
        | WitError::World { .. }
        | WitError::Defect(_) => WitInvalid::new_err(message),
        WitError::NotComponent(_) | WitError::Undecodable(_) => ComponentInvalid::new_err(message),
        WitError::NoThread(_) => EngineError::new_err(message),
    }
}

fn componentize(error: ComponentizeError) -> PyErr {
    let message = error.to_string();
    match error {
        ComponentizeError::Wit(error) => wit(error),
        ComponentizeError::NotModule { .. }
        | ComponentizeError::TooLarge { .. }
        | ComponentizeError::NoInterface
        | ComponentizeError::AdapterTwice(_)
        | ComponentizeError::UnknownImports { .. }
        | ComponentizeError::MissingExports { .. }
        | ComponentizeError::Mismatch(_)
        | ComponentizeError::Defect(_) => BuildError::new_err(message),
    }
}
