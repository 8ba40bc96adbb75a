//! What host calls cost a guest whose fuel is counted.
//!
//! The guest's own instructions are counted by its code. What the host does for
//! it is not in there, so each host call has a price: the embedder's functions
//! pay when they are entered, those of WASI, which are not ours to wrap, when
//! they return to the guest. Instances without fuel pay nothing and are not
//! asked.

use super::StoreData;
use crate::linker::Embedder;
use std::sync::Arc;
use wasmtime::{AsContextMut as _, CallHook, Store, StoreContextMut, Trap};

/// Fuel of one call of a host function, or of one destructor of the host.
pub const HOST_CALL_FUEL: u64 = 500;
/// Fuel of one byte carried by it, either way: as much as a bulk instruction of
/// the guest pays for one.
pub const HOST_BYTE_FUEL: u64 = 1;

/// Counts a call of an embedder's function that carries `bytes`, takes the fuel
/// for it, and hands out what runs it.
///
/// # Errors
///
/// [`Trap::OutOfFuel`] if there is not enough; nothing must run then.
pub fn enter_host(
    store: &mut StoreContextMut<'_, StoreData>,
    bytes: impl FnOnce() -> u64,
) -> wasmtime::Result<Arc<dyn Embedder>> {
    let embedder = store.data_mut().host_call();
    if store.data().is_metered() {
        take(store, price(1, bytes()))?;
    }
    Ok(embedder)
}

/// Counts a call of a function of the host itself that carries `bytes`, and takes the
/// fuel for it.
///
/// # Errors
///
/// [`Trap::OutOfFuel`] if there is not enough; nothing must run then.
pub(crate) fn charge_host(
    store: &mut StoreContextMut<'_, StoreData>,
    bytes: impl FnOnce() -> u64,
) -> wasmtime::Result<()> {
    store.data_mut().count_host_call();
    if store.data().is_metered() {
        take(store, price(1, bytes()))?;
    }
    Ok(())
}

/// Takes the fuel for what an embedder's function carries back.
///
/// # Errors
///
/// [`Trap::OutOfFuel`] if there is not enough.
pub fn leave_host(
    store: &mut StoreContextMut<'_, StoreData>,
    bytes: impl FnOnce() -> u64,
) -> wasmtime::Result<()> {
    if store.data().is_metered() {
        take(store, price(0, bytes()))?;
    }
    Ok(())
}

/// Makes WASI's functions pay in a store that counts fuel.
pub(super) fn meter(store: &mut Store<StoreData>) {
    store.call_hook(|mut store, hook| {
        let data = store.data_mut();
        match hook {
            CallHook::CallingHost => data.host_depth += 1,
            CallHook::ReturningFromHost => data.host_depth = data.host_depth.saturating_sub(1),
            CallHook::CallingWasm | CallHook::ReturningFromWasm => return Ok(()),
        }
        // The guest reads its fuel again after a call that it made. A tick of the
        // clock that comes while it makes room for a result is none, and the guest
        // would go on with the fuel it had.
        if data.host_depth > 0 {
            return Ok(());
        }
        pay(&mut store)
    });
}

/// Takes the fuel for what is still unpaid when a call ends: while a task of the
/// guest is held up in the host, no other comes back to where it could pay.
///
/// # Errors
///
/// [`Trap::OutOfFuel`] if there is not enough.
pub(super) fn settle(store: &mut Store<StoreData>) -> wasmtime::Result<()> {
    pay(&mut store.as_context_mut())
}

/// Fails while a call runs that could not settle any more.
///
/// # Errors
///
/// [`Trap::OutOfFuel`].
pub(super) fn check(
    store: &StoreContextMut<'_, StoreData>,
    (calls, bytes): (u64, u64),
) -> wasmtime::Result<()> {
    if price(calls, bytes) > store.get_fuel()? {
        return Err(Trap::OutOfFuel.into());
    }
    Ok(())
}

fn pay(store: &mut StoreContextMut<'_, StoreData>) -> wasmtime::Result<()> {
    match store.data_mut().take_unpaid() {
        (0, 0) => Ok(()),
        (calls, bytes) => take(store, price(calls, bytes)),
    }
}

fn price(calls: u64, bytes: u64) -> u64 {
    let calls = calls.saturating_mul(HOST_CALL_FUEL);
    calls.saturating_add(bytes.saturating_mul(HOST_BYTE_FUEL))
}

fn take(store: &mut StoreContextMut<'_, StoreData>, fuel: u64) -> wasmtime::Result<()> {
    if let Some(left) = store.get_fuel()?.checked_sub(fuel) {
        return store.set_fuel(left);
    }
    store.set_fuel(0)?;
    Err(Trap::OutOfFuel.into())
}
