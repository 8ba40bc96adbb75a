//! Writes the component again, with the passage in it.

use super::passage::places;
use super::survey::Plan;
use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent};
use wasm_encoder::{
    CanonicalFunctionSection, ComponentAliasSection, ComponentSection, ComponentTypeSection,
    InstanceSection, ModuleSection,
};
use wasmparser::{
    CanonicalFunction, Chunk, ComponentCanonicalSectionReader, KnownCustom, Parser, Payload,
};

type Result<T> = std::result::Result<T, Error>;

/// # Errors
///
/// What does not parse, or cannot be written.
pub(super) fn rewrite(binary: &[u8], plan: &Plan<'_>) -> Result<Vec<u8>> {
    let mut output = Vec::with_capacity(binary.len() + binary.len() / 8);
    let (mut parser, mut rest, mut behind) = (Parser::new(0), binary, false);
    while !rest.is_empty() {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(Error::UnexpectedNonComponentSection);
        };
        let (section, after) = rest
            .split_at_checked(consumed + inner_bytes(&payload))
            .ok_or(Error::UnexpectedNonComponentSection)?;
        if starts_at(&payload, plan.at) {
            insert(plan, &mut output)?;
            behind = true;
        }
        // What refers to nothing that moved stays as it is written.
        if !(behind && Shift(plan).section(payload, &mut output)?) {
            output.extend_from_slice(section);
        }
        rest = after;
    }
    Ok(output)
}

/// Bytes of a module or component inside, which are not parsed with its header.
fn inner_bytes(payload: &Payload<'_>) -> usize {
    match payload {
        Payload::ModuleSection {
            unchecked_range, ..
        }
        | Payload::ComponentSection {
            unchecked_range, ..
        } => unchecked_range.len(),
        _ => 0,
    }
}

fn starts_at(payload: &Payload<'_>, at: usize) -> bool {
    matches!(payload, Payload::ComponentCanonicalSection(section) if section.range().start == at)
}

fn insert(plan: &Plan<'_>, output: &mut Vec<u8>) -> Result<()> {
    let (module, before) = (plan.passage.module()?, plan.before);
    ModuleSection(&module).append_to_component(output);
    let instance = plan.passage.instance(before.modules);
    instance.append_to_component(output);
    let aliases = plan.passage.aliases(before.instances);
    aliases.append_to_component(output);
    Ok(())
}

/// Gives what was made behind the passage the number that it has now.
struct Shift<'p>(&'p Plan<'p>);

impl Shift<'_> {
    /// Writes a section that may refer to core functions or instances; says whether this
    /// is one.
    fn section(&mut self, payload: Payload<'_>, output: &mut Vec<u8>) -> Result<bool> {
        match payload {
            Payload::ComponentCanonicalSection(section) => {
                self.canonical(section)?.append_to_component(output);
            }
            Payload::InstanceSection(section) => {
                let mut instances = InstanceSection::new();
                self.parse_instance_section(&mut instances, section)?;
                instances.append_to_component(output);
            }
            Payload::ComponentAliasSection(section) => {
                let mut aliases = ComponentAliasSection::new();
                self.parse_component_alias_section(&mut aliases, section)?;
                aliases.append_to_component(output);
            }
            // A resource names its destructor.
            Payload::ComponentTypeSection(section) => {
                let mut types = ComponentTypeSection::new();
                self.parse_component_type_section(&mut types, section)?;
                types.append_to_component(output);
            }
            Payload::CustomSection(section) => {
                let KnownCustom::ComponentName(names) = section.as_known() else {
                    return Ok(false);
                };
                // Names do nothing: damaged ones are as good as they were.
                let Ok(names) = self.custom_component_name_section(names) else {
                    return Ok(false);
                };
                names.append_to_component(output);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn canonical(
        &mut self,
        section: ComponentCanonicalSectionReader<'_>,
    ) -> Result<CanonicalFunctionSection> {
        let mut functions = CanonicalFunctionSection::new();
        for function in section {
            match function? {
                CanonicalFunction::Lift {
                    core_func_index,
                    type_index,
                    options,
                } => {
                    let options: Result<Vec<_>> = options
                        .iter()
                        .map(|option| self.canonical_option(*option))
                        .collect();
                    functions.lift(self.lifted(core_func_index), type_index, options?);
                }
                other => self.parse_component_canonical(&mut functions, other)?,
            }
        }
        Ok(functions)
    }

    /// What is lifted instead of a core function.
    fn lifted(&self, function: u32) -> u32 {
        let place = self.0.places.get(function as usize).copied().flatten();
        place.map_or_else(
            || self.function(function),
            |place| self.0.before.functions + place,
        )
    }

    fn function(&self, function: u32) -> u32 {
        if function < self.0.before.functions {
            return function;
        }
        // Names may be of functions that do not exist.
        function.saturating_add(places(self.0.passage.len()))
    }
}

impl Reencode for Shift<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32> {
        Ok(self.function(function))
    }
}

impl ReencodeComponent for Shift<'_> {
    fn instance_index(&mut self, instance: u32) -> u32 {
        instance.saturating_add(u32::from(instance >= self.0.before.instances))
    }
}
