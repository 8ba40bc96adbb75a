//! Making components: what fits, and what is said when it does not.

use airssys_core::componentize::{Adapter, ComponentizeError, embed, encode};
use airssys_core::wit::{self, Source, WitError};

const ADD: &str = "package acme:sum; world sum { export add: func(a: s32, b: s32) -> s32; }";

const ADD_MODULE: &str = r#"(module (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))"#;

fn text(contents: &str) -> Source<'_> {
    Source::Text {
        name: "test.wit",
        contents,
    }
}

fn with_interface(module: &str, wit: &str) -> Vec<u8> {
    embed(&wat::parse_str(module).unwrap(), text(wit), None).unwrap()
}

#[test]
fn a_module_with_its_interface_becomes_a_component() {
    let component = encode(&with_interface(ADD_MODULE, ADD), &[]).unwrap();
    let world = wit::world_text(Source::Binary(&component)).unwrap();
    assert!(
        world.contains("export add: func(a: s32, b: s32) -> s32;"),
        "{world}"
    );
}

#[test]
fn a_module_without_an_interface_is_refused() {
    let error = encode(&wat::parse_str(ADD_MODULE).unwrap(), &[]).unwrap_err();
    assert!(matches!(error, ComponentizeError::NoInterface), "{error:?}");
    assert!(error.to_string().contains("hint:"));
}

#[test]
fn an_unknown_import_is_named_with_its_cause() {
    let module = r#"(module (import "env" "foo" (func))
        (func (export "add") (param i32 i32) (result i32) (i32.const 0)))"#;
    let error = encode(&with_interface(module, ADD), &[]).unwrap_err();
    let ComponentizeError::UnknownImports { imports } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(imports[0].to_string(), "`env::foo`");
    assert!(
        error
            .to_string()
            .contains("`env::foo`, which no interface of its world gives"),
        "{error}"
    );
    assert!(error.to_string().contains("linker"), "{error}");
}

#[test]
fn every_unknown_import_is_named_and_no_known_one() {
    let wit = "package a:b; interface i { known: func(); } world w { import i; }";
    let module = r#"(module (import "a:b/i" "known" (func)) (import "a:b/i" "unknown" (func))
        (import "x:y/z" "f" (func)))"#;
    let error = encode(&with_interface(module, wit), &[]).unwrap_err();
    let ComponentizeError::UnknownImports { imports } = &error else {
        panic!("{error:?}")
    };
    let names: Vec<_> = imports.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["`a:b/i::unknown`", "`x:y/z::f`"]);
}

#[test]
fn a_missing_export_is_named() {
    let error = encode(&with_interface("(module)", ADD), &[]).unwrap_err();
    let ComponentizeError::MissingExports { names } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(names, &["`add`"]);
}

#[test]
fn an_export_of_the_wrong_type_is_a_mismatch() {
    let module = r#"(module (func (export "add") (param i64)))"#;
    let error = encode(&with_interface(module, ADD), &[]).unwrap_err();
    assert!(
        matches!(&error, ComponentizeError::Mismatch(text) if text.contains("add")),
        "{error:?}"
    );
}

#[test]
fn an_adapter_gives_the_imports_it_stands_for() {
    let wit = "package a:b; world w { export run: func() -> u32; }";
    let module = r#"(module (import "old" "answer" (func $answer (result i32)))
        (func (export "run") (result i32) (call $answer)))"#;
    let module = with_interface(module, wit);
    let adapter =
        wat::parse_str(r#"(module (func (export "answer") (result i32) (i32.const 42)))"#).unwrap();
    let adapter = Adapter {
        name: "old",
        module: &adapter,
    };

    encode(&module, &[adapter]).unwrap();

    assert!(matches!(
        encode(&module, &[]),
        Err(ComponentizeError::UnknownImports { .. })
    ));
    assert!(matches!(
        encode(&module, &[adapter, adapter]),
        Err(ComponentizeError::AdapterTwice(_))
    ));
}

#[test]
fn bytes_that_are_no_module_say_what_they_are() {
    let said = |bytes: &[u8]| encode(bytes, &[]).unwrap_err().to_string();
    assert!(said(b"").contains("empty"));
    assert!(said(b"hello").contains("magic"));
    let component = encode(&with_interface(ADD_MODULE, ADD), &[]).unwrap();
    assert!(said(&component).contains("a component already"));
    assert!(said(b"\0asm\x01\0\0\0\x01").contains("not a core WebAssembly module"));
}

#[test]
fn a_wrong_world_is_an_error_of_the_wit() {
    let module = wat::parse_str(ADD_MODULE).unwrap();
    let error = embed(&module, text(ADD), Some("nobody")).unwrap_err();
    assert!(
        matches!(error, ComponentizeError::Wit(WitError::World { .. })),
        "{error:?}"
    );
}
