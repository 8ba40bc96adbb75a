//! Numbers: strict ranges, and whole buffers at once.

use super::mismatch::{Mismatch, Outcome};
use pyo3::buffer::{Element, ElementType, PyUntypedBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyMemoryView};
use std::ffi::CStr;

/// A number type of WIT.
pub trait Number: Element + Copy {
    /// Its name in WIT.
    const NAME: &'static str;
    /// What a buffer of it has for elements.
    const ELEMENT: ElementType;

    /// One number of the bytes that a buffer has for it.
    fn of_bytes(bytes: &[u8]) -> Self;

    /// Takes one number, with its range checked.
    ///
    /// # Errors
    ///
    /// If the value is no number of this kind or out of its range.
    fn take(value: &Bound<'_, PyAny>) -> Outcome<Self>;
}

macro_rules! in_buffers {
    ($element:ident) => {
        const ELEMENT: ElementType = ElementType::$element {
            bytes: size_of::<Self>(),
        };

        fn of_bytes(bytes: &[u8]) -> Self {
            // A buffer is cut into pieces of this very size.
            bytes
                .try_into()
                .map_or_else(|_| Self::default(), Self::from_ne_bytes)
        }
    };
}

macro_rules! integers {
    ($($element:ident: $($type:ty => $name:literal),*;)*) => {$($(
        impl Number for $type {
            const NAME: &'static str = $name;
            in_buffers!($element);

            #[inline]
            fn take(value: &Bound<'_, PyAny>) -> Outcome<$type> {
                if let Ok(int) = value.cast_exact::<PyInt>() {
                    return int.extract().map_err(|_| Mismatch::unfit(value, $name));
                }
                take_index(value, $name)
            }
        }
    )*)*};
}

integers! {
    UnsignedInteger: u8 => "u8", u16 => "u16", u32 => "u32", u64 => "u64";
    SignedInteger: i8 => "s8", i16 => "s16", i32 => "s32", i64 => "s64";
}

// Other integer types (numpy's, an IntEnum) count; bool does not, though
// Python derives it from int.
#[cold]
fn take_index<'py, T>(value: &Bound<'py, PyAny>, name: &str) -> Outcome<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    if value.is_instance_of::<PyBool>() || !value.hasattr("__index__").unwrap_or(false) {
        return Err(Mismatch::wrong_type(value, name));
    }
    let index = value
        .call_method0("__index__")
        .map_err(|error| Mismatch::raised(value, name, error))?;
    index.extract().map_err(|_| Mismatch::unfit(value, name))
}

impl Number for f64 {
    const NAME: &'static str = "f64";
    in_buffers!(Float);

    #[inline]
    fn take(value: &Bound<'_, PyAny>) -> Outcome<f64> {
        if let Ok(float) = value.cast_exact::<PyFloat>() {
            return Ok(float.value());
        }
        take_float(value, Self::NAME)
    }
}

impl Number for f32 {
    const NAME: &'static str = "f32";
    in_buffers!(Float);

    #[inline]
    fn take(value: &Bound<'_, PyAny>) -> Outcome<f32> {
        let wide = match value.cast_exact::<PyFloat>() {
            Ok(float) => float.value(),
            Err(_) => take_float(value, Self::NAME)?,
        };
        #[allow(
            clippy::cast_possible_truncation,
            reason = "rounding is what f32 means"
        )]
        let narrow = wide as f32;
        if narrow.is_infinite() && wide.is_finite() {
            return Err(Mismatch::unfit(value, Self::NAME));
        }
        Ok(narrow)
    }
}

#[cold]
fn take_float(value: &Bound<'_, PyAny>, name: &str) -> Outcome<f64> {
    let number = value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>();
    if value.is_instance_of::<PyBool>() || !(number || has_float(value)) {
        return Err(Mismatch::wrong_type(value, name));
    }
    value
        .extract()
        .map_err(|error| Mismatch::raised(value, name, error))
}

fn has_float(value: &Bound<'_, PyAny>) -> bool {
    value.hasattr("__float__").unwrap_or(false)
}

/// Takes a whole buffer (array, numpy, memoryview) of exactly this number
/// type, or `None` if the value is no buffer.
///
/// # Errors
///
/// If it is a buffer of something else.
pub fn take_buffer<T: Number>(value: &Bound<'_, PyAny>) -> Outcome<Option<Vec<T>>> {
    // SAFETY: only asks whether the type has the buffer protocol.
    if unsafe { pyo3::ffi::PyObject_CheckBuffer(value.as_ptr()) } == 0 {
        return Ok(None);
    }
    let wrong = || Mismatch::wrong_type(value, &format!("a buffer of {}", T::NAME));
    let buffer = untyped(value).map_err(|_| wrong())?;
    let format = buffer.format();
    if ElementType::from_format(format) != T::ELEMENT || swapped(format) {
        return Err(wrong());
    }
    if buffer.dimensions() != 1 {
        return Err(Mismatch::wrong_type(value, "a buffer of one dimension"));
    }
    let numbers = match buffer.as_typed::<T>() {
        Ok(typed) => typed.to_vec(value.py()),
        Err(_) => unaligned(value),
    };
    numbers.map(Some).map_err(|_| wrong())
}

// Some exporters, ctypes among them, leave out what a memoryview fills in.
fn untyped(value: &Bound<'_, PyAny>) -> PyResult<PyUntypedBuffer> {
    PyUntypedBuffer::get(value)
        .or_else(|_| PyUntypedBuffer::get(PyMemoryView::from(value)?.as_any()))
}

/// Whether the format says that the bytes are in the other order than ours.
fn swapped(format: &CStr) -> bool {
    match format.to_bytes().first() {
        Some(b'<') => cfg!(target_endian = "big"),
        Some(b'>' | b'!') => cfg!(target_endian = "little"),
        _ => false,
    }
}

// Numbers at odd addresses, an empty array's among them, and formats that spell
// out our own byte order.
#[cold]
fn unaligned<T: Number>(value: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let view = PyMemoryView::from(value)?;
    let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
    Ok(bytes
        .as_bytes()
        .chunks_exact(size_of::<T>())
        .map(T::of_bytes)
        .collect())
}
