//! A loaded component: its bytes, its exports, and its compiled variants.

use crate::charge::Charge;
use crate::compile;
use crate::engine::{Allocation, Codegen, Concurrency, Density, Engine, Metering};
use crate::error::{Error, Result};
pub use crate::exports::Exports;
use crate::linker::{LinkKey, Prelinked, Supplied};
use crate::messaging;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component as Compiled, ComponentExportIndex, ResourceType};

/// A component ready to be instantiated under a name of the embedder's choice.
pub struct Component {
    name: String,
    code: Arc<Code>,
    /// The memory limit near which an instance was last warned of.
    warned_limit: AtomicUsize,
}

/// What all loads of the same bytes share.
pub(crate) struct Code {
    engine: Engine,
    digest: [u8; 32],
    binary: Vec<u8>,
    /// Bytes that the host itself holds for each instance.
    footprint: u64,
    /// Bytes of its values that the host holds for each one it is charged for.
    bytes_per_charged: usize,
    /// Whether its tables may need more room than those of the pool have.
    outgrows_pool: bool,
    concurrency: Concurrency,
    variants: [OnceLock<Variant>; 2],
    exports: Exports,
    resources: Vec<ExportedResource>,
    imports: Vec<Import>,
    prelinked: Mutex<Vec<(LinkKey, Arc<Prelinked>)>>,
}

/// Code for one metering, in the pool's engine or, where a component does not
/// fit the pool's slots, only in the engine that allocates on demand.
struct Variant {
    pooled: Option<(Compiled, Vec<ComponentExportIndex>)>,
    on_demand: OnceLock<(Compiled, Vec<ComponentExportIndex>)>,
}

/// One exported function.
pub struct Export {
    /// `interface#function`, or `function` for an export of the world itself.
    pub name: String,
    /// Its type.
    pub ty: ComponentFunc,
}

/// A resource that the component exports.
pub struct ExportedResource {
    /// Its type.
    pub ty: ResourceType,
    /// What the names of its exported methods begin with.
    pub methods: String,
}

/// One import of the component.
pub struct Import {
    /// Interface name, or the function's own name at world level.
    pub name: String,
    /// What is imported.
    pub kind: ImportKind,
}

/// What an import is.
pub enum ImportKind {
    /// A function of the world itself.
    Function(ComponentFunc),
    /// An interface.
    Interface {
        /// Its functions, in order.
        functions: Vec<(String, ComponentFunc)>,
        /// Its resources.
        resources: Vec<String>,
    },
    /// Something this host never gives, a core module for example.
    Unsupported,
}

/// Code that is still in use somewhere, by digest.
#[derive(Default)]
pub(crate) struct Registry {
    by_digest: Mutex<HashMap<[u8; 32], Weak<Code>>>,
}

impl Component {
    pub(crate) fn load(engine: &Engine, name: &str, bytes: &[u8]) -> Result<Arc<Component>> {
        let binary = compile::to_binary(name, bytes, &engine.options().compile)?;
        let digest = *blake3::hash(&binary).as_bytes();
        let code = if let Some(code) = engine.registry().get(&digest) {
            code
        } else {
            let code = Code::new(engine, digest, binary.into_owned())
                .map_err(|error| named(error, name))?;
            engine.registry().insert(digest, code)
        };
        Ok(Arc::new(Component {
            name: name.to_owned(),
            code,
            warned_limit: AtomicUsize::new(0),
        }))
    }

    /// Name it was loaded under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the first instance in a row that comes near this memory
    /// limit.
    pub(crate) fn warn_once(&self, limit: usize) -> bool {
        self.warned_limit.swap(limit, Ordering::Relaxed) != limit
    }

    /// BLAKE3 digest of its bytes.
    pub fn digest(&self) -> &[u8; 32] {
        &self.code.digest
    }

    /// The same in hexadecimal.
    pub fn digest_text(&self) -> String {
        blake3::Hash::from_bytes(self.code.digest)
            .to_hex()
            .to_string()
    }

    /// Its bytes.
    pub fn binary(&self) -> &[u8] {
        &self.code.binary
    }

    /// Its exported functions.
    pub fn exports(&self) -> &Exports {
        &self.code.exports
    }

    /// The resources it exports.
    pub fn resources(&self) -> &[ExportedResource] {
        &self.code.resources
    }

    /// Its imports.
    pub fn imports(&self) -> &[Import] {
        &self.code.imports
    }

    /// Whether it uses component-model async, so that its code is made and run
    /// by an engine configuration of its own.
    pub fn is_concurrent(&self) -> bool {
        self.code.concurrency == Concurrency::On
    }

