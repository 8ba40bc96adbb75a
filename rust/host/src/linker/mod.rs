//! What a component's imports are joined to: host interfaces that were
//! granted, and what the embedder supplies. Nothing else is ever linked.

mod carried;
mod concurrent;
mod embedder;
mod output;
mod wasi;
mod wasi3;

pub use concurrent::{InFlight, answer, begin, end};
pub use embedder::{
    Answer, Define, Embedder, HostObject, Link, NoImports, Pending, StandIn, Supplied, Supply,
    aside,
};
pub use output::Output;
pub use wasi::Grant;

pub(crate) use concurrent::inside_task;
pub(crate) use wasi::WasiState;

use crate::component::{Code, Component, Import, ImportKind};
use crate::engine::{Allocation, Concurrency, Metering};
use crate::error::{Error, MissingImport, Result};
use crate::instance::StoreData;
use crate::messaging;
use crate::printable::printable;
use std::sync::Arc;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentExportIndex, InstancePre, Linker};

/// Everything that decides how a component is linked; instances that agree in
/// it share one pre-linked instance.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct LinkKey {
    metering: Metering,
    allocation: Allocation,
    interfaces: wasi::Linked,
    supplied: Vec<Supplied>,
    stand_ins: Vec<StandIn>,
    messaging: bool,
}

/// A component joined to its imports, ready to be instantiated many times.
pub(crate) struct Prelinked {
    pub(crate) pre: InstancePre<StoreData>,
    pub(crate) exports: Arc<[ComponentExportIndex]>,
    /// Whether some import may wait, so that calls need a stack of their own.
    pub(crate) waits: bool,
    /// Whether some WASI interface is linked.
    pub(crate) uses_wasi: bool,
}

/// Joins `component` to what `grant` and `supply` give it.
pub(crate) fn prelink(
    component: &Component,
    metering: Metering,
    allocation: Allocation,
    grant: &Grant,
    supply: &Supply<'_>,
) -> Result<Arc<Prelinked>> {
    let code = component.code();
    let key = LinkKey {
        metering,
        allocation,
        interfaces: grant.linked(),
        supplied: supply.functions.to_vec(),
        stand_ins: supply.interfaces.to_vec(),
        messaging: supply.post.is_some(),
    };
    let slips = misspelt(code, supply);
    if slips.is_empty()
        && let Some(found) = find(&code.prelinked(), &key)
    {
        return Ok(found);
    }
    let made = Arc::new(link(component, code, &key, slips)?);
    let mut known = code.prelinked();
    if let Some(first) = find(&known, &key) {
        return Ok(first);
    }
    if known.len() == PRELINKED_MAX {
        known.remove(0);
    }
    known.push((key, Arc::clone(&made)));
    Ok(made)
}

/// Ways to link one component that are kept; embedders use a few.
const PRELINKED_MAX: usize = 64;

// Comparing a few short keys is faster than hashing one.
fn find(known: &[(LinkKey, Arc<Prelinked>)], key: &LinkKey) -> Option<Arc<Prelinked>> {
    let (_, found) = known.iter().find(|(other, _)| other == key)?;
    Some(Arc::clone(found))
}

/// Imports that the embedder seems to have meant with a name that fits none. A
/// name that is like no import is for other components: one mapping may serve
/// many. One that is nearly an import would leave that import to the host.
fn misspelt(code: &Code, supply: &Supply<'_>) -> Vec<MissingImport> {
    let mut slips: Vec<MissingImport> = Vec::new();
    for given in supply.unused {
        let meant = code
            .imports()
            .iter()
            .filter(|import| !is_served(import, supply))
            .find_map(|import| Some((&import.name, why_not(given, &import.name)?)));
        if let Some((name, why)) = meant {
            slips.push(MissingImport {
                name: name.clone(),
                hint: format!("imports names {given:?}, {why}"),
            });
        }
    }
    slips
}

fn is_served(import: &Import, supply: &Supply<'_>) -> bool {
    embedder::stand_in(supply.interfaces, &import.name).is_some()
        || embedder::position(supply.functions, "", &import.name).is_some()
}

fn why_not(given: &str, import: &str) -> Option<&'static str> {
    let bare = |name: &str| {
        name.split_once('@')
            .map_or(name, |(bare, _)| bare)
            .to_owned()
    };
    if bare(given) == bare(import) {
        return Some("which is another version; leave the version out, or give this one");
    }
    crate::nearest::slips(&bare(given), &bare(import))
        .map(|_| "which it does not import; did you mean this one?")
}

fn link(
    component: &Component,
    code: &Code,
    key: &LinkKey,
    missing: Vec<MissingImport>,
) -> Result<Prelinked> {
    let (compiled, exports, _) = code.compiled(key.metering, key.allocation)?;
    let mut joiner = Joiner {
        linker: Linker::new(compiled.engine()),
        key,
        slips: missing.len(),
        missing,
        waits: false,
        uses_wasi: false,
    };
    for import in code.imports() {
        joiner
            .join(import)
            .map_err(|error| mismatch(component, &import.name, &error))?;
    }
    if !joiner.missing.is_empty() {
        return Err(Error::ImportMissing {
            component: component.name().to_owned(),
            missing: joiner.missing,
        });
    }
    let pre = joiner
        .linker
        .instantiate_pre(compiled)
        .map_err(|error| mismatch(component, "its imports", &error))?;
    Ok(Prelinked {
        pre,
        exports: exports.into(),
        waits: joiner.waits || code.concurrency() == Concurrency::On,
        uses_wasi: joiner.uses_wasi,
    })
}

