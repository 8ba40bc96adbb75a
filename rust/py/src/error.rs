//! The only place where a Rust error becomes a Python exception.
//!
//! The exceptions are Python classes, written once in `airssys_wasm.errors`. No
//! match here has a `_` arm: a new variant stops the build at this file.

use airssys_core::componentize::ComponentizeError;
use airssys_core::multicodec::{CodecError as CoreCodecError, Problem};
use airssys_core::wit::{Location, WitError};
use airssys_host::Error as HostError;
use airssys_host::actor::{HandlerRefusal, Refusal};
use airssys_host::broker::Unregistered;
use airssys_host::error::MissingImport;
use airssys_host::trap::{Failure, Family, HostFunctionFailed};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::broker;
use crate::value::Mismatch;

pyo3::import_exception!(airssys_wasm.errors, ActorFailed);
pyo3::import_exception!(airssys_wasm.errors, ActorNotFound);
pyo3::import_exception!(airssys_wasm.errors, ActorStopped);
pyo3::import_exception!(airssys_wasm.errors, AskTimeout);
pyo3::import_exception!(airssys_wasm.errors, MailboxFull);
pyo3::import_exception!(airssys_wasm.errors, MessageDropped);
pyo3::import_exception!(airssys_wasm.errors, MessageRefused);
pyo3::import_exception!(airssys_wasm.errors, MessageTooLarge);
pyo3::import_exception!(airssys_wasm.errors, MessagingError);
pyo3::import_exception!(airssys_wasm.errors, NameTaken);
pyo3::import_exception!(airssys_wasm.errors, BuildError);
pyo3::import_exception!(airssys_wasm.errors, CallTimeout);
pyo3::import_exception!(airssys_wasm.errors, CapacityExhausted);
pyo3::import_exception!(airssys_wasm.errors, CircuitOpen);
pyo3::import_exception!(airssys_wasm.errors, CodecError);
pyo3::import_exception!(airssys_wasm.errors, CompileRefused);
pyo3::import_exception!(airssys_wasm.errors, ComponentError);
pyo3::import_exception!(airssys_wasm.errors, ComponentInvalid);
pyo3::import_exception!(airssys_wasm.errors, EngineError);
pyo3::import_exception!(airssys_wasm.errors, ExportMissing);
pyo3::import_exception!(airssys_wasm.errors, FuelExhausted);
pyo3::import_exception!(airssys_wasm.errors, ImportMissing);
pyo3::import_exception!(airssys_wasm.errors, InstanceBusy);
pyo3::import_exception!(airssys_wasm.errors, InstanceClosed);
pyo3::import_exception!(airssys_wasm.errors, LimitInvalid);
pyo3::import_exception!(airssys_wasm.errors, OutOfMemory);
pyo3::import_exception!(airssys_wasm.errors, ReentrantCall);
pyo3::import_exception!(airssys_wasm.errors, SubscriptionsFull);
pyo3::import_exception!(airssys_wasm.errors, TopicInvalid);
pyo3::import_exception!(airssys_wasm.errors, Trapped);
pyo3::import_exception!(airssys_wasm.errors, ValueMismatch);
pyo3::import_exception!(airssys_wasm.errors, WitInvalid);

/// Any error of the crates below.
pub enum Error {
    /// From `airssys_core::wit`.
    Wit(WitError),
    /// From `airssys_core::componentize`.
    Componentize(ComponentizeError),
    /// From `airssys_core::multicodec`, and from the readers and writers of Python values.
    Codec(Box<CoreCodecError>),
    /// From `airssys_host`.
    Host(HostError),
    /// From `airssys_host::actor`: a message that was not accepted, or not answered.
    Refusal(Refusal),
    /// From `airssys_host::broker`: an actor that there is not.
    Unregistered(Unregistered),
    /// A Python value that does not fit its WIT type.
    Mismatch(Box<Mismatch>),
    /// Raised by Python itself.
    Python(PyErr),
}

impl Error {
    /// Whether the call it refused was never begun, so that nothing was given away.
    pub fn nothing_ran(&self) -> bool {
        matches!(
            self,
            Self::Host(
                HostError::Busy { .. }
                    | HostError::Reentrant { .. }
                    | HostError::InstanceClosed(_)
                    | HostError::CapacityExhausted(_)
                    | HostError::Engine(_)
            ) | Self::Python(_)
        )
    }
}

/// What every function of this crate returns.
pub type Result<T> = core::result::Result<T, Error>;

impl From<WitError> for Error {
    fn from(error: WitError) -> Self {
        Self::Wit(error)
    }
}

