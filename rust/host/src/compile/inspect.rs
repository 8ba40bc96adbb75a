//! What can be known of the bytes before any of them is compiled.

use super::{CompileBounds, adapters};
use crate::engine::{Concurrency, guest_features};
use crate::error::{Error, Result};
use crate::printable::printable;
use std::borrow::Cow;
use std::time::Duration;
use wasmparser::{
    FunctionBody, Operator, Parser, Payload, TableSectionReader, TypeSectionReader, Validator,
    WasmFeatures,
};

/// Components up to this size are compiled in this process, if they are light.
const LIGHT_BYTES_MAX: usize = 64 * 1024;
/// Work for the compiler in a component that is still light: for each function
/// its operators times the values each of them may have to carry on. A nest of
/// loops over many locals makes the compiler join every local at every loop, and
/// a block of a thousand results passes all of them at each branch, so a few
/// kilobytes can mean minutes. A million is at most half a second.
const LIGHT_WORK_MAX: u64 = 1_000_000;
/// The same for each second that compiling may take: a quarter of what an idle
/// machine does in it. A busy one takes several times as long, and nothing can
/// stop what is compiled here.
const LIGHT_WORK_PER_SECOND: u32 = 500_000;
/// Work for a function besides its operators: its frame, its records, and the
/// code by which the host and other modules enter it.
const FUNCTION_WORK: u64 = 128;
/// The same for each of its parameters and results.
const PARAMETER_WORK: u64 = 16;
/// Elements up to which the compiler lays a table out in advance, whatever part
/// of it is set. Each of them is work.
const TABLE_ELEMENTS_MAX: u64 = 1024 * 1024;
/// Components inside the component, and instances made of them, in one that is
/// still light. The compiler expands each instance where it is made: twice of
/// twice of twice, and so on, is few bytes and endless work. Twelve instances
/// can at most mean 81.
const LIGHT_NESTED_MAX: usize = 12;
/// Components up to this size are validated in this process. Validation is
/// linear, but at 40 times the memory for a binary of nothing but types.
const VALIDATED_HERE_BYTES_MAX: usize = 1024 * 1024;
/// Text is for components written by hand: its parser takes 40 times the memory
/// of the text, and time that grows with the square of the number of its items.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Turns WAT text into bytes and leaves binaries alone.
///
/// # Errors
///
/// [`Error::ComponentInvalid`] for text that does not parse, with its line.
pub(crate) fn to_binary<'a>(
    name: &str,
    bytes: &'a [u8],
    bounds: &CompileBounds,
) -> Result<Cow<'a, [u8]>> {
    if bytes.is_empty() {
        return Err(invalid(name, "the file is empty"));
    }
    // Of a larger file the rest was not read: whatever this is, it is not the
    // component that the file holds.
    refuse_large(bytes.len(), bounds.component_bytes_max)?;
    if bytes.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(bytes));
    }
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.trim_start().starts_with(['(', ';']))
        .ok_or_else(|| {
            invalid(
                name,
                "neither a WebAssembly binary (magic \\0asm) nor its text format",
            )
        })?;
    refuse_long_text(text.len())?;
    let binary = wat::parse_str(text).map_err(|mut error| {
        error.set_path(name);
        invalid(name, &error.to_string())
    })?;
    refuse_large(binary.len(), bounds.component_bytes_max)?;
    Ok(Cow::Owned(binary))
}

fn invalid(name: &str, why: &str) -> Error {
    Error::ComponentInvalid(format!("{name}: {}", printable(why, true)))
}

fn refuse_large(bytes: usize, most: usize) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    Err(Error::CompileRefused(format!(
        "the component has more than the {most} bytes allowed; \
         hint: raise Engine(component_bytes_max=...)"
    )))
}

fn refuse_long_text(bytes: usize) -> Result<()> {
    if bytes <= TEXT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::CompileRefused(format!(
        "the component is text of {bytes} bytes, more than the {TEXT_BYTES_MAX} allowed for text; \
         hint: make it binary with `wasm-tools parse`"
    )))
}

/// Checks what can be checked without harm to this process, and says whether
/// compiling the component here is harmless too. What is too large to be
/// validated here is validated where it is compiled.
pub(super) fn is_light(
    binary: &[u8],
    concurrency: Concurrency,
    bounds: &CompileBounds,
) -> Result<bool> {
    refuse_large(binary.len(), bounds.component_bytes_max)?;
    if binary.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err(Error::ComponentInvalid(
            "a core WebAssembly module, not a component; hint: make it one with \
             `airssys-wasm build` or `wasm-tools component new`"
                .to_owned(),
        ));
    }
    if binary.len() <= VALIDATED_HERE_BYTES_MAX {
        validate(binary, guest_features(concurrency))?;
    }
    if binary.len() > LIGHT_BYTES_MAX {
        return Ok(false);
    }
    let weight = weigh(binary).map_err(|error| refused(&error))?;
    Ok(weight.work <= light_work(bounds.seconds()) && weight.nested <= LIGHT_NESTED_MAX)
}

/// Work that is harmless here when compiling may take so long.
fn light_work(most: Duration) -> u64 {
    let work = most.as_millis() * u128::from(LIGHT_WORK_PER_SECOND) / 1000;
    u64::try_from(work).map_or(LIGHT_WORK_MAX, |work| work.min(LIGHT_WORK_MAX))
}

