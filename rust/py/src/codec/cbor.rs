//! CBOR.

use airssys_core::multicodec::Problem;
use airssys_core::multicodec::cbor::{self, Item, Owed, Reader};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt};

use super::fault::Outcome;
use super::keys::Keys;
use super::tree::{Tree, UNTIL_CLOSED};
use super::{text, walk};

/// Writes CBOR: lengths in front, numbers in their shortest form, floats in 64 bits.
pub struct Writer;

impl walk::Writer for Writer {
    const CODEC: &'static str = "cbor";
    const TEXT_KEYS: bool = false;

    #[inline]
    fn none(&mut self, out: &mut Vec<u8>) {
        out.push(cbor::NULL);
    }

    #[inline]
    fn bool(&mut self, value: bool, out: &mut Vec<u8>) {
        out.push(if value { cbor::TRUE } else { cbor::FALSE });
    }

    #[inline]
    fn integer(&mut self, value: i64, out: &mut Vec<u8>) {
        if value < 0 {
            // -1 - value, without overflow.
            cbor::head(out, cbor::NEGATIVE, (!value).cast_unsigned());
        } else {
            cbor::head(out, cbor::UNSIGNED, value.cast_unsigned());
        }
    }

    #[cold]
    fn long(&mut self, value: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Outcome<()> {
        let int = value.py().get_type::<PyInt>();
        let is_negative = value.lt(0)?;
        // The methods of int itself: a derived class may have others.
        let magnitude = if is_negative {
            int.call_method1("__invert__", (value,))?
        } else {
            int.call_method1("__add__", (value, 0))?
        };
        if let Ok(short) = magnitude.extract() {
            let major = if is_negative {
                cbor::NEGATIVE
            } else {
                cbor::UNSIGNED
            };
            cbor::head(out, major, short);
            return Ok(());
        }
        let bits: usize = magnitude.call_method0("bit_length")?.extract()?;
        let bytes = magnitude.call_method1("to_bytes", (bits.div_ceil(8), "big"))?;
        let bytes = bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes();
        let tag = if is_negative {
            cbor::TAG_BIG_NEGATIVE
        } else {
            cbor::TAG_BIG_POSITIVE
        };
        cbor::head(out, cbor::TAG, tag);
        cbor::head(out, cbor::BYTES, bytes.len() as u64);
        out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn float(&mut self, value: f64, out: &mut Vec<u8>) -> Outcome<()> {
        cbor::float(out, value);
        Ok(())
    }

    #[inline]
    fn text(&mut self, value: &str, out: &mut Vec<u8>) {
        cbor::head(out, cbor::TEXT, value.len() as u64);
        out.extend_from_slice(value.as_bytes());
    }

    #[inline]
    fn bytes(&mut self, value: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
        cbor::head(out, cbor::BYTES, value.len() as u64);
        out.extend_from_slice(value);
        Ok(())
    }

    #[inline]
    fn open(&mut self, is_map: bool, length: usize, out: &mut Vec<u8>) {
        let major = if is_map { cbor::MAP } else { cbor::ARRAY };
        cbor::head(out, major, length as u64);
    }

    #[inline]
    fn before(&mut self, _index: usize, _out: &mut Vec<u8>) {}

    #[inline]
    fn after_key(&mut self, _out: &mut Vec<u8>) {}

    #[inline]
    fn close(&mut self, _is_map: bool, _out: &mut Vec<u8>) {}
}

/// Makes the value of a CBOR body.
///
/// # Errors
///
/// If the body is not one well-formed item, or holds what has no form in Python.
pub fn decode<'py>(py: Python<'py>, body: &[u8]) -> Outcome<Bound<'py, PyAny>> {
    let mut decoder = Decoder {
        py,
        reader: Reader::new(body),
        owed: Owed::default(),
        tree: Tree::new(py),
        keys: Keys::Untouched,
    };
    decoder.run().map_err(|error| decoder.tree.place(error))
}

struct Decoder<'py, 'a> {
    py: Python<'py>,
    reader: Reader<'a>,
    owed: Owed,
    tree: Tree<'py>,
    keys: Keys,
}

/// Makes short scalars.
struct Make<'py> {
    py: Python<'py>,
    /// Where it starts.
    start: usize,
}

