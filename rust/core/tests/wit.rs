//! Reading WIT: what is accepted, what is refused, and where the error points.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use airssys_core::componentize;
use airssys_core::wit::{self, Location, NotComponent, Source, WitError};
use proptest::prelude::*;
use wasmparser::{Validator, WasmFeatures};

const GREET: &str = "\
/// Greets people.
package acme:greet@1.0.0;

/// The one interface.
interface api {
    /// Somebody.
    record person { name: string, age: u8 }
    /// Greets somebody.
    greet: func(person: person) -> result<string, string>;
}

world greeter { export api; export add: func(a: s32, b: s32) -> s32; }
";

fn text(contents: &str) -> Source<'_> {
    Source::Text {
        name: "test.wit",
        contents,
    }
}

/// A component with the shape of the only world of `wit`, trapping everywhere.
fn component(wit: &str) -> Vec<u8> {
    use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mangling = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let module = wit_component::dummy_module(&resolve, world, mangling);
    let module = componentize::embed(&module, text(wit), None).unwrap();
    componentize::encode(&module, &[]).unwrap()
}

/// A directory that is removed when the test ends.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("airssys-wit-{}-{name}", std::process::id()));
        for (path, contents) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        Self(root)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn text_resolves_with_its_documentation_and_order() {
    let json = wit::resolve_json(text(GREET), Some("greeter")).unwrap();
    let model: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(model["world"], 0);
    assert_eq!(model["resolve"]["packages"][0]["name"], "acme:greet@1.0.0");
    let greet = &model["resolve"]["interfaces"][0]["functions"]["greet"];
    assert_eq!(greet["docs"]["contents"], "Greets somebody.");
}

#[test]
fn functions_keep_the_order_of_the_text() {
    let wit = "package a:b; interface i { zebra: func(); ant: func(); mole: func(); } world w {}";
    let json = wit::resolve_json(text(wit), None).unwrap();
    let at = |name: &str| json.find(&format!("\"{name}\":{{")).unwrap();
    assert!(at("zebra") < at("ant") && at("ant") < at("mole"));
}

#[test]
fn a_component_tells_its_world() {
    let component = component(GREET);
    let printed = wit::world_text(Source::Binary(&component)).unwrap();
    assert!(
        printed.contains("export acme:greet/api@1.0.0;"),
        "{printed}"
    );
    assert!(
        printed.contains("export add: func(a: s32, b: s32) -> s32;"),
        "{printed}"
    );
    // What is printed can be read again.
    wit::validate(text(&printed)).unwrap();
}

#[test]
fn a_directory_resolves_with_its_dependencies() {
    let tree = Tree::new(
        "deps",
        &[
            (
                "world.wit",
                "package me:app; world app { import other:lib/i@0.2.0; }",
            ),
            ("more.wit", "interface extra { f: func(); }"),
            (
                "deps/lib/lib.wit",
                "package other:lib@0.2.0; interface i { use third:x/t.{n}; g: func() -> n; }",
            ),
            (
                "deps/third.wit",
                "package third:x; interface t { type n = u8; }",
            ),
            ("deps/README.md", "not WIT"),
        ],
    );
    let summary = wit::validate(Source::Path(&tree.0)).unwrap();
    assert_eq!(summary.package, "me:app");
    assert_eq!(summary.interfaces, ["extra"]);
    assert_eq!(summary.worlds, ["app"]);
    assert_eq!(summary.functions, 1);
}

#[test]
fn a_syntax_error_names_file_line_and_column() {
    let error = wit::validate(text("package a:b;\n\ninterface i {\n  f: func(\n}")).unwrap_err();
    let WitError::Invalid { location, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        *location,
        Location {
            file: "test.wit".into(),
            line: 5,
            column: 1
        }
    );
}

#[test]
fn an_unknown_package_in_a_directory_is_placed_in_its_file() {
    let tree = Tree::new(
        "unknown",
        &[("w.wit", "package a:b;\nworld w {\n  import no:where/x;\n}")],
    );
    let error = wit::validate(Source::Path(&tree.0)).unwrap_err();
    let WitError::Invalid { location, message } = &error else {
        panic!("{error:?}")
    };
    assert!(location.file.ends_with("w.wit"));
    assert_eq!(location.line, 3);
    assert!(message.contains("no:where"), "{message}");
}

#[test]
fn what_is_no_component_says_what_it_is() {
    let refused = |bytes: &[u8]| match wit::resolve_json(Source::Binary(bytes), None) {
        Err(WitError::NotComponent(what)) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b""), NotComponent::Empty);
    assert_eq!(refused(b"PK\x03\x04"), NotComponent::NotWasm);
    assert_eq!(refused(b"\0asm\x01\0\0\0"), NotComponent::CoreModule);
    assert_eq!(
        refused(b"\0asm\x63\0\x07\0"),
        NotComponent::UnknownVersion(0x0007_0063)
    );
}

