//! Counts the primes of a short range: the work that a pool shares out.

use airssys_sdk::actor::*;
use serde::Deserialize;

/// From `start` on, before `end`.
#[derive(Deserialize)]
struct Range {
    start: u64,
    end: u64,
}

/// The longest range of one message: it must be done within the time of a call.
const LENGTH_MAX: u64 = 100_000;

#[derive(Default)]
struct Worker;

#[component]
impl Worker {
    #[handler]
    fn handle(&mut self, range: Range) -> Result<u64, Refusal> {
        if range.end.saturating_sub(range.start) > LENGTH_MAX {
            return Err(Refusal::Refused(format!("longer than {LENGTH_MAX}")));
        }
        let primes = (range.start..range.end).filter(|number| is_prime(*number));
        Ok(primes.fold(0, |sum, _| sum + 1))
    }
}

fn is_prime(number: u64) -> bool {
    let divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 1
        && divisors
            .into_iter()
            .all(|divisor| !number.is_multiple_of(divisor))
}
