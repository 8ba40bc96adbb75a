//! Python values into component-model values, checked before the guest runs.

use super::lift::Handles;
use super::mismatch::{Mismatch, Outcome};
use super::numbers::{Number, take_buffer};
use super::plan::{Case, Field, Name, Plan, attribute};
use crate::runtime::Variant;
use airssys_host::wasmtime::component::Val;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PySequence, PySet, PyString, PyTuple,
};

/// Turns `value` into a value of the type of `plan`.
///
/// # Errors
///
/// [`Mismatch`] with the path to what does not fit.
pub fn lower(plan: &Plan, value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    Ok(match plan {
        Plan::Bool => Val::Bool(boolean(value)?),
        Plan::S8 => Val::S8(Number::take(value)?),
        Plan::U8 => Val::U8(Number::take(value)?),
        Plan::S16 => Val::S16(Number::take(value)?),
        Plan::U16 => Val::U16(Number::take(value)?),
        Plan::S32 => Val::S32(Number::take(value)?),
        Plan::U32 => Val::U32(Number::take(value)?),
        Plan::S64 => Val::S64(Number::take(value)?),
        Plan::U64 => Val::U64(Number::take(value)?),
        Plan::F32 => Val::Float32(Number::take(value)?),
        Plan::F64 => Val::Float64(Number::take(value)?),
        Plan::Char => Val::Char(character(value)?),
        Plan::Text => Val::String(text(value)?.to_owned()),
        Plan::Bytes => bytes(value)?,
        Plan::List(item) => list(item, value, handles)?,
        Plan::Record(fields) => record(fields, value, handles)?,
        Plan::Tuple(items) => tuple(items, value, handles)?,
        Plan::Variant(cases) => variant(cases, value, handles)?,
        Plan::Enum(names) => enumeration(names, value)?,
        Plan::Option(inner) => option(inner, value, handles)?,
        Plan::Result { ok, err } => result(ok.as_deref(), err.as_deref(), value, handles)?,
        Plan::Flags(names) => flags(names, value)?,
        Plan::Own(methods) => Val::Resource(handles.take(value, true, methods.as_ref())?),
        Plan::Borrow(methods) => Val::Resource(handles.take(value, false, methods.as_ref())?),
        Plan::Unsupported(name) => {
            return Err(Mismatch::because(format!(
                "values of type {name} cannot be passed yet"
            )));
        }
    })
}

/// A strict bool.
pub fn boolean(value: &Bound<'_, PyAny>) -> Outcome<bool> {
    match value.cast_exact::<PyBool>() {
        Ok(value) => Ok(value.is_true()),
        Err(_) => Err(Mismatch::wrong_type(value, "bool")),
    }
}

/// A text of one character.
pub fn character(value: &Bound<'_, PyAny>) -> Outcome<char> {
    let all = text(value)?;
    let mut characters = all.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Mismatch::because(format!(
            "expected a char (a str of one character), got {} of them",
            all.chars().count()
        ))),
    }
}

/// A text without lone surrogates.
pub fn text<'a>(value: &'a Bound<'_, PyAny>) -> Outcome<&'a str> {
    let text = value
        .cast::<PyString>()
        .map_err(|_| Mismatch::wrong_type(value, "str"))?;
    text.to_str().map_err(|_| {
        Mismatch::because("the str holds a lone surrogate, which is no Unicode text".to_owned())
    })
}

/// Bytes of any bytes-like object, or of a list of small integers.
pub fn blob(value: &Bound<'_, PyAny>) -> Outcome<Vec<u8>> {
    if let Some(bytes) = byte_buffer(value)? {
        return Ok(bytes);
    }
    items(value, "bytes")?.numbers()
}

fn byte_buffer(value: &Bound<'_, PyAny>) -> Outcome<Option<Vec<u8>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    take_buffer(value)
}

fn bytes(value: &Bound<'_, PyAny>) -> Outcome<Val> {
    Ok(Val::List(blob(value)?.into_iter().map(Val::U8).collect()))
}

/// Numbers of any buffer of exactly their type, or of any sequence.
pub fn numbers<T: Number>(value: &Bound<'_, PyAny>) -> Outcome<Vec<T>> {
    match take_buffer(value)? {
        Some(numbers) => Ok(numbers),
        None => items(value, "a list")?.numbers(),
    }
}

enum Items<'a, 'py> {
    List(&'a Bound<'py, PyList>),
    Tuple(&'a Bound<'py, PyTuple>),
    /// Another sequence, and how long it says it is.
    Other(&'a Bound<'py, PyAny>, usize),
}

/// Items of a sequence at most: unlike a list, one may have any number and take no memory
/// of its own.
const ITEMS_MAX: usize = 1 << 24;

