//! `aw.DeadLetter`: a message that nobody handled.

use crate::codec::decode_value;
use crate::error::Result;
use airssys_core::multicodec::Code;
use airssys_host::broker;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A message that nobody handled; immutable, and still one after it was replayed.
#[pyclass(frozen, module = "airssys_wasm", name = "DeadLetter")]
pub struct DeadLetter {
    letter: broker::DeadLetter,
}

impl DeadLetter {
    /// What is told of it.
    pub fn new(letter: broker::DeadLetter) -> DeadLetter {
        DeadLetter { letter }
    }
}

#[pymethods]
impl DeadLetter {
    /// Its number, from 1; a later letter has a higher one.
    #[getter]
    fn number(&self) -> u64 {
        self.letter.number
    }

    /// Why nobody handled it: ``mailbox-full``, ``actor-failed``, ``expired``, ...
    #[getter]
    fn reason(&self) -> &'static str {
        self.letter.reason.as_str()
    }

    /// Address of the actor it was for.
    #[getter]
    fn receiver(&self) -> &str {
        &self.letter.receiver
    }

    /// Address of the actor that sent it; ``None`` for the embedder.
    #[getter]
    fn sender(&self) -> Option<&str> {
        self.letter.sender.as_deref()
    }

    /// The topic it was published on; ``None`` if it was not.
    #[getter]
    fn topic(&self) -> Option<&str> {
        self.letter.topic.as_deref()
    }

    /// The body, read by its codec each time it is asked for.
    ///
    /// Raises:
    ///     CodecError: the payload is no value of its codec, or of one that needs a schema.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let code = Code(self.letter.codec.into());
        Ok(decode_value(py, code, &self.letter.payload, None)?)
    }

    /// The body as bytes, without a codec prefix.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.letter.payload)
    }

    /// Multicodec number of the payload, such as ``codec.CBOR``.
    #[getter]
    fn codec(&self) -> u32 {
        self.letter.codec
    }

    /// The trace it belongs to, a ``traceparent`` of W3C Trace Context; ``None`` for none.
    #[getter]
    fn trace(&self) -> Option<String> {
        self.letter.trace.as_ref().map(ToString::to_string)
    }

    /// Seconds since it became one.
    #[getter]
    fn age_seconds(&self) -> f64 {
        self.letter.age().as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!(
            "<DeadLetter {} to {:?}: {}>",
            self.letter.number,
            &*self.letter.receiver,
            self.letter.reason.as_str()
        )
    }
}
