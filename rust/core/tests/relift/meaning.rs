//! What a component does with its core functions, whatever their numbers are.

use std::collections::HashMap;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentType, ExternalKind, Instance,
    Parser, Payload, TypeRef,
};

/// Every use of a core function, in order, with the function it ends up at.
pub fn uses(binary: &[u8]) -> Vec<String> {
    let mut reader = Reader::default();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload.unwrap();
        match &payload {
            Payload::ModuleSection { .. } if depth == 0 => reader.modules.push(Module::default()),
            _ if depth == 0 => reader.component(&payload),
            _ if depth == 1 => reader.module(&payload),
            _ => {}
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    reader.uses
}

#[derive(Default)]
struct Module {
    imports: Vec<(String, String)>,
    exports: HashMap<String, u32>,
}

enum Made {
    Of(u32, HashMap<String, u32>, String),
    Bag(HashMap<String, String>),
}

#[derive(Default)]
struct Reader {
    modules: Vec<Module>,
    instances: Vec<Made>,
    functions: Vec<String>,
    uses: Vec<String>,
}

impl Reader {
    fn module(&mut self, payload: &Payload<'_>) {
        let Some(module) = self.modules.last_mut() else {
            return;
        };
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import.unwrap();
                    if matches!(import.ty, TypeRef::Func(_)) {
                        let from = (import.module.to_owned(), import.name.to_owned());
                        module.imports.push(from);
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.unwrap();
                    if export.kind == ExternalKind::Func {
                        module.exports.insert(export.name.to_owned(), export.index);
                    }
                }
            }
            _ => {}
        }
    }

    fn component(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    self.instance(instance.unwrap());
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    if let ComponentAlias::CoreInstanceExport {
                        kind: ExternalKind::Func,
                        instance_index,
                        name,
                    } = alias.unwrap()
                    {
                        self.functions.push(self.export(instance_index, name));
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section.clone() {
                    if let ComponentType::Resource { dtor: Some(it), .. } = ty.unwrap() {
                        self.uses.push(format!("drop {}", self.function(it)));
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.canonical(function.unwrap());
                }
            }
            _ => {}
        }
    }

    fn instance(&mut self, instance: Instance<'_>) {
        self.instances.push(match instance {
            Instance::Instantiate { module_index, args } => {
                let mut given: Vec<_> = args.iter().map(|arg| (arg.name, arg.index)).collect();
                given.sort_unstable();
                // Made of the same, they are still two.
                let same = |made: &&Made| matches!(made, Made::Of(of, ..) if *of == module_index);
                let label = format!(
                    "m{module_index}.{}",
                    self.instances.iter().filter(same).count()
                );
                let given = given.into_iter().map(|(name, of)| (name.to_owned(), of));
                Made::Of(module_index, given.collect(), label)
            }
            Instance::FromExports(exports) => {
                let mut bag = HashMap::new();
                for export in &exports {
                    if export.kind == ExternalKind::Func {
                        let function = self.function(export.index);
                        self.uses.push(format!("give {} {function}", export.name));
                        bag.insert(export.name.to_owned(), function);
                    }
                }
                Made::Bag(bag)
            }
        });
    }

    fn export(&self, instance: u32, name: &str) -> String {
        match &self.instances[instance as usize] {
            Made::Bag(bag) => bag[name].clone(),
            Made::Of(module, given, label) => {
                let module = &self.modules[*module as usize];
                match module.imports.get(module.exports[name] as usize) {
                    // What it imported is somebody else's.
                    Some((from, name)) => self.export(given[from], name),
                    None => format!("{label}#{name}"),
                }
            }
        }
    }

    fn function(&self, index: u32) -> String {
        self.functions[index as usize].clone()
    }

    fn canonical(&mut self, function: CanonicalFunction) {
        match function {
            CanonicalFunction::Lift {
                core_func_index,
                type_index,
                options,
            } => {
                let (function, options) = (self.function(core_func_index), self.options(&options));
                self.uses
                    .push(format!("lift {function} {type_index} {options}"));
            }
            other => {
                let text = match &other {
                    CanonicalFunction::Lower {
                        func_index,
                        options,
                    } => format!("lower {func_index} {}", self.options(options)),
                    other => format!("{other:?}"),
                };
                self.functions.push(format!("host {text}"));
                self.uses.push(text);
            }
        }
    }

    fn options(&self, options: &[CanonicalOption]) -> String {
        let each = options.iter().map(|option| match option {
            CanonicalOption::Realloc(it) => format!("realloc {}", self.function(*it)),
            CanonicalOption::PostReturn(it) => format!("post-return {}", self.function(*it)),
            CanonicalOption::Callback(it) => format!("callback {}", self.function(*it)),
            other => format!("{other:?}"),
        });
        each.collect::<Vec<_>>().join(" ")
    }
}
