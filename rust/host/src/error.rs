//! Every way the host can refuse or fail, one variant for each kind.

use crate::printable::printable;
use crate::trap::Failure;

/// Missing imports that a message spells out; the error itself has them all.
const IMPORTS_SHOWN_MAX: usize = 100;

/// Result of a host operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One import that the component asks for and was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingImport {
    /// `interface` or `interface#function`, as the component names it.
    pub name: String,
    /// What would give it: a grant or an `imports=` entry.
    pub hint: String,
}

/// Why a host operation did not happen, or how it ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not a component this host can run.
    #[error("{0}")]
    ComponentInvalid(String),
    /// The component imports what it was not given.
    #[error("{}", import_message(.component, .missing))]
    ImportMissing {
        /// Name the component was loaded under.
        component: String,
        /// Each import that is missing.
        missing: Vec<MissingImport>,
    },
    /// An import given by the embedder does not fit the component.
    #[error("{0}")]
    ImportMismatch(String),
    /// The component does not export what was asked for.
    #[error("{0}")]
    ExportMissing(String),
    /// A limit is zero, negative or above the engine's policy.
    #[error("{0}")]
    LimitInvalid(String),
    /// The engine could not be set up.
    #[error("{0}")]
    Engine(String),
    /// Compiling needs more size, time or memory than the engine allows.
    #[error("{0}")]
    CompileRefused(String),
    /// The embedder asked for the work to be stopped.
    #[error("the embedder interrupted the work")]
    Interrupted,
    /// The engine holds as many live instances as it can.
    #[error("{0}")]
    CapacityExhausted(String),
    /// The instance was closed, or failed earlier.
    #[error("{0}")]
    InstanceClosed(String),
    /// The instance stayed busy for as long as a call may last.
    #[error(
        "component {component:?} stayed busy for {call_seconds_max} s, so {export:?} was not \
         called; hint: give each thread an instance of its own"
    )]
    Busy {
        /// Name the component was loaded under.
        component: String,
        /// The export asked for.
        export: String,
        /// How long the caller waited: the limit of one call.
        call_seconds_max: f64,
    },
    /// A call would re-enter the instance that is making it.
    #[error(
        "call of {export:?} re-enters the instance of component {component:?} that is making it; \
         hint: use a second instance"
    )]
    Reentrant {
        /// Name the component was loaded under.
        component: String,
        /// The export asked for.
        export: String,
    },
    /// A call ended the instance.
    #[error("{0}")]
    Failed(Box<Failure>),
}

fn import_message(component: &str, missing: &[MissingImport]) -> String {
    use std::fmt::Write as _;

    let mut text = format!("component {component:?} imports what it was not given:");
    for import in missing.iter().take(IMPORTS_SHOWN_MAX) {
        // Writing to a String cannot fail.
        let name = printable(&import.name, false);
        let _ = write!(text, "\n  {name}\n    hint: {}", import.hint);
    }
    if let Some(rest) = missing
        .len()
        .checked_sub(IMPORTS_SHOWN_MAX)
        .filter(|rest| *rest > 0)
    {
        let _ = write!(text, "\n  and {rest} more");
    }
    text
}
