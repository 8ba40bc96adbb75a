//! Borsh into Python values.

use std::cmp::Ordering;

use airssys_core::multicodec::Problem;
use airssys_core::multicodec::borsh::{Integer, Schema, Type};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PySet, PyString, PyTuple};

use super::super::fault::{Outcome, signals};
use super::super::{keys, text};
use super::schema::Borsh;
use super::{at_index, at_name, order, rooted};
use crate::error::Error;
use crate::runtime::Variant;

/// Items between two looks for signals.
const ITEMS_PER_LOOK: usize = 4096;

/// Makes the value of a body by its schema.
///
/// # Errors
///
/// If the body is not one value of it.
pub fn decode<'py>(py: Python<'py>, schema: &Borsh, body: &[u8]) -> Outcome<Bound<'py, PyAny>> {
    let mut reader = Reader { py, body, at: 0 };
    let value = reader.value(&schema.0).map_err(rooted)?;
    match body.len() - reader.at {
        0 => Ok(value),
        bytes => Err(Problem::Trailing { bytes }.at(reader.at).into()),
    }
}

struct Reader<'py, 'a> {
    py: Python<'py>,
    body: &'a [u8],
    at: usize,
}

impl<'py, 'a> Reader<'py, 'a> {
    fn value(&mut self, schema: &Schema) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        match schema.kind() {
            Type::Integer(integer) => self.integer(*integer),
            Type::F32 => {
                let number = f32::from_le_bytes(self.number()?);
                self.float(f64::from(number), 4)
            }
            Type::F64 => {
                let number = f64::from_le_bytes(self.number()?);
                self.float(number, 8)
            }
            Type::Bool => {
                let value = self.flag("a bool is 0 or 1")?;
                Ok(PyBool::new(py, value).to_owned().into_any())
            }
            Type::Unit => Ok(py.None().into_bound(py)),
            Type::Text => {
                let start = self.at;
                let utf8 = self.counted()?;
                text::new(py, utf8, start)
            }
            Type::Bytes => Ok(PyBytes::new(py, self.counted()?).into_any()),
            Type::ByteArray(length) => Ok(PyBytes::new(py, self.take(*length)?).into_any()),
            Type::List(item) => {
                let count = self.count(item.bytes_min())?;
                self.items(item, count)
            }
            Type::Array(item, length) => {
                self.room(*length, item.bytes_min(), self.at)?;
                self.items(item, *length)
            }
            Type::Option(some) => {
                if self.flag("the tag of an option is 0 or 1")? {
                    return self.value(some);
                }
                Ok(py.None().into_bound(py))
            }
            Type::Tuple(parts) => self.tuple(parts),
            Type::Struct(fields) => self.record(fields),
            Type::Enum(cases) => self.case(cases),
            Type::Map(key, item) => self.map(key, item),
            Type::Set(item) => self.set(item),
        }
    }

    fn take(&mut self, length: usize) -> Outcome<&'a [u8]> {
        let rest = &self.body[self.at..];
        match rest.get(..length) {
            Some(bytes) => {
                self.at += length;
                Ok(bytes)
            }
            None => Err(too_long(length, rest.len(), self.at)),
        }
    }

    fn number<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        match self.body[self.at..].first_chunk() {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => Err(Problem::Truncated("borsh value").at(self.at).into()),
        }
    }

    fn flag(&mut self, rule: &'static str) -> Outcome<bool> {
        match self.number()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [_] => Err(Problem::Malformed(rule).at(self.at - 1).into()),
        }
    }

    fn integer(&mut self, integer: Integer) -> Outcome<Bound<'py, PyAny>> {
        let py = self.py;
        let value = match (integer.bytes, integer.signed) {
            (1, false) => u8::from_le_bytes(self.number()?).into_pyobject(py),
            (1, true) => i8::from_le_bytes(self.number()?).into_pyobject(py),
            (2, false) => u16::from_le_bytes(self.number()?).into_pyobject(py),
            (2, true) => i16::from_le_bytes(self.number()?).into_pyobject(py),
            (4, false) => u32::from_le_bytes(self.number()?).into_pyobject(py),
            (4, true) => i32::from_le_bytes(self.number()?).into_pyobject(py),
            (8, false) => u64::from_le_bytes(self.number()?).into_pyobject(py),
            (8, true) => i64::from_le_bytes(self.number()?).into_pyobject(py),
            (_, false) => u128::from_le_bytes(self.number()?).into_pyobject(py),
            (_, true) => i128::from_le_bytes(self.number()?).into_pyobject(py),
        };
        Ok(value.map_err(PyErr::from)?.into_any())
    }

    fn float(&self, value: f64, bytes: usize) -> Outcome<Bound<'py, PyAny>> {
        if value.is_nan() {
            return Err(Problem::Malformed("borsh has no NaN")
                .at(self.at - bytes)
                .into());
        }
        Ok(PyFloat::new(self.py, value).into_any())
    }

    /// A count of items of at least `bytes_min` bytes, which the rest can hold.
    fn count(&mut self, bytes_min: usize) -> Outcome<usize> {
        let start = self.at;
        let count = u32::from_le_bytes(self.number()?);
        // Where usize is narrower, no input is long enough either.
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.room(count, bytes_min, start)?;
        Ok(count)
    }

    fn room(&self, count: usize, bytes_min: usize, start: usize) -> Outcome<()> {
        let left = self.body.len() - self.at;
        if count.saturating_mul(bytes_min) > left {
            return Err(too_long(count, left, start));
        }
        Ok(())
    }

    fn counted(&mut self) -> Outcome<&'a [u8]> {
        let length = self.count(1)?;
        self.take(length)
    }

    fn items(&mut self, item: &Schema, count: usize) -> Outcome<Bound<'py, PyAny>> {
        // The count was held against the bytes that are left.
        let mut items = Vec::with_capacity(count);
        for index in 0..count {
            if index % ITEMS_PER_LOOK == ITEMS_PER_LOOK - 1 {
                signals(self.py)?;
            }
            items.push(self.value(item).map_err(|error| at_index(error, index))?);
        }
        Ok(PyList::new(self.py, items)?.into_any())
    }

    fn tuple(&mut self, parts: &[Schema]) -> Outcome<Bound<'py, PyAny>> {
        let mut items = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            items.push(self.value(part).map_err(|error| at_index(error, index))?);
        }
        Ok(PyTuple::new(self.py, items)?.into_any())
    }

    fn record(&mut self, fields: &[(String, Schema)]) -> Outcome<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        for (name, field) in fields {
            let value = self.value(field).map_err(|error| at_name(error, name))?;
            dict.set_item(keys::name(self.py, name)?, value)?;
        }
        Ok(dict.into_any())
    }

    fn case(&mut self, cases: &[(String, Schema)]) -> Outcome<Bound<'py, PyAny>> {
        let [index] = self.number()?;
        let Some((name, payload)) = cases.get(usize::from(index)) else {
            let start = self.at - 1;
            return Err(Problem::Malformed("the enum has no case of this index")
                .at(start)
                .into());
        };
        if Schema::is_bare_enum(cases) {
            return Ok(PyString::intern(self.py, name).into_any());
        }
        let value = self.value(payload).map_err(|error| at_name(error, name))?;
        let (case, value) = (name.clone(), value.unbind());
        Ok(Bound::new(self.py, Variant { case, value })?.into_any())
    }

    fn map(&mut self, key: &Schema, item: &Schema) -> Outcome<Bound<'py, PyAny>> {
        let count = self.count(key.bytes_min().saturating_add(item.bytes_min()))?;
        let dict = PyDict::new(self.py);
        let mut last = None;
        for index in 0..count {
            let name = self.key(key, &mut last, index)?;
            let value = self
                .value(item)
                .map_err(|error| at_name(error, "{value}"))?;
            dict.set_item(name, value)?;
        }
        Ok(dict.into_any())
    }

    fn set(&mut self, item: &Schema) -> Outcome<Bound<'py, PyAny>> {
        let count = self.count(item.bytes_min())?;
        let set = PySet::empty(self.py)?;
        let mut last = None;
        for index in 0..count {
            set.add(self.key(item, &mut last, index)?)?;
        }
        Ok(set.into_any())
    }

    /// A key, which must come behind the last one.
    fn key(
        &mut self,
        key: &Schema,
        last: &mut Option<Vec<u8>>,
        index: usize,
    ) -> Outcome<Bound<'py, PyAny>> {
        if index % ITEMS_PER_LOOK == ITEMS_PER_LOOK - 1 {
            signals(self.py)?;
        }
        let start = self.at;
        let value = self.value(key).map_err(|error| at_name(error, "{key}"))?;
        let order = order(key, &self.body[start..self.at]);
        let compared = last.as_ref().map(|before| before.cmp(&order));
        *last = Some(order);
        match compared {
            Some(Ordering::Equal) => Err(Problem::DuplicateKey.at(start).into()),
            Some(Ordering::Greater) => {
                Err(Problem::Malformed("keys must be sorted").at(start).into())
            }
            _ => Ok(value),
        }
    }
}

#[cold]
fn too_long(claimed: usize, left: usize, start: usize) -> Box<Error> {
    let claimed = claimed as u64;
    Problem::LengthPastEnd {
        what: "a length",
        claimed,
        left,
    }
    .at(start)
    .into()
}
