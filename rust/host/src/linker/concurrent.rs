//! Functions of the embedder that a component imports as `async`.
//!
//! The guest may have many of them in flight at once, so what each of them holds
//! here is counted until it ends.

use super::aside;
use crate::instance::{StoreData, bytes_of, enter_host, leave_host};
use crate::linker::Pending;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::block_in_place;
use wasmtime::AsContextMut as _;
use wasmtime::component::{Accessor, LinkerInstance, Val};

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
            Box::pin(async move { answer(accessor, index, params, results) })
        }
    })
}

fn answer(
    accessor: &Accessor<StoreData>,
    index: usize,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        let embedder = enter_host(&mut store, || bytes_of(params))?;
        let now = store.as_context_mut();
        inside(|| aside(true, || embedder.call(now, index, params, results)))?;
        leave_host(&mut store, || bytes_of(results))
    })
}

async fn wait(
    accessor: &Accessor<StoreData>,
    index: usize,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    // Held until the function ends, as its arguments are.
    let (waiting, _held) = accessor.with(|mut access| -> wasmtime::Result<_> {
        let held = access.data_mut().hold(bytes_held(params))?;
        let mut store = access.as_context_mut();
        let embedder = enter_host(&mut store, || bytes_of(params))?;
        let pending = inside(|| aside(true, || embedder.start(store, index, params)))?;
        Ok((Waiting(Some(pending)), held))
    })?;
    let answer = waiting.await?;
    accessor.with(|mut access| {
        let embedder = access.data_mut().embedder_arc();
        let mut store = access.as_context_mut();
        let now = store.as_context_mut();
        // The engine's loop polls this, on the stack of its own thread.
        inside(|| block_in_place(|| embedder.finish(now, index, answer, results)))?;
        leave_host(&mut store, || bytes_of(results))
    })
}

/// A function in flight. Letting go of it cancels it, which runs the embedder.
struct Waiting(Option<Pending>);

impl Future for Waiting {
    type Output = <Pending as Future>::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(pending) => pending.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        inside(|| self.0.take());
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
