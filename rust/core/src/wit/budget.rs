//! Estimates of what WIT expands to, taken before it is expanded.

use wit_parser::{Resolve, Type, TypeDefKind};

use super::error::WitError;

/// Most items that worlds may expand to: each world repeats what it includes and
/// every interface that its own interfaces need.
pub const EXPANDED_ITEMS_MAX: usize = 2_000_000;

/// Deepest nesting of one type; the component binary format has the same limit.
pub const TYPE_DEPTH_MAX: u32 = 100;

/// Most nodes in one type written out in full; the same limit again.
pub const TYPE_SIZE_MAX: u64 = 1_000_000;

/// Length in bytes of the shortest item a world can hold, `a:func();`.
const SHORTEST_ITEM_BYTES: usize = 9;

/// Refuses text whose worlds would expand past [`EXPANDED_ITEMS_MAX`].
///
/// A chain of `include`s over one long world is quadratic in the text, and so is
/// a chain of interfaces that many worlds import; nothing in the parser stops either.
pub(super) fn check_text<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), WitError> {
    let mut words = Words::default();
    let mut bytes = 0_usize;
    for text in texts {
        words.count(text);
        bytes += text.len();
    }
    let included = words.includes.saturating_mul(bytes / SHORTEST_ITEM_BYTES);
    let items = included.saturating_add(words.worlds.saturating_mul(words.interfaces));
    at_most(
        "number of items the worlds expand to",
        items,
        EXPANDED_ITEMS_MAX,
    )
}

/// Refuses types deeper than [`TYPE_DEPTH_MAX`] or larger than [`TYPE_SIZE_MAX`].
pub(super) fn check_types(resolve: &Resolve) -> Result<(), WitError> {
    // The arena is in topological order: whatever a type refers to stands before
    // it, so one pass suffices and nothing recurses.
    let mut measured: Vec<(u32, u64)> = Vec::with_capacity(resolve.types.len());
    for (_, definition) in &resolve.types {
        let (mut depth, mut size) = (0, 0_u64);
        for part in parts(&definition.kind) {
            let Type::Id(id) = part else {
                size = size.saturating_add(1);
                continue;
            };
            let (part_depth, part_size) = measured.get(id.index()).copied().unwrap_or((0, 1));
            depth = depth.max(part_depth);
            size = size.saturating_add(part_size);
        }
        let (depth, size) = (depth + 1, size.saturating_add(1));
        at_most("nesting of a type", depth as usize, TYPE_DEPTH_MAX as usize)?;
        if size > TYPE_SIZE_MAX {
            return Err(too_large("size of a type, in nodes", size, TYPE_SIZE_MAX));
        }
        measured.push((depth, size));
    }
    Ok(())
}

pub(super) fn at_most(what: &'static str, size: usize, size_max: usize) -> Result<(), WitError> {
    if size <= size_max {
        return Ok(());
    }
    Err(WitError::TooLarge {
        what,
        size,
        size_max,
    })
}

fn too_large(what: &'static str, size: u64, size_max: u64) -> WitError {
    let clamp = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    WitError::TooLarge {
        what,
        size: clamp(size),
        size_max: clamp(size_max),
    }
}

/// The types that `kind` is made of; a handle holds its resource by name only.
fn parts(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Result(result) => [result.ok, result.err].into_iter().flatten().collect(),
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::Future(part) | TypeDefKind::Stream(part) => part.iter().copied().collect(),
        TypeDefKind::Option(part)
        | TypeDefKind::List(part)
        | TypeDefKind::FixedLengthList(part, _)
        | TypeDefKind::Type(part) => vec![*part],
        TypeDefKind::Flags(flags) => vec![Type::Bool; flags.flags.len()],
        TypeDefKind::Enum(cases) => vec![Type::Bool; cases.cases.len()],
        TypeDefKind::Resource | TypeDefKind::Handle(_) | TypeDefKind::Unknown => Vec::new(),
    }
}

#[derive(Default)]
struct Words {
    includes: usize,
    worlds: usize,
    interfaces: usize,
}

impl Words {
    /// Counts every occurrence outside line comments; block comments may add to
    /// the count, which errs on the safe side.
    fn count(&mut self, text: &str) {
        for line in text.lines() {
            let code = line.split("//").next().unwrap_or_default();
            for word in code.split(|c: char| !(c.is_ascii_alphanumeric() || "-%_".contains(c))) {
                match word {
                    "include" => self.includes += 1,
                    "world" => self.worlds += 1,
                    "interface" => self.interfaces += 1,
                    _ => {}
                }
            }
        }
    }
}
