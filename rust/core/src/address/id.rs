//! The address of a component, as people write it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::error::quoted;
use super::{AddressError, Part, Problem};

/// The namespace of an address that names none.
pub const DEFAULT_NAMESPACE: &str = "local";

/// The instance of an address that names none.
pub const DEFAULT_INSTANCE: &str = "0";

const DEFAULT_NAMESPACE_PART: &str = "local/";
const DEFAULT_INSTANCE_PART: &str = "/0";

const NAME_BYTES_MIN: usize = 3;
const PART_BYTES_MAX: usize = 64;

/// Longest canonical text, in bytes: three parts and two slashes.
const TEXT_BYTES_MAX: usize = 3 * PART_BYTES_MAX + 2;

/// The address of a component: namespace, name, instance.
///
/// A clone shares the text. Two are equal, and hash alike, if their canonical texts are.
#[derive(Clone)]
pub struct ComponentId {
    text: Arc<str>,
    name_at: u8,
    instance_at: u8,
    /// Where the text without defaults begins and ends.
    shortest: [u8; 2],
}

impl ComponentId {
    /// The address of these parts.
    ///
    /// # Errors
    ///
    /// [`AddressError`] names the part that is not written as it must be.
    pub fn new(namespace: &str, name: &str, instance: &str) -> Result<Self, AddressError> {
        let text = || format!("{namespace}/{name}/{instance}");
        let name_at = namespace.len() + 1;
        let instance_at = name_at + name.len() + 1;
        let parts = [
            (Part::Namespace, namespace, 0),
            (Part::Name, name, name_at),
            (Part::Instance, instance, instance_at),
        ];
        for (part, value, at) in parts {
            check(part, value, at).map_err(|problem| AddressError::Part {
                text: quoted(&text()),
                part,
                problem,
            })?;
        }
        Ok(Self::joined(namespace, name, instance))
    }

    /// Reads `name`, `namespace/name` or `namespace/name/instance`.
    ///
    /// # Errors
    ///
    /// [`AddressError`] says which part is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let written = split(text)?;
        for (part, value, at) in written.parts() {
            check(part, value, at).map_err(|problem| AddressError::Part {
                text: quoted(text),
                part,
                problem,
            })?;
        }
        Ok(Self::joined(
            written.namespace,
            written.name,
            written.instance,
        ))
    }

    /// The address of another instance of the same component.
    ///
    /// # Errors
    ///
    /// [`AddressError`] if `instance` is not written as it must be.
    pub fn with_instance(&self, instance: &str) -> Result<Self, AddressError> {
        Self::new(self.namespace(), self.name(), instance)
    }

    /// Who it belongs to.
    pub fn namespace(&self) -> &str {
        &self.text[..usize::from(self.name_at) - 1]
    }

    /// Which component it is.
    pub fn name(&self) -> &str {
        &self.text[usize::from(self.name_at)..usize::from(self.instance_at) - 1]
    }

    /// Which of its instances.
    pub fn instance(&self) -> &str {
        &self.text[usize::from(self.instance_at)..]
    }

    /// The canonical text, with all three parts.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `namespace/name/`: what the instances of one component have in common.
    pub fn family(&self) -> &str {
        &self.text[..usize::from(self.instance_at)]
    }

    /// The address as people write it: the only instance needs no number.
    pub fn written(&self) -> &str {
        if self.instance() == DEFAULT_INSTANCE {
            self.family().trim_end_matches('/')
        } else {
            self.as_str()
        }
    }

    /// The text without the parts that have a default.
    #[inline]
    pub(crate) fn shortest(&self) -> &str {
        let [begin, end] = self.shortest;
        &self.text[usize::from(begin)..usize::from(end)]
    }

    fn joined(namespace: &str, name: &str, instance: &str) -> Self {
        let mut text = String::with_capacity(TEXT_BYTES_MAX);
        for part in [namespace, "/", name, "/", instance] {
            text.push_str(part);
        }
        // Each part was checked to have at most 64 bytes, so all offsets fit.
        let offset = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
        let short = shortest(&text).len();
        let begin = if instance == DEFAULT_INSTANCE && namespace == DEFAULT_NAMESPACE {
            DEFAULT_NAMESPACE_PART.len()
        } else {
            0
        };
        Self {
            name_at: offset(namespace.len() + 1),
            instance_at: offset(namespace.len() + name.len() + 2),
            shortest: [offset(begin), offset(begin + short)],
            text: text.into(),
        }
    }
}

