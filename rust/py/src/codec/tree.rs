//! Puts together what a reader finds: lists, dicts, and at last one value.

use airssys_core::multicodec::{DEPTH_MAX, Path, Problem, Step};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use smallvec::SmallVec;

use super::fault::{self, Outcome, signals};
use super::walk::shown_key;
use crate::error::Error;

/// A look for signals is taken whenever the values that still come are a multiple of this.
const VALUES_PER_LOOK: u64 = 4096;

/// Values for whose pointers there is room at once, whatever a count claims.
const VALUES_RESERVED_MAX: u64 = 64;

/// Values that still come in a container that its reader closes.
pub const UNTIL_CLOSED: u64 = u64::MAX;

enum Kind<'py> {
    /// Outside of all containers.
    Root,
    List,
    Dict(Bound<'py, PyDict>),
}

/// A container whose items are being read.
struct Frame<'py> {
    kind: Kind<'py>,
    /// The key of the value that comes next.
    key: Option<Bound<'py, PyAny>>,
    /// Values that still come, keys not counted.
    missing: u64,
    /// Whether a count announced them.
    counted: bool,
    /// Whether it is a key or a part of one.
    in_key: bool,
    /// Where the items of a list start among the values.
    start: usize,
    /// Pairs put into the dict.
    pairs: usize,
    /// The offset of its head.
    offset: usize,
}

/// Values under construction.
pub struct Tree<'py> {
    py: Python<'py>,
    top: Frame<'py>,
    outer: SmallVec<[Frame<'py>; 4]>,
    /// The items of the lists that are open.
    values: SmallVec<[Bound<'py, PyAny>; 16]>,
}

impl<'py> Tree<'py> {
    #[inline]
    pub fn new(py: Python<'py>) -> Self {
        let root = Frame {
            kind: Kind::Root,
            key: None,
            missing: 1,
            counted: false,
            in_key: false,
            start: 0,
            pairs: 0,
            offset: 0,
        };
        Self {
            py,
            top: root,
            outer: SmallVec::new(),
            values: SmallVec::new(),
        }
    }

    /// Whether a key must come next.
    #[inline]
    pub fn wants_key(&self) -> bool {
        matches!(self.top.kind, Kind::Dict(_)) && self.top.key.is_none()
    }

    /// Whether a pair may come next.
    #[inline]
    pub fn wants_pair(&self) -> bool {
        self.wants_key() && self.top.missing > 0
    }

    /// Whether the innermost container is a list.
    #[inline]
    pub fn wants_items(&self) -> bool {
        matches!(self.top.kind, Kind::List)
    }

    /// Opens a list.
    ///
    /// # Errors
    ///
    /// If it is too deep.
    #[inline]
    pub fn open_list(&mut self, missing: u64, offset: usize) -> Outcome<()> {
        let in_key = self.top.in_key || self.wants_key();
        let room = missing.min(VALUES_RESERVED_MAX);
        // At most 64, so nothing is cut off.
        self.values
            .reserve(usize::try_from(room).unwrap_or_default());
        self.open(Kind::List, missing, in_key, offset)
    }

    /// Opens a dict.
    ///
    /// # Errors
    ///
    /// If it is too deep, or would have to be a key.
    #[inline]
    pub fn open_dict(&mut self, missing: u64, offset: usize) -> Outcome<()> {
        if self.top.in_key || self.wants_key() {
            let what = "a map as a key".to_owned();
            return Err(Problem::NoForm {
                what,
                codec: "Python",
            }
            .at(offset)
            .into());
        }
        let dict = new_dict(self.py, missing)?;
        self.open(Kind::Dict(dict), missing, false, offset)
    }

    #[inline]
    fn open(&mut self, kind: Kind<'py>, missing: u64, in_key: bool, offset: usize) -> Outcome<()> {
        // The root is among the outer ones as soon as something is open.
        if self.outer.len() == DEPTH_MAX {
            return Err(Problem::TooDeep.at(offset).into());
        }
        let frame = Frame {
            kind,
            key: None,
            missing,
            counted: missing != UNTIL_CLOSED,
            in_key,
            start: self.values.len(),
            pairs: 0,
            offset,
        };
        self.outer.push(std::mem::replace(&mut self.top, frame));
        Ok(())
    }

    /// Sets the key of the value that comes next.
    #[inline]
    pub fn key(&mut self, key: Bound<'py, PyAny>) {
        self.top.key = Some(key);
    }

    /// Whether the last item of the innermost container was read.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.top.missing == 0
    }

    /// Whether the next value was announced by a count.
    #[inline]
    pub fn is_counted(&self) -> bool {
        self.top.counted
    }

    /// Puts a value where it belongs; gives it back if it is the outermost one.
    ///
    /// # Errors
    ///
    /// If a signal handler raises, or there is no memory.
    #[inline]
    pub fn put(&mut self, value: Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyAny>>> {
        match &self.top.kind {
            Kind::List => self.item(value).map(|()| None),
            Kind::Dict(_) => {
                let Some(key) = self.top.key.take() else {
                    self.top.key = Some(value);
                    return Ok(None);
                };
                self.pair(&key, &value).map(|()| None)
            }
            Kind::Root => Ok(Some(value)),
        }
    }

    /// Puts a value into the innermost container, which is a list.
    ///
    /// # Errors
    ///
    /// If a signal handler raises.
    #[inline]
    pub fn item(&mut self, value: Bound<'py, PyAny>) -> Outcome<()> {
        self.values.push(value);
        self.count_down()
    }

    /// Puts a value under a key into the innermost container, which is a dict.
    ///
    /// # Errors
    ///
    /// If a signal handler raises, or there is no memory.
    #[inline]
    pub fn pair(&mut self, key: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Outcome<()> {
        if let Kind::Dict(dict) = &self.top.kind {
            set(dict, key, value)?;
        }
        self.top.pairs += 1;
        self.count_down()
    }

    /// Counts a value of a container; one that its reader closes counts down from so far that
    /// it never gets to the end.
    #[inline]
    fn count_down(&mut self) -> Outcome<()> {
        self.top.missing -= 1;
        if self.top.missing.is_multiple_of(VALUES_PER_LOOK) && self.top.missing > 0 {
            signals(self.py)?;
        }
        Ok(())
    }

    /// Whether the innermost container may be closed by its reader.
    pub fn may_close(&self) -> Result<(), Problem> {
        if self.top.counted || matches!(self.top.kind, Kind::Root) {
            return Err(Problem::Malformed("a break ends nothing"));
        }
        if self.top.key.is_some() {
            return Err(Problem::Malformed("a key has no value"));
        }
        Ok(())
    }

    /// Closes the innermost container and gives it.
    ///
    /// # Errors
    ///
    /// If a key of it stood twice, or there is no memory.
    #[inline]
    pub fn close(&mut self) -> Outcome<Bound<'py, PyAny>> {
        let Some(outer) = self.outer.pop() else {
            return Err(Problem::Malformed("a break ends nothing").into());
        };
        let inner = std::mem::replace(&mut self.top, outer);
        let Kind::Dict(dict) = inner.kind else {
            return self.list(inner.start, inner.in_key);
        };
        if dict.len() != inner.pairs {
            return Err(Problem::DuplicateKey.at(inner.offset).into());
        }
        Ok(dict.into_any())
    }

    /// Makes a list of the values from `start` on; a tuple where it is a key.
    #[inline]
    fn list(&mut self, start: usize, in_key: bool) -> Outcome<Bound<'py, PyAny>> {
        let items = self.values.drain(start..);
        if in_key {
            return Ok(PyTuple::new(self.py, items)?.into_any());
        }
        // SAFETY: a fresh list of this length has as many places, and each is filled with a
        // reference of its own before anybody else sees the list.
        unsafe {
            let list = ffi::PyList_New(items.len().cast_signed());
            let list = Bound::from_owned_ptr_or_err(self.py, list)?;
            for (index, item) in items.enumerate() {
                ffi::PyList_SET_ITEM(list.as_ptr(), index.cast_signed(), item.into_ptr());
            }
            Ok(list)
        }
    }

    /// The same error, at the place that is being read.
    #[cold]
    pub fn place(&self, error: Box<Error>) -> Box<Error> {
        if !matches!(*error, Error::Codec(_)) {
            return error;
        }
        let frames: Vec<_> = self.outer.iter().chain([&self.top]).skip(1).collect();
        let keys: Vec<_> = frames
            .iter()
            .map(|frame| frame.key.as_ref().map(shown_key))
            .collect();
        let ends = frames.iter().skip(1).map(|frame| frame.start);
        let ends = ends.chain([self.values.len()]);
        let steps: Vec<_> = frames
            .iter()
            .zip(&keys)
            .zip(ends)
            .filter_map(|((frame, key), end)| match (key, &frame.kind) {
                (Some((key, true)), _) => Some(Step::Key(key)),
                (Some((key, false)), _) => Some(Step::OtherKey(key)),
                (None, Kind::List) => Some(Step::Index(end - frame.start)),
                (None, _) => None,
            })
            .collect();
        fault::within(error, Path::of(&steps))
    }
}

