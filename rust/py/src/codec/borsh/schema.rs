//! A schema as Python describes it.

use airssys_core::multicodec::borsh::{Integer, SCHEMA_DEPTH_MAX, Schema, Type};
use airssys_core::multicodec::{Outcome, Problem};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::called;
use crate::error::Result;

/// A Borsh schema; immutable.
#[pyclass(frozen, module = "airssys_wasm.codec", name = "Borsh")]
pub struct Borsh(pub(super) Schema);

#[pymethods]
impl Borsh {
    #[new]
    fn new(description: &Bound<'_, PyAny>) -> Result<Self> {
        schema(description, 0).map(Self)
    }

    #[staticmethod]
    fn vec(item: &Bound<'_, PyAny>) -> Result<Self> {
        made(Type::List(schema(item, 0)?))
    }

    #[staticmethod]
    fn array(item: &Bound<'_, PyAny>, length: usize) -> Result<Self> {
        made(Type::Array(schema(item, 0)?, length))
    }

    #[staticmethod]
    fn byte_array(length: usize) -> Result<Self> {
        made(Type::ByteArray(length))
    }

    #[staticmethod]
    fn option(value: &Bound<'_, PyAny>) -> Result<Self> {
        made(Type::Option(schema(value, 0)?))
    }

    #[staticmethod]
    fn map(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> Result<Self> {
        made(Type::Map(schema(key, 0)?, schema(value, 0)?))
    }

    #[staticmethod]
    fn set(item: &Bound<'_, PyAny>) -> Result<Self> {
        made(Type::Set(schema(item, 0)?))
    }

    #[staticmethod]
    #[pyo3(name = "enum")]
    fn enumeration(cases: &Bound<'_, PyDict>) -> Result<Self> {
        made(Type::Enum(named(cases, 0)?))
    }

    fn __repr__(&self) -> String {
        format!("<Borsh {}>", called(&self.0))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Borsh>()
            .is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        called(&self.0).hash(&mut hasher);
        hasher.finish()
    }
}

fn made(kind: Type) -> Result<Borsh> {
    Ok(Borsh(Schema::new(kind)?))
}

fn schema(description: &Bound<'_, PyAny>, depth: usize) -> Result<Schema> {
    if depth > SCHEMA_DEPTH_MAX {
        let why = format!("a schema nests at most {SCHEMA_DEPTH_MAX} deep");
        return Err(Problem::Schema(why).into());
    }
    if let Ok(schema) = description.cast::<Borsh>() {
        return Ok(schema.get().0.clone());
    }
    let kind = if description.is_none() {
        Type::Unit
    } else if let Ok(name) = description.cast::<PyString>() {
        primitive(&name.to_string_lossy())?
    } else if let Ok(fields) = description.cast::<PyDict>() {
        Type::Struct(named(fields, depth + 1)?)
    } else if let Ok(parts) = description.cast::<PyTuple>() {
        let parts = parts.iter().map(|part| schema(&part, depth + 1));
        Type::Tuple(parts.collect::<Result<_>>()?)
    } else {
        let name = description.get_type().name()?;
        return Err(Problem::Schema(format!(
            "a value of type {name} describes no type; hint: a name such as \"u8\", a dict for a \
             struct, a tuple, None for the unit, or Borsh.vec(...) and its like"
        ))
        .into());
    };
    Ok(Schema::new(kind)?)
}

fn named(parts: &Bound<'_, PyDict>, depth: usize) -> Result<Vec<(String, Schema)>> {
    // A copy of the pairs: code of the descriptions could change the dict.
    let mut named = Vec::with_capacity(parts.len());
    for pair in parts.items() {
        let (name, part): (String, Bound<'_, PyAny>) = pair.extract()?;
        named.push((name, schema(&part, depth)?));
    }
    Ok(named)
}

fn primitive(name: &str) -> Outcome<Type> {
    let integer = |bytes, signed| Type::Integer(Integer { bytes, signed });
    Ok(match name {
        "u8" => integer(1, false),
        "u16" => integer(2, false),
        "u32" => integer(4, false),
        "u64" => integer(8, false),
        "u128" => integer(16, false),
        "i8" => integer(1, true),
        "i16" => integer(2, true),
        "i32" => integer(4, true),
        "i64" => integer(8, true),
        "i128" => integer(16, true),
        "f32" => Type::F32,
        "f64" => Type::F64,
        "bool" => Type::Bool,
        "unit" => Type::Unit,
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        _ => {
            return Err(Problem::Schema(format!(
                "no type is called {name:?}; hint: u8 to u128, i8 to i128, f32, f64, bool, \
                 string, bytes, unit"
            ))
            .into());
        }
    })
}