    /// Whether an instance may have to wait: for the host, for what the embedder
    /// supplies, or for a task of its own.
    pub fn may_wait(&self, supplied: &[Supplied]) -> bool {
        self.is_concurrent()
            || supplied.iter().any(|one| one.waits)
            || self.code.imports.iter().any(|import| {
                import.name.starts_with("wasi:") || import.name == messaging::INTERFACE
            })
    }

    /// The engine that loaded it.
    pub fn engine(&self) -> &Engine {
        &self.code.engine
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }
}

fn named(error: Error, name: &str) -> Error {
    match error {
        Error::ComponentInvalid(why) => Error::ComponentInvalid(format!("{name}: {why}")),
        Error::CompileRefused(why) => Error::CompileRefused(format!("{name}: {why}")),
        other => other,
    }
}

impl Code {
    fn new(engine: &Engine, digest: [u8; 32], binary: Vec<u8>) -> Result<Arc<Code>> {
        let concurrency = compile::concurrency(&binary);
        let codegen = Codegen {
            metering: Metering::Off,
            concurrency,
        };
        let variant = Variant::new(engine, &binary, &digest, codegen)?;
        let (compiled, _) = variant.any().ok_or_else(Variant::missing)?;
        let target = compiled.engine();
        let mut list = Vec::new();
        each_export(compiled, target, |name, _, ty| {
            list.push(Export { name, ty });
        });
        let exports = Exports::new(list);
        let resources = resources_of(compiled, target);
        let imports = imports_of(compiled, target);
        Ok(Arc::new(Code {
            engine: engine.clone(),
            digest,
            footprint: compile::footprint(&binary),
            bytes_per_charged: bytes_per_charged(&exports, &imports),
            outgrows_pool: compile::outgrow_pool(&binary),
            concurrency,
            binary,
            variants: [OnceLock::from(variant), OnceLock::new()],
            exports,
            resources,
            imports,
            prelinked: Mutex::default(),
        }))
    }

    fn codegen(&self, metering: Metering) -> Codegen {
        Codegen {
            metering,
            concurrency: self.concurrency,
        }
    }

    /// Whether its code keeps track of tasks.
    pub(crate) fn concurrency(&self) -> Concurrency {
        self.concurrency
    }

    fn variant(&self, metering: Metering) -> Result<&Variant> {
        let slot = &self.variants[metering as usize];
        if let Some(variant) = slot.get() {
            return Ok(variant);
        }
        let codegen = self.codegen(metering);
        let variant = Variant::new(&self.engine, &self.binary, &self.digest, codegen)?;
        Ok(slot.get_or_init(|| variant))
    }

    /// The compiled code and its export indices for one engine variant, and
    /// where its instances really live.
    pub(crate) fn compiled(
        &self,
        metering: Metering,
        allocation: Allocation,
    ) -> Result<(&Compiled, &[ComponentExportIndex], Allocation)> {
        let variant = self.variant(metering)?;
        if let (Allocation::Pooled, Some((compiled, indices))) = (allocation, &variant.pooled) {
            return Ok((compiled, indices, Allocation::Pooled));
        }
        let (compiled, indices) = variant.on_demand(&self.engine, self.codegen(metering))?;
        Ok((compiled, indices, Allocation::OnDemand))
    }

    pub(crate) fn prelinked(&self) -> MutexGuard<'_, Vec<(LinkKey, Arc<Prelinked>)>> {
        self.prelinked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// Bytes that the host itself holds for each instance, besides memories and
    /// tables.
    pub(crate) fn footprint(&self) -> u64 {
        self.footprint
    }

    /// How many times more the host holds than the engine charges for values of
    /// its functions.
    pub(crate) fn bytes_per_charged(&self) -> usize {
        self.bytes_per_charged
    }

    /// Whether instances with this much memory fit the pool's slots.
    pub(crate) fn fits_pool(&self, memory_bytes_max: usize) -> bool {
        let fits = match self.engine.options().density {
            Density::Standard => true,
            Density::Dense {
                memory_bytes_max: slot,
            } => memory_bytes_max <= slot,
        };
        fits && !self.outgrows_pool
    }
}

fn bytes_per_charged(exports: &Exports, imports: &[Import]) -> usize {
    let mut charge = Charge::new();
    for export in exports.list() {
        charge.results(&export.ty);
    }
    for import in imports {
        match &import.kind {
            ImportKind::Function(ty) => charge.params(ty),
            ImportKind::Interface { functions, .. } => {
                for (_, ty) in functions {
                    charge.params(ty);
                }
            }
            ImportKind::Unsupported => {}
        }
    }
    charge.ratio()
}

