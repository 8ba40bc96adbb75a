//! Functions of the embedder that a component imports as `async`.
//!
//! The guest may have many of them in flight at once, so what each of them holds
//! here is counted until the embedder lets go of it, which may be long after the
//! guest gave the call up.

use super::{Embedder, Pending, aside};
use crate::instance::{HeldBytes, StoreData, bytes_of, enter_host, leave_host};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::block_in_place;
use wasmtime::component::{Accessor, LinkerInstance, Val};
use wasmtime::{AsContextMut as _, StoreContextMut};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs the embedder on behalf of a concurrent task. The
/// engine lets no other concurrent call be driven on it meanwhile.
pub(crate) fn inside_task() -> bool {
    INSIDE.get()
}

fn inside<T>(run: impl FnOnce() -> T) -> T {
    struct Leave(bool);
    impl Drop for Leave {
        fn drop(&mut self) {
            INSIDE.set(self.0);
        }
    }
    let _leave = Leave(INSIDE.replace(true));
    run()
}

/// Links function `index` of the embedder for an `async` import.
pub(super) fn define(
    instance: &mut LinkerInstance<'_, StoreData>,
    name: &str,
    index: usize,
    waits: bool,
) -> wasmtime::Result<()> {
    instance.func_new_concurrent(name, move |accessor, _, params, results| {
        if waits {
            Box::pin(wait(accessor, index, params, results))
        } else {
            Box::pin(async move {
                let run = |store: StoreContextMut<'_, _>, embedder: &dyn Embedder| {
                    embedder.call(store, index, params, &mut *results)?;
                    Ok(bytes_of(results))
                };
                answer(accessor, bytes_of(params), run, |went| *went).map(drop)
            })
        }
    })
}

async fn wait(
    accessor: &Accessor<StoreData>,
    index: usize,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let mut running = begin(
        accessor,
        bytes_of(params),
        bytes_held(params),
        |store, embedder, held| embedder.start(store, index, params, Some(held)),
    )?;
    let answer = (&mut running).await?;
    let finish = |store: StoreContextMut<'_, _>, embedder: &dyn Embedder| {
        embedder.finish(store, index, answer, &mut *results)?;
        Ok(bytes_of(results))
    };
    end(accessor, finish, |went| *went).map(drop)
}

/// Runs a function of the embedder that answers at once. It carries `came` bytes
/// in, and what `went` says of its result out.
///
/// # Errors
///
/// What the function ends the guest with, or [`wasmtime::Trap::OutOfFuel`].
pub fn answer<T>(
    accessor: &Accessor<StoreData>,
    came: u64,
    run: impl FnOnce(StoreContextMut<'_, StoreData>, &dyn Embedder) -> wasmtime::Result<T>,
    went: impl FnOnce(&T) -> u64,
) -> wasmtime::Result<T> {
    accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        let embedder = enter_host(&mut store, || came)?;
        let now = store.as_context_mut();
        let returned = inside(|| aside(true, || run(now, &*embedder)))?;
        leave_host(&mut store, || went(&returned))?;
        Ok(returned)
    })
}

/// Starts a function of the embedder that may wait. It carries `came` bytes in,
/// and its arguments take `held` here until `start` lets go of its guard.
///
/// # Errors
///
/// What the function ends the guest with, [`wasmtime::Trap::OutOfFuel`], or that
/// too much is held here already.
pub fn begin(
    accessor: &Accessor<StoreData>,
    came: u64,
    held: usize,
    start: impl FnOnce(
        StoreContextMut<'_, StoreData>,
        &dyn Embedder,
        HeldBytes,
    ) -> wasmtime::Result<Pending>,
) -> wasmtime::Result<InFlight> {
    accessor.with(|mut access| {
        let held = access.data_mut().hold(held)?;
        let mut store = access.as_context_mut();
        let embedder = enter_host(&mut store, || came)?;
        let pending = inside(|| aside(true, || start(store, &*embedder, held)))?;
        Ok(InFlight {
            pending: Some(pending),
            looked: false,
        })
    })
}

/// Makes a result of what a function answered that [`begin`] started; the result
/// carries out what `went` says.
///
/// # Errors
///
/// As for [`answer`].
pub fn end<T>(
    accessor: &Accessor<StoreData>,
    finish: impl FnOnce(StoreContextMut<'_, StoreData>, &dyn Embedder) -> wasmtime::Result<T>,
    went: impl FnOnce(&T) -> u64,
) -> wasmtime::Result<T> {
    accessor.with(|mut access| {
        let embedder = access.data_mut().embedder_arc();
        let mut store = access.as_context_mut();
        let now = store.as_context_mut();
        // `InFlight` is never ready when the guest polls it, so that this is the
        // engine's loop, on the stack of its own thread.
        let returned = inside(|| block_in_place(|| finish(now, &*embedder)))?;
        leave_host(&mut store, || went(&returned))?;
        Ok(returned)
    })
}

/// A function in flight. Letting go of it cancels it, which runs the embedder.
pub struct InFlight {
    pending: Option<Pending>,
    /// Whether it was polled: the first time is on the stack of the guest.
    looked: bool,
}

impl Future for InFlight {
    type Output = <Pending as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !std::mem::replace(&mut self.looked, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match &mut self.pending {
            Some(pending) => pending.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        inside(|| self.pending.take());
    }
}

/// What arguments take here while the function is in flight.
fn bytes_held(values: &[Val]) -> usize {
    values.iter().map(held).fold(0, usize::saturating_add)
}

fn held(value: &Val) -> usize {
    let behind = match value {
        Val::String(text) | Val::Enum(text) => text.len(),
        Val::List(items) | Val::Tuple(items) => bytes_held(items),
        Val::Record(fields) => fields
            .iter()
            .map(|(name, field)| name.len() + size_of::<String>() + held(field))
            .fold(0, usize::saturating_add),
        Val::Variant(name, payload) => name.len() + payload.as_deref().map_or(0, held),
        Val::Option(payload) | Val::Result(Ok(payload) | Err(payload)) => {
            payload.as_deref().map_or(0, held)
        }
        Val::Flags(names) => names
            .iter()
            .map(|name| name.len() + size_of::<String>())
            .fold(0, usize::saturating_add),
        _ => 0,
    };
    size_of::<Val>().saturating_add(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_takes_a_value_for_each_item() {
        let list = Val::List(vec![Val::U8(1); 1_000]);
        assert_eq!(bytes_held(&[list]), 1_001 * size_of::<Val>());
        let text = Val::String("x".repeat(500));
        assert_eq!(bytes_held(&[text]), size_of::<Val>() + 500);
    }

    #[test]
    fn the_mark_goes_when_the_embedder_returns() {
        assert!(!inside_task());
        assert!(inside(|| inside(inside_task)));
        assert!(!inside_task());
    }
}
