//! The two steps: embed the interface, encode the component.

use std::collections::HashSet;

use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use super::diagnose::diagnose;
use super::error::ComponentizeError;
use crate::wit::bounded::bounded;
use crate::wit::load::{encoding, load};
use crate::wit::{BINARY_BYTES_MAX, Source};

/// Custom sections that say in WIT what a module imports and exports.
const INTERFACE_SECTION_PREFIX: &str = "component-type";

/// A core module that gives one import module in terms of the component's world.
#[derive(Debug, Clone, Copy)]
pub struct Adapter<'a> {
    /// The import module it stands for, for example `wasi_snapshot_preview1`.
    pub name: &'a str,
    /// The adapter, a core module.
    pub module: &'a [u8],
}

/// Wraps a core module into a component, checked as the engine will check it.
///
/// # Errors
///
/// [`ComponentizeError::NoInterface`] if the module says nothing in WIT;
/// [`ComponentizeError::UnknownImports`] and [`ComponentizeError::MissingExports`]
/// if module and world do not fit; any other [`ComponentizeError`] but `Wit`.
pub fn encode(module: &[u8], adapters: &[Adapter<'_>]) -> Result<Vec<u8>, ComponentizeError> {
    require_module("the input", module)?;
    require_adapters(adapters)?;
    bounded(|| {
        if !has_interface(module)? {
            return Err(ComponentizeError::NoInterface);
        }
        run_encoder(module, adapters).map_err(|message| diagnose(module, adapters, message))
    })
}

/// Writes the interface of `world` into a core module and returns the new module.
///
/// # Errors
///
/// [`ComponentizeError::NotModule`] if `module` is none; [`ComponentizeError::Wit`]
/// if the WIT is wrong or has no such world.
pub fn embed(
    module: &[u8],
    wit: Source<'_>,
    world: Option<&str>,
) -> Result<Vec<u8>, ComponentizeError> {
    require_module("the input", module)?;
    bounded(|| {
        let loaded = load(wit)?;
        let world = loaded.select_world(world)?;
        let mut bytes = module.to_vec();
        embed_component_metadata(&mut bytes, &loaded.resolve, world, StringEncoding::UTF8)
            .map_err(|error| ComponentizeError::Mismatch(format!("{error:#}")))?;
        Ok(bytes)
    })
}

fn run_encoder(module: &[u8], adapters: &[Adapter<'_>]) -> Result<Vec<u8>, String> {
    let encode = || {
        let mut encoder = ComponentEncoder::default().validate(true).module(module)?;
        for adapter in adapters {
            encoder = encoder.adapter(adapter.name, adapter.module)?;
        }
        encoder.encode()
    };
    // `{:#}` joins the error and its causes into one line.
    encode().map_err(|error| format!("{error:#}"))
}

fn require_adapters(adapters: &[Adapter<'_>]) -> Result<(), ComponentizeError> {
    let mut names = HashSet::new();
    for adapter in adapters {
        require_module(&format!("the adapter `{}`", adapter.name), adapter.module)?;
        if !names.insert(adapter.name) {
            return Err(ComponentizeError::AdapterTwice(adapter.name.to_owned()));
        }
    }
    Ok(())
}

fn require_module(what: &str, bytes: &[u8]) -> Result<(), ComponentizeError> {
    let not_module = |problem: String| ComponentizeError::NotModule {
        what: what.to_owned(),
        problem,
    };
    match encoding(bytes) {
        Ok(Encoding::Module) => {}
        Ok(Encoding::Component) => return Err(not_module("it is a component already".to_owned())),
        Err(other) => return Err(not_module(other.to_string())),
    }
    if bytes.len() > BINARY_BYTES_MAX {
        return Err(ComponentizeError::TooLarge {
            what: what.to_owned(),
            bytes: bytes.len(),
            bytes_max: BINARY_BYTES_MAX,
        });
    }
    Ok(())
}

fn has_interface(module: &[u8]) -> Result<bool, ComponentizeError> {
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|error| ComponentizeError::NotModule {
            what: "the input".to_owned(),
            problem: error.to_string(),
        })?;
        if let Payload::CustomSection(section) = payload
            && section.name().starts_with(INTERFACE_SECTION_PREFIX)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
