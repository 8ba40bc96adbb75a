//! The prefix: an unsigned varint in its shortest form.

use super::{Code, Outcome, Problem};

/// Longest prefix in bytes, the limit of the multiformats specification.
pub const PREFIX_BYTES_MAX: usize = 9;

/// Splits a message into its codec and the body behind it, without copying.
///
/// # Errors
///
/// [`Problem::PrefixTruncated`], [`Problem::PrefixTooLong`] or [`Problem::PrefixNotMinimal`].
#[inline]
pub fn split(message: &[u8]) -> Outcome<(Code, &[u8])> {
    let mut code = 0_u64;
    for (index, byte) in message.iter().take(PREFIX_BYTES_MAX).enumerate() {
        code |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            // A last byte of zero adds nothing: the prefix without it says the same.
            if *byte == 0 && index > 0 {
                return Err(Problem::PrefixNotMinimal.at(index));
            }
            return Ok((Code(code), &message[index + 1..]));
        }
    }
    if message.len() < PREFIX_BYTES_MAX {
        return Err(Problem::PrefixTruncated.at(message.len()));
    }
    Err(Problem::PrefixTooLong.at(PREFIX_BYTES_MAX))
}

/// The prefix of a codec, and how many of its bytes count.
///
/// # Errors
///
/// [`Problem::CodeTooLarge`] if the number needs more than 63 bits.
#[inline]
pub fn prefix(code: Code) -> Outcome<([u8; PREFIX_BYTES_MAX], usize)> {
    let Code(mut rest) = code;
    if rest >> 63 != 0 {
        return Err(Problem::CodeTooLarge(rest).into());
    }
    let mut bytes = [0; PREFIX_BYTES_MAX];
    let mut length = 0;
    for byte in &mut bytes {
        length += 1;
        *byte = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        if rest == 0 {
            break;
        }
        *byte |= 0x80;
    }
    Ok((bytes, length))
}

/// Writes the prefix of a codec.
///
/// # Errors
///
/// As [`prefix`].
#[inline]
pub fn write_prefix(code: Code, out: &mut Vec<u8>) -> Outcome<()> {
    let (bytes, length) = prefix(code)?;
    out.extend_from_slice(&bytes[..length]);
    Ok(())
}

/// Puts the prefix of a codec in front of a body.
///
/// # Errors
///
/// As [`write_prefix`].
pub fn join(code: Code, body: &[u8]) -> Outcome<Vec<u8>> {
    let mut message = Vec::with_capacity(PREFIX_BYTES_MAX + body.len());
    write_prefix(code, &mut message)?;
    message.extend_from_slice(body);
    Ok(message)
}
