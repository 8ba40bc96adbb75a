//! Errors as values, and ways to fail that are not values.

use std::cell::RefCell;
use std::hint::black_box;

use crate::Component;
use crate::exports::acme::echo::failures::{Guest, Reason};

thread_local! {
    static HELD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Guest for Component {
    fn divide(dividend: i32, divisor: i32) -> Result<i32, String> {
        dividend
            .checked_div(divisor)
            .ok_or_else(|| format!("cannot divide {dividend} by {divisor}"))
    }

    fn fail_with(reason: Reason) -> Result<u32, Reason> {
        Err(reason)
    }

    fn fail_plain(fail: bool) -> Result<(), ()> {
        if fail { Err(()) } else { Ok(()) }
    }

    fn fail_only(fail: bool) -> Result<(), Reason> {
        if fail { Err(Reason::Refused) } else { Ok(()) }
    }

    fn succeed_only(fail: bool) -> Result<String, ()> {
        if fail { Err(()) } else { Ok("done".to_owned()) }
    }

    fn panic(message: String) {
        panic!("{message}");
    }

    fn hold_bytes(bytes: u64) -> u64 {
        let bytes = usize::try_from(bytes).expect("more than a 32-bit memory can hold");
        HELD.with_borrow_mut(|held| {
            held.push(vec![0xa5; bytes]);
            held.iter().map(|block| block.len() as u64).sum()
        })
    }

    fn spin(rounds: u64) -> u64 {
        (0..rounds).fold(0, |sum, round| {
            black_box(sum ^ round.wrapping_mul(0x9e37_79b9))
        })
    }
}
