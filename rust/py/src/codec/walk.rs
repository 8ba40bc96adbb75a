//! Walks a Python value and tells a writer what is there.

use airssys_core::multicodec::{DEPTH_MAX, Path, Problem, Step};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::fault::{self, Outcome, no_form, signals};
use super::{input, text};
use crate::error::Error;

/// Items between two looks for signals.
const ITEMS_PER_LOOK: u32 = 4096;

/// Writes what the walk finds.
pub trait Writer {
    /// The codec, for errors.
    const CODEC: &'static str;
    /// Whether only text may be a key.
    const TEXT_KEYS: bool;

    fn none(&mut self, out: &mut Vec<u8>);
    fn bool(&mut self, value: bool, out: &mut Vec<u8>);
    fn integer(&mut self, value: i64, out: &mut Vec<u8>);
    /// An integer past 64 bits with sign.
    fn long(&mut self, value: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> Outcome<()>;
    fn float(&mut self, value: f64, out: &mut Vec<u8>) -> Outcome<()>;
    fn text(&mut self, value: &str, out: &mut Vec<u8>);
    fn bytes(&mut self, value: &[u8], out: &mut Vec<u8>) -> Outcome<()>;
    fn open(&mut self, is_map: bool, length: usize, out: &mut Vec<u8>);
    /// In front of an item or key; `index` counts from 0.
    fn before(&mut self, index: usize, out: &mut Vec<u8>);
    fn after_key(&mut self, out: &mut Vec<u8>);
    fn close(&mut self, is_map: bool, out: &mut Vec<u8>);
}

/// A container that is being walked.
enum Open<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
    Dict {
        dict: Bound<'py, PyDict>,
        position: ffi::Py_ssize_t,
        key: Option<Bound<'py, PyAny>>,
        /// The value under a key that is itself being walked.
        value: Option<Bound<'py, PyAny>>,
    },
}

struct Frame<'py> {
    open: Open<'py>,
    /// Items or pairs begun.
    index: usize,
    /// How many there were when it was opened, which is what was written.
    length: usize,
}

/// Writes a value.
///
/// # Errors
///
/// If something in it has no form in the codec, it is deeper than [`DEPTH_MAX`], it
/// changes meanwhile, or its own code raises.
pub fn walk<W: Writer>(writer: W, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    let mut walk = Walk {
        writer,
        out,
        frame: None,
        outer: Vec::new(),
        items: 0,
    };
    walk.run(value).map_err(|error| walk.place(error))
}

struct Walk<'py, 'o, W> {
    writer: W,
    out: &'o mut Vec<u8>,
    frame: Option<Frame<'py>>,
    outer: Vec<Frame<'py>>,
    items: u32,
}

