//! Borsh: the schema as Python describes it, and the readers and writers of its types.
//!
//! Both recurse as deep as the schema is, which is at most 64.

mod decode;
mod encode;
mod schema;

pub use decode::decode;
pub use encode::encode;
pub use schema::Borsh;

use airssys_core::multicodec::borsh::{Schema, Type};
use airssys_core::multicodec::{Code, Problem};

use super::fault;
use crate::error::Error;

#[cold]
pub fn schema_missing() -> Box<Error> {
    let why = "borsh needs a schema; hint: pass schema=Borsh(...)".to_owned();
    Problem::Schema(why).into()
}

#[cold]
pub fn schema_unused(codec: Code) -> Box<Error> {
    Problem::Schema(format!("{codec} takes no schema; hint: only borsh does")).into()
}

/// What a type is called.
fn called(schema: &Schema) -> String {
    match schema.kind() {
        Type::Integer(integer) => {
            let sign = if integer.signed { 'i' } else { 'u' };
            format!("{sign}{}", integer.bytes * 8)
        }
        Type::F32 => "f32".into(),
        Type::F64 => "f64".into(),
        Type::Bool => "bool".into(),
        Type::Unit => "unit".into(),
        Type::Text => "string".into(),
        Type::Bytes => "bytes".into(),
        Type::List(item) => format!("vec<{}>", called(item)),
        Type::Array(item, length) => format!("array<{}, {length}>", called(item)),
        Type::ByteArray(length) => format!("bytes<{length}>"),
        Type::Option(value) => format!("option<{}>", called(value)),
        Type::Tuple(parts) => format!("tuple of {}", parts.len()),
        Type::Struct(fields) => format!("struct of {} fields", fields.len()),
        Type::Enum(cases) => format!("enum of {} cases", cases.len()),
        Type::Map(key, value) => format!("map<{}, {}>", called(key), called(value)),
        Type::Set(item) => format!("set<{}>", called(item)),
    }
}

/// Puts a step in front of the path of an error, on its way out.
#[cold]
fn at_index(error: Box<Error>, index: usize) -> Box<Error> {
    in_front(error, &format!("[{index}]"))
}

/// The same for a field, a case or a key.
#[cold]
fn at_name(error: Box<Error>, name: &str) -> Box<Error> {
    in_front(error, &format!(".{name}"))
}

fn in_front(error: Box<Error>, step: &str) -> Box<Error> {
    let path = match &*error {
        Error::Codec(error) => format!("{step}{}", error.path),
        _ => return error,
    };
    fault::within(error, path)
}

/// The path from its root: without the dot in front.
#[cold]
fn rooted(error: Box<Error>) -> Box<Error> {
    let path = match &*error {
        Error::Codec(error) => error.path.trim_start_matches('.').to_owned(),
        _ => return error,
    };
    fault::within(error, path)
}

/// What keys are sorted by: their own order as that of bytes.
fn order(key: &Schema, encoded: &[u8]) -> Vec<u8> {
    match key.kind() {
        Type::Integer(integer) => {
            let mut order: Vec<u8> = encoded.iter().rev().copied().collect();
            if let (true, Some(first)) = (integer.signed, order.first_mut()) {
                *first ^= 0x80;
            }
            order
        }
        // Behind the length.
        Type::Text | Type::Bytes => encoded.get(4..).unwrap_or_default().to_vec(),
        _ => encoded.to_vec(),
    }
}
