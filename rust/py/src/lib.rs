//! `airssys_wasm._native`: one file per native module.

#![allow(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands extracted arguments over by value"
)]
#![allow(
    clippy::elidable_lifetime_names,
    reason = "'py says which lifetime is the interpreter's"
)]
#![allow(
    clippy::unnecessary_box_returns,
    reason = "a mismatch travels boxed, so that the values that fit stay small"
)]
#![allow(
    clippy::doc_markdown,
    reason = "what stands on classes and methods are docstrings of Python"
)]

use pyo3::prelude::*;

mod broker;
mod codec;
mod componentize;
mod error;
mod runtime;
mod value;
mod wit;

#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::broker::native as broker;
    #[pymodule_export]
    use crate::codec::native as codec;
    #[pymodule_export]
    use crate::componentize::native as componentize;
    #[pymodule_export]
    use crate::runtime::native as runtime;
    #[pymodule_export]
    use crate::wit::native as wit;

    /// Submodules of an extension module are attributes; `import` finds them only
    /// once they are registered.
    #[pymodule_init]
    fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let modules = module.py().import("sys")?.getattr("modules")?;
        for name in ["broker", "codec", "componentize", "runtime", "wit"] {
            let full_name = format!("airssys_wasm._native.{name}");
            let submodule = module.getattr(name)?;
            submodule.setattr("__name__", &full_name)?;
            modules.set_item(full_name, submodule)?;
        }
        Ok(())
    }
}