fn items<'a, 'py>(value: &'a Bound<'py, PyAny>, wanted: &str) -> Outcome<Items<'a, 'py>> {
    if let Ok(list) = value.cast::<PyList>() {
        return Ok(Items::List(list));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return Ok(Items::Tuple(tuple));
    }
    // A range, a deque: what says of itself that it is a sequence. Texts and bytes are
    // sequences too, and surely meant as something else.
    let text = value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>();
    if text || value.cast::<PySequence>().is_err() {
        return Err(Mismatch::wrong_type(value, wanted));
    }
    let length = value
        .len()
        .map_err(|error| Mismatch::raised(value, wanted, error))?;
    if length > ITEMS_MAX {
        return Err(Mismatch::because(format!(
            "{length} items are more than the {ITEMS_MAX} of a sequence; hint: give a list"
        )));
    }
    Ok(Items::Other(value, length))
}

impl Items<'_, '_> {
    fn len(&self) -> usize {
        match self {
            Items::List(list) => list.len(),
            Items::Tuple(tuple) => tuple.len(),
            Items::Other(_, length) => *length,
        }
    }

    fn map<T>(&self, mut take: impl FnMut(&Bound<'_, PyAny>) -> Outcome<T>) -> Outcome<Vec<T>> {
        let mut index = 0;
        let mut taken = Vec::new();
        let mut one = |item: Bound<'_, PyAny>| {
            taken.push(take(&item).map_err(|mismatch| mismatch.at(index))?);
            index += 1;
            Outcome::Ok(())
        };
        match self {
            Items::List(list) => list.iter().try_for_each(&mut one)?,
            Items::Tuple(tuple) => tuple.iter().try_for_each(&mut one)?,
            Items::Other(sequence, length) => {
                let failed = |error| Mismatch::raised(sequence, "a list", error);
                // One that yields more than it says may never end.
                let items = sequence.try_iter().map_err(failed)?;
                for item in items.take(length.saturating_add(1)) {
                    one(item.map_err(failed)?)?;
                }
                if index != *length {
                    return Err(Mismatch::because(format!(
                        "it says that it has {length} items, and yields {} than that",
                        if index < *length { "fewer" } else { "more" }
                    )));
                }
            }
        }
        Ok(taken)
    }

    fn numbers<T: Number>(&self) -> Outcome<Vec<T>> {
        self.map(T::take)
    }
}

fn list(item: &Plan, value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    if let Some(list) = buffer(item, value)? {
        return Ok(list);
    }
    Ok(Val::List(
        items(value, "a list")?.map(|value| lower(item, value, handles))?,
    ))
}

fn buffer(item: &Plan, value: &Bound<'_, PyAny>) -> Outcome<Option<Val>> {
    fn wrap<T: Number>(value: &Bound<'_, PyAny>, one: fn(T) -> Val) -> Outcome<Option<Val>> {
        Ok(take_buffer(value)?
            .map(|numbers: Vec<T>| Val::List(numbers.into_iter().map(one).collect())))
    }
    match item {
        Plan::S8 => wrap(value, Val::S8),
        Plan::S16 => wrap(value, Val::S16),
        Plan::U16 => wrap(value, Val::U16),
        Plan::S32 => wrap(value, Val::S32),
        Plan::U32 => wrap(value, Val::U32),
        Plan::S64 => wrap(value, Val::S64),
        Plan::U64 => wrap(value, Val::U64),
        Plan::F32 => wrap(value, Val::Float32),
        Plan::F64 => wrap(value, Val::Float64),
        _ => Ok(None),
    }
}

fn record(fields: &[Field], value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    let lowered = match value.cast::<PyDict>() {
        Ok(dict) => record_of_dict(fields, dict, handles)?,
        Err(_) => record_of_object(fields, value, handles)?,
    };
    Ok(Val::Record(lowered))
}

fn record_of_dict(
    fields: &[Field],
    dict: &Bound<'_, PyDict>,
    handles: &mut dyn Handles,
) -> Outcome<Vec<(String, Val)>> {
    let py = dict.py();
    let mut lowered = Vec::with_capacity(fields.len());
    for field in fields {
        let name = &field.name;
        let found = match lookup(dict, name.python.bind(py)) {
            Ok(None) => lookup(dict, name.attribute.bind(py)),
            found => found,
        };
        match found {
            Ok(Some(found)) => lowered.push(field_value(field, &found, handles)?),
            Ok(None) => return Err(missing().in_field(&name.wit)),
            Err(error) => return Err(unreadable(py, error).in_field(&name.wit)),
        }
    }
    if dict.len() > fields.len() {
        return Err(surplus(fields, dict));
    }
    Ok(lowered)
}

