//! `str` from UTF-8, and UTF-8 from `str`.

use airssys_core::multicodec::Problem;
use pyo3::ffi;
use pyo3::prelude::*;

use super::fault::{Outcome, no_form};

/// Makes a `str`.
///
/// # Errors
///
/// [`Problem::InvalidUtf8`], at the offset given.
#[inline]
pub fn new<'py>(py: Python<'py>, utf8: &[u8], offset: usize) -> Outcome<Bound<'py, PyAny>> {
    if utf8.is_ascii() {
        return Ok(new_ascii(py, utf8)?);
    }
    if std::str::from_utf8(utf8).is_err() {
        return Err(Problem::InvalidUtf8.at(offset).into());
    }
    // SAFETY: the pointer and the length are those of one slice; what comes back is a new
    // reference, or NULL with an exception set.
    unsafe {
        let text = ffi::PyUnicode_DecodeUTF8(
            utf8.as_ptr().cast(),
            utf8.len().cast_signed(),
            std::ptr::null(),
        );
        Ok(Bound::from_owned_ptr_or_err(py, text)?)
    }
}

/// Makes a `str` of bytes that are known to be ASCII.
#[inline]
pub fn new_ascii<'py>(py: Python<'py>, ascii: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a fresh `str` of this length whose characters fit one byte has exactly so many
    // bytes to be filled, and nobody else has seen it. The empty one is shared, and nothing
    // is written into it.
    unsafe {
        let text = ffi::PyUnicode_New(ascii.len().cast_signed(), 127);
        let text = Bound::from_owned_ptr_or_err(py, text)?;
        let data = ffi::PyUnicode_DATA(text.as_ptr()).cast::<u8>();
        std::ptr::copy_nonoverlapping(ascii.as_ptr(), data, ascii.len());
        Ok(text)
    }
}

/// The UTF-8 of a `str`, which lives as long as it.
///
/// # Errors
///
/// If it holds half a surrogate pair, which no codec can carry.
#[inline]
pub fn utf8<'a>(text: &'a Bound<'_, PyAny>, codec: &'static str) -> Outcome<&'a str> {
    let mut length = 0;
    // SAFETY: the caller has looked that it is a `str`; the bytes are valid UTF-8 and belong to
    // the object, which is borrowed for as long.
    unsafe {
        let data = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if data.is_null() {
            return Err(unencodable(text.py(), codec));
        }
        let bytes = std::slice::from_raw_parts(data.cast::<u8>(), length.cast_unsigned());
        Ok(std::str::from_utf8_unchecked(bytes))
    }
}

#[cold]
fn unencodable(py: Python<'_>, codec: &'static str) -> Box<crate::error::Error> {
    let error = PyErr::fetch(py);
    if error.is_instance_of::<pyo3::exceptions::PyUnicodeEncodeError>(py) {
        return no_form("text with half of a surrogate pair", codec);
    }
    error.into()
}
