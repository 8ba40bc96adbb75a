//! `airssys_wasm._native.runtime`.

pub mod awaitable;
mod caller;
mod calling;
mod component;
mod coroutine;
mod desk;
mod engine;
pub mod event_loop;
pub mod exit;
pub mod gil;
mod given;
mod imports;
mod instance;
mod kept;
mod lanes;
mod ongoing;
mod plans;
mod receipt;
mod resource;
mod slots;
mod supply;
mod variant;

pub use desk::Desk;
pub use engine::Engine;
pub use instance::Instance;
pub use kept::Kept;
pub use receipt::Receipt;
pub use variant::Variant;

use pyo3::prelude::*;

#[pymodule(submodule, name = "runtime", gil_used = false)]
pub mod native {
    #[pymodule_export]
    use super::component::Component;
    #[pymodule_export]
    use super::desk::Desk;
    #[pymodule_export]
    use super::engine::{Engine, compile_worker, mark_forked};
    #[pymodule_export]
    use super::instance::Instance;
    #[pymodule_export]
    use super::receipt::Receipt;
    #[pymodule_export]
    use super::resource::Resource;
    #[pymodule_export]
    use super::variant::Variant;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::gil::install(module.py())?;
        super::slots::install(module.py());
        super::exit::install(module.py())
    }
}
