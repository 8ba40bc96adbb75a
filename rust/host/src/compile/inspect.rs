//! What can be known of the bytes before any of them is compiled.

use super::CompileBounds;
use crate::engine::GUEST_FEATURES;
use crate::error::{Error, Result};
use crate::printable::printable;
use std::borrow::Cow;
use wasmparser::{FunctionBody, Operator, Parser, Payload, TypeSectionReader, Validator};

/// Components up to this size are compiled in this process, if they are light.
const LIGHT_BYTES_MAX: usize = 64 * 1024;
/// Work for the compiler in a component that is still light: for each function
/// its operators times the values each of them may have to carry on. A nest of
/// loops over many locals makes the compiler join every local at every loop, and
/// a block of a thousand results passes all of them at each branch, so a few
/// kilobytes can mean minutes. A million is at most half a second.
const LIGHT_WORK_MAX: u64 = 1_000_000;
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
    let binary = wat::parse_str(text).map_err(|error| invalid(name, &error.to_string()))?;
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
pub(super) fn is_light(binary: &[u8], bounds: &CompileBounds) -> Result<bool> {
    refuse_large(binary.len(), bounds.component_bytes_max)?;
    if binary.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err(Error::ComponentInvalid(
            "a core WebAssembly module, not a component; hint: make it one with \
             `airssys-wasm build` or `wasm-tools component new`"
                .to_owned(),
        ));
    }
    if binary.len() <= VALIDATED_HERE_BYTES_MAX {
        validate(binary)?;
    }
    if binary.len() > LIGHT_BYTES_MAX {
        return Ok(false);
    }
    let weight = weigh(binary).map_err(|error| refused(&error))?;
    Ok(weight.work <= LIGHT_WORK_MAX && weight.nested <= LIGHT_NESTED_MAX)
}

/// Checks the whole binary against the proposals that are on.
pub(super) fn validate(binary: &[u8]) -> Result<()> {
    Validator::new_with_features(GUEST_FEATURES)
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

fn weigh(binary: &[u8]) -> wasmparser::Result<Weight> {
    let (mut weight, mut arity_max) = (Weight::default(), 0);
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::TypeSection(types) => arity_max = arity_max.max(arity(types)?),
            Payload::CodeSectionEntry(body) => {
                let carried = 1 + arity_max + locals(&body)?;
                let work = operators(&body)?.saturating_mul(carried);
                weight.work = weight.work.saturating_add(work);
            }
            Payload::ComponentSection { .. } => weight.nested += 1,
            Payload::ComponentInstanceSection(instances) => {
                weight.nested += instances.count() as usize;
            }
            _ => {}
        }
    }
    Ok(weight)
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