impl From<ComponentizeError> for Error {
    fn from(error: ComponentizeError) -> Self {
        Self::Componentize(error)
    }
}

impl From<Box<CoreCodecError>> for Error {
    fn from(error: Box<CoreCodecError>) -> Self {
        Self::Codec(error)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Codec(problem.into())
    }
}

impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<Box<Mismatch>> for Error {
    fn from(mismatch: Box<Mismatch>) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        // Whoever raises has the GIL, and keeps it. A thread that has not must go
        // through `runtime::exit`, because the interpreter may be ending.
        Python::attach(|py| match error {
            Error::Wit(error) => wit(error),
            Error::Componentize(error) => componentize(error),
            Error::Codec(error) => codec(*error),
            Error::Host(error) => host(py, error),
            Error::Refusal(refusal) => refused(py, refusal),
            Error::Unregistered(error) => unregistered(&error),
            Error::Mismatch(mismatch) => mismatched(py, *mismatch),
            Error::Python(error) => error,
        })
    }
}

fn wit(error: WitError) -> PyErr {
    let message = error.to_string();
    match error {
        WitError::Invalid { location, .. } => {
            let Location { file, line, column } = location;
            WitInvalid::new_err((message, file, line, column))
        }
        WitError::Unreadable { path, .. }
        | WitError::NotText { path, .. }
        | WitError::Empty { path } => WitInvalid::new_err((message, path.display().to_string())),
        WitError::Unlocated { .. }
        | WitError::TooLarge { .. }
        | WitError::World { .. }
        | WitError::Defect(_) => WitInvalid::new_err(message),
        WitError::NotComponent(_) | WitError::Undecodable(_) => ComponentInvalid::new_err(message),
        WitError::NoThread(_) => EngineError::new_err(message),
    }
}

fn componentize(error: ComponentizeError) -> PyErr {
    let message = error.to_string();
    match error {
        ComponentizeError::Wit(error) => wit(error),
        ComponentizeError::NotModule { .. }
        | ComponentizeError::TooLarge { .. }
        | ComponentizeError::NoInterface
        | ComponentizeError::AdapterTwice(_)
        | ComponentizeError::UnknownImports { .. }
        | ComponentizeError::MissingExports { .. }
        | ComponentizeError::Mismatch(_)
        | ComponentizeError::Defect(_) => BuildError::new_err(message),
    }
}

// One class for all problems: what is wrong stands in the text, where in the attributes.
fn codec(error: CoreCodecError) -> PyErr {
    let message = error.to_string();
    let CoreCodecError { offset, path, .. } = error;
    CodecError::new_err((message, offset, path))
}

fn unregistered(error: &Unregistered) -> PyErr {
    let message = error.to_string();
    match error {
        Unregistered::Name(_) => NameTaken::new_err(message),
        Unregistered::Closing => ActorStopped::new_err(message),
        Unregistered::Forked => EngineError::new_err(message),
    }
}

fn refused(py: Python<'_>, refusal: Refusal) -> PyErr {
    let message = refusal.to_string();
    match refusal {
        Refusal::NotFound(actor) => ActorNotFound::new_err((message, actor.to_string())),
        Refusal::Stopped(actor) => ActorStopped::new_err((message, actor.to_string())),
        Refusal::Closing => ActorStopped::new_err(message),
        Refusal::Forked => EngineError::new_err(message),
        Refusal::MailboxFull { actor, .. } => MailboxFull::new_err((message, actor.to_string())),
        Refusal::TooLarge { .. } | Refusal::NeverFits { .. } => MessageTooLarge::new_err(message),
        Refusal::Malformed(_) | Refusal::CodecUnsupported { .. } => CodecError::new_err(message),
        Refusal::CircuitOpen { actor, retry_after } => {
            CircuitOpen::new_err((message, actor.to_string(), retry_after.as_secs_f64()))
        }
        // Of what others sent: the embedder has no limit.
        Refusal::RateLimited(_) => MessagingError::new_err(message),
        Refusal::TimedOut { actor, .. } => AskTimeout::new_err((message, actor.to_string())),
        Refusal::Failed { actor, exit } => {
            let failed = ActorFailed::new_err((message, actor.to_string(), exit.kind()));
            failed.set_cause(py, broker::raised(&exit).map(|error| error.clone_ref(py)));
            failed
        }
        Refusal::Refused { actor, why } => {
            MessageRefused::new_err((message, actor.to_string(), word(&why)))
        }
        Refusal::Cancelled => MessageDropped::new_err(message),
        Refusal::Topic(error) => TopicInvalid::new_err((message, error.problem.at())),
        Refusal::Subscriptions(_) => SubscriptionsFull::new_err(message),
        Refusal::Expired(actor) | Refusal::Dropped(actor) => {
            MessageDropped::new_err((message, actor.to_string()))
        }
    }
}

