//! Lanes of functions that the embedder supplies.

use super::kinds::{Blob, Flag, Give, Keep, Text};
use crate::error::err_value;
use crate::runtime::imports::PythonImports;
use crate::value::{FunctionPlan, Plan};
use airssys_host::instance::{StoreData, Weigh, enter_host, leave_host};
use airssys_host::linker::{Define, aside};
use airssys_host::wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower};
use airssys_host::wasmtime::{self, StoreContextMut};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Parameters as wasmtime has them.
trait Arguments: 'static {
    type Rust: ComponentNamedList + Lift + Weigh + 'static;

    fn give<'py>(py: Python<'py>, arguments: Self::Rust) -> PyResult<Bound<'py, PyTuple>>;
}

macro_rules! arguments {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Give),*> Arguments for ($($name,)*) {
            type Rust = ($($name::Rust,)*);

            fn give<'py>(py: Python<'py>, arguments: Self::Rust) -> PyResult<Bound<'py, PyTuple>> {
                PyTuple::new(py, [$($name::give(py, arguments.$index)?),*])
            }
        }
    };
}

arguments!(A 0);
arguments!(A 0, B 1);
arguments!(A 0, B 1, C 2);

/// Results as wasmtime has them.
trait Returned: 'static {
    type Rust: ComponentNamedList + Lower + Weigh + Send + Sync + 'static;

    fn keep(py: Python<'_>, returned: PyResult<Bound<'_, PyAny>>) -> PyResult<Self::Rust>;
}

struct Nothing;
struct Plain<R>(R);
struct Fallible<R>(R);

impl Returned for Nothing {
    type Rust = ();

    fn keep(_py: Python<'_>, returned: PyResult<Bound<'_, PyAny>>) -> PyResult<()> {
        returned.map(drop)
    }
}

impl<R: Keep> Returned for Plain<R> {
    type Rust = (R::Rust,);

    fn keep(_py: Python<'_>, returned: PyResult<Bound<'_, PyAny>>) -> PyResult<Self::Rust> {
        Ok((kept::<R>(&returned?)?,))
    }
}

impl<R: Keep> Returned for Fallible<R> {
    type Rust = (Result<R::Rust, String>,);

    fn keep(py: Python<'_>, returned: PyResult<Bound<'_, PyAny>>) -> PyResult<Self::Rust> {
        let error = match returned {
            Ok(value) => return Ok((Ok(kept::<R>(&value)?),)),
            Err(error) => error,
        };
        match err_value(py, &error)? {
            Some(value) => Ok((Err(kept::<Text>(&value)?),)),
            None => Err(error),
        }
    }
}

fn kept<R: Keep>(value: &Bound<'_, PyAny>) -> PyResult<R::Rust> {
    R::keep(value).map_err(|mismatch| {
        crate::error::Error::from(mismatch.in_field("the returned value")).into()
    })
}

fn lane<A: Arguments, R: Returned>(
    linker: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
) -> wasmtime::Result<()> {
    linker.func_wrap(
        name,
        move |mut store: StoreContextMut<'_, StoreData>, arguments: A::Rust| {
            let embedder = enter_host(&mut store, || arguments.bytes())?;
            let imports = PythonImports::of(&*embedder)?;
            let returned = aside(store.data().has_own_stack(), || {
                imports.run(index, |py, function| {
                    let arguments = A::give(py, arguments)?;
                    R::keep(py, function.invoke(py, &arguments))
                })
            })?;
            leave_host(&mut store, || returned.bytes())?;
            Ok(returned)
        },
    )
}

/// How to link a function of this plan through a lane, if its shape has one:
/// those that carry bytes or text, which dynamic values would carry one by one.
pub fn define(plan: &FunctionPlan) -> Option<Define> {
    let params: Vec<&Plan> = plan.params.iter().map(|(_, plan)| plan).collect();
    match params.as_slice() {
        [Plan::Bytes] => returned::<(Blob,)>(plan),
        [Plan::Text] => returned::<(Text,)>(plan),
        [Plan::Bytes, Plan::Bytes] => returned::<(Blob, Blob)>(plan),
        [Plan::Text, Plan::Bytes] => returned::<(Text, Blob)>(plan),
        [Plan::Text, Plan::Text] => returned::<(Text, Text)>(plan),
        [Plan::U32, Plan::Bytes] => returned::<(u32, Blob)>(plan),
        [Plan::U64, Plan::Bytes] => returned::<(u64, Blob)>(plan),
        [Plan::Text, Plan::U32] => returned::<(Text, u32)>(plan),
        [Plan::U64, Plan::U32, Plan::Bytes] => returned::<(u64, u32, Blob)>(plan),
        [Plan::Text, Plan::Text, Plan::Bytes] => returned::<(Text, Text, Blob)>(plan),
        _ => None,
    }
}

fn returned<A: Arguments>(plan: &FunctionPlan) -> Option<Define> {
    let Some(result) = &plan.result else {
        return Some(lane::<A, Nothing>);
    };
    Some(match result {
        Plan::Bool => lane::<A, Plain<Flag>>,
        Plan::Text => lane::<A, Plain<Text>>,
        Plan::Bytes => lane::<A, Plain<Blob>>,
        Plan::U32 => lane::<A, Plain<u32>>,
        Plan::U64 => lane::<A, Plain<u64>>,
        Plan::Result {
            ok: Some(ok),
            err: Some(err),
        } if matches!(**err, Plan::Text) => match **ok {
            Plan::Bytes => lane::<A, Fallible<Blob>>,
            Plan::Text => lane::<A, Fallible<Text>>,
            _ => return None,
        },
        _ => return None,
    })
}
