//! What holds traffic back: a breaker for each route, a limit for each sender, and when to retry.
//!
//! Three state machines without a clock, a lock or a source of randomness: the owner passes the
//! nanoseconds of a monotonic clock and random numbers. A clock that goes back, or stands at its
//! end, makes none of them panic or let more through.

mod breaker;
mod rate;
mod retry;

pub use breaker::{Breaker, BreakerSettings, BreakerState, CircuitOpen, Permit};
pub use rate::{RATE_PER_SECOND_MAX, RateLimit, RateLimited, TokenBucket};
pub use retry::RetryPolicy;

/// A setting that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {range}; hint: leave it out for the default")]
pub struct SettingInvalid {
    /// Which.
    pub name: &'static str,
    /// What it may be.
    pub range: &'static str,
}

fn require(holds: bool, name: &'static str, range: &'static str) -> Result<(), SettingInvalid> {
    if holds {
        return Ok(());
    }
    Err(SettingInvalid { name, range })
}
