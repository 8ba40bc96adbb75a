//! Another way to the same functions.

mod generated;
mod meaning;

use airssys_core::relift::{self, CORE_INSTANCES_MAX, FUNCTIONS_MAX};
use airssys_core::wit::{self, Source};
use meaning::uses;
use std::fmt::Write as _;
use wasmparser::{KnownCustom, Parser, Payload, Validator, WasmFeatures};

/// Leads whatever can be led.
fn relift(binary: &[u8]) -> Option<Vec<u8>> {
    relift::relift(binary, |_| true)
}

fn validate(binary: &[u8]) {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(binary)
        .unwrap();
}

fn names(binary: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0);
    for payload in Parser::new(0).parse_all(binary) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(
                    section
                        .into_iter()
                        .map(|it| it.unwrap().name.name.to_owned()),
                );
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(
                    section
                        .into_iter()
                        .map(|it| it.unwrap().name.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    (imports, exports)
}

/// Checks that a rewritten component is what it was, with the way to its own functions
/// gone.
fn check(original: &[u8], relifted: &[u8]) {
    validate(relifted);
    assert_eq!(names(original), names(relifted));
    let world = |binary| wit::world_text(Source::Binary(binary)).map_err(|error| error.to_string());
    assert_eq!(world(original), world(relifted));
    assert_eq!(uses(original), uses(relifted));
    assert_eq!(relift(relifted), None, "a second time");
}

fn binary(text: &str) -> Vec<u8> {
    let binary = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    validate(&binary);
    binary
}

fn relifted(text: &str) -> Vec<u8> {
    let original = binary(text);
    let relifted = relift(&original).expect("something to do");
    check(&original, &relifted);
    relifted
}

fn left_alone(text: &str) {
    assert_eq!(relift(&binary(text)), None, "{text}");
}

const ADD: &str = r#"(core module $m (memory (export "mem") 1)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "text") (result i32) unreachable)
    (func (export "free") (param i32))
    (func (export "nothing"))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#;

#[test]
fn a_lift_goes_through_one_more_module() {
    let relifted = relifted(&format!(
        r#"(component {ADD} (core instance $i (instantiate $m))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32)
            (canon lift (core func $i "add")))
        (func (export "again") (param "a" s32) (param "b" s32) (result s32)
            (canon lift (core func $i "add"))))"#
    ));
    // The same function takes one place, however often it is lifted.
    assert_eq!(modules(&relifted), [(0, 6), (1, 1)]);
}

#[test]
fn only_what_is_wanted_is_led() {
    let original = binary(&format!(
        r#"(component {ADD} (core instance $i (instantiate $m))
        (func (export "n") (canon lift (core func $i "nothing")))
        (func (export "a") (param "a" u32) (param "b" u32) (result u32)
            (canon lift (core func $i "add"))))"#
    ));
    let adds = relift::relift(&original, |name| name == "add").unwrap();
    assert_eq!(uses(&original), uses(&adds));
    assert_eq!(modules(&adds), [(0, 6), (1, 1)]);
    assert_eq!(relift::relift(&adds, |name| name == "add"), None);
    assert_eq!(relift::relift(&original, |name| name == "a"), None);
}

#[test]
fn options_and_everything_behind_mean_the_functions_that_they_meant() {
    relifted(&format!(
        r#"(component (import "h" (func $h (param "t" string))) {ADD}
        (core instance $i (instantiate $m))
        (core instance $j (instantiate $m))
        (core module $user (import "x" "h" (func (param i32 i32))) (import "x" "n" (func))
            (func (export "n2")))
        (func $a (export "a") (param "a" u32) (param "b" u32) (result u32)
            (canon lift (core func $i "add")))
        (func (export "t") (result string) (canon lift (core func $j "text") (memory $j "mem")
            (realloc (func $j "realloc")) (post-return (func $j "free"))))
        (core func $lower (canon lower (func $h) (memory $i "mem") (realloc (func $i "realloc"))))
        (core func $lowered (canon lower (func $a)))
        (core instance $bag (export "h" (func $lower)) (export "n" (func $j "nothing")))
        (core instance $k (instantiate $user (with "x" (instance $bag))))
        (type $r (resource (rep i32) (dtor (func $j "free"))))
        (core func $drop (canon resource.drop $r))
        (core instance $bag2 (export "h" (func $drop)) (export "l" (func $lowered)))
        (func (export "last") (canon lift (core func $j "nothing"))))"#
    ));
}

