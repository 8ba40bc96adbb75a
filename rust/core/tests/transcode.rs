//! CBOR into JSON and back: nothing changes, or an error says what would.

use airssys_core::multicodec::{Code, DEPTH_MAX, Problem, cbor, check, json, transcode};
use proptest::prelude::*;

const PLENTY: usize = 1 << 20;

fn turned(from: Code, to: Code, body: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    transcode(from, to, body, PLENTY, &mut out).map_err(|error| error.to_string())?;
    Ok(out)
}

fn to_json(body: &[u8]) -> Result<String, String> {
    turned(Code::CBOR, Code::JSON, body).map(|json| String::from_utf8(json).unwrap())
}

fn to_cbor(body: &str) -> Result<Vec<u8>, String> {
    turned(Code::JSON, Code::CBOR, body.as_bytes())
}

/// The values that both codecs have.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    fn cbor(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(cbor::NULL),
            Self::Bool(value) => out.push(if *value { cbor::TRUE } else { cbor::FALSE }),
            Self::Integer(value) if *value < 0 => {
                cbor::head(out, cbor::NEGATIVE, u64::try_from(-1 - value).unwrap());
            }
            Self::Integer(value) => {
                cbor::head(out, cbor::UNSIGNED, u64::try_from(*value).unwrap());
            }
            Self::Float(value) => cbor::float(out, *value),
            Self::Text(text) => text_item(out, text),
            Self::List(items) => {
                cbor::head(out, cbor::ARRAY, items.len() as u64);
                for item in items {
                    item.cbor(out);
                }
            }
            Self::Map(pairs) => {
                cbor::head(out, cbor::MAP, pairs.len() as u64);
                for (key, value) in pairs {
                    text_item(out, key);
                    value.cbor(out);
                }
            }
        }
    }

    fn json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"null"),
            Self::Bool(value) => out.extend(value.to_string().bytes()),
            Self::Integer(value) => json::integer(out, *value),
            Self::Float(value) => json::finite(out, *value),
            Self::Text(text) => json::text(out, text),
            Self::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    out.extend((index > 0).then_some(b','));
                    item.json(out);
                }
                out.push(b']');
            }
            Self::Map(pairs) => {
                out.push(b'{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    out.extend((index > 0).then_some(b','));
                    json::text(out, key);
                    out.push(b':');
                    value.json(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn text_item(out: &mut Vec<u8>, text: &str) {
    cbor::head(out, cbor::TEXT, text.len() as u64);
    out.extend(text.bytes());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(1_i128 << 64)..1 << 64).prop_map(Value::Integer),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Value::Float),
        any::<String>().prop_map(Value::Text),
        r#"["\\\x00-\x20a/]{0,20}"#.prop_map(Value::Text),
    ];
    leaf.prop_recursive(6, 60, 16, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Value::List),
            prop::collection::btree_map(any::<String>(), inner, 0..30)
                .prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_both_have_becomes_the_same(value in value()) {
        let (mut as_cbor, mut as_json) = (Vec::new(), Vec::new());
        value.cbor(&mut as_cbor);
        value.json(&mut as_json);
        check(Code::CBOR, &as_cbor).unwrap();
        check(Code::JSON, &as_json).unwrap();
        prop_assert_eq!(turned(Code::CBOR, Code::JSON, &as_cbor), Ok(as_json.clone()));
        prop_assert_eq!(turned(Code::JSON, Code::CBOR, &as_json), Ok(as_cbor));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&as_json).is_ok());
    }

    #[test]
    fn no_start_of_a_message_is_one(value in value()) {
        let (mut as_cbor, mut as_json) = (Vec::new(), Vec::new());
        value.cbor(&mut as_cbor);
        Value::List(vec![value]).json(&mut as_json);
        for cut in 0..as_cbor.len() {
            prop_assert!(check(Code::CBOR, &as_cbor[..cut]).is_err());
            prop_assert!(to_json(&as_cbor[..cut]).is_err());
        }
        for cut in 0..as_json.len() {
            prop_assert!(check(Code::JSON, &as_json[..cut]).is_err());
        }
    }

    #[test]
    fn what_is_transcoded_is_well_formed(body: Vec<u8>) {
        if let Ok(json) = to_json(&body) {
            check(Code::CBOR, &body).unwrap();
            check(Code::JSON, json.as_bytes()).unwrap();
            // What comes of it goes there and back unchanged.
            let cbor = to_cbor(&json).unwrap();
            prop_assert_eq!(to_json(&cbor), Ok(json));
        }
    }

    #[test]
    fn a_bound_is_kept(value in value(), bytes_max in 0..200_usize) {
        let mut body = Vec::new();
        value.cbor(&mut body);
        let mut whole = Vec::new();
        transcode(Code::CBOR, Code::JSON, &body, PLENTY, &mut whole).unwrap();
        let mut out = Vec::new();
        match transcode(Code::CBOR, Code::JSON, &body, bytes_max, &mut out) {
            Ok(()) => prop_assert!(out.len() <= bytes_max),
            Err(error) => {
                prop_assert_eq!(error.problem, Problem::OutputTooLong { bytes_max });
                prop_assert!(whole.len() > bytes_max);
            }
        }
    }
}

