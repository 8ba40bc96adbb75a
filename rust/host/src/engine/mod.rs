//! One [`Engine`] for each process is enough: it owns the compiled code, the
//! pools, the epoch ticker and the compile cache, and is shared by all threads.

mod capacity;
mod clock;
mod profile;
mod ticker;

pub use capacity::Capacity;
pub use profile::{Allocation, Codegen, Concurrency, Metering};
pub use ticker::{mark_forked, on_long_call};

pub(crate) use clock::{Ticks, duration, ticks};
pub(crate) use profile::{compile_engine, describe, guest_features};
pub(crate) use ticker::{Activity, generation, long_call};

use crate::actor::Scheduler;
use crate::compile::{Cache, CompileBounds, Queue};
use crate::component::{Component, Registry};
use crate::error::{Error, Result};
use crate::limits::Policy;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use ticker::Ticker;

/// How many live instances the engine is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Memories of up to 4 GiB, copy-on-write images, guard pages: the fastest
    /// code. About 20 000 live instances before the kernel's map count ends it.
    Standard,
    /// Small memories laid side by side without guards, so that the kernel
    /// merges their mappings: 100 000 live instances and more.
    Dense {
        /// Largest memory an instance can have, in bytes.
        memory_bytes_max: usize,
    },
}

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Layout of the pool.
    pub density: Density,
    /// Slots of the pool; instances past it are allocated on demand.
    pub pool_instances: u32,
    /// Live instances allowed in all.
    pub instances_max: usize,
    /// Directory of the compile cache, or `None` to keep nothing on disk.
    pub cache_dir: Option<PathBuf>,
    /// Bytes the compile cache may hold before the oldest entries go.
    pub cache_bytes_max: u64,
    /// What compiling one component may cost.
    pub compile: CompileBounds,
    /// Ceilings for the limits of instances.
    pub policy: Policy,
}

/// A shared, thread-safe engine. Cloning it is cheap.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    options: EngineOptions,
    engines: [OnceLock<wasmtime::Engine>; profile::ENGINES],
    ticker: Ticker,
    cache: Cache,
    registry: Registry,
    runtime: OnceLock<tokio::runtime::Runtime>,
    live: AtomicUsize,
    capacity: Capacity,
    compiling: Queue,
}

impl Engine {
    /// Sets an engine up.
    ///
    /// # Errors
    ///
    /// [`Error::Engine`] if the machine cannot give the memory layout asked for.
    pub fn new(options: EngineOptions) -> Result<Engine> {
        clock::start();
        let capacity = Capacity::probe(&options);
        let compiling = Queue::new(options.compile.processes_max);
        let cache = Cache::open(options.cache_dir.as_deref(), options.cache_bytes_max);
        let engine = Engine {
            inner: Arc::new(Inner {
                options,
                engines: Default::default(),
                ticker: Ticker::start()?,
                cache,
                registry: Registry::default(),
                runtime: OnceLock::new(),
                live: AtomicUsize::new(0),
                capacity,
                compiling,
            }),
        };
        // Built now, so that a machine that cannot hold the pool says so here.
        engine.wasmtime(Codegen::ORDINARY, Allocation::Pooled)?;
        Ok(engine)
    }

    /// Loads a component: its bytes, or its text if `bytes` is UTF-8 WAT.
    ///
    /// # Errors
    ///
    /// [`Error::ComponentInvalid`] before anything ran, [`Error::CompileRefused`]
    /// if compiling it would pass the engine's bounds.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Arc<Component>> {
        self.refuse_forked()?;
        Component::load(self, name, bytes)
    }

    /// The options it was set up with.
    pub fn options(&self) -> &EngineOptions {
        &self.inner.options
    }

    /// What the machine can really hold.
    pub fn capacity(&self) -> &Capacity {
        &self.inner.capacity
    }

    /// Instances alive now.
    pub fn live_instances(&self) -> usize {
        self.inner.live.load(Ordering::Relaxed)
    }

    /// Pool slots in use now, over all code variants.
    pub fn pool_slots_used(&self) -> u64 {
        let pooled = |engine: &wasmtime::Engine| {
            engine
                .pooling_allocator_metrics()
                .map_or(0, |m| m.component_instances())
        };
        self.inner
            .engines
            .iter()
            .filter_map(OnceLock::get)
            .map(pooled)
            .sum()
    }

    /// The compile cache.
    pub fn cache(&self) -> &Cache {
        &self.inner.cache
    }

    /// The way to its compiling processes.
    pub(crate) fn compiling(&self) -> &Queue {
        &self.inner.compiling
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The wasmtime engine for one kind of code and way to allocate.
    pub(crate) fn wasmtime(
        &self,
        codegen: Codegen,
        allocation: Allocation,
    ) -> Result<&wasmtime::Engine> {
        let slot = &self.inner.engines[profile::index(codegen, allocation)];
        if let Some(engine) = slot.get() {
            return Ok(engine);
        }
        let engine = profile::build(&self.inner.options, codegen, allocation)?;
        let engine = slot.get_or_init(|| engine);
        self.inner.ticker.watch(engine);
        Ok(engine)
    }

    /// Has `scheduler` look after handlers that run long, at each tick.
    pub(crate) fn look_after(&self, scheduler: &Arc<Scheduler>) {
        self.inner.ticker.look_after(scheduler);
    }

    /// The runtime for guests that wait: timers and input/output only.
    pub(crate) fn runtime(&self) -> Result<&tokio::runtime::Runtime> {
        if let Some(runtime) = self.inner.runtime.get() {
            return Ok(runtime);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("airssys-runtime")
            .enable_time()
            .build()
            .map_err(|error| Error::Engine(format!("the runtime could not start: {error}")))?;
        Ok(self.inner.runtime.get_or_init(|| runtime))
    }

    /// Fails in a forked child if the engine was made before: its ticker is not
    /// here, so no deadline would hold.
    #[inline]
    pub(crate) fn refuse_forked(&self) -> Result<()> {
        if !self.inner.ticker.is_left_behind() {
            return Ok(());
        }
        Err(left_behind())
    }

    /// Whether this process was forked since it was made.
    #[inline]
    pub(crate) fn is_left_behind(&self) -> bool {
        self.inner.ticker.is_left_behind()
    }

    /// Counts one more instance in, or refuses it.
    pub(crate) fn admit(&self) -> Result<Admission> {
        self.refuse_forked()?;
        self.inner.ticker.ensure_alive()?;
        let ceiling = self.inner.capacity.instances_max;
        let before = self.inner.live.fetch_add(1, Ordering::Relaxed);
        let admission = Admission {
            engine: self.clone(),
        };
        if before >= ceiling {
            return Err(Error::CapacityExhausted(format!(
                "the engine already holds {before} live instances of {ceiling}; \
                 hint: close some, or raise Engine(instances_max=...)"
            )));
        }
        Ok(admission)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last to let go of the engine may be one of the runtime's own
        // threads, which must not wait for itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The place of one live instance; given back when dropped.
pub(crate) struct Admission {
    engine: Engine,
}

impl Admission {
    /// The line to the ticker.
    pub(crate) fn activity(&self) -> Arc<Activity> {
        self.engine.inner.ticker.activity()
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.engine.inner.live.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cold]
fn left_behind() -> Error {
    Error::Engine(
        "the engine was made before this process was forked and has no threads here; \
         hint: make a new Engine in the child, or start the child with the spawn method"
            .to_owned(),
    )
}