// Keys of the embedder's own types run their code when they are compared.
fn lookup<'py>(
    dict: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    dict.get_item(key)
}

#[cold]
fn missing() -> Box<Mismatch> {
    Mismatch::because("the field is missing".to_owned())
}

#[cold]
fn unreadable(py: Python<'_>, error: PyErr) -> Box<Mismatch> {
    let mut mismatch = missing();
    if !error.is_instance_of::<PyAttributeError>(py) {
        mismatch = Mismatch::because("the field cannot be read".to_owned());
    }
    mismatch.caused_by(error)
}

#[cold]
fn surplus(fields: &[Field], dict: &Bound<'_, PyDict>) -> Box<Mismatch> {
    let known = |key: &str| {
        fields
            .iter()
            .any(|field| field.name.wit == key || attribute(&field.name.wit) == key)
    };
    let keys = dict.keys().iter().map(|key| key.to_string());
    let unknown: Vec<_> = keys.filter(|key| !known(key)).collect();
    if unknown.is_empty() {
        return twice(fields, dict);
    }
    let names: Vec<_> = fields.iter().map(|field| field.name.wit.as_str()).collect();
    Mismatch::because(format!(
        "the record has no field {}; hint: its fields are {}",
        unknown.join(", "),
        names.join(", ")
    ))
}

// Every key is known, and there are more keys than fields.
fn twice(fields: &[Field], dict: &Bound<'_, PyDict>) -> Box<Mismatch> {
    let py = dict.py();
    let both = |name: &&Name| {
        matches!(lookup(dict, name.python.bind(py)), Ok(Some(_)))
            && matches!(lookup(dict, name.attribute.bind(py)), Ok(Some(_)))
            && attribute(&name.wit) != name.wit
    };
    let name = fields.iter().map(|field| &field.name).find(both);
    let name = name.map_or("a field", |name| name.wit.as_str());
    Mismatch::because(format!("{name} is given twice; hint: spell it one way"))
}

fn record_of_object(
    fields: &[Field],
    value: &Bound<'_, PyAny>,
    handles: &mut dyn Handles,
) -> Outcome<Vec<(String, Val)>> {
    match value.hasattr("__dataclass_fields__") {
        Ok(true) => {}
        Ok(false) => return Err(Mismatch::wrong_type(value, "a dict or dataclass")),
        Err(error) => return Err(Mismatch::raised(value, "a dict or dataclass", error)),
    }
    let mut lowered = Vec::with_capacity(fields.len());
    for field in fields {
        let found = value
            .getattr(field.name.attribute.bind(value.py()))
            .map_err(|error| unreadable(value.py(), error).in_field(&field.name.wit))?;
        lowered.push(field_value(field, &found, handles)?);
    }
    Ok(lowered)
}

fn field_value(
    field: &Field,
    value: &Bound<'_, PyAny>,
    handles: &mut dyn Handles,
) -> Outcome<(String, Val)> {
    let lowered = lower(&field.plan, value, handles)
        .map_err(|mismatch| mismatch.in_field(&field.name.wit))?;
    Ok((field.name.wit.clone(), lowered))
}

fn tuple(plans: &[Plan], value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    let given = items(value, "a tuple")?;
    let wrong = |found: usize| {
        Mismatch::because(format!(
            "expected a tuple of {} items, got {found}",
            plans.len()
        ))
    };
    if given.len() != plans.len() {
        return Err(wrong(given.len()));
    }
    let mut left = plans.iter();
    let lowered = given.map(|item| match left.next() {
        Some(plan) => lower(plan, item, handles),
        None => Err(Mismatch::because(
            "the tuple grew while it was read".to_owned(),
        )),
    })?;
    // A list may shrink while its items are read.
    if lowered.len() != plans.len() {
        return Err(wrong(lowered.len()));
    }
    Ok(Val::Tuple(lowered))
}

fn variant(cases: &[Case], value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    // A case without payload may be given by its name alone.
    if let Ok(name) = value.cast::<PyString>() {
        let case = find_case(cases, &name.to_string_lossy())?;
        return payload(case, None, handles)
            .map(|payload| Val::Variant(case.name.wit.clone(), payload));
    }
    let variant = value
        .cast::<Variant>()
        .map_err(|_| Mismatch::wrong_type(value, "aw.Variant"))?
        .get();
    let case = find_case(cases, &variant.case)?;
    let given = variant.value.bind(value.py());
    let given = (!given.is_none() || case.plan.is_some()).then_some(given);
    payload(case, given, handles).map(|payload| Val::Variant(case.name.wit.clone(), payload))
}

