//! `aw.Variant`: one case of a WIT variant and its value.

use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

/// One case of a variant and its value; immutable, hashable if its value is.
///
/// ``match`` takes it apart: ``case Variant("circle", radius): ...``
#[pyclass(frozen, generic, module = "airssys_wasm", name = "Variant")]
pub struct Variant {
    /// The case, as WIT names it.
    #[pyo3(get)]
    pub case: String,
    /// Its value, ``None`` for a case without one.
    #[pyo3(get)]
    pub value: Py<PyAny>,
}

#[pymethods]
impl Variant {
    #[classattr]
    #[pyo3(name = "__match_args__")]
    const MATCH_ARGS: (&'static str, &'static str) = ("case", "value");

    #[new]
    #[pyo3(signature = (case, value=None))]
    fn new(py: Python<'_>, case: String, value: Option<Py<PyAny>>) -> Self {
        Self {
            case,
            value: value.unwrap_or_else(|| py.None()),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!(
            "Variant({:?}, {})",
            self.case,
            self.value.bind(py).repr()?
        ))
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let (Ok(other), CompareOp::Eq | CompareOp::Ne) = (other.cast::<Variant>(), op) else {
            return Ok(py.NotImplemented());
        };
        let other = other.get();
        let equal = self.case == other.case && self.value.bind(py).eq(other.value.bind(py))?;
        let wanted = matches!(op, CompareOp::Eq);
        Ok((equal == wanted)
            .into_pyobject(py)?
            .to_owned()
            .into_any()
            .unbind())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        PyTuple::new(
            py,
            [
                self.case.clone().into_pyobject(py)?.as_any(),
                self.value.bind(py),
            ],
        )?
        .hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (String, Py<PyAny>)) {
        (
            py.get_type::<Variant>(),
            (self.case.clone(), self.value.clone_ref(py)),
        )
    }
}
