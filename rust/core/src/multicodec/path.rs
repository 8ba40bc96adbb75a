//! Places in a value, as people write them.

use std::fmt::Write;

/// Steps that are shown; of a longer path the last ones.
const STEPS_SHOWN: usize = 24;
/// Characters of a key that are shown.
const KEY_CHARS_SHOWN: usize = 48;

/// One step into a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// An item of a list.
    Index(usize),
    /// The value under a text.
    Key(&'a str),
    /// The value under a key that is no text, as it is to be shown.
    OtherKey(&'a str),
    /// A key itself.
    OfKey,
}

/// A path under construction, from the root.
#[derive(Debug, Default)]
pub struct Path(String);

impl Path {
    /// Writes the last steps of a path.
    pub fn of(steps: &[Step<'_>]) -> String {
        let hidden = steps.len().saturating_sub(STEPS_SHOWN);
        let mut path = Self(if hidden > 0 {
            "…".into()
        } else {
            String::new()
        });
        for step in &steps[hidden..] {
            path.push(*step);
        }
        path.0
    }

    fn push(&mut self, step: Step<'_>) {
        // Writing into a String cannot fail.
        let _ = match step {
            Step::Index(index) => write!(self.0, "[{index}]"),
            Step::Key(key) if is_word(key) && self.0.is_empty() => write!(self.0, "{key}"),
            Step::Key(key) if is_word(key) => write!(self.0, ".{key}"),
            Step::Key(key) => write!(self.0, "[{:?}]", shortened(key)),
            Step::OtherKey(key) => write!(self.0, "[{}]", shortened(key)),
            Step::OfKey => write!(self.0, "{{key}}"),
        };
    }
}

fn is_word(key: &str) -> bool {
    let fits = (1..=KEY_CHARS_SHOWN).contains(&key.len());
    fits && key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn shortened(key: &str) -> String {
    let mut chars = key.chars();
    let mut shown: String = chars.by_ref().take(KEY_CHARS_SHOWN).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