#[test]
fn an_instance_that_is_made_behind_a_lift_leaves_all_alone() {
    left_alone(&format!(
        r#"(component {ADD} (core instance $i (instantiate $m))
        (func (export "a") (canon lift (core func $i "nothing")))
        (core instance $j (instantiate $m))
        (func (export "b") (canon lift (core func $j "nothing"))))"#
    ));
}

#[test]
fn async_lifts_keep_their_callback() {
    relifted(
        r#"(component (core module $m (func (export "f") (result i32) unreachable)
            (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m))
        (func (export "f") async (canon lift (core func $i "f") async (callback (func $i "cb")))))"#,
    );
}

#[test]
fn what_is_not_defined_here_is_left_alone() {
    // Nothing is lifted.
    left_alone("(component)");
    left_alone(&format!(
        "(component {ADD} (core instance (instantiate $m)))"
    ));
    // What is lifted was lowered.
    left_alone(
        r#"(component (import "f" (func $f)) (core func $l (canon lower (func $f)))
            (func (export "g") (canon lift (core func $l))))"#,
    );
    left_alone(
        r#"(component (import "f" (func $f)) (core func $l (canon lower (func $f)))
            (core instance $bag (export "f" (func $l)))
            (func (export "g") (canon lift (core func $bag "f"))))"#,
    );
    // The module is somebody else's.
    left_alone(
        r#"(component (import "m" (core module $m (export "f" (func))))
            (core instance $i (instantiate $m))
            (func (export "g") (canon lift (core func $i "f"))))"#,
    );
    // It is a module inside that exports what it imports.
    left_alone(
        r#"(component (core module $m (func (export "f")))
            (core module $pass (import "m" "f" (func $f)) (export "f" (func $f)))
            (core instance $i (instantiate $m))
            (core instance $p (instantiate $pass (with "m" (instance $i))))
            (func (export "g") (canon lift (core func $p "f"))))"#,
    );
}

#[test]
fn an_alias_of_a_module_outside_is_somebody_elses() {
    left_alone(
        r#"(component (core module $m (func (export "f")))
            (component $c (alias outer 1 0 (core module $n))
                (core instance $i (instantiate $n))
                (func (export "g") (canon lift (core func $i "f"))))
            (instance $c (instantiate $c)) (export "g" (func $c "g")))"#,
    );
}

#[test]
fn components_inside_are_copied() {
    let inner = r#"(component $c (import "f" (func $f)) (export "f2" (func $f)))"#;
    let outer = |inner: &str| {
        format!(
            r#"(component {ADD} (core instance $i (instantiate $m))
            (func $n (canon lift (core func $i "nothing")))
            {inner} (instance $c (instantiate $c (with "f" (func $n))))
            (export "out" (instance $c)) (func $o (alias export $c "f2"))
            (core func (canon lower (func $o)))
            (func (export "n") (canon lift (core func $i "nothing"))))"#
        )
    };
    relifted(&outer(inner));
    // Whatever is made of cores there may be made any number of times.
    left_alone(&outer(
        r#"(component $c (import "f" (func $f)) (export "f2" (func $f))
            (core instance))"#,
    ));
}

#[test]
fn no_module_moves() {
    let behind = |module: &str| {
        format!(
            r#"(component {ADD} (core instance $i (instantiate $m))
            (func (export "n") (canon lift (core func $i "nothing"))) {module})"#
        )
    };
    let original = binary(&behind(""));
    let relifted = relifted(&behind(""));
    let same = original
        .iter()
        .zip(&relifted)
        .take_while(|(a, b)| a == b)
        .count();
    let code = Parser::new(0)
        .parse_all(&original)
        .find_map(|payload| match payload.unwrap() {
            Payload::CodeSectionStart { range, .. } => Some(range.end),
            _ => None,
        });
    assert!(code.unwrap() <= same);
    left_alone(&behind("(core module)"));
    left_alone(&behind("(component (core module))"));
    left_alone(&behind(r#"(import "m" (core module))"#));
}

#[test]
fn names_follow_what_they_name() {
    let text = format!(
        r#"(component {ADD} (core instance $i (instantiate $m))
        (core func $first (alias core export $i "nothing"))
        (func $f (canon lift (core func $first)))
        (core func $second (alias core export $i "free"))
        (core instance $bag (export "x" (func $second)))
        (export "n" (func $f)))"#
    );
    let named = core_names(&relifted(&text));
    assert_eq!(
        named,
        [
            "func 0 first",
            "func 2 second",
            "instance 0 i",
            "instance 2 bag"
        ]
    );
}

