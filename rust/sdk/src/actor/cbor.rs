//! CBOR (RFC 8949), read the way senders in other languages write it.
//!
//! Heads, lengths and skipping are minicbor's; serde's side is here, because its own
//! reader takes a number only in the width that it expects. Here any float is a float,
//! an integer may stand for one, null is `()`, bytes may stand for a list of `u8`, and
//! tags are passed over. Borrowed texts point into the message.

use std::fmt::{self, Display};

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error as Broken};
use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Serialize, forward_to_deserialize_any};

/// Arrays and maps within each other, as many as in `serde_json`: a message must not
/// use up the stack.
const DEPTH_MAX: u8 = 128;

/// Why bytes could not be read.
#[derive(Debug)]
pub struct Error(String);

impl Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl From<Broken> for Error {
    fn from(error: Broken) -> Self {
        Self(error.to_string())
    }
}

/// Writes a value.
///
/// # Errors
///
/// Its own `Serialize` fails.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut writer = minicbor_serde::Serializer::new(&mut bytes);
    writer.serialize_unit_as_null(true);
    value
        .serialize(&mut writer)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Reads the one value that `bytes` hold.
///
/// # Errors
///
/// They are not well formed, nest deeper than 128, hold more than one value, or one
/// that `T` does not take.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    let mut reader = Reader {
        decoder: Decoder::new(bytes),
        depth: 0,
    };
    let value = T::deserialize(&mut reader)?;
    if reader.decoder.position() == bytes.len() {
        return Ok(value);
    }
    let end = reader.decoder.position();
    Err(Error(format!("bytes behind the value, from byte {end}")))
}

struct Reader<'de> {
    decoder: Decoder<'de>,
    depth: u8,
}

impl<'de> Reader<'de> {
    /// The type of the next item, behind its tags.
    fn peek(&mut self) -> Result<Type, Error> {
        loop {
            match self.decoder.datatype()? {
                Type::Tag => drop(self.decoder.tag()?),
                other => return Ok(other),
            }
        }
    }

    fn is_null(&mut self) -> Result<bool, Error> {
        Ok(matches!(self.peek()?, Type::Null | Type::Undefined))
    }

    /// Reads what is nested one deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == DEPTH_MAX {
            return Err(Error(format!("nests deeper than {DEPTH_MAX}")));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.nested(|reader| {
            let left = reader.decoder.array()?;
            let mut items = Items { reader, left };
            let value = visitor.visit_seq(&mut items)?;
            items.close()?;
            Ok(value)
        })
    }

    fn map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        self.nested(|reader| {
            let left = reader.decoder.map()?;
            let mut items = Items { reader, left };
            let value = visitor.visit_map(&mut items)?;
            items.close()?;
            Ok(value)
        })
    }

    fn half(&mut self) -> Result<f64, Error> {
        let at = self.decoder.position();
        let Some([_, high, low]) = self.decoder.input().get(at..at + 3) else {
            return Err(Broken::end_of_input().into());
        };
        let bits = u16::from_be_bytes([*high, *low]);
        self.decoder.set_position(at + 3);
        Ok(widened(bits))
    }

    fn text(&mut self) -> Result<String, Error> {
        let chunks: Result<String, _> = self.decoder.str_iter()?.collect();
        Ok(chunks?)
    }

    fn byte_chunks(&mut self) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        for chunk in self.decoder.bytes_iter()? {
            whole.extend_from_slice(chunk?);
        }
        Ok(whole)
    }
}

/// A float of 16 bits (RFC 8949, appendix D).
fn widened(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        0x1f if mantissa == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            Type::Bool => visitor.visit_bool(self.decoder.bool()?),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => visitor.visit_u64(self.decoder.u64()?),
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => visitor.visit_i64(self.decoder.i64()?),
            Type::Int => visitor.visit_i128(self.decoder.int()?.into()),
            Type::F16 => visitor.visit_f64(self.half()?),
            Type::F32 => visitor.visit_f64(self.decoder.f32()?.into()),
            Type::F64 => visitor.visit_f64(self.decoder.f64()?),
            Type::String => visitor.visit_borrowed_str(self.decoder.str()?),
            Type::StringIndef => visitor.visit_string(self.text()?),
            Type::Bytes => visitor.visit_borrowed_bytes(self.decoder.bytes()?),
            Type::BytesIndef => visitor.visit_byte_buf(self.byte_chunks()?),
            Type::Array | Type::ArrayIndef => self.array(visitor),
            Type::Map | Type::MapIndef => self.map(visitor),
            Type::Null | Type::Undefined => {
                self.decoder.skip()?;
                visitor.visit_unit()
            }
            other => Err(Error(format!("holds {other}, which no type here takes"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_null()? {
            self.decoder.skip()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let bytes = match self.peek()? {
            Type::Bytes => self.decoder.bytes()?,
            Type::BytesIndef => &self.byte_chunks()?,
            _ => return self.deserialize_any(visitor),
        };
        visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.peek()? {
            Type::String => {
                let name = self.decoder.str()?;
                visitor.visit_enum(BorrowedStrDeserializer::new(name))
            }
            Type::Map | Type::MapIndef => self.nested(|reader| {
                let left = reader.decoder.map()?;
                if left.is_some_and(|pairs| pairs != 1) {
                    return Err(Error("an enum's value is a map of one pair".to_owned()));
                }
                let value = visitor.visit_enum(Case { reader })?;
                Items {
                    reader,
                    left: left.map(|_| 0),
                }
                .close()?;
                Ok(value)
            }),
            other => Err(Error(format!(
                "holds {other} where an enum is a text or a map of one pair"
            ))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.decoder.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct tuple tuple_struct map struct identifier
    }
}

/// The rest of an array or a map; without a number, up to its break.
struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: Option<u64>,
}

impl Items<'_, '_> {
    fn has_next(&mut self) -> Result<bool, Error> {
        match &mut self.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(self.reader.decoder.datatype()? != Type::Break),
        }
    }

    /// Takes the break, and refuses items that nobody took.
    fn close(self) -> Result<(), Error> {
        match self.left {
            Some(0) => Ok(()),
            None if self.reader.decoder.datatype()? == Type::Break => {
                Ok(self.reader.decoder.skip()?)
            }
            _ => Err(Error("holds more items than are expected".to_owned())),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if !self.has_next()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.left.and_then(|left| usize::try_from(left).ok())
    }
}

impl<'de> MapAccess<'de> for &mut Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if !self.has_next()? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A case of an enum that has a value: a map of one pair.
struct Case<'a, 'de> {
    reader: &'a mut Reader<'de>,
}

impl<'de> EnumAccess<'de> for Case<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name = seed.deserialize(&mut *self.reader)?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Case<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Deserialize::deserialize(self.reader)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_seq(self.reader, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_any(self.reader, visitor)
    }
}

#[cfg(test)]
#[path = "cbor_tests.rs"]
mod tests;
