//! CBOR, RFC 8949: heads read and written one at a time.

mod check;
mod read;
mod write;

pub use check::check;
pub use read::{Item, Owed, Reader, Small};
pub use write::{ARRAY, BYTES, MAP, NEGATIVE, TAG, TEXT, UNSIGNED, float, head};

/// Tag of an unsigned integer of any length.
pub const TAG_BIG_POSITIVE: u64 = 2;
/// Tag of a negative integer of any length: the bytes are `-1 - n`.
pub const TAG_BIG_NEGATIVE: u64 = 3;
/// The byte of `false`; `true`, `null` and `undefined` follow it.
pub const FALSE: u8 = 0xf4;
/// The byte of `true`.
pub const TRUE: u8 = 0xf5;
/// The byte of `null`.
pub const NULL: u8 = 0xf6;
