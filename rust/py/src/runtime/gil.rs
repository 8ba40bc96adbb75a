//! A call starts with the GIL held and gives it up at the first tick.
//!
//! Most calls end within a microsecond, and giving the GIL up for those costs
//! milliseconds whenever another Python thread is busy. So the guest starts
//! with it held; the epoch tick, on this same thread, releases it, and whoever
//! needs Python again takes it back.
//!
//! Between [`pause`] and [`resume`] no Python object may be touched, not even
//! dropped: PyO3 believes that the thread is still attached.

use super::exit;
use airssys_host::instance::{MemoryWarning, on_memory_warning};
use pyo3::exceptions::PyException;
use pyo3::ffi::{self, PyThreadState};
use pyo3::prelude::*;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Ticks between two looks at pending signals, so that Ctrl-C ends a guest.
const TICKS_PER_SIGNAL_CHECK: u32 = 50;
/// With hundreds of busy Python threads the GIL is a second away: a look that
/// waited long is followed by a break so many times longer, or the guest would
/// spend its time, and more than its time, in the queue for the GIL.
const TICKS_PER_TICK_WAITED: u32 = 20;

/// The thread that gets signals; no thread is called 0.
static MAIN_THREAD: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Calls on this thread that started with the GIL held, and none gave it up
    /// since.
    static ARMED: Cell<u32> = const { Cell::new(0) };
    /// Tick of the running call that looks at signals next.
    static NEXT_CHECK: Cell<u32> = const { Cell::new(TICKS_PER_SIGNAL_CHECK) };
    static SAVED: Cell<*mut PyThreadState> = const { Cell::new(ptr::null_mut()) };
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Notes which thread gets signals and asks to be told of long calls.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let threading = py.import("threading")?;
    let main = threading
        .call_method0("main_thread")?
        .getattr("ident")?
        .extract()?;
    MAIN_THREAD.store(main, Ordering::Relaxed);
    airssys_host::engine::on_long_call(long_call);
    on_memory_warning(memory_warning);
    Ok(())
}

/// Runs at each tick of a running call: says whether it may go on.
fn long_call(tick: u32) -> bool {
    let paused = !SAVED.get().is_null();
    // Python's own answer to whether this thread holds the GIL is always yes once
    // there was a subinterpreter, and while the interpreter ends.
    if !paused && ARMED.get() > 0 {
        return pause();
    }
    if exit::is_turned_away() {
        return end_thread();
    }
    if tick < TICKS_PER_SIGNAL_CHECK {
        NEXT_CHECK.set(TICKS_PER_SIGNAL_CHECK);
        return true;
    }
    if tick < NEXT_CHECK.get() || !on_main_thread() {
        return true;
    }
    let began = Instant::now();
    let go_on = look_at_signals(paused);
    let waited = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    let rest = waited
        .saturating_mul(TICKS_PER_TICK_WAITED)
        .max(TICKS_PER_SIGNAL_CHECK);
    NEXT_CHECK.set(tick.saturating_add(rest));
    go_on
}

/// Logs that an instance is near its memory limit: says whether it may go on.
fn memory_warning(warning: &MemoryWarning<'_>) -> bool {
    resume();
    let logged = exit::attach_aside(|py| match log(py, warning) {
        Ok(()) => true,
        // Whoever handles the log has failed, not the guest.
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            true
        }
        Err(error) => {
            RAISED.with_borrow_mut(|raised| *raised = Some(error));
            false
        }
    });
    // Once the interpreter ends, nobody reads the log of other threads.
    logged.unwrap_or(true)
}

fn log(py: Python<'_>, warning: &MemoryWarning<'_>) -> PyResult<()> {
    const TEXT: &str = "component %r wants %d bytes of memory, %d %% of its limit of %d; \
                        hint: raise Limits(memory_bytes_max=...)";
    let percent = warning.wanted as u128 * 100 / warning.limit.max(1) as u128;
    let values = (
        TEXT,
        warning.component,
        warning.wanted,
        percent,
        warning.limit,
    );
    py.import("logging")?
        .call_method1("getLogger", ("airssys_wasm.runtime",))?
        .call_method1("warning", values)
        .map(drop)
}

fn look_at_signals(paused: bool) -> bool {
    if !paused {
        // The caller gave the GIL up itself: for a start function.
        return exit::attach(heed_signals).unwrap_or_else(end_thread);
    }
    resume();
    // SAFETY: `resume` attached this thread again.
    let go_on = heed_signals(unsafe { Python::assume_attached() });
    go_on && pause()
}

fn heed_signals(py: Python<'_>) -> bool {
    let signalled = py.check_signals();
    let go_on = signalled.is_ok();
    RAISED.with_borrow_mut(|raised| *raised = signalled.err());
    go_on
}

/// Notes that this process is a forked child, whose only thread is this one.
pub fn note_fork() {
    MAIN_THREAD.store(this_thread(), Ordering::Relaxed);
}

fn this_thread() -> u64 {
    // SAFETY: reads the identity of the calling thread; needs no GIL.
    unsafe { ffi::PyThread_get_thread_ident() as u64 }
}

/// Whether this is the thread that gets signals.
pub fn on_main_thread() -> bool {
    MAIN_THREAD.load(Ordering::Relaxed) == this_thread()
}

fn end_thread() -> bool {
    RAISED.with_borrow_mut(|raised| *raised = Some(exit::turned_away()));
    false
}

/// Gives the GIL up, unless it could not be had again.
fn pause() -> bool {
    let Some(inside) = exit::Inside::enter() else {
        return end_thread();
    };
    inside.stay();
    // SAFETY: a call runs on an attached thread, and SAVED is empty: this
    // thread holds the GIL.
    SAVED.set(unsafe { ffi::PyEval_SaveThread() });
    true
}

/// Takes the GIL back if a tick gave it up.
#[inline]
pub fn resume() {
    let saved = SAVED.replace(ptr::null_mut());
    if !saved.is_null() {
        // SAFETY: the state `PyEval_SaveThread` gave on this very thread.
        unsafe { ffi::PyEval_RestoreThread(saved) };
        exit::Inside::leave();
    }
}

/// A call that starts with the GIL held and ends, whatever way, with it held.
pub struct Held(());

impl Held {
    /// Arms the tick; the token proves that the GIL is held.
    #[inline]
    pub fn new(_py: Python<'_>) -> Held {
        ARMED.set(ARMED.get() + 1);
        Held(())
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        ARMED.set(ARMED.get() - 1);
        resume();
    }
}

/// Runs `work` with the GIL given up, and the calls beneath it disarmed.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    struct Rearm(u32);

    impl Drop for Rearm {
        fn drop(&mut self) {
            ARMED.set(self.0);
        }
    }

    let _rearm = Rearm(ARMED.replace(0));
    py.detach(work)
}

/// The exception a signal handler raised during the last call, if any.
pub fn take_raised() -> Option<PyErr> {
    RAISED.with_borrow_mut(Option::take)
}
