//! Bytes that Python hands in.

use airssys_core::multicodec::{Code, PREFIX_BYTES_MAX};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PySlice};
use pyo3::{Borrowed, ffi};

use super::fault::{Outcome, no_form};

/// The bytes of an argument. What can change under us is copied first: finalizers may
/// run while objects are made.
pub struct Input<'py>(Bound<'py, PyBytes>);

impl Input<'_> {
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Input<'py> {
    type Error = PyErr;

    #[inline]
    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Self(bytes.to_owned()));
        }
        copied(&value).map(Self)
    }
}

/// A copy of any object that has the buffer protocol.
#[cold]
fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if !is_buffer(value) {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "a bytes-like object is required, not {kind}"
        )));
    }
    // SAFETY: a new reference, or NULL with an exception set.
    unsafe {
        let bytes = ffi::PyBytes_FromObject(value.as_ptr());
        Ok(Bound::from_owned_ptr_or_err(value.py(), bytes)?.cast_into_unchecked())
    }
}

fn is_buffer(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: only asks whether the type has the buffer protocol.
    unsafe { ffi::PyObject_CheckBuffer(value.as_ptr()) != 0 }
}

/// Writes a value that is bytes already.
///
/// # Errors
///
/// If it is none.
pub fn write_bytes(codec: Code, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        out.extend_from_slice(bytes.as_bytes());
    } else if is_bytes_like(value) {
        out.extend_from_slice(copied(value)?.as_bytes());
    } else {
        let what = format!("a value of type {}", value.get_type().name()?);
        return Err(no_form(what, codec.name().unwrap_or("raw")));
    }
    Ok(())
}

/// Whether it is a `bytearray` or a `memoryview`.
pub fn is_bytes_like(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>()
}

/// A copy of a `bytearray` or a `memoryview`.
pub fn bytes_of<'py>(value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyBytes>> {
    copied(value).map_err(Into::into)
}

/// Shows `look` the start of the bytes, as far as a prefix reaches.
pub fn with_prefix<T>(value: &Bound<'_, PyAny>, look: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return Ok(look(&bytes[..bytes.len().min(PREFIX_BYTES_MAX)]));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        let start: Vec<u8> = (0..PREFIX_BYTES_MAX.min(bytes.len()))
            .map_while(|index| bytes.get_item(index).ok()?.extract().ok())
            .collect();
        return Ok(look(&start));
    }
    let view = PyMemoryView::from(value)?;
    let start = view.get_item(PySlice::new(
        value.py(),
        0,
        PREFIX_BYTES_MAX.cast_signed(),
        1,
    ))?;
    Ok(look(copied(&start)?.as_bytes()))
}

/// `bytes` of two parts.
pub fn joined<'py>(py: Python<'py>, first: &[u8], second: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let length = first.len() + second.len();
    // SAFETY: a fresh bytes object of this length has as many bytes to be filled, and all of
    // them are, before anybody else sees it.
    unsafe {
        let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length.cast_signed());
        let bytes = Bound::from_owned_ptr_or_err(py, bytes)?;
        let data = ffi::PyBytes_AS_STRING(bytes.as_ptr())
            .cast_mut()
            .cast::<u8>();
        std::ptr::copy_nonoverlapping(first.as_ptr(), data, first.len());
        std::ptr::copy_nonoverlapping(second.as_ptr(), data.add(first.len()), second.len());
        Ok(bytes.cast_into_unchecked())
    }
}

/// The part of a view from a byte on; the first nine are asked for again and again.
pub fn from_byte<'py>(
    view: &Bound<'py, PyMemoryView>,
    start: usize,
) -> PyResult<Bound<'py, PyAny>> {
    static PARTS: [PyOnceLock<Py<PySlice>>; PREFIX_BYTES_MAX + 1] =
        [const { PyOnceLock::new() }; PREFIX_BYTES_MAX + 1];
    let py = view.py();
    let part = || PySlice::new(py, start.cast_signed(), isize::MAX, 1).unbind();
    view.get_item(PARTS[start].get_or_init(py, part))
}
