//! Bytes of payload in the values that cross the boundary.

use super::Weigh;
use wasmtime::component::Val;

macro_rules! scalars {
    ($($type:ty)*) => {$(
        impl Weigh for $type {
            #[inline]
            fn bytes(&self) -> u64 {
                size_of::<$type>() as u64
            }
        }

        impl Weigh for &[$type] {
            #[inline]
            fn bytes(&self) -> u64 {
                size_of_val(*self) as u64
            }
        }

        impl Weigh for Vec<$type> {
            #[inline]
            fn bytes(&self) -> u64 {
                size_of_val(self.as_slice()) as u64
            }
        }
    )*};
}

scalars!(bool u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 char);

impl Weigh for &str {
    #[inline]
    fn bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl Weigh for String {
    #[inline]
    fn bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl<T: Weigh, E: Weigh> Weigh for Result<T, E> {
    #[inline]
    fn bytes(&self) -> u64 {
        match self {
            Ok(value) => value.bytes(),
            Err(error) => error.bytes(),
        }
    }
}

impl Weigh for () {
    #[inline]
    fn bytes(&self) -> u64 {
        0
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Weigh),*> Weigh for ($($name,)*) {
            #[inline]
            #[allow(non_snake_case, reason = "the type names serve as field names")]
            fn bytes(&self) -> u64 {
                let ($($name,)*) = self;
                0 $(+ $name.bytes())*
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);

/// Bytes of payload in dynamic values, nested ones included.
pub(crate) fn values(values: &[Val]) -> u64 {
    values.iter().map(value).sum()
}

fn value(value: &Val) -> u64 {
    match value {
        Val::Bool(_) | Val::S8(_) | Val::U8(_) => 1,
        Val::S16(_) | Val::U16(_) => 2,
        Val::S32(_) | Val::U32(_) | Val::Float32(_) | Val::Char(_) | Val::Resource(_) => 4,
        Val::S64(_) | Val::U64(_) | Val::Float64(_) => 8,
        Val::String(text) | Val::Enum(text) => text.len() as u64,
        Val::List(items) | Val::Tuple(items) => values(items),
        Val::Record(fields) => fields.iter().map(|(_, field)| self::value(field)).sum(),
        Val::Variant(_, payload)
        | Val::Option(payload)
        | Val::Result(Ok(payload) | Err(payload)) => 1 + payload.as_deref().map_or(0, self::value),
        Val::Flags(names) => names.len().div_ceil(8) as u64,
        // Values of proposals that are off: they never get here.
        _ => 0,
    }
}
