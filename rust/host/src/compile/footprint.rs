//! What the host itself must hold for each instance of a component.
//!
//! Besides memories and tables, an instance costs the host its globals and the
//! records of its functions. A guest chooses how many it declares, so they are
//! held against its memory limit too.

use wasmparser::{Instance, Parser, Payload};

/// Room for one global.
const GLOBAL_BYTES: u64 = 16;
/// Room for the record of one function.
const FUNCTION_BYTES: u64 = 32;

/// Bytes that one instance costs the host, at least; never less than what its
/// globals take, whatever is instantiated how often.
pub(crate) fn footprint(binary: &[u8]) -> u64 {
    // What does not parse does not compile, and is refused there.
    measure(binary).unwrap_or(0)
}

fn measure(binary: &[u8]) -> wasmparser::Result<u64> {
    let (mut modules, mut instances) = (Vec::new(), 0_u64);
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::ModuleSection { .. } => modules.push(0_u64),
            Payload::GlobalSection(globals) => {
                add(&mut modules, u64::from(globals.count()) * GLOBAL_BYTES);
            }
            Payload::FunctionSection(functions) => {
                add(&mut modules, u64::from(functions.count()) * FUNCTION_BYTES);
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    instances += u64::from(matches!(instance?, Instance::Instantiate { .. }));
                }
            }
            _ => {}
        }
    }
    // Each module once; and which of them is instantiated again is not looked
    // up, so the largest is taken.
    let once: u64 = modules.iter().sum();
    let largest = modules.iter().max().copied().unwrap_or_default();
    let again = instances.saturating_sub(modules.len() as u64);
    Ok(once.saturating_add(largest.saturating_mul(again)))
}

fn add(modules: &mut [u64], bytes: u64) {
    if let Some(module) = modules.last_mut() {
        *module = module.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globals_count_for_every_instance_of_their_module() {
        let globals = "(global i64 (i64.const 0))".repeat(1_000);
        let instances = "(core instance (instantiate $m))".repeat(10);
        let text = format!("(component (core module $m {globals}) {instances})");
        let binary = wat::parse_str(text).unwrap();
        assert_eq!(footprint(&binary), 10 * 1_000 * GLOBAL_BYTES);
    }
}
