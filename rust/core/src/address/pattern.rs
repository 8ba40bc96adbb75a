//! Patterns of addresses, for what an actor may send to and hear from.

use super::{ComponentId, DEFAULT_NAMESPACE, quoted};
use globset::{GlobBuilder, GlobMatcher};
use std::fmt;

/// Bytes of a pattern at most.
const PATTERN_BYTES_MAX: usize = 256;

/// A pattern of addresses: `acme/*`, `acme/worker/3`, `**`.
///
/// `*` is any text inside one part, `**` any parts, `?` one character, `[…]` one of
/// those, `{a,b}` either. A pattern without an instance stands for all of them, and a
/// name alone is in the namespace `local`.
#[derive(Clone)]
pub struct AddressPattern {
    text: String,
    glob: GlobMatcher,
}

/// A pattern that is not written as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pattern {text} {why}; hint: such as \"acme/worker\", \"acme/*\" or \"**\"")]
pub struct AddressPatternError {
    text: String,
    why: String,
}

impl AddressPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`AddressPatternError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressPatternError> {
        let wrong = |why: &str| AddressPatternError {
            text: quoted(text),
            why: why.to_owned(),
        };
        if text.is_empty() {
            return Err(wrong("is empty"));
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(wrong("is longer than 256 bytes"));
        }
        if text.split('/').any(str::is_empty) {
            return Err(wrong("has an empty part"));
        }
        let full = if text.contains('/') || text == "**" {
            text.to_owned()
        } else {
            format!("{DEFAULT_NAMESPACE}/{text}")
        };
        let glob = GlobBuilder::new(&full)
            .literal_separator(true)
            .backslash_escape(false)
            .build()
            .map_err(|error| wrong(&format!("is no pattern: {}", error.kind())))?;
        Ok(Self {
            text: text.to_owned(),
            glob: glob.compile_matcher(),
        })
    }

    /// Whether it stands for an address.
    pub fn matches(&self, id: &ComponentId) -> bool {
        let family = id.family().trim_end_matches('/');
        self.glob.is_match(family) || self.glob.is_match(id.as_str())
    }
}

impl fmt::Debug for AddressPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PartialEq for AddressPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for AddressPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        let id = ComponentId::parse(address).unwrap();
        AddressPattern::parse(pattern).unwrap().matches(&id)
    }

    #[test]
    fn a_pattern_stands_for_what_its_table_says() {
        for (pattern, address, expected) in [
            ("acme/worker", "acme/worker", true),
            ("acme/worker", "acme/worker/3", true),
            ("acme/worker", "acme/workers", false),
            ("acme/worker/3", "acme/worker/3", true),
            ("acme/worker/3", "acme/worker/30", false),
            ("acme/worker/0", "acme/worker", true),
            ("acme/*", "acme/worker", true),
            ("acme/*", "acme/worker/7", true),
            ("acme/*", "other/worker", false),
            ("acme/w*r", "acme/worker", true),
            ("*", "worker", true),
            ("*", "acme/worker", false),
            ("worker", "local/worker", true),
            ("worker", "acme/worker", false),
            ("**", "acme/worker/9", true),
            ("acme/**", "acme/worker/9", true),
            ("acme/**", "acmes/worker/9", false),
            ("{acme,local}/worker", "local/worker", true),
            ("{acme,local}/worker", "other/worker", false),
            ("acme/worker/[0-3]", "acme/worker/2", true),
            ("acme/worker/[0-3]", "acme/worker/4", false),
            ("acme/wor?er", "acme/worker", true),
        ] {
            assert_eq!(matches(pattern, address), expected, "{pattern} {address}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let long = "a".repeat(PATTERN_BYTES_MAX + 1);
        for (text, why) in [
            ("", "is empty"),
            ("acme//worker", "an empty part"),
            ("/acme", "an empty part"),
            ("acme/[", "is no pattern"),
            ("acme/{a", "is no pattern"),
            (long.as_str(), "longer"),
        ] {
            let error = AddressPattern::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
