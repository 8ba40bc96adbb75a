//! What serves the messaging of one instance.

use airssys_host::broker;
use pyo3::prelude::*;
use std::sync::Arc;

/// Made by an actor for the instance that it is about to have.
#[pyclass(frozen, module = "airssys_wasm._native.runtime", name = "Desk")]
pub struct Desk {
    host: Arc<broker::Desk>,
}

impl Desk {
    /// Wraps a desk.
    pub fn new(host: Arc<broker::Desk>) -> Desk {
        Desk { host }
    }

    /// The desk itself.
    pub fn host(&self) -> &Arc<broker::Desk> {
        &self.host
    }
}
