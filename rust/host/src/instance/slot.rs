//! Holds the live store between calls and hands it to one call at a time.
//!
//! One word says who has it: nobody, a call on a thread, a call that may move
//! between threads, or nobody ever again. Taking and giving back are one
//! atomic operation each; a lock is only met by those who have to wait.

use super::data::{StoreData, Usage};
use super::journal::{Journal, Served};
use super::ledger::Ledger;
use crate::error::{Error, Result};
use std::any::TypeId;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Func, Instance as Instantiated};

/// A store with its instance and the functions looked up in it so far.
pub(super) struct Live {
    pub(super) store: Store<StoreData>,
    pub(super) instance: Instantiated,
    pub(super) functions: Vec<Option<Function>>,
    pub(super) exports: Arc<[ComponentExportIndex]>,
    /// Fuel of one call, if the instance is metered.
    pub(super) fuel_max: Option<u64>,
}

/// A function of a live instance, and the typed signature it was checked for.
#[derive(Clone, Copy)]
pub struct Function {
    pub(super) func: Func,
    pub(super) checked: Option<TypeId>,
}

/// Nobody has the instance.
const IDLE: usize = 0;
/// The instance is gone.
const CLOSED: usize = 1;
/// A call has it that may move between threads.
const ROAMING: usize = 2;

thread_local! {
    // Its address names the thread; no address is as small as the words above.
    static TAG: u8 = const { 0 };
}

/// Who takes the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(usize);

impl Owner {
    /// A call that stays on this thread.
    #[inline]
    pub(super) fn this_thread() -> Owner {
        Owner(TAG.with(|tag| std::ptr::from_ref(tag) as usize))
    }

    /// A call that may move between threads.
    pub(super) fn roaming() -> Owner {
        Owner(ROAMING)
    }
}

/// One place for a live instance.
pub(super) struct Slot {
    owner: AtomicUsize,
    live: UnsafeCell<Option<Live>>,
    close_wanted: AtomicBool,
    closed_because: OnceLock<String>,
    receipt: Ledger,
    /// Where an actor's receipts are kept, and its memory limit.
    journal: OnceLock<(Arc<Journal>, usize)>,
    waiting: AtomicU32,
    gate: Mutex<()>,
    freed: Condvar,
    waiting_async: AtomicU32,
    freed_async: Notify,
}

// SAFETY: `live` is only touched by whoever set `owner` from IDLE, until it
// sets it back; `Live` itself may move between threads.
unsafe impl Sync for Slot {}

const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Live>();
};

/// What came of trying to take the instance.
pub(super) enum Taken<'a> {
    /// It is taken.
    Held(Held<'a>),
    /// A call on this very thread has it.
    Mine,
    /// Another call has it.
    Busy,
}

impl Slot {
    pub(super) fn new(live: Live) -> Slot {
        Slot {
            owner: AtomicUsize::new(IDLE),
            live: UnsafeCell::new(Some(live)),
            close_wanted: AtomicBool::new(false),
            closed_because: OnceLock::new(),
            receipt: Ledger::default(),
            journal: OnceLock::new(),
            waiting: AtomicU32::new(0),
            gate: Mutex::new(()),
            freed: Condvar::new(),
            waiting_async: AtomicU32::new(0),
            freed_async: Notify::new(),
        }
    }

