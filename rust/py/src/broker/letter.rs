//! `aw.DeadLetter`: a message that nobody handled.

use crate::codec::decode_value;
use crate::error::Result;
use airssys_core::multicodec::Code;
use airssys_host::broker;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A dead letter; immutable, and still one after it was sent again.
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
    #[getter]
    fn number(&self) -> u64 {
        self.letter.number
    }

    #[getter]
    fn reason(&self) -> &'static str {
        self.letter.reason.as_str()
    }

    #[getter]
    fn receiver(&self) -> &str {
        &self.letter.receiver
    }

    #[getter]
    fn sender(&self) -> Option<&str> {
        self.letter.sender.as_deref()
    }

    #[getter]
    fn topic(&self) -> Option<&str> {
        self.letter.topic.as_deref()
    }

    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let code = Code(self.letter.codec.into());
        Ok(decode_value(py, code, &self.letter.payload, None)?)
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.letter.payload)
    }

    #[getter]
    fn codec(&self) -> u32 {
        self.letter.codec
    }

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
