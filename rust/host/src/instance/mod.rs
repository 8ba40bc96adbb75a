//! A live instance: one store, one call at a time, closed for good when it fails.

mod abandoned;
mod call;
mod data;
mod future;
mod held;
mod journal;
mod ledger;
mod slot;
mod tariff;
mod warning;
mod weigh;

pub use call::{Dynamic, Invocation, Lease, Signature, Target, Typed, Weigh};
pub use data::{Receipt, StoreData};
pub use future::{Abort, CallFuture};
pub use held::HeldBytes;
pub use journal::{JOURNAL_MAX, Journal, Served};
pub use slot::Function;
pub use tariff::{HOST_BYTE_FUEL, HOST_CALL_FUEL, enter_host, leave_host};

pub use warning::{MemoryWarning, memory_warning_bytes, on_memory_warning};

pub(crate) use tariff::charge_host;
pub(crate) use warning::Watch;
pub(crate) use weigh::values as bytes_of;

use crate::component::Component;
use crate::engine::{Allocation, Metering, long_call};
use crate::error::{Error, Result};
use crate::limits::{
    CONCURRENT_CORE_INSTANCES_MAX, CONCURRENT_ENTRIES_MAX, FOOTPRINT_BYTES_FREE, HANDLES_MAX,
    HOSTCALL_BYTES_MAX, Limits,
};
use crate::linker::{self, Grant, Output, Prelinked, Supply, WasiState};
use crate::trap::{self, Failure, Family, Interrupted};
use abandoned::Abandoned;
use call::DropResource;
use data::{TICKS_PER_CHECK, on_tick};
use slot::{Live, Slot};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::ResourceAny;

/// Time between two looks whether the embedder wants to go on while an instance
/// that may wait is made.
const LOOK: Duration = Duration::from_millis(50);
/// The same in ticks of a long call.
const LOOK_TICKS: u32 = 50;

/// A component instance. Threads share it through an [`Arc`].
pub struct Instance {
    component: Arc<Component>,
    limits: Limits,
    /// Whether its imports may wait, so that each call has a stack of its own.
    waits: bool,
    output: Option<(Output, Output)>,
    slot: Slot,
    abandoned: Abandoned,
    stop: Arc<AtomicBool>,
    /// How many calls were started that may move between threads.
    roamed: AtomicU64,
    /// The number of the one that the guest has begun with; 0 for none.
    roaming: AtomicU64,
}

impl Instance {
    /// Makes an instance; a start function runs under the limits of a call.
    ///
    /// # Errors
    ///
    /// [`Error::ImportMissing`] and [`Error::ImportMismatch`] before anything
    /// ran, [`Error::CapacityExhausted`], and [`Error::Failed`] if the start
    /// function or the memory limit ended it.
    pub fn new(
        component: &Arc<Component>,
        limits: Limits,
        grant: &Grant,
        supply: Supply<'_>,
    ) -> Result<Arc<Instance>> {
        let metering = if limits.fuel_max.is_some() {
            Metering::Fuel
        } else {
            Metering::Off
        };
        let builder = Builder {
            component,
            limits,
            grant,
            metering,
            supply,
        };
        let allocation = if component.code().fits_pool(limits.memory_bytes_max) {
            Allocation::Pooled
        } else {
            Allocation::OnDemand
        };
        builder.check_footprint()?;
        let mut prelinked = builder.prelink(allocation)?;
        let mut built = builder.build(&prelinked);
        if matches!(built, Err(Unbuilt::PoolFull)) {
            prelinked = builder.prelink(Allocation::OnDemand)?;
            built = builder.build(&prelinked);
        }
        let live = match built {
            Ok(live) => live,
            Err(Unbuilt::Failed(error)) => return Err(error),
            Err(Unbuilt::PoolFull) => return Err(no_room(component)),
        };
        Ok(Arc::new(Instance {
            component: Arc::clone(component),
            limits,
            waits: prelinked.waits,
            output: live.store.data().output(),
            stop: live.store.data().stop(),
            slot: Slot::new(live),
            abandoned: Abandoned::default(),
            roamed: AtomicU64::new(0),
            roaming: AtomicU64::new(0),
        }))
    }

