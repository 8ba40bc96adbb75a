//! The bare crate, set up as the host sets it up.
//!
//! [`same_code`] proves the likeness: both make the same machine code, byte by byte.

use crate::Result;
use airssys_host::wasmtime::component::{
    Component, ComponentNamedList, Instance, InstancePre, Lift, Linker, Lower, TypedFunc,
};
use airssys_host::wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    UpdateDeadline, WasmFeatures,
};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What interrupts a guest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// Nothing: the guest may run for ever.
    None,
    /// Epochs, as in the host.
    Epochs,
    /// Epochs and fuel, as in the host under a fuel limit.
    Fuel,
}

const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);
/// Slots of the pool.
const SLOTS: u32 = 1_000;

/// An engine with the host's configuration but for what interrupts guests.
///
/// # Errors
///
/// If the machine cannot give it.
pub fn engine(interruption: Interruption) -> Result<Engine> {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(interruption != Interruption::None)
        .consume_fuel(interruption == Interruption::Fuel)
        .max_wasm_stack(512 * 1024)
        .async_stack_size(2 * 1024 * 1024)
        .wasm_backtrace_max_frames(NonZeroUsize::new(64))
        .shared_memory(false)
        .gc_support(false)
        .memory_reservation(4 << 30)
        .memory_guard_size(32 << 20)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    for feature in WasmFeatures::all().iter() {
        config.wasm_features(feature, FEATURES.contains(feature));
    }
    Ok(Engine::new(&config)?)
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * 2)
        .total_memories(SLOTS)
        .total_tables(SLOTS)
        .total_stacks(SLOTS)
        .max_memory_size(1 << 32)
        .max_unused_warm_slots(SLOTS)
        .decommit_batch_size(8)
        .linear_memory_keep_resident(0)
        .table_keep_resident(4 * 1024)
        .async_stack_keep_resident(64 * 1024)
        .pagemap_scan(Enabled::No);
    pool
}

/// Makes epochs pass, one a millisecond, until it is dropped.
pub struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking for `engine`.
    pub fn start(engine: &Engine) -> Ticker {
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, stopped) = (engine.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
                engine.increment_epoch();
            }
        });
        Ticker {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A ticker that panicked has already failed the run it belonged to.
            let _ = thread.join();
        }
    }
}

/// A guest joined to no imports.
///
/// # Errors
///
/// If it does not compile or imports anything.
pub fn prelink(engine: &Engine, guest: &[u8]) -> Result<InstancePre<()>> {
    let component = Component::new(engine, guest)?;
    Ok(Linker::new(engine).instantiate_pre(&component)?)
}

/// A store whose guests go on at each tick.
///
/// # Errors
///
/// If it cannot take fuel.
pub fn store(engine: &Engine, interruption: Interruption) -> Result<Store<()>> {
    let mut store = Store::new(engine, ());
    if interruption != Interruption::None {
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
        store.set_epoch_deadline(1);
    }
    if interruption == Interruption::Fuel {
        store.set_fuel(u64::MAX)?;
    }
    Ok(store)
}

/// A live instance.
pub struct Live {
    /// Its store.
    pub store: Store<()>,
    /// The instance.
    pub instance: Instance,
}

impl Live {
    /// Makes an instance of a guest without imports.
    ///
    /// # Errors
    ///
    /// If it cannot be instantiated.
    pub fn new(engine: &Engine, guest: &[u8], interruption: Interruption) -> Result<Live> {
        let pre = prelink(engine, guest)?;
        let mut store = store(engine, interruption)?;
        let instance = pre.instantiate(&mut store)?;
        Ok(Live { store, instance })
    }

    /// A function of an exported interface, or of the world if `interface` is `None`.
    ///
    /// # Errors
    ///
    /// If there is none of this name and type.
    pub fn function<P, R>(&mut self, interface: Option<&str>, name: &str) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let parent = match interface {
            None => None,
            Some(interface) => Some(
                self.instance
                    .get_export_index(&mut self.store, None, interface)
                    .ok_or_else(|| format!("no interface {interface}"))?,
            ),
        };
        let index = self
            .instance
            .get_export_index(&mut self.store, parent.as_ref(), name)
            .ok_or_else(|| format!("no function {name}"))?;
        Ok(self.instance.get_typed_func(&mut self.store, index)?)
    }
}

/// Fails unless `cached`, an entry of the host's compile cache, holds the very
/// code that this engine makes of `guest`.
///
/// # Errors
///
/// If the two differ, or `guest` does not compile.
pub fn same_code(engine: &Engine, guest: &[u8], cached: &[u8]) -> Result<()> {
    const TAG_BYTES: usize = 32;
    let ours = engine.precompile_component(guest)?;
    if cached.len() != ours.len() + TAG_BYTES || !cached.starts_with(&ours) {
        return Err("the bare engine is configured unlike the host's: see bare.rs".into());
    }
    Ok(())
}
