//! WIT: reading it from text, directories and binaries, checking it, printing it.
//!
//! Everything here may be handed bytes that somebody else wrote. Three things
//! keep that safe: the input is capped in size, what it expands to is estimated
//! before it is expanded, and the work runs on a thread with a stack of its own,
//! so that a panic in the decoder comes back as [`WitError::Defect`].

pub(crate) mod bounded;
mod budget;
mod describe;
mod error;
pub(crate) mod load;

pub use budget::{EXPANDED_ITEMS_MAX, TYPE_DEPTH_MAX, TYPE_SIZE_MAX};
pub use describe::{Summary, resolve_json, validate, world_text};
pub use error::{Location, NotComponent, WitError};
pub use load::{BINARY_BYTES_MAX, FILES_MAX, Source, TEXT_BYTES_MAX};