fn word(refusal: &HandlerRefusal) -> &'static str {
    match refusal {
        HandlerRefusal::Malformed(_) => "malformed",
        HandlerRefusal::CodecUnsupported(_) => "codec-unsupported",
        HandlerRefusal::Unsupported(_) => "unsupported",
        HandlerRefusal::Refused(_) => "refused",
        HandlerRefusal::Busy(_) => "busy",
        HandlerRefusal::Failed(_) => "failed",
    }
}

/// An option that is not what it may be.
#[cold]
pub fn option_mismatch(name: &str, why: &str) -> PyErr {
    ValueMismatch::new_err((format!("{name}: {why}"), name.to_owned()))
}

fn mismatched(py: Python<'_>, mut mismatch: Mismatch) -> PyErr {
    let cause = mismatch.take_cause();
    let path = mismatch.path();
    let message = if path.is_empty() {
        mismatch.why().to_owned()
    } else {
        format!("arg '{path}': {}", mismatch.why())
    };
    let raised = ValueMismatch::new_err((message, path));
    let Some(cause) = cause else { return raised };
    // Ctrl-C while a value was asked means the whole program.
    if !cause.is_instance_of::<PyException>(py) {
        return cause;
    }
    raised.set_cause(py, Some(cause));
    raised
}

fn host(py: Python<'_>, error: HostError) -> PyErr {
    let message = error.to_string();
    match error {
        HostError::ComponentInvalid(_) => ComponentInvalid::new_err(message),
        HostError::ImportMissing { missing, .. } => import_missing(py, message, missing),
        HostError::ImportMismatch(_) => ImportMissing::new_err(message),
        HostError::ExportMissing(_) => ExportMissing::new_err(message),
        HostError::LimitInvalid(_) => LimitInvalid::new_err(message),
        HostError::Engine(_) | HostError::Interrupted => EngineError::new_err(message),
        HostError::CompileRefused(_) => CompileRefused::new_err(message),
        HostError::CapacityExhausted(_) => CapacityExhausted::new_err(message),
        HostError::InstanceClosed(_) => InstanceClosed::new_err(message),
        HostError::Busy { .. } => InstanceBusy::new_err(message),
        HostError::Reentrant { .. } => ReentrantCall::new_err(message),
        HostError::Failed(failure) => failed(py, message, *failure),
    }
}

fn import_missing(py: Python<'_>, message: String, missing: Vec<MissingImport>) -> PyErr {
    let pairs = missing.into_iter().map(|import| (import.name, import.hint));
    match PyTuple::new(py, pairs.collect::<Vec<_>>()) {
        Ok(pairs) => ImportMissing::new_err((message, pairs.unbind())),
        Err(error) => error,
    }
}

fn failed(py: Python<'_>, message: String, failure: Failure) -> PyErr {
    let Failure {
        family,
        kind,
        component,
        export,
        backtrace,
        cause,
        ..
    } = failure;
    let backtrace = match PyTuple::new(py, backtrace) {
        Ok(backtrace) => backtrace.unbind(),
        Err(error) => return error,
    };
    let arguments = (message, kind, component, export, backtrace);
    let raised = match family {
        Family::Trapped => Trapped::new_err(arguments),
        Family::Timeout => CallTimeout::new_err(arguments),
        Family::Fuel => FuelExhausted::new_err(arguments),
        Family::Memory => OutOfMemory::new_err(arguments),
    };
    match cause.and_then(python_cause) {
        // Ctrl-C and exit() in a host function mean the whole program.
        Some(cause) if !cause.is_instance_of::<PyException>(py) => cause,
        cause => {
            raised.set_cause(py, cause);
            raised
        }
    }
}

fn python_cause(error: airssys_host::wasmtime::Error) -> Option<PyErr> {
    let failed = error.downcast::<HostFunctionFailed>().ok()?;
    failed.cause?.downcast::<PyErr>().ok().map(|error| *error)
}

/// The exception for the err case of a `result`.
pub fn component_error(value: Bound<'_, PyAny>) -> PyErr {
    ComponentError::new_err((value.unbind(),))
}

/// The value of a `ComponentError`, or `None` if `error` is another exception.
///
/// # Errors
///
/// If its value cannot be read.
pub fn err_value<'py>(py: Python<'py>, error: &PyErr) -> PyResult<Option<Bound<'py, PyAny>>> {
    if !error.is_instance_of::<ComponentError>(py) {
        return Ok(None);
    }
    error.value(py).getattr("value").map(Some)
}
