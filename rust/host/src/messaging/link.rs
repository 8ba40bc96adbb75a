//! Links the functions that a component imports of it.

use super::types::{Address, Encoded, MessageError, SendOptions};
use super::{MessagingError, Post, Told, Wait};
use crate::instance::{StoreData, charge_host};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{LinkerInstance, Resource, ResourceType, WasmList, WasmStr};
use wasmtime::{AsContext as _, Result, StoreContextMut};

/// A request that a guest keeps open; its number is its name at the [`Post`].
struct DeferredReply;

/// Bytes of a handle in a list.
const HANDLE_BYTES: u64 = 8;

type Store<'a> = StoreContextMut<'a, StoreData>;
type Linking<'a> = LinkerInstance<'a, StoreData>;
type Answered<T> = Result<(Told<T>,)>;

/// Links what a component imports of the interface. Says whether it may wait there:
/// then its calls need a stack of their own.
///
/// # Errors
///
/// If a function was linked before.
pub(crate) fn link<'f>(
    linker: &mut Linking<'_>,
    functions: impl Iterator<Item = &'f str>,
    resources: &[String],
) -> Result<bool> {
    for resource in resources {
        linker.resource(
            resource,
            ResourceType::host::<DeferredReply>(),
            |mut store, rep| {
                charge_host(&mut store, || 0)?;
                post(&store)?.drop_deferred(rep);
                Ok(())
            },
        )?;
    }
    let mut waits = false;
    for function in functions {
        match function {
            "ask" | "send" | "send-with" => {
                waits = true;
                link_waiting(linker, function)?;
            }
            _ => link_ready(linker, function)?,
        }
    }
    Ok(waits)
}

fn post<'a>(store: &'a Store<'_>) -> Result<&'a Arc<dyn Post>> {
    // It is only linked for instances that have one.
    store
        .data()
        .post()
        .ok_or_else(|| wasmtime::Error::msg("the instance belongs to no actor"))
}

/// Functions that never wait.
fn link_ready(linker: &mut Linking<'_>, function: &str) -> Result<()> {
    match function {
        "own-id" => linker.func_wrap(function, |mut store: Store<'_>, (): ()| {
            charge_host(&mut store, || 0)?;
            Ok((post(&store)?.own_id(),)) as Answered<Address>
        }),
        "lookup" => linker.func_wrap(function, |mut store: Store<'_>, (id,): (Address,)| {
            let bytes = id.namespace.len() + id.name.len() + id.instance.len();
            charge_host(&mut store, || bytes as u64)?;
            Ok((post(&store)?.lookup(&id),))
        }),
        "id-of" => linker.func_wrap(function, |mut store: Store<'_>, (handle,): (u64,)| {
            charge_host(&mut store, || 0)?;
            Ok((post(&store)?.id_of(handle),))
        }),
        "broadcast" => linker.func_wrap(function, broadcast),
        "request" => linker.func_wrap(function, request),
        "cancel-request" => {
            linker.func_wrap(function, |mut store: Store<'_>, (request,): (u64,)| {
                charge_host(&mut store, || 0)?;
                Ok((post(&store)?.cancel_request(request),))
            })
        }
        "publish" => linker.func_wrap(function, publish),
        "subscribe" => {
            linker.func_wrap(function, |mut store: Store<'_>, (pattern,): (WasmStr,)| {
                let text = text(&mut store, &pattern)?;
                Ok((post(&store)?.subscribe(&text),))
            })
        }
        "unsubscribe" => {
            linker.func_wrap(function, |mut store: Store<'_>, (pattern,): (WasmStr,)| {
                let text = text(&mut store, &pattern)?;
                Ok((post(&store)?.unsubscribe(&text),))
            })
        }
        _ => link_about_message(linker, function),
    }
}

/// Functions about the message that is handled, and its reply.
fn link_about_message(linker: &mut Linking<'_>, function: &str) -> Result<()> {
    match function {
        "current-envelope" => linker.func_wrap(function, |mut store: Store<'_>, (): ()| {
            charge_host(&mut store, || 0)?;
            Ok((post(&store)?.envelope(),))
        }),
        "set-reply-codec" => {
            linker.func_wrap(function, |mut store: Store<'_>, (codec,): (u32,)| {
                charge_host(&mut store, || 0)?;
                Ok((post(&store)?.set_reply_codec(codec),))
            })
        }
        "defer-reply" => linker.func_wrap(function, |mut store: Store<'_>, (): ()| {
            charge_host(&mut store, || 0)?;
            let deferred = post(&store)?.defer_reply();
            Ok((deferred.map(Resource::<DeferredReply>::new_own),))
        }),
        "[method]deferred-reply.send" => linker.func_wrap(function, reply),
        "[method]deferred-reply.refuse" => linker.func_wrap(
            function,
            |mut store: Store<'_>, (deferred, error): (Resource<DeferredReply>, MessageError)| {
                charge_host(&mut store, || crate::instance::Weigh::bytes(&error))?;
                Ok((post(&store)?.reply(deferred.rep(), Err(error)),))
            },
        ),
        // Another version's: the component is told which of its imports is unknown.
        _ => Ok(()),
    }
}

