//! Python objects in the hands of threads that run guests.

use super::gil;
use std::ops::Deref;

/// What holds Python objects and may be dropped where a tick gave the GIL up: PyO3
/// would believe that the thread still has it.
pub struct Kept<T>(T);

impl<T> Kept<T> {
    /// Keeps `objects`.
    pub fn new(objects: T) -> Kept<T> {
        Kept(objects)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        gil::resume();
    }
}
