//! Options by their names. One of another kind, or outside its range, is told by its
//! name, with what to write instead.

use super::body;
use crate::codec::Borsh;
use crate::error::Result;
use airssys_core::mailbox::Priority;
use airssys_core::multicodec::Code;
use airssys_core::trace::Trace;
use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyIterator, PyString};
use std::sync::Arc;
use std::time::Duration;

pub use crate::error::option_mismatch as mismatch;

pub const CODEC_HINT: &str = r#""cbor", "json", "borsh" with a schema, or "raw""#;
pub const TRACE_HINT: &str = "a traceparent as W3C Trace Context has it, such as \
     \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"";
pub const OVERFLOW_HINT: &str = r#""drop-oldest" or "drop-newest""#;
const PRIORITY_HINT: &str = r#""low", "normal" or "high""#;
const ADDRESS_HINT: &str = r#""namespace/name""#;
const TIMEOUT_HINT: &str =
    "seconds, more than 0, at most 1e19; every request ends, so None is not offered";
const WAIT_HINT: &str = "seconds, 0 to 1e19, or None";
const LIFE_HINT: &str = "seconds, 0 to 1e19, or None for no end";

/// A larger number is printed with its exponent.
const PRINTED_MAX: f64 = 1e16;

#[cold]
fn wrong_kind(name: &str, given: &Bound<'_, PyAny>, what: &str, hint: &str) -> PyErr {
    let kind = given.get_type();
    mismatch(name, &format!("{kind} is {what}; hint: {hint}"))
}

fn text<'a>(name: &str, given: &'a Bound<'_, PyAny>, what: &str, hint: &str) -> PyResult<&'a str> {
    let Ok(text) = given.cast::<PyString>() else {
        return Err(wrong_kind(name, given, what, hint));
    };
    // Only half of a surrogate pair keeps a text from being one.
    text.to_str().map_err(|_| {
        mismatch(
            name,
            &format!("{:?} is {what}; hint: {hint}", text.to_string_lossy()),
        )
    })
}

fn flag(name: &str, given: &Bound<'_, PyAny>) -> PyResult<bool> {
    given
        .extract()
        .map_err(|_| wrong_kind(name, given, "no bool", "True or False"))
}

fn seconds(name: &str, given: &Bound<'_, PyAny>, what: &str, hint: &str) -> PyResult<f64> {
    if let Ok(float) = given.cast::<PyFloat>() {
        return Ok(float.value());
    }
    // True is no second.
    if !given.is_instance_of::<PyBool>()
        && let Ok(seconds) = given.extract()
    {
        return Ok(seconds);
    }
    Err(wrong_kind(name, given, what, hint))
}

fn optional<'a, 'py, T>(
    given: &'a Bound<'py, PyAny>,
    read: impl FnOnce(&'a Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Option<T>> {
    if given.is_none() {
        return Ok(None);
    }
    read(given).map(Some)
}

pub fn codec<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text("codec", given, "no codec", CODEC_HINT)
}

pub fn schema<'a, 'py>(given: &'a Bound<'py, PyAny>) -> PyResult<Option<&'a Bound<'py, Borsh>>> {
    optional(given, |given| {
        given
            .cast()
            .map_err(|_| wrong_kind("schema", given, "no schema", "codec.Borsh(...)"))
    })
}

pub fn priority<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a str>> {
    optional(given, |given| {
        text("priority", given, "no priority", PRIORITY_HINT)
    })
}

pub fn trace<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a str>> {
    optional(given, |given| text("trace", given, "no trace", TRACE_HINT))
}

pub fn topic<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text("topic", given, "no topic", r#""orders.created""#)
}

pub fn topic_pattern<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text("pattern", given, "no pattern", r#""orders.#""#)
}

pub fn overflow<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text("when_full", given, "no policy", OVERFLOW_HINT)
}

pub fn address<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text("name", given, "no address", ADDRESS_HINT)
}

/// Those of a broadcast.
pub fn addresses(given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let read = |name: PyResult<Bound<'_, PyAny>>| {
        text("names", &name?, "no address", ADDRESS_HINT).map(str::to_owned)
    };
    values_of("names", given)?.map(read).collect()
}

pub fn transcode(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    flag("transcode", given)
}

pub fn return_exceptions(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    flag("return_exceptions", given)
}

