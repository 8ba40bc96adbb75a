//! Python values into Borsh.

use airssys_core::multicodec::Problem;
use airssys_core::multicodec::borsh::{Integer, Schema, Type};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

use super::super::fault::{Outcome, signals};
use super::super::{input, keys, text};
use super::schema::Borsh;
use super::{at_index, at_name, called, order, rooted};
use crate::error::Error;
use crate::runtime::Variant;

/// Items between two looks for signals.
const ITEMS_PER_LOOK: usize = 4096;

/// Writes a value by its schema.
///
/// # Errors
///
/// If it does not fit, or its own code raises.
pub fn encode(schema: &Borsh, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    write(&schema.0, value, out).map_err(rooted)
}

fn write(schema: &Schema, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    match schema.kind() {
        Type::Integer(integer) => write_integer(*integer, schema, value, out),
        Type::Text => write_text(schema, value, out),
        Type::Bool => {
            let value = value.cast::<PyBool>().map_err(|_| misfit(schema, value))?;
            out.push(u8::from(value.is_true()));
            Ok(())
        }
        Type::F32 => write_f32(schema, value, out),
        Type::F64 => {
            out.extend_from_slice(&number(schema, value)?.to_le_bytes());
            Ok(())
        }
        Type::Unit if value.is_none() => Ok(()),
        Type::Unit => Err(misfit(schema, value)),
        Type::Bytes => {
            let bytes = bytes(schema, value)?;
            write_length(bytes.as_bytes().len(), schema, out)?;
            out.extend_from_slice(bytes.as_bytes());
            Ok(())
        }
        Type::ByteArray(length) => {
            let bytes = bytes(schema, value)?;
            if bytes.as_bytes().len() != *length {
                return Err(misfit(schema, value));
            }
            out.extend_from_slice(bytes.as_bytes());
            Ok(())
        }
        Type::List(item) => write_items(item, None, schema, value, out),
        Type::Array(item, length) => write_items(item, Some(*length), schema, value, out),
        Type::Option(_) if value.is_none() => {
            out.push(0);
            Ok(())
        }
        Type::Option(some) => {
            out.push(1);
            write(some, value, out)
        }
        Type::Tuple(parts) => write_tuple(parts, schema, value, out),
        Type::Struct(fields) => write_struct(fields, schema, value, out),
        Type::Enum(cases) => write_enum(cases, schema, value, out),
        Type::Map(key, item) => write_map(key, item, schema, value, out),
        Type::Set(item) => write_set(item, schema, value, out),
    }
}

#[cold]
fn misfit(schema: &Schema, value: &Bound<'_, PyAny>) -> Box<Error> {
    let kind = value.get_type();
    let name = kind.name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    Problem::Schema(format!(
        "a value of type {name} does not fit {}",
        called(schema)
    ))
    .into()
}

fn write_length(length: usize, schema: &Schema, out: &mut Vec<u8>) -> Outcome<()> {
    let Ok(length) = u32::try_from(length) else {
        let what = called(schema);
        return Err(Problem::Schema(format!("{length} items are too many for {what}")).into());
    };
    out.extend_from_slice(&length.to_le_bytes());
    Ok(())
}

fn write_integer(
    integer: Integer,
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        return Err(misfit(schema, value));
    }
    let Integer { bytes, signed } = integer;
    let fits = |number: i128| {
        let bits = bytes * 8;
        let (low, high) = match signed {
            true if bits == 128 => (i128::MIN, i128::MAX),
            true => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            false if bits == 128 => (0, i128::MAX),
            false => (0, (1 << bits) - 1),
        };
        (low..=high).contains(&number)
    };
    let number: Option<[u8; 16]> = if let Ok(number) = value.extract::<i64>() {
        let number = i128::from(number);
        fits(number).then(|| number.to_le_bytes())
    } else if bytes == 16 && !signed {
        value.extract::<u128>().ok().map(u128::to_le_bytes)
    } else {
        let number = value.extract::<i128>().ok();
        number.filter(|number| fits(*number)).map(i128::to_le_bytes)
    };
    let Some(number) = number else {
        return Err(Problem::Schema(format!("an integer does not fit {}", called(schema))).into());
    };
    out.extend_from_slice(&number[..bytes]);
    Ok(())
}

fn number(schema: &Schema, value: &Bound<'_, PyAny>) -> Outcome<f64> {
    let is_int = value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>();
    let number: f64 = if let Ok(float) = value.cast::<PyFloat>() {
        float.value()
    } else if is_int && let Ok(number) = value.extract() {
        number
    } else {
        return Err(misfit(schema, value));
    };
    if number.is_nan() {
        return Err(Problem::Schema("borsh has no NaN".to_owned()).into());
    }
    Ok(number)
}

fn write_f32(schema: &Schema, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    let wide = number(schema, value)?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "rounding is what f32 means"
    )]
    let narrow = wide as f32;
    if narrow.is_infinite() && wide.is_finite() {
        return Err(Problem::Schema("a float does not fit f32".to_owned()).into());
    }
    out.extend_from_slice(&narrow.to_le_bytes());
    Ok(())
}

fn write_text(schema: &Schema, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> Outcome<()> {
    if !value.is_instance_of::<PyString>() {
        return Err(misfit(schema, value));
    }
    let utf8 = text::utf8(value, "borsh")?;
    write_length(utf8.len(), schema, out)?;
    out.extend_from_slice(utf8.as_bytes());
    Ok(())
}

fn bytes<'py>(schema: &Schema, value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyBytes>> {
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) if input::is_bytes_like(value) => input::bytes_of(value),
        Err(_) => Err(misfit(schema, value)),
    }
}

