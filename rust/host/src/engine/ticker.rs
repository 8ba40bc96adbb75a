//! The epoch ticker: one thread that makes time pass for running guests.
//!
//! It ticks each millisecond while calls are running and sleeps when none has
//! run for a while, so that an idle process costs next to nothing.

use crate::actor::Scheduler;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(1);
/// Time between two ticks while asleep.
const DOZE: Duration = Duration::from_millis(40);
/// Ticks without a call before the thread goes to sleep.
const IDLE_TICKS: u32 = 50;

static GENERATION: AtomicU32 = AtomicU32::new(0);
static ON_LONG_CALL: OnceLock<fn(u32) -> bool> = OnceLock::new();

/// Registers what to do, on the calling thread, at each tick that finds a call
/// running there; it gets the number of the tick and says whether the call may
/// go on. The first registration stays.
pub fn on_long_call(hook: fn(u32) -> bool) {
    let _ = ON_LONG_CALL.set(hook);
}

/// How many forks lie between this process and the one that loaded the library.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Marks this process as a forked child. None of the threads made before the fork
/// is here: engines made before refuse to work, new ones start their own.
pub fn mark_forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn long_call(ticks: u32) -> bool {
    ON_LONG_CALL.get().is_none_or(|hook| hook(ticks))
}

/// What calls tell the ticker.
///
/// A call only ever stores and loads, without a fence. So a call that starts in
/// the very moment in which the thread goes to sleep may not wake it; asleep, it
/// still ticks every [`DOZE`], and the deadline is late by no more than that.
#[derive(Default)]
pub(crate) struct Activity {
    recent: AtomicBool,
    asleep: AtomicBool,
    sleeper: Mutex<Option<Thread>>,
}

impl Activity {
    /// Says that a call is running.
    #[inline]
    pub(crate) fn touch(&self) {
        self.recent.store(true, Ordering::Relaxed);
        if self.asleep.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.asleep.store(false, Ordering::Relaxed);
        if let Some(sleeper) = lock(&self.sleeper).as_ref() {
            sleeper.unpark();
        }
    }

    fn take_recent(&self) -> bool {
        self.recent.swap(false, Ordering::Relaxed)
    }

    /// Sleeps until a call begins, but no longer than [`DOZE`].
    fn doze(&self) {
        *lock(&self.sleeper) = Some(thread::current());
        self.asleep.store(true, Ordering::Relaxed);
        if !self.recent.load(Ordering::Relaxed) {
            thread::park_timeout(DOZE);
        }
        self.asleep.store(false, Ordering::Relaxed);
    }
}

// Nothing under these locks can panic, so a poisoned lock still holds a good value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Shared {
    activity: Arc<Activity>,
    engines: Mutex<Vec<wasmtime::Engine>>,
    schedulers: Mutex<Vec<Weak<Scheduler>>>,
    stop: AtomicBool,
}

impl Shared {
    // Time passes while dozing too, only slower: a guest that went on unnoticed,
    // after its thread was held up between telling us and running on, meets a
    // tick soon, and with it wakes us.
    fn run(&self) {
        let mut idle_ticks = 0;
        while !self.stop.load(Ordering::Relaxed) {
            if idle_ticks < IDLE_TICKS {
                thread::sleep(TICK);
            } else {
                self.activity.doze();
            }
            for engine in lock(&self.engines).iter() {
                engine.increment_epoch();
            }
            for scheduler in lock(&self.schedulers).iter() {
                if let Some(scheduler) = scheduler.upgrade() {
                    scheduler.look();
                }
            }
            idle_ticks = if self.activity.take_recent() {
                0
            } else {
                idle_ticks.saturating_add(1)
            };
        }
    }
}

/// Owns the ticking thread; dropping it ends the thread.
pub(super) struct Ticker {
    /// Of the process that its thread runs in.
    generation: u32,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ticker {
    pub(super) fn start() -> Result<Ticker> {
        let ticker = Ticker {
            generation: generation(),
            shared: Arc::default(),
            thread: Mutex::new(None),
        };
        ticker.ensure_alive()?;
        Ok(ticker)
    }

    /// Starts the thread again should it ever have ended: without it no
    /// deadline would hold.
    pub(super) fn ensure_alive(&self) -> Result<()> {
        let mut thread = lock(&self.thread);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let started = thread::Builder::new()
            .name("airssys-ticker".to_owned())
            .spawn(move || shared.run())
            .map_err(|error| Error::Engine(format!("the epoch ticker could not start: {error}")))?;
        *thread = Some(started);
        Ok(())
    }

    /// Whether it was started before this process was forked, and is not here.
    #[inline]
    pub(super) fn is_left_behind(&self) -> bool {
        self.generation != generation()
    }

    pub(super) fn watch(&self, engine: &wasmtime::Engine) {
        let mut engines = lock(&self.shared.engines);
        if !engines
            .iter()
            .any(|known| wasmtime::Engine::same(known, engine))
        {
            engines.push(engine.clone());
        }
    }

    /// Has `scheduler` look after its handlers at each tick.
    pub(super) fn look_after(&self, scheduler: &Arc<Scheduler>) {
        let mut schedulers = lock(&self.shared.schedulers);
        schedulers.retain(|known| known.strong_count() > 0);
        schedulers.push(Arc::downgrade(scheduler));
    }

    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::clone(&self.shared.activity)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        let thread = lock(&self.thread).take();
        if self.is_left_behind() {
            // The thread does not exist here: it can be neither joined nor let go.
            std::mem::forget(thread);
            return;
        }
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.activity.touch();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
