//! Components of random parts, in random order.

use super::{check, relift, validate};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::fmt::Write as _;

/// One thing after another; the numbers choose what it is made of.
#[derive(Clone, Copy, Debug)]
enum Part {
    Instance(usize),
    Alias(usize, usize),
    Lift(usize),
    LiftText(usize, usize),
    Lower,
    LowerOwn(usize),
    Bag(usize),
    Resource(usize),
}

fn part() -> impl Strategy<Value = Part> {
    let any = any::<usize>;
    prop_oneof![
        any().prop_map(Part::Instance),
        (any(), any()).prop_map(|(a, b)| Part::Alias(a, b)),
        (any(), any()).prop_map(|(a, b)| Part::Alias(a, b)),
        any().prop_map(Part::Lift),
        any().prop_map(Part::Lift),
        (any(), any()).prop_map(|(a, b)| Part::LiftText(a, b)),
        Just(Part::Lower),
        any().prop_map(Part::LowerOwn),
        any().prop_map(Part::Bag),
        any().prop_map(Part::Resource),
    ]
}

/// What has been written, by kind.
#[derive(Default)]
struct Text {
    body: String,
    /// Core instances with all functions of the module `$m`.
    instances: usize,
    /// Core functions without parameters.
    functions: usize,
    /// Component functions without parameters.
    lifted: usize,
    bags: usize,
    others: usize,
}

impl Text {
    fn add(&mut self, part: Part) {
        match part {
            Part::Instance(choice) => {
                let from = match (choice % 3, self.bags) {
                    (0, 1..) => format!("$p (with \"a\" (instance $bag{}))", choice % self.bags),
                    (1, _) => "$q".to_owned(),
                    _ => "$m".to_owned(),
                };
                let n = self.instances;
                self.line(&format!("(core instance $i{n} (instantiate {from}))"));
                self.instances += 1;
            }
            Part::Alias(instance, name) if self.instances > 0 => {
                let from = instance % self.instances;
                let (n, name) = (self.functions, ["f", "g"][name % 2]);
                self.line(&format!(
                    "(core func $f{n} (alias core export $i{from} \"{name}\"))"
                ));
                self.functions += 1;
            }
            Part::Lift(choice) if self.functions > 0 => {
                let (n, from) = (self.lifted, choice % self.functions);
                self.line(&format!("(func $l{n} (canon lift (core func $f{from})))"));
                self.line(&format!("(export \"l{n}\" (func $l{n}))"));
                self.lifted += 1;
            }
            Part::LiftText(choice, free) if self.instances > 0 => {
                let (from, free) = (choice % self.instances, free % self.instances);
                self.others += 1;
                let n = self.others;
                self.line(&format!(
                    "(func (export \"t{n}\") (result string) (canon lift \
                     (core func $i{from} \"text\") (memory $i{from} \"mem\") \
                     (post-return (func $i{free} \"free\"))))"
                ));
            }
            Part::Lower => self.lower("h"),
            Part::LowerOwn(choice) if self.lifted > 0 => {
                self.lower(&format!("l{}", choice % self.lifted));
            }
            Part::Bag(choice) if self.functions > 0 => {
                let (n, f) = (self.bags, choice % self.functions);
                self.line(&format!(
                    "(core instance $bag{n} (export \"f\" (func $f{f})))"
                ));
                self.bags += 1;
            }
            Part::Resource(choice) if self.instances > 0 => {
                let from = choice % self.instances;
                self.line(&format!(
                    "(type (resource (rep i32) (dtor (func $i{from} \"free\"))))"
                ));
            }
            _ => {}
        }
    }

    fn lower(&mut self, what: &str) {
        let n = self.functions;
        self.line(&format!("(core func $f{n} (canon lower (func ${what})))"));
        self.functions += 1;
    }

    fn line(&mut self, text: &str) {
        writeln!(self.body, "{text}").unwrap();
    }
}

/// `$m` defines what it exports, `$q` has other numbers for it, `$p` passes one on.
fn component(parts: &[Part]) -> String {
    let own = r#"(memory (export "mem") 1) (func (export "text") (result i32) unreachable)
        (func (export "free") (param i32))"#;
    let mut text = Text::default();
    for part in parts {
        text.add(*part);
    }
    format!(
        r#"(component (import "h" (func $h))
        (core module $m (func (export "f")) (func (export "g")) {own})
        (core module $q {own} (func $g) (export "g" (func $g)) (export "f" (func $g)))
        (core module $p (import "a" "f" (func $a)) (func (export "g"))
            (export "f" (func $a)) {own})
        {})"#,
        text.body
    )
}

/// As tool chains have it: whoever is lifted from is there before the first lift.
fn as_tool_chains_do(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| matches!(part, Part::Lift(_) | Part::LiftText(..)));
    parts.sort_by_key(|part| !matches!(part, Part::Instance(_)));
    parts
}

#[test]
fn functions_stay_what_they_are() {
    let parts = || prop::collection::vec(part(), 0..40);
    let all = prop_oneof![3 => parts().prop_map(as_tool_chains_do), 1 => parts()];
    let led = Cell::new(0);
    TestRunner::default()
        .run(&all, |parts| {
            let original = wat::parse_str(component(&parts)).unwrap();
            validate(&original);
            if let Some(relifted) = relift(&original) {
                led.set(led.get() + 1);
                check(&original, &relifted);
            }
            Ok(())
        })
        .unwrap();
    assert!(led.get() > 50, "only {} had something to do", led.get());
}