/// Pairs that a new dict holds before it grows.
#[cfg(not(Py_3_15))]
const PAIRS_AT_FIRST: u64 = 5;

/// Most pairs that a dict gets room for because a count claims them.
#[cfg(not(Py_3_15))]
const PAIRS_RESERVED_MAX: u64 = 256;

/// A dict with room for `pairs`, within reason.
#[cfg(not(Py_3_15))]
#[inline]
fn new_dict(py: Python<'_>, pairs: u64) -> PyResult<Bound<'_, PyDict>> {
    unsafe extern "C" {
        // Exported, in the public headers, up to Python 3.14.
        fn _PyDict_NewPresized(pairs: ffi::Py_ssize_t) -> *mut ffi::PyObject;
    }
    if pairs <= PAIRS_AT_FIRST || pairs == UNTIL_CLOSED {
        return Ok(PyDict::new(py));
    }
    // At most 256, so nothing is cut off.
    let pairs = isize::try_from(pairs.min(PAIRS_RESERVED_MAX)).unwrap_or_default();
    // SAFETY: a new reference to a dict, or NULL with an exception set.
    unsafe {
        let dict = _PyDict_NewPresized(pairs);
        Ok(Bound::from_owned_ptr_or_err(py, dict)?.cast_into_unchecked())
    }
}

/// A dict; it grows as pairs come.
#[cfg(Py_3_15)]
#[inline]
fn new_dict(py: Python<'_>, _pairs: u64) -> PyResult<Bound<'_, PyDict>> {
    Ok(PyDict::new(py))
}

#[inline]
fn set<'py>(
    dict: &Bound<'py, PyDict>,
    key: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<()> {
    // SAFETY: three objects that are alive; the dict takes references of its own.
    let failed = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
    if failed < 0 {
        return Err(PyErr::fetch(dict.py()));
    }
    Ok(())
}
