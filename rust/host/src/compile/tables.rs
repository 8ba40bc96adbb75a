//! Whether a component may need larger tables than the pool has.

use crate::limits::POOLED_TABLE_ELEMENTS_MAX;
use wasmparser::{Parser, Payload, TableSectionReader};

/// The bytes of a `table.grow` instruction. The same two may stand for something
/// else, and the instruction may be written longer on purpose: the one costs its
/// component a slot in the pool, the other a growth that fails.
const TABLE_GROW: [u8; 2] = [0xfc, 0x0f];

/// Whether some table starts with more elements than a pooled one has room for, or
/// may become as large and some code grows tables. Tool chains mostly declare
/// tables that cannot grow.
pub(crate) fn outgrow_pool(binary: &[u8]) -> bool {
    // What does not parse does not compile, and is refused there.
    measure(binary).unwrap_or(false)
}

fn measure(binary: &[u8]) -> wasmparser::Result<bool> {
    let (mut large, mut code) = (false, Vec::new());
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::TableSection(tables) => match largest(tables)? {
                Largest::FromTheStart => return Ok(true),
                Largest::OnceGrown => large = true,
                Largest::Small => {}
            },
            Payload::CodeSectionStart { range, .. } => code.push(range),
            _ => {}
        }
    }
    let grows = |code: &[u8]| {
        code.windows(TABLE_GROW.len())
            .any(|bytes| bytes == TABLE_GROW)
    };
    Ok(large
        && code
            .into_iter()
            .filter_map(|range| binary.get(range))
            .any(grows))
}

enum Largest {
    Small,
    OnceGrown,
    FromTheStart,
}

fn largest(tables: TableSectionReader<'_>) -> wasmparser::Result<Largest> {
    let room = POOLED_TABLE_ELEMENTS_MAX as u64;
    let mut found = Largest::Small;
    for table in tables {
        let ty = table?.ty;
        if ty.initial > room {
            return Ok(Largest::FromTheStart);
        }
        if ty.maximum.is_none_or(|maximum| maximum > room) {
            found = Largest::OnceGrown;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgrows(module: &str) -> bool {
        let text = format!("(component (core module {module}))");
        outgrow_pool(&wat::parse_str(text).unwrap())
    }

    const GROWS: &str = "(func (drop (table.grow (ref.null func) (i32.const 1))))";

    #[test]
    fn only_tables_that_can_become_large_and_do_grow_outgrow_the_pool() {
        assert!(outgrows("(table 20001 20001 funcref)"));
        assert!(!outgrows("(table 20000 funcref)"));
        assert!(outgrows(&format!("(table 1 funcref) {GROWS}")));
        assert!(outgrows(&format!("(table 1 20001 funcref) {GROWS}")));
        assert!(!outgrows(&format!("(table 1 20000 funcref) {GROWS}")));
        assert!(!outgrows(
            "(memory 1) (func (drop (memory.grow (i32.const 1))))"
        ));
    }

    #[test]
    fn another_module_may_be_the_one_that_grows() {
        let text = format!(
            "(component (core module (table (export \"t\") 1 funcref)) \
             (core module (import \"m\" \"t\" (table 1 funcref)) {GROWS}))"
        );
        assert!(outgrow_pool(&wat::parse_str(text).unwrap()));
    }
}
