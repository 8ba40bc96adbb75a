//! The wasmtime configurations: which code is made and where instances live.

use super::ticker::generation;
use super::{Density, EngineOptions};
use crate::error::{Error, Result};
use crate::limits::{CORE_INSTANCES_MAX, MEMORIES_MAX, POOLED_TABLE_ELEMENTS_MAX, TABLES_MAX};
use crate::stack::{ASYNC_STACK_BYTES, WASM_STACK_BYTES};
use crate::trap::BACKTRACE_FRAMES_MAX;
use std::num::NonZeroUsize;
use wasmtime::{
    Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmFeatures,
};

/// Whether the code counts fuel. Counting costs every instruction, so only
/// instances with a fuel limit pay for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metering {
    /// Epoch checks only.
    Off,
    /// Epoch checks and deterministic fuel.
    Fuel,
}

/// Where the memories, tables and stacks of an instance live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Allocation {
    /// In a slot of the pool.
    Pooled,
    /// Mapped for this instance, when the pool is full.
    OnDemand,
}

/// Address space of a standard memory: with it 32-bit accesses need no check.
const STANDARD_RESERVATION_BYTES: u64 = 4 << 30;
/// Guard behind a standard memory; constant offsets up to it need no check.
const STANDARD_GUARD_BYTES: u64 = 32 << 20;
/// Largest image of a memory's initial content that may be mostly empty, where
/// code is made in this process. Two bytes of data, far apart, would otherwise make
/// the compiler write all that is between them, for each module of a component. In
/// a process of its own it may: its memory is bounded, and so is its answer.
const SPARSE_IMAGE_BYTES: u64 = 4 * 1024;
/// Slots whose memory is given back in one system call. Until then it stays
/// resident, so this is also what a burst of large guests can leave behind.
///
/// Zeroing the low end of a memory in place instead, as the pool could, would
/// touch pages that most guests never use: their stack lies there.
const DECOMMIT_BATCH: usize = 8;
/// Stack of a guest that is zeroed in place rather than given back.
const STACK_KEEP_RESIDENT_BYTES: usize = 64 * 1024;
/// The same for tables.
const TABLE_KEEP_RESIDENT_BYTES: usize = 4 * 1024;
/// Room for the host's own record of one core instance.
const CORE_INSTANCE_BYTES_MAX: usize = 1 << 20;
/// Core instances laid out for a slot: around the guest's own module, tool
/// chains put two for its imports and resources. They cost nothing in advance.
const CORE_INSTANCES_PER_SLOT: u32 = 4;
/// Tables laid out for a slot: the guest's own, and one of those modules'.
const TABLES_PER_SLOT: u32 = 2;
/// Address space left alone for the rest of the process.
const ADDRESS_SPACE_BYTES: u64 = 1 << 46;

/// The proposals that components need. Everything else is refused before it
/// is compiled.
pub(crate) const GUEST_FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);
/// What code may be made of: the engine's own glue between two components
/// copies from one memory to another.
const CODE_FEATURES: WasmFeatures = GUEST_FEATURES.union(WasmFeatures::MULTI_MEMORY);

pub(super) fn index(metering: Metering, allocation: Allocation) -> usize {
    (metering as usize) * 2 + allocation as usize
}

pub(super) fn build(
    options: &EngineOptions,
    metering: Metering,
    allocation: Allocation,
) -> Result<wasmtime::Engine> {
    let mut config = code(metering);
    memory(&mut config, options.density);
    config.memory_guaranteed_dense_image_size(SPARSE_IMAGE_BYTES);
    if allocation == Allocation::OnDemand {
        return wasmtime::Engine::new(&config).map_err(|error| unavailable(&error));
    }
    pooled(&mut config, options)
}

// A machine with little address space gets a smaller pool before it gets none:
// what does not fit is then allocated on demand.
fn pooled(config: &mut Config, options: &EngineOptions) -> Result<wasmtime::Engine> {
    let mut slots = options
        .pool_instances
        .min(slots_that_fit(options.density))
        .max(1);
    loop {
        let pool = pool(options.density, slots);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        match wasmtime::Engine::new(config) {
            Ok(engine) => return Ok(engine),
            Err(error) if slots == 1 => return Err(unavailable(&error)),
            Err(_) => slots = (slots / 4).max(1),
        }
    }
}

