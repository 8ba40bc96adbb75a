//! A resource with every kind of function a resource can have.

use std::cell::Cell;

use crate::Component;
use crate::exports::acme::echo::resources::{
    Counter as CounterHandle, CounterBorrow, Guest, GuestCounter,
};

thread_local! {
    static ALIVE: Cell<u32> = const { Cell::new(0) };
}

/// A running total that knows how many of its kind live.
pub struct Counter {
    total: Cell<i64>,
}

impl Drop for Counter {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl GuestCounter for Counter {
    fn new(start: i64) -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self {
            total: Cell::new(start),
        }
    }

    fn make(start: i64) -> Result<CounterHandle, String> {
        if start < 0 {
            return Err(format!("start {start} is negative"));
        }
        Ok(CounterHandle::new(Self::new(start)))
    }

    fn alive() -> u32 {
        ALIVE.get()
    }

    fn increment(&self, by: i64) -> i64 {
        self.total.set(self.total.get().wrapping_add(by));
        self.total.get()
    }

    fn value(&self) -> i64 {
        self.total.get()
    }

    fn add_from(&self, other: CounterBorrow<'_>) -> i64 {
        self.increment(other.get::<Self>().value())
    }

    fn merge(left: CounterHandle, right: CounterHandle) -> CounterHandle {
        let sum = left
            .get::<Self>()
            .value()
            .wrapping_add(right.get::<Self>().value());
        CounterHandle::new(Self::new(sum))
    }
}

impl Guest for Component {
    type Counter = Counter;

    fn peek(counter: CounterBorrow<'_>) -> i64 {
        counter.get::<Counter>().value()
    }

    fn pass_through(counters: Vec<CounterHandle>) -> Vec<CounterHandle> {
        counters
    }
}