/// Checks the whole binary against the proposals that are on.
pub(super) fn validate(binary: &[u8], features: WasmFeatures) -> Result<()> {
    Validator::new_with_features(features)
        .validate_all(binary)
        .map(drop)
        .map_err(|error| refused(&error))
}

fn refused(error: &wasmparser::BinaryReaderError) -> Error {
    Error::ComponentInvalid(format!(
        "not a valid component at byte {:#x}: {}",
        error.offset(),
        printable(error.message(), false)
    ))
}

/// What the compiler would have to do.
#[derive(Default)]
struct Weight {
    work: u64,
    nested: usize,
}

impl Weight {
    fn add(&mut self, work: u64) {
        self.work = self.work.saturating_add(work);
    }
}

fn weigh(binary: &[u8]) -> wasmparser::Result<Weight> {
    let (mut weight, mut arity_max) = (Weight::default(), 0);
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::TypeSection(types) => arity_max = arity_max.max(arity(types)?),
            Payload::CodeSectionEntry(body) => weight.add(function_work(&body, arity_max)?),
            Payload::TableSection(tables) => weight.add(elements(tables)?),
            Payload::ComponentCanonicalSection(functions) => {
                weight.add(u64::from(functions.count()) * FUNCTION_WORK);
            }
            Payload::ComponentSection { .. } => weight.nested += 1,
            Payload::ComponentInstanceSection(instances) => {
                weight.nested += instances.count() as usize;
            }
            _ => {}
        }
    }
    if (1..=LIGHT_NESTED_MAX).contains(&weight.nested) {
        weight.add(adapters::work(binary)?.saturating_mul(expansions(weight.nested)));
    }
    Ok(weight)
}

/// How often at most so many components and instances can mean the same code.
fn expansions(nested: usize) -> u64 {
    u32::try_from(nested.div_ceil(3)).map_or(u64::MAX, |power| 3_u64.saturating_pow(power))
}

fn function_work(body: &FunctionBody<'_>, arity_max: u64) -> wasmparser::Result<u64> {
    let carried = 1 + arity_max + locals(body)?;
    let work = operators(body)?.saturating_mul(carried);
    Ok(work.saturating_add(FUNCTION_WORK + PARAMETER_WORK * arity_max))
}

fn elements(tables: TableSectionReader<'_>) -> wasmparser::Result<u64> {
    let mut elements = 0_u64;
    for table in tables {
        let initial = table?.ty.initial;
        elements = elements.saturating_add(initial.min(TABLE_ELEMENTS_MAX));
    }
    Ok(elements)
}

/// Most parameters or results of a function or block type.
fn arity(types: TypeSectionReader<'_>) -> wasmparser::Result<u64> {
    let mut most = 0;
    for ty in types.into_iter_err_on_gc_types() {
        let ty = ty?;
        most = most.max(ty.params().len()).max(ty.results().len());
    }
    Ok(most as u64)
}

fn locals(body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
    let mut locals = 0_u64;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(group?.0.into());
    }
    Ok(locals)
}

/// Operators of a function; each target of a branch table counts as one.
fn operators(body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
    let mut count = 0;
    for operator in body.get_operators_reader()? {
        count += match operator? {
            Operator::BrTable { targets } => 1 + u64::from(targets.len()),
            _ => 1,
        };
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREBUILT: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/components/prebuilt"
    );

    fn bounds(seconds_max: f64) -> CompileBounds {
        CompileBounds {
            component_bytes_max: 1 << 20,
            seconds_max,
            memory_bytes_max: 1 << 30,
            processes_max: 1,
            queue_seconds_max: 1.0,
            worker: None,
        }
    }

    fn light(text: &str, seconds_max: f64) -> bool {
        is_light(
            &wat::parse_str(text).unwrap(),
            Concurrency::Off,
            &bounds(seconds_max),
        )
        .unwrap()
    }

    #[test]
    fn what_guests_are_usually_made_of_is_light() {
        for name in ["importer", "panicker", "words"] {
            let binary = std::fs::read(format!("{PREBUILT}/{name}.wasm")).unwrap();
            assert!(
                is_light(&binary, Concurrency::Off, &bounds(60.0)).unwrap(),
                "{name}"
            );
        }
    }

    #[test]
    fn less_is_light_when_compiling_may_take_less_time() {
        let functions = format!("(component (core module {}))", "(func)".repeat(1_000));
        assert!(light(&functions, 2.0));
        assert!(!light(&functions, 0.1));
        assert!(light("(component)", 0.001));
    }

    #[test]
    fn ten_thousand_empty_functions_are_not_light() {
        let functions = format!("(component (core module {}))", "(func)".repeat(10_000));
        assert!(!light(&functions, 3600.0));
    }

    #[test]
    fn tables_weigh_as_they_are_laid_out() {
        let module = "(core module (table 1048576 funcref) (func $f) (elem (i32.const 0) $f))";
        assert!(!light(&format!("(component {module}{module})"), 3600.0));
        assert!(light(
            &format!("(component {})", module.replace("1048576", "5000")),
            60.0
        ));
    }
}
