//! Holds the live store between calls and hands it to one call at a time.

use super::data::{Receipt, StoreData};
use crate::error::{Error, Result};
use std::any::TypeId;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
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
}

/// A function of a live instance, and the typed signature it was checked for.
#[derive(Clone, Copy)]
pub struct Function {
    pub(super) func: Func,
    pub(super) checked: Option<TypeId>,
}

/// One place for a live instance.
pub(super) struct Slot {
    state: Mutex<State>,
    freed: Condvar,
    freed_async: Notify,
}

struct State {
    live: Option<Live>,
    closed: Option<String>,
    owner: Option<ThreadId>,
    waiting: u32,
    waiting_async: u32,
    receipt: Receipt,
}

impl Slot {
    pub(super) fn new(live: Live) -> Slot {
        Slot {
            state: Mutex::new(State {
                live: Some(live),
                closed: None,
                owner: None,
                waiting: 0,
                waiting_async: 0,
                receipt: Receipt::default(),
            }),
            freed: Condvar::new(),
            freed_async: Notify::new(),
        }
    }

    /// Takes the live instance out, or `None` while another call has it.
    pub(super) fn take(&self) -> Result<Option<Live>> {
        self.lock().take()
    }

    /// Puts it back after a call that went well.
    pub(super) fn put(&self, live: Live, receipt: Receipt) {
        let mut state = self.lock();
        state.receipt = receipt;
        state.owner = None;
        if state.closed.is_none() {
            state.live = Some(live);
        }
        self.wake(&state);
    }

    /// Closes it after a call that ended the instance.
    pub(super) fn fail(&self, why: String, receipt: Receipt) {
        let mut state = self.lock();
        state.receipt = receipt;
        state.owner = None;
        state.closed.get_or_insert(why);
        self.wake(&state);
    }

    /// Closes it by wish.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed.get_or_insert_with(|| "it was closed".to_owned());
        let live = state.live.take();
        self.wake(&state);
        drop(state);
        // Unmapping its memories takes microseconds; nobody should wait for it.
        drop(live);
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().closed.is_none()
    }

    pub(super) fn receipt(&self) -> Receipt {
        self.lock().receipt
    }

    /// Whether the call that has it runs on this very thread.
    pub(super) fn is_mine(&self) -> bool {
        self.lock().owner == Some(thread::current().id())
    }

    /// Says that the call runs, and stays, on this thread.
    pub(super) fn own(&self) {
        self.lock().owner = Some(thread::current().id());
    }

    /// Waits until it may be free, at most `most`.
    pub(super) fn wait(&self, most: Duration) {
        let mut state = self.lock();
        if state.live.is_some() || state.closed.is_some() {
            return;
        }
        state.waiting += 1;
        let (mut state, _) =
            self.freed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
    }

    /// Takes it as soon as it is free.
    pub(super) async fn take_async(&self) -> Result<Live> {
        loop {
            let freed = self.freed_async.notified();
            {
                let mut state = self.lock();
                if let Some(live) = state.take()? {
                    return Ok(live);
                }
                state.waiting_async += 1;
            }
            freed.await;
            self.lock().waiting_async -= 1;
        }
    }

    fn wake(&self, state: &State) {
        if state.waiting > 0 {
            self.freed.notify_one();
        }
        if state.waiting_async > 0 {
            self.freed_async.notify_one();
        }
        if state.closed.is_some() {
            self.freed.notify_all();
            self.freed_async.notify_waiters();
        }
    }

    // No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> Result<Option<Live>> {
        match &self.closed {
            None => Ok(self.live.take()),
            Some(why) => Err(Error::InstanceClosed(format!(
                "the instance is closed: {why}; hint: make a new one with instantiate()"
            ))),
        }
    }
}
