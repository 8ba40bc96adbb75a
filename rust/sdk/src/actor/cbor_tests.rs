//! What is read and written; expected bytes are RFC 8949's own examples where it has any.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{from_slice, to_vec};

#[derive(Debug, Deserialize, PartialEq, Serialize)]
enum Command {
    Add(u64),
    Read,
    Put { place: u8, what: Option<String> },
    Both(u8, i8),
}

#[derive(Deserialize)]
struct Only {
    a: u8,
}

fn error<T: for<'de> Deserialize<'de> + std::fmt::Debug>(bytes: &[u8]) -> String {
    from_slice::<T>(bytes).expect_err("refused").to_string()
}

#[test]
fn what_is_written_is_read_again() {
    let put = Command::Put {
        place: 7,
        what: None,
    };
    for command in [
        Command::Add(u64::MAX),
        Command::Read,
        put,
        Command::Both(1, -1),
    ] {
        let bytes = to_vec(&command).unwrap();
        assert_eq!(from_slice::<Command>(&bytes).unwrap(), command);
    }
    let value = json!({"a": [1, -1, 1.5, null, true, "x", {}], "b": {"c": []}});
    assert_eq!(
        from_slice::<Value>(&to_vec(&value).unwrap()).unwrap(),
        value
    );
}

#[test]
fn nothing_is_null_in_both_directions() {
    assert_eq!(to_vec(&()).unwrap(), b"\xf6");
    from_slice::<()>(b"\xf6").unwrap();
    assert_eq!(from_slice::<Option<u8>>(b"\xf6").unwrap(), None);
    assert_eq!(from_slice::<Option<u8>>(b"\x05").unwrap(), Some(5));
}

#[test]
fn a_number_may_come_in_any_width() {
    for (bytes, number) in [
        (&b"\xf9\x3c\x00"[..], 1.0),
        (b"\xf9\xc4\x00", -4.0),
        (b"\xf9\x7b\xff", 65504.0),
        (b"\xf9\x00\x01", 5.960_464_477_539_063e-8),
        (b"\xf9\x04\x00", 0.000_061_035_156_25),
        (b"\xf9\x7c\x00", f64::INFINITY),
        (b"\xfa\x47\xc3\x50\x00", 100_000.0),
        (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", 1.1),
        (b"\x18\x64", 100.0),
        (b"\x38\x63", -100.0),
    ] {
        assert_eq!(
            from_slice::<f64>(bytes).unwrap().to_bits(),
            number.to_bits(),
            "{bytes:02x?}"
        );
    }
    assert!(from_slice::<f64>(b"\xf9\x7e\x00").unwrap().is_nan());
    assert_eq!(from_slice::<u8>(b"\x1b\0\0\0\0\0\0\0\x07").unwrap(), 7);
    assert!(error::<u8>(b"\x19\x01\x00").contains("256"));
    assert!(error::<u8>(b"\xf9\x3c\x00").contains("floating point"));
}

#[test]
fn texts_and_bytes_may_be_in_pieces_and_whole_ones_are_borrowed() {
    assert_eq!(
        from_slice::<String>(b"\x7f\x65strea\x64ming\xff").unwrap(),
        "streaming"
    );
    assert_eq!(from_slice::<&str>(b"\x64IETF").unwrap(), "IETF");
    for bytes in [
        &b"\x42\x01\x02"[..],
        b"\x82\x01\x02",
        b"\x9f\x01\x02\xff",
        b"\x5f\x41\x01\x41\x02\xff",
    ] {
        assert_eq!(
            from_slice::<Vec<u8>>(bytes).unwrap(),
            [1, 2],
            "{bytes:02x?}"
        );
    }
    assert!(
        error::<String>(b"\x61\xff").contains("utf-8"),
        "{}",
        error::<String>(b"\x61\xff")
    );
}

#[test]
fn maps_and_enums_of_unknown_length_end_with_their_break() {
    let map: BTreeMap<String, u8> = from_slice(b"\xbf\x61a\x01\x61b\x02\xff").unwrap();
    assert_eq!(
        map,
        BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)])
    );
    assert_eq!(
        from_slice::<Command>(b"\xbf\x63Add\x03\xff").unwrap(),
        Command::Add(3)
    );
    assert_eq!(
        from_slice::<Command>(b"\xa1\x64Read\xf6").unwrap(),
        Command::Read
    );
}

#[test]
fn tags_are_passed_over() {
    assert_eq!(
        from_slice::<u64>(b"\xc1\x1a\x51\x4b\x67\xb0").unwrap(),
        1_363_896_240
    );
    assert_eq!(
        from_slice::<Command>(b"\xd9\xd9\xf7\x64Read").unwrap(),
        Command::Read
    );
}

#[test]
fn what_is_unknown_is_skipped() {
    let put = from_slice::<Command>(b"\xa1\x63Put\xa2\x61z\x82\x01\xa1\x01\x02\x65place\x05");
    assert_eq!(
        put.unwrap(),
        Command::Put {
            place: 5,
            what: None
        }
    );
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    assert!(error::<Command>(b"\x63Sub").contains("unknown variant `Sub`"));
    assert!(error::<Command>(b"\xa1\x63Add\x61x").contains("invalid type: string"));
    assert!(error::<Command>(b"\xa2\x63Add\x01\x64Read\xf6").contains("one pair"));
    assert!(error::<Command>(b"\x01").contains("enum"));
    assert!(error::<(u8, u8)>(b"\x83\x01\x02\x03").contains("more items"));
    assert!(error::<u8>(b"\x01\x02").contains("from byte 1"));
    assert!(error::<()>(b"\x80").contains("unit"));
}

#[test]
fn bytes_that_are_cut_or_lie_are_refused_everywhere() {
    let whole =
        to_vec(&json!({"a": [1, 300, 70_000, 1.5, "text", [null]], "b": {"c": true}})).unwrap();
    for end in 0..whole.len() {
        assert!(from_slice::<Value>(&whole[..end]).is_err(), "cut at {end}");
    }
    for bytes in [
        &b""[..],
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xff",
        b"\x1c",
        b"\xf9\x3c",
    ] {
        assert!(from_slice::<Value>(bytes).is_err(), "{bytes:02x?}");
        assert!(from_slice::<Vec<u64>>(bytes).is_err(), "{bytes:02x?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let mut bytes = vec![0x81; levels];
        bytes.push(0xf6);
        bytes
    };
    assert!(from_slice::<Value>(&nested(128)).is_ok());
    assert!(error::<Value>(&nested(129)).contains("deeper"));
    assert!(error::<Value>(&nested(1_000_000)).contains("deeper"));
    // Skipping needs no stack.
    let mut ignored = b"\xa2\x61z".to_vec();
    ignored.extend(nested(100_000));
    ignored.extend(b"\x61a\x01");
    assert_eq!(from_slice::<Only>(&ignored).unwrap().a, 1);
}
