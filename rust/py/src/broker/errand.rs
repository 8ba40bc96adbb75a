//! A message that is with a Python handler, until somebody says what came of it.
//!
//! Handler, deadline and whoever stops the actor may all say so; the first counts.
//! If nobody does, dropping the duty does.

use super::actor::Actor;
use crate::codec::encode_value;
use crate::error::Result;
use crate::runtime::Kept;
use airssys_core::multicodec::Code;
use airssys_host::actor::{Answer, Cell, Exit, Handled, HandlerRefusal, Payload, Raised};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest text of an exit or a refusal, as everywhere in the interface.
const TEXT_BYTES_MAX: usize = 1024;

/// One message away from its actor.
pub struct Errand(Mutex<State>);

enum State {
    /// The actor is not ready to be resumed.
    Leaving,
    /// Ended before the actor was ready.
    Early(Handled),
    Out(Arc<Cell>),
    Over,
}

impl Errand {
    /// One that has not left.
    pub fn new() -> Arc<Errand> {
        Arc::new(Errand(Mutex::new(State::Leaving)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The actor can be resumed now. Says whether there is something left to do.
    pub fn set_out(&self, cell: Arc<Cell>) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Leaving => {
                *state = State::Out(cell);
                true
            }
            State::Early(handled) => {
                drop(state);
                cell.resume(handled);
                false
            }
            State::Out(_) | State::Over => false,
        }
    }

    /// Ends it; the actor goes on somewhere else.
    pub fn end(&self, handled: Handled) {
        if let Some((cell, handled)) = self.ended(handled) {
            cell.resume(handled);
        }
    }

    /// Ends it; the actor goes on here.
    fn end_here(&self, handled: Handled) {
        if let Some((cell, handled)) = self.ended(handled) {
            cell.resume_here(handled, false);
        }
    }

    fn ended(&self, handled: Handled) -> Option<(Arc<Cell>, Handled)> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Out(cell) => Some((cell, handled)),
            State::Leaving => {
                *state = State::Early(handled);
                None
            }
            early @ State::Early(_) => {
                *state = early;
                None
            }
            State::Over => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(*self.state(), State::Over | State::Early(_))
    }
}

/// The duty to end an errand.
#[pyclass(frozen, module = "airssys_wasm._native.broker", name = "Duty")]
pub struct Duty {
    errand: Arc<Errand>,
    codec: u32,
    asked: bool,
}

impl Duty {
    /// The duty for a message in `codec`.
    pub fn new(errand: Arc<Errand>, codec: u32, asked: bool) -> Duty {
        Duty {
            errand,
            codec,
            asked,
        }
    }

    /// Whether it makes any difference what comes of it.
    pub fn is_wanted(&self) -> bool {
        !self.errand.is_over()
    }

    /// Nothing is also an answer where the codec has a word for it.
    fn answer(&self, value: &Bound<'_, PyAny>) -> Result<Answer> {
        let codec = Code(self.codec.into());
        if !self.asked || (value.is_none() && codec != Code::CBOR && codec != Code::JSON) {
            return Ok(Answer::NONE);
        }
        // Only the handler has the schema: it answers with bytes.
        let written = match codec {
            Code::BORSH => Code::RAW,
            codec => codec,
        };
        let mut body = Vec::new();
        encode_value(written, value, None, &mut body)?;
        Ok(Answer {
            payload: Payload::from(body),
            ..Answer::NONE
        })
    }
}

#[pymethods]
impl Duty {
    /// The handler has returned.
    fn serve(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> Result<()> {
        let answer = self.answer(value)?;
        Actor::here(py, || self.errand.end_here(Handled::Served(answer)))
    }

    /// The handler refused the message.
    #[pyo3(signature = (reason, text, *, codecs=Vec::new(), milliseconds=0))]
    fn refuse(
        &self,
        py: Python<'_>,
        reason: &str,
        text: &str,
        codecs: Vec<u32>,
        milliseconds: u32,
    ) -> Result<()> {
        let text = shortened(text);
        let why = match reason {
            "malformed" => HandlerRefusal::Malformed(text),
            "codec-unsupported" => HandlerRefusal::CodecUnsupported(codecs),
            "unsupported" => HandlerRefusal::Unsupported(text),
            "refused" => HandlerRefusal::Refused(text),
            "busy" => HandlerRefusal::Busy(milliseconds),
            "failed" => HandlerRefusal::Failed(text),
            other => return Err(PyValueError::new_err(format!("reason: {other:?}")).into()),
        };
        Actor::here(py, || self.errand.end_here(Handled::Refused(why)))
    }

    /// The handler raised, and the instance ends with it.
    fn fail(&self, py: Python<'_>, error: &Bound<'_, PyAny>, text: &str) -> Result<()> {
        let cause = Kept::new(PyErr::from_value(error.clone()));
        let raised = Raised {
            text: shortened(text),
            cause: Arc::new(cause),
        };
        let handled = Handled::Ended(Exit::Raised(raised));
        Actor::here(py, || self.errand.end(handled))
    }

    /// The handler ran too long, and the instance ends with it.
    fn run_past(&self, py: Python<'_>, seconds: f64) -> Result<()> {
        let most = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let handled = Handled::Ended(Exit::RanPast(most));
        Actor::here(py, || self.errand.end(handled))
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if self.is_wanted() {
            let why = "its event loop was closed, or dropped the handler".to_owned();
            self.errand.end(Handled::Ended(Exit::Broken(why)));
        }
    }
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

/// What a handler raised, for whoever asked.
pub fn raised(exit: &Exit) -> Option<&PyErr> {
    let Exit::Raised(raised) = exit else {
        return None;
    };
    let error = raised.cause.downcast_ref::<Kept<PyErr>>()?;
    Some(error)
}
