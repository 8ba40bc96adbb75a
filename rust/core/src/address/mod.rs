//! Who a message is for: names that people write, and the numbers they become.
//!
//! `namespace/name/instance` is the address of an actor. `name` alone is in the namespace
//! `local`, and without an instance it is instance `0`, the only one.
//!
//! | part | bytes | written with |
//! |---|---|---|
//! | namespace | 1–64 | `a-z`, `0-9`, `-` |
//! | name | 3–64 | `a-z`, `0-9`, `-`; a letter first, no `-` last |
//! | instance | 1–64 | `a-z`, `0-9`, `-` |

mod error;
mod id;
mod pattern;

use std::fmt;

pub(crate) use error::quoted;
pub use error::{AddressError, Part, Problem};
pub(crate) use id::shortest;
pub use id::{ComponentId, DEFAULT_INSTANCE, DEFAULT_NAMESPACE};
pub use pattern::{AddressPattern, AddressPatternError};

use crate::slab::Key;

/// The number of an address on this host: what messages carry instead of names.
///
/// It is valid until the address is removed, survives restarts and changes of version, is never
/// reused, and means nothing to another host. 0 is the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u64);

impl Handle {
    /// The embedder itself, which is not an actor.
    pub const EMBEDDER: Self = Self(0);

    /// The handle a guest spoke of; it need not exist.
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number that guests see.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Small and dense, for tables: 0 is the embedder's, and no two handles that are valid at
    /// one time have the same.
    #[inline]
    pub const fn index(self) -> u32 {
        if self.0 == 0 {
            return 0;
        }
        self.key().index() + 1
    }

    pub(crate) const fn from_key(key: Key) -> Self {
        Self(key.as_u64())
    }

    pub(crate) const fn key(self) -> Key {
        Key::from_u64(self.0)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which life of an actor: it grows with each restart and each change of version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// The first life.
    pub const FIRST: Self = Self(1);

    /// The life after this one. It stays at the last number, which no actor lives to see.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
