//! The receipts of the last calls of an actor, over all its instances.

use super::data::{Receipt, Usage};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Receipts that a journal keeps.
pub const JOURNAL_MAX: usize = 16;

/// What a call used, and what it might have used.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    pub(super) usage: Usage,
    /// The memory limit of its instance.
    pub memory_bytes_max: usize,
}

impl Served {
    /// What it used.
    pub fn receipt(&self) -> Receipt {
        self.usage.into()
    }
}

/// The last calls, oldest first. The room for them is taken with the first.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Mutex<VecDeque<Served>>,
}

impl Journal {
    pub(super) fn note(&self, served: Served) {
        let mut entries = self.entries();
        if entries.len() == JOURNAL_MAX {
            entries.pop_front();
        } else if entries.capacity() == 0 {
            entries.reserve_exact(JOURNAL_MAX);
        }
        entries.push_back(served);
    }

    /// What is kept.
    pub fn read(&self) -> Vec<Served> {
        self.entries().iter().copied().collect()
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Served>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
