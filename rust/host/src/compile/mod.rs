//! From component bytes to compiled code: checked, bounded, and cached.

mod adapters;
mod bound;
mod cache;
mod concurrency;
mod footprint;
mod inspect;
mod queue;
mod relift;
mod tables;
mod worker;

pub use cache::{Cache, CacheState, CacheStatistics};
pub use worker::{WorkerCommand, run_worker};

pub(crate) use concurrency::concurrency;
pub(crate) use footprint::footprint;
pub(crate) use inspect::to_binary;
pub(crate) use queue::Queue;
pub(crate) use tables::outgrow_pool;

use crate::engine::{Allocation, Codegen, Engine};
use crate::error::{Error, Result};
use crate::printable::printable;
use cache::Verified;
use std::time::Duration;
use wasmtime::component::Component as Compiled;

/// What compiling one component may cost.
#[derive(Clone, Debug)]
pub struct CompileBounds {
    /// Largest component accepted.
    pub component_bytes_max: usize,
    /// Wall-clock time of one compilation.
    pub seconds_max: f64,
    /// Memory of the compiling process.
    pub memory_bytes_max: u64,
    /// Compiling processes at once.
    pub processes_max: usize,
    /// How long to wait for one of them.
    pub queue_seconds_max: f64,
    /// How to start the compiling process. Without it nothing larger than what
    /// is harmless in this process is compiled.
    pub worker: Option<WorkerCommand>,
}

/// Bytes of code that any component may compile to, and for each of its own bytes
/// as many more: native code is two to five times as large.
const ARTEFACT_BYTES: u64 = 16 * 1024 * 1024;
const ARTEFACT_BYTES_PER_BYTE: u64 = 32;

/// Largest compiled code that is accepted of a component.
fn artefact_bytes_max(binary: &[u8]) -> u64 {
    let each = (binary.len() as u64).saturating_mul(ARTEFACT_BYTES_PER_BYTE);
    each.saturating_add(ARTEFACT_BYTES)
}

impl CompileBounds {
    pub(crate) fn seconds(&self) -> Duration {
        Duration::from_secs_f64(self.seconds_max)
    }
}

/// Makes `binary` ready to run: from the cache, or by compiling it once. Says
/// also where its instances can live: what does not fit a slot of the pool is
/// allocated on demand.
pub(crate) fn ready(
    engine: &Engine,
    binary: &[u8],
    digest: &[u8; 32],
    codegen: Codegen,
) -> Result<(Compiled, Allocation)> {
    let target = engine.wasmtime(codegen, Allocation::Pooled)?;
    let key = cache::Key::new(digest, target, artefact_bytes_max(binary));
    // SAFETY: `load` hands out only entries whose tag a holder of the cache's
    // secret made.
    let open =
        |entry: &Verified| place(engine, codegen, |to| unsafe { entry.deserialize(to) }).ok();
    let done = engine.compiling().done();
    if let Some(found) = engine.cache().load(&key, open) {
        return Ok(found);
    }
    // Held until the artefact is in the cache, where the next in turn looks.
    let mut _place = None;
    let artefact = if inspect::is_light(binary, codegen.concurrency, &engine.options().compile)? {
        target
            .precompile_component(&relift::relift(binary, codegen.concurrency))
            .map_err(|error| invalid(&error))?
    } else {
        let seconds_max = engine.options().compile.queue_seconds_max;
        _place = Some(engine.compiling().enter(seconds_max)?);
        if engine.compiling().done() != done
            && let Some(found) = engine.cache().load(&key, open)
        {
            return Ok(found);
        }
        worker::compile(engine.options(), codegen, binary)?
    };
    engine.cache().store(&key, &artefact);
    // SAFETY: the artefact was made just now, by this crate, for this engine's
    // configuration, and never left this process or its own child.
    place(engine, codegen, |to| unsafe {
        Compiled::deserialize(to, &artefact)
    })
}

// Where instances live is not part of the code, so one artefact serves both.
fn place(
    engine: &Engine,
    codegen: Codegen,
    open: impl Fn(&wasmtime::Engine) -> wasmtime::Result<Compiled>,
) -> Result<(Compiled, Allocation)> {
    if let Ok(compiled) = open(engine.wasmtime(codegen, Allocation::Pooled)?) {
        return Ok((compiled, Allocation::Pooled));
    }
    let compiled = open(engine.wasmtime(codegen, Allocation::OnDemand)?);
    Ok((
        compiled.map_err(|error| invalid(&error))?,
        Allocation::OnDemand,
    ))
}

/// The same code in the engine that allocates on demand.
pub(crate) fn on_demand(
    engine: &Engine,
    compiled: &Compiled,
    codegen: Codegen,
) -> Result<Compiled> {
    let target = engine.wasmtime(codegen, Allocation::OnDemand)?;
    let artefact = compiled.serialize().map_err(|error| invalid(&error))?;
    // SAFETY: serialised from a component this process compiled or verified;
    // the configurations differ in allocation only, which is not in the code.
    unsafe { Compiled::deserialize(target, &artefact) }.map_err(|error| invalid(&error))
}

fn invalid(error: &wasmtime::Error) -> Error {
    let why = printable(&format!("{error:#}"), true);
    Error::ComponentInvalid(format!("the component does not compile: {why}"))
}
