//! Lanes of exported functions.

use super::kinds::{Blob, Flag, Give, Numbers, Param, Text, Unit};
use crate::error::Result;
use crate::runtime::calling;
use crate::value::{FunctionPlan, Outcome, Plan};
use airssys_host::Instance;
use airssys_host::instance::{Signature, Target, Typed, Weigh};
use airssys_host::wasmtime::component::{Lift, Lower};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::Arc;

/// Runs a function of one shape.
pub type Lane = for<'py> fn(
    Python<'py>,
    &Arc<Instance>,
    Target,
    &FunctionPlan,
    &Bound<'py, PyTuple>,
) -> Result<Bound<'py, PyAny>>;

/// Arguments as a whole.
trait Params: 'static {
    type Taken<'a>;
    type Rust<'a>: Lower
        + airssys_host::wasmtime::component::ComponentNamedList
        + Weigh
        + Send
        + Sync;

    fn take<'a>(plan: &FunctionPlan, args: &'a [Bound<'_, PyAny>]) -> Outcome<Self::Taken<'a>>;
    fn lend<'a>(taken: &'a Self::Taken<'_>) -> Self::Rust<'a>;
}

macro_rules! params {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Param),*> Params for ($($name,)*) {
            type Taken<'a> = ($($name::Taken<'a>,)*);
            type Rust<'a> = ($($name::Rust<'a>,)*);

            #[inline]
            #[allow(unused_variables, reason = "no arguments, no use of them")]
            fn take<'a>(
                plan: &FunctionPlan,
                args: &'a [Bound<'_, PyAny>],
            ) -> Outcome<Self::Taken<'a>> {
                Ok(($(
                    $name::take(&args[$index])
                        .map_err(|mismatch| mismatch.in_field(&plan.params[$index].0))?,
                )*))
            }

            #[inline]
            #[allow(unused_variables, clippy::unused_unit, reason = "no arguments, no use of them")]
            fn lend<'a>(taken: &'a Self::Taken<'_>) -> Self::Rust<'a> {
                ($($name::lend(&taken.$index),)*)
            }
        }
    };
}

params!();
params!(A 0);
params!(A 0, B 1);
params!(A 0, B 1, C 2);

/// The results as wasmtime has them.
trait Returns: 'static {
    type Rust: Lift
        + airssys_host::wasmtime::component::ComponentNamedList
        + Weigh
        + Send
        + Sync
        + 'static;

    fn give(py: Python<'_>, value: Self::Rust) -> Result<Bound<'_, PyAny>>;
}

impl Returns for Unit {
    type Rust = ();