impl Variant {
    fn new(engine: &Engine, binary: &[u8], digest: &[u8; 32], codegen: Codegen) -> Result<Variant> {
        let (compiled, allocation) = compile::ready(engine, binary, digest, codegen)?;
        let indices = indices(&compiled);
        Ok(match allocation {
            Allocation::Pooled => Variant {
                pooled: Some((compiled, indices)),
                on_demand: OnceLock::new(),
            },
            Allocation::OnDemand => Variant {
                pooled: None,
                on_demand: OnceLock::from((compiled, indices)),
            },
        })
    }

    fn any(&self) -> Option<&(Compiled, Vec<ComponentExportIndex>)> {
        self.pooled.as_ref().or_else(|| self.on_demand.get())
    }

    fn missing() -> Error {
        Error::Engine("no compiled code for a loaded component".to_owned())
    }

    fn on_demand(
        &self,
        engine: &Engine,
        codegen: Codegen,
    ) -> Result<&(Compiled, Vec<ComponentExportIndex>)> {
        if let Some(found) = self.on_demand.get() {
            return Ok(found);
        }
        let (pooled, _) = self.pooled.as_ref().ok_or_else(Self::missing)?;
        let compiled = compile::on_demand(engine, pooled, codegen)?;
        let indices = indices(&compiled);
        Ok(self.on_demand.get_or_init(|| (compiled, indices)))
    }
}

impl Registry {
    fn get(&self, digest: &[u8; 32]) -> Option<Arc<Code>> {
        self.lock().get(digest)?.upgrade()
    }

    // Two threads may load the same bytes at once: the first to finish stays.
    fn insert(&self, digest: [u8; 32], code: Arc<Code>) -> Arc<Code> {
        let mut by_digest = self.lock();
        if let Some(first) = by_digest.get(&digest).and_then(Weak::upgrade) {
            return first;
        }
        by_digest.retain(|_, code| code.strong_count() > 0);
        by_digest.insert(digest, Arc::downgrade(&code));
        code
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Weak<Code>>> {
        self.by_digest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn indices(compiled: &Compiled) -> Vec<ComponentExportIndex> {
    let mut indices = Vec::new();
    each_export(compiled, compiled.engine(), |_, index, _| {
        indices.push(index);
    });
    indices
}

fn each_export(
    compiled: &Compiled,
    engine: &wasmtime::Engine,
    mut visit: impl FnMut(String, ComponentExportIndex, ComponentFunc),
) {
    for (name, item) in compiled.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                if let Some(index) = compiled.get_export_index(None, name) {
                    visit(name.to_owned(), index, ty);
                }
            }
            ComponentItem::ComponentInstance(interface) => {
                let Some(parent) = compiled.get_export_index(None, name) else {
                    continue;
                };
                for (function, item) in interface.exports(engine) {
                    let ComponentItem::ComponentFunc(ty) = item.ty else {
                        continue;
                    };
                    if let Some(index) = compiled.get_export_index(Some(&parent), function) {
                        visit(format!("{name}#{function}"), index, ty);
                    }
                }
            }
            _ => {}
        }
    }
}

fn resources_of(compiled: &Compiled, engine: &wasmtime::Engine) -> Vec<ExportedResource> {
    let mut resources = Vec::new();
    for (name, item) in compiled.component_type().exports(engine) {
        match item.ty {
            ComponentItem::Resource(ty) => {
                resources.push(ExportedResource {
                    ty,
                    methods: format!("[method]{name}."),
                });
            }
            ComponentItem::ComponentInstance(interface) => {
                for (resource, item) in interface.exports(engine) {
                    if let ComponentItem::Resource(ty) = item.ty {
                        let methods = format!("{name}#[method]{resource}.");
                        resources.push(ExportedResource { ty, methods });
                    }
                }
            }
            _ => {}
        }
    }
    resources
}

fn imports_of(compiled: &Compiled, engine: &wasmtime::Engine) -> Vec<Import> {
    let import = |(name, item): (&str, wasmtime::component::types::ComponentExtern<'_>)| {
        let kind = match item.ty {
            ComponentItem::ComponentFunc(ty) => ImportKind::Function(ty),
            ComponentItem::ComponentInstance(interface) => {
                let mut functions = Vec::new();
                let mut resources = Vec::new();
                for (name, item) in interface.exports(engine) {
                    match item.ty {
                        ComponentItem::ComponentFunc(ty) => functions.push((name.to_owned(), ty)),
                        ComponentItem::Resource(_) => resources.push(name.to_owned()),
                        _ => {}
                    }
                }
                ImportKind::Interface {
                    functions,
                    resources,
                }
            }
            // A type that is only named needs nothing from the host.
            ComponentItem::Type(_) => return None,
            _ => ImportKind::Unsupported,
        };
        Some(Import {
            name: name.to_owned(),
            kind,
        })
    };
    compiled
        .component_type()
        .imports(engine)
        .filter_map(import)
        .collect()
}
