//! Why a text is not an address.

use std::fmt;

/// Characters of a wrong address that an error repeats.
const QUOTED_CHARS_MAX: usize = 80;

/// A part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Who it belongs to.
    Namespace,
    /// Which component it is.
    Name,
    /// Which of its instances.
    Instance,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "namespace",
            Self::Name => "name",
            Self::Instance => "instance",
        })
    }
}

/// What is wrong with a part of an address. Offsets are bytes in the whole text, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Problem {
    /// It is shorter than it must be.
    TooShort {
        /// Its length in bytes.
        bytes: usize,
        /// The least.
        bytes_min: usize,
    },
    /// It is longer than it may be.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The most.
        bytes_max: usize,
    },
    /// It holds a character that it may not.
    Character {
        /// Which.
        character: char,
        /// Where.
        at: usize,
    },
    /// It does not begin with a letter.
    Start {
        /// What it begins with.
        character: char,
        /// Where.
        at: usize,
    },
    /// It ends with `-`.
    End {
        /// Where.
        at: usize,
    },
}

/// Why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// One part is not written as it must be.
    #[error("{text} is no address: the {part} {}; hint: {}", told(*problem), hint(*part))]
    Part {
        /// The text, quoted, and cut short if it is long.
        text: String,
        /// Which part.
        part: Part,
        /// What is wrong with it.
        problem: Problem,
    },

    /// More than three parts.
    #[error(
        "{text} is no address: a fourth part begins at byte {at}; \
         hint: write `namespace/name/instance`"
    )]
    TooManyParts {
        /// The text, quoted, and cut short if it is long.
        text: String,
        /// Offset of the fourth part in bytes.
        at: usize,
    },
}

/// `text` for an error: in quotes, without control characters, and not at any length.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

fn told(problem: Problem) -> String {
    match problem {
        Problem::TooShort { bytes: 0, .. } => "is empty".to_owned(),
        Problem::TooShort { bytes, bytes_min } => {
            format!("has {bytes} bytes, it needs at least {bytes_min}")
        }
        Problem::TooLong { bytes, bytes_max } => {
            format!("has {bytes} bytes, it may have {bytes_max}")
        }
        Problem::Character { character, at } => format!("has {character:?} at byte {at}"),
        Problem::Start { character, at } => format!("begins with {character:?} at byte {at}"),
        Problem::End { at } => format!("ends with '-' at byte {at}"),
    }
}

fn hint(part: Part) -> &'static str {
    match part {
        Part::Name => {
            "3 to 64 of a-z, 0-9 and '-', a letter first and no '-' last, such as `acme/resizer`"
        }
        Part::Namespace | Part::Instance => "1 to 64 of a-z, 0-9 and '-', such as `acme/resizer/0`",
    }
}