/// Functions that may wait.
fn link_waiting(linker: &mut Linking<'_>, function: &str) -> Result<()> {
    match function {
        "ask" => linker.func_wrap_async(function, |store: Store<'_>, params: Ask| {
            later(ask(store, params))
        }),
        "send" => linker.func_wrap_async(function, |store: Store<'_>, params: Send| {
            let (target, codec, payload) = params;
            later(send(store, target, codec, payload, SendOptions::USUAL))
        }),
        _ => linker.func_wrap_async(function, |store: Store<'_>, params: SendWith| {
            let (target, codec, payload, how) = params;
            later(send(store, target, codec, payload, how))
        }),
    }
}

type Ask = (u64, u32, WasmList<u8>, u32);
type Send = (u64, u32, WasmList<u8>);
type SendWith = (u64, u32, WasmList<u8>, SendOptions);
type Boxed<T> = Box<dyn Future<Output = Answered<T>> + std::marker::Send>;

fn later<T: std::marker::Send + 'static>(waited: Result<Wait<Told<T>>>) -> Boxed<T> {
    Box::new(async move {
        Ok((match waited? {
            Wait::Now(told) => told,
            Wait::Later(told) => told.await,
        },))
    })
}

fn ask(
    mut store: Store<'_>,
    (target, codec, payload, timeout): Ask,
) -> Result<Wait<Told<Encoded>>> {
    if timeout == 0 {
        return Ok(Wait::Now(Err(no_timeout())));
    }
    pay(&mut store, &payload)?;
    let timeout = Duration::from_millis(timeout.into());
    let payload = payload.as_le_slice(store.as_context());
    Ok(post(&store)?.ask(target, codec, payload, timeout))
}

#[allow(clippy::needless_pass_by_value, reason = "as its callers have it")]
fn send(
    mut store: Store<'_>,
    target: u64,
    codec: u32,
    payload: WasmList<u8>,
    how: SendOptions,
) -> Result<Wait<Told<()>>> {
    pay(&mut store, &payload)?;
    let payload = payload.as_le_slice(store.as_context());
    Ok(post(&store)?.send(target, codec, payload, how))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape a host function has"
)]
fn broadcast(
    mut store: Store<'_>,
    (targets, codec, payload): (WasmList<u64>, u32, WasmList<u8>),
) -> Answered<Vec<super::BroadcastFailure>> {
    let handles = targets.len() as u64 * HANDLE_BYTES;
    charge_host(&mut store, || handles + payload.len() as u64)?;
    let targets = targets.as_le_slice(store.as_context());
    let payload = payload.as_le_slice(store.as_context());
    Ok((post(&store)?.broadcast(targets, codec, payload),))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape a host function has"
)]
fn request(
    mut store: Store<'_>,
    (target, codec, payload, timeout): (u64, u32, WasmList<u8>, u32),
) -> Answered<u64> {
    if timeout == 0 {
        return Ok((Err(no_timeout()),));
    }
    pay(&mut store, &payload)?;
    let timeout = Duration::from_millis(timeout.into());
    let payload = payload.as_le_slice(store.as_context());
    Ok((post(&store)?.request(target, codec, payload, timeout),))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape a host function has"
)]
fn publish(
    mut store: Store<'_>,
    (topic, codec, payload): (WasmStr, u32, WasmList<u8>),
) -> Answered<()> {
    pay(&mut store, &payload)?;
    let topic = text(&mut store, &topic)?;
    let payload = payload.as_le_slice(store.as_context());
    Ok((post(&store)?.publish(&topic, codec, payload),))
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "the shape a host function has"
)]
fn reply(
    mut store: Store<'_>,
    (deferred, codec, payload): (Resource<DeferredReply>, u32, WasmList<u8>),
) -> Answered<()> {
    pay(&mut store, &payload)?;
    let payload = payload.as_le_slice(store.as_context());
    Ok((post(&store)?.reply(deferred.rep(), Ok((codec, payload))),))
}

fn pay(store: &mut Store<'_>, payload: &WasmList<u8>) -> Result<()> {
    charge_host(store, || payload.len() as u64)
}

/// A text of the guest, paid for.
fn text(store: &mut Store<'_>, text: &WasmStr) -> Result<String> {
    let text = text.to_str(&*store)?.into_owned();
    charge_host(store, || text.len() as u64)?;
    Ok(text)
}

fn no_timeout() -> MessagingError {
    MessagingError::InvalidArgument("timeout-milliseconds: 0; at least 1".to_owned())
}
