//! What a component's imports are joined to: host interfaces that were
//! granted, and what the embedder supplies. Nothing else is ever linked.

mod concurrent;
mod embedder;
mod output;
mod wasi;
mod wasi3;

pub use embedder::{
    Answer, Define, Embedder, HostObject, NoImports, Pending, Supplied, Supply, aside,
};
pub use output::Output;
pub use wasi::Grant;

pub(crate) use concurrent::inside_task;
pub(crate) use wasi::WasiState;

use crate::component::{Code, Component, Import, ImportKind};
use crate::engine::{Allocation, Concurrency, Metering};
use crate::error::{Error, MissingImport, Result};
use crate::instance::StoreData;
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

/// Joins `component` to what `grant` and `supplied` give it.
pub(crate) fn prelink(
    component: &Component,
    metering: Metering,
    allocation: Allocation,
    grant: &Grant,
    supplied: &[Supplied],
) -> Result<Arc<Prelinked>> {
    let code = component.code();
    let key = LinkKey {
        metering,
        allocation,
        interfaces: grant.linked(),
        supplied: supplied.to_vec(),
    };
    if let Some(found) = find(&code.prelinked(), &key) {
        return Ok(found);
    }
    let made = Arc::new(link(component, code, &key)?);
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

fn link(component: &Component, code: &Code, key: &LinkKey) -> Result<Prelinked> {
    let (compiled, exports, _) = code.compiled(key.metering, key.allocation)?;
    let mut joiner = Joiner {
        linker: Linker::new(compiled.engine()),
        key,
        missing: Vec::new(),
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
        "component {:?}: {import} cannot be joined to what was given: {error:#}",
        component.name()
    ))
}

struct Joiner<'a> {
    linker: Linker<StoreData>,
    key: &'a LinkKey,
    missing: Vec<MissingImport>,
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
        if !embedder::supplies(&self.key.supplied, interface) {
            return self.join_host(interface, functions, resources);
        }
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
                    hint: format!(
                        "a method {:?} on the object given for {interface:?}",
                        embedder::snake_case(function)
                    ),
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

    fn miss(&mut self, name: &str, hint: &str) {
        self.missing.push(MissingImport {
            name: name.to_owned(),
            hint: hint.to_owned(),
        });
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
