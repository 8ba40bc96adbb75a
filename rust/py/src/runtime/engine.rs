//! The native half of `aw.Engine`.

use super::component::Component;
use super::plans::Plans;
use super::{awaitable, exit, gil};
use crate::error::{Error, Result};
use airssys_host as host;
use airssys_host::compile::{CacheState, CompileBounds, WorkerCommand};
use airssys_host::engine::Density;
use airssys_host::limits::Policy;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::Arc;

/// The native half of ``airssys_wasm.Engine``, which documents the arguments.
#[pyclass(
    frozen,
    subclass,
    module = "airssys_wasm._native.runtime",
    name = "Engine"
)]
pub struct Engine {
    host: host::Engine,
}

impl Engine {
    /// The engine itself.
    pub fn host(&self) -> &host::Engine {
        &self.host
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        *, dense_memory_bytes, pool_instances, instances_max, cache_dir, cache_bytes_max,
        component_bytes_max, compile_seconds_max, compile_memory_bytes_max,
        compile_processes_max, compile_queue_seconds_max, compiler,
        memory_bytes_ceiling, call_seconds_ceiling, fuel_ceiling,
    ))]
    #[allow(
        clippy::too_many_arguments,
        reason = "keyword-only; checked and named by the face"
    )]
    fn new(
        py: Python<'_>,
        dense_memory_bytes: Option<usize>,
        pool_instances: u32,
        instances_max: usize,
        cache_dir: Option<PathBuf>,
        cache_bytes_max: u64,
        component_bytes_max: usize,
        compile_seconds_max: f64,
        compile_memory_bytes_max: u64,
        compile_processes_max: usize,
        compile_queue_seconds_max: f64,
        compiler: Option<(PathBuf, Vec<String>)>,
        memory_bytes_ceiling: usize,
        call_seconds_ceiling: f64,
        fuel_ceiling: u64,
    ) -> Result<Engine> {
        let density = dense_memory_bytes.map_or(Density::Standard, |memory_bytes_max| {
            Density::Dense { memory_bytes_max }
        });
        let worker = compiler.map(|(program, arguments)| WorkerCommand { program, arguments });
        let options = host::EngineOptions {
            density,
            pool_instances,
            instances_max,
            cache_dir,
            cache_bytes_max,
            compile: CompileBounds {
                component_bytes_max,
                seconds_max: compile_seconds_max,
                memory_bytes_max: compile_memory_bytes_max,
                processes_max: compile_processes_max,
                queue_seconds_max: compile_queue_seconds_max,
                worker,
            },
            policy: Policy {
                memory_bytes_ceiling,
                call_seconds_ceiling,
                fuel_ceiling,
            },
        };
        let host = exit::detached(py, || host::Engine::new(options))??;
        Ok(Engine { host })
    }

    /// Compile ``source``, or fetch its code from the cache.
    ///
    /// Raises:
    ///     ComponentInvalid: it is not a component this host can run.
    ///     CompileRefused: compiling it would pass the engine's bounds.
    fn load_native(&self, py: Python<'_>, name: &str, source: PyBackedBytes) -> Result<Component> {
        let component = exit::detached(py, || self.host.load(name, &source))?.map_err(|error| {
            gil::take_raised().map_or_else(|| Error::Host(error), Error::Python)
        })?;
        Ok(Component::new(Arc::new(Plans::new(py, component))))
    }

    /// Instances alive now.
    #[getter]
    fn live_instances(&self) -> usize {
        self.host.live_instances()
    }

    /// Slots of the pool in use now.
    #[getter]
    fn pool_slots_used(&self) -> u64 {
        self.host.pool_slots_used()
    }

    /// Live instances the machine and ``instances_max`` really allow.
    #[getter]
    fn instances_ceiling(&self) -> usize {
        self.host.capacity().instances_max
    }

    /// Memory mappings the kernel allows a process, where it has such a bound.
    #[getter]
    fn map_count_max(&self) -> Option<u64> {
        self.host.capacity().map_count_max
    }

    /// Why compiled code is not kept on disk, or ``None`` if nothing is wrong.
    #[getter]
    fn cache_problem(&self) -> Option<String> {
        match self.host.cache().state() {
            CacheState::Ready(_) | CacheState::Off => None,
            CacheState::Unusable(why) => Some(why.clone()),
        }
    }

    /// Counts of what the cache did.
    ///
    /// ``hits`` were loaded and ``misses`` compiled; ``rejected`` entries had no good
    /// tag; ``write_failures`` could not be written, and ``prune_failures`` not removed
    /// to keep the cache inside its bound.
    #[getter]
    fn cache_statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let statistics = self.host.cache().statistics();
        let dict = PyDict::new(py);
        dict.set_item("hits", statistics.hits)?;
        dict.set_item("misses", statistics.misses)?;
        dict.set_item("rejected", statistics.rejected)?;
        dict.set_item("write_failures", statistics.write_failures)?;
        dict.set_item("prune_failures", statistics.prune_failures)?;
        Ok(dict)
    }
}

/// The compiling process: reads a component from standard input and answers on
/// standard output.
#[pyfunction]
#[pyo3(signature = (description, memory_bytes_max, cpu_seconds_max))]
pub fn compile_worker(
    py: Python<'_>,
    description: &str,
    memory_bytes_max: u64,
    cpu_seconds_max: u64,
) -> PyResult<()> {
    let ran = exit::detached(py, || {
        host::compile::run_worker(description, memory_bytes_max, cpu_seconds_max)
    });
    Ok(ran??)
}

/// Says that this process is a forked child, in which no engine made before
/// the fork works any more.
#[pyfunction]
pub fn mark_forked() {
    host::engine::mark_forked();
    awaitable::mark_forked();
    exit::mark_forked();
    gil::note_fork();
}
