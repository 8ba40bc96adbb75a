//! Kinds of values that have lanes.

#![allow(clippy::needless_lifetimes, reason = "spelled as in the traits")]

use crate::value::{Number, Outcome, blob, boolean, numbers, text};
use airssys_host::instance::Weigh;
use airssys_host::wasmtime::component::{Lift, Lower};
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::borrow::Cow;

/// A parameter with a lane: taken from Python, then borrowed for the guest.
pub(super) trait Param: 'static {
    /// Whether dynamic values would carry it piece by piece.
    const BULK: bool;
    type Taken<'a>: Send + Sync;
    type Rust<'a>: Lower + Weigh + Send + Sync;

    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Self::Taken<'a>>;
    fn lend<'a>(taken: &'a Self::Taken<'_>) -> Self::Rust<'a>;
    /// The same, for a call that outlives the arguments.
    fn own(taken: Self::Taken<'_>) -> Self::Taken<'static>;
}

/// A result with a lane.
pub(super) trait Give: 'static {
    /// As for [`Param`].
    const BULK: bool;
    type Rust: Lift + Weigh + Send + Sync + 'static;

    fn give(py: Python<'_>, value: Self::Rust) -> PyResult<Bound<'_, PyAny>>;
}

/// `bool`.
pub(super) struct Flag;
/// `string`.
pub(super) struct Text;
/// `list<u8>`.
pub(super) struct Blob;
/// A list of numbers.
pub(super) struct Numbers<T>(T);
/// No result.
pub(super) struct Unit;

macro_rules! scalar {
    ($($type:ty)*) => {$(
        impl Param for $type {
            const BULK: bool = false;
            type Taken<'a> = $type;
            type Rust<'a> = $type;

            #[inline]
            fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<$type> {
                Number::take(value)
            }

            #[inline]
            fn lend<'a>(taken: &'a $type) -> $type {
                *taken
            }

            fn own(taken: $type) -> $type {
                taken
            }
        }

        impl Give for $type {
            const BULK: bool = false;
            type Rust = $type;

            #[inline]
            fn give(py: Python<'_>, value: $type) -> PyResult<Bound<'_, PyAny>> {
                value.into_bound_py_any(py)
            }
        }
    )*};
}

scalar!(u32 i32 u64 i64 f32 f64);

impl Param for Flag {
    const BULK: bool = false;
    type Taken<'a> = bool;
    type Rust<'a> = bool;

    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<bool> {
        boolean(value)
    }

    fn lend<'a>(taken: &'a bool) -> bool {
        *taken
    }

    fn own(taken: bool) -> bool {
        taken
    }
}

impl Give for Flag {
    const BULK: bool = false;
    type Rust = bool;

    fn give(py: Python<'_>, value: bool) -> PyResult<Bound<'_, PyAny>> {
        value.into_bound_py_any(py)
    }
}

impl Param for Text {
    const BULK: bool = true;
    type Taken<'a> = Cow<'a, str>;
    type Rust<'a> = &'a str;

    #[inline]
    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Cow<'a, str>> {
        text(value).map(Cow::Borrowed)
    }

    #[inline]
    fn lend<'a>(taken: &'a Cow<'_, str>) -> &'a str {
        taken
    }

    fn own(taken: Cow<'_, str>) -> Cow<'static, str> {
        Cow::Owned(taken.into_owned())
    }
}

impl Give for Text {
    const BULK: bool = true;
    type Rust = String;

    fn give(py: Python<'_>, value: String) -> PyResult<Bound<'_, PyAny>> {
        value.into_bound_py_any(py)
    }
}

// Only `bytes` is lent as it is: anything else can change while another
// thread runs during the call.
impl Param for Blob {
    const BULK: bool = true;
    type Taken<'a> = Cow<'a, [u8]>;
    type Rust<'a> = &'a [u8];

    #[inline]
    fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Cow<'a, [u8]>> {
        match value.cast::<PyBytes>() {
            Ok(bytes) => Ok(Cow::Borrowed(bytes.as_bytes())),
            Err(_) => blob(value).map(Cow::Owned),
        }
    }

    #[inline]
    fn lend<'a>(taken: &'a Cow<'_, [u8]>) -> &'a [u8] {
        taken
    }

    fn own(taken: Cow<'_, [u8]>) -> Cow<'static, [u8]> {
        Cow::Owned(taken.into_owned())
    }
}

impl Give for Blob {
    const BULK: bool = true;
    type Rust = Vec<u8>;

    #[inline]
    fn give(py: Python<'_>, value: Vec<u8>) -> PyResult<Bound<'_, PyAny>> {
        Ok(PyBytes::new(py, &value).into_any())
    }
}

macro_rules! number_lists {
    ($($type:ty)*) => {$(
        impl Param for Numbers<$type> {
            const BULK: bool = true;
            type Taken<'a> = Vec<$type>;
            type Rust<'a> = &'a [$type];

            fn take<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<Vec<$type>> {
                numbers(value)
            }

            fn lend<'a>(taken: &'a Vec<$type>) -> &'a [$type] {
                taken
            }

            fn own(taken: Vec<$type>) -> Vec<$type> {
                taken
            }
        }

        impl Give for Numbers<$type> {
            const BULK: bool = true;
            type Rust = Vec<$type>;

            fn give(py: Python<'_>, value: Vec<$type>) -> PyResult<Bound<'_, PyAny>> {
                value.into_bound_py_any(py)
            }
        }
    )*};
}

number_lists!(i8 u16 i16 u32 i32 u64 i64 f32 f64);

/// A value that Python returns to a guest.
pub(super) trait Keep: 'static {
    type Rust: Lower + Weigh + Send + Sync + 'static;

    fn keep(value: &Bound<'_, PyAny>) -> Outcome<Self::Rust>;
}

macro_rules! keep_scalar {
    ($($type:ty)*) => {$(
        impl Keep for $type {
            type Rust = $type;

            fn keep(value: &Bound<'_, PyAny>) -> Outcome<$type> {
                Number::take(value)
            }
        }
    )*};
}

keep_scalar!(u32 i32 u64 i64 f32 f64);

impl Keep for Flag {
    type Rust = bool;

    fn keep(value: &Bound<'_, PyAny>) -> Outcome<bool> {
        boolean(value)
    }
}

impl Keep for Text {
    type Rust = String;

    fn keep(value: &Bound<'_, PyAny>) -> Outcome<String> {
        text(value).map(str::to_owned)
    }
}

impl Keep for Blob {
    type Rust = Vec<u8>;

    fn keep(value: &Bound<'_, PyAny>) -> Outcome<Vec<u8>> {
        blob(value)
    }
}
