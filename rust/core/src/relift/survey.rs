//! Which functions a component lifts, and where each of them comes from.

use super::passage::{Passage, Source};
use super::{CORE_INSTANCES_MAX, FUNCTIONS_MAX};
use std::collections::HashSet;
use wasmparser::types::TypesRef;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, Export, ExternalKind, Instance, InstanceSectionReader, Parser,
    Payload, Result, TypeRef, Validator, WasmFeatures,
};

/// What to write, and where.
pub(super) struct Plan<'a> {
    /// Where the contents of the section of the first lift begin; the module goes
    /// before that section.
    pub(super) at: usize,
    /// Core modules, instances and functions that are there before it.
    pub(super) before: Counts,
    pub(super) passage: Passage<'a>,
    /// For each core function of the component, its place in the passage.
    pub(super) places: Vec<Option<u32>>,
    complete: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) modules: u32,
    pub(super) instances: u32,
    pub(super) functions: u32,
}

impl Counts {
    fn of(types: TypesRef<'_>) -> Counts {
        Counts {
            modules: types.module_count(),
            instances: types.core_instance_count(),
            functions: types.function_count(),
        }
    }
}

/// What is known of the items of the component so far. What is `None` comes from
/// somewhere else: an import, an outer component, the host.
struct Survey<'a, 'w> {
    wanted: &'w dyn Fn(&str) -> bool,
    modules: Vec<Option<Module<'a>>>,
    /// The module that each instance is made of.
    instances: Vec<Option<u32>>,
    functions: Vec<Option<Source<'a>>>,
    plan: Option<Plan<'a>>,
}

/// The functions of one core module.
#[derive(Default)]
struct Module<'a> {
    imported: u32,
    /// Names under which it exports functions of its own.
    own: HashSet<&'a str>,
}

/// Where in the component a payload stands.
#[derive(Default)]
struct Depth {
    /// How many components and modules it is in.
    levels: usize,
    /// Whether the module it is in is one of the outermost component.
    in_module: bool,
}

/// # Errors
///
/// What does not parse or is not valid, but for the code of functions, which is not
/// looked at.
pub(super) fn survey<'a>(
    binary: &'a [u8],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Option<Plan<'a>>> {
    // Which proposals are allowed is for the host to say.
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut survey, mut depth) = (Survey::new(wanted), Depth::default());
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload?;
        let before = counts(&validator);
        validator.payload(&payload)?;
        if survey.is_beyond(&payload, &depth) {
            return Ok(None);
        }
        if depth.levels == 0 {
            survey.component(&payload, before, &validator)?;
        } else if depth.in_module {
            survey.module(&payload)?;
        }
        depth.follow(&payload);
    }
    Ok(survey.plan)
}

fn counts(validator: &Validator) -> Option<Counts> {
    validator.types(0).map(Counts::of)
}

impl Depth {
    fn follow(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::ModuleSection { .. } => {
                self.in_module = self.levels == 0;
                self.levels += 1;
            }
            Payload::ComponentSection { .. } => self.levels += 1,
            Payload::End(_) => {
                self.levels = self.levels.saturating_sub(1);
                self.in_module = false;
            }
            _ => {}
        }
    }
}

impl<'a, 'w> Survey<'a, 'w> {
    fn new(wanted: &'w dyn Fn(&str) -> bool) -> Survey<'a, 'w> {
        Survey {
            wanted,
            modules: Vec::new(),
            instances: Vec::new(),
            functions: Vec::new(),
            plan: None,
        }
    }

    /// Whether nothing is to be done because of this.
    fn is_beyond(&self, payload: &Payload<'a>, depth: &Depth) -> bool {
        match payload {
            // It would move, and with it every offset into it.
            Payload::ModuleSection { .. } => self.plan.is_some(),
            // How often they are made would have to be worked out.
            Payload::InstanceSection(_) => depth.levels > 0,
            _ => false,
        }
    }