impl<'py, W: Writer> Walk<'py, '_, W> {
    fn run(&mut self, value: &Bound<'py, PyAny>) -> Outcome<()> {
        self.value(value)?;
        while self.frame.is_some() {
            self.step()?;
        }
        Ok(())
    }

    /// Writes the items of the innermost container up to one that is a container, or its end.
    #[inline]
    fn step(&mut self) -> Outcome<()> {
        loop {
            let Some(frame) = &mut self.frame else {
                return Ok(());
            };
            self.items += 1;
            if self.items == ITEMS_PER_LOOK {
                self.items = 0;
                signals(frame.py())?;
            }
            let item = match &frame.open {
                Open::List(list) if frame.index == frame.length => {
                    // Items that came meanwhile were not announced.
                    return if list.len() == frame.length {
                        self.close()
                    } else {
                        Err(changed())
                    };
                }
                Open::Tuple(_) if frame.index == frame.length => return self.close(),
                Open::List(list) => list.get_item(frame.index).map_err(|_| changed())?,
                Open::Tuple(tuple) => tuple.get_item(frame.index)?,
                Open::Dict { .. } => match self.next_of_dict()? {
                    Some(value) if self.value(&value)? => return Ok(()),
                    Some(_) => continue,
                    None => return self.close(),
                },
            };
            self.writer.before(frame.index, self.out);
            frame.index += 1;
            if self.value(&item)? {
                return Ok(());
            }
        }
    }

    /// The next value of a dict, its key written; or a key that has to be walked itself.
    #[inline]
    fn next_of_dict(&mut self) -> Outcome<Option<Bound<'py, PyAny>>> {
        let Some(Frame {
            open:
                Open::Dict {
                    dict,
                    position,
                    key: last_key,
                    value: waiting,
                },
            index,
            length,
        }) = &mut self.frame
        else {
            return Ok(None);
        };
        if let Some(value) = waiting.take() {
            self.writer.after_key(self.out);
            return Ok(Some(value));
        }
        let Some((key, value)) = next_pair(dict, position) else {
            return Ok(None);
        };
        // More pairs than were announced must not be written.
        if dict.len() != *length {
            return Err(changed());
        }
        self.writer.before(*index, self.out);
        *index += 1;
        let is_text = is_exactly(&key, &raw mut ffi::PyUnicode_Type);
        if is_text || (W::TEXT_KEYS && key.is_instance_of::<PyString>()) {
            *last_key = Some(key.clone());
            self.writer.text(text::utf8(&key, W::CODEC)?, self.out);
            self.writer.after_key(self.out);
            return Ok(Some(value));
        }
        if W::TEXT_KEYS {
            return Err(no_form(format!("{} as a key", named(&key)), W::CODEC));
        }
        *last_key = Some(key.clone());
        *waiting = Some(value);
        Ok(Some(key))
    }

    /// Writes a scalar, or opens a container; whether it did the latter.
    #[inline]
    fn value(&mut self, value: &Bound<'py, PyAny>) -> Outcome<bool> {
        // SAFETY: a type object lives as long as an object of the type.
        let kind = unsafe { ffi::Py_TYPE(value.as_ptr()) };
        if kind == &raw mut ffi::PyUnicode_Type {
            self.writer.text(text::utf8(value, W::CODEC)?, self.out);
        } else if kind == &raw mut ffi::PyLong_Type {
            self.integer(value)?;
        } else if kind == &raw mut ffi::PyFloat_Type {
            // SAFETY: it is a float.
            let value = unsafe { ffi::PyFloat_AS_DOUBLE(value.as_ptr()) };
            self.writer.float(value, self.out)?;
        } else if value.is_none() {
            self.writer.none(self.out);
        } else if kind == &raw mut ffi::PyBool_Type {
            self.writer.bool(value.is(true_of(value.py())), self.out);
        } else if kind == &raw mut ffi::PyDict_Type {
            // SAFETY: it is a dict.
            return self.open_dict(unsafe { value.cast_unchecked::<PyDict>() });
        } else if kind == &raw mut ffi::PyList_Type {
            // SAFETY: it is a list.
            return self.open_list(unsafe { value.cast_unchecked::<PyList>() });
        } else if kind == &raw mut ffi::PyTuple_Type {
            // SAFETY: it is a tuple.
            return self.open_tuple(unsafe { value.cast_unchecked::<PyTuple>() });
        } else if kind == &raw mut ffi::PyBytes_Type {
            // SAFETY: it is a bytes object.
            let bytes = unsafe { value.cast_unchecked::<PyBytes>() };
            self.writer.bytes(bytes.as_bytes(), self.out)?;
        } else {
            return self.other(value);
        }
        Ok(false)
    }

    #[inline]
    fn integer(&mut self, value: &Bound<'py, PyAny>) -> Outcome<()> {
        let mut overflow = 0;
        // SAFETY: the caller has looked that it is an int, so nothing can be raised.
        let short = unsafe { ffi::PyLong_AsLongLongAndOverflow(value.as_ptr(), &raw mut overflow) };
        if overflow != 0 {
            // SAFETY: as above.
            return self
                .writer
                .long(unsafe { value.cast_unchecked::<PyInt>() }, self.out);
        }
        self.writer.integer(short, self.out);
        Ok(())
    }

    /// Derived types count as what they derive from; then come dataclasses.
    #[cold]
    fn other(&mut self, value: &Bound<'py, PyAny>) -> Outcome<bool> {
        if value.is_instance_of::<PyString>() {
            self.writer.text(text::utf8(value, W::CODEC)?, self.out);
        } else if value.is_instance_of::<PyInt>() {
            self.integer(value)?;
        } else if let Ok(float) = value.cast::<PyFloat>() {
            self.writer.float(float.value(), self.out)?;
        } else if let Ok(bytes) = value.cast::<PyBytes>() {
            self.writer.bytes(bytes.as_bytes(), self.out)?;
        } else if input::is_bytes_like(value) {
            self.writer
                .bytes(input::bytes_of(value)?.as_bytes(), self.out)?;
        } else if let Ok(list) = value.cast::<PyList>() {
            return self.open_list(list);
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            return self.open_tuple(tuple);
        } else if value.is_instance_of::<PyDict>() {
            // Its own methods say what is in it and in which order, as for dict().
            let copy = PyDict::new(value.py());
            copy.call_method1("update", (value,))?;
            return self.open_dict(&copy);
        } else if let Some(fields) = fields_of(value)? {
            return self.open_dict(&fields);
        } else {
            return Err(no_form(named(value), W::CODEC));
        }
        Ok(false)
    }

    #[inline]
    fn open_list(&mut self, list: &Bound<'py, PyList>) -> Outcome<bool> {
        self.open(Open::List(list.clone()), list.len())
    }

    #[inline]
    fn open_tuple(&mut self, tuple: &Bound<'py, PyTuple>) -> Outcome<bool> {
        self.open(Open::Tuple(tuple.clone()), tuple.len())
    }

    #[inline]
    fn open_dict(&mut self, dict: &Bound<'py, PyDict>) -> Outcome<bool> {
        let open = Open::Dict {
            dict: dict.clone(),
            position: 0,
            key: None,
            value: None,
        };
        self.open(open, dict.len())
    }

    #[inline]
    fn open(&mut self, open: Open<'py>, length: usize) -> Outcome<bool> {
        if self.outer.len() + usize::from(self.frame.is_some()) == DEPTH_MAX {
            return Err(Problem::TooDeep.into());
        }
        let is_map = matches!(open, Open::Dict { .. });
        self.writer.open(is_map, length, self.out);
        let index = 0;
        if let Some(outer) = self.frame.replace(Frame {
            open,
            index,
            length,
        }) {
            self.outer.push(outer);
        }
        Ok(true)
    }

    #[inline]
    fn close(&mut self) -> Outcome<()> {
        let inner = std::mem::replace(&mut self.frame, self.outer.pop());
        // Whoever closes has opened before.
        if let Some(Frame {
            open,
            index,
            length,
        }) = inner
        {
            if index != length {
                return Err(changed());
            }
            self.writer
                .close(matches!(open, Open::Dict { .. }), self.out);
        }
        Ok(())
    }

    #[cold]
    fn place(&self, error: Box<Error>) -> Box<Error> {
        if !matches!(*error, Error::Codec(_)) {
            return error;
        }
        let frames: Vec<_> = self.outer.iter().chain(&self.frame).collect();
        let keys: Vec<_> = frames.iter().map(|frame| frame.key()).collect();
        let steps: Vec<_> = frames
            .iter()
            .zip(&keys)
            .filter_map(|(frame, key)| frame.last_step(key.as_ref()))
            .collect();
        fault::within(error, Path::of(&steps))
    }
}

