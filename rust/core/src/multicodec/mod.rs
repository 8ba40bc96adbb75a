//! Payloads that say in which codec they are written.
//!
//! A message starts with the number of its codec, an unsigned varint of the multicodec
//! table; behind it stands the body. The host looks at the prefix, checks that CBOR and
//! JSON are well formed, and turns one into the other where both sides want that; every
//! other body is carried as it is.
//!
//! Nothing here recurses, and nothing takes memory because a length claims it: what is
//! allocated is in proportion to the bytes that are there.

#![allow(
    clippy::unnecessary_box_returns,
    reason = "an error travels boxed, so that the values that fit stay small"
)]

pub mod borsh;
pub mod cbor;
mod code;
mod error;
pub mod json;
mod negotiate;
mod path;
mod transcode;
mod varint;

pub use code::Code;
pub use error::{CodecError, Outcome, Problem};
pub use negotiate::{Route, negotiate};
pub use path::{Path, Step};
pub use transcode::transcode;
pub use varint::{PREFIX_BYTES_MAX, join, prefix, split, write_prefix};

/// Deepest nesting of lists, maps and tags that is read or written.
pub const DEPTH_MAX: usize = 1000;

/// Checks that `body` is one well-formed value of `code`.
///
/// Bodies of other codecs than CBOR and JSON are carried unread, so nothing is wrong
/// with them. Duplicate keys are left to whoever reads the value.
///
/// # Errors
///
/// If it is not, with the offset of the fault in `body`.
pub fn check(code: Code, body: &[u8]) -> Outcome<()> {
    match code {
        Code::CBOR => cbor::check(body),
        Code::JSON => json::check(body),
        _ => Ok(()),
    }
}
