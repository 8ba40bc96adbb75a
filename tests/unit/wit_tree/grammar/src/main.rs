//! Reads WIT files with the grammar of the crate `tree-sitter-wit` and prints what it finds.
//!
//! One line for each finding: `item`, `unreadable` or `uncommented`, a tab, and the text. An item
//! is its kind, its place, and the names of its cases, fields, flags or parameters.

use std::io::{self, Write};

use tree_sitter::{Node, Parser};

/// A finding, printed as one line.
enum Finding {
    Item(String),
    Unreadable(String),
    Uncommented(String),
}

/// Walks one file.
struct Reader<'a> {
    text: &'a str,
    findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    fn read(text: &'a str) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_wit::language())?;
        let tree = parser.parse(text, None).ok_or("no tree")?;
        let mut reader = Self {
            text,
            findings: Vec::new(),
        };
        reader.walk(tree.root_node(), "");
        Ok(reader.findings)
    }

    fn walk(&mut self, node: Node<'_>, inside: &str) {
        if node.is_error() || node.is_missing() {
            let text = self.text[node.byte_range()].replace('\n', " ");
            self.findings.push(Finding::Unreadable(text));
        }
        let within = self.visit(node, inside);
        for child in children(node) {
            self.walk(child, within.as_deref().unwrap_or(inside));
        }
    }

    /// Notes the node, and returns the place its children are in if it is a new one.
    fn visit(&mut self, node: Node<'_>, inside: &str) -> Option<String> {
        match node.kind() {
            "interface_item" => {
                self.expect_comment(node);
                Some(self.name_of(node).to_owned())
            }
            "resource_item" => {
                self.note("resource", node, inside, &[]);
                Some(format!("{inside}.{}", self.name_of(node)))
            }
            kind @ ("variant_item" | "record_item" | "flags_item" | "enum_item" | "type_item") => {
                let parts = self.parts(node);
                self.note(kind.trim_end_matches("_item"), node, inside, &parts);
                None
            }
            "func_item" | "static_method" => {
                let parameters = self.parameters(node);
                self.note("func", node, inside, &parameters);
                None
            }
            _ => None,
        }
    }

    fn note(&mut self, kind: &str, node: Node<'_>, inside: &str, parts: &[&str]) {
        self.expect_comment(node);
        let name = self.name_of(node);
        let item = format!("{kind} {inside}.{name} {}", parts.join(","));
        self.findings.push(Finding::Item(item));
    }

    /// The names of cases, fields or flags.
    fn parts(&mut self, item: Node<'_>) -> Vec<&'a str> {
        let mut names = Vec::new();
        for part in children(item) {
            if ["variant_case", "record_field", "flags_case", "enum_case"].contains(&part.kind()) {
                self.expect_comment(part);
                names.push(self.name_of(part));
            }
        }
        names
    }

    fn parameters(&self, function: Node<'_>) -> Vec<&'a str> {
        let list = children(function)
            .find(|child| child.kind() == "func_type")
            .and_then(|signature| signature.child_by_field_name("params"));
        list.into_iter()
            .flat_map(children)
            .filter(|child| child.kind() == "named_type")
            .map(|parameter| self.name_of(parameter))
            .collect()
    }

    fn expect_comment(&mut self, node: Node<'_>) {
        if node.child_by_field_name("attributes").is_none() {
            let name = self.name_of(node).to_owned();
            self.findings.push(Finding::Uncommented(name));
        }
    }

    fn name_of(&self, node: Node<'_>) -> &'a str {
        node.child_by_field_name("name")
            .map_or("", |name| &self.text[name.byte_range()])
    }
}

fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    (0..node.child_count()).filter_map(move |index| node.child(index))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = io::read_to_string(io::stdin())?;
    let mut out = io::stdout().lock();
    for finding in Reader::read(&text)? {
        match finding {
            Finding::Item(item) => writeln!(out, "item\t{item}")?,
            Finding::Unreadable(text) => writeln!(out, "unreadable\t{text}")?,
            Finding::Uncommented(name) => writeln!(out, "uncommented\t{name}")?,
        }
    }
    Ok(())
}
