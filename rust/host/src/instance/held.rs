//! What the host holds for the calls of a guest that are in flight.
//!
//! One call is bounded by what may cross at once. A concurrent guest can have
//! many calls in flight, so their sum is bounded too.

use crate::trap::HeldTooMuch;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The sum; made when it is first needed, because few instances ever do.
#[derive(Default)]
pub(super) struct Held {
    bytes: Option<Arc<AtomicUsize>>,
}

/// One call's part of what the host holds for the guest, given back when dropped.
pub struct HeldBytes {
    sum: Arc<AtomicUsize>,
    bytes: usize,
}

impl Held {
    /// Adds to the sum.
    ///
    /// # Errors
    ///
    /// [`HeldTooMuch`] if that would make more than `most`.
    pub(super) fn add(&mut self, bytes: usize, most: usize) -> Result<HeldBytes, HeldTooMuch> {
        let sum = self.bytes.get_or_insert_default();
        // Only the holder of the store adds; a guard can only take away.
        let wanted = sum.load(Ordering::Relaxed).saturating_add(bytes);
        if wanted > most {
            return Err(HeldTooMuch { wanted, most });
        }
        sum.fetch_add(bytes, Ordering::Relaxed);
        Ok(HeldBytes {
            sum: Arc::clone(sum),
            bytes,
        })
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_makes_room_again() {
        let mut held = Held::default();
        let first = held.add(60, 100).unwrap();
        assert!(held.add(60, 100).is_err());
        let _second = held.add(40, 100).unwrap();
        drop(first);
        assert!(held.add(60, 100).is_ok());
    }

    #[test]
    fn a_sum_near_the_end_of_numbers_is_refused_not_wrapped() {
        let mut held = Held::default();
        let _one = held.add(1, usize::MAX).unwrap();
        assert!(held.add(usize::MAX, usize::MAX - 1).is_err());
    }
}