#[test]
fn what_json_lacks_is_an_error_that_names_its_place() {
    for (body, said) in [
        (
            &b"\xa1\x61a\x82\x01\x41\x00"[..],
            "a byte string has no form in json (byte 5, at a[1])",
        ),
        (b"\x5f\xff", "a byte string has no form in json (byte 0)"),
        (
            b"\xa1\x61b\xf9\x7e\x00",
            "NaN has no form in json (byte 3, at b)",
        ),
        (
            b"\x81\xf9\x7c\x00",
            "an infinity has no form in json (byte 1, at [0])",
        ),
        (
            b"\xa1\x01\x02",
            "an integer as a key has no form in json (byte 1)",
        ),
        (
            b"\x81\xa2\x61a\x01\x41b\x02",
            "a byte string as a key has no form in json (byte 5, at [0])",
        ),
        (
            b"\xc2\x41\x01",
            "a tagged value has no form in json (byte 0)",
        ),
        (b"\xf7", "undefined has no form in json (byte 0)"),
        (b"\xe0", "a simple value has no form in json (byte 0)"),
        (
            b"\xa2\x61a\x01\x61a\x02",
            "a key stands twice in one map (byte 7)",
        ),
        (
            b"\xa1\x63x y\xa2\x60\x01\x60\x02",
            "a key stands twice in one map (byte 10, at [\"x y\"])",
        ),
    ] {
        assert_eq!(to_json(body), Err(said.to_owned()));
    }
}

#[test]
fn what_cbor_lacks_is_an_error_that_names_its_place() {
    for (body, said) in [
        (
            "{\"a\":[18446744073709551616]}",
            "an integer of more than 64 bits has no form in cbor (byte 6, at a[0])",
        ),
        (
            "1e400",
            "a number past what a 64-bit float holds has no form in cbor (byte 0)",
        ),
        (
            "{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}",
            "a key stands twice in one map (byte 28, at b)",
        ),
    ] {
        assert_eq!(to_cbor(body), Err(said.to_owned()));
    }
    assert_eq!(
        to_cbor("18446744073709551615"),
        Ok(b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())
    );
    assert_eq!(
        to_cbor("-18446744073709551616"),
        Ok(b"\x3b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())
    );
}

#[test]
fn many_keys_are_compared_too() {
    let key = |index: usize| format!("\"k{index}\":0");
    let mut keys: Vec<_> = (0..1000).map(key).collect();
    to_cbor(&format!("{{{}}}", keys.join(","))).unwrap();
    keys.push(key(500));
    let error = to_cbor(&format!("{{{}}}", keys.join(","))).unwrap_err();
    assert!(error.starts_with("a key stands twice"), "{error}");
}

#[test]
fn floats_and_integers_stay_apart() {
    assert_eq!(to_json(b"\xf9\x3c\x00").unwrap(), "1.0");
    assert_eq!(to_json(b"\xfa\x47\xc3\x50\x00").unwrap(), "100000.0");
    assert_eq!(
        to_cbor("1.0"),
        Ok(b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00".to_vec())
    );
    assert_eq!(to_cbor("-0"), Ok(b"\x00".to_vec()));
    assert_eq!(
        to_cbor("-0.0"),
        Ok(b"\xfb\x80\x00\x00\x00\x00\x00\x00\x00".to_vec())
    );
}

#[test]
fn lengths_left_open_are_closed() {
    let body = b"\xbf\x7f\x61a\x61b\xff\x9f\x01\xbf\xff\xff\xff";
    assert_eq!(to_json(body).unwrap(), "{\"ab\":[1,{}]}");
    for broken in [&b"\xbf\x61a\xff"[..], b"\x81\xff", b"\xff", b"\x9f\x01"] {
        assert!(to_json(broken).is_err());
    }
}

#[test]
fn nesting_is_bounded_here_too() {
    let list = [b"\x81".repeat(DEPTH_MAX), b"\x01".to_vec()].concat();
    let json = to_json(&list).unwrap();
    assert_eq!(to_cbor(&json), Ok(list));
    assert!(
        to_json(&b"\x81".repeat(100_000))
            .unwrap_err()
            .starts_with("nesting is deeper")
    );
    assert!(
        to_json(&b"\xbf\x60".repeat(100_000))
            .unwrap_err()
            .starts_with("nesting is deeper")
    );
    assert!(
        to_cbor(&"[".repeat(100_000))
            .unwrap_err()
            .starts_with("nesting is deeper")
    );
}

#[test]
fn only_cbor_and_json_are_turned_into_each_other() {
    for (from, to) in [
        (Code::CBOR, Code::CBOR),
        (Code::RAW, Code::JSON),
        (Code::JSON, Code::BORSH),
    ] {
        let error = transcode(from, to, b"\x01", PLENTY, &mut Vec::new()).unwrap_err();
        assert_eq!(error.problem, Problem::NotTranscoded { from, to });
    }
}
