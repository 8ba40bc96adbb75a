//! Topics, patterns, and what is in what.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{TOPIC_BYTES_MAX, TopicError, TopicProblem, Written};
use crate::address::quoted;

pub(super) const ANY_NAME: &str = "*";
pub(super) const ANY_REST: &str = "#";

/// A topic that is written as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Topic<'a>(&'a str);

/// A pattern that is written as it must be. A clone shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPattern(Arc<str>);

impl<'a> Topic<'a> {
    /// Reads a topic, without copying it.
    ///
    /// # Errors
    ///
    /// [`TopicError`] says what is wrong, and where.
    pub fn parse(text: &'a str) -> Result<Self, TopicError> {
        check(text, Written::Topic)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.split('.')
    }
}

impl TopicPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`TopicError`] says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        check(text, Written::Pattern)?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a topic is one of those it stands for. O(bytes).
    pub fn matches(&self, topic: Topic<'_>) -> bool {
        let mut topic = topic.names();
        for wanted in self.names() {
            match (wanted, topic.next()) {
                (ANY_REST, _) => return true,
                (ANY_NAME, Some(_)) => {}
                (wanted, Some(name)) if wanted == name => {}
                (_, Some(_) | None) => return false,
            }
        }
        topic.next().is_none()
    }

    /// Whether every topic that `other` stands for is one of its own too. O(bytes).
    ///
    /// A grant of `orders.#` covers a subscription to `orders.*`, and not one to `#`.
    pub fn contains(&self, other: &Self) -> bool {
        // No topic is empty, so a lone `#` stands for what `*.#` does.
        let mut outer = self.names_of_language();
        let mut inner = other.names_of_language();
        loop {
            match (outer.next(), inner.next()) {
                (Some(ANY_REST), _) | (None, None) => return true,
                (None, Some(_)) | (Some(_), None | Some(ANY_REST)) => return false,
                (Some(ANY_NAME), Some(_)) => {}
                (Some(wanted), Some(name)) if wanted == name => {}
                (Some(_), Some(_)) => return false,
            }
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    fn names_of_language(&self) -> impl Iterator<Item = &str> {
        let first = (&*self.0 == ANY_REST).then_some(ANY_NAME);
        first.into_iter().chain(self.names())
    }
}

impl FromStr for TopicPattern {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        Self::parse(text)
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str, written: Written) -> Result<(), TopicError> {
    if is_plain(text) {
        return Ok(());
    }
    problem(text, written).map_or(Ok(()), |problem| {
        Err(TopicError {
            text: quoted(text),
            written,
            problem,
        })
    })
}

/// Whether a text is a topic, without saying why not. No byte is left out early, so that the
/// compiler can look at many at a time.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some((b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-', behind_first)), Some(last)) =
        (bytes.split_first(), bytes.last())
    else {
        return false;
    };
    if *last == b'.' || bytes.len() > TOPIC_BYTES_MAX {
        return false;
    }
    let allowed = |&byte: &u8| is_in_name(byte) || byte == b'.';
    let two_dots = |(&one, &next): (&u8, &u8)| (one, next) == (b'.', b'.');
    let all_allowed = bytes.iter().fold(true, |all, byte| all & allowed(byte));
    let pairs = bytes.iter().zip(behind_first);
    all_allowed && !pairs.fold(false, |any, pair| any | two_dots(pair))
}

const fn is_in_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')
}

#[cold]
fn problem(text: &str, written: Written) -> Option<TopicProblem> {
    if text.is_empty() {
        return Some(TopicProblem::Empty);
    }
    if text.len() > TOPIC_BYTES_MAX {
        let bytes = text.len();
        return Some(TopicProblem::TooLong { bytes });
    }
    if text.starts_with('$') {
        return Some(TopicProblem::Reserved);
    }
    let mut at = 0;
    for name in text.split('.') {
        let is_last = at + name.len() == text.len();
        let problem = match written {
            Written::Pattern if name == ANY_NAME || name == ANY_REST && is_last => None,
            Written::Pattern if name == ANY_REST => Some(TopicProblem::RestNotLast { at }),
            _ => problem_of_name(name, at, written),
        };
        if problem.is_some() {
            return problem;
        }
        at += name.len() + 1;
    }
    None
}

fn problem_of_name(name: &str, at: usize, written: Written) -> Option<TopicProblem> {
    if name.is_empty() {
        return Some(TopicProblem::EmptyName { at });
    }
    let allowed = |c: char| u8::try_from(c).is_ok_and(is_in_name);
    let (offset, character) = name.char_indices().find(|&(_, c)| !allowed(c))?;
    let at = at + offset;
    Some(match (character, written) {
        ('*' | '#', Written::Topic) => TopicProblem::Wildcard { at },
        ('*' | '#', Written::Pattern) => TopicProblem::PartialWildcard { at },
        _ => TopicProblem::Character { character, at },
    })
}
