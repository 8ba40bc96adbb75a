//! The module that functions are led through.

use std::collections::HashMap;
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    Alias, ComponentAliasSection, EntityType, ExportKind, ExportSection, ImportSection,
    InstanceSection, Module, ModuleArg, TypeSection,
};
use wasmparser::FuncType;

/// Where a core function comes from: an export of a core instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source<'a> {
    pub(super) instance: u32,
    pub(super) name: &'a str,
}

/// Functions that a module imports, and exports again under the number of their place.
#[derive(Default)]
pub(super) struct Passage<'a> {
    functions: Vec<(Source<'a>, FuncType)>,
    places: HashMap<Source<'a>, u32>,
}

impl<'a> Passage<'a> {
    pub(super) fn len(&self) -> usize {
        self.functions.len()
    }

    /// Its place, the same for the same function.
    pub(super) fn lead(&mut self, source: Source<'a>, ty: &FuncType) -> u32 {
        let next = places(self.functions.len());
        *self.places.entry(source).or_insert_with(|| {
            self.functions.push((source, ty.clone()));
            next
        })
    }

    pub(super) fn module(&self) -> Result<Module, reencode::Error> {
        let mut types = TypeSection::new();
        let (mut imports, mut exports) = (ImportSection::new(), ExportSection::new());
        for (place, (source, ty)) in (0..).zip(&self.functions) {
            types
                .ty()
                .func_type(&RoundtripReencoder.func_type(ty.clone())?);
            let from = source.instance.to_string();
            imports.import(&from, source.name, EntityType::Function(place));
            exports.export(&place.to_string(), ExportKind::Func, place);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&exports);
        Ok(module)
    }

    /// Its instance, which gets each instance under its own number.
    pub(super) fn instance(&self, module: u32) -> InstanceSection {
        let mut sources: Vec<_> = self
            .functions
            .iter()
            .map(|(from, _)| from.instance)
            .collect();
        sources.sort_unstable();
        sources.dedup();
        let given = |from: u32| (from.to_string(), ModuleArg::Instance(from));
        let mut section = InstanceSection::new();
        section.instantiate(module, sources.into_iter().map(given).collect::<Vec<_>>());
        section
    }

    /// The core functions of the component that it exports, one for each place.
    pub(super) fn aliases(&self, instance: u32) -> ComponentAliasSection {
        let mut section = ComponentAliasSection::new();
        for place in 0..self.functions.len() {
            section.alias(Alias::CoreInstanceExport {
                instance,
                kind: ExportKind::Func,
                name: &place.to_string(),
            });
        }
        section
    }
}

/// How many places that is.
pub(super) fn places(count: usize) -> u32 {
    // A component has at most a million functions, or it is not valid.
    u32::try_from(count).unwrap_or(u32::MAX)
}
