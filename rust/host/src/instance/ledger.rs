//! The receipt of the last call: written without a lock, read whole.

use super::Receipt;
use super::data::Usage;
use crate::engine::duration;
use std::hint;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Stands for "not metered".
const NO_FUEL: u64 = u64::MAX;

/// A sequence lock around one receipt. Only whoever holds the instance writes.
#[derive(Default)]
pub(super) struct Ledger {
    sequence: AtomicU64,
    fields: [AtomicU64; 8],
}

impl Ledger {
    #[inline]
    pub(super) fn write(&self, usage: Usage) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (field, value) in self.fields.iter().zip(pack(usage)) {
            field.store(value, Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    pub(super) fn read(&self) -> Usage {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            let fields = self
                .fields
                .each_ref()
                .map(|field| field.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if before == 0 {
                return Usage::default();
            }
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                return unpack(fields);
            }
            hint::spin_loop();
        }
    }
}

impl From<Usage> for Receipt {
    fn from(usage: Usage) -> Receipt {
        Receipt {
            run: duration(usage.run_ticks),
            queued: duration(usage.queued_ticks),
            fuel: usage.fuel,
            memory_bytes_peak: usage.memory_bytes_peak,
            memory_denied: usage.memory_denied,
            host_calls: usage.host_calls,
            bytes_in: usage.bytes_in,
            bytes_out: usage.bytes_out,
        }
    }
}

#[inline]
fn pack(usage: Usage) -> [u64; 8] {
    [
        usage.run_ticks,
        usage.queued_ticks,
        usage.fuel.unwrap_or(NO_FUEL),
        usage.memory_bytes_peak,
        usage.memory_denied,
        usage.host_calls,
        usage.bytes_in,
        usage.bytes_out,
    ]
}

#[inline]
fn unpack(fields: [u64; 8]) -> Usage {
    let [
        run_ticks,
        queued_ticks,
        fuel,
        memory_bytes_peak,
        memory_denied,
        host_calls,
        bytes_in,
        bytes_out,
    ] = fields;
    Usage {
        run_ticks,
        queued_ticks,
        fuel: (fuel != NO_FUEL).then_some(fuel),
        memory_bytes_peak,
        memory_denied,
        host_calls,
        bytes_in,
        bytes_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let ledger = Ledger::default();
        assert_eq!(ledger.read(), Usage::default());
        ledger.write(Usage {
            fuel: Some(9),
            host_calls: 3,
            bytes_out: u64::MAX,
            ..Usage::default()
        });
        let receipt = ledger.read();
        assert_eq!(
            (receipt.fuel, receipt.host_calls, receipt.bytes_out),
            (Some(9), 3, u64::MAX)
        );
        ledger.write(Usage::default());
        assert_eq!(ledger.read(), Usage::default());
    }

    #[test]
    fn a_reader_never_sees_half_a_receipt() {
        let ledger = Ledger::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1..200_000 {
                    ledger.write(Usage {
                        bytes_in: n,
                        bytes_out: n,
                        ..Usage::default()
                    });
                }
            });
            for _ in 0..200_000 {
                let receipt = ledger.read();
                assert_eq!(receipt.bytes_in, receipt.bytes_out);
            }
        });
    }
}
