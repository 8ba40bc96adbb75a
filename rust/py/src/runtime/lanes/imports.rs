//! Lanes of functions that the embedder supplies.

use super::kinds::{Blob, Flag, Give, Keep, Text};
use crate::error::err_value;
use crate::runtime::imports::{PythonImports, nothing};
use crate::value::{FunctionPlan, Plan};
use airssys_host::instance::{HeldBytes, StoreData, Weigh, enter_host, leave_host};
use airssys_host::linker::{Answer, Define, Embedder, Pending, answer, aside, begin, end};
use airssys_host::wasmtime::component::{ComponentNamedList, Lift, LinkerInstance, Lower};
use airssys_host::wasmtime::{self, StoreContextMut};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Parameters as wasmtime has them.
trait Arguments: 'static {
    type Rust: ComponentNamedList + Lift + Weigh + Send + 'static;

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
        nothing(&returned?)
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

/// How to link a function of this shape.
fn lane<A: Arguments, R: Returned>(waits: bool) -> Define {
    if waits {
        Define {
            plain: link_waiting::<A, R>,
            concurrent: link_concurrent_waiting::<A, R>,
        }
    } else {
        Define {
            plain: link::<A, R>,
            concurrent: link_concurrent::<A, R>,
        }
    }
}

fn link<A: Arguments, R: Returned>(
    linker: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
) -> wasmtime::Result<()> {
    linker.func_wrap(
        name,
        move |mut store: StoreContextMut<'_, StoreData>, arguments: A::Rust| {
            let embedder = enter_host(&mut store, || arguments.bytes())?;
            let returned = aside(store.data().has_own_stack(), || {
                call::<A, R>(&*embedder, index, arguments)
            })?;
            leave_host(&mut store, || returned.bytes())?;
            Ok(returned)
        },
    )
}

fn link_waiting<A: Arguments, R: Returned>(
    linker: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        name,
        move |mut store: StoreContextMut<'_, StoreData>, arguments: A::Rust| {
            Box::new(async move {
                let embedder = enter_host(&mut store, || arguments.bytes())?;
                let pending = aside(true, || start::<A>(&*embedder, index, arguments, None))?;
                let answer = pending.await?;
                let returned = aside(true, || finish::<R>(&*embedder, index, answer))?;
                leave_host(&mut store, || returned.bytes())?;
                Ok(returned)
            })
        },
    )
}

fn link_concurrent<A: Arguments, R: Returned>(
    linker: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
) -> wasmtime::Result<()> {
    linker.func_wrap_concurrent(name, move |accessor, arguments: A::Rust| {
        Box::pin(async move {
            answer(
                accessor,
                arguments.bytes(),
                |_, embedder| call::<A, R>(embedder, index, arguments),
                Weigh::bytes,
            )
        })
    })
}

fn link_concurrent_waiting<A: Arguments, R: Returned>(
    linker: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
) -> wasmtime::Result<()> {
    linker.func_wrap_concurrent(name, move |accessor, arguments: A::Rust| {
        Box::pin(async move {
            let came = arguments.bytes();
            let held = usize::try_from(came).unwrap_or(usize::MAX);
            let mut running = begin(accessor, came, held, |_, embedder, held| {
                start::<A>(embedder, index, arguments, Some(held))
            })?;
            let answer = (&mut running).await?;
            end(
                accessor,
                |_, embedder| finish::<R>(embedder, index, answer),
                Weigh::bytes,
            )
        })
    })
}

fn call<A: Arguments, R: Returned>(
    embedder: &dyn Embedder,
    index: usize,
    arguments: A::Rust,
) -> wasmtime::Result<R::Rust> {
    let imports = PythonImports::of(embedder)?;
    imports.run(index, |py, function| {
        let arguments = A::give(py, arguments)?;
        R::keep(py, imports.invoke(py, function, &arguments))
    })
}

fn start<A: Arguments>(
    embedder: &dyn Embedder,
    index: usize,
    arguments: A::Rust,
    held: Option<HeldBytes>,
) -> wasmtime::Result<Pending> {
    let imports = PythonImports::of(embedder)?;
    imports.run(index, |py, function| {
        let arguments = A::give(py, arguments)?;
        imports.start(py, function, &arguments, held)
    })
}

fn finish<R: Returned>(
    embedder: &dyn Embedder,
    index: usize,
    answer: Answer,
) -> wasmtime::Result<R::Rust> {
    PythonImports::of(embedder)?
        .run_answered(index, answer, |py, _, returned| R::keep(py, returned))
}

/// How to link a function of this plan through a lane, if its shape has one:
/// those that carry bytes or text, which dynamic values would carry one by one.
pub fn define(plan: &FunctionPlan, waits: bool) -> Option<Define> {
    let params: Vec<&Plan> = plan.params.iter().map(|(_, plan)| plan).collect();
    match params.as_slice() {
        [Plan::Bytes] => returned::<(Blob,)>(plan, waits),
        [Plan::Text] => returned::<(Text,)>(plan, waits),
        [Plan::Bytes, Plan::Bytes] => returned::<(Blob, Blob)>(plan, waits),
        [Plan::Text, Plan::Bytes] => returned::<(Text, Blob)>(plan, waits),
        [Plan::Text, Plan::Text] => returned::<(Text, Text)>(plan, waits),
        [Plan::U32, Plan::Bytes] => returned::<(u32, Blob)>(plan, waits),
        [Plan::U64, Plan::Bytes] => returned::<(u64, Blob)>(plan, waits),
        [Plan::Text, Plan::U32] => returned::<(Text, u32)>(plan, waits),
        [Plan::U64, Plan::U32, Plan::Bytes] => returned::<(u64, u32, Blob)>(plan, waits),
        [Plan::Text, Plan::Text, Plan::Bytes] => returned::<(Text, Text, Blob)>(plan, waits),
        _ => None,
    }
}

fn returned<A: Arguments>(plan: &FunctionPlan, waits: bool) -> Option<Define> {
    let Some(result) = &plan.result else {
        return Some(lane::<A, Nothing>(waits));
    };
    Some(match result {
        Plan::Bool => lane::<A, Plain<Flag>>(waits),
        Plan::Text => lane::<A, Plain<Text>>(waits),
        Plan::Bytes => lane::<A, Plain<Blob>>(waits),
        Plan::U32 => lane::<A, Plain<u32>>(waits),
        Plan::U64 => lane::<A, Plain<u64>>(waits),
        Plan::Result {
            ok: Some(ok),
            err: Some(err),
        } if matches!(**err, Plan::Text) => match **ok {
            Plan::Bytes => lane::<A, Fallible<Blob>>(waits),
            Plan::Text => lane::<A, Fallible<Text>>(waits),
            _ => return None,
        },
        _ => return None,
    })
}
