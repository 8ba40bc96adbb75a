"""What values become, and what is said of those that have no form."""

from __future__ import annotations

import collections
import dataclasses
import enum
from typing import Any, NamedTuple

import pytest

import airssys_wasm as aw
from airssys_wasm import CodecError, codec


class Level(enum.IntEnum):
    HIGH = 200


class Colour(enum.StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Order:
    id: int
    tags: list[str]
    kind: dataclasses.InitVar[str] = "unused"

    def __post_init__(self, kind: str) -> None:
        self.note = kind


VALUE = {"id": 7, "name": "Ada", "tags": ["a", None, True], "price": 1.5, "more": {"é": -1}}


@pytest.mark.parametrize("name", ["CBOR", "JSON"])
def test_a_message_comes_back_with_its_codec(name: str) -> None:
    number = getattr(aw.codec, name)
    message = aw.codec.encode(number, VALUE)

    assert type(message) is bytes
    assert aw.codec.decode(message) == (number, VALUE)
    assert aw.codec.encode_body(number, VALUE) == bytes(aw.codec.split(message)[1])
    assert aw.codec.decode_body(number, aw.codec.split(message)[1]) == VALUE


def test_json_becomes_cbor_and_cbor_json() -> None:
    message = codec.encode(codec.CBOR, VALUE)
    turned = codec.transcode(message)

    assert turned == codec.transcode(message, to=codec.JSON) == codec.encode(codec.JSON, VALUE)
    assert codec.transcode(turned, to=codec.CBOR) == message
    assert codec.transcode(message, to=codec.CBOR) == message
    with pytest.raises(CodecError, match="longer than 10 bytes"):
        codec.transcode(message, bytes_max=10)
    with pytest.raises(CodecError, match="hint: only cbor and json"):
        codec.transcode(codec.encode(codec.RAW, b"x"))


@pytest.mark.parametrize("name", ["RAW", "MESSAGEPACK", "PROTOBUF", "DAG_CBOR"])
def test_other_codecs_carry_their_bytes(name: str) -> None:
    number = getattr(codec, name)
    for body in (b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"x\xff\x00")[1:]):
        assert codec.decode(codec.encode(number, body)) == (number, b"\xff\x00")
    with pytest.raises(CodecError, match="a value of type str has no form"):
        codec.encode(number, "text")


def test_a_split_message_is_a_view() -> None:
    message = codec.encode(codec.RAW, b"body")
    code, body = codec.split(message)

    assert code == codec.RAW
    assert body.obj is message
    assert bytes(body) == b"body"
    for given in (bytearray(message), memoryview(b"__" + message)[2:]):
        code, body = codec.split(given)
        assert (code, bytes(body)) == (codec.RAW, b"body")
    with pytest.raises(TypeError):
        codec.split("text")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_read(kind: Any) -> None:
    message = kind(codec.encode(codec.JSON, VALUE))

    assert codec.decode(message) == (codec.JSON, VALUE)
    assert codec.transcode(message, to=codec.CBOR) == codec.encode(codec.CBOR, VALUE)
    codec.check(message)


@pytest.mark.parametrize("wrong", [5, "text", None, [1]])
def test_what_is_no_buffer_is_refused(wrong: Any) -> None:
    for read in (codec.decode, codec.check, codec.transcode):
        with pytest.raises(TypeError, match="bytes-like"):
            read(wrong)


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
def test_derived_types_are_what_they_derive_from(number: int) -> None:
    given: collections.OrderedDict[Any, Any] = collections.OrderedDict(b=1, a=[Level.HIGH])
    given.move_to_end("b")
    given[Colour.RED] = Point(1, 2)
    back = codec.decode(codec.encode(number, given))[1]

    assert back == {"a": [200], "b": 1, "red": [1, 2]}
    assert list(back) == ["a", "b", "red"]
    assert type(back["a"][0]) is int


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
def test_a_dataclass_is_a_map_of_its_fields(number: int) -> None:
    assert codec.decode(codec.encode(number, [Order(7, ["a"])]))[1] == [{"id": 7, "tags": ["a"]}]
    with pytest.raises(CodecError, match="a value of type type has no form"):
        codec.encode(number, Order)


