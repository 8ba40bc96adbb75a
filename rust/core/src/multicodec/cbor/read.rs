//! Reading items.

use super::super::{Outcome, Problem};
use super::{FALSE, NULL, TRUE};

const BREAK: u8 = 0xff;
const INDEFINITE: u8 = 31;

/// What stands at one place; a container is only its head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Item<'a> {
    /// A non-negative integer.
    Unsigned(u64),
    /// The integer `-1 - n`.
    Negative(u64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text, not yet known to be UTF-8.
    Text(&'a [u8]),
    /// The start of bytes in chunks, which [`Reader::chunks`] joins.
    ByteChunks,
    /// The start of text in chunks, which [`Reader::chunks`] joins.
    TextChunks,
    /// An array of so many items, or of those up to [`Item::Break`].
    Array(Option<u64>),
    /// A map of so many pairs, or of those up to [`Item::Break`].
    Map(Option<u64>),
    /// A tag; the next item is what it is about.
    Tag(u64),
    /// A truth value.
    Bool(bool),
    /// `null`.
    Null,
    /// `undefined`.
    Undefined,
    /// A simple value without a meaning here.
    Simple(u8),
    /// A float of any width.
    Float(f64),
    /// The end of a container of no given length.
    Break,
}

/// Makes what [`Reader::small`] reads: most of what messages hold.
pub trait Small {
    /// What is made.
    type Made;
    /// Of an integer.
    fn integer(self, value: i64) -> Self::Made;
    /// Of up to 23 bytes of text, not yet known to be UTF-8.
    fn text(self, text: &[u8]) -> Self::Made;
    /// Of a truth value.
    fn bool(self, value: bool) -> Self::Made;
    /// Of `null`.
    fn null(self) -> Self::Made;
    /// Of a float.
    fn float(self, value: f64) -> Self::Made;
}

/// Reads one item after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// The next byte's offset.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    #[inline]
    pub fn left(&self) -> usize {
        self.input.len() - self.at
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`Problem::Trailing`].
    pub fn end(&self) -> Outcome<()> {
        match self.left() {
            0 => Ok(()),
            bytes => Err(Problem::Trailing { bytes }.at(self.at)),
        }
    }

    /// Reads text of up to 23 bytes, if that comes next.
    #[inline]
    pub fn short_text(&mut self) -> Option<&'a [u8]> {
        let [first @ 0x60..=0x77, rest @ ..] = &self.input[self.at..] else {
            return None;
        };
        let text = rest.get(..usize::from(first - 0x60))?;
        self.at += 1 + text.len();
        Some(text)
    }

    /// Reads a scalar that is short, if one comes next; anything else, also what is cut off, is
    /// left for [`Self::item`].
    ///
    /// Each kind is made where it is told apart, so that nothing is told apart twice.
    #[allow(
        clippy::inline_always,
        reason = "a reader's loop is its match over this one"
    )]
    #[inline(always)]
    pub fn small<S: Small>(&mut self, made: S) -> Option<S::Made> {
        let [first, rest @ ..] = &self.input[self.at..] else {
            return None;
        };
        let (bytes, made) = match *first {
            small @ 0x00..=0x17 => (0, made.integer(i64::from(small))),
            0x18 => (1, made.integer(i64::from(*rest.first()?))),
            0x19 => {
                let value = u16::from_be_bytes(*rest.first_chunk()?);
                (2, made.integer(i64::from(value)))
            }
            0x1a => {
                let value = u32::from_be_bytes(*rest.first_chunk()?);
                (4, made.integer(i64::from(value)))
            }
            small @ 0x20..=0x37 => (0, made.integer(0x1f - i64::from(small))),
            short @ 0x60..=0x77 => {
                let text = rest.get(..usize::from(short - 0x60))?;
                (text.len(), made.text(text))
            }
            FALSE => (0, made.bool(false)),
            TRUE => (0, made.bool(true)),
            NULL => (0, made.null()),
            0xfb => {
                let value = f64::from_be_bytes(*rest.first_chunk()?);
                (8, made.float(value))
            }
            _ => return None,
        };
        self.at += 1 + bytes;
        Some(made)
    }

    /// Reads the next item.
    ///
    /// # Errors
    ///
    /// If it is cut off, longer than the input, or not well formed.
    #[allow(
        clippy::inline_always,
        reason = "a reader's loop is its match over this one"
    )]
    #[inline(always)]
    pub fn item(&mut self) -> Outcome<Item<'a>> {
        let start = self.at;
        let Some(&first) = self.input.get(start) else {
            return Err(Problem::Truncated("CBOR value").at(start));
        };
        self.at += 1;
        // Most of what messages hold is small.
        match first {
            0x00..=0x17 => return Ok(Item::Unsigned(u64::from(first))),
            0x60..=0x77 => {
                let text = self.take(u64::from(first - 0x60), "text", start);
                return text.map(Item::Text);
            }
            _ => {}
        }
        let (major, low) = (first >> 5, first & 0x1f);
        if major == 7 {
            return self.special(first, low, start);
        }
        if low == INDEFINITE {
            return match major {
                2 => Ok(Item::ByteChunks),
                3 => Ok(Item::TextChunks),
                4 => Ok(Item::Array(None)),
                5 => Ok(Item::Map(None)),
                _ => Err(Problem::Malformed(
                    "only text, bytes, arrays and maps may be without a length",
                )
                .at(start)),
            };
        }
        let value = self.argument(low, start)?;
        match major {
            0 => Ok(Item::Unsigned(value)),
            1 => Ok(Item::Negative(value)),
            2 => self.take(value, "byte string", start).map(Item::Bytes),
            3 => self.take(value, "text", start).map(Item::Text),
            4 => Ok(Item::Array(Some(value))),
            5 => Ok(Item::Map(Some(value))),
            _ => Ok(Item::Tag(value)),
        }
    }

    /// The number in or behind the first byte.
    #[inline]
    fn argument(&mut self, low: u8, start: usize) -> Outcome<u64> {
        match low {
            0..=23 => Ok(u64::from(low)),
            24 => self.number(start).map(|[byte]: [u8; 1]| u64::from(byte)),
            25 => self
                .number(start)
                .map(|bytes| u64::from(u16::from_be_bytes(bytes))),
            26 => self
                .number(start)
                .map(|bytes| u64::from(u32::from_be_bytes(bytes))),
            27 => self.number(start).map(u64::from_be_bytes),
            _ => Err(Problem::Malformed("28 to 31 are no length of a number").at(start)),
        }
    }

    #[inline]
    fn number<const N: usize>(&mut self, start: usize) -> Outcome<[u8; N]> {
        match self.input[self.at..].first_chunk() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(Problem::Truncated("CBOR value").at(start)),
        }
    }

    #[inline]
    fn take(&mut self, length: u64, what: &'static str, start: usize) -> Outcome<&'a [u8]> {
        let rest = &self.input[self.at..];
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length));
        let Some(bytes) = taken else {
            let (claimed, left) = (length, rest.len());
            return Err(Problem::LengthPastEnd {
                what,
                claimed,
                left,
            }
            .at(start));
        };
        self.at += bytes.len();
        Ok(bytes)
    }

    #[inline]
    fn special(&mut self, first: u8, low: u8, start: usize) -> Outcome<Item<'a>> {
        match low {
            20 | 21 => Ok(Item::Bool(first & 1 == 1)),
            22 => Ok(Item::Null),
            23 => Ok(Item::Undefined),
            25 => self
                .number(start)
                .map(|bytes| Item::Float(half(u16::from_be_bytes(bytes)))),
            26 => self
                .number(start)
                .map(|bytes| Item::Float(f64::from(f32::from_be_bytes(bytes)))),
            27 => self
                .number(start)
                .map(|bytes| Item::Float(f64::from_be_bytes(bytes))),
            0..=19 => Ok(Item::Simple(low)),
            24 => match self.number(start)? {
                [value] if value >= 32 => Ok(Item::Simple(value)),
                _ => {
                    Err(Problem::Malformed("simple values below 32 have no second byte").at(start))
                }
            },
            _ if first == BREAK => Ok(Item::Break),
            _ => Err(Problem::Malformed("28 to 30 are no simple value").at(start)),
        }
    }

    /// Joins the chunks behind [`Item::ByteChunks`] or [`Item::TextChunks`] onto `out`.
    ///
    /// # Errors
    ///
    /// If a chunk is not of the same kind, or is text that is not UTF-8 on its own.
    pub fn chunks(&mut self, is_text: bool, out: &mut Vec<u8>) -> Outcome<()> {
        loop {
            let start = self.at;
            match self.item()? {
                Item::Break => return Ok(()),
                Item::Bytes(chunk) if !is_text => out.extend_from_slice(chunk),
                Item::Text(chunk) if is_text => {
                    if std::str::from_utf8(chunk).is_err() {
                        return Err(Problem::InvalidUtf8.at(start));
                    }
                    out.extend_from_slice(chunk);
                }
                _ => {
                    return Err(
                        Problem::Malformed("a chunk is not of the kind of its string").at(start),
                    );
                }
            }
        }
    }
}

/// Widens a float of 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = ((bits >> 10) & 0x1f, f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// How many items open containers still owe: each takes a byte at least.
///
/// A container whose items cannot all be there any more is refused before anybody
/// takes memory for them, so nested claims cannot add up to more than the input.
#[derive(Debug, Default)]
pub struct Owed(u64);

impl Owed {
    /// Adds the items of a container.
    ///
    /// # Errors
    ///
    /// [`Problem::LengthPastEnd`].
    #[inline]
    pub fn claim(&mut self, items: u64, what: &'static str, reader: &Reader<'_>) -> Outcome<()> {
        let left = reader.left();
        let spare = (left as u64).saturating_sub(self.0);
        if items > spare {
            let claimed = items;
            return Err(Problem::LengthPastEnd {
                what,
                claimed,
                left,
            }
            .at(reader.offset()));
        }
        self.0 += items;
        Ok(())
    }

    /// Takes off items whose heads were read.
    #[inline]
    pub fn paid(&mut self, items: u64) {
        self.0 -= items;
    }
}
