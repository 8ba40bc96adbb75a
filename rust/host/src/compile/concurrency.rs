//! Whether a component uses component-model async, or interfaces made of it.
//!
//! It decides which engine the component goes to before anything is compiled, at
//! every load. Whether the binary is valid is decided later: what does not parse
//! here goes to the ordinary engine, which refuses it.

use crate::engine::Concurrency;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentDefinedType, ComponentType,
    ComponentTypeDeclaration, InstanceTypeDeclaration, Parser, Payload,
};

/// Bytes of one section of types or canonical functions that is looked through.
/// A declaration takes up to a hundred times its bytes when it is read, and the
/// largest interfaces of WASI declare a few kilobytes.
const SECTION_BYTES_MAX: usize = 1024 * 1024;

/// What kind of code the component needs.
pub(crate) fn concurrency(binary: &[u8]) -> Concurrency {
    if uses_async(binary).unwrap_or(false) {
        Concurrency::On
    } else {
        Concurrency::Off
    }
}

fn uses_async(binary: &[u8]) -> wasmparser::Result<bool> {
    for payload in Parser::new(0).parse_all(binary) {
        let found = match payload? {
            Payload::ComponentTypeSection(types) if small(&types.range()) => {
                any(types, |ty| type_is_async(&ty))?
            }
            Payload::ComponentCanonicalSection(functions) if small(&functions.range()) => {
                any(functions, |function| function_is_async(&function))?
            }
            Payload::ComponentImportSection(imports) => {
                any(imports, |import| is_wasi_0_3(import.name.name))?
            }
            _ => false,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

// Some of its interfaces have no async function that this component uses; but what
// the host links is the whole of each.
fn is_wasi_0_3(import: &str) -> bool {
    import.starts_with("wasi:")
        && import
            .split_once('@')
            .is_some_and(|(_, version)| version.starts_with("0.3."))
}

fn small(range: &std::ops::Range<usize>) -> bool {
    range.len() <= SECTION_BYTES_MAX
}

fn any<T>(
    items: impl IntoIterator<Item = wasmparser::Result<T>>,
    is_async: impl Fn(T) -> bool,
) -> wasmparser::Result<bool> {
    for item in items {
        if is_async(item?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn type_is_async(ty: &ComponentType<'_>) -> bool {
    match ty {
        ComponentType::Func(function) => function.async_,
        ComponentType::Defined(defined) => matches!(
            defined,
            ComponentDefinedType::Future(_) | ComponentDefinedType::Stream(_)
        ),
        ComponentType::Component(declarations) => {
            declarations.iter().any(|declaration| match declaration {
                ComponentTypeDeclaration::Type(ty) => type_is_async(ty),
                _ => false,
            })
        }
        ComponentType::Instance(declarations) => {
            declarations.iter().any(|declaration| match declaration {
                InstanceTypeDeclaration::Type(ty) => type_is_async(ty),
                _ => false,
            })
        }
        ComponentType::Resource { .. } => false,
    }
}

// What belongs to proposals that are off everywhere is left out: both engines
// refuse it, the ordinary one with fewer words about async.
fn function_is_async(function: &CanonicalFunction) -> bool {
    match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options.iter().any(|option| {
                matches!(
                    option,
                    CanonicalOption::Async | CanonicalOption::Callback(_)
                )
            })
        }
        CanonicalFunction::BackpressureInc
        | CanonicalFunction::BackpressureDec
        | CanonicalFunction::TaskReturn { .. }
        | CanonicalFunction::TaskCancel
        | CanonicalFunction::ContextGet { .. }
        | CanonicalFunction::ContextSet { .. }
        | CanonicalFunction::ThreadYield { .. }
        | CanonicalFunction::SubtaskDrop
        | CanonicalFunction::SubtaskCancel { .. }
        | CanonicalFunction::StreamNew { .. }
        | CanonicalFunction::StreamRead { .. }
        | CanonicalFunction::StreamWrite { .. }
        | CanonicalFunction::StreamCancelRead { .. }
        | CanonicalFunction::StreamCancelWrite { .. }
        | CanonicalFunction::StreamDropReadable { .. }
        | CanonicalFunction::StreamDropWritable { .. }
        | CanonicalFunction::FutureNew { .. }
        | CanonicalFunction::FutureRead { .. }
        | CanonicalFunction::FutureWrite { .. }
        | CanonicalFunction::FutureCancelRead { .. }
        | CanonicalFunction::FutureCancelWrite { .. }
        | CanonicalFunction::FutureDropReadable { .. }
        | CanonicalFunction::FutureDropWritable { .. }
        | CanonicalFunction::WaitableSetNew
        | CanonicalFunction::WaitableSetWait { .. }
        | CanonicalFunction::WaitableSetPoll { .. }
        | CanonicalFunction::WaitableSetDrop
        | CanonicalFunction::WaitableJoin => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Concurrency {
        concurrency(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn components_without_async_go_to_the_ordinary_engine() {
        for text in [
            "(component)",
            r#"(component (import "f" (func (param "x" string))))"#,
            "(component (core module (func (export \"run\"))))",
            r#"(component (import "wasi:random/random@0.2.0" (instance)))"#,
            r#"(component (import "acme:random/random@0.3.0" (instance)))"#,
        ] {
            assert_eq!(of(text), Concurrency::Off, "{text}");
        }
        assert_eq!(concurrency(b"\0asm garbage"), Concurrency::Off);
    }

    #[test]
    fn async_is_found_wherever_it_is() {
        for text in [
            r#"(component (import "f" (func async)))"#,
            "(component (type (stream u8)))",
            r#"(component (import "wasi:random/random@0.3.0" (instance)))"#,
            "(component (type (future)))",
            "(component (core func (canon task.cancel)))",
            "(component (core func (canon waitable-set.new)))",
            "(component (component (type (func async))))",
            r#"(component (import "i" (instance (export "f" (func async)))))"#,
            r#"(component (type (component (import "i" (instance
                (export "f" (func (param "x" (stream u8)))))))))"#,
        ] {
            assert_eq!(of(text), Concurrency::On, "{text}");
        }
    }
}
