//! JSON, RFC 8259, without any of the usual liberties.

mod read;
mod scan;
mod write;

pub use read::{Event, Reader, Text, float};
pub use write::{finite, integer, text};

use super::Outcome;

/// Checks that `body` is one well-formed JSON value and nothing else.
///
/// # Errors
///
/// If it is not JSON or not UTF-8, spells half a surrogate pair, or nests deeper than
/// [`super::DEPTH_MAX`].
pub fn check(body: &[u8]) -> Outcome<()> {
    let mut reader = Reader::new(body)?;
    while reader.next_event()? != Event::End {}
    Ok(())
}
