//! Resources that the embedder let go of without dropping them.
//!
//! A garbage collector may run anywhere, and a destructor is guest code: so the
//! handle waits here for the next call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use wasmtime::component::ResourceAny;

#[derive(Default)]
pub(super) struct Abandoned {
    any: AtomicBool,
    resources: Mutex<Vec<ResourceAny>>,
}

impl Abandoned {
    pub(super) fn add(&self, resource: ResourceAny) {
        self.resources
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(resource);
        self.any.store(true, Ordering::Release);
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    pub(super) fn take(&self) -> Vec<ResourceAny> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut resources = self
            .resources
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *resources)
    }
}
