//! Finds out from the module itself why the encoder refused it.
//!
//! The encoder answers with text. What its caller can act on — which import,
//! which export — is worked out here by comparing the module with its world.

use std::collections::HashSet;

use wasmparser::{Parser, Payload, TypeRef};
use wit_component::metadata::{Bindgen, decode};
use wit_parser::{
    Function, InterfaceId, LiftLowerAbi, ManglingAndAbi, Resolve, WasmExport, WasmExportKind,
    WorldItem, WorldKey,
};

use super::encode::Adapter;
use super::error::{ComponentizeError, CoreImport};

/// The import module of functions that the world itself imports.
const ROOT: &str = "$root";

/// Prefix of import modules with the intrinsics of an exported interface.
const EXPORT_PREFIX: &str = "[export]";

/// Prefix of import modules in the standard name mangling.
const STANDARD_PREFIX: &str = "cm32p2";

/// Names the cause of a refusal, or falls back to the encoder's own `message`.
pub(super) fn diagnose(
    module: &[u8],
    adapters: &[Adapter<'_>],
    message: String,
) -> ComponentizeError {
    let Ok((_, interface)) = decode(module) else {
        return ComponentizeError::Mismatch(message);
    };
    let core = CoreNames::read(module);
    let imports: Vec<_> = core
        .imports
        .into_iter()
        .filter(|import| !is_given(import, &interface, adapters))
        .collect();
    if !imports.is_empty() {
        return ComponentizeError::UnknownImports { imports };
    }
    let names = missing_exports(&interface, &core.exports);
    if !names.is_empty() {
        return ComponentizeError::MissingExports { names };
    }
    ComponentizeError::Mismatch(message)
}

/// What a core module imports and exports, as far as functions go.
#[derive(Default)]
struct CoreNames {
    imports: Vec<CoreImport>,
    exports: HashSet<String>,
}

impl CoreNames {
    /// Reads what can be read: the encoder has already refused the module, and a
    /// section that does not parse gives no names.
    fn read(module: &[u8]) -> Self {
        let mut names = Self::default();
        for payload in Parser::new(0).parse_all(module).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(section) => {
                    let imports = section.into_imports().map_while(Result::ok);
                    names.imports.extend(
                        imports
                            .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                            .map(|import| CoreImport {
                                module: import.module.to_owned(),
                                name: import.name.to_owned(),
                            }),
                    );
                }
                Payload::ExportSection(section) => names.exports.extend(
                    section
                        .into_iter()
                        .map_while(Result::ok)
                        .map(|export| export.name.to_owned()),
                ),
                _ => {}
            }
        }
        names
    }
}

/// Tells whether an adapter, an intrinsic or an interface of the world gives `import`.
fn is_given(import: &CoreImport, interface: &Bindgen, adapters: &[Adapter<'_>]) -> bool {
    let world = &interface.resolve.worlds[interface.world];
    // Intrinsics, and names of the standard mangling, follow rules of their own;
    // the encoder's message is better there than a guess.
    if import.name.starts_with('[')
        || import.module.starts_with(EXPORT_PREFIX)
        || import.module.starts_with(STANDARD_PREFIX)
        || adapters.iter().any(|adapter| adapter.name == import.module)
    {
        return true;
    }
    if import.module == ROOT {
        let key = WorldKey::Name(import.name.clone());
        return matches!(world.imports.get(&key), Some(WorldItem::Function(_)));
    }
    world.imports.iter().any(|(key, item)| match item {
        WorldItem::Interface { id, .. } => {
            same_interface(&interface.resolve, key, &import.module)
                && interface.resolve.interfaces[*id]
                    .functions
                    .contains_key(&import.name)
        }
        WorldItem::Function(_) | WorldItem::Type { .. } => false,
    })
}

/// Compares without versions: the encoder accepts every compatible one.
fn same_interface(resolve: &Resolve, key: &WorldKey, module: &str) -> bool {
    fn unversioned(name: &str) -> &str {
        name.split_once('@').map_or(name, |(name, _)| name)
    }
    unversioned(&resolve.name_world_key(key)) == unversioned(module)
}

fn missing_exports(interface: &Bindgen, exports: &HashSet<String>) -> Vec<String> {
    let resolve = &interface.resolve;
    let mut missing = Vec::new();
    for (key, item) in &resolve.worlds[interface.world].exports {
        let (within, functions): (_, Vec<&Function>) = match item {
            WorldItem::Function(function) => (None, vec![function]),
            WorldItem::Interface { id, .. } => {
                let functions = resolve.interfaces[*id].functions.values();
                (Some((key, *id)), functions.collect())
            }
            WorldItem::Type { .. } => continue,
        };
        for function in functions {
            if !manglings(resolve, within, function).any(|name| exports.contains(&name)) {
                missing.push(format!("`{}`", legacy_name(resolve, within, function)));
            }
        }
    }
    missing
}

type Within<'a> = Option<(&'a WorldKey, InterfaceId)>;

fn legacy_name(resolve: &Resolve, within: Within<'_>, function: &Function) -> String {
    export_name(
        resolve,
        ManglingAndAbi::Legacy(LiftLowerAbi::Sync),
        within,
        function,
    )
}

/// Every name under which the encoder would find `function` in the module.
fn manglings<'a>(
    resolve: &'a Resolve,
    within: Within<'a>,
    function: &'a Function,
) -> impl Iterator<Item = String> + 'a {
    [
        ManglingAndAbi::Standard32,
        ManglingAndAbi::Legacy(LiftLowerAbi::Sync),
        ManglingAndAbi::Legacy(LiftLowerAbi::AsyncCallback),
        ManglingAndAbi::Legacy(LiftLowerAbi::AsyncStackful),
    ]
    .into_iter()
    .map(move |mangling| export_name(resolve, mangling, within, function))
}

fn export_name(
    resolve: &Resolve,
    mangling: ManglingAndAbi,
    within: Within<'_>,
    function: &Function,
) -> String {
    let export = WasmExport::Func {
        interface: within.map(|(key, _)| key),
        func: function,
        kind: WasmExportKind::Normal,
    };
    resolve.wasm_export_name(mangling, export)
}