pub fn ttl(given: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    optional(given, |given| {
        seconds("ttl", given, "no time to live", LIFE_HINT)
    })
}

pub fn seconds_to_wait(given: &Bound<'_, PyAny>) -> PyResult<f64> {
    seconds("timeout", given, "no time to wait", TIMEOUT_HINT)
}

/// Of what may wait without end.
pub fn wait(given: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    optional(given, |given| {
        seconds("timeout", given, "no time to wait", WAIT_HINT)
    })
}

#[cold]
fn out_of_range(name: &str, seconds: f64, what: &str, hint: &str) -> PyErr {
    let shown = if seconds.abs() < PRINTED_MAX {
        seconds.to_string()
    } else {
        format!("{seconds:e}")
    };
    mismatch(name, &format!("{shown} is {what}; hint: {hint}"))
}

/// Time for a reply.
///
/// # Errors
///
/// If there is none.
pub fn timeout(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| out_of_range("timeout", seconds, "no time to wait", TIMEOUT_HINT).into())
}

/// Time to wait, or none to wait without end.
///
/// # Errors
///
/// If it is negative, or no number.
pub fn wait_at_most(seconds: Option<f64>) -> Result<Option<Duration>> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds)
        .map(Some)
        .map_err(|_| out_of_range("timeout", seconds, "no time to wait", WAIT_HINT).into())
}

/// Time after which nobody handles a message.
///
/// # Errors
///
/// If it is negative, or no number.
pub fn life(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| out_of_range("ttl", seconds, "no time to live", LIFE_HINT).into())
}

/// The messages of a batch.
///
/// # Errors
///
/// If it is none.
pub fn values<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    values_of("values", given)
}

fn values_of<'py>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    // Each letter of a text would be a message, and of a dict each key.
    if given.is_instance_of::<PyString>()
        || given.is_instance_of::<PyBytes>()
        || given.is_instance_of::<PyDict>()
    {
        return Err(wrong_kind(name, given, "one message", "[message, ...]"));
    }
    given.try_iter().map_err(|error| {
        let py = given.py();
        if !error.is_instance_of::<PyTypeError>(py) {
            return error;
        }
        let wrong = wrong_kind(name, given, "nothing to go through", "a list");
        wrong.set_cause(py, Some(error));
        wrong
    })
}

/// What sticky routing goes by.
pub enum Key {
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

impl<'py> FromPyObject<'_, 'py> for Key {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Key> {
        if let Ok(text) = value.extract() {
            return Ok(Key::Text(text));
        }
        let bytes = value.extract().map(Key::Bytes);
        bytes.map_err(|_| wrong_kind("key", &value, "no key", "a str or bytes"))
    }
}

impl Key {
    /// The same for both.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Key::Text(text) => text.as_bytes(),
            Key::Bytes(bytes) => bytes,
        }
    }
}

/// How a message is written and sent.
pub struct How<'a, 'py> {
    pub codec: Code,
    pub schema: Option<&'a Bound<'py, Borsh>>,
    pub priority: Priority,
    pub time_to_live_seconds: Option<f64>,
    pub transcode: bool,
    pub trace: Option<Arc<Trace>>,
}

impl<'a, 'py> How<'a, 'py> {
    /// As the options say.
    ///
    /// # Errors
    ///
    /// If one is none of its kind.
    #[inline]
    pub fn new(
        codec: &str,
        schema: Option<&'a Bound<'py, Borsh>>,
        priority: Option<&str>,
        time_to_live_seconds: Option<f64>,
    ) -> Result<How<'a, 'py>> {
        let codec = body::code(codec)?;
        let priority = match priority {
            None | Some("normal") => Priority::Normal,
            Some("low") => Priority::Low,
            Some("high") => Priority::High,
            Some(other) => {
                let why = format!("{other:?} is none; hint: {PRIORITY_HINT}");
                return Err(mismatch("priority", &why).into());
            }
        };
        Ok(How {
            codec,
            schema,
            priority,
            time_to_live_seconds,
            transcode: false,
            trace: None,
        })
    }

    /// The same with these.
    ///
    /// # Errors
    ///
    /// If the trace is none.
    #[inline]
    pub fn with(self, transcode: bool, trace: Option<&str>) -> Result<Self> {
        let trace = trace.map(body::trace).transpose()?;
        Ok(How {
            transcode,
            trace,
            ..self
        })
    }
}
