//! Lanes of exported functions.

use super::kinds::{Blob, Flag, Give, Numbers, Param, Text, Unit};
use crate::error::Result;
use crate::runtime::calling::{self, When};
use crate::value::{FunctionPlan, Outcome, Plan};
use airssys_host::Instance;
use airssys_host::instance::{Function, Invocation, Signature, StoreData, Target, Typed, Weigh};
use airssys_host::wasmtime::component::{Lift, Lower};
use airssys_host::wasmtime::{self, Store};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::marker::PhantomData;
use std::sync::Arc;

/// How functions of one shape are called.
#[derive(Clone, Copy)]
pub struct Lane {
    /// Calls at once, on this stack.
    pub run: Run,
    /// Calls a guest that may wait, or without waiting for it. Shapes of numbers
    /// alone have none: dynamic values carry them as well.
    pub start: Option<Start>,
}

/// Calls at once.
pub type Run = for<'py> fn(
    Python<'py>,
    &Arc<Instance>,
    Target,
    &FunctionPlan,
    &Bound<'py, PyTuple>,
) -> Result<Bound<'py, PyAny>>;

/// Starts a call of an instance, held by the object that comes first, on a stack of
/// its own.
pub type Start = for<'py> fn(
    &Bound<'py, PyAny>,
    &Arc<Instance>,
    Target,
    &FunctionPlan,
    &Bound<'py, PyTuple>,
    When,
) -> Result<Bound<'py, PyAny>>;

/// Arguments as a whole.
trait Params: 'static {
    /// Whether they are worth a lane on a stack of their own.
    const BULK: bool;
    type Taken<'a>: Send + Sync;
    type Rust<'a>: Lower
        + airssys_host::wasmtime::component::ComponentNamedList
        + Weigh
        + Send
        + Sync;

    fn take<'a>(plan: &FunctionPlan, args: &'a [Bound<'_, PyAny>]) -> Outcome<Self::Taken<'a>>;
    fn lend<'a>(taken: &'a Self::Taken<'_>) -> Self::Rust<'a>;
    fn own(taken: Self::Taken<'_>) -> Self::Taken<'static>;
}

macro_rules! params {
    ($($name:ident $index:tt),*) => {
        impl<$($name: Param),*> Params for ($($name,)*) {
            const BULK: bool = false $(|| $name::BULK)*;
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

            #[allow(unused_variables, clippy::unused_unit, reason = "no arguments, no use of them")]
            fn own(taken: Self::Taken<'_>) -> Self::Taken<'static> {
                ($($name::own(taken.$index),)*)
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
    /// As for [`Params`].
    const BULK: bool;

    fn give(py: Python<'_>, value: Self::Rust) -> Result<Bound<'_, PyAny>>;
}

impl Returns for Unit {
    type Rust = ();
    const BULK: bool = false;

    fn give(py: Python<'_>, (): ()) -> Result<Bound<'_, PyAny>> {
        Ok(py.None().into_bound(py))
    }
}

struct Plain<R>(R);

impl<R: Give> Returns for Plain<R> {
    type Rust = (R::Rust,);
    const BULK: bool = R::BULK;

    #[inline]
    fn give(py: Python<'_>, value: Self::Rust) -> Result<Bound<'_, PyAny>> {
        Ok(R::give(py, value.0)?)
    }
}

struct Fallible<R>(R);

impl<R: Give> Returns for Fallible<R> {
    type Rust = (std::result::Result<R::Rust, String>,);
    const BULK: bool = true;

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

/// A call that owns its arguments.
struct Owned<P: Params, R> {
    taken: P::Taken<'static>,
    returns: PhantomData<fn() -> R>,
}

impl<P: Params, R: Returns> Owned<P, R> {
    fn lend(&self) -> Typed<'_, Shape<P, R>> {
        Typed::new(P::lend(&self.taken))
    }
}

impl<P: Params, R: Returns> Invocation for Owned<P, R> {
    type Output = R::Rust;

    fn call(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<R::Rust> {
        self.lend().call(store, function)
    }

    async fn call_async(
        self,
        store: &mut Store<StoreData>,
        function: Option<&mut Function>,
    ) -> wasmtime::Result<R::Rust> {
        self.lend().call_async(store, function).await
    }

    fn bytes_in(&self) -> u64 {
        P::lend(&self.taken).bytes()
    }

    fn bytes_out(output: &R::Rust) -> u64 {
        output.bytes()
    }
}

fn start<'py, P: Params, R: Returns>(
    owner: &Bound<'py, PyAny>,
    instance: &Arc<Instance>,
    target: Target,
    plan: &FunctionPlan,
    args: &Bound<'py, PyTuple>,
    when: When,
) -> Result<Bound<'py, PyAny>> {
    let call = Owned::<P, R> {
        taken: P::own(P::take(plan, args.as_slice())?),
        returns: PhantomData,
    };
    // While the call runs, its instance, and with it what its imports run, is in use:
    // else the garbage collector would take that apart.
    let in_use = owner.clone().unbind();
    calling::start(
        owner.py(),
        instance,
        target,
        call,
        when,
        None,
        move |py, ended| {
            drop(in_use);
            R::give(py, ended?)
        },
    )
}

fn lane<P: Params, R: Returns>() -> Lane {
    let start: Option<Start> = if P::BULK || R::BULK {
        Some(start::<P, R>)
    } else {
        None
    };
    Lane {
        run: run::<P, R>,
        start,
    }
}

fn run<'py, P: Params, R: Returns>(
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
        return Some(lane::<P, Unit>());
    };
    Some(match result {
        Plan::Bool => lane::<P, Plain<Flag>>(),
        Plan::Text => lane::<P, Plain<Text>>(),
        Plan::Bytes => lane::<P, Plain<Blob>>(),
        Plan::U32 => lane::<P, Plain<u32>>(),
        Plan::S32 => lane::<P, Plain<i32>>(),
        Plan::U64 => lane::<P, Plain<u64>>(),
        Plan::S64 => lane::<P, Plain<i64>>(),
        Plan::F32 => lane::<P, Plain<f32>>(),
        Plan::F64 => lane::<P, Plain<f64>>(),
        Plan::Result {
            ok: Some(ok),
            err: Some(err),
        } if matches!(**err, Plan::Text) => match **ok {
            Plan::Bytes => lane::<P, Fallible<Blob>>(),
            Plan::Text => lane::<P, Fallible<Text>>(),
            _ => return None,
        },
        _ => return None,
    })
}

fn number_list(item: &Plan, result: Option<&Plan>) -> Option<Lane> {
    macro_rules! pick {
        ($($plan:ident $type:ty),*) => {
            match (item, result) {
                $((Plan::$plan, None) => Some(lane::<(Numbers<$type>,), Unit>()),)*
                $((Plan::$plan, Some(Plan::List(back))) if matches!(**back, Plan::$plan) => {
                    Some(lane::<(Numbers<$type>,), Plain<Numbers<$type>>>())
                })*
                $((Plan::$plan, Some(Plan::F64)) => {
                    Some(lane::<(Numbers<$type>,), Plain<f64>>())
                })*
                _ => None,
            }
        };
    }
    pick!(
        S8 i8, U16 u16, S16 i16, U32 u32, S32 i32, U64 u64, S64 i64, F32 f32, F64 f64
    )
}
