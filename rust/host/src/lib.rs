//! The WebAssembly host of airssys-wasm.
//!
//! Engines, the compile cache, hard limits, instances and their calls. Knows
//! nothing of Python: the embedder supplies imports through
//! [`linker::Embedder`] and may ask to be told when a call runs long
//! ([`engine::on_long_call`]).

pub mod actor;
pub mod broker;
mod charge;
pub mod compile;
pub mod component;
pub mod engine;
pub mod error;
mod exports;
pub mod instance;
pub mod limits;
pub mod linker;
pub mod messaging;
mod nearest;
mod printable;
mod stack;
pub mod trap;

pub use component::Component;
pub use engine::{Engine, EngineOptions};
pub use error::Error;
pub use instance::Instance;
pub use limits::Limits;
pub use wasmtime;
