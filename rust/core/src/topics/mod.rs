//! Topics, patterns of topics, and who takes what.
//!
//! A topic is names of `a-z`, `0-9`, `_` and `-` joined by `.`, 1 to 256 bytes in all. In a
//! pattern a name may be `*`, which is any one name, and the last may be `#`, which is any rest,
//! *also none*: `orders.#` matches `orders`, `orders.new` and `orders.new.eu`.
//!
//! | | matches | does not match |
//! |---|---|---|
//! | `orders.*` | `orders.new` | `orders`, `orders.new.eu` |
//! | `orders.#` | `orders`, `orders.new.eu` | `order` |
//! | `*.new` | `orders.new` | `new` |
//! | `#` | everything | |
//!
//! Whether a grant covers a pattern is a question of sets, not of text:
//! [`TopicPattern::contains`]. Topics that begin with `$` are reserved and refused.

mod error;
mod pattern;
mod subscriptions;
mod trie;

pub use error::{TopicError, TopicProblem, Written};
pub use pattern::{Topic, TopicPattern};
pub use subscriptions::{SubscriptionLimits, SubscriptionsFull, Topics};

/// Longest topic or pattern, in bytes.
pub const TOPIC_BYTES_MAX: usize = 256;

/// Most names in a topic or pattern: of one byte each, with dots between.
pub const TOPIC_NAMES_MAX: usize = TOPIC_BYTES_MAX.div_ceil(2);
