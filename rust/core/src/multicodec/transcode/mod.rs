//! CBOR into JSON and back.
//!
//! | CBOR | JSON |
//! |---|---|
//! | integers from -2^64 to 2^64 - 1 | integers |
//! | floats | numbers with a point or an exponent |
//! | text, arrays, true, false, null | the same |
//! | maps with text as keys | objects, in the same order |
//! | NaN, infinities | — |
//! | byte strings, `undefined`, simple values, tags (big integers too) | — |
//! | maps with other keys | — |
//! | — | integers of more than 64 bits, numbers past a 64-bit float |
//!
//! What has no form on the other side, and a key that stands twice, is an error that
//! names its place: nothing is guessed, nothing left out.

mod nest;
mod to_cbor;
mod to_json;

use nest::Bound;

use super::negotiate::other;
use super::{Code, Outcome, Problem};

/// Writes `body` in another codec onto `out`, which grows by `bytes_max` bytes at most.
///
/// # Errors
///
/// If the pair is not transcoded, the body is not well formed, the result would be
/// longer, or a value has no form in the other codec; `out` then holds a part of it.
pub fn transcode(
    from: Code,
    to: Code,
    body: &[u8],
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let bound = Bound::new(out.len(), bytes_max);
    match (from, to) {
        _ if other(from) != Some(to) => Err(Problem::NotTranscoded { from, to }.into()),
        (Code::CBOR, _) => to_json::write(body, bound, out),
        _ => to_cbor::write(body, bound, out),
    }
}
