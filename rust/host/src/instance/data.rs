//! What a store carries: the meters of the running call and the doors out.

use super::held::{Held, HeldBytes};
use super::{Watch, tariff};
use crate::component::Component;
use crate::engine::{Activity, Admission, Ticks, duration, long_call, ticks};
use crate::limits::{HOSTCALL_BYTES_MAX, Limits, MemoryMeter};
use crate::linker::{Embedder, Grant, Output, WasiState};
use crate::messaging::Post;
use crate::trap::{DeadlinePassed, Interrupted};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wasmtime::{StoreContextMut, UpdateDeadline};

/// Ticks after which a running call is looked at again.
pub(super) const TICKS_PER_CHECK: u64 = 1;

/// What one call used.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Receipt {
    /// Time it ran, waiting for the host included.
    pub run: Duration,
    /// Time it waited for the instance to be free.
    pub queued: Duration,
    /// Fuel it used, if the instance is metered.
    pub fuel: Option<u64>,
    /// Most bytes of memories and tables the instance ever had.
    pub memory_bytes_peak: u64,
    /// Growths of memory refused to the instance so far.
    pub memory_denied: u64,
    /// Host functions it called: the embedder's, those of WASI, and destructors
    /// of the host's resources.
    pub host_calls: u64,
    /// Bytes of its arguments.
    pub bytes_in: u64,
    /// Bytes of its results.
    pub bytes_out: u64,
}

/// The same as it is measured: time in ticks, which cost a division to read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) run_ticks: u64,
    pub(super) queued_ticks: u64,
    pub(super) fuel: Option<u64>,
    pub(super) memory_bytes_peak: u64,
    pub(super) memory_denied: u64,
    pub(super) host_calls: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

/// The data of a store.
pub struct StoreData {
    pub(crate) meter: MemoryMeter,
    clock: Clock,
    host_calls: u64,
    /// Calls of WASI that the guest has not paid with fuel yet.
    unpaid_calls: u64,
    metered: bool,
    /// How often the guest called the host and did not come back yet.
    pub(super) host_depth: u32,
    held: Held,
    embedder: Arc<dyn Embedder>,
    /// Its messaging, if it is an actor's.
    post: Option<Arc<dyn Post>>,
    wasi: Option<Box<WasiState>>,
    activity: Arc<Activity>,
    /// Set by whoever wants the running call to end.
    stop: Arc<AtomicBool>,
    _admission: Admission,
}

/// Wall-clock time of the running call.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    most: Duration,
    most_ticks: u64,
    started: Ticks,
    ticks: u32,
    /// Whether the guest runs on a stack of its own and can be set aside.
    may_yield: bool,
}

impl Clock {
    /// When the running call is over.
    pub(super) fn deadline(&self) -> Instant {
        let passed = duration(Ticks::now().since(self.started));
        Instant::now() + self.most.saturating_sub(passed)
    }

    pub(super) fn deadline_passed(&self) -> DeadlinePassed {
        DeadlinePassed {
            call_seconds_max: self.most.as_secs_f64(),
        }
    }
}

impl StoreData {
    pub(super) fn new(
        component: &Arc<Component>,
        limits: &Limits,
        embedder: Arc<dyn Embedder>,
        post: Option<Arc<dyn Post>>,
        wasi: Option<Box<WasiState>>,
        admission: Admission,
    ) -> StoreData {
        StoreData {
            meter: MemoryMeter::new(
                limits.memory_bytes_max,
                Some(Watch::new(Arc::clone(component))),
            ),
            clock: Clock {
                most: limits.call_max,
                most_ticks: ticks(limits.call_max),
                started: Ticks::now(),
                ticks: 0,
                may_yield: false,
            },
            host_calls: 0,
            unpaid_calls: 0,
            metered: limits.fuel_max.is_some(),
            host_depth: 0,
            held: Held::default(),
            embedder,
            post,
            wasi,
            activity: admission.activity(),
            stop: Arc::default(),
            _admission: admission,
        }
    }

    /// Starts the meters for one call.
    #[inline]
    pub(super) fn start_call(&mut self, may_yield: bool) {
        self.activity.touch();
        self.meter.start_call(may_yield);
        self.host_calls = 0;
        self.unpaid_calls = 0;
        self.host_depth = 0;
        self.clock.started = Ticks::now();
        self.clock.ticks = 0;
        self.clock.may_yield = may_yield;
    }

    /// What the call used so far, but for fuel and queueing.
    #[inline]
    pub(super) fn usage(&self) -> Usage {
        Usage {
            run_ticks: Ticks::now().since(self.clock.started),
            memory_bytes_peak: self.meter.peak() as u64,
            memory_denied: self.meter.denied(),
            host_calls: self.host_calls,
            ..Usage::default()
        }
    }