    fn give(py: Python<'_>, (): ()) -> Result<Bound<'_, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

struct Plain<R>(R);

impl<R: Give> Returns for Plain<R> {
    type Rust = (R::Rust,);

    #[inline]
    fn give(py: Python<'_>, value: Self::Rust) -> Result<Bound<'_, PyAny>> {
        Ok(R::give(py, value.0)?)
    }
}

struct Fallible<R>(R);

impl<R: Give> Returns for Fallible<R> {
    type Rust = (std::result::Result<R::Rust, String>,);

    fn give(py: Python<'_>, value: Self::Rust) -> Result<Bound<'_, PyAny>> {
        match value.0 {
            Ok(value) => Ok(R::give(py, value)?),
            Err(text) => Err(crate::error::component_error(text.into_bound_py_any(py)?).into()),
        }
    }
}

struct Shape<P, R>(P, R);

impl<P: Params, R: Returns> Signature for Shape<P, R> {
    type Params<'a> = P::Rust<'a>;
    type Return = R::Rust;
}

fn lane<'py, P: Params, R: Returns>(
    py: Python<'py>,
    instance: &Arc<Instance>,
    target: Target,
    plan: &FunctionPlan,
    args: &Bound<'py, PyTuple>,
) -> Result<Bound<'py, PyAny>> {
    let taken = P::take(plan, args.as_slice())?;
    let call = Typed::<Shape<P, R>>::new(P::lend(&taken));
    R::give(py, calling::run_here(py, instance, target, call)?)
}

/// The lane for a function of this plan, if its shape has one. The number of
/// arguments is checked by the caller.
pub fn select(plan: &FunctionPlan) -> Option<Lane> {
    let params: Vec<&Plan> = plan.params.iter().map(|(_, plan)| plan).collect();
    match params.as_slice() {
        [] => returns::<()>(plan),
        [Plan::Bool] => returns::<(Flag,)>(plan),
        [Plan::Text] => returns::<(Text,)>(plan),
        [Plan::Bytes] => returns::<(Blob,)>(plan),
        [Plan::U32] => returns::<(u32,)>(plan),
        [Plan::S32] => returns::<(i32,)>(plan),
        [Plan::U64] => returns::<(u64,)>(plan),
        [Plan::S64] => returns::<(i64,)>(plan),
        [Plan::F32] => returns::<(f32,)>(plan),
        [Plan::F64] => returns::<(f64,)>(plan),
        [Plan::U32, Plan::U32] => returns::<(u32, u32)>(plan),
        [Plan::S32, Plan::S32] => returns::<(i32, i32)>(plan),
        [Plan::U64, Plan::U64] => returns::<(u64, u64)>(plan),
        [Plan::S64, Plan::S64] => returns::<(i64, i64)>(plan),
        [Plan::F64, Plan::F64] => returns::<(f64, f64)>(plan),
        [Plan::Text, Plan::Text] => returns::<(Text, Text)>(plan),
        [Plan::Text, Plan::Bytes] => returns::<(Text, Blob)>(plan),
        [Plan::Bytes, Plan::Bytes] => returns::<(Blob, Blob)>(plan),
        [Plan::Bytes, Plan::U32] => returns::<(Blob, u32)>(plan),
        [Plan::U64, Plan::U32, Plan::Bytes] => returns::<(u64, u32, Blob)>(plan),
        [Plan::List(item)] => number_list(item, plan.result.as_ref()),
        _ => None,
    }
}

fn returns<P: Params>(plan: &FunctionPlan) -> Option<Lane> {
    let Some(result) = &plan.result else {
        return Some(lane::<P, Unit>);
    };
    Some(match result {
        Plan::Bool => lane::<P, Plain<Flag>>,
        Plan::Text => lane::<P, Plain<Text>>,
        Plan::Bytes => lane::<P, Plain<Blob>>,
        Plan::U32 => lane::<P, Plain<u32>>,
        Plan::S32 => lane::<P, Plain<i32>>,
        Plan::U64 => lane::<P, Plain<u64>>,
        Plan::S64 => lane::<P, Plain<i64>>,
        Plan::F32 => lane::<P, Plain<f32>>,
        Plan::F64 => lane::<P, Plain<f64>>,
        Plan::Result {
            ok: Some(ok),
            err: Some(err),
        } if matches!(**err, Plan::Text) => match **ok {
            Plan::Bytes => lane::<P, Fallible<Blob>>,
            Plan::Text => lane::<P, Fallible<Text>>,
            _ => return None,
        },
        _ => return None,
    })
}

fn number_list(item: &Plan, result: Option<&Plan>) -> Option<Lane> {
    macro_rules! pick {
        ($($plan:ident $type:ty),*) => {
            match (item, result) {
                $((Plan::$plan, None) => Some(lane::<(Numbers<$type>,), Unit> as Lane),)*
                $((Plan::$plan, Some(Plan::List(back))) if matches!(**back, Plan::$plan) => {
                    Some(lane::<(Numbers<$type>,), Plain<Numbers<$type>>> as Lane)
                })*
                $((Plan::$plan, Some(Plan::F64)) => {
                    Some(lane::<(Numbers<$type>,), Plain<f64>> as Lane)
                })*
                _ => None,
            }
        };
    }
    pick!(
        S8 i8, U16 u16, S16 i16, U32 u32, S32 i32, U64 u64, S64 i64, F32 f32, F64 f64
    )
}
