//! The fast lanes, with a count of calls as proof that a handler ran.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Component;
use crate::exports::acme::echo::api::Guest;

static CALLS: AtomicU64 = AtomicU64::new(0);

fn count() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

impl Guest for Component {
    fn echo_bytes(data: Vec<u8>) -> Vec<u8> {
        count();
        data
    }

    fn echo_string(text: String) -> String {
        count();
        text
    }

    fn add(left: i32, right: i32) -> i32 {
        count();
        left.wrapping_add(right)
    }

    fn add64(left: i64, right: i64) -> i64 {
        count();
        left.wrapping_add(right)
    }

    fn nothing() {
        count();
    }

    fn calls() -> u64 {
        CALLS.load(Ordering::Relaxed)
    }
}
