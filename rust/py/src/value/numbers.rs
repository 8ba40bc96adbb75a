//! Numbers: strict ranges, and whole buffers at once.

use super::mismatch::{Mismatch, Outcome};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt};

/// A number type of WIT.
pub trait Number: Element + Copy {
    /// Its name in WIT.
    const NAME: &'static str;

    /// Takes one number, with its range checked.
    ///
    /// # Errors
    ///
    /// If the value is no number of this kind or out of its range.
    fn take(value: &Bound<'_, PyAny>) -> Outcome<Self>;
}

macro_rules! integers {
    ($($type:ty => $name:literal),*) => {$(
        impl Number for $type {
            const NAME: &'static str = $name;

            #[inline]
            fn take(value: &Bound<'_, PyAny>) -> Outcome<$type> {
                if let Ok(int) = value.cast_exact::<PyInt>() {
                    return int.extract().map_err(|_| Mismatch::unfit(value, $name));
                }
                take_index(value, $name)
            }
        }
    )*};
}

integers!(u8 => "u8", i8 => "s8", u16 => "u16", i16 => "s16", u32 => "u32", i32 => "s32", u64 => "u64", i64 => "s64");

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
    value.extract().map_err(|_| Mismatch::unfit(value, name))
}

impl Number for f64 {
    const NAME: &'static str = "f64";

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

    #[inline]
    fn take(value: &Bound<'_, PyAny>) -> Outcome<f32> {
        let wide = match value.cast_exact::<PyFloat>() {
            Ok(float) => float.value(),
            Err(_) => take_float(value, Self::NAME)?,
        };
        #[allow(clippy::cast_possible_truncation, reason = "rounding is what f32 means")]
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
    value.extract().map_err(|_| Mismatch::unfit(value, name))
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
    let wrong = |_| Mismatch::wrong_type(value, &format!("a buffer of {}", T::NAME));
    let buffer = PyBuffer::<T>::get(value).map_err(wrong)?;
    if buffer.dimensions() != 1 {
        return Err(Mismatch::wrong_type(value, "a buffer of one dimension"));
    }
    buffer.to_vec(value.py()).map(Some).map_err(wrong)
}