impl<'py> Frame<'py> {
    #[inline]
    fn py(&self) -> Python<'py> {
        match &self.open {
            Open::List(list) => list.py(),
            Open::Tuple(tuple) => tuple.py(),
            Open::Dict { dict, .. } => dict.py(),
        }
    }

    /// The key that was last begun, and whether it is text.
    fn key(&self) -> Option<(String, bool)> {
        let Open::Dict { key: Some(key), .. } = &self.open else {
            return None;
        };
        Some(shown_key(key))
    }

    fn last_step<'a>(&self, key: Option<&'a (String, bool)>) -> Option<Step<'a>> {
        match (&self.open, key) {
            (Open::Dict { value: Some(_), .. }, _) => Some(Step::OfKey),
            (Open::Dict { .. }, Some((key, true))) => Some(Step::Key(key)),
            (Open::Dict { .. }, Some((key, false))) => Some(Step::OtherKey(key)),
            (Open::Dict { .. }, None) => None,
            _ => self.index.checked_sub(1).map(Step::Index),
        }
    }
}

/// A key as a path shows it, and whether it is text. No code of the key runs.
#[cold]
pub fn shown_key(key: &Bound<'_, PyAny>) -> (String, bool) {
    if let Ok(text) = key.cast::<PyString>() {
        return (text.to_string_lossy().into_owned(), true);
    }
    if key.is_exact_instance_of::<PyInt>() || key.is_exact_instance_of::<PyFloat>() {
        return (key.to_string(), false);
    }
    (named(key), false)
}

/// A pair of a dict, both kept alive: what is written next may run code that lets go of them.
#[inline]
fn next_pair<'py>(
    dict: &Bound<'py, PyDict>,
    position: &mut ffi::Py_ssize_t,
) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let py = dict.py();
    with_critical_section(dict, || {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the position is one that this function left, or 0. A dict that has changed
        // meanwhile gives other pairs, but none that are not in it; both are borrowed from
        // the dict, which nothing changes before they are owned.
        unsafe {
            let found = ffi::PyDict_Next(dict.as_ptr(), position, &raw mut key, &raw mut value);
            if found == 0 {
                return None;
            }
            Some((
                Bound::from_borrowed_ptr(py, key),
                Bound::from_borrowed_ptr(py, value),
            ))
        }
    })
}

#[inline]
fn is_exactly(value: &Bound<'_, PyAny>, kind: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a type object lives as long as an object of the type.
    unsafe { ffi::Py_TYPE(value.as_ptr()) == kind }
}

#[inline]
fn true_of(py: Python<'_>) -> pyo3::Borrowed<'_, '_, pyo3::types::PyBool> {
    pyo3::types::PyBool::new(py, true)
}

#[cold]
fn changed() -> Box<Error> {
    Problem::Malformed("a container changed while it was encoded").into()
}

#[cold]
fn named(value: &Bound<'_, PyAny>) -> String {
    let kind = value.get_type();
    let name = kind.name().map(|name| name.to_string_lossy().into_owned());
    format!("a value of type {}", name.unwrap_or_default())
}

/// The fields of a dataclass by name; none if it is not one.
fn fields_of<'py>(value: &Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyDict>>> {
    let py = value.py();
    if !value.get_type().hasattr("__dataclass_fields__")? {
        return Ok(None);
    }
    let fields = py.import("dataclasses")?.call_method1("fields", (value,))?;
    let by_name = PyDict::new(py);
    for field in fields.try_iter()? {
        let name = field?
            .getattr("name")?
            .cast_into::<PyString>()
            .map_err(PyErr::from)?;
        by_name.set_item(&name, value.getattr(&name)?)?;
    }
    Ok(Some(by_name))
}
