//! Reading one event after the other.

use super::super::{DEPTH_MAX, Outcome, Problem};
use super::scan;

/// Digits that surely fit an `i64`.
const SHORT_DIGITS: usize = 18;

/// Text between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// As it stands in the input.
    pub raw: &'a str,
    /// Whether something in it is escaped.
    pub escaped: bool,
}

impl Text<'_> {
    /// Writes the text with its escapes resolved.
    pub fn unescape(self, out: &mut Vec<u8>) {
        let mut rest = self.raw;
        while let Some((plain, behind)) = rest.split_once('\\') {
            out.extend_from_slice(plain.as_bytes());
            rest = resolve(behind, out);
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of up to 18 digits.
    Integer(i64),
    /// A longer integer, as it stands.
    LongInteger(&'a str),
    /// A number with a fraction or an exponent, as it stands: see [`float`].
    Float(&'a str),
    /// Text.
    Text(Text<'a>),
    /// The key of the value that follows.
    Key(Text<'a>),
    /// The start of an array.
    OpenArray,
    /// The start of an object.
    OpenObject,
    /// The end of an array or object.
    Close,
    /// The end of the input, behind the value.
    End,
}

#[derive(Debug, Clone, Copy)]
enum Expect {
    Value,
    ValueOrClose,
    KeyOrClose,
    Behind,
}

/// Reads JSON; what is open is a bit for each level.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: &'a str,
    at: usize,
    expect: Expect,
    depth: usize,
    objects: [u64; DEPTH_MAX.div_ceil(64)],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    ///
    /// # Errors
    ///
    /// [`Problem::InvalidUtf8`].
    pub fn new(body: &'a [u8]) -> Outcome<Self> {
        let input = std::str::from_utf8(body)
            .map_err(|error| Problem::InvalidUtf8.at(error.valid_up_to()))?;
        Ok(Self {
            input,
            at: 0,
            expect: Expect::Value,
            depth: 0,
            objects: [0; DEPTH_MAX.div_ceil(64)],
        })
    }

    /// The next byte's offset.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Reads on.
    ///
    /// # Errors
    ///
    /// If the input breaks the grammar, ends too early, or nests too deep.
    #[inline]
    pub fn next_event(&mut self) -> Outcome<Event<'a>> {
        let byte = self.skip_space();
        match (self.expect, byte) {
            (Expect::Behind, _) if self.depth == 0 => self.end(),
            (Expect::Behind, Some(b',')) => {
                self.at += 1;
                let byte = self.skip_space();
                match byte {
                    Some(b'"') if self.in_object() => self.key(),
                    Some(_) if self.in_object() => self.malformed("a key must follow a comma"),
                    Some(byte) => self.value(byte),
                    None => self.truncated(),
                }
            }
            (Expect::Behind | Expect::KeyOrClose, Some(b'}')) if self.in_object() => {
                Ok(self.close())
            }
            (Expect::Behind | Expect::ValueOrClose, Some(b']')) if !self.in_object() => {
                Ok(self.close())
            }
            (Expect::KeyOrClose, Some(b'"')) => self.key(),
            (Expect::Value | Expect::ValueOrClose, Some(byte)) => self.value(byte),
            (Expect::KeyOrClose, Some(_)) => self.malformed("a key or `}` must stand here"),
            (Expect::Behind, Some(_)) => self.malformed("a comma or the end must follow a value"),
            (_, None) => self.truncated(),
        }
    }

    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        let bytes = self.input.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline]
    fn in_object(&self) -> bool {
        // Depth 0 is asked only behind the value, where it is not looked at.
        let level = self.depth.wrapping_sub(1);
        let word = self.objects.get(level / 64).copied().unwrap_or(0);
        word >> (level % 64) & 1 == 1
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Outcome<Event<'a>> {
        self.expect = Expect::Behind;
        match byte {
            b'"' => self.string().map(Event::Text),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => self.open(true),
            b'[' => self.open(false),
            b't' => self.literal("true", Event::Bool(true)),
            b'f' => self.literal("false", Event::Bool(false)),
            b'n' => self.literal("null", Event::Null),
            b'N' | b'I' => self.malformed("NaN and Infinity are no JSON"),
            0xef => self.malformed("JSON has no byte order mark"),
            _ => self.malformed("no value starts like this"),
        }
    }

    #[inline]
    fn open(&mut self, is_object: bool) -> Outcome<Event<'a>> {
        if self.depth == DEPTH_MAX {
            return Err(Problem::TooDeep.at(self.at));
        }
        let (word, bit) = (self.depth / 64, 1 << (self.depth % 64));
        self.depth += 1;
        self.at += 1;
        if is_object {
            self.objects[word] |= bit;
            self.expect = Expect::KeyOrClose;
            return Ok(Event::OpenObject);
        }
        self.objects[word] &= !bit;
        self.expect = Expect::ValueOrClose;
        Ok(Event::OpenArray)
    }

    #[inline]
    fn close(&mut self) -> Event<'a> {
        self.at += 1;
        self.depth -= 1;
        self.expect = Expect::Behind;
        Event::Close
    }

    #[inline]
    fn key(&mut self) -> Outcome<Event<'a>> {
        let key = self.string()?;
        if self.skip_space() != Some(b':') {
            return self.malformed("a colon must follow a key");
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Event::Key(key))
    }

    #[inline]
    fn string(&mut self) -> Outcome<Text<'a>> {
        let start = self.at + 1;
        let mut escaped = false;
        let mut at = start;
        loop {
            let bytes = self.input.as_bytes();
            at += scan::plain(&bytes[at..]);
            match bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    let raw = &self.input[start..at];
                    return Ok(Text { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at += escape_bytes(&bytes[at..]).map_err(|problem| problem.at(at))?;
                }
                Some(_) => {
                    self.at = at;
                    return self.malformed("control characters must be escaped");
                }
                None => return Err(Problem::Truncated("text").at(self.at)),
            }
        }
    }

    #[inline]
    fn number(&mut self) -> Outcome<Event<'a>> {
        let bytes = self.input.as_bytes();
        let start = self.at;
        let negative = bytes[start] == b'-';
        let first = start + usize::from(negative);
        let mut at = first;
        let mut value = 0_i64;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            // Wraps only past 18 digits, where it is not used.
            value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            at += 1;
        }
        let digits = at - first;
        if digits == 0 {
            return self.malformed("a digit must stand here");
        }
        if digits > 1 && bytes[first] == b'0' {
            return self.malformed("a number has no leading zero");
        }
        if let Some(b'.' | b'e' | b'E') = bytes.get(at) {
            return self.fraction(start, at);
        }
        self.at = at;
        if digits > SHORT_DIGITS {
            return Ok(Event::LongInteger(&self.input[start..at]));
        }
        Ok(Event::Integer(if negative { -value } else { value }))
    }

    fn fraction(&mut self, start: usize, mut at: usize) -> Outcome<Event<'a>> {
        let bytes = self.input.as_bytes();
        if bytes[at] == b'.' {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
            at = self.digits(at + 1 + usize::from(signed))?;
        }
        self.at = at;
        Ok(Event::Float(&self.input[start..at]))
    }

    /// The end of the digits from `start` on; one at least.
    fn digits(&mut self, start: usize) -> Outcome<usize> {
        let bytes = self.input.as_bytes().get(start..).unwrap_or_default();
        let count = bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return Err(Problem::Malformed("a digit must stand here").at(start));
        }
        Ok(start + count)
    }

    #[inline]
    fn literal(&mut self, word: &'static str, event: Event<'a>) -> Outcome<Event<'a>> {
        if !self.input.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.malformed("no value starts like this");
        }
        self.at += word.len();
        Ok(event)
    }

    #[inline]
    fn end(&self) -> Outcome<Event<'a>> {
        match self.input.len() - self.at {
            0 => Ok(Event::End),
            bytes => Err(Problem::Trailing { bytes }.at(self.at)),
        }
    }

    #[cold]
    fn truncated(&self) -> Outcome<Event<'a>> {
        Err(Problem::Truncated("JSON value").at(self.at))
    }

    #[cold]
    fn malformed<T>(&self, what: &'static str) -> Outcome<T> {
        Err(Problem::Malformed(what).at(self.at))
    }
}

