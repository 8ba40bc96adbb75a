//! Finding what must not stand as it is in a string, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The length of the longest start without a quote, a backslash or a control character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk() {
        if let Some(index) = first_special(u64::from_le_bytes(*chunk)) {
            return at + index;
        }
        at += 8;
    }
    if at == bytes.len() {
        return at;
    }
    match bytes.last_chunk() {
        // What was looked at before holds nothing special, so looking again does no harm.
        Some(last) => {
            let index = first_special(u64::from_le_bytes(*last));
            index.map_or(bytes.len(), |index| bytes.len() - 8 + index)
        }
        None => plain_short(bytes),
    }
}

/// The same for up to seven bytes.
#[inline]
fn plain_short(bytes: &[u8]) -> usize {
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        let special = bytes.iter().position(|byte| is_special(*byte));
        return special.unwrap_or(bytes.len());
    };
    let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
    // Both halves overlap; one that both hold is found in the first.
    match first_special(u64::from(first) | u64::from(last) << 32) {
        Some(index @ 0..4) => index,
        Some(index) => bytes.len() - 8 + index,
        None => bytes.len(),
    }
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The index of the first special byte of eight.
///
/// Each mask sets the high bit of a byte it looks for; a borrow may set bits above the
/// lowest one, which is the one that counts.
#[inline]
fn first_special(word: u64) -> Option<usize> {
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    // No byte from 0x80 on is special.
    let found = (control | quote | backslash) & !word & HIGHS;
    (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
}
