//! How each value of a function crosses, worked out once from its type.

use airssys_host::component::ExportedResource;
use airssys_host::wasmtime::component::ResourceType;
use airssys_host::wasmtime::component::types::{ComponentFunc, Type};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::Arc;

/// The type of one value.
#[derive(Debug)]
pub enum Plan {
    /// `bool`.
    Bool,
    /// `s8`.
    S8,
    /// `u8`.
    U8,
    /// `s16`.
    S16,
    /// `u16`.
    U16,
    /// `s32`.
    S32,
    /// `u32`.
    U32,
    /// `s64`.
    S64,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `string`.
    Text,
    /// `list<u8>`.
    Bytes,
    /// Any other list.
    List(Box<Plan>),
    /// A record.
    Record(Vec<Field>),
    /// A tuple.
    Tuple(Vec<Plan>),
    /// A variant.
    Variant(Vec<Case>),
    /// An enum.
    Enum(Vec<Name>),
    /// An option.
    Option(Box<Plan>),
    /// A result used as a value.
    Result {
        /// Type behind `ok`.
        ok: Option<Box<Plan>>,
        /// Type behind `err`.
        err: Option<Box<Plan>>,
    },
    /// Flags.
    Flags(Vec<Name>),
    /// An owned resource, with the prefix of its exported methods.
    Own(Option<Arc<str>>),
    /// A borrowed resource, likewise.
    Borrow(Option<Arc<str>>),
    /// A type of a proposal that is off.
    Unsupported(&'static str),
}

/// A name of WIT as both sides need it.
#[derive(Debug)]
pub struct Name {
    /// As WIT has it.
    pub wit: String,
    /// The same, interned in Python.
    pub python: Py<PyString>,
    /// In snake case: the attribute of a dataclass.
    pub attribute: Py<PyString>,
}

/// A field of a record.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub plan: Plan,
}

/// A case of a variant.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: Name,
    /// The type of its payload.
    pub plan: Option<Plan>,
}

/// The plan of a whole function.
#[derive(Debug)]
pub struct FunctionPlan {
    /// Names and plans of its parameters.
    pub params: Vec<(String, Plan)>,
    /// Plan of its result.
    pub result: Option<Plan>,
}

impl FunctionPlan {
    /// Works the plan out.
    pub fn new(scope: &Scope<'_, '_>, ty: &ComponentFunc) -> FunctionPlan {
        FunctionPlan {
            params: ty
                .params()
                .map(|(name, ty)| (name.to_owned(), scope.plan(&ty)))
                .collect(),
            result: ty.results().next().map(|ty| scope.plan(&ty)),
        }
    }
}

/// Words that cannot be the name of an attribute.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// The Python name for a WIT name: snake case, and an underscore behind what
/// would be a keyword.
pub fn attribute(wit: &str) -> String {
    let name = wit.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

impl Name {
    fn new(py: Python<'_>, wit: &str) -> Name {
        Name {
            wit: wit.to_owned(),
            python: PyString::intern(py, wit).unbind(),
            attribute: PyString::intern(py, &attribute(wit)).unbind(),
        }
    }
}

/// What plans of one component are made in.
pub struct Scope<'py, 'a> {
    /// The interpreter that names are interned in.
    pub py: Python<'py>,
    /// The resources the component exports.
    pub resources: &'a [ExportedResource],
}

impl Scope<'_, '_> {
    fn name(&self, wit: &str) -> Name {
        Name::new(self.py, wit)
    }

    fn methods(&self, ty: &ResourceType) -> Option<Arc<str>> {
        let found = self.resources.iter().find(|resource| resource.ty == *ty)?;
        Some(found.methods.as_str().into())
    }

    fn plan(&self, ty: &Type) -> Plan {
        let scope = self;
        match ty {
            Type::Bool => Plan::Bool,
            Type::S8 => Plan::S8,
            Type::U8 => Plan::U8,
            Type::S16 => Plan::S16,
            Type::U16 => Plan::U16,
            Type::S32 => Plan::S32,
            Type::U32 => Plan::U32,
            Type::S64 => Plan::S64,
            Type::U64 => Plan::U64,
            Type::Float32 => Plan::F32,
            Type::Float64 => Plan::F64,
            Type::Char => Plan::Char,
            Type::String => Plan::Text,
            Type::List(list) => match scope.plan(&list.ty()) {
                Plan::U8 => Plan::Bytes,
                item => Plan::List(Box::new(item)),
            },
            Type::Record(record) => Plan::Record(
                record
                    .fields()
                    .map(|field| Field {
                        name: scope.name(field.name),
                        plan: scope.plan(&field.ty),
                    })
                    .collect(),
            ),
            Type::Tuple(tuple) => Plan::Tuple(tuple.types().map(|ty| scope.plan(&ty)).collect()),
            Type::Variant(variant) => Plan::Variant(
                variant
                    .cases()
                    .map(|case| Case {
                        name: scope.name(case.name),
                        plan: case.ty.map(|ty| scope.plan(&ty)),
                    })
                    .collect(),
            ),
            Type::Enum(names) => Plan::Enum(names.names().map(|name| scope.name(name)).collect()),
            Type::Option(option) => Plan::Option(Box::new(scope.plan(&option.ty()))),
            Type::Result(result) => Plan::Result {
                ok: result.ok().map(|ty| Box::new(scope.plan(&ty))),
                err: result.err().map(|ty| Box::new(scope.plan(&ty))),
            },
            Type::Flags(flags) => Plan::Flags(flags.names().map(|name| scope.name(name)).collect()),
            Type::Own(ty) => Plan::Own(scope.methods(ty)),
            Type::Borrow(ty) => Plan::Borrow(scope.methods(ty)),
            Type::Map(_) => Plan::Unsupported("map"),
            Type::Future(_) => Plan::Unsupported("future"),
            Type::Stream(_) => Plan::Unsupported("stream"),
            Type::ErrorContext => Plan::Unsupported("error-context"),
            Type::FixedLengthList(_) => Plan::Unsupported("fixed-length list"),
        }
    }
}

impl Plan {
    /// The type's name for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Plan::Bool => "bool",
            Plan::S8 => "s8",
            Plan::U8 => "u8",
            Plan::S16 => "s16",
            Plan::U16 => "u16",
            Plan::S32 => "s32",
            Plan::U32 => "u32",
            Plan::S64 => "s64",
            Plan::U64 => "u64",
            Plan::F32 => "f32",
            Plan::F64 => "f64",
            Plan::Char => "char",
            Plan::Text => "string",
            Plan::Bytes => "list<u8>",
            Plan::List(_) => "list",
            Plan::Record(_) => "record",
            Plan::Tuple(_) => "tuple",
            Plan::Variant(_) => "variant",
            Plan::Enum(_) => "enum",
            Plan::Option(_) => "option",
            Plan::Result { .. } => "result",
            Plan::Flags(_) => "flags",
            Plan::Own(_) => "an owned resource",
            Plan::Borrow(_) => "a borrowed resource",
            Plan::Unsupported(name) => name,
        }
    }

    /// Whether a Python value of this type can be `None` or is wrapped itself,
    /// so that an option around it needs `some` spelled out.
    pub fn is_option(&self) -> bool {
        matches!(self, Plan::Option(_))
    }
}
