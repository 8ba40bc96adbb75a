//! What the compiler must write to join two components.
//!
//! A function that one component lifts and another lowers gets an adapter, which
//! copies each value from one memory to the other. Neither names it: its size is
//! that of the function's type, written out, and a type is written once and used
//! by thousands of functions.

use std::collections::HashMap;
use wasmparser::component_types::{
    ComponentDefinedType, ComponentDefinedTypeId, ComponentFuncTypeId, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{
    CanonicalFunction, ComponentCanonicalSectionReader, Parser, Payload, Validator, WasmFeatures,
};

/// Work for an adapter besides its values.
const ADAPTER_WORK: u64 = 512;
/// Work for one part of a type: the most, a string, is copied by loops for each
/// pair of encodings.
const PART_WORK: u64 = 32;

/// Work for the adapters of a valid component whose parts are each instantiated
/// once.
///
/// Each adapter needs a function that is lowered, in whichever component. Within
/// a single component there are none.
pub(super) fn work(binary: &[u8]) -> wasmparser::Result<u64> {
    if !crosses_components(binary)? {
        return Ok(0);
    }
    // What is on was looked at when the whole was validated.
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut sizes, mut work) = (Sizes::default(), 0_u64);
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload?;
        validator.payload(&payload)?;
        if let (Payload::ComponentCanonicalSection(functions), Some(types)) =
            (payload, validator.types(0))
        {
            work = work.saturating_add(lowered(functions, types, &mut sizes)?);
        }
    }
    Ok(work)
}

/// Whether a component inside the component lifts, lowers or makes functions.
fn crosses_components(binary: &[u8]) -> wasmparser::Result<bool> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::ComponentSection { .. } | Payload::ModuleSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentCanonicalSection(_) if depth > 0 => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

fn lowered(
    functions: ComponentCanonicalSectionReader<'_>,
    types: TypesRef<'_>,
    sizes: &mut Sizes,
) -> wasmparser::Result<u64> {
    let mut work = 0_u64;
    for function in functions {
        let parts = match function? {
            CanonicalFunction::Lower { func_index, .. } => {
                sizes.of_function(types, types.component_function_at(func_index))
            }
            _ => 0,
        };
        work = work
            .saturating_add(ADAPTER_WORK)
            .saturating_add(parts.saturating_mul(PART_WORK));
    }
    Ok(work)
}

/// Parts of types when they are written out, each type counted once.
#[derive(Default)]
struct Sizes {
    known: HashMap<ComponentDefinedTypeId, u64>,
}

impl Sizes {
    fn of_function(&mut self, types: TypesRef<'_>, id: ComponentFuncTypeId) -> u64 {
        let function = &types[id];
        let values = function.params.iter().map(|(_, ty)| *ty);
        self.all(types, values.chain(function.result))
    }

    fn all(
        &mut self,
        types: TypesRef<'_>,
        values: impl IntoIterator<Item = ComponentValType>,
    ) -> u64 {
        let each = values.into_iter().map(|ty| self.of(types, ty));
        each.fold(1, u64::saturating_add)
    }

    fn of(&mut self, types: TypesRef<'_>, ty: ComponentValType) -> u64 {
        let ComponentValType::Type(id) = ty else {
            return 1;
        };
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        // Types are at most 100 deep, or they are not valid.
        let size = self.of_defined(types, &types[id]);
        self.known.insert(id, size);
        size
    }

    fn of_defined(&mut self, types: TypesRef<'_>, ty: &ComponentDefinedType) -> u64 {
        use ComponentDefinedType as Type;

        match ty {
            Type::Primitive(_) | Type::Own(_) | Type::Borrow(_) => 1,
            Type::Record(record) => self.all(types, record.fields.values().copied()),
            Type::Tuple(tuple) => self.all(types, tuple.types.iter().copied()),
            Type::Variant(variant) => {
                let payloads = variant.cases.values().filter_map(|case| case.ty);
                let payloads = self.all(types, payloads);
                payloads.saturating_add(variant.cases.len() as u64)
            }
            Type::Flags(names) | Type::Enum(names) => names.len() as u64,
            Type::List { element, .. } => self.all(types, [*element]),
            Type::Map { key, value, .. } => self.all(types, [*key, *value]),
            Type::FixedLengthList {
                element, length, ..
            } => self
                .all(types, [*element])
                .saturating_mul(u64::from(*length)),
            Type::Option { ty, .. } => self.all(types, [*ty]),
            Type::Result { ok, err, .. } => self.all(types, ok.iter().chain(err).copied()),
            Type::Future { ty, .. } | Type::Stream { ty, .. } => self.all(types, *ty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two components: the second lowers what the first lifts, with this type.
    fn joined(types: &str, parameter: &str) -> Vec<u8> {
        let text = format!(
            r#"(component
              (component $a {types}
                (core module $m (memory (export "m") 1) (func (export "f") (param i32))
                  (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0))
                (core instance $i (instantiate $m))
                (func $f (param "p" {parameter}) (canon lift (core func $i "f")
                  (memory $i "m") (realloc (func $i "r"))))
                (export "f" (func $f)))
              (component $b {types}
                (import "a" (instance $a (export "f" (func (param "p" {parameter})))))
                (core module $m (memory (export "m") 1))
                (core instance $i (instantiate $m))
                (core func (canon lower (func $a "f") (memory $i "m"))))
              (instance $a (instantiate $a))
              (instance (instantiate $b (with "a" (instance $a)))))"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn an_adapter_is_as_large_as_its_type_written_out() {
        let wide = format!("(type $t (tuple {}))", "string ".repeat(900));
        let found = work(&joined(&wide, "$t")).unwrap();
        assert!(found >= 900 * PART_WORK, "{found}");

        let doubled = (0..12).fold("(type $t0 u32)".to_owned(), |types, n| {
            format!("{types}(type $t{} (tuple $t{n} $t{n}))", n + 1)
        });
        let found = work(&joined(&doubled, "$t12")).unwrap();
        assert!(found >= (1 << 12) * PART_WORK, "{found}");
    }

    #[test]
    fn a_component_that_talks_to_the_host_alone_has_none() {
        let text = r#"(component
            (import "f" (func $f (param "p" u32)))
            (core func (canon lower (func $f)))
            (component (type (tuple string))))"#;
        assert_eq!(work(&wat::parse_str(text).unwrap()).unwrap(), 0);
    }
}