/// Reads the text of [`Event::Float`]; none if it is past what 64 bits hold.
#[inline]
pub fn float(text: &str) -> Option<f64> {
    // The grammar was checked, and is narrower than what is parsed here.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The length of the escape at the start of `bytes`.
fn escape_bytes(bytes: &[u8]) -> Result<usize, Problem> {
    match bytes.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match unit(bytes) {
            Some(0xd800..=0xdbff) => match unit(bytes.get(6..).unwrap_or_default()) {
                Some(0xdc00..=0xdfff) => Ok(12),
                _ => Err(Problem::Malformed(
                    "half of a surrogate pair is no character",
                )),
            },
            Some(0xdc00..=0xdfff) => Err(Problem::Malformed(
                "half of a surrogate pair is no character",
            )),
            Some(_) => Ok(6),
            None => Err(Problem::Malformed(
                "four hexadecimal digits must follow \\u",
            )),
        },
        _ => Err(Problem::Malformed("no escape is written like this")),
    }
}

/// The number of an escape `\uXXXX` at the start of `bytes`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.first_chunk::<6>()? else {
        return None;
    };
    let digit = |value: u32, byte: &u8| Some(value << 4 | char::from(*byte).to_digit(16)?);
    digits.iter().try_fold(0, digit)
}

/// Writes what the escape stands for whose backslash is in front of `behind`; gives the rest.
fn resolve<'a>(behind: &'a str, out: &mut Vec<u8>) -> &'a str {
    // The reader took the escape for valid, so its first byte is there, and is ASCII.
    let byte = match behind.as_bytes()[0] {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return resolve_unicode(behind, out),
        byte => byte,
    };
    out.push(byte);
    &behind[1..]
}

fn resolve_unicode<'a>(behind: &'a str, out: &mut Vec<u8>) -> &'a str {
    let at = |start: usize| u32::from_str_radix(&behind[start..start + 4], 16).unwrap_or(0);
    let (code, length) = match at(1) {
        high @ 0xd800..=0xdbff => (0x1_0000 + ((high - 0xd800) << 10) + (at(7) - 0xdc00), 11),
        code => (code, 5),
    };
    let mut buffer = [0; 4];
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    &behind[length..]
}
