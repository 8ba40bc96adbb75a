"""Borsh by its schema."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import airssys_wasm as aw
from airssys_wasm import CodecError, codec
from airssys_wasm.codec import Borsh

SHAPE = Borsh.enum({"Circle": {"radius": "f32"}, "Square": "u8", "Nothing": None})
ORDER = Borsh(
    {
        "id": "u64",
        "tags": Borsh.vec("string"),
        "shape": SHAPE,
        "note": Borsh.option("string"),
        "counts": Borsh.map("string", "i16"),
        "seen": Borsh.set("u8"),
        "pair": ("bool", Borsh.array("i8", 2)),
    }
)
VALUE = {
    "id": 2**63,
    "tags": ["a", "é"],
    "shape": aw.Variant("Circle", {"radius": 1.5}),
    "note": None,
    "counts": {"a": -1, "b": 2},
    "seen": {3, 1},
    "pair": (True, [-1, 1]),
}


@dataclasses.dataclass
class Point:
    x: int
    y: int


def encode(description: object, value: object) -> bytes:
    return codec.encode_body(codec.BORSH, value, schema=Borsh(description))


def decode(description: object, body: bytes) -> Any:
    return codec.decode_body(codec.BORSH, body, schema=Borsh(description))


def test_a_value_comes_back() -> None:
    message = codec.encode(codec.BORSH, VALUE, schema=ORDER)

    assert codec.split(message)[0] == codec.BORSH == 0x300701
    assert codec.decode(message, schema=ORDER) == (codec.BORSH, VALUE)


def test_a_dataclass_is_a_struct() -> None:
    assert encode({"x": "u8", "y": "u8"}, Point(1, 2)) == b"\x01\x02"


def test_an_enum_of_bare_names_is_a_str() -> None:
    bare = Borsh.enum({"On": None, "Off": None})

    assert decode(bare, b"\x01") == "Off"
    assert encode(bare, "Off") == encode(bare, aw.Variant("Off")) == b"\x01"
    assert decode(SHAPE, b"\x02") == aw.Variant("Nothing")


@pytest.mark.parametrize(
    ("description", "value", "said", "path"),
    [
        ("u8", 256, "an integer does not fit u8", ""),
        ("u8", True, "a value of type bool does not fit u8", ""),
        ("i128", 2**127, "an integer does not fit i128", ""),
        ("u128", -1, "an integer does not fit u128", ""),
        ("f32", 1e300, "a float does not fit f32", ""),
        ("f64", float("nan"), "borsh has no NaN", ""),
        ("bool", 1, "a value of type int does not fit bool", ""),
        ("string", b"x", "a value of type bytes does not fit string", ""),
        ("string", "\ud800", "text with half of a surrogate pair", ""),
        ("unit", 0, "a value of type int does not fit unit", ""),
        ({"a": {"b": "u8"}}, {"a": {"b": -1}}, "an integer does not fit u8", "a.b"),
        ({"a": "u8"}, {}, "the field 'a' is missing".replace("'", '"'), ""),
        ({"a": "u8"}, {"a": 1, "b": 2}, "2 entries for a struct of 1 fields", ""),
        (("u8", "u8"), (1,), "1 items for a tuple of 2", ""),
        (Borsh.array("u8", 2), [1], "1 items for array<u8, 2>", ""),
        (Borsh.byte_array(2), b"x", "a value of type bytes does not fit bytes<2>", ""),
        (Borsh.vec("u8"), [0, 1, -1], "an integer does not fit u8", "[2]"),
        (SHAPE, "Triangle", 'no case is called "Triangle"; hint: its cases are Circle,', ""),
        (SHAPE, aw.Variant("Square", 300), "an integer does not fit u8", "Square"),
        (Borsh.map("u8", "u8"), {1: 300}, "an integer does not fit u8", "{value}"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    description: object, value: object, said: str, path: str
) -> None:
    with pytest.raises(CodecError) as caught:
        encode(description, value)

    assert str(caught.value).startswith(said)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("description", "body", "said", "offset"),
    [
        ("bool", "02", "a bool is 0 or 1", 0),
        (Borsh.option("u8"), "0201", "the tag of an option is 0 or 1", 0),
        (SHAPE, "03", "the enum has no case of this index", 0),
        ("f64", "000000000000f87f", "borsh has no NaN", 0),
        ("u32", "010203", "the borsh value is cut off", 0),
        ("u8", "0102", "1 bytes stand behind the value", 1),
        ("string", "ffffffff61", "a length of 4294967295 does not fit into the 1 bytes", 0),
        ("string", "01000000ff", "the text is not valid UTF-8", 0),
        (Borsh.vec("u64"), "ffffffff0000000000000000", "a length of 4294967295 does not fit", 0),
        (Borsh.vec(Borsh.vec("u8")), "02000000ffffffff00000000", "a length of 4294967295", 4),
        (Borsh.map("u8", "u8"), "0200000002000100", "keys must be sorted", 6),
        (Borsh.map("i8", "u8"), "02000000010001 00".replace(" ", ""), "a key stands twice", 6),
        (Borsh.set("i8"), "0200000001ff", "keys must be sorted", 5),
        (Borsh.array("u64", 1 << 40), "00", "a length of 1099511627776 does not fit", 0),
    ],
)
def test_what_is_wrong_with_a_body_is_said(
    description: object, body: str, said: str, offset: int
) -> None:
    with pytest.raises(CodecError) as caught:
        decode(description, bytes.fromhex(body))

    assert str(caught.value).startswith(said)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Borsh("u9"), 'no type is called "u9"'),
        (lambda: Borsh(5), "a value of type int describes no type"),
        (lambda: Borsh(["u8"]), "a value of type list describes no type"),
        (lambda: Borsh.vec(None), "items that may take no byte cannot be listed"),
        (lambda: Borsh.vec({}), "items that may take no byte cannot be listed"),
        (lambda: Borsh.array((), 5), "items that may take no byte cannot be listed"),
        (lambda: Borsh.option(Borsh.option("u8")), "an option of an option"),
        (lambda: Borsh.map("f64", "u8"), "keys are integers, bool, string or bytes"),
        (lambda: Borsh.set((1,)), "a value of type int describes no type"),
        (lambda: Borsh.enum({}), "an enum has 1 to 256 cases"),
        (lambda: Borsh.enum({str(n): None for n in range(257)}), "an enum has 1 to 256 cases"),
        (lambda: Borsh({str(n): "u8" for n in range(10_000)}), "a schema has at most 10000 types"),
    ],
)
def test_what_is_no_schema_is_refused(build: Any, said: str) -> None:
    with pytest.raises(CodecError) as caught:
        build()

    assert str(caught.value).startswith(said)


def test_a_schema_has_a_bottom() -> None:
    endless: list[Any] = [("u8",)]
    for _ in range(100):
        endless[0] = (endless[0],)
    with pytest.raises(CodecError, match="nests at most 64 deep"):
        Borsh(endless[0])
    schema = Borsh("u8")
    for _ in range(63):
        schema = Borsh.vec(schema)
    with pytest.raises(CodecError, match="nests at most 64 deep"):
        Borsh.vec(schema)


def test_a_schema_shows_itself_and_is_what_it_says() -> None:
    assert repr(Borsh.vec(Borsh.option("u8"))) == "<Borsh vec<option<u8>>>"
    assert Borsh({"a": "u8"}) == Borsh({"a": "u8"}) != Borsh({"b": "u8"})
    assert hash(Borsh("u8")) == hash(Borsh("u8"))


def test_a_schema_belongs_to_borsh_and_borsh_needs_one() -> None:
    with pytest.raises(CodecError, match="hint: pass schema="):
        codec.encode(codec.BORSH, 1)
    with pytest.raises(CodecError, match="hint: pass schema="):
        codec.decode(codec.join(codec.BORSH, b"\x01"))
    with pytest.raises(CodecError, match="cbor takes no schema"):
        codec.encode(codec.CBOR, 1, schema=ORDER)
    with pytest.raises(CodecError, match="json takes no schema"):
        codec.decode(codec.encode(codec.JSON, 1), schema=ORDER)