fn find_case<'a>(cases: &'a [Case], name: &str) -> Outcome<&'a Case> {
    cases
        .iter()
        .find(|case| case.name.wit == name)
        .ok_or_else(|| {
            let names: Vec<_> = cases.iter().map(|case| case.name.wit.as_str()).collect();
            Mismatch::because(format!(
                "no case {name:?}; hint: its cases are {}",
                names.join(", ")
            ))
        })
}

fn payload(
    case: &Case,
    given: Option<&Bound<'_, PyAny>>,
    handles: &mut dyn Handles,
) -> Outcome<Option<Box<Val>>> {
    let name = &case.name.wit;
    match (&case.plan, given) {
        (None, None) => Ok(None),
        (Some(plan), Some(value)) => lower(plan, value, handles)
            .map(|value| Some(Box::new(value)))
            .map_err(|mismatch| mismatch.in_field(name)),
        (None, Some(_)) => Err(Mismatch::because(format!("case {name:?} carries no value"))),
        (Some(plan), None) => Err(Mismatch::because(format!(
            "case {name:?} carries a value of type {}; hint: aw.Variant({name:?}, value)",
            plan.name()
        ))),
    }
}

fn enumeration(names: &[Name], value: &Bound<'_, PyAny>) -> Outcome<Val> {
    let wanted = text(value)?;
    known(names, wanted).map(|name| Val::Enum(name.wit.clone()))
}

fn known<'a>(names: &'a [Name], wanted: &str) -> Outcome<&'a Name> {
    names.iter().find(|name| name.wit == wanted).ok_or_else(|| {
        let all: Vec<_> = names.iter().map(|name| name.wit.as_str()).collect();
        Mismatch::because(format!("{wanted:?} is none of {}", all.join(", ")))
    })
}

fn option(inner: &Plan, value: &Bound<'_, PyAny>, handles: &mut dyn Handles) -> Outcome<Val> {
    if value.is_none() {
        return Ok(Val::Option(None));
    }
    // An option inside an option has two empty values: the inner one is spelled
    // Variant("some", None).
    if inner.is_option()
        && let Ok(some) = value.cast::<Variant>()
        && some.get().case == "some"
    {
        let lowered = lower(inner, some.get().value.bind(value.py()), handles)?;
        return Ok(Val::Option(Some(Box::new(lowered))));
    }
    Ok(Val::Option(Some(Box::new(lower(inner, value, handles)?))))
}

fn result(
    ok: Option<&Plan>,
    err: Option<&Plan>,
    value: &Bound<'_, PyAny>,
    handles: &mut dyn Handles,
) -> Outcome<Val> {
    const WANTED: &str = "aw.Variant(\"ok\", value) or aw.Variant(\"err\", value)";
    let variant = value
        .cast::<Variant>()
        .map_err(|_| Mismatch::wrong_type(value, WANTED))?
        .get();
    let payload = variant.value.bind(value.py());
    match variant.case.as_str() {
        "ok" => Ok(Val::Result(Ok(side(ok, payload, "ok", handles)?))),
        "err" => Ok(Val::Result(Err(side(err, payload, "err", handles)?))),
        _ => Err(Mismatch::wrong_type(value, WANTED)),
    }
}

/// One side of a result: its payload, or nothing if the side has none.
pub fn side(
    plan: Option<&Plan>,
    value: &Bound<'_, PyAny>,
    name: &str,
    handles: &mut dyn Handles,
) -> Outcome<Option<Box<Val>>> {
    match plan {
        Some(plan) => lower(plan, value, handles)
            .map(|value| Some(Box::new(value)))
            .map_err(|mismatch| mismatch.in_field(name)),
        None if value.is_none() => Ok(None),
        None => Err(Mismatch::because(format!("the {name} side carries no value")).in_field(name)),
    }
}

fn flags(names: &[Name], value: &Bound<'_, PyAny>) -> Outcome<Val> {
    let py = value.py();
    let given: Vec<Bound<'_, PyAny>> = if let Ok(set) = value.cast::<PyFrozenSet>() {
        set.iter().collect()
    } else if let Ok(set) = value.cast::<PySet>() {
        set.iter().collect()
    } else {
        return Err(Mismatch::wrong_type(value, "a set of str"));
    };
    for flag in &given {
        known(names, text(flag)?)?;
    }
    // In the order of WIT, so that equal sets give equal values.
    let set = |name: &&Name| {
        given
            .iter()
            .any(|flag| flag.eq(name.python.bind(py)).unwrap_or(false))
    };
    Ok(Val::Flags(
        names
            .iter()
            .filter(set)
            .map(|name| name.wit.clone())
            .collect(),
    ))
}
