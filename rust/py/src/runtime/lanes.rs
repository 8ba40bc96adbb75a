//! Typed lanes: functions of common shapes cross without dynamic values, their
//! bytes copied once each way.

use super::calling;
use crate::error::Result;
use crate::value::{FunctionPlan, Number, Outcome, Plan, blob, boolean, numbers, text};
use airssys_host::Instance;
use airssys_host::instance::{Signature, Target, Typed, Weigh};
use airssys_host::wasmtime::component::{Lift, Lower};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::borrow::Cow;
use std::sync::Arc;

/// Runs a function of one shape.
pub type Lane = for<'py> fn(
    Python<'py>,
    &Arc<Instance>,
    Target,
    &FunctionPlan,
    &Bound<'py, PyTuple>,
) -> Result<Bound<'py, PyAny>>;

/// A parameter with a lane: taken from Python, then borrowed for the guest.
trait Param: 'static {
    type Taken<'a>;
    type Rust<'a>: Lower + Weigh + Send + Sync;

    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Self::Taken<'a>>;
    fn lend<'a>(taken: &'a Self::Taken<'_>) -> Self::Rust<'a>;
}

/// A result with a lane.
trait Give: 'static {
    type Rust: Lift + Weigh + Send + Sync + 'static;

    fn give(py: Python<'_>, value: Self::Rust) -> PyResult<Bound<'_, PyAny>>;
}

struct Flag;
struct Text;
struct Blob;
struct Numbers<T>(T);
struct Unit;

macro_rules! scalar {
    ($($type:ty)*) => {$(
        impl Param for $type {
            type Taken<'a> = $type;
            type Rust<'a> = $type;

            #[inline]
            fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<$type> {
                Number::take(value)
            }

            #[inline]
            fn lend<'a>(taken: &'a $type) -> $type {
                *taken
            }
        }

        impl Give for $type {
            type Rust = $type;

            #[inline]
            fn give(py: Python<'_>, value: $type) -> PyResult<Bound<'_, PyAny>> {
                value.into_bound_py_any(py)
            }
        }
    )*};
}

scalar!(u32 i32 u64 i64 f32 f64);

impl Param for Flag {
    type Taken<'a> = bool;
    type Rust<'a> = bool;

    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<bool> {
        boolean(value)
    }

    fn lend<'a>(taken: &'a bool) -> bool {
        *taken
    }
}

impl Give for Flag {
    type Rust = bool;

    fn give(py: Python<'_>, value: bool) -> PyResult<Bound<'_, PyAny>> {
        value.into_bound_py_any(py)
    }
}

impl Param for Text {
    type Taken<'a> = &'a str;
    type Rust<'a> = &'a str;

    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<&'a str> {
        text(value)
    }

    fn lend<'a>(taken: &'a &'_ str) -> &'a str {
        taken
    }
}

impl Give for Text {
    type Rust = String;

    fn give(py: Python<'_>, value: String) -> PyResult<Bound<'_, PyAny>> {
        value.into_bound_py_any(py)
    }
}

// Only `bytes` is lent as it is: anything else can change while another
// thread runs during the call.
impl Param for Blob {
    type Taken<'a> = Cow<'a, [u8]>;
    type Rust<'a> = &'a [u8];

    #[inline]
    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Cow<'a, [u8]>> {
        match value.cast::<PyBytes>() {
            Ok(bytes) => Ok(Cow::Borrowed(bytes.as_bytes())),
            Err(_) => blob(value).map(Cow::Owned),
        }
    }

    #[inline]
    fn lend<'a>(taken: &'a Cow<'_, [u8]>) -> &'a [u8] {
        taken
    }
}

impl Give for Blob {
    type Rust = Vec<u8>;

    #[inline]
    fn give(py: Python<'_>, value: Vec<u8>) -> PyResult<Bound<'_, PyAny>> {
        Ok(PyBytes::new(py, &value).into_any())
    }
}

macro_rules! number_lists {
    ($($type:ty)*) => {$(
        impl Param for Numbers<$type> {
            type Taken<'a> = Vec<$type>;
            type Rust<'a> = &'a [$type];

            fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Vec<$type>> {
                numbers(value)
            }

            fn lend<'a>(taken: &'a Vec<$type>) -> &'a [$type] {
                taken
            }
        }

        impl Give for Numbers<$type> {
            type Rust = Vec<$type>;

            fn give(py: Python<'_>, value: Vec<$type>) -> PyResult<Bound<'_, PyAny>> {
                value.into_bound_py_any(py)
            }
        }
    )*};
}

number_lists!(i8 u16 i16 u32 i32 u64 i64 f32 f64);

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
    let Some(result) = &plan.result else { return Some(lane::<P, Unit>) };
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
        Plan::Result { ok: Some(ok), err: Some(err) } if matches!(**err, Plan::Text) => {
            match **ok {
                Plan::Bytes => lane::<P, Fallible<Blob>>,
                Plan::Text => lane::<P, Fallible<Text>>,
                _ => return None,
            }
        }
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
