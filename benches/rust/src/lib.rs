//! Measures `airssys-host` against the bare `wasmtime` crate: the same guest, the
//! same code, the same pool, one run.

pub mod bare;
pub mod guests;
pub mod kernels;
pub mod measure;
pub mod ours;

/// Whatever ended a bench: nothing here recovers.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// A result of a bench.
pub type Result<T> = std::result::Result<T, Failure>;
