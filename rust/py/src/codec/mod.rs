//! `airssys_wasm._native.codec`: Python values straight to bytes and back.
//!
//! No tree is built in between: the writers walk the objects, the readers make them.
//! Neither recurses, so a small stack or a deep value cannot overflow it.

mod borsh;
mod cbor;
mod fault;
mod input;
mod json;
mod keys;
mod text;
mod tree;
mod walk;

use airssys_core::multicodec::{self as core, Code, Problem};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::error::Result;
pub use borsh::Borsh;
use fault::Outcome;
use input::Input;

/// What a message is written into before it becomes `bytes`; most fit.
const MESSAGE_BYTES: usize = 512;

/// Longest result of a transcoding, unless another bound is given.
const TRANSCODED_BYTES_MAX: usize = 64 << 20;

/// Writes the body of `value` in `codec` onto `out`.
///
/// # Errors
///
/// If the value has no form in the codec, or its own code raises; `out` then holds a part.
pub fn encode_value(
    codec: Code,
    value: &Bound<'_, PyAny>,
    schema: Option<&Borsh>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    match (codec, schema) {
        (Code::BORSH, Some(schema)) => borsh::encode(schema, value, out),
        (Code::BORSH, None) => Err(borsh::schema_missing()),
        (_, Some(_)) => Err(borsh::schema_unused(codec)),
        (Code::CBOR, None) => walk::walk(cbor::Writer, value, out),
        (Code::JSON, None) => walk::walk(json::Writer, value, out),
        _ if codec.is_opaque() => input::write_bytes(codec, value, out),
        _ => Err(Problem::UnknownCodec(codec).into()),
    }
}

/// Makes the value that `body` is in `codec`.
///
/// # Errors
///
/// If the body is not one well-formed value of the codec, or has no form in Python.
pub fn decode_value<'py>(
    py: Python<'py>,
    codec: Code,
    body: &[u8],
    schema: Option<&Borsh>,
) -> Outcome<Bound<'py, PyAny>> {
    match (codec, schema) {
        (Code::BORSH, Some(schema)) => borsh::decode(py, schema, body),
        (Code::BORSH, None) => Err(borsh::schema_missing()),
        (_, Some(_)) => Err(borsh::schema_unused(codec)),
        (Code::CBOR, None) => cbor::decode(py, body),
        (Code::JSON, None) => json::decode(py, body),
        _ if codec.is_opaque() => Ok(PyBytes::new(py, body).into_any()),
        _ => Err(Problem::UnknownCodec(codec).into()),
    }
}

#[pyfunction]
#[pyo3(signature = (codec, value, *, schema=None))]
fn encode<'py>(
    py: Python<'py>,
    codec: u64,
    value: &Bound<'py, PyAny>,
    schema: Option<&Bound<'py, Borsh>>,
) -> Result<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(MESSAGE_BYTES);
    core::write_prefix(Code(codec), &mut out)?;
    encode_value(Code(codec), value, schema.map(Bound::get), &mut out)?;
    Ok(PyBytes::new(py, &out))
}

#[pyfunction]
#[pyo3(signature = (message, *, schema=None))]
fn decode<'py>(
    py: Python<'py>,
    message: Input<'py>,
    schema: Option<&Bound<'py, Borsh>>,
) -> Result<(u64, Bound<'py, PyAny>)> {
    let message = message.as_bytes();
    let (codec, body) = core::split(message)?;
    let value = decode_value(py, codec, body, schema.map(Bound::get))
        .map_err(|fault| fault::behind(fault, message.len() - body.len()))?;
    Ok((codec.0, value))
}

#[pyfunction]
#[pyo3(signature = (codec, value, *, schema=None))]
fn encode_body<'py>(
    py: Python<'py>,
    codec: u64,
    value: &Bound<'py, PyAny>,
    schema: Option<&Bound<'py, Borsh>>,
) -> Result<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(MESSAGE_BYTES);
    encode_value(Code(codec), value, schema.map(Bound::get), &mut out)?;
    Ok(PyBytes::new(py, &out))
}

#[pyfunction]
#[pyo3(signature = (codec, body, *, schema=None))]
fn decode_body<'py>(
    py: Python<'py>,
    codec: u64,
    body: Input<'py>,
    schema: Option<&Bound<'py, Borsh>>,
) -> Result<Bound<'py, PyAny>> {
    Ok(decode_value(
        py,
        Code(codec),
        body.as_bytes(),
        schema.map(Bound::get),
    )?)
}

#[pyfunction]
fn join<'py>(py: Python<'py>, codec: u64, body: Input<'py>) -> Result<Bound<'py, PyBytes>> {
    let (prefix, length) = core::prefix(Code(codec))?;
    Ok(input::joined(py, &prefix[..length], body.as_bytes())?)
}

#[pyfunction]
fn split<'py>(message: &Bound<'py, PyAny>) -> Result<(u64, Bound<'py, PyAny>)> {
    let (codec, prefix_bytes) = input::with_prefix(message, |start| {
        core::split(start).map(|(codec, body)| (codec, start.len() - body.len()))
    })??;
    let view = PyMemoryView::from(message)?;
    Ok((codec.0, input::from_byte(&view, prefix_bytes)?))
}

#[pyfunction]
#[pyo3(
    signature = (message, to=Code::JSON.0, *, bytes_max=TRANSCODED_BYTES_MAX),
    text_signature = "(message, to=512, *, bytes_max=67108864)"
)]
fn transcode<'py>(
    py: Python<'py>,
    message: Input<'py>,
    to: u64,
    bytes_max: usize,
) -> Result<Bound<'py, PyBytes>> {
    let message = message.as_bytes();
    let (codec, body) = core::split(message)?;
    if codec == Code(to) {
        core::check(codec, body).map_err(|error| error.behind(message.len() - body.len()))?;
        return Ok(PyBytes::new(py, message));
    }
    let mut out = Vec::with_capacity(message.len().min(bytes_max));
    core::write_prefix(Code(to), &mut out)?;
    core::transcode(codec, Code(to), body, bytes_max, &mut out)
        .map_err(|error| error.behind(message.len() - body.len()))?;
    Ok(PyBytes::new(py, &out))
}

#[pyfunction]
fn check(message: Input<'_>) -> Result<()> {
    let message = message.as_bytes();
    let (codec, body) = core::split(message)?;
    core::check(codec, body).map_err(|error| error.behind(message.len() - body.len()))?;
    Ok(())
}

#[pyfunction]
fn name_of(codec: u64) -> String {
    Code(codec).to_string()
}

#[pymodule(submodule, name = "codec", gil_used = false)]
pub mod native {
    use airssys_core::multicodec::{Code, DEPTH_MAX};
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::borsh::Borsh;
    #[pymodule_export]
    use super::{check, decode, decode_body, encode, encode_body, join, name_of, split, transcode};

    /// One source for the numbers: the names of the table in upper case.
    #[pymodule_init]
    fn numbers(module: &Bound<'_, PyModule>) -> PyResult<()> {
        for (code, name) in Code::NAMED {
            module.add(name.to_uppercase().replace('-', "_"), code.0)?;
        }
        module.add("DEPTH_MAX", DEPTH_MAX)
    }
}