@pytest.mark.parametrize(
    ("value", "said", "path"),
    [
        ({"a": [0, {1, 2}]}, "a value of type set has no form in cbor", "a[1]"),
        ([object()], "a value of type object has no form in cbor", "[0]"),
        ("\ud800", "text with half of a surrogate pair has no form in cbor", ""),
        ({"x y": {1: {2.5: 1j}}}, "a value of type complex has no form", '["x y"][1][2.5]'),
        ({(1, object()): 1}, "a value of type object has no form", "{key}[1]"),
    ],
)
def test_what_cbor_lacks_is_named_with_its_place(value: Any, said: str, path: str) -> None:
    with pytest.raises(CodecError) as caught:
        codec.encode(codec.CBOR, value)

    assert str(caught.value).startswith(said)
    assert caught.value.path == path
    assert caught.value.offset is None


@pytest.mark.parametrize(
    ("value", "said", "path"),
    [
        ({"a": float("nan")}, "NaN has no form in json", "a"),
        ([float("inf")], "an infinity has no form in json", "[0]"),
        ({"a": b"x"}, "a value of type bytes has no form in json", "a"),
        ({1: "a"}, "a value of type int as a key has no form in json", ""),
        ({"a": {None: 1}}, "a value of type NoneType as a key has no form", "a"),
        (["\udfff"], "text with half of a surrogate pair has no form in json", "[0]"),
        ([10**5000], "an integer of more digits than Python converts has no form", "[0]"),
    ],
)
def test_what_json_lacks_is_named_with_its_place(value: Any, said: str, path: str) -> None:
    with pytest.raises(CodecError) as caught:
        codec.encode(codec.JSON, value)

    assert str(caught.value).startswith(said)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("message", "said", "offset", "path"),
    [
        (b"", "the codec prefix is cut off", 0, ""),
        (b"\x51", "the CBOR value is cut off", 1, ""),
        (b"\x51\x82\x01\xc1\x01", "tag 1 has no form in Python", 3, "[1]"),
        (b"\x51\xa1\x61a\xf7", "undefined has no form in Python", 4, "a"),
        (b"\x51\xa1\xa0\x01", "a map as a key has no form in Python", 2, ""),
        (b"\x51\xa1\x05\x82\x01\x62\xff\xff", "the text is not valid UTF-8", 5, "[5][1]"),
        (b"\x51\x01\x02", "1 bytes stand behind the value", 2, ""),
        (b'\x80\x04{"a": [1, x]}', "no value starts like this", 12, "a[1]"),
        (b"\x80\x041e999", "a number past what a float holds has no form", 2, ""),
        (b"\x80\x04" + b"9" * 5000, "an integer of more digits than Python converts", 2, ""),
        (b'\x80\x04[{"a":1,"a":2}]', "a key stands twice in one map", 3, "[0]"),
        (b"\x51\xa2\x01\x02\xf9\x3c\x00\x03", "a key stands twice in one map", 1, ""),
        (b"\x12abc", "no codec 0x12 is known here", None, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    message: bytes, said: str, offset: int | None, path: str
) -> None:
    with pytest.raises(CodecError) as caught:
        codec.decode(message)

    assert str(caught.value).startswith(said)
    assert (caught.value.offset, caught.value.path) == (offset, path)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, aw.AirssysError)


def test_lists_as_keys_are_tuples() -> None:
    value = {(1, ("a", b"")): 1, (): 2, 1.5: 3, None: 4, b"": 5}

    assert codec.decode(codec.encode(codec.CBOR, value)) == (codec.CBOR, value)


def test_a_codec_that_is_not_known_is_only_split_and_joined() -> None:
    message = codec.join(0x1234, b"x")

    assert codec.name_of(0x1234) == "0x1234"
    assert codec.split(message)[1].tobytes() == b"x"
    codec.check(message)
    with pytest.raises(CodecError, match=r"hint: split\(\)"):
        codec.decode(message)
    with pytest.raises(CodecError, match="no codec 0x1234"):
        codec.encode(0x1234, b"x")
    with pytest.raises(CodecError, match="63 bits"):
        codec.join(1 << 63, b"")
    with pytest.raises(OverflowError):
        codec.encode(-1, b"")
