//! The warning before the memory limit is reached.

use crate::component::Component;
use crate::linker::aside;
use std::sync::{Arc, OnceLock};

/// Share of the memory limit from which on there is a warning, in percent.
const PERCENT: usize = 90;

static ON_WARNING: OnceLock<fn(&MemoryWarning<'_>) -> bool> = OnceLock::new();

/// An instance that is near its memory limit.
#[derive(Clone, Copy, Debug)]
pub struct MemoryWarning<'a> {
    /// Name its component was loaded under.
    pub component: &'a str,
    /// Bytes it would use with the growth it asks for.
    pub wanted: usize,
    /// Bytes it may use.
    pub limit: usize,
}

/// Registers what to do, on the guest's thread, when an instance comes near its
/// memory limit; it says whether the call may go on. The first registration stays.
pub fn on_memory_warning(hook: fn(&MemoryWarning<'_>) -> bool) {
    let _ = ON_WARNING.set(hook);
}

/// Bytes from which on there is a warning.
pub fn memory_warning_bytes(limit: usize) -> usize {
    limit / 100 * PERCENT + limit % 100 * PERCENT / 100
}

/// Warns of the instances of one component.
pub(crate) struct Watch {
    component: Arc<Component>,
    /// Whether the running guest has a stack of its own.
    own_stack: bool,
}

impl Watch {
    pub(super) fn new(component: Arc<Component>) -> Watch {
        Watch {
            component,
            own_stack: false,
        }
    }

    pub(crate) fn start_call(&mut self, own_stack: bool) {
        self.own_stack = own_stack;
    }

    /// Warns if `wanted` is near the limit or past it, and no instance of the
    /// component was warned of under this limit: ten thousand alike are one
    /// warning. Says whether the call may go on.
    pub(crate) fn look(&self, wanted: usize, limit: usize) -> bool {
        if wanted < memory_warning_bytes(limit) || !self.component.warn_once(limit) {
            return true;
        }
        let Some(hook) = ON_WARNING.get() else {
            return true;
        };
        let warning = MemoryWarning {
            component: self.component.name(),
            wanted,
            limit,
        };
        aside(self.own_stack, || hook(&warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_at_nine_tenths_of_any_limit() {
        assert_eq!(memory_warning_bytes(1000), 900);
        assert_eq!(memory_warning_bytes(20 << 16), 18 << 16);
        assert_eq!(memory_warning_bytes(1 << 20), 943_718);
        assert!(memory_warning_bytes(usize::MAX) < usize::MAX);
    }
}
