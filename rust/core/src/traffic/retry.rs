//! When to try again.

use super::{SettingInvalid, require};

/// How often and when something that failed is tried again: each wait is `factor` times the one
/// before, up to a maximum, and shorter by a random part of at most `jitter`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    attempts_max: u32,
    first_ns: u64,
    longest_ns: u64,
    factor: f64,
    jitter: f64,
}

impl Default for RetryPolicy {
    /// Five attempts; 100 ms, then twice as long each time, at most 30 s, 10 % jitter.
    fn default() -> Self {
        Self {
            attempts_max: 5,
            first_ns: 100_000_000,
            longest_ns: 30_000_000_000,
            factor: 2.0,
            jitter: 0.1,
        }
    }
}

impl RetryPolicy {
    /// At most `attempts_max` attempts (at least 1, which is no retry). The first wait is
    /// `first_ns`, the longest `longest_ns`; `factor` is at least 1, `jitter` 0 to 1.
    ///
    /// # Errors
    ///
    /// [`SettingInvalid`] names what is out of its range.
    pub fn new(
        attempts_max: u32,
        first_ns: u64,
        longest_ns: u64,
        factor: f64,
        jitter: f64,
    ) -> Result<Self, SettingInvalid> {
        require(attempts_max > 0, "attempts", "at least 1")?;
        require(
            longest_ns >= first_ns,
            "the longest wait",
            "at least the first",
        )?;
        require(
            factor.is_finite() && factor >= 1.0,
            "the factor",
            "at least 1",
        )?;
        require((0.0..=1.0).contains(&jitter), "the jitter", "0 to 1")?;
        Ok(Self {
            attempts_max,
            first_ns,
            longest_ns,
            factor,
            jitter,
        })
    }

    /// Nanoseconds to wait after `attempts` have failed, or none if that is enough. Give it a new
    /// random number each time.
    pub fn wait_ns(&self, attempts: u32, random: u64) -> Option<u64> {
        if attempts >= self.attempts_max {
            return None;
        }
        let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = as_f64(self.first_ns) * self.factor.powi(exponent);
        let longest = as_f64(self.longest_ns);
        // No wait at first stays none, whatever it is multiplied with.
        let wait = if self.first_ns == 0 {
            0.0
        } else {
            grown.min(longest)
        };
        Some(as_ns(wait * (1.0 - self.jitter * fraction(random))).min(self.longest_ns))
    }

    /// How often something is tried.
    pub fn attempts_max(&self) -> u32 {
        self.attempts_max
    }
}

/// From 0 to just below 1.
fn fraction(random: u64) -> f64 {
    as_f64(random >> 11) / as_f64(1 << 53)
}

#[expect(clippy::cast_precision_loss, reason = "a wait is not that precise")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a wait is not negative, and one too long ends at the largest number"
)]
fn as_ns(wait: f64) -> u64 {
    wait as u64
}
