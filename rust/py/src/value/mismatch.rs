//! Where and why a Python value does not fit.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use std::fmt::Write as _;

/// A value, or the place that does not fit.
pub type Outcome<T> = Result<T, Box<Mismatch>>;

/// Longest piece of a value shown in a message.
const SHOWN_CHARS_MAX: usize = 40;

/// A value that does not fit its type. The path is collected on the way out,
/// so that values that fit pay nothing for it.
#[derive(Debug)]
pub struct Mismatch {
    reversed: Vec<Step>,
    why: String,
    /// What the value's own code raised when it was asked.
    cause: Option<PyErr>,
}

#[derive(Debug)]
enum Step {
    Field(String),
    Index(usize),
}

impl Mismatch {
    /// `value` does not fit `wanted`.
    pub fn unfit(value: &Bound<'_, PyAny>, wanted: &str) -> Box<Mismatch> {
        Self::because(format!("{} does not fit {wanted}", shown(value)))
    }

    /// `value` has a wrong type: `wanted` says which would do.
    pub fn wrong_type(value: &Bound<'_, PyAny>, wanted: &str) -> Box<Mismatch> {
        let found = type_name(&value.get_type());
        Self::because(format!("expected {wanted}, got {found} {}", shown(value)))
    }

    /// `value` does not fit `wanted`, or raised something when it was asked.
    pub fn raised(value: &Bound<'_, PyAny>, wanted: &str, error: PyErr) -> Box<Mismatch> {
        let mut mismatch = Self::unfit(value, wanted);
        // Out of range is what "does not fit" says; the rest is worth keeping.
        if !error.is_instance_of::<PyOverflowError>(value.py()) {
            mismatch.cause = Some(error);
        }
        mismatch
    }

    /// Keeps what the value's own code raised.
    pub fn caused_by(mut self: Box<Self>, error: PyErr) -> Box<Mismatch> {
        self.cause = Some(error);
        self
    }

    /// For any other reason.
    pub fn because(why: String) -> Box<Mismatch> {
        Box::new(Mismatch {
            reversed: Vec::new(),
            why,
            cause: None,
        })
    }

    /// Says that the value is field or case `name` of its parent.
    pub fn in_field(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.reversed.push(Step::Field(name.to_owned()));
        self
    }

    /// Says that the value is item `index` of its parent.
    pub fn at(mut self: Box<Self>, index: usize) -> Box<Self> {
        self.reversed.push(Step::Index(index));
        self
    }

    /// The path from the arguments to the value: `people[3].age`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.reversed.iter().rev() {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Field(name) if path.is_empty() => write!(path, "{name}"),
                Step::Field(name) => write!(path, ".{name}"),
                Step::Index(index) => write!(path, "[{index}]"),
            };
        }
        path
    }

    /// What the value's own code raised, if it did.
    pub fn take_cause(&mut self) -> Option<PyErr> {
        self.cause.take()
    }

    /// What is wrong.
    pub fn why(&self) -> &str {
        &self.why
    }
}

fn type_name(found: &Bound<'_, PyType>) -> String {
    found
        .name()
        .map_or_else(|_| "a value".to_owned(), |name| name.to_string())
}

// `repr` runs the value's own code and may fail or be endless text.
fn shown(value: &Bound<'_, PyAny>) -> String {
    if value.is_instance_of::<PyString>() && value.len().is_ok_and(|chars| chars > 1_000) {
        return "a long text".to_owned();
    }
    let Ok(text) = value.repr() else {
        return type_name(&value.get_type());
    };
    let text = text.to_string_lossy();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
