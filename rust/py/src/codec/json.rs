//! JSON.

use airssys_core::multicodec::Problem;
use airssys_core::multicodec::json::{self, Event, Reader, Text};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

use super::fault::{Outcome, no_form};
use super::keys::Keys;
use super::tree::{Tree, UNTIL_CLOSED};
use super::{text, walk};
use crate::error::Error;

/// Writes JSON without spaces, in UTF-8.
pub struct Writer;

impl walk::Writer for Writer {
    const CODEC: &'static str = "json";
    const TEXT_KEYS: bool = true;

    #[inline]
    fn none(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"null");
    }

    #[inline]
    fn bool(&mut self, value: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    #[inline]
    fn integer(&mut self, value: i64, out: &mut Vec<u8>) {
        json::integer(out, value);
    }

    #[cold]
    fn long(&mut self, value: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Outcome<()> {
        // The method of int itself: a derived class may have another.
        let digits = value
            .py()
            .get_type::<PyInt>()
            .call_method1("__repr__", (value,))
            .map_err(|error| too_long(value.py(), error, "json"))?;
        let digits = digits.cast::<PyString>().map_err(PyErr::from)?;
        out.extend_from_slice(text::utf8(digits, Self::CODEC)?.as_bytes());
        Ok(())
    }

    #[inline]
    fn float(&mut self, value: f64, out: &mut Vec<u8>) -> Outcome<()> {
        if !value.is_finite() {
            let what = if value.is_nan() { "NaN" } else { "an infinity" };
            return Err(no_form(what, Self::CODEC));
        }
        json::finite(out, value);
        Ok(())
    }

    #[inline]
    fn text(&mut self, value: &str, out: &mut Vec<u8>) {
        json::text(out, value);
    }

    #[cold]
    fn bytes(&mut self, _value: &[u8], _out: &mut Vec<u8>) -> Outcome<()> {
        Err(no_form("a value of type bytes", Self::CODEC))
    }

    #[inline]
    fn open(&mut self, is_map: bool, _length: usize, out: &mut Vec<u8>) {
        out.push(if is_map { b'{' } else { b'[' });
    }

    #[inline]
    fn before(&mut self, index: usize, out: &mut Vec<u8>) {
        if index > 0 {
            out.push(b',');
        }
    }

    #[inline]
    fn after_key(&mut self, out: &mut Vec<u8>) {
        out.push(b':');
    }

    #[inline]
    fn close(&mut self, is_map: bool, out: &mut Vec<u8>) {
        out.push(if is_map { b'}' } else { b']' });
    }
}

/// Makes the value of a JSON body.
///
/// # Errors
///
/// If the body is not JSON, or a number in it has no form in Python.
pub fn decode<'py>(py: Python<'py>, body: &[u8]) -> Outcome<Bound<'py, PyAny>> {
    let mut decoder = Decoder {
        py,
        reader: Reader::new(body)?,
        tree: Tree::new(py),
        keys: Keys::Untouched,
        scratch: Vec::new(),
    };
    decoder.run().map_err(|error| decoder.tree.place(error))
}

struct Decoder<'py, 'a> {
    py: Python<'py>,
    reader: Reader<'a>,
    tree: Tree<'py>,
    keys: Keys,
    scratch: Vec<u8>,
}

impl<'py> Decoder<'py, '_> {
    #[inline]
    fn run(&mut self) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        let mut whole = None;
        loop {
            let start = self.reader.offset();
            let value = match self.reader.next_event()? {
                Event::Key(key) => {
                    let key = self.key(key, start)?;
                    self.tree.key(key);
                    continue;
                }
                Event::Text(text) => self.text(text, start)?,
                Event::Integer(value) => value.into_pyobject(py).map_err(PyErr::from)?.into_any(),
                Event::Float(text) => float(py, text, start)?,
                Event::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
                Event::Null => py.None().into_bound(py),
                Event::OpenArray => {
                    self.tree.open_list(UNTIL_CLOSED, start)?;
                    continue;
                }
                Event::OpenObject => {
                    self.tree.open_dict(UNTIL_CLOSED, start)?;
                    continue;
                }
                Event::Close => self.tree.close()?,
                Event::LongInteger(digits) => long(py, digits, start)?,
                Event::End => break,
            };
            if let Some(value) = self.tree.put(value)? {
                whole = Some(value);
            }
        }
        // The reader ends only behind a value.
        whole.ok_or_else(|| Problem::Truncated("JSON value").into())
    }

    #[inline]
    fn key(&mut self, key: Text<'_>, start: usize) -> Outcome<Bound<'py, PyAny>> {
        if !key.escaped
            && let Some(key) = self.keys.get(self.py, key.raw.as_bytes())
        {
            return Ok(key?.clone());
        }
        self.text(key, start)
    }

    #[inline]
    fn text(&mut self, text: Text<'_>, start: usize) -> Outcome<Bound<'py, PyAny>> {
        if !text.escaped {
            return text::new(self.py, text.raw.as_bytes(), start);
        }
        self.scratch.clear();
        text.unescape(&mut self.scratch);
        text::new(self.py, &self.scratch, start)
    }
}

#[inline]
fn float<'py>(py: Python<'py>, text: &str, start: usize) -> Outcome<Bound<'py, PyAny>> {
    let Some(value) = json::float(text) else {
        let what = "a number past what a float holds".to_owned();
        let codec = "Python";
        return Err(Problem::NoForm { what, codec }.at(start).into());
    };
    Ok(PyFloat::new(py, value).into_any())
}

#[cold]
fn long<'py>(py: Python<'py>, digits: &str, start: usize) -> Outcome<Bound<'py, PyAny>> {
    let value = py.get_type::<PyInt>().call1((digits,));
    value.map_err(|error| match *too_long(py, error, "Python") {
        Error::Codec(mut error) => {
            error.offset = Some(start);
            error.into()
        }
        other => Box::new(other),
    })
}

/// Python bounds the digits it converts, because that takes quadratic time.
#[cold]
fn too_long(py: Python<'_>, error: PyErr, codec: &'static str) -> Box<Error> {
    if error.is_instance_of::<PyValueError>(py) {
        return no_form("an integer of more digits than Python converts", codec);
    }
    error.into()
}
