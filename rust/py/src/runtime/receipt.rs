//! `aw.Receipt`: what one call used.

use airssys_host::instance::memory_warning_bytes;
use pyo3::prelude::*;

/// What one call used.
#[pyclass(frozen, eq, module = "airssys_wasm", name = "Receipt")]
#[derive(PartialEq)]
pub struct Receipt {
    inner: airssys_host::instance::Receipt,
    memory_bytes_max: usize,
}

impl Receipt {
    /// The receipt of a call under this memory limit.
    pub fn new(inner: airssys_host::instance::Receipt, memory_bytes_max: usize) -> Self {
        Self {
            inner,
            memory_bytes_max,
        }
    }
}

#[pymethods]
impl Receipt {
    /// Wall-clock time it ran, waiting for the host included.
    #[getter]
    fn seconds(&self) -> f64 {
        self.inner.run.as_secs_f64()
    }

    /// Wall-clock time it waited for the instance to be free.
    #[getter]
    fn queue_seconds(&self) -> f64 {
        self.inner.queued.as_secs_f64()
    }

    /// Fuel it used, or ``None`` if the instance has no fuel limit.
    #[getter]
    fn fuel(&self) -> Option<u64> {
        self.inner.fuel
    }

    /// Most bytes of memories and tables the instance ever had.
    #[getter]
    fn memory_bytes_peak(&self) -> u64 {
        self.inner.memory_bytes_peak
    }

    /// Whether ``memory_bytes_peak`` reached 90 % of the limit, or growing was refused.
    #[getter]
    fn memory_warning(&self) -> bool {
        let warning = memory_warning_bytes(self.memory_bytes_max) as u64;
        self.inner.memory_denied > 0 || self.inner.memory_bytes_peak >= warning
    }

    /// How often growing memory was refused to the instance so far.
    #[getter]
    fn memory_denied(&self) -> u64 {
        self.inner.memory_denied
    }

    /// Host functions it called: of ``imports=``, of WASI, and destructors of the host.
    #[getter]
    fn host_calls(&self) -> u64 {
        self.inner.host_calls
    }

    /// Bytes of payload in its arguments.
    #[getter]
    fn bytes_in(&self) -> u64 {
        self.inner.bytes_in
    }

    /// Bytes of payload in its results.
    #[getter]
    fn bytes_out(&self) -> u64 {
        self.inner.bytes_out
    }

    fn __repr__(&self) -> String {
        let fuel = self
            .inner
            .fuel
            .map_or_else(|| "None".to_owned(), |fuel| fuel.to_string());
        format!(
            "Receipt(seconds={:.6}, queue_seconds={:.6}, fuel={fuel}, memory_bytes_peak={}, \
             memory_denied={}, host_calls={}, bytes_in={}, bytes_out={})",
            self.seconds(),
            self.queue_seconds(),
            self.inner.memory_bytes_peak,
            self.inner.memory_denied,
            self.inner.host_calls,
            self.inner.bytes_in,
            self.inner.bytes_out,
        )
    }
}