    /// The component it is an instance of.
    pub fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// The limits it runs under.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether its imports may wait.
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// Receipt of the last call that ended.
    pub fn receipt(&self) -> Receipt {
        self.slot.usage().into()
    }

    /// Has the receipts of its calls kept, once and for all.
    pub fn keep_receipts(&self, journal: &Arc<Journal>) {
        let most = self.limits.memory_bytes_max;
        self.slot.keep_receipts(Arc::clone(journal), most);
    }

    /// The same, and what the call might have used.
    pub fn served(&self) -> Served {
        Served {
            usage: self.slot.usage(),
            memory_bytes_max: self.limits.memory_bytes_max,
        }
    }

    /// Captured standard output and error.
    pub fn output(&self) -> Option<&(Output, Output)> {
        self.output.as_ref()
    }

    /// Whether it can still be called.
    pub fn is_open(&self) -> bool {
        self.slot.is_open()
    }

    /// Closes it, and ends the call that runs: at its next tick, or where it comes
    /// back from a host function.
    pub fn interrupt(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.slot.close();
    }

    /// Closes it: at once if it is idle, else when the call that runs ends.
    pub fn close(&self) {
        self.slot.close();
    }

    fn failed(&self, error: wasmtime::Error, export: &str, live: &Live) -> Error {
        let meter = &live.store.data().meter;
        Error::Failed(Box::new(trap::classify(
            error,
            self.component.name(),
            export,
            meter,
        )))
    }

    /// Notes a resource that nobody holds any more. It is dropped at the start of
    /// the next call, or goes with the instance.
    pub fn abandon(&self, resource: ResourceAny) {
        self.abandoned.add(resource);
    }

    /// A call that drops a guest's resource; its destructor runs under the
    /// limits of a call.
    pub fn drop_resource(resource: ResourceAny) -> (Target, impl Invocation<Output = ()>) {
        (Target::Destructor, DropResource(resource))
    }
}

struct Builder<'a> {
    component: &'a Arc<Component>,
    limits: Limits,
    grant: &'a Grant,
    metering: Metering,
    supply: Supply<'a>,
}

