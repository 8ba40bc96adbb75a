//! `aw.Reply`: what an actor answered.

use crate::codec::decode_value;
use crate::error::Result;
use crate::runtime::Receipt;
use airssys_core::multicodec::Code;
use airssys_host::actor;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// What an actor answered; immutable.
#[pyclass(frozen, module = "airssys_wasm", name = "Reply")]
pub struct Reply {
    reply: actor::Reply,
}

impl Reply {
    /// What was answered.
    pub fn new(reply: actor::Reply) -> Reply {
        Reply { reply }
    }
}

#[pymethods]
impl Reply {
    /// The answer, read by its codec.
    ///
    /// Raises:
    ///     CodecError: the payload is no value of its codec, or of one that needs a schema.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let code = Code(self.reply.codec.into());
        Ok(decode_value(py, code, &self.reply.payload, None)?)
    }

    /// The answer as bytes, without a codec prefix.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.reply.payload)
    }

    /// Multicodec number of the payload, such as ``codec.CBOR``.
    #[getter]
    fn codec(&self) -> u32 {
        self.reply.codec
    }

    /// What serving the request took; ``None`` if no component did.
    #[getter]
    fn receipt(&self) -> Option<Receipt> {
        let served = self.reply.receipt.as_ref()?;
        Some(Receipt::new(served.receipt(), served.memory_bytes_max))
    }

    fn __repr__(&self) -> String {
        format!(
            "<Reply {} of {} bytes>",
            Code(self.reply.codec.into()),
            self.reply.payload.len()
        )
    }
}