/// The shortest text of the address that `text` writes: two texts of one address have the same,
/// and texts of different addresses never do. A text that is no address gets one that no address
/// has.
#[inline]
pub(crate) fn shortest(text: &str) -> &str {
    let Some(without) = text.strip_suffix(DEFAULT_INSTANCE_PART) else {
        return without_namespace(text);
    };
    // What is left must be namespace and name: `resizer/0` is no instance of anything.
    if without.bytes().filter(|&byte| byte == b'/').count() == 1 {
        without_namespace(without)
    } else {
        text
    }
}

/// Leaves out the default namespace, but not before an instance: what is left of
/// `local/resizer/blue` would be another name.
#[inline]
fn without_namespace(text: &str) -> &str {
    match text.strip_prefix(DEFAULT_NAMESPACE_PART) {
        Some(name) if !name.contains('/') => name,
        _ => text,
    }
}

struct Written<'a> {
    namespace: &'a str,
    name: &'a str,
    name_at: usize,
    instance: &'a str,
    instance_at: usize,
}

impl<'a> Written<'a> {
    /// Each part with its offset. Those left out are the defaults, which are right.
    fn parts(&self) -> [(Part, &'a str, usize); 3] {
        [
            (Part::Namespace, self.namespace, 0),
            (Part::Name, self.name, self.name_at),
            (Part::Instance, self.instance, self.instance_at),
        ]
    }
}

fn split(text: &str) -> Result<Written<'_>, AddressError> {
    let Some((namespace, rest)) = text.split_once('/') else {
        return Ok(Written {
            namespace: DEFAULT_NAMESPACE,
            name: text,
            name_at: 0,
            instance: DEFAULT_INSTANCE,
            instance_at: text.len(),
        });
    };
    let name_at = namespace.len() + 1;
    let (name, instance) = rest.split_once('/').unwrap_or((rest, DEFAULT_INSTANCE));
    let instance_at = name_at + name.len() + 1;
    if let Some(slash) = instance.find('/') {
        return Err(AddressError::TooManyParts {
            text: quoted(text),
            at: instance_at + slash + 1,
        });
    }
    Ok(Written {
        namespace,
        name,
        name_at,
        instance,
        instance_at,
    })
}

fn check(part: Part, value: &str, at: usize) -> Result<(), Problem> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some((offset, character)) = value.char_indices().find(|&(_, c)| !allowed(c)) {
        let at = at + offset;
        return Err(Problem::Character { character, at });
    }
    let bytes = value.len();
    let bytes_min = if part == Part::Name {
        NAME_BYTES_MIN
    } else {
        1
    };
    if bytes < bytes_min {
        return Err(Problem::TooShort { bytes, bytes_min });
    }
    if bytes > PART_BYTES_MAX {
        return Err(Problem::TooLong {
            bytes,
            bytes_max: PART_BYTES_MAX,
        });
    }
    if part == Part::Name {
        check_ends(value, at)?;
    }
    Ok(())
}

fn check_ends(name: &str, at: usize) -> Result<(), Problem> {
    if let Some(character) = name.chars().next().filter(|c| !c.is_ascii_lowercase()) {
        return Err(Problem::Start { character, at });
    }
    if name.ends_with('-') {
        return Err(Problem::End {
            at: at + name.len() - 1,
        });
    }
    Ok(())
}

impl FromStr for ComponentId {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for ComponentId {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ComponentId {}

impl Hash for ComponentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for ComponentId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ComponentId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}