/// The items of a list or tuple; a copy, because writing may run code that changes a list.
fn items<'py>(schema: &Schema, value: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyTuple>> {
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Ok(tuple.clone());
    }
    match value.cast::<PyList>() {
        Ok(list) => Ok(list.to_tuple()),
        Err(_) => Err(misfit(schema, value)),
    }
}

fn write_items(
    item: &Schema,
    length: Option<usize>,
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let given = items(schema, value)?;
    match length {
        None => write_length(given.len(), schema, out)?,
        Some(length) if given.len() != length => {
            let found = given.len();
            return Err(Problem::Schema(format!("{found} items for {}", called(schema))).into());
        }
        Some(_) => {}
    }
    for (index, value) in given.iter_borrowed().enumerate() {
        if index % ITEMS_PER_LOOK == ITEMS_PER_LOOK - 1 {
            signals(value.py())?;
        }
        write(item, &value, out).map_err(|error| at_index(error, index))?;
    }
    Ok(())
}

fn write_tuple(
    parts: &[Schema],
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let given = items(schema, value)?;
    if given.len() != parts.len() {
        let found = given.len();
        return Err(Problem::Schema(format!("{found} items for a {}", called(schema))).into());
    }
    for (index, (part, value)) in parts.iter().zip(given.iter_borrowed()).enumerate() {
        write(part, &value, out).map_err(|error| at_index(error, index))?;
    }
    Ok(())
}

fn write_struct(
    fields: &[(String, Schema)],
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let Ok(dict) = value.cast::<PyDict>() else {
        return write_dataclass(fields, schema, value, out);
    };
    for (name, field) in fields {
        let Some(value) = dict.get_item(keys::name(value.py(), name)?)? else {
            return Err(Problem::Schema(format!("the field {name:?} is missing")).into());
        };
        write(field, &value, out).map_err(|error| at_name(error, name))?;
    }
    if dict.len() != fields.len() {
        let (found, wanted) = (dict.len(), fields.len());
        let why = format!("{found} entries for a struct of {wanted} fields");
        return Err(Problem::Schema(why).into());
    }
    Ok(())
}

fn write_dataclass(
    fields: &[(String, Schema)],
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    if !value.get_type().hasattr("__dataclass_fields__")? {
        return Err(misfit(schema, value));
    }
    for (name, field) in fields {
        let Some(value) = value.getattr_opt(name.as_str())? else {
            return Err(Problem::Schema(format!("the field {name:?} is missing")).into());
        };
        write(field, &value, out).map_err(|error| at_name(error, name))?;
    }
    Ok(())
}

fn write_enum(
    cases: &[(String, Schema)],
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let py = value.py();
    let (case, payload) = if let Ok(name) = value.cast::<PyString>() {
        (text::utf8(name, "borsh")?, py.None().into_bound(py))
    } else if let Ok(variant) = value.cast::<Variant>() {
        let variant = variant.get();
        (variant.case.as_str(), variant.value.bind(py).clone())
    } else {
        return Err(misfit(schema, value));
    };
    let Some(index) = cases.iter().position(|(name, _)| name == case) else {
        let names: Vec<_> = cases.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        let why = format!("no case is called {case:?}; hint: its cases are {names}");
        return Err(Problem::Schema(why).into());
    };
    // An enum has at most 256 cases.
    out.push(u8::try_from(index).unwrap_or(u8::MAX));
    write(&cases[index].1, &payload, out).map_err(|error| at_name(error, case))
}

fn write_map(
    key: &Schema,
    item: &Schema,
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let Ok(dict) = value.cast::<PyDict>() else {
        return Err(misfit(schema, value));
    };
    let mut entries = Vec::with_capacity(dict.len());
    // A copy of the pairs: writing may run code that changes the dict.
    for pair in dict.items() {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let mut encoded = Vec::new();
        write(key, &name, &mut encoded).map_err(|error| at_name(error, "{key}"))?;
        entries.push((order(key, &encoded), encoded, value));
    }
    write_length(entries.len(), schema, out)?;
    for (encoded, value) in sorted(entries)? {
        out.extend_from_slice(&encoded);
        write(item, &value, out).map_err(|error| at_name(error, "{value}"))?;
    }
    Ok(())
}

fn write_set(
    item: &Schema,
    schema: &Schema,
    value: &Bound<'_, PyAny>,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    if !value.is_instance_of::<PySet>() && !value.is_instance_of::<PyFrozenSet>() {
        return Err(misfit(schema, value));
    }
    let mut entries = Vec::new();
    for value in PyTuple::new(value.py(), value.try_iter()?.collect::<PyResult<Vec<_>>>()?)? {
        let mut encoded = Vec::new();
        write(item, &value, &mut encoded).map_err(|error| at_name(error, "{item}"))?;
        entries.push((order(item, &encoded), encoded, ()));
    }
    write_length(entries.len(), schema, out)?;
    for (encoded, ()) in sorted(entries)? {
        out.extend_from_slice(&encoded);
    }
    Ok(())
}

/// In the order of their keys.
fn sorted<T>(mut entries: Vec<(Vec<u8>, Vec<u8>, T)>) -> Outcome<Vec<(Vec<u8>, T)>> {
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Problem::DuplicateKey.into());
    }
    Ok(entries
        .into_iter()
        .map(|(_, encoded, value)| (encoded, value))
        .collect())
}
