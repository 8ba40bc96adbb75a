//! Why a module does not become a component.

use std::fmt;

use crate::wit::WitError;
use crate::wit::bounded::Stopped;

/// A function that a core module imports, written `module::name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreImport {
    /// The module part, by convention an interface.
    pub module: String,
    /// The function.
    pub name: String,
}

impl fmt::Display for CoreImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}::{}`", self.module, self.name)
    }
}

/// Why a module does not become a component.
#[derive(Debug, thiserror::Error)]
pub enum ComponentizeError {
    /// The bytes are not a core module.
    #[error("{what} is not a core WebAssembly module: {problem}")]
    NotModule {
        /// Which of the inputs.
        what: String,
        /// What it is instead.
        problem: String,
    },

    /// The module is larger than accepted.
    #[error("{what} has {bytes} bytes, the limit is {bytes_max}")]
    TooLarge {
        /// Which of the inputs.
        what: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },

    /// The module does not say in WIT what it imports and exports.
    #[error(
        "the module has no `component-type` section, so nothing says what it imports and exports; \
         hint: build it with a binding generator, or name the WIT and the world"
    )]
    NoInterface,

    /// Two adapters of one name.
    #[error("two adapters are named `{0}`; hint: give each module name one adapter")]
    AdapterTwice(String),

    /// The module imports functions that its world does not import.
    #[error(
        "the module imports {}, which no interface of its world gives{}",
        listed(imports),
        hint(imports)
    )]
    UnknownImports {
        /// All of them, in the order of the module.
        imports: Vec<CoreImport>,
    },

    /// The module leaves out functions that its world exports.
    #[error(
        "the world exports {}, which the module does not; \
         hint: implement them, or build against a world without them",
        names.join(", ")
    )]
    MissingExports {
        /// Their names in the core module.
        names: Vec<String>,
    },

    /// The module and its interface do not fit in another way.
    #[error("the module does not fit its interface: {0}")]
    Mismatch(String),

    /// The WIT handed in is wrong.
    #[error(transparent)]
    Wit(#[from] WitError),

    /// The encoder gave up in a way that it should not: a defect of ours.
    #[error("the component encoder failed on this input ({0}); hint: please report it")]
    Defect(String),
}

impl From<Stopped> for ComponentizeError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Panicked(message) => Self::Defect(message),
            Stopped::NoThread(source) => Self::Wit(WitError::NoThread(source)),
        }
    }
}

fn listed(imports: &[CoreImport]) -> String {
    let names: Vec<_> = imports.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// The commonest cause, where the module name gives it away.
fn hint(imports: &[CoreImport]) -> &'static str {
    let imports_from = |module: &str| imports.iter().any(|import| import.module == module);
    if imports_from("wasi_snapshot_preview1") {
        "; hint: the module was built for WASI 0.1; build it for WASI 0.2, or pass the adapter \
         `wasi_snapshot_preview1`"
    } else if imports_from("env") {
        "; hint: `env` holds symbols that the linker did not find; link the library that defines \
         them"
    } else {
        "; hint: add the interface to the world, or stop importing it"
    }
}
