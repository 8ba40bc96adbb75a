//! Component-model values into Python values.

use super::mismatch::Outcome;
use super::plan::{Case, Name, Plan};
use crate::error::component_error;
use crate::runtime::Variant;
use airssys_host::wasmtime::component::{ResourceAny, Val};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFrozenSet, PyList, PyString, PyTuple};
use std::sync::Arc;

/// Resource handles and the Python objects that stand for them.
pub trait Handles {
    /// The Python object for a handle the guest hands out; `methods` is the
    /// prefix of its exported methods, if it has any.
    ///
    /// # Errors
    ///
    /// If the handle cannot be represented.
    fn give<'py>(
        &mut self,
        py: Python<'py>,
        resource: ResourceAny,
        methods: Option<&Arc<str>>,
    ) -> PyResult<Bound<'py, PyAny>>;

    /// The handle for a Python object, given away if `owned` and else lent;
    /// `methods` tells which resource is wanted.
    ///
    /// # Errors
    ///
    /// If the object stands for no handle, or for one that is gone.
    fn take(
        &mut self,
        value: &Bound<'_, PyAny>,
        owned: bool,
        methods: Option<&Arc<str>>,
    ) -> Outcome<ResourceAny>;
}

/// Turns a value of the type of `plan` into a Python value.
///
/// # Errors
///
/// Only if Python is out of memory or a handle cannot be represented.
pub fn lift<'py>(
    py: Python<'py>,
    plan: &Plan,
    value: Val,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    match (plan, value) {
        (_, Val::Bool(value)) => value.into_bound_py_any(py),
        (_, Val::S8(value)) => value.into_bound_py_any(py),
        (_, Val::U8(value)) => value.into_bound_py_any(py),
        (_, Val::S16(value)) => value.into_bound_py_any(py),
        (_, Val::U16(value)) => value.into_bound_py_any(py),
        (_, Val::S32(value)) => value.into_bound_py_any(py),
        (_, Val::U32(value)) => value.into_bound_py_any(py),
        (_, Val::S64(value)) => value.into_bound_py_any(py),
        (_, Val::U64(value)) => value.into_bound_py_any(py),
        (_, Val::Float32(value)) => value.into_bound_py_any(py),
        (_, Val::Float64(value)) => value.into_bound_py_any(py),
        (_, Val::Char(value)) => value.into_bound_py_any(py),
        (_, Val::String(value)) => value.into_bound_py_any(py),
        (Plan::Bytes, Val::List(items)) => Ok(bytes(py, &items)?.into_any()),
        (Plan::List(item), Val::List(items)) => list(py, item, items, handles),
        (Plan::Record(fields), Val::Record(values)) => {
            let dict = PyDict::new(py);
            for (field, (_, value)) in fields.iter().zip(values) {
                let value = lift(py, &field.plan, value, handles)?;
                dict.set_item(field.name.python.bind(py), value)?;
            }
            Ok(dict.into_any())
        }
        (Plan::Tuple(plans), Val::Tuple(items)) => {
            let lifted: PyResult<Vec<_>> = plans
                .iter()
                .zip(items)
                .map(|(plan, item)| lift(py, plan, item, handles))
                .collect();
            Ok(PyTuple::new(py, lifted?)?.into_any())
        }
        (Plan::Variant(cases), Val::Variant(name, payload)) => {
            let plan = find(cases, &name).and_then(|case| case.plan.as_ref());
            variant(py, name, plan, payload, handles)
        }
        (Plan::Enum(names), Val::Enum(name)) => Ok(interned(py, names, &name)),
        (Plan::Option(inner), Val::Option(payload)) => option(py, inner, payload, handles),
        (Plan::Result { ok, err }, Val::Result(value)) => {
            let (name, plan, payload) = match value {
                Ok(payload) => ("ok", ok, payload),
                Err(payload) => ("err", err, payload),
            };
            variant(py, name.to_owned(), plan.as_deref(), payload, handles)
        }
        (Plan::Flags(names), Val::Flags(set)) => {
            let lifted = set.iter().map(|name| interned(py, names, name));
            Ok(PyFrozenSet::new(py, lifted)?.into_any())
        }
        (Plan::Own(methods) | Plan::Borrow(methods), Val::Resource(resource)) => {
            handles.give(py, resource, methods.as_ref())
        }
        (plan, _) => Err(PyRuntimeError::new_err(format!(
            "a value of type {} came back as something else",
            plan.name()
        ))),
    }
}

fn bytes<'py>(py: Python<'py>, items: &[Val]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, items.len(), |buffer| {
        for (byte, item) in buffer.iter_mut().zip(items) {
            if let Val::U8(value) = item {
                *byte = *value;
            }
        }
        Ok(())
    })
}

fn list<'py>(
    py: Python<'py>,
    plan: &Plan,
    items: Vec<Val>,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for item in items {
        list.append(lift(py, plan, item, handles)?)?;
    }
    Ok(list.into_any())
}

fn option<'py>(
    py: Python<'py>,
    inner: &Plan,
    payload: Option<Box<Val>>,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    match payload {
        None => Ok(py.None().into_bound(py)),
        Some(value) if inner.is_option() => {
            variant(py, "some".to_owned(), Some(inner), Some(value), handles)
        }
        Some(value) => lift(py, inner, *value, handles),
    }
}

fn find<'a>(cases: &'a [Case], name: &str) -> Option<&'a Case> {
    cases.iter().find(|case| case.name.wit == name)
}

fn interned<'py>(py: Python<'py>, names: &[Name], name: &str) -> Bound<'py, PyAny> {
    match names.iter().find(|known| known.wit == name) {
        Some(known) => known.python.bind(py).clone().into_any(),
        None => PyString::new(py, name).into_any(),
    }
}

fn variant<'py>(
    py: Python<'py>,
    case: String,
    plan: Option<&Plan>,
    payload: Option<Box<Val>>,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    let value = side(py, plan, payload, handles)?.unbind();
    Ok(Bound::new(py, Variant { case, value })?.into_any())
}

fn side<'py>(
    py: Python<'py>,
    plan: Option<&Plan>,
    payload: Option<Box<Val>>,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    match (plan, payload) {
        (Some(plan), Some(value)) => lift(py, plan, *value, handles),
        _ => Ok(py.None().into_bound(py)),
    }
}

/// The result of a function: `ok` becomes its value, `err` an exception.
///
/// # Errors
///
/// `ComponentError` carrying the `err` value.
pub fn raise_err<'py>(
    py: Python<'py>,
    plan: &Plan,
    value: Val,
    handles: &mut dyn Handles,
) -> PyResult<Bound<'py, PyAny>> {
    let (Plan::Result { ok, err }, Val::Result(value)) = (plan, value) else {
        return Err(PyRuntimeError::new_err(
            "the function's result is no result",
        ));
    };
    match value {
        Ok(payload) => side(py, ok.as_deref(), payload, handles),
        Err(payload) => {
            let value = side(py, err.as_deref(), payload, handles)?;
            Err(component_error(value))
        }
    }
}