    /// Ends the running call at its next tick, when set.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// The time of the call that runs, or ran last.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Fails once the running call is past its deadline.
    ///
    /// # Errors
    ///
    /// [`DeadlinePassed`].
    fn check_deadline(&self) -> wasmtime::Result<()> {
        if Ticks::now().since(self.clock.started) < self.clock.most_ticks {
            return Ok(());
        }
        Err(self.deadline_passed().into())
    }

    /// Whether a call that ran this long ran too long. A guest that is not
    /// looked at between a slow host function and its end is caught by this.
    #[inline]
    pub(super) fn is_past_deadline(&self, run_ticks: u64) -> bool {
        run_ticks > self.clock.most_ticks
    }

    /// Whether the running call is past its deadline now.
    pub(super) fn is_late(&self) -> bool {
        self.check_deadline().is_err()
    }

    pub(super) fn deadline_passed(&self) -> DeadlinePassed {
        self.clock.deadline_passed()
    }

    /// Whether the running guest has a stack of its own.
    pub fn has_own_stack(&self) -> bool {
        self.clock.may_yield
    }

    /// Whether the guest pays for what it uses with fuel.
    #[inline]
    pub(super) fn is_metered(&self) -> bool {
        self.metered
    }

    /// Calls of WASI, and the bytes they carried, since this was last asked.
    pub(super) fn take_unpaid(&mut self) -> (u64, u64) {
        let bytes = self.wasi.as_mut().map_or(0, |wasi| wasi.take_carried());
        (std::mem::take(&mut self.unpaid_calls), bytes)
    }

    /// The same, left unpaid.
    fn unpaid(&self) -> (u64, u64) {
        let bytes = self.wasi.as_ref().map_or(0, |wasi| wasi.carried());
        (self.unpaid_calls, bytes)
    }

    /// Counts a call of WASI and hands out what it works on.
    pub(crate) fn wasi_call(&mut self) -> &mut WasiState {
        self.host_calls += 1;
        self.unpaid_calls += 1;
        self.wasi()
    }

    /// Counts a host call and hands out what runs it.
    pub(super) fn host_call(&mut self) -> Arc<dyn Embedder> {
        self.host_calls += 1;
        Arc::clone(&self.embedder)
    }

    /// Counts a call of a function of the host itself.
    pub(super) fn count_host_call(&mut self) {
        self.host_calls += 1;
    }

    /// What serves its messaging, if it is an actor's.
    pub(crate) fn post(&self) -> Option<&Arc<dyn Post>> {
        self.post.as_ref()
    }

    /// What runs the embedder's functions.
    pub(crate) fn embedder_arc(&self) -> Arc<dyn Embedder> {
        Arc::clone(&self.embedder)
    }

    /// Counts what the host holds for a call of the guest that is in flight,
    /// until the guard is dropped.
    ///
    /// # Errors
    ///
    /// [`HeldTooMuch`] if all of them together would hold more than one may.
    pub(crate) fn hold(&mut self, bytes: usize) -> wasmtime::Result<HeldBytes> {
        let most = self.meter.limit().min(HOSTCALL_BYTES_MAX);
        Ok(self.held.add(bytes, most)?)
    }

    /// The WASI side. Only linked WASI interfaces ask for it, and a store whose
    /// component links any is made with one; the empty one grants nothing.
    fn wasi(&mut self) -> &mut WasiState {
        self.wasi
            .get_or_insert_with(|| Box::new(WasiState::new(&Grant::nothing())))
    }

    pub(super) fn output(&self) -> Option<(Output, Output)> {
        self.wasi
            .as_ref()
            .map(|wasi| (wasi.stdout.clone(), wasi.stderr.clone()))
    }
}

/// Runs at each tick that finds a guest running.
pub(super) fn on_tick(
    mut store: StoreContextMut<'_, StoreData>,
) -> wasmtime::Result<UpdateDeadline> {
    let data = store.data_mut();
    if data.stop.load(Ordering::Relaxed) {
        return Err(Interrupted.into());
    }
    data.check_deadline()?;
    data.activity.touch();
    if data.metered {
        let unpaid = data.unpaid();
        tariff::check(&store, unpaid)?;
    }
    let data = store.data_mut();
    data.clock.ticks += 1;
    if data.clock.may_yield {
        return Ok(UpdateDeadline::Yield(TICKS_PER_CHECK));
    }
    if long_call(data.clock.ticks) {
        return Ok(UpdateDeadline::Continue(TICKS_PER_CHECK));
    }
    Err(Interrupted.into())
}
