//! How much of the native stack is left for a guest that runs on it.
//!
//! The engine bounds what a guest uses, but trusts the thread to have it. A thread
//! with a small stack does not, nor one where host functions call guests whose host
//! functions call guests: there the guest would run into the guard page, and the
//! process with it.

use crate::error::{Error, Result};
use std::cell::Cell;

/// Stack of guest code.
pub(crate) const WASM_STACK_BYTES: usize = 512 * 1024;
/// Stack of a guest that may wait. The embedder's functions run on it too, and an
/// interpreter bounds its recursion for the 8 MiB that threads have; what is not
/// used is address space only.
pub(crate) const ASYNC_STACK_BYTES: usize = 12 * 1024 * 1024;
/// What host functions find even where a guest has used all it may.
const HOST_STACK_BYTES: usize = 256 * 1024;

const UNKNOWN: usize = usize::MAX;

thread_local! {
    /// Lowest address of the stack that this thread runs on now.
    static LOWEST: Cell<usize> = const { Cell::new(UNKNOWN) };
}

/// Fails where a guest that uses its whole stack would leave the thread too little.
///
/// # Errors
///
/// [`Error::CapacityExhausted`].
#[inline]
pub(crate) fn require_room() -> Result<()> {
    let lowest = match LOWEST.get() {
        UNKNOWN => find_lowest(),
        known => known,
    };
    let left = here().saturating_sub(lowest);
    if left >= WASM_STACK_BYTES + HOST_STACK_BYTES {
        return Ok(());
    }
    Err(too_little(left))
}

/// Runs a host function on the stack of a guest that has one of its own.
pub(crate) fn on_guest_stack<T>(run: impl FnOnce() -> T) -> T {
    struct Restore(usize);

    impl Drop for Restore {
        fn drop(&mut self) {
            LOWEST.set(self.0);
        }
    }

    // The guest has used no more than it may, and the engine's own frames little.
    let lowest = here().saturating_sub(ASYNC_STACK_BYTES - WASM_STACK_BYTES - HOST_STACK_BYTES);
    let _restore = Restore(LOWEST.replace(lowest));
    run()
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "it is the caller's frame that counts")]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&mark)).addr()
}

#[cold]
fn find_lowest() -> usize {
    // Where the system does not say, only the engine's own bound holds.
    let lowest = stacker::remaining_stack().map_or(0, |left| here().saturating_sub(left));
    LOWEST.set(lowest);
    lowest
}

#[cold]
fn too_little(left: usize) -> Error {
    Error::CapacityExhausted(format!(
        "the thread has {} KiB of stack left, and a guest may need {} KiB; hint: nest fewer calls \
         inside host functions, or call from a thread with a larger stack (threading.stack_size)",
        left / 1024,
        (WASM_STACK_BYTES + HOST_STACK_BYTES) / 1024
    ))
}
