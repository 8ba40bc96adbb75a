//! What dynamic values cost the host beside what the engine charges for them.
//!
//! The engine charges a value for its own size and its text, which is about what
//! the host holds, but for flags: each flag that is set becomes a string of its
//! own and is charged its letters only. A guest that returns many of them is
//! charged by the worst of its types.

use wasmtime::component::Val;
use wasmtime::component::types::{ComponentFunc, Type};

/// What an allocator takes for a string of a few letters.
const SHORT_STRING_BYTES: usize = 32;

/// Types looked at in one component. A few lines can name millions; what has more
/// than any real component is charged the most there is.
const TYPES_MAX: usize = 100_000;
/// The ratio of the most flags with the shortest names.
const RATIO_MAX: usize = 26;

/// Looks for the worst type among those that a component hands to the host.
pub(crate) struct Charge {
    types_left: usize,
    ratio: usize,
}

impl Charge {
    /// Nothing looked at yet.
    pub(crate) fn new() -> Charge {
        Charge {
            types_left: TYPES_MAX,
            ratio: 1,
        }
    }

    /// How many times more the host may hold than it charges.
    pub(crate) fn ratio(&self) -> usize {
        self.ratio
    }

    /// Looks at what a function of the guest returns.
    pub(crate) fn results(&mut self, function: &ComponentFunc) {
        function.results().for_each(|ty| self.look(&ty, false));
    }

    /// Looks at what a function of the host is given.
    pub(crate) fn params(&mut self, function: &ComponentFunc) {
        function.params().for_each(|(_, ty)| self.look(&ty, false));
    }

    // Outside a list there are only so many flags.
    fn look(&mut self, ty: &Type, listed: bool) {
        let Some(left) = self.types_left.checked_sub(1) else {
            self.ratio = RATIO_MAX;
            return;
        };
        self.types_left = left;
        let mut all = |types: &mut dyn Iterator<Item = Type>| {
            types.for_each(|ty| self.look(&ty, listed));
        };
        match ty {
            Type::List(list) => self.look(&list.ty(), true),
            Type::FixedLengthList(list) => self.look(&list.ty(), true),
            Type::Map(map) => {
                self.look(&map.key(), true);
                self.look(&map.value(), true);
            }
            Type::Record(record) => all(&mut record.fields().map(|field| field.ty)),
            Type::Tuple(tuple) => all(&mut tuple.types()),
            Type::Variant(variant) => all(&mut variant.cases().filter_map(|case| case.ty)),
            Type::Option(option) => self.look(&option.ty(), listed),
            Type::Result(result) => all(&mut result.ok().into_iter().chain(result.err())),
            Type::Flags(flags) if listed => {
                let bytes: Vec<_> = flags.names().map(str::len).collect();
                self.ratio = self.ratio.max(flags_ratio(&bytes));
            }
            _ => {}
        }
    }
}

fn flags_ratio(names: &[usize]) -> usize {
    let text: usize = names.iter().sum();
    let held: usize = names
        .iter()
        .map(|bytes| size_of::<String>() + SHORT_STRING_BYTES.max(bytes + 16))
        .sum();
    (size_of::<Val>() + held).div_ceil(size_of::<Val>() + text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_cost_more_the_shorter_their_names_are() {
        assert_eq!(flags_ratio(&[1]), 3);
        assert!(flags_ratio(&[1; 32]) <= RATIO_MAX);
        assert!(flags_ratio(&[2; 32]) >= RATIO_MAX / 2);
        assert_eq!(flags_ratio(&[1_000; 32]), 2);
    }
}
