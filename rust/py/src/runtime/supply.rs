//! Finds, in what the embedder gave, a Python function for each import.

use super::imports::{Function, PythonImports, Target};
use super::lanes;
use super::plans::Plans;
use crate::error::Result;
use crate::value::{Mismatch, attribute as python_name};
use airssys_host::linker::{StandIn, Supplied};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};
use std::sync::Arc;

/// What the embedder's mapping gives to one component.
#[derive(Default)]
pub struct Given {
    /// Functions that were found.
    pub functions: Vec<Supplied>,
    /// Interfaces that an object was given for.
    pub interfaces: Vec<StandIn>,
    /// Names that fit no import.
    pub unused: Vec<String>,
    /// Runs the functions.
    pub embedder: Option<Arc<PythonImports>>,
}

/// Finds a Python function for each import that `imports` covers. The host names
/// what is missing, and gives nothing of an interface that is covered.
///
/// # Errors
///
/// If something given is not callable, or a name is no text.
pub fn supply(py: Python<'_>, plans: &Plans, imports: Option<&Bound<'_, PyDict>>) -> Result<Given> {
    let Some(imports) = imports.filter(|imports| !imports.is_empty()) else {
        return Ok(Given::default());
    };
    let interfaces = stand_ins(plans, imports)?;
    let unused = unused(plans, imports)?;
    let mut supplied = Vec::new();
    let mut functions = Vec::new();
    let mut lacking = Vec::new();
    let mut failed = Ok(());
    plans.imports(|interface, name, ty| {
        if failed.is_err() {
            return;
        }
        match find(imports, interface, name) {
            Ok(None) => {
                if lacking.last().is_none_or(|last: &String| last != interface) {
                    lacking.push(interface.to_owned());
                }
            }
            Ok(Some((target, waits))) => {
                let full = if interface.is_empty() {
                    name.to_owned()
                } else {
                    format!("{interface}#{name}")
                };
                let plan = plans.import(py, ty);
                supplied.push(Supplied {
                    interface: interface.to_owned(),
                    function: name.to_owned(),
                    waits,
                    define: lanes::import_lane(&plan, waits),
                });
                functions.push(Function {
                    name: full,
                    target,
                    plan,
                });
            }
            Err(error) => failed = Err(error),
        }
    });
    failed?;
    let mut given = Given {
        functions: supplied,
        interfaces,
        unused,
        embedder: Some(Arc::new(PythonImports::new(functions))),
    };
    given.note_offers(&lacking, imports)?;
    Ok(given)
}

impl Given {
    /// Looks what there is on an object that lacks some function.
    fn note_offers(&mut self, lacking: &[String], imports: &Bound<'_, PyDict>) -> PyResult<()> {
        for stand_in in &mut self.interfaces {
            if lacking.contains(&stand_in.interface)
                && let Some(object) = object_for(imports, &stand_in.interface)?
            {
                stand_in.offers = offers(&object)?;
            }
        }
        Ok(())
    }
}

/// The interfaces of the component that `imports` has an object for.
fn stand_ins(plans: &Plans, imports: &Bound<'_, PyDict>) -> PyResult<Vec<StandIn>> {
    let mut found = Vec::new();
    for interface in plans.imported_interfaces() {
        if object_for(imports, interface)?.is_some() {
            found.push(StandIn {
                interface: interface.to_owned(),
                offers: Vec::new(),
            });
        }
    }
    Ok(found)
}

/// Names in `imports` that are none of the component's.
fn unused(plans: &Plans, imports: &Bound<'_, PyDict>) -> Result<Vec<String>> {
    let mut unused = Vec::new();
    for name in imports.keys() {
        let Ok(text) = name.cast::<PyString>() else {
            return Err(Mismatch::wrong_type(&name, "the name of an import")
                .in_field("imports")
                .into());
        };
        let given = text.to_string_lossy();
        let fits = plans.component().imports().iter().any(|import| {
            import.name == given
                || bare(&import.name) == given
                || python_name(&import.name) == given
        });
        if !fits {
            unused.push(given.into_owned());
        }
    }
    Ok(unused)
}

fn offers(object: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let names = match object.cast::<PyMapping>() {
        Ok(functions) => functions.keys()?,
        Err(_) => object.dir()?,
    };
    Ok(names
        .iter()
        .filter_map(|name| name.extract::<String>().ok())
        .filter(|name| !name.starts_with("__"))
        .collect())
}

fn bare(interface: &str) -> &str {
    interface
        .split_once('@')
        .map_or(interface, |(bare, _)| bare)
}

/// What was given for an interface, its version named or left out.
fn object_for<'py>(
    imports: &Bound<'py, PyDict>,
    interface: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(imports
        .get_item(interface)?
        .or(imports.get_item(bare(interface))?))
}

fn find(
    imports: &Bound<'_, PyDict>,
    interface: &str,
    name: &str,
) -> PyResult<Option<(Target, bool)>> {
    if interface.is_empty() {
        let given = imports
            .get_item(name)?
            .or(imports.get_item(python_name(name))?);
        return given.map(|given| plain(given, name)).transpose();
    }
    let Some(object) = object_for(imports, interface)? else {
        return Ok(None);
    };
    match name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        None => attribute(&object, name)?
            .map(|found| plain(found, name))
            .transpose(),
        Some(("constructor", class)) => class_of(&object, class)?
            .map(|found| plain(found, name))
            .transpose(),
        Some((kind, path)) => {
            let Some((class, member)) = path.split_once('.') else {
                return Ok(None);
            };
            let Some(class) = class_of(&object, class)? else {
                return Ok(None);
            };
            let Some(member_found) = attribute(&class, member)? else {
                return Ok(None);
            };
            if kind == "static" {
                return plain(member_found, name).map(Some);
            }
            let waits = is_coroutine_function(&member_found)?;
            let method = PyString::intern(object.py(), &python_name(member)).unbind();
            Ok(Some((Target::Method(method), waits)))
        }
    }
}

fn attribute<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    // A mapping of functions is as good as an object with methods.
    if let Ok(functions) = object.cast::<PyMapping>() {
        return match item(functions, name)? {
            None => item(functions, &python_name(name)),
            found => Ok(found),
        };
    }
    object.getattr_opt(python_name(name))
}

fn item<'py>(functions: &Bound<'py, PyMapping>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match functions.get_item(name) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_instance_of::<PyKeyError>(functions.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The Python class for a resource: `Session`, or `session`.
fn class_of<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match attribute(object, &pascal_case(name))? {
        Some(class) => Ok(Some(class)),
        None => attribute(object, name),
    }
}

fn pascal_case(name: &str) -> String {
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + characters.as_str())
            .unwrap_or_default()
    };
    name.split('-').map(capital).collect()
}

fn plain(found: Bound<'_, PyAny>, name: &str) -> PyResult<(Target, bool)> {
    if !found.is_callable() {
        let mismatch = Mismatch::wrong_type(&found, "a function").in_field(name);
        return Err(crate::error::Error::from(mismatch).into());
    }
    let waits = is_coroutine_function(&found)?;
    Ok((Target::Plain(found.unbind()), waits))
}

fn is_coroutine_function(found: &Bound<'_, PyAny>) -> PyResult<bool> {
    let inspect = found.py().import("inspect")?;
    if inspect
        .call_method1("iscoroutinefunction", (found,))?
        .is_truthy()?
    {
        return Ok(true);
    }
    // An object with `async def __call__` waits too.
    match found.get_type().getattr_opt("__call__")? {
        Some(call) => inspect
            .call_method1("iscoroutinefunction", (call,))?
            .is_truthy(),
        None => Ok(false),
    }
}