    /// Takes the instance for one call.
    #[inline]
    pub(super) fn take(&self, owner: Owner) -> Result<Taken<'_>> {
        match self
            .owner
            .compare_exchange(IDLE, owner.0, Ordering::SeqCst, Ordering::SeqCst)
        {
            Ok(_) if self.close_wanted.load(Ordering::SeqCst) => {
                // Whoever wants it closed came between its being given back and this.
                Held { slot: self }.shut("it was closed".to_owned());
                Err(self.closed())
            }
            Ok(_) => Ok(Taken::Held(Held { slot: self })),
            Err(CLOSED) => Err(self.closed()),
            Err(other) if other == owner.0 && other != ROAMING => Ok(Taken::Mine),
            Err(_) => Ok(Taken::Busy),
        }
    }

    #[cold]
    fn closed(&self) -> Error {
        let why = self
            .closed_because
            .get()
            .map_or("it was closed", String::as_str);
        Error::InstanceClosed(format!(
            "the instance is closed: {why}; hint: make a new one with instantiate()"
        ))
    }

    /// Closes it: at once if it is idle, else when the call that has it ends.
    pub(super) fn close(&self) {
        self.close_wanted.store(true, Ordering::SeqCst);
        // An instance that is idle is taken, and closed for being wanted so.
        drop(self.take(Owner::roaming()));
    }

    pub(super) fn is_open(&self) -> bool {
        !self.close_wanted.load(Ordering::SeqCst) && self.owner.load(Ordering::SeqCst) != CLOSED
    }

    pub(super) fn keep_receipts(&self, journal: Arc<Journal>, memory_bytes_max: usize) {
        let _ = self.journal.set((journal, memory_bytes_max));
    }

    #[inline]
    fn note(&self, usage: Usage) {
        self.receipt.write(usage);
        if let Some((journal, memory_bytes_max)) = self.journal.get() {
            journal.note(Served {
                usage,
                memory_bytes_max: *memory_bytes_max,
            });
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.receipt.read()
    }

    /// Waits until it may be free, at most `most`.
    pub(super) fn wait(&self, most: Duration) {
        let gate = self.gate();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Whoever frees it looks at `waiting` after that, so one of the two
        // always sees the other.
        if self.is_taken() {
            // Woken, timed out or poisoned: the caller looks again anyway.
            drop(self.freed.wait_timeout(gate, most));
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Takes it as soon as it is free.
    pub(super) async fn take_async(&self) -> Result<Held<'_>> {
        loop {
            let mut freed = pin!(self.freed_async.notified());
            freed.as_mut().enable();
            if let Taken::Held(held) = self.take(Owner::roaming())? {
                return Ok(held);
            }
            let _waiting = Waiting::new(&self.waiting_async);
            if self.is_taken() {
                freed.await;
            }
        }
    }

    fn is_taken(&self) -> bool {
        !matches!(self.owner.load(Ordering::SeqCst), IDLE | CLOSED)
    }

    /// Gives it back: idle, or closed for good.
    #[inline]
    fn release(&self, to: usize) {
        self.owner.store(to, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 || self.waiting_async.load(Ordering::SeqCst) > 0
        {
            self.wake(to);
        }
    }

    #[cold]
    fn wake(&self, to: usize) {
        // Under the gate, so that no waiter is between looking and sleeping.
        let _gate = self.gate();
        if to == CLOSED {
            self.freed.notify_all();
            self.freed_async.notify_waiters();
        } else {
            self.freed.notify_one();
            self.freed_async.notify_one();
        }
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a waiter for as long as it waits, also when its task is dropped.
struct Waiting<'a> {
    count: &'a AtomicU32,
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self { count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The live instance, taken for one call. If it is dropped before the call
/// ended, by a panic or a cancelled task, the instance closes.
pub(super) struct Held<'a> {
    slot: &'a Slot,
}

impl Held<'_> {
    /// Gives it back after a call that went well.
    #[inline]
    pub(super) fn give_back(self, usage: Usage) {
        let slot = self.slot;
        std::mem::forget(self);
        slot.note(usage);
        slot.release(IDLE);
        if slot.close_wanted.load(Ordering::SeqCst) {
            slot.close();
        }
    }

    /// Closes it after a call that ended the instance.
    pub(super) fn fail(self, why: String, usage: Usage) {
        self.slot.note(usage);
        self.shut(why);
    }

    fn shut(self, why: String) {
        let slot = self.slot;
        std::mem::forget(self);
        // Only the first reason counts, and there can be only one.
        let _ = slot.closed_because.set(why);
        // SAFETY: the owner word is still ours.
        let live = unsafe { (*slot.live.get()).take() };
        slot.release(CLOSED);
        // Unmapping its memories takes microseconds: nobody should wait for it.
        drop(live);
    }
}

impl Deref for Held<'_> {
    type Target = Live;

    #[inline]
    fn deref(&self) -> &Live {
        // SAFETY: the owner word is ours while this exists, and only `shut`,
        // which consumes it, empties the place.
        unsafe { (*self.slot.live.get()).as_ref().unwrap_unchecked() }
    }
}

impl DerefMut for Held<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Live {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { (*self.slot.live.get()).as_mut().unwrap_unchecked() }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let usage = self.usage();
        Held { slot: self.slot }.fail("a call was cut off".to_owned(), usage);
    }
}