    fn component(
        &mut self,
        payload: &Payload<'a>,
        before: Option<Counts>,
        validator: &Validator,
    ) -> Result<()> {
        match payload {
            Payload::ModuleSection { .. } => {
                // What is aliased or imported was not seen one by one.
                let known = before.map_or(0, |counts| counts.modules);
                self.modules.resize_with(known as usize, || None);
                self.modules.push(Some(Module::default()));
            }
            Payload::InstanceSection(section) => self.instantiated(section.clone())?,
            Payload::ComponentAliasSection(section) => self.aliased(section.clone())?,
            Payload::ComponentCanonicalSection(section) => {
                if let (Some(before), Some(types)) = (before, validator.types(0)) {
                    self.lifted(section.clone(), before, types)?;
                }
            }
            Payload::End(_) => self.check(before),
            _ => {}
        }
        Ok(())
    }

    fn instantiated(&mut self, section: InstanceSectionReader<'a>) -> Result<()> {
        for instance in section {
            self.instances.push(match instance? {
                Instance::Instantiate { module_index, .. } => Some(module_index),
                Instance::FromExports(_) => None,
            });
        }
        Ok(())
    }

    fn aliased(&mut self, section: ComponentAliasSectionReader<'a>) -> Result<()> {
        for alias in section {
            if let ComponentAlias::CoreInstanceExport {
                kind: ExternalKind::Func,
                instance_index: instance,
                name,
            } = alias?
            {
                self.functions.push(Some(Source { instance, name }));
            }
        }
        Ok(())
    }

    fn lifted(
        &mut self,
        section: ComponentCanonicalSectionReader<'a>,
        before: Counts,
        types: TypesRef<'_>,
    ) -> Result<()> {
        let at = section.range().start;
        for function in section {
            let CanonicalFunction::Lift {
                core_func_index, ..
            } = function?
            else {
                // All others make a core function, of the host's.
                self.functions.push(None);
                continue;
            };
            let source = self.own(core_func_index);
            let Some(source) = source.filter(|source| (self.wanted)(source.name)) else {
                continue;
            };
            let plan = self.plan.get_or_insert_with(|| Plan::new(at, before));
            // Nothing can be led through the passage that is made after it.
            plan.complete &= source.instance < plan.before.instances;
            let ty = types[types.core_function_at(core_func_index)].unwrap_func();
            plan.lead(core_func_index, source, ty);
        }
        Ok(())
    }

    /// The source of a core function, if a module of this component defines it.
    fn own(&self, function: u32) -> Option<Source<'a>> {
        let source = (*self.functions.get(function as usize)?)?;
        let module = (*self.instances.get(source.instance as usize)?)?;
        let module = self.modules.get(module as usize)?.as_ref()?;
        module.own.contains(source.name).then_some(source)
    }

    fn module(&mut self, payload: &Payload<'a>) -> Result<()> {
        let Some(Some(module)) = self.modules.last_mut() else {
            return Ok(());
        };
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let ty = import?.ty;
                    let function = matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    module.imported += u32::from(function);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone() {
                    module.exported(export?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Forgets the plan if it would be wrong, or too much.
    fn check(&mut self, end: Option<Counts>) {
        let instances = self.instances.iter().flatten().count();
        let understood = self.plan.as_ref().zip(end).is_some_and(|(plan, end)| {
            plan.complete
                && end.modules == plan.before.modules
                && end.instances as usize == self.instances.len()
                && end.functions as usize == self.functions.len()
                && (1..=FUNCTIONS_MAX).contains(&plan.passage.len())
        });
        if !understood || instances > CORE_INSTANCES_MAX {
            self.plan = None;
        }
    }
}

impl<'a> Module<'a> {
    fn exported(&mut self, export: Export<'a>) {
        if export.kind == ExternalKind::Func && export.index >= self.imported {
            self.own.insert(export.name);
        }
    }
}

impl<'a> Plan<'a> {
    fn new(at: usize, before: Counts) -> Plan<'a> {
        Plan {
            at,
            before,
            passage: Passage::default(),
            places: Vec::new(),
            complete: true,
        }
    }

    fn lead(&mut self, function: u32, source: Source<'a>, ty: &wasmparser::FuncType) {
        let place = self.passage.lead(source, ty);
        let function = function as usize;
        if self.places.len() <= function {
            self.places.resize(function + 1, None);
        }
        self.places[function] = Some(place);
    }
}
