//! Why a text is not a topic, or not a pattern.

use std::fmt;

use super::TOPIC_BYTES_MAX;

/// What the text was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Written {
    /// A topic to publish on.
    Topic,
    /// A pattern to subscribe to, or to grant.
    Pattern,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "topic",
            Self::Pattern => "topic pattern",
        })
    }
}

/// Why a text is not a topic, or not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} is no {written}: {problem}")]
pub struct TopicError {
    /// The text, quoted, and cut short if it is long.
    pub text: String,
    /// What it was meant to be.
    pub written: Written,
    /// What is wrong with it.
    pub problem: TopicProblem,
}

/// What is wrong with a topic or pattern. Offsets are in bytes, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TopicProblem {
    /// No text.
    #[error("it is empty; hint: write names joined by dots, such as `orders.created`")]
    Empty,
    /// More text than may be.
    #[error("it has {bytes} bytes; hint: at most {TOPIC_BYTES_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A dot with nothing before or behind it.
    #[error("the name at byte {at} is empty; hint: one dot between two names, and none at an end")]
    EmptyName {
        /// Where the name should begin.
        at: usize,
    },
    /// A character that names are not written with.
    #[error("it has {character:?} at byte {at}; hint: names are of a-z, 0-9, '_' and '-'")]
    Character {
        /// Which.
        character: char,
        /// Where.
        at: usize,
    },
    /// A wildcard in a topic.
    #[error("it has a wildcard at byte {at}; hint: a message is published on one topic")]
    Wildcard {
        /// Where.
        at: usize,
    },
    /// A wildcard beside other characters of a name.
    #[error("the wildcard at byte {at} is not a whole name; hint: write `orders.*`, not `ord*`")]
    PartialWildcard {
        /// Where.
        at: usize,
    },
    /// `#` before the last name.
    #[error("`#` at byte {at} is not the last name; hint: use `*` for one name in the middle")]
    RestNotLast {
        /// Where.
        at: usize,
    },
    /// `$` first.
    #[error("what begins with `$` is reserved; hint: choose another first name")]
    Reserved,
}

impl TopicProblem {
    /// Where it is, in bytes from 0; none if it is about all of it.
    pub fn at(&self) -> Option<usize> {
        match *self {
            Self::EmptyName { at }
            | Self::Character { at, .. }
            | Self::Wildcard { at }
            | Self::PartialWildcard { at }
            | Self::RestNotLast { at } => Some(at),
            Self::Reserved => Some(0),
            Self::Empty | Self::TooLong { .. } => None,
        }
    }
}