#[test]
fn a_truncated_component_is_read_only_where_a_shorter_valid_one_ends() {
    let whole = component(GREET);
    for length in 0..whole.len() {
        let cut = &whole[..length];
        // Cut between two sections, what is left is a component in its own right.
        let valid = Validator::new_with_features(WasmFeatures::all())
            .validate_all(cut)
            .is_ok();
        match wit::resolve_json(Source::Binary(cut), None) {
            Ok(_) => assert!(valid, "{length}"),
            Err(WitError::NotComponent(_) | WitError::Undecodable(_)) => {
                assert!(!valid, "{length}");
            }
            Err(other) => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn components_that_no_tool_would_make_are_refused() {
    for component in [
        // They look like WIT packages, and hold neither an interface nor a world.
        r#"(component (type $t (component (export "a:b/c" (func)))) (export "c" (type $t)))"#,
        r#"(component (type $t (component)) (export "c" (type $t)))"#,
    ] {
        let binary = wat::parse_str(component).unwrap();
        let error = wit::resolve_json(Source::Binary(&binary), None).unwrap_err();
        assert!(
            matches!(error, WitError::Undecodable(_)),
            "{component}: {error:?}"
        );
    }
}

#[test]
fn a_wrong_world_lists_the_right_ones() {
    let error = wit::resolve_json(text(GREET), Some("nobody")).unwrap_err();
    assert!(
        error.to_string().ends_with("worlds here: greeter"),
        "{error}"
    );
}

#[test]
fn a_directory_without_wit_and_a_missing_one_are_told_apart() {
    let tree = Tree::new("empty", &[("notes.txt", "")]);
    assert!(matches!(
        wit::validate(Source::Path(&tree.0)),
        Err(WitError::Empty { .. })
    ));
    let missing = tree.0.join("missing");
    assert!(matches!(
        wit::validate(Source::Path(&missing)),
        Err(WitError::Unreadable { .. })
    ));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let error = wit::validate(Source::Path("/dev/null".as_ref())).unwrap_err();
    assert!(matches!(error, WitError::NotText { .. }), "{error:?}");
}

#[test]
fn includes_that_multiply_are_refused_before_they_are_expanded() {
    let mut bomb = String::from("package a:b;\nworld w0 {\n");
    for n in 0..20_000 {
        let _ = writeln!(bomb, "import f{n}: func();");
    }
    bomb.push_str("}\n");
    for n in 1..2_000 {
        let _ = writeln!(bomb, "world w{n} {{ include w{}; }}", n - 1);
    }
    let error = wit::validate(text(&bomb)).unwrap_err();
    assert!(
        matches!(
            error,
            WitError::TooLarge {
                size_max: wit::EXPANDED_ITEMS_MAX,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_long_chain_of_types_is_refused_without_running_out_of_stack() {
    let mut chain = String::from("package a:b; interface i { type t0 = u8;\n");
    let mut n = 1;
    while chain.len() < wit::TEXT_BYTES_MAX - 64 {
        let _ = write!(chain, "type t{n}=t{};", n - 1);
        n += 1;
    }
    chain.push('}');
    let error = wit::validate(text(&chain)).unwrap_err();
    assert!(
        matches!(
            error,
            WitError::TooLarge {
                what: "nesting of a type",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn types_that_double_are_refused() {
    let mut doubling = String::from("package a:b; interface i { type t0 = u8;\n");
    for n in 1..64 {
        let _ = writeln!(doubling, "type t{n} = tuple<t{0}, t{0}>;", n - 1);
    }
    doubling.push('}');
    let error = wit::validate(text(&doubling)).unwrap_err();
    assert!(
        matches!(
            error,
            WitError::TooLarge {
                what: "size of a type, in nodes",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn text_past_the_limit_is_refused() {
    let long = format!("package a:b; // {}", "x".repeat(wit::TEXT_BYTES_MAX));
    assert!(matches!(
        wit::validate(text(&long)),
        Err(WitError::TooLarge { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let error = wit::resolve_json(Source::Binary(&bytes), None).unwrap_err();
        prop_assert!(!matches!(error, WitError::Defect(_)), "{error}");
    }

    #[test]
    fn a_damaged_component_gives_an_answer_or_an_error(at in any::<proptest::sample::Index>(), byte: u8) {
        let mut damaged = component(GREET);
        let at = at.index(damaged.len());
        damaged[at] = byte;
        // Either is right, and a panic of the decoder would be `Defect`.
        if let Err(error) = wit::resolve_json(Source::Binary(&damaged), None) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn random_text_is_refused_or_resolved(tokens in proptest::collection::vec(
        proptest::sample::select(vec![
            "package a:b;", "interface", "world", "i", "{", "}", "use", "type", "=", "list<", ">", "u8", ";",
            "func(", ")", "->", "resource", "record", "include", "import", "export", "%", "@since(version = 1.0.0)",
            "/*", "*/", "// x\n", "1", "\u{202e}", "\0", "é",
        ]), 0..40)) {
        let source = tokens.join(" ");
        if let Err(error) = wit::validate(text(&source)) {
            prop_assert!(!matches!(error, WitError::Defect(_)), "{error} for {source:?}");
        }
    }
}
