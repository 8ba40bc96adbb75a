//! What a package or component says, as JSON or as WIT text.

use wit_component::WitPrinter;

use super::bounded::bounded;
use super::error::{WitError, chain};
use super::load::{Loaded, Source, load};

/// What [`validate`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The package, for example `acme:greet@1.0.0`.
    pub package: String,
    /// Its interfaces, in the order of the text.
    pub interfaces: Vec<String>,
    /// Its worlds, in the order of the text.
    pub worlds: Vec<String>,
    /// How many functions its interfaces declare.
    pub functions: usize,
}

/// Resolves `source` and returns it as JSON:
/// `{"resolve": …, "package": index, "world": index}`.
///
/// `resolve` is wit-parser's own serialisation. `world` is the one named, a
/// component's own, or the only one of the package.
///
/// # Errors
///
/// Any [`WitError`]; [`WitError::World`] if there is no such world, or no name
/// was given and the package has not exactly one.
pub fn resolve_json(source: Source<'_>, world: Option<&str>) -> Result<String, WitError> {
    bounded(|| {
        let loaded = load(source)?;
        let world = loaded.select_world(world)?.index();
        // Written out by hand: going through a JSON value would sort the keys,
        // and the order of functions is the order of the text.
        let resolve = serde_json::to_string(&loaded.resolve)
            .map_err(|error| WitError::Undecodable(error.to_string()))?;
        let package = loaded.package.index();
        Ok(format!(
            "{{\"resolve\":{resolve},\"package\":{package},\"world\":{world}}}"
        ))
    })
}

/// Prints the world of a component, or a package, and all they use as WIT text.
///
/// # Errors
///
/// Any [`WitError`] but [`WitError::World`].
pub fn world_text(source: Source<'_>) -> Result<String, WitError> {
    bounded(|| print(&load(source)?))
}

/// Checks a WIT package: it parses, resolves, and can be said in binary.
///
/// # Errors
///
/// Any [`WitError`] but [`WitError::World`].
pub fn validate(source: Source<'_>) -> Result<Summary, WitError> {
    bounded(|| {
        let loaded = load(source)?;
        if loaded.world.is_none() {
            encode(&loaded)?;
        }
        Ok(summary(&loaded))
    })
}

fn print(loaded: &Loaded) -> Result<String, WitError> {
    let nested: Vec<_> = loaded
        .resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != loaded.package)
        .collect();
    let mut printer = WitPrinter::default();
    printer
        .print(&loaded.resolve, loaded.package, &nested)
        .map_err(|error| WitError::Undecodable(chain(error.as_ref())))?;
    Ok(printer.output.to_string())
}

/// Some texts resolve and still have no binary form; better found here than when
/// the first guest is built against them.
fn encode(loaded: &Loaded) -> Result<(), WitError> {
    let invalid = |message| WitError::Unlocated { message };
    let binary = wit_component::encode(&loaded.resolve, loaded.package)
        .map_err(|error| invalid(chain(error.as_ref())))?;
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
        .validate_all(&binary)
        .map_err(|error| invalid(error.to_string()))?;
    Ok(())
}

fn summary(loaded: &Loaded) -> Summary {
    let package = &loaded.resolve.packages[loaded.package];
    Summary {
        package: package.name.to_string(),
        interfaces: package.interfaces.keys().cloned().collect(),
        worlds: package.worlds.keys().cloned().collect(),
        functions: package
            .interfaces
            .values()
            .map(|id| loaded.resolve.interfaces[*id].functions.len())
            .sum(),
    }
}
