//! One echo for each type.

use crate::Component;
use crate::exports::acme::echo::types::{Colour, Guest, Many, Permissions, Person, Point, Shape};

macro_rules! echoes {
    ($($name:ident: $kind:ty),* $(,)?) => {
        $(fn $name(value: $kind) -> $kind { value })*
    };
}

impl Guest for Component {
    echoes! {
        echo_bool: bool,
        echo_u8: u8,
        echo_s8: i8,
        echo_u16: u16,
        echo_s16: i16,
        echo_u32: u32,
        echo_s32: i32,
        echo_u64: u64,
        echo_s64: i64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_list_bool: Vec<bool>,
        echo_list_u8: Vec<u8>,
        echo_list_s8: Vec<i8>,
        echo_list_u16: Vec<u16>,
        echo_list_s16: Vec<i16>,
        echo_list_u32: Vec<u32>,
        echo_list_s32: Vec<i32>,
        echo_list_u64: Vec<u64>,
        echo_list_s64: Vec<i64>,
        echo_list_f32: Vec<f32>,
        echo_list_f64: Vec<f64>,
        echo_list_char: Vec<char>,
        echo_list_string: Vec<String>,
        echo_list_list: Vec<Vec<u32>>,
        echo_list_bytes: Vec<Vec<u8>>,
        echo_tuple: (u8, String, f64),
        echo_record: Person,
        echo_list_record: Vec<Person>,
        echo_list_point: Vec<Point>,
        echo_variant: Shape,
        echo_enum: Colour,
        echo_flags: Permissions,
        echo_many: Many,
        echo_option: Option<u32>,
        echo_option_option: Option<Option<String>>,
        echo_list_option: Vec<Option<u16>>,
        echo_result_value: (Result<u32, String>,),
        echo_map: Vec<(String, u64)>,
    }

    fn many_parameters(
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f32,
        j: f64,
        k: char,
        l: bool,
        m: String,
        n: Vec<u8>,
        o: Option<u32>,
        p: Colour,
    ) -> String {
        format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j} {k} {l} {m} {n:?} {o:?} {p:?}")
    }
}
