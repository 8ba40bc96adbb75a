//! From a core module to a component.
//!
//! A compiler gives a core module; what it imports and exports is said in WIT, in
//! custom sections named `component-type…` that binding generators write.
//! [`embed`] writes that section for modules whose compiler did not, and
//! [`encode`] wraps the module into a component and checks the result.

mod diagnose;
mod encode;
mod error;

pub use encode::{Adapter, embed, encode};
pub use error::{ComponentizeError, CoreImport};
