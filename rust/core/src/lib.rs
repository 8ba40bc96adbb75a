//! The pure part of airssys-wasm: no Python, no engine, no async runtime.
//!
//! No function here returns a type of another crate, so that a dependency can be
//! replaced in one file.

#![forbid(unsafe_code)]

pub mod address;
pub mod componentize;
pub mod letters;
pub mod mailbox;
pub mod multicodec;
pub mod relift;
pub mod routing;
pub mod slab;
pub mod timers;
pub mod topics;
pub mod trace;
pub mod traffic;
pub mod wit;