fn mismatch(component: &Component, import: &str, error: &wasmtime::Error) -> Error {
    Error::ImportMismatch(format!(
        "component {:?}: {} cannot be joined to what was given: {}",
        component.name(),
        printable(import, false),
        printable(&format!("{error:#}"), true)
    ))
}

struct Joiner<'a> {
    linker: Linker<StoreData>,
    key: &'a LinkKey,
    missing: Vec<MissingImport>,
    /// How many of those, the first ones, are misspelt.
    slips: usize,
    waits: bool,
    uses_wasi: bool,
}

impl Joiner<'_> {
    // What the embedder supplies comes first: it may stand in for any host
    // interface, and no component can shadow it.
    fn join(&mut self, import: &Import) -> wasmtime::Result<()> {
        match &import.kind {
            ImportKind::Function(ty) => self.join_function(&import.name, ty),
            ImportKind::Interface {
                functions,
                resources,
            } => self.join_interface(&import.name, functions, resources),
            ImportKind::Unsupported => {
                self.miss(
                    &import.name,
                    "this host gives functions and interfaces only",
                );
                Ok(())
            }
        }
    }

    fn join_function(&mut self, name: &str, ty: &ComponentFunc) -> wasmtime::Result<()> {
        let Some(index) = embedder::position(&self.key.supplied, "", name) else {
            self.miss(
                name,
                &format!("instantiate(imports={{{name:?}: function}})"),
            );
            return Ok(());
        };
        let supplied = &self.key.supplied[index];
        self.waits |= supplied.waits;
        embedder::define(&mut self.linker.root(), name, index, supplied, ty.async_())
    }

    fn join_interface(
        &mut self,
        interface: &str,
        functions: &[(String, ComponentFunc)],
        resources: &[String],
    ) -> wasmtime::Result<()> {
        let Some(stand_in) = embedder::stand_in(&self.key.stand_ins, interface) else {
            return self.join_host(interface, functions, resources);
        };
        let mut instance = self.linker.instance(interface)?;
        for resource in resources {
            embedder::define_resource(&mut instance, resource)?;
        }
        for (function, ty) in functions {
            let full = format!("{interface}#{function}");
            match embedder::position(&self.key.supplied, interface, function) {
                Some(index) => {
                    let supplied = &self.key.supplied[index];
                    self.waits |= supplied.waits;
                    embedder::define(&mut instance, function, index, supplied, ty.async_())?;
                }
                None => self.missing.push(MissingImport {
                    name: full,
                    hint: method_hint(stand_in, function),
                }),
            }
        }
        Ok(())
    }

    fn join_host(
        &mut self,
        interface: &str,
        functions: &[(String, ComponentFunc)],
        resources: &[String],
    ) -> wasmtime::Result<()> {
        if interface == messaging::INTERFACE {
            return self.join_messaging(functions, resources);
        }
        match wasi::lookup(interface, &self.key.interfaces) {
            wasi::Lookup::Granted { add, waits } => {
                self.waits |= waits;
                self.uses_wasi = true;
                add(&mut self.linker)
            }
            wasi::Lookup::NotGranted { hint } => {
                self.miss(interface, hint);
                Ok(())
            }
            // An interface of types alone needs nothing from the host.
            wasi::Lookup::Unknown if functions.is_empty() && resources.is_empty() => {
                self.linker.instance(interface).map(drop)
            }
            wasi::Lookup::Unknown => {
                self.miss(interface, &unknown_hint(interface));
                Ok(())
            }
        }
    }

    fn join_messaging(
        &mut self,
        functions: &[(String, ComponentFunc)],
        resources: &[String],
    ) -> wasmtime::Result<()> {
        if !self.key.messaging {
            self.miss(
                messaging::INTERFACE,
                "spawn it as an actor, `await aw.Host().spawn(name, component)`: \
                 only those have an address",
            );
            return Ok(());
        }
        let mut instance = self.linker.instance(messaging::INTERFACE)?;
        let names = functions.iter().map(|(name, _)| name.as_str());
        self.waits |= messaging::link(&mut instance, names, resources)?;
        Ok(())
    }

    // An import that is misspelt is named once, by that.
    fn miss(&mut self, name: &str, hint: &str) {
        if self.missing[..self.slips]
            .iter()
            .any(|slip| slip.name == name)
        {
            return;
        }
        self.missing.push(MissingImport {
            name: name.to_owned(),
            hint: hint.to_owned(),
        });
    }
}

/// What would give a function that the stand-in for its interface lacks. The
/// host's own is no answer: a guest must not get half of each.
fn method_hint(stand_in: &StandIn, function: &str) -> String {
    let method = embedder::snake_case(function);
    let interface = &stand_in.interface;
    let hint = format!("a method {method:?} on the object given for {interface:?}");
    match crate::nearest::nearest(&method, stand_in.offers.iter().map(String::as_str)) {
        Some(near) => format!("{hint}; did you mean it by {near:?}?"),
        None => hint,
    }
}

fn unknown_hint(interface: &str) -> String {
    if interface.starts_with("airssys:") || interface.starts_with("wasi:") {
        return format!(
            "this version of the host does not give it; \
             instantiate(imports={{{interface:?}: object}}) can stand in for it"
        );
    }
    format!("instantiate(imports={{{interface:?}: object}})")
}
