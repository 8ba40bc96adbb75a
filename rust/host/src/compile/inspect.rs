//! What can be known of the bytes before any of them is compiled.

use super::CompileBounds;
use crate::engine::FEATURES;
use crate::error::{Error, Result};
use std::borrow::Cow;
use wasmparser::{Encoding, Parser, Payload, Validator};

/// Components up to this size are compiled in this process, if they are light.
const LIGHT_BYTES_MAX: usize = 64 * 1024;
/// Locals of all functions together, in a component that is still light: each
/// costs the compiler memory, though declaring them costs a few bytes.
const LIGHT_LOCALS_MAX: u64 = 20_000;
/// Text is larger than the binary it stands for.
const TEXT_BYTES_PER_BINARY_BYTE: usize = 16;

/// How heavy a component may be for the compiler.
pub(super) struct Weight {
    bytes: usize,
    locals: u64,
}

impl Weight {
    /// Whether compiling it cannot hurt this process.
    pub(super) fn is_light(&self) -> bool {
        self.bytes <= LIGHT_BYTES_MAX && self.locals <= LIGHT_LOCALS_MAX
    }
}

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
    if bytes.starts_with(b"\0asm") {
        refuse_large(bytes.len(), bounds.component_bytes_max)?;
        return Ok(Cow::Borrowed(bytes));
    }
    refuse_large(bytes.len() / TEXT_BYTES_PER_BINARY_BYTE, bounds.component_bytes_max)?;
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.trim_start().starts_with(['(', ';']))
        .ok_or_else(|| {
            invalid(name, "neither a WebAssembly binary (magic \\0asm) nor its text format")
        })?;
    let binary = wat::parse_str(text).map_err(|error| invalid(name, &error.to_string()))?;
    refuse_large(binary.len(), bounds.component_bytes_max)?;
    Ok(Cow::Owned(binary))
}

fn invalid(name: &str, why: &str) -> Error {
    Error::ComponentInvalid(format!("{name}: {why}"))
}

fn refuse_large(bytes: usize, most: usize) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    Err(Error::CompileRefused(format!(
        "the component has {bytes} bytes, more than the {most} allowed; \
         hint: raise Engine(component_bytes_max=...)"
    )))
}

/// Checks the whole binary against the proposals that are on, and weighs it.
pub(super) fn check(binary: &[u8], bounds: &CompileBounds) -> Result<Weight> {
    refuse_large(binary.len(), bounds.component_bytes_max)?;
    if binary.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err(Error::ComponentInvalid(
            "a core WebAssembly module, not a component; hint: make it one with \
             `airssys-wasm build` or `wasm-tools component new`"
                .to_owned(),
        ));
    }
    let weight = weigh(binary).map_err(|error| refused(&error))?;
    Validator::new_with_features(FEATURES)
        .validate_all(binary)
        .map_err(|error| refused(&error))?;
    Ok(weight)
}

fn refused(error: &wasmparser::BinaryReaderError) -> Error {
    Error::ComponentInvalid(format!(
        "not a valid component at byte {:#x}: {}",
        error.offset(),
        error.message()
    ))
}

fn weigh(binary: &[u8]) -> wasmparser::Result<Weight> {
    let mut locals = 0_u64;
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::CodeSectionEntry(body) => {
                for group in body.get_locals_reader()? {
                    locals = locals.saturating_add(group?.0.into());
                }
            }
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } | _ => {}
        }
    }
    Ok(Weight { bytes: binary.len(), locals })
}