impl<'py> cbor::Small for Make<'py> {
    type Made = Outcome<Bound<'py, PyAny>>;

    #[inline]
    fn integer(self, value: i64) -> Self::Made {
        Ok(value
            .into_pyobject(self.py)
            .map_err(PyErr::from)?
            .into_any())
    }

    #[inline]
    fn text(self, text: &[u8]) -> Self::Made {
        text::new(self.py, text, self.start)
    }

    #[inline]
    fn bool(self, value: bool) -> Self::Made {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }

    #[inline]
    fn null(self) -> Self::Made {
        Ok(self.py.None().into_bound(self.py))
    }

    #[inline]
    fn float(self, value: f64) -> Self::Made {
        Ok(PyFloat::new(self.py, value).into_any())
    }
}

impl<'py> Decoder<'py, '_> {
    #[inline]
    fn run(&mut self) -> Outcome<Bound<'py, PyAny>> {
        loop {
            let key = if self.tree.wants_items() {
                self.items()?;
                None
            } else {
                self.pairs()?
            };
            if self.tree.is_full() {
                let value = self.tree.close()?;
                if let Some(value) = self.put(value)? {
                    self.reader.end()?;
                    return Ok(value);
                }
                continue;
            }
            let start = self.reader.offset();
            let item = self.reader.item()?;
            let value = if let Item::Array(_) | Item::Map(_) | Item::Break = item {
                if let Some(key) = key {
                    self.tree.key(key);
                }
                match self.container(item, start)? {
                    Some(value) => value,
                    None => continue,
                }
            } else {
                self.owed.paid(u64::from(self.tree.is_counted()));
                match key {
                    None => self.scalar(item, start)?,
                    Some(key) => {
                        self.pair(key, item, start)?;
                        if !self.tree.is_full() {
                            continue;
                        }
                        self.tree.close()?
                    }
                }
            };
            if let Some(value) = self.put(value)? {
                self.reader.end()?;
                return Ok(value);
            }
        }
    }

    /// Puts short scalars into a list, as long as those come next.
    #[inline]
    fn items(&mut self) -> Outcome<()> {
        let counted = u64::from(self.tree.is_counted());
        while !self.tree.is_full() {
            let made = Make {
                py: self.py,
                start: self.reader.offset(),
            };
            let Some(value) = self.reader.small(made) else {
                return Ok(());
            };
            self.owed.paid(counted);
            self.tree.item(value?)?;
        }
        Ok(())
    }

    /// Puts pairs of a few bytes of text and a short scalar, as long as those come next; gives
    /// the key of the first value that is something else.
    #[inline]
    fn pairs(&mut self) -> Outcome<Option<Bound<'py, PyAny>>> {
        while self.tree.wants_pair() {
            let Some(key) = self.reader.short_text() else {
                return Ok(None);
            };
            let counted = u64::from(self.tree.is_counted());
            self.owed.paid(counted);
            let start = self.reader.offset();
            let Some(kept) = self.keys.get(self.py, key) else {
                return text::new(self.py, key, start - key.len() - 1).map(Some);
            };
            let kept = kept?;
            match self.reader.small(Make { py: self.py, start }) {
                Some(value) => {
                    let value = value.inspect_err(|_| self.tree.key(kept.clone()))?;
                    self.owed.paid(counted);
                    self.tree.pair(kept, &value)?;
                }
                None => return Ok(Some(kept.clone())),
            }
        }
        Ok(None)
    }

    /// Puts a scalar under a key.
    #[inline]
    fn pair(&mut self, key: Bound<'py, PyAny>, item: Item<'_>, start: usize) -> Outcome<()> {
        match self.scalar(item, start) {
            Ok(value) => self.tree.pair(&key, &value),
            Err(error) => {
                // The error is to say where.
                self.tree.key(key);
                Err(error)
            }
        }
    }

    /// Opens or closes a container; gives one that is complete.
    #[inline]
    fn container(&mut self, item: Item<'_>, start: usize) -> Outcome<Option<Bound<'py, PyAny>>> {
        if let Item::Break = item {
            self.tree.may_close().map_err(|problem| problem.at(start))?;
            self.owed.paid(1);
            return self.tree.close().map(Some);
        }
        self.owed.paid(u64::from(self.tree.is_counted()));
        let missing = if let Item::Map(count) = item {
            let missing = self.claim(count, 2)?;
            self.tree.open_dict(missing, start)?;
            missing
        } else {
            let Item::Array(count) = item else {
                return Ok(None);
            };
            let missing = self.claim(count, 1)?;
            self.tree.open_list(missing, start)?;
            missing
        };
        if missing > 0 {
            return Ok(None);
        }
        self.tree.close().map(Some)
    }

    /// Puts a value, and the containers that it completes.
    #[inline]
    fn put(&mut self, mut value: Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyAny>>> {
        loop {
            if let Some(value) = self.tree.put(value)? {
                return Ok(Some(value));
            }
            if !self.tree.is_full() {
                return Ok(None);
            }
            value = self.tree.close()?;
        }
    }

    /// Announces the items of a container.
    #[inline]
    fn claim(&mut self, count: Option<u64>, items_each: u64) -> Outcome<u64> {
        let items = count.map_or(1, |count| count.saturating_mul(items_each));
        self.owed.claim(items, "a container", &self.reader)?;
        Ok(count.unwrap_or(UNTIL_CLOSED))
    }

    #[inline]
    fn scalar(&mut self, item: Item<'_>, start: usize) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match item {
            Item::Text(utf8) => text::new(py, utf8, start)?,
            Item::Unsigned(value) => unsigned(py, value)?,
            Item::Negative(value) => negative(py, value)?,
            Item::Float(value) => PyFloat::new(py, value).into_any(),
            Item::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
            Item::Null => py.None().into_bound(py),
            Item::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
            _ => self.seldom(item, start)?,
        })
    }

    #[cold]
    fn seldom(&mut self, item: Item<'_>, start: usize) -> Outcome<Bound<'py, PyAny>> {
        let mut joined = Vec::new();
        match item {
            Item::ByteChunks => {
                self.reader.chunks(false, &mut joined)?;
                Ok(PyBytes::new(self.py, &joined).into_any())
            }
            Item::TextChunks => {
                self.reader.chunks(true, &mut joined)?;
                text::new(self.py, &joined, start)
            }
            Item::Tag(cbor::TAG_BIG_POSITIVE) => self.big(false),
            Item::Tag(cbor::TAG_BIG_NEGATIVE) => self.big(true),
            Item::Tag(tag) => Err(no_form(format!("tag {tag}"), start)),
            Item::Simple(value) => Err(no_form(format!("simple value {value}"), start)),
            _ => Err(no_form("undefined".to_owned(), start)),
        }
    }

    fn big(&mut self, is_negative: bool) -> Outcome<Bound<'py, PyAny>> {
        let start = self.reader.offset();
        let mut joined = Vec::new();
        let bytes = match self.reader.item()? {
            Item::Bytes(bytes) => bytes,
            Item::ByteChunks => {
                self.reader.chunks(false, &mut joined)?;
                &joined
            }
            _ => {
                return Err(Problem::Malformed("a big integer is a byte string")
                    .at(start)
                    .into());
            }
        };
        let int = self.py.get_type::<PyInt>();
        let value = int.call_method1("from_bytes", (PyBytes::new(self.py, bytes), "big"))?;
        if is_negative {
            return Ok(value.call_method0("__invert__")?);
        }
        Ok(value)
    }
}

#[inline]
fn unsigned(py: Python<'_>, value: u64) -> Outcome<Bound<'_, PyAny>> {
    let int = match i64::try_from(value) {
        Ok(value) => value.into_pyobject(py),
        Err(_) => value.into_pyobject(py),
    };
    Ok(int.map_err(PyErr::from)?.into_any())
}

#[inline]
fn negative(py: Python<'_>, value: u64) -> Outcome<Bound<'_, PyAny>> {
    let int = match i64::try_from(value) {
        Ok(value) => (-1 - value).into_pyobject(py),
        Err(_) => (-1 - i128::from(value)).into_pyobject(py),
    };
    Ok(int.map_err(PyErr::from)?.into_any())
}

#[cold]
fn no_form(what: String, offset: usize) -> Box<crate::error::Error> {
    Problem::NoForm {
        what,
        codec: "Python",
    }
    .at(offset)
    .into()
}