fn unavailable(error: &wasmtime::Error) -> Error {
    Error::Engine(format!(
        "the engine could not be set up: {error:#}; \
         hint: a smaller Engine(pool_instances=...) needs less address space"
    ))
}

fn slots_that_fit(density: Density) -> u32 {
    let slot = match density {
        Density::Standard => STANDARD_RESERVATION_BYTES + STANDARD_GUARD_BYTES,
        Density::Dense { memory_bytes_max } => memory_bytes_max as u64,
    };
    u32::try_from(ADDRESS_SPACE_BYTES / slot.max(1)).unwrap_or(u32::MAX)
}

/// Everything that decides what code is made: the same for both allocations,
/// so that one compiled artefact serves both.
fn code(metering: Metering) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .concurrency_support(false)
        // The threads it would be compiled in do not exist in a forked child.
        .parallel_compilation(generation() == 0)
        .epoch_interruption(true)
        .consume_fuel(metering == Metering::Fuel)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        .shared_memory(false)
        .gc_support(false);
    for feature in WasmFeatures::all().iter() {
        config.wasm_features(feature, CODE_FEATURES.contains(feature));
    }
    config
}

fn memory(config: &mut Config, density: Density) {
    match density {
        Density::Standard => config
            .memory_reservation(STANDARD_RESERVATION_BYTES)
            .memory_guard_size(STANDARD_GUARD_BYTES)
            .memory_init_cow(true),
        Density::Dense { memory_bytes_max } => config
            .memory_reservation(memory_bytes_max as u64)
            .memory_reservation_for_growth(0)
            .memory_guard_size(0)
            .guard_before_linear_memory(false)
            .memory_init_cow(false),
    };
}

fn pool(density: Density, slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let memory_bytes = match density {
        Density::Standard => 1_usize << 32,
        Density::Dense { memory_bytes_max } => memory_bytes_max,
    };
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_SLOT))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(TABLES_PER_SLOT))
        .total_stacks(slots)
        .max_memory_size(memory_bytes)
        .table_elements(POOLED_TABLE_ELEMENTS_MAX)
        .max_core_instance_size(CORE_INSTANCE_BYTES_MAX)
        .max_component_instance_size(CORE_INSTANCE_BYTES_MAX)
        .max_core_instances_per_component(u32::try_from(CORE_INSTANCES_MAX).unwrap_or(u32::MAX))
        .max_memories_per_component(u32::try_from(MEMORIES_MAX).unwrap_or(u32::MAX))
        .max_tables_per_component(u32::try_from(TABLES_MAX).unwrap_or(u32::MAX))
        .max_memories_per_module(1)
        .max_unused_warm_slots(slots)
        .decommit_batch_size(DECOMMIT_BATCH)
        .linear_memory_keep_resident(0)
        .table_keep_resident(TABLE_KEEP_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::No);
    pool
}

/// Names a configuration for [`from_description`].
pub(crate) fn describe(density: Density, metering: Metering) -> String {
    let bytes = match density {
        Density::Standard => 0,
        Density::Dense { memory_bytes_max } => memory_bytes_max,
    };
    format!("{bytes}:{}", metering as usize)
}

/// An engine that only compiles, with the configuration that `describe` named.
pub(crate) fn compile_engine(description: &str) -> Result<wasmtime::Engine> {
    let (density, metering) = from_description(description)
        .ok_or_else(|| Error::Engine(format!("unknown configuration {description:?}")))?;
    let mut config = code(metering);
    memory(&mut config, density);
    wasmtime::Engine::new(&config).map_err(|error| unavailable(&error))
}

fn from_description(description: &str) -> Option<(Density, Metering)> {
    let (bytes, metering) = description.split_once(':')?;
    let density = match bytes.parse().ok()? {
        0 => Density::Standard,
        memory_bytes_max => Density::Dense { memory_bytes_max },
    };
    let metering = match metering {
        "0" => Metering::Off,
        "1" => Metering::Fuel,
        _ => return None,
    };
    Some((density, metering))
}
