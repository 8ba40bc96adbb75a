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

/// Whether the code can have several tasks in flight: component-model async,
/// which WASI 0.3 is made of. Keeping track of tasks costs every call, so only
/// components that use it pay for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Concurrency {
    /// One task at a time, and nothing of component-model async is accepted.
    Off,
    /// Async functions, tasks, waitables, streams and futures.
    On,
}

/// Everything that decides what code is made of a component, but for what is the
/// same in a whole engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Codegen {
    /// Whether it counts fuel.
    pub metering: Metering,
    /// Whether it keeps track of tasks.
    pub concurrency: Concurrency,
}

impl Codegen {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// What the code of almost all components is made with.
    pub(crate) const ORDINARY: Codegen = Codegen {
        metering: Metering::Off,
        concurrency: Concurrency::Off,
    };

    fn index(self) -> usize {
        (self.concurrency as usize) * 2 + self.metering as usize
    }
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
/// One more, in ordinary components that handle messages: the way to their functions
/// (`compile/relift.rs`).
const CORE_INSTANCES_PER_ORDINARY_SLOT: u32 = CORE_INSTANCES_PER_SLOT + 1;
/// Tables laid out for a slot: the guest's own, and one of those modules'.
const TABLES_PER_SLOT: u32 = 2;
/// Stacks laid out for a slot whose component may have several tasks in flight.
/// A task that is held up keeps its stack, and there is at most one in each
/// component instance, which is made of at least one core instance; one more stack
/// waits for work, and one runs destructors. So stacks cannot run out while there
/// are slots, and no instance can use up another's.
const STACKS_PER_CONCURRENT_SLOT: u32 = CORE_INSTANCES_PER_SLOT + 2;
/// Slots laid out for such components. Each stack has a guard page, which costs
/// the process two of its mappings as soon as the first component is loaded: 1 200
/// for all of them, of the 65 530 that Linux allows, and they are to be had for
/// live instances.
const CONCURRENT_SLOTS_MAX: u32 = 100;
/// Address space left alone for the rest of the process.
const ADDRESS_SPACE_BYTES: u64 = 1 << 46;

/// The proposals that components need. Everything else is refused before it
/// is compiled.
const GUEST_FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

/// What WASI 0.3 adds to them: tasks that are resumed through a callback, which
/// is what its tool chains emit. Tasks with stacks of their own, threads and
/// error contexts are proposals of their own, and off.
const CONCURRENT_FEATURES: WasmFeatures = GUEST_FEATURES.union(WasmFeatures::CM_ASYNC);

/// The proposals that a component may use.
pub(crate) fn guest_features(concurrency: Concurrency) -> WasmFeatures {
    match concurrency {
        Concurrency::Off => GUEST_FEATURES,
        Concurrency::On => CONCURRENT_FEATURES,
    }
}

/// What code may be made of: the engine's own glue between two components
/// copies from one memory to another.
fn code_features(concurrency: Concurrency) -> WasmFeatures {
    guest_features(concurrency).union(WasmFeatures::MULTI_MEMORY)
}

/// Configurations that an engine may need.
pub(super) const ENGINES: usize = Codegen::COUNT * 2;

pub(super) fn index(codegen: Codegen, allocation: Allocation) -> usize {
    codegen.index() * 2 + allocation as usize
}

pub(super) fn build(
    options: &EngineOptions,
    codegen: Codegen,
    allocation: Allocation,
) -> Result<wasmtime::Engine> {
    let mut config = code(codegen);
    memory(&mut config, options.density);
    config.memory_guaranteed_dense_image_size(SPARSE_IMAGE_BYTES);
    if allocation == Allocation::OnDemand {
        return wasmtime::Engine::new(&config).map_err(|error| unavailable(&error));
    }
    pooled(&mut config, options, codegen.concurrency)
}

// A machine with little address space gets a smaller pool before it gets none:
// what does not fit is then allocated on demand.
fn pooled(
    config: &mut Config,
    options: &EngineOptions,
    concurrency: Concurrency,
) -> Result<wasmtime::Engine> {
    let mut slots = options
        .pool_instances
        .min(slots_that_fit(options.density))
        .max(1);
    if concurrency == Concurrency::On {
        slots = slots.min(CONCURRENT_SLOTS_MAX);
    }
    loop {
        let pool = pool(options.density, slots, concurrency);
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
fn code(codegen: Codegen) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .concurrency_support(codegen.concurrency == Concurrency::On)
        // The threads it would be compiled in do not exist in a forked child.
        .parallel_compilation(generation() == 0)
        .epoch_interruption(true)
        .consume_fuel(codegen.metering == Metering::Fuel)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        .shared_memory(false)
        .gc_support(false);
    for feature in WasmFeatures::all().iter() {
        let wanted = code_features(codegen.concurrency).contains(feature);
        config.wasm_features(feature, wanted);
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

fn pool(density: Density, slots: u32, concurrency: Concurrency) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let memory_bytes = match density {
        Density::Standard => 1_usize << 32,
        Density::Dense { memory_bytes_max } => memory_bytes_max,
    };
    let (stacks, core_instances) = match concurrency {
        Concurrency::Off => (1, CORE_INSTANCES_PER_ORDINARY_SLOT),
        Concurrency::On => (STACKS_PER_CONCURRENT_SLOT, CORE_INSTANCES_PER_SLOT),
    };
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(core_instances))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(TABLES_PER_SLOT))
        .total_stacks(slots.saturating_mul(stacks))
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
pub(crate) fn describe(density: Density, codegen: Codegen) -> String {
    let bytes = match density {
        Density::Standard => 0,
        Density::Dense { memory_bytes_max } => memory_bytes_max,
    };
    let Codegen {
        metering,
        concurrency,
    } = codegen;
    format!("{bytes}:{}:{}", metering as usize, concurrency as usize)
}

/// An engine that only compiles, with the configuration that `describe` named,
/// and whether its components may use component-model async.
pub(crate) fn compile_engine(description: &str) -> Result<(wasmtime::Engine, Concurrency)> {
    let (density, codegen) = from_description(description)
        .ok_or_else(|| Error::Engine(format!("unknown configuration {description:?}")))?;
    let mut config = code(codegen);
    memory(&mut config, density);
    let engine = wasmtime::Engine::new(&config).map_err(|error| unavailable(&error))?;
    Ok((engine, codegen.concurrency))
}

fn from_description(description: &str) -> Option<(Density, Codegen)> {
    let mut parts = description.split(':');
    let density = match parts.next()?.parse().ok()? {
        0 => Density::Standard,
        memory_bytes_max => Density::Dense { memory_bytes_max },
    };
    let metering = match parts.next()? {
        "0" => Metering::Off,
        "1" => Metering::Fuel,
        _ => return None,
    };
    let concurrency = match parts.next()? {
        "0" => Concurrency::Off,
        "1" => Concurrency::On,
        _ => return None,
    };
    let codegen = Codegen {
        metering,
        concurrency,
    };
    parts.next().is_none().then_some((density, codegen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Codegen> {
        let each = |metering| {
            [Concurrency::Off, Concurrency::On].map(|concurrency| Codegen {
                metering,
                concurrency,
            })
        };
        [Metering::Off, Metering::Fuel].map(each).concat()
    }

    #[test]
    fn every_configuration_survives_the_way_to_the_worker() {
        for codegen in all() {
            for density in [
                Density::Standard,
                Density::Dense {
                    memory_bytes_max: 1 << 20,
                },
            ] {
                let description = describe(density, codegen);
                assert_eq!(from_description(&description), Some((density, codegen)));
            }
        }
        assert_eq!(from_description("0:0"), None);
        assert_eq!(from_description("0:0:0:0"), None);
    }

    #[test]
    fn no_two_configurations_share_an_engine() {
        let mut places: Vec<_> = all()
            .into_iter()
            .flat_map(|codegen| {
                [Allocation::Pooled, Allocation::OnDemand].map(|at| index(codegen, at))
            })
            .collect();
        places.sort_unstable();
        assert_eq!(places, (0..ENGINES).collect::<Vec<_>>());
    }

    #[test]
    fn the_ordinary_code_knows_nothing_of_tasks() {
        let ordinary = code_features(Concurrency::Off);
        assert!(!ordinary.contains(WasmFeatures::CM_ASYNC));
        let more = code_features(Concurrency::On).difference(ordinary);
        assert_eq!(more, WasmFeatures::CM_ASYNC);
    }
}
