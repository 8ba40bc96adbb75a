//! `aw.Message`: what came to an actor, or was published.

use crate::codec::decode_value;
use crate::error::Result;
use airssys_core::multicodec::Code;
use airssys_core::trace::Trace;
use airssys_host::actor::{self, Kind, Payload};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::Arc;

/// What came to an actor, or was published; immutable.
#[pyclass(frozen, module = "airssys_wasm", name = "Message")]
pub struct Message {
    codec: u32,
    payload: Payload,
    sender: Option<Arc<str>>,
    topic: Option<Arc<str>>,
    kind: &'static str,
    trace: Option<Arc<Trace>>,
}

impl Message {
    /// What `message` says of itself, with the address of its sender. `asked` is
    /// whether somebody waits for a reply, which an actor that was idle is told apart
    /// from the message.
    pub fn new(message: &actor::Message, sender: Option<Arc<str>>, asked: bool) -> Message {
        let (kind, topic) = match &message.kind {
            Kind::Published(topic) => ("published", Some(Arc::clone(topic))),
            Kind::Ask(_) => ("ask", None),
            Kind::Tell | Kind::Job(_) if asked => ("ask", None),
            Kind::Tell | Kind::Job(_) => ("tell", None),
        };
        Message {
            codec: message.codec,
            payload: message.payload.clone(),
            sender,
            topic,
            kind,
            trace: message.trace.clone(),
        }
    }
}

#[pymethods]
impl Message {
    /// The body, read by its codec each time it is asked for.
    ///
    /// Raises:
    ///     CodecError: the payload is no value of its codec, or of one that needs a schema;
    ///         then ``codec.decode_body(message.codec, message.payload, schema=...)``.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        Ok(decode_value(
            py,
            Code(self.codec.into()),
            &self.payload,
            None,
        )?)
    }

    /// The body as bytes, without a codec prefix.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.payload)
    }

    /// Multicodec number of the payload, such as ``codec.CBOR``.
    #[getter]
    fn codec(&self) -> u32 {
        self.codec
    }

    /// Address of the actor that sent it; ``None`` for the embedder.
    #[getter]
    fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// The topic it was published on; ``None`` if it was not.
    #[getter]
    fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// ``tell``, ``ask`` (somebody waits for the reply) or ``published``.
    #[getter]
    fn kind(&self) -> &'static str {
        self.kind
    }

    /// The trace it belongs to, a ``traceparent`` of W3C Trace Context; ``None`` for none.
    #[getter]
    fn trace(&self) -> Option<String> {
        self.trace.as_ref().map(ToString::to_string)
    }

    fn __repr__(&self) -> String {
        let about = match (&self.topic, &self.sender) {
            (Some(topic), _) => format!(" on {topic:?}"),
            (None, Some(sender)) => format!(" from {sender:?}"),
            (None, None) => String::new(),
        };
        format!(
            "<Message {}{about}, {} of {} bytes>",
            self.kind,
            Code(self.codec.into()),
            self.payload.len()
        )
    }
}
