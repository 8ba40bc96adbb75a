//! Writing heads.

/// Major type of unsigned integers.
pub const UNSIGNED: u8 = 0;
/// Major type of negative integers, as `-1 - n`.
pub const NEGATIVE: u8 = 1;
/// Major type of byte strings.
pub const BYTES: u8 = 2;
/// Major type of text.
pub const TEXT: u8 = 3;
/// Major type of arrays.
pub const ARRAY: u8 = 4;
/// Major type of maps.
pub const MAP: u8 = 5;
/// Major type of tags.
pub const TAG: u8 = 6;

/// Writes the head of an item in its shortest form.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "each arm casts what its pattern bounds"
)]
pub fn head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    match value {
        0..=23 => out.push(major | value as u8),
        24..=0xff => out.extend_from_slice(&[major | 0x18, value as u8]),
        0x100..=0xffff => {
            let [a, b] = (value as u16).to_be_bytes();
            out.extend_from_slice(&[major | 0x19, a, b]);
        }
        0x1_0000..=0xffff_ffff => {
            let [a, b, c, d] = (value as u32).to_be_bytes();
            out.extend_from_slice(&[major | 0x1a, a, b, c, d]);
        }
        _ => {
            out.push(major | 0x1b);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Writes a float in 64 bits; infinities and the one NaN in 16, where they lose nothing.
#[inline]
pub fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        out.push(0xfb);
        out.extend_from_slice(&value.to_be_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(&[0xf9, 0x7e, 0x00]);
    } else if value > 0.0 {
        out.extend_from_slice(&[0xf9, 0x7c, 0x00]);
    } else {
        out.extend_from_slice(&[0xf9, 0xfc, 0x00]);
    }
}
