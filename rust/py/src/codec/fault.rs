//! What goes wrong on the way, small enough for the hot path.

use airssys_core::multicodec::{CodecError, Problem};
use pyo3::prelude::*;

use crate::error::Error;

/// What the readers and writers return; the error is boxed, because it is rare and large.
pub type Outcome<T> = core::result::Result<T, Box<Error>>;

impl From<Box<CodecError>> for Box<Error> {
    #[cold]
    fn from(error: Box<CodecError>) -> Self {
        Self::new(Error::Codec(error))
    }
}

impl From<Problem> for Box<Error> {
    #[cold]
    fn from(problem: Problem) -> Self {
        Box::<CodecError>::from(problem).into()
    }
}

impl From<PyErr> for Box<Error> {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self::new(Error::Python(error))
    }
}

impl From<Box<Error>> for Error {
    fn from(error: Box<Error>) -> Self {
        *error
    }
}

/// The same error, for an input that has `bytes` more in front.
#[cold]
pub fn behind(mut fault: Box<Error>, bytes: usize) -> Box<Error> {
    if let Error::Codec(error) = &mut *fault {
        error.offset = error.offset.map(|offset| offset + bytes);
    }
    fault
}

/// The same error, at this place of the value.
#[cold]
pub fn within(mut fault: Box<Error>, path: String) -> Box<Error> {
    if let Error::Codec(error) = &mut *fault {
        error.path = path;
    }
    fault
}

/// A Python value that `codec` cannot say.
#[cold]
pub fn no_form(what: impl Into<String>, codec: &'static str) -> Box<Error> {
    let what = what.into();
    Problem::NoForm { what, codec }.into()
}

/// Lets Ctrl-C and other signals in.
///
/// # Errors
///
/// What their handlers raise.
pub fn signals(py: Python<'_>) -> Outcome<()> {
    py.check_signals().map_err(Into::into)
}
