//! Deadlines, many of them, most of which never come.
//!
//! A [`Timers`] is a hierarchical timing wheel with a tick of one millisecond: eleven levels of
//! 64 slots, so that every `u64` deadline has a place. (Varghese and Lauck, "Hashed and
//! Hierarchical Timing Wheels", 1987.) It reads no clock: the owner passes milliseconds of a
//! monotonic one.
//!
//! Costs: insert and cancel are O(1). [`Timers::advance`] is O(expired), and O(11) for each timer
//! over its whole life; how far the clock jumps does not matter. Memory follows the most timers
//! that were ever set at once, at most the bound.

mod wheel;

use crate::slab::Key;

pub use wheel::Timers;

/// A timer that was set. It means nothing after it fired or was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerKey(Key);
