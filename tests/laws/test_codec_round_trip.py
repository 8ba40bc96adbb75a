"""What is written is read again, by us and by others, for all values."""

from __future__ import annotations

import json
import math
from typing import Any

import borsh_construct as peer
import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airssys_wasm import CodecError, codec
from airssys_wasm.codec import Borsh

INTEGERS = (
    st.integers()
    | st.integers(-(2**200), 2**200)
    | st.sampled_from(
        [
            sign * 2**bits + more
            for bits in (8, 16, 32, 63, 64, 65)
            for sign in (1, -1)
            for more in (-1, 0, 1)
        ]
    )
)
TEXT = st.text() | st.text(alphabet='"\\/\x00\x1f\x7fé\u2028😀a', max_size=40)
SCALARS = st.none() | st.booleans() | INTEGERS | TEXT
FLOATS = st.floats(allow_nan=False)
KEYS = st.recursive(
    SCALARS | FLOATS | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)


def trees(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=30) | st.dictionaries(keys, inner, max_size=30),
        max_leaves=30,
    )


CBOR_VALUES = trees(SCALARS | FLOATS | st.binary(), KEYS)
JSON_VALUES = trees(SCALARS | st.floats(allow_nan=False, allow_infinity=False), TEXT)


@given(CBOR_VALUES)
def test_cbor_comes_back_and_is_what_cbor2_writes(value: Any) -> None:
    body = codec.encode_body(codec.CBOR, value)

    assert codec.decode_body(codec.CBOR, body) == value
    assert body == cbor2.dumps(value)
    assert repr(cbor2.loads(body)) == repr(codec.decode_body(codec.CBOR, body))
    codec.check(codec.encode(codec.CBOR, value))


@given(CBOR_VALUES)
def test_whatever_form_cbor2_chooses_is_read(value: Any) -> None:
    for body in (
        cbor2.dumps(value, canonical=True),
        cbor2.dumps(value, indefinite_containers=True),
    ):
        assert codec.decode_body(codec.CBOR, body) == value


@given(st.floats())
def test_every_float_keeps_its_value(value: float) -> None:
    back = codec.decode(codec.encode(codec.CBOR, value))[1]

    assert math.isnan(back) if math.isnan(value) else repr(back) == repr(value)
    if math.isfinite(value):
        back = codec.decode(codec.encode(codec.JSON, value))[1]
        assert repr(back) == repr(value)


@given(JSON_VALUES)
def test_json_comes_back_and_is_what_json_reads_and_writes(value: Any) -> None:
    body = codec.encode_body(codec.JSON, value)

    assert repr(codec.decode_body(codec.JSON, body)) == repr(value)
    assert repr(json.loads(body)) == repr(value)
    for ascii_only in (True, False):
        theirs = json.dumps(value, ensure_ascii=ascii_only, indent=1)
        assert repr(codec.decode_body(codec.JSON, theirs.encode())) == repr(value)
    codec.check(codec.encode(codec.JSON, value))


@given(trees(st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | TEXT | FLOATS, TEXT))
def test_transcoding_is_decoding_and_encoding(value: Any) -> None:
    message = codec.encode(codec.CBOR, value)
    try:
        expected = codec.encode(codec.JSON, value)
    except CodecError:
        with pytest.raises(CodecError):
            codec.transcode(message)
        return
    assert codec.transcode(message) == expected
    assert codec.transcode(expected, to=codec.CBOR) == message


@given(CBOR_VALUES)
def test_no_start_of_a_body_is_a_body(value: Any) -> None:
    body = codec.encode_body(codec.CBOR, value)
    for cut in range(min(len(body), 200)):
        with pytest.raises(CodecError):
            codec.decode_body(codec.CBOR, body[:cut])


@given(st.integers(0, 2**63 - 1), st.binary())
def test_a_message_of_any_codec_is_split_as_it_was_joined(code: int, body: bytes) -> None:
    message = codec.join(code, body)

    found, view = codec.split(message)
    assert (found, view.tobytes()) == (code, body)


OURS = Borsh(
    {
        "id": "u64",
        "delta": "i32",
        "big": "u128",
        "name": "string",
        "blob": "bytes",
        "score": "f64",
        "ok": "bool",
        "maybe": Borsh.option("u16"),
        "tags": Borsh.vec("string"),
        "three": Borsh.array("u8", 3),
        "counts": Borsh.map("string", "u32"),
        "seen": Borsh.set("i8"),
        "pair": ("u8", "string"),
    }
)
THEIRS = peer.CStruct(
    "id" / peer.U64,
    "delta" / peer.I32,
    "big" / peer.U128,
    "name" / peer.String,
    "blob" / peer.Bytes,
    "score" / peer.F64,
    "ok" / peer.Bool,
    "maybe" / peer.Option(peer.U16),
    "tags" / peer.Vec(peer.String),
    "three" / peer.U8[3],
    "counts" / peer.HashMap(peer.String, peer.U32),
    "seen" / peer.HashSet(peer.I8),
    "pair" / peer.TupleStruct(peer.U8, peer.String),
)
BORSH_VALUES = st.fixed_dictionaries(
    {
        "id": st.integers(0, 2**64 - 1),
        "delta": st.integers(-(2**31), 2**31 - 1),
        "big": st.integers(0, 2**128 - 1),
        "name": st.text(),
        "blob": st.binary(),
        "score": FLOATS,
        "ok": st.booleans(),
        "maybe": st.none() | st.integers(0, 2**16 - 1),
        "tags": st.lists(st.text(), max_size=5),
        "three": st.lists(st.integers(0, 255), min_size=3, max_size=3),
        "counts": st.dictionaries(st.text(), st.integers(0, 2**32 - 1), max_size=5),
        "seen": st.sets(st.integers(-128, 127), max_size=5),
        "pair": st.tuples(st.integers(0, 255), st.text()),
    }
)


@given(BORSH_VALUES)
def test_borsh_comes_back_and_is_what_borsh_construct_writes(value: Any) -> None:
    body = codec.encode_body(codec.BORSH, value, schema=OURS)

    assert body == THEIRS.build(value)
    assert codec.decode_body(codec.BORSH, body, schema=OURS) == value
    for cut in range(len(body)):
        with pytest.raises(CodecError):
            codec.decode_body(codec.BORSH, body[:cut], schema=OURS)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_codec_error(body: bytes) -> None:
    for number, schema in ((codec.CBOR, None), (codec.JSON, None), (codec.BORSH, OURS)):
        try:
            value = codec.decode_body(number, body, schema=schema)
        except CodecError:
            continue
        again = codec.encode_body(number, value, schema=schema)
        assert repr(codec.decode_body(number, again, schema=schema)) == repr(value)
