//! Schemas of Borsh: its bytes say nothing about their type, so both ends know it.

use super::{Outcome, Problem};

/// Deepest nesting of a schema; readers and writers recurse as deep as it.
pub const SCHEMA_DEPTH_MAX: usize = 64;

/// Types that a schema may consist of.
pub const SCHEMA_TYPES_MAX: usize = 10_000;

/// A number of a fixed width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    /// Its width: 1, 2, 4, 8 or 16.
    pub bytes: usize,
    /// Whether it may be negative.
    pub signed: bool,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// An integer, little-endian.
    Integer(Integer),
    /// A float of 32 bits; never NaN.
    F32,
    /// A float of 64 bits; never NaN.
    F64,
    /// One byte, 0 or 1.
    Bool,
    /// Nothing.
    Unit,
    /// A `u32` and so many bytes of UTF-8.
    Text,
    /// A `u32` and so many bytes.
    Bytes,
    /// A `u32` and so many items.
    List(Schema),
    /// So many items.
    Array(Schema, usize),
    /// So many bytes.
    ByteArray(usize),
    /// One byte, 0 or 1, and for 1 a value.
    Option(Schema),
    /// One of each.
    Tuple(Vec<Schema>),
    /// One of each, by name.
    Struct(Vec<(String, Schema)>),
    /// One byte, the index of the case, and its value; [`Type::Unit`] for none.
    Enum(Vec<(String, Schema)>),
    /// A `u32` and so many pairs, sorted by key.
    Map(Schema, Schema),
    /// A `u32` and so many items, sorted.
    Set(Schema),
}

/// A type and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    kind: std::sync::Arc<Type>,
    bytes_min: usize,
    depth: usize,
    types: usize,
}

/// Cases of an enum: its index is one byte.
const CASES_MAX: usize = 256;

impl Schema {
    /// Checks a type.
    ///
    /// # Errors
    ///
    /// [`Problem::Schema`]: it nests or branches too much; it has a list of items without a
    /// size, whose count nothing would bound; an option of an option; its keys have no order here; its names
    /// repeat; an enum has no case or too many.
    pub fn new(kind: Type) -> Outcome<Self> {
        check(&kind)?;
        let parts = parts(&kind);
        let depth = 1 + parts.iter().map(|part| part.depth).max().unwrap_or(0);
        let types = 1 + parts.iter().map(|part| part.types).sum::<usize>();
        if depth > SCHEMA_DEPTH_MAX {
            return refuse(format!("a schema nests at most {SCHEMA_DEPTH_MAX} deep"));
        }
        if types > SCHEMA_TYPES_MAX {
            return refuse(format!("a schema has at most {SCHEMA_TYPES_MAX} types"));
        }
        let bytes_min = bytes_min(&kind);
        Ok(Self {
            kind: std::sync::Arc::new(kind),
            bytes_min,
            depth,
            types,
        })
    }

    /// The type.
    #[inline]
    pub fn kind(&self) -> &Type {
        &self.kind
    }

    /// The fewest bytes that a value takes.
    #[inline]
    pub fn bytes_min(&self) -> usize {
        self.bytes_min
    }

    /// Whether all cases of this enum are bare names.
    pub fn is_bare_enum(cases: &[(String, Schema)]) -> bool {
        cases.iter().all(|(_, case)| *case.kind() == Type::Unit)
    }
}

fn refuse<T>(why: String) -> Outcome<T> {
    Err(Problem::Schema(why).into())
}

fn check(kind: &Type) -> Outcome<()> {
    match kind {
        Type::List(item) | Type::Array(item, _) if item.bytes_min == 0 => refuse(
            "items that may take no byte cannot be listed: nothing bounds their count".to_owned(),
        ),
        Type::Option(value) if matches!(value.kind(), Type::Option(_) | Type::Unit) => refuse(
            "an option of an option or of nothing has no form in Python: both empties are None"
                .to_owned(),
        ),
        Type::Map(key, _) | Type::Set(key) if !has_order(key) => {
            refuse("keys are integers, bool, string or bytes".to_owned())
        }
        Type::Struct(fields) => distinct(fields, "field"),
        Type::Enum(cases) if !(1..=CASES_MAX).contains(&cases.len()) => {
            refuse(format!("an enum has 1 to {CASES_MAX} cases"))
        }
        Type::Enum(cases) => distinct(cases, "case"),
        _ => Ok(()),
    }
}

fn has_order(key: &Schema) -> bool {
    matches!(
        key.kind(),
        Type::Integer(_) | Type::Bool | Type::Text | Type::Bytes
    )
}

fn distinct(parts: &[(String, Schema)], what: &str) -> Outcome<()> {
    let mut names: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => refuse(format!("two {what}s are called {:?}", pair[0])),
        None => Ok(()),
    }
}

fn parts(kind: &Type) -> Vec<&Schema> {
    match kind {
        Type::List(part) | Type::Array(part, _) | Type::Option(part) | Type::Set(part) => {
            vec![part]
        }
        Type::Map(key, value) => vec![key, value],
        Type::Tuple(parts) => parts.iter().collect(),
        Type::Struct(named) | Type::Enum(named) => named.iter().map(|(_, part)| part).collect(),
        _ => Vec::new(),
    }
}

fn bytes_min(kind: &Type) -> usize {
    let sum = |parts: &mut dyn Iterator<Item = usize>| {
        parts.fold(0, |sum: usize, bytes| sum.saturating_add(bytes))
    };
    match kind {
        Type::Unit => 0,
        Type::Bool | Type::Option(_) => 1,
        Type::Integer(integer) => integer.bytes,
        Type::F32 | Type::Text | Type::Bytes | Type::List(_) | Type::Map(..) | Type::Set(_) => 4,
        Type::F64 => 8,
        Type::ByteArray(length) => *length,
        Type::Array(item, length) => item.bytes_min.saturating_mul(*length),
        Type::Tuple(parts) => sum(&mut parts.iter().map(Schema::bytes_min)),
        Type::Struct(fields) => sum(&mut fields.iter().map(|(_, part)| part.bytes_min)),
        Type::Enum(cases) => {
            1 + cases
                .iter()
                .map(|(_, part)| part.bytes_min)
                .min()
                .unwrap_or(0)
        }
    }
}
