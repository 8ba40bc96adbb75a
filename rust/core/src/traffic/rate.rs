//! How much one sender may send.
//!
//! A token bucket, kept as the one number of the generic cell rate algorithm (ITU-T I.371): the
//! time at which the bucket would be full again. It takes eight bytes, and no timer
//! fills anything.

use super::{SettingInvalid, require};

/// Highest rate, in messages a second.
pub const RATE_PER_SECOND_MAX: u32 = 10_000_000;

const SECOND_NS: u64 = 1_000_000_000;

/// How much a sender may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Nanoseconds that one message costs, rounded up: the rate is never above what was asked.
    interval_ns: u64,
    /// Nanoseconds that a full bucket holds.
    burst_ns: u64,
}

impl RateLimit {
    /// `per_second` messages (1 to [`RATE_PER_SECOND_MAX`]) in the long run, and `burst` (at least
    /// 1) at once.
    ///
    /// # Errors
    ///
    /// [`SettingInvalid`] names what is out of its range.
    pub fn new(per_second: u32, burst: u32) -> Result<Self, SettingInvalid> {
        let rates = 1..=RATE_PER_SECOND_MAX;
        require(
            rates.contains(&per_second),
            "the rate",
            "1 to 10000000 a second",
        )?;
        require(burst > 0, "the burst", "at least 1")?;
        let interval_ns = SECOND_NS.div_ceil(u64::from(per_second));
        Ok(Self {
            interval_ns,
            // At most 2^32 seconds, which fits.
            burst_ns: interval_ns * u64::from(burst),
        })
    }
}

/// What one sender has used of its limit. A new bucket is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenBucket {
    full_at: u64,
}

/// A sender sent too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many messages in too short a time, try again in {} ms", retry_after_ns.div_ceil(1_000_000))]
pub struct RateLimited {
    /// Nanoseconds until as many are accepted.
    pub retry_after_ns: u64,
}

impl TokenBucket {
    /// Takes `messages` at once, or none of them.
    ///
    /// # Errors
    ///
    /// [`RateLimited`] says when they will be accepted, or `u64::MAX` if they never will, being
    /// more than a burst.
    #[inline]
    pub fn take(&mut self, messages: u32, limit: RateLimit, now: u64) -> Result<(), RateLimited> {
        let cost_ns = limit.interval_ns.saturating_mul(u64::from(messages));
        let begins = self.full_at.max(now);
        let ends = begins.checked_add(cost_ns);
        match ends {
            Some(ends) if ends - now <= limit.burst_ns => {
                self.full_at = ends;
                Ok(())
            }
            _ => Err(refused(begins - now, cost_ns, limit)),
        }
    }
}

#[cold]
fn refused(used_ns: u64, cost_ns: u64, limit: RateLimit) -> RateLimited {
    let retry_after_ns = match limit.burst_ns.checked_sub(cost_ns) {
        Some(least_free_ns) => used_ns.saturating_sub(least_free_ns).max(1),
        None => u64::MAX,
    };
    RateLimited { retry_after_ns }
}
