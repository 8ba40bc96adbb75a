//! A Python value as the body of a message.

use super::named::{self, CODEC_HINT, TRACE_HINT};
use crate::codec::{Borsh, encode_value};
use crate::error::{Error, Result};
use airssys_core::multicodec::{self, Code, Problem};
use airssys_core::trace::Trace;
use airssys_host::actor::{EMBEDDER, Kind, Message, Payload};
use pyo3::prelude::*;
use std::cell::Cell;
use std::sync::Arc;

/// What a message is written into before it is one; most fit.
const MESSAGE_BYTES: usize = 512;

/// Room for a body that a thread keeps for the next one.
const KEPT_BYTES_MAX: usize = 64 << 10;

thread_local! {
    static BODY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a transcoding makes at most; larger is no message.
const TRANSCODED_BYTES_MAX: usize = 1 << 20;

/// The codec of a name.
///
/// # Errors
///
/// If none is called so.
pub fn code(name: &str) -> Result<Code> {
    Code::of_name(name).ok_or_else(|| {
        let why = format!("{name:?} is none; hint: {CODEC_HINT}");
        named::mismatch("codec", &why).into()
    })
}

/// Writes a value; gives the number of its codec too.
///
/// # Errors
///
/// If the value has no form in the codec.
#[inline]
pub fn write(
    value: &Bound<'_, PyAny>,
    code: Code,
    schema: Option<&Bound<'_, Borsh>>,
) -> Result<(u32, Payload)> {
    // What is written may run code of Python that sends something else meanwhile.
    let mut body = BODY.take();
    let written = encode_value(code, value, schema.map(Bound::get), &mut body);
    let payload = written.map(|()| Payload::copy(&body));
    if body.capacity() <= KEPT_BYTES_MAX {
        body.clear();
        BODY.set(body);
    }
    let payload = payload?;
    let number = u32::try_from(code.0).map_err(|_| Problem::UnknownCodec(code));
    let number = number.map_err(Box::<Error>::from)?;
    Ok((number, payload))
}

/// A message of the embedder, for whoever gets copies of it.
///
/// # Errors
///
/// If the value has no form in the codec, or the trace is none.
pub fn message(
    value: &Bound<'_, PyAny>,
    codec: &str,
    schema: Option<&Bound<'_, Borsh>>,
    trace: Option<&str>,
) -> Result<Message> {
    let (codec, payload) = write(value, code(codec)?, schema)?;
    let mut message = Message::new(EMBEDDER, codec, payload, Kind::Tell);
    message.trace = trace.map(self::trace).transpose()?;
    Ok(message)
}

/// The trace of a `traceparent`.
///
/// # Errors
///
/// If it is none.
pub fn trace(text: &str) -> Result<Arc<Trace>> {
    let trace = Trace::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        named::mismatch("trace", &format!("{shown:?} is none; hint: {TRACE_HINT}"))
    })?;
    Ok(Arc::new(trace))
}

/// A body in the codec that its receiver reads.
///
/// # Errors
///
/// If the value has no form in it.
pub fn transcoded(codec: u32, payload: Payload, reads: Code) -> Result<(u32, Payload)> {
    let sent = Code(codec.into());
    if sent == reads {
        return Ok((codec, payload));
    }
    let mut body = Vec::with_capacity(MESSAGE_BYTES);
    multicodec::transcode(sent, reads, &payload, TRANSCODED_BYTES_MAX, &mut body)?;
    let number = u32::try_from(reads.0).map_err(|_| Problem::UnknownCodec(reads))?;
    Ok((number, Payload::from(body)))
}