impl Builder<'_> {
    fn prelink(&self, allocation: Allocation) -> Result<Arc<Prelinked>> {
        linker::prelink(
            self.component,
            self.metering,
            allocation,
            self.grant,
            &self.supply,
        )
    }

    /// Refuses a component whose instances cost the host more than their limit
    /// in globals and functions alone.
    fn check_footprint(&self) -> Result<()> {
        let bytes = self.component.code().footprint();
        let most = FOOTPRINT_BYTES_FREE.max(self.limits.memory_bytes_max as u64);
        if bytes <= most {
            return Ok(());
        }
        Err(Error::Failed(Box::new(Failure {
            family: Family::Memory,
            kind: "out-of-memory",
            component: self.component.name().to_owned(),
            export: trap::INSTANTIATION.to_owned(),
            detail: format!(
                "its globals and functions alone take {bytes} bytes of the host, more than {most}"
            ),
            backtrace: Vec::new(),
            cause: None,
        })))
    }

    fn build(&self, prelinked: &Prelinked) -> Result<Live, Unbuilt> {
        if !prelinked.waits {
            crate::stack::require_room()?;
        }
        let mut store = self.store(prelinked)?;
        let instance = match self.instantiate(&mut store, prelinked) {
            Ok(_) if store.data().is_late() => {
                let passed = store.data().deadline_passed();
                return Err(Unbuilt::Failed(self.failed(passed.into(), store.data())));
            }
            Ok(instance) => instance,
            Err(error) if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
                return Err(Unbuilt::PoolFull);
            }
            Err(error) if machine_is_full(&error) => return Err(Unbuilt::PoolFull),
            Err(error) => return Err(Unbuilt::Failed(self.failed(error, store.data()))),
        };
        let exports = Arc::clone(&prelinked.exports);
        Ok(Live {
            store,
            instance,
            functions: vec![None; exports.len()],
            exports,
            fuel_max: self.limits.fuel_max,
        })
    }

    fn store(&self, prelinked: &Prelinked) -> Result<Store<StoreData>> {
        let admission = self.component.engine().admit()?;
        let wasi = prelinked
            .uses_wasi
            .then(|| Box::new(WasiState::new(self.grant)));
        let mut data = StoreData::new(
            self.component,
            &self.limits,
            Arc::clone(&self.supply.embedder),
            self.supply.post.clone(),
            wasi,
            admission,
        );
        if self.component.is_concurrent() {
            data.meter
                .limit_core_instances(CONCURRENT_CORE_INSTANCES_MAX);
        }
        let mut store = Store::new(prelinked.pre.engine(), data);
        store.limiter(|data| &mut data.meter);
        store.epoch_deadline_callback(on_tick);
        store.set_epoch_deadline(TICKS_PER_CHECK);
        // What the host holds for the guest counts as the guest's own memory,
        // and is never more than the host can bear.
        let buffers = self.limits.memory_bytes_max.min(HOSTCALL_BYTES_MAX);
        store.set_hostcall_fuel(buffers / self.component.code().bytes_per_charged());
        store.set_max_component_handles(HANDLES_MAX);
        if let Some(tasks) = store.concurrent_resource_table() {
            tasks.set_max_capacity(CONCURRENT_ENTRIES_MAX);
        }
        if let Some(fuel) = self.limits.fuel_max {
            store
                .set_fuel(fuel)
                .map_err(|error| Error::Engine(error.to_string()))?;
            tariff::meter(&mut store);
        }
        Ok(store)
    }

    fn instantiate(
        &self,
        store: &mut Store<StoreData>,
        prelinked: &Prelinked,
    ) -> wasmtime::Result<wasmtime::component::Instance> {
        store.data_mut().start_call(prelinked.waits);
        if !prelinked.waits {
            return prelinked.pre.instantiate(store);
        }
        let clock = store.data().clock();
        let deadline = clock.deadline();
        let runtime = self
            .component
            .engine()
            .runtime()
            .map_err(wasmtime::Error::new)?;
        let mut start = pin!(prelinked.pre.instantiate_async(store));
        let mut ticks = 0_u32;
        // In slices, so that the embedder can stop it: a guest that waits meets
        // no tick.
        loop {
            let slice = deadline.min(Instant::now() + LOOK);
            let slice = async { tokio::time::timeout_at(slice.into(), start.as_mut()).await };
            if let Ok(ended) = runtime.block_on(slice) {
                return ended;
            }
            if Instant::now() >= deadline {
                return Err(clock.deadline_passed().into());
            }
            ticks = ticks.saturating_add(LOOK_TICKS);
            if !long_call(ticks) {
                return Err(Interrupted.into());
            }
        }
    }

    fn failed(&self, error: wasmtime::Error, data: &StoreData) -> Error {
        let name = self.component.name();
        Error::Failed(Box::new(trap::classify(
            error,
            name,
            trap::INSTANTIATION,
            &data.meter,
        )))
    }
}

/// Whether the machine, not a limit of the guest, had no memory to map.
fn machine_is_full(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause();
    #[cfg(unix)]
    if cause.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM) {
        return true;
    }
    cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
}

enum Unbuilt {
    PoolFull,
    Failed(Error),
}

impl From<Error> for Unbuilt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn no_room(component: &Component) -> Error {
    Error::CapacityExhausted(format!(
        "component {:?} found no room for another instance, in the pool or outside; \
         hint: close some instances",
        component.name()
    ))
}
