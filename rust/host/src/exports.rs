//! What a component exports, by the names it may be called by.

use crate::component::Export;
use crate::error::{Error, Result};
use crate::nearest;
use std::collections::HashMap;

/// Exported functions by the names they may be called by.
pub struct Exports {
    list: Vec<Export>,
    by_name: HashMap<String, Found>,
}

#[derive(Clone, Copy)]
enum Found {
    One(usize),
    Ambiguous,
}

impl Exports {
    pub(crate) fn new(list: Vec<Export>) -> Exports {
        let mut exports = Exports {
            list,
            by_name: HashMap::new(),
        };
        for index in 0..exports.list.len() {
            let full = exports.list[index].name.clone();
            exports.by_name.insert(full, Found::One(index));
        }
        for index in 0..exports.list.len() {
            if let Some(short) = without_version(&exports.list[index].name) {
                exports
                    .by_name
                    .entry(short)
                    .and_modify(|found| *found = Found::Ambiguous)
                    .or_insert(Found::One(index));
            }
        }
        exports
    }

    /// All of them, in order.
    pub fn list(&self) -> &[Export] {
        &self.list
    }

    /// Finds an export by its full name, or without the version of its
    /// interface when only one interface fits.
    ///
    /// # Errors
    ///
    /// [`Error::ExportMissing`] naming what there is.
    pub fn find(&self, component: &str, name: &str) -> Result<usize> {
        match self.by_name.get(name) {
            Some(Found::One(index)) => Ok(*index),
            Some(Found::Ambiguous) => Err(Error::ExportMissing(format!(
                "component {component:?} exports {name:?} in several versions; \
                 hint: name one of {}",
                self.names_like(name)
            ))),
            None => Err(Error::ExportMissing(format!(
                "component {component:?} has no export {:?}; hint: {}",
                short(name),
                self.meant_by(name)
            ))),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        // What a tool chain calls while it builds is nothing to be called.
        let names = self.list.iter().map(|export| export.name.as_str());
        names.filter(|name| *name != BUILD_TIME_EXPORT)
    }

    fn meant_by(&self, wanted: &str) -> String {
        if self.names().next().is_none() {
            return "it has no functions at all".to_owned();
        }
        if wanted.len() > NAME_BYTES_MAX {
            return format!("it has {}", listed(self.names()));
        }
        let interface = wanted.split('@').next().unwrap_or(wanted);
        let inside = |name: &&str| {
            let rest = name.strip_prefix(interface);
            rest.is_some_and(|rest| !wanted.contains('#') && rest.starts_with(['#', '@']))
        };
        let same = |name: &&str| own_name(name) == own_name(wanted);
        if self.names().any(|name| inside(&name)) {
            return format!(
                "it is an interface with {}",
                listed(self.names().filter(inside))
            );
        }
        let bare = |name: &str| without_version(name).unwrap_or_else(|| name.to_owned());
        let other_version = |name: &&str| bare(name) == bare(wanted);
        if self.names().any(|name| other_version(&name)) {
            return format!(
                "did you mean {}?",
                listed(self.names().filter(other_version))
            );
        }
        if self.names().any(|name| same(&name)) {
            return format!("did you mean {}?", listed(self.names().filter(same)));
        }
        let near = |name: &&str| nearest::slips(&bare(wanted), &bare(name)).is_some();
        let near_own = |name: &&str| nearest::slips(own_name(wanted), own_name(name)).is_some();
        if self.names().any(|name| near(&name)) {
            return format!("did you mean {}?", listed(self.names().filter(near)));
        }
        if self.names().any(|name| near_own(&name)) {
            return format!("did you mean {}?", listed(self.names().filter(near_own)));
        }
        format!("it has {}", listed(self.names()))
    }

    fn names_like(&self, short: &str) -> String {
        let fits = |name: &&str| without_version(name).as_deref() == Some(short);
        listed(
            self.list
                .iter()
                .map(|export| export.name.as_str())
                .filter(fits),
        )
    }
}

/// No name that anybody means is longer.
const NAME_BYTES_MAX: usize = 1024;

fn short(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let start: String = name.chars().take(64).collect();
    format!("{start}…, {} bytes in all", name.len())
}

/// What componentize-py calls before it freezes the interpreter.
const BUILD_TIME_EXPORT: &str = "exports#init";

/// `f` of `ns:pkg/iface@1.0.0#f`, and of a method of a resource.
fn own_name(name: &str) -> &str {
    let function = name.rsplit('#').next().unwrap_or(name);
    function.rsplit('.').next().unwrap_or(function)
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<_> = names.map(|name| format!("{name:?}")).collect();
    if names.len() > SHOWN {
        let rest = names.len() - SHOWN;
        names.truncate(SHOWN);
        names.push(format!("and {rest} more"));
    }
    names.join(", ")
}

/// `ns:pkg/iface@1.0.0#f` without its version.
fn without_version(name: &str) -> Option<String> {
    let (interface, function) = name.split_once('#')?;
    let (bare, _) = interface.split_once('@')?;
    Some(format!("{bare}#{function}"))
}
