//! What can be wrong with WIT.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use wit_parser::{ParseError, ResolveError, SourceMap, Span};

use super::bounded::Stopped;

/// A place in a WIT file; lines and columns count from 1, columns in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as it was named by the caller.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why WIT could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WitError {
    /// The text does not parse, or its names do not resolve.
    #[error("{location}: {message}")]
    Invalid {
        /// Where.
        location: Location,
        /// What.
        message: String,
    },

    /// The WIT is wrong, at no place that can be pointed to.
    #[error("{message}")]
    Unlocated {
        /// What.
        message: String,
    },

    /// A file or directory could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// A file that is not UTF-8, or no regular file.
    #[error("{path}: {problem}", path = path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        problem: &'static str,
    },

    /// A directory without a WIT file.
    #[error("{path}: no `.wit` file in this directory; hint: name the directory that holds the package", path = path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },

    /// The bytes are no component and no WIT package.
    #[error("{0}")]
    NotComponent(NotComponent),

    /// A component that is broken, or whose types WIT cannot say.
    #[error("the component's types cannot be read: {0}")]
    Undecodable(String),

    /// More input than is accepted.
    #[error("{what} is {size}, the limit is {size_max}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        size_max: usize,
    },

    /// The package has no such world, or more than one to choose from.
    #[error("{message}; hint: worlds here: {}", known.join(", "))]
    World {
        /// What was asked for and why it did not do.
        message: String,
        /// The worlds of the package.
        known: Vec<String>,
    },

    /// The decoder gave up in a way that it should not: a defect of ours.
    #[error("the WIT decoder failed on this input ({0}); hint: please report it")]
    Defect(String),

    /// The system had no thread for the work.
    #[error("no thread for decoding WIT: {0}")]
    NoThread(std::io::Error),
}

/// What the bytes were instead of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotComponent {
    /// Nothing at all.
    #[error("the file is empty")]
    Empty,
    /// A core module.
    #[error(
        "this is a core module, not a component; hint: build a component from it with `airssys-wasm build`"
    )]
    CoreModule,
    /// No WebAssembly.
    #[error("this is not WebAssembly: it does not start with the magic number \\0asm")]
    NotWasm,
    /// WebAssembly of a version that this decoder does not know.
    #[error("unknown WebAssembly binary version {0:#x}")]
    UnknownVersion(u32),
}

impl From<Stopped> for WitError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Panicked(message) => Self::Defect(message),
            Stopped::NoThread(source) => Self::NoThread(source),
        }
    }
}

impl WitError {
    /// Turns a parse error into ours, with its place in `sources`.
    pub(super) fn from_parse(error: &ParseError, sources: &SourceMap) -> Self {
        Self::placed(locate(error.kind().span(), sources), error.to_string())
    }

    /// Turns a resolve error into ours, with its place in `sources`.
    pub(super) fn from_resolve(error: &ResolveError, sources: &SourceMap) -> Self {
        Self::placed(locate(error.kind().span(), sources), error.to_string())
    }

    fn placed(location: Option<Location>, message: String) -> Self {
        match location {
            Some(location) => Self::Invalid { location, message },
            None => Self::Unlocated { message },
        }
    }
}

/// Joins an error and its causes into one line, outermost first.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn locate(span: Span, sources: &SourceMap) -> Option<Location> {
    sources.resolve_span(span)?;
    // The rendered form is `file:line:column`; a file name may hold colons.
    let rendered = sources.render_location(span);
    let mut parts = rendered.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = parts.next()?.to_owned();
    Some(Location { file, line, column })
}
