//! Keys that come again: one `str` for all of them, with its hash.

use std::sync::{Mutex, MutexGuard};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::text;

/// Longest key that is kept, in bytes.
const KEY_BYTES_MAX: usize = 32;
/// Keys that are kept: a power of two.
const SLOTS: usize = 1024;

static KEPT: Mutex<[Option<Py<PyAny>>; SLOTS]> = Mutex::new([const { None }; SLOTS]);

/// The keys kept so far, for one message. A finalizer that decodes while another message is
/// being decoded, or another thread, finds them taken and goes without.
pub enum Keys {
    /// No key was asked for yet.
    Untouched,
    /// Ours for this message.
    Ours(MutexGuard<'static, [Option<Py<PyAny>>; SLOTS]>),
    /// Somebody else's for now.
    Taken,
}

impl Keys {
    #[cold]
    fn take(&mut self) {
        *self = KEPT.try_lock().map_or(Self::Taken, Self::Ours);
    }

    /// The `str` of a key; none for one that is not kept: long, or not ASCII. It stays kept until
    /// the next is asked for.
    #[inline]
    pub fn get<'a, 'py>(
        &'a mut self,
        py: Python<'py>,
        key: &[u8],
    ) -> Option<PyResult<&'a Bound<'py, PyAny>>> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return None;
        }
        if matches!(self, Self::Untouched) {
            self.take();
        }
        let Self::Ours(kept) = self else {
            return None;
        };
        let slot = &mut kept[slot_of(key)];
        if !slot.as_ref().is_some_and(|kept| is(kept, key)) {
            if !key.is_ascii() {
                return None;
            }
            match text::new_ascii(py, key) {
                // What was there is a `str`: letting go of it runs no code.
                Ok(made) => *slot = Some(made.unbind()),
                Err(error) => return Some(Err(error)),
            }
        }
        slot.as_ref().map(|kept| Ok(kept.bind(py)))
    }
}

/// The `str` of a name that comes again and again, such as that of a field.
///
/// # Errors
///
/// If there is no memory.
#[inline]
pub fn name<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    match Keys::Untouched.get(py, name.as_bytes()) {
        Some(kept) => kept.cloned(),
        None => Ok(PyString::new(py, name).into_any()),
    }
}

/// Whether a kept `str`, which is ASCII, is this key.
#[inline]
fn is(kept: &Py<PyAny>, key: &[u8]) -> bool {
    // SAFETY: only `str` objects of ASCII are kept, and those are never changed; their
    // characters are bytes, as many as the length says.
    let bytes = unsafe {
        let length = ffi::PyUnicode_GET_LENGTH(kept.as_ptr()).cast_unsigned();
        std::slice::from_raw_parts(ffi::PyUnicode_DATA(kept.as_ptr()).cast::<u8>(), length)
    };
    bytes.len() == key.len() && same(bytes, key)
}

/// Whether two short slices of one length are equal, eight bytes at a time.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    let (Some(one_last), Some(other_last)) = (one.last_chunk(), other.last_chunk()) else {
        return short(one) == short(other);
    };
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let (ones, others) = (one.as_chunks().0, other.as_chunks().0);
    word(one_last) == word(other_last) && ones.iter().map(word).eq(others.iter().map(word))
}

/// Of the first and last eight bytes and the length: cheap, and good enough for names.
#[allow(
    clippy::cast_possible_truncation,
    reason = "ten bits are left of the number"
)]
#[inline]
fn slot_of(key: &[u8]) -> usize {
    let (first, last) = match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (short(key), 0),
    };
    let mixed =
        (first ^ last.rotate_left(23) ^ key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - SLOTS.trailing_zeros())) as usize
}

/// Up to seven bytes as a number.
#[inline]
fn short(key: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << 32;
    }
    key.iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}
