//! The pure part of airssys-wasm: no Python, no engine, no async runtime.
//!
//! No function here returns a type of another crate, so that a dependency can be
//! replaced in one file.

pub mod componentize;
pub mod multicodec;
pub mod wit;