#[test]
fn more_than_is_allowed_is_left_alone() {
    let many = |count: usize| {
        let (mut own, mut lifts) = (String::new(), String::new());
        for n in 0..count {
            write!(own, r#"(func (export "f{n}"))"#).unwrap();
            write!(
                lifts,
                r#"(func (export "f{n}") (canon lift (core func $i "f{n}")))"#
            )
            .unwrap();
        }
        format!("(component (core module $m {own}) (core instance $i (instantiate $m)) {lifts})")
    };
    relifted(&many(FUNCTIONS_MAX));
    left_alone(&many(FUNCTIONS_MAX + 1));
    left_alone(&many(1_000));

    let instances = |count: usize| {
        let more = "(core instance (instantiate $m))".repeat(count - 1);
        format!(
            r#"(component {ADD} (core instance $i (instantiate $m)) {more}
            (func (export "n") (canon lift (core func $i "nothing"))))"#
        )
    };
    relifted(&instances(CORE_INSTANCES_MAX));
    left_alone(&instances(CORE_INSTANCES_MAX + 1));
}

#[test]
fn what_is_damaged_is_left_alone() {
    assert_eq!(relift(b""), None);
    assert_eq!(relift(b"\0asm\x01\0\0\0"), None);
    let good = binary(&format!(
        r#"(component {ADD} (core instance $i (instantiate $m))
        (type (resource (rep i32) (dtor (func $i "free"))))
        (func (export "t") (result string) (canon lift (core func $i "text") (memory $i "mem")
            (realloc (func $i "realloc")) (post-return (func $i "free"))))
        (core func $n (alias core export $i "nothing"))
        (core instance (export "n" (func $n)))
        (func (export "n") (canon lift (core func $n))))"#
    ));
    assert!(relift(&good).is_some());
    for end in 0..good.len() {
        // A whole number of sections is a component too.
        let _ = relift(&good[..end]);
    }
    for (at, with) in (0..good.len()).flat_map(|at| [(at, 0x55), (at, 1), (at, 0x80)]) {
        let mut bad = good.clone();
        bad[at] ^= with;
        // It may be valid still; what counts is that there is an answer.
        let _ = relift(&bad);
    }
}

fn prebuilt(name: &str) -> Vec<u8> {
    let dir = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/components/prebuilt"
    );
    std::fs::read(format!("{dir}/{name}.wasm")).unwrap()
}

#[test]
fn what_tool_chains_make_is_understood() {
    for name in [
        "courier",
        "importer",
        "messenger",
        "panicker",
        "talker",
        "words",
    ] {
        let original = prebuilt(name);
        check(&original, &relift(&original).expect(name));
    }
    // It lifts more than a hundred.
    assert_eq!(relift(&prebuilt("echo")), None);
}

/// Functions that each module imports and exports.
fn modules(binary: &[u8]) -> Vec<(u32, u32)> {
    let mut modules = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        match (payload.unwrap(), modules.last_mut()) {
            (Payload::ModuleSection { .. }, _) => modules.push((0, 0)),
            (Payload::ImportSection(section), Some(module)) => module.0 = section.count(),
            (Payload::ExportSection(section), Some(module)) => module.1 = section.count(),
            _ => {}
        }
    }
    modules
}

fn core_names(binary: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CustomSection(section) = payload.unwrap() else {
            continue;
        };
        let KnownCustom::ComponentName(section) = section.as_known() else {
            continue;
        };
        for part in section {
            let (kind, map) = match part.unwrap() {
                wasmparser::ComponentName::CoreFuncs(map) => ("func", map),
                wasmparser::ComponentName::CoreInstances(map) => ("instance", map),
                _ => continue,
            };
            for naming in map {
                let naming = naming.unwrap();
                names.push(format!("{kind} {} {}", naming.index, naming.name));
            }
        }
    }
    names
}
