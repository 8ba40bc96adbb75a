//! Prefixes, and what is well formed.

use airssys_core::multicodec::{
    Code, DEPTH_MAX, PREFIX_BYTES_MAX, Problem, Route, check, join, negotiate, split,
};
use proptest::prelude::*;

fn problem(code: Code, body: &[u8]) -> Problem {
    check(code, body).unwrap_err().problem
}

#[test]
fn each_way_to_break_a_prefix_has_its_own_error() {
    let told = |bytes: &[u8]| split(bytes).unwrap_err().problem;
    assert_eq!(told(b""), Problem::PrefixTruncated);
    assert_eq!(told(&[0x80; 3]), Problem::PrefixTruncated);
    assert_eq!(told(&[0x81, 0x00]), Problem::PrefixNotMinimal);
    assert_eq!(told(&[0x80; 9]), Problem::PrefixTooLong);
    assert_eq!(told(&[0xff; 11]), Problem::PrefixTooLong);
    assert_eq!(
        told(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
        Problem::PrefixTooLong
    );
    assert_eq!(
        told(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
        Problem::PrefixNotMinimal
    );
}

#[test]
fn nine_bytes_hold_63_bits_and_no_more() {
    let most = Code(u64::MAX >> 1);
    let message = join(most, b"body").unwrap();
    assert_eq!(message.len(), PREFIX_BYTES_MAX + 4);
    assert_eq!(split(&message).unwrap(), (most, &b"body"[..]));
    let error = join(Code(1 << 63), b"").unwrap_err();
    assert_eq!(error.problem, Problem::CodeTooLarge(1 << 63));
}

#[test]
fn the_first_65_536_codes_come_back_and_their_body_is_not_copied() {
    for code in 0..=u64::from(u16::MAX) {
        let message = join(Code(code), b"x").unwrap();
        let (found, body) = split(&message).unwrap();
        assert_eq!(found, Code(code));
        assert_eq!(body.as_ptr(), &raw const message[message.len() - 1]);
    }
}

#[test]
fn a_name_is_that_of_its_code() {
    for (code, name) in Code::NAMED {
        assert_eq!(code.name(), Some(name));
        assert_eq!(Code::of_name(name), Some(code));
        assert_eq!(code.to_string(), name);
    }
    assert_eq!(Code(0x12).to_string(), "0x12");
    assert_eq!(Code::of_name("sha2-256"), None);
}

#[test]
fn a_receiver_gets_what_it_reads_or_the_sender_is_told_what_would_work() {
    let (cbor, json, raw) = (Code::CBOR, Code::JSON, Code::RAW);
    assert_eq!(negotiate(cbor, &[json, cbor], false).unwrap(), Route::AsIs);
    assert_eq!(negotiate(raw, &[raw], true).unwrap(), Route::AsIs);
    assert_eq!(
        negotiate(cbor, &[json], true).unwrap(),
        Route::Transcode(json)
    );
    assert_eq!(
        negotiate(json, &[raw, cbor], true).unwrap(),
        Route::Transcode(cbor)
    );
    let refused = |sent, declared: &[Code], accepts| match negotiate(sent, declared, accepts)
        .unwrap_err()
        .problem
    {
        Problem::NotAccepted { would_work, .. } => would_work,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(cbor, &[json], false), [json]);
    assert_eq!(refused(raw, &[json], true), [json, cbor]);
    assert_eq!(refused(Code::BORSH, &[cbor, json], true), [cbor, json]);
    assert_eq!(refused(json, &[], true), []);
    let text = negotiate(raw, &[json], true).unwrap_err().to_string();
    assert!(text.contains("does not read raw"), "{text}");
    assert!(
        text.contains("hint: these would work: json, cbor"),
        "{text}"
    );
}

/// 5 GB, 2^64 - 1 of them, and what is nested so that each claim alone would fit.
#[test]
fn a_length_past_the_input_is_refused_where_it_stands() {
    for bomb in [
        &b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x80\x00\x00\x00\x00\x00\x00\x00",
        b"\x9a\x00\x01\x00\x00",
        b"\x5f\x5a\xff\xff\xff\xff\xff",
        b"\x83\x83\x01\x02\x03",
    ] {
        let error = check(Code::CBOR, bomb).unwrap_err();
        assert!(
            matches!(error.problem, Problem::LengthPastEnd { .. }),
            "{error}"
        );
    }
}

#[test]
fn nesting_ends_at_the_limit_and_not_in_an_overflow() {
    let nested = |unit: &[u8], times: usize, end: &[u8], close: &[u8]| {
        [unit.repeat(times), end.to_vec(), close.repeat(times)].concat()
    };
    for (code, unit, end, close) in [
        (Code::CBOR, &b"\x81"[..], &b"\x01"[..], &b""[..]),
        (Code::CBOR, b"\x9f", b"", b"\xff"),
        (Code::CBOR, b"\xa1\x01", b"\x01", b""),
        (Code::CBOR, b"\xc6", b"\x01", b""),
        (Code::JSON, b"[", b"", b"]"),
        (Code::JSON, b"{\"a\":", b"1", b"}"),
    ] {
        check(code, &nested(unit, DEPTH_MAX, end, close)).unwrap();
        assert_eq!(
            problem(code, &nested(unit, DEPTH_MAX + 1, end, close)),
            Problem::TooDeep
        );
        assert_eq!(problem(code, &unit.repeat(100_000)), Problem::TooDeep);
    }
}

#[test]
fn cbor_that_is_not_well_formed_says_so() {
    for (body, offset) in [
        (&b""[..], 0),
        (b"\x18", 0),
        (b"\x1c", 0),
        (b"\x1f", 0),
        (b"\xff", 0),
        (b"\x81\xff", 1),
        (b"\xbf\x01\xff", 2),
        (b"\xa1\xff\x00", 1),
        (b"\xf8\x18", 0),
        (b"\xfc", 0),
        (b"\x62\xc3\x28", 0),
        (b"\x5f\x61\x61\xff", 1),
        (b"\x7f\x61\xc3\x61\xa4\xff", 1),
        (b"\x00\x00", 1),
        (b"\xc1", 1),
    ] {
        let error = check(Code::CBOR, body).unwrap_err();
        assert_eq!(error.offset, Some(offset), "{body:x?}: {error}");
    }
}

#[test]
fn json_that_is_not_well_formed_says_so() {
    for body in [
        "",
        " ",
        "[",
        "[1",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "NaN",
        "Infinity",
        "-Infinity",
        "tru",
        "nulL",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\t\"",
        "1 2",
        "[1}",
        "{\"a\":1]",
        "\u{feff}1",
        "'a'",
        "[1 2]",
        "{\"a\" 1}",
        "0x1",
        "]",
        "}",
        ",",
    ] {
        assert!(check(Code::JSON, body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(problem(Code::JSON, b"\"\xff\""), Problem::InvalidUtf8);
}

#[test]
fn bodies_of_other_codecs_are_not_looked_into() {
    for code in [Code::RAW, Code::BORSH, Code::MESSAGEPACK, Code(0x1234)] {
        check(code, b"\xff\xff").unwrap();
    }
}

proptest! {
    #[test]
    fn a_prefix_comes_back(code in 0..1_u64 << 63, body: Vec<u8>) {
        let message = join(Code(code), &body).unwrap();
        prop_assert_eq!(split(&message).unwrap(), (Code(code), &body[..]));
        // There is no other way to write it: longer ones are not minimal.
        let prefix = &message[..message.len() - body.len()];
        for cut in 0..prefix.len() {
            prop_assert!(split(&prefix[..cut]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_checked_without_a_panic(body: Vec<u8>) {
        let _ = check(Code::CBOR, &body);
        let _ = check(Code::JSON, &body);
        let _ = split(&body);
    }

    #[test]
    fn any_text_is_checked_as_serde_json_does(text in r#"[\[\]{},:0-9.eE+\- "a\\u/n]{0,12}"#) {
        let serde: Result<serde_json::Value, _> = serde_json::from_str(&text);
        // Numbers past a float are JSON all the same.
        let ours = check(Code::JSON, text.as_bytes());
        let is_range = matches!(&serde, Err(error) if error.to_string().contains("out of range"));
        prop_assert!(is_range || serde.is_ok() == ours.is_ok(), "{text}: {serde:?} {ours:?}");
    }
}
