"""Bytes that attack the readers, and objects that attack the writers."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airssys_wasm import MIB, CodecError, codec
from airssys_wasm.codec import Borsh

HERE = Path(__file__).parent
DEEP = 100_000

SCHEMA = Borsh(
    {"id": "u64", "tags": Borsh.vec("string"), "more": Borsh.vec({"a": Borsh.vec("u8")})}
)


def refused(message: bytes, said: str | None = None, schema: Borsh | None = None) -> None:
    """Nobody takes the message: no reader, no check, no transcoding."""
    readers: list[Callable[[bytes], object]] = [lambda given: codec.decode(given, schema=schema)]
    if schema is None:
        readers += [
            codec.check,
            lambda given: codec.transcode(given, codec.split(given)[0] ^ 0x251),
        ]
    for read in readers:
        with pytest.raises(CodecError, match=said):
            read(message)


def test_dc01_a_prefix_has_one_form_and_nine_bytes() -> None:
    for prefix, said in (
        (b"", "cut off"),
        (b"\x80" * 8, "cut off"),
        (b"\x81\x00", "shortest form"),
        (b"\xd1\x00\x01", "shortest form"),
        (b"\x80" * 9, "longer than 9"),
        (b"\x80" * 9 + b"\x01", "longer than 9"),
        (b"\xff" * 11, "longer than 9"),
    ):
        for read in (codec.split, codec.decode, codec.check, codec.transcode):
            with pytest.raises(CodecError, match=said):
                read(prefix)
    for code in range(1 << 16):
        assert codec.split(codec.join(code, b""))[0] == code


def test_dc02_a_number_that_is_no_codec_of_ours_is_not_read() -> None:
    known = {codec.CBOR, codec.JSON, codec.BORSH, codec.RAW, codec.PROTOBUF, codec.MESSAGEPACK}
    known.add(codec.DAG_CBOR)
    for code in [*range(0x400), 0x300700, 0x300702, 0x3FFFFF, 1 << 62]:
        if code not in known:
            with pytest.raises(CodecError, match=f"no codec 0x{code:x} is known here"):
                codec.decode(codec.join(code, b"\x01"))
            with pytest.raises(CodecError, match="is not transcoded to"):
                codec.transcode(codec.join(code, b"\x01"))


def test_dc03_a_length_costs_nothing_until_its_bytes_are_there() -> None:
    # In a process of its own, whose memory is weighed before and after.
    told = subprocess.run(  # noqa: S603 - our own words, no shell
        [sys.executable, str(HERE / "length_bombs.py")],
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    ).stdout
    weighed = json.loads(told)

    assert weighed["refused"] >= 20
    assert weighed["grown_bytes"] < 4 * MIB


@pytest.mark.parametrize(
    "body",
    [
        b"\x81" * DEEP,
        b"\x9f" * DEEP,
        b"\xa1\x01" * DEEP,
        b"\xbf\x60" * DEEP,
        b"\xc1" * DEEP,
        b"\x81" * 1001 + b"\x01",
    ],
)
def test_dc04_deep_cbor_is_refused_on_a_small_stack_too(body: bytes) -> None:
    refused(codec.join(codec.CBOR, body))


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'[{"a":', b"[[],"])
def test_dc04_deep_json_is_refused(unit: bytes) -> None:
    refused(codec.join(codec.JSON, unit * DEEP), "nesting is deeper than 1000")


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
def test_dc04_deep_and_endless_objects_are_refused(number: int) -> None:
    value: Any = 1
    for _ in range(codec.DEPTH_MAX):
        value = [value]
    # Written again, not compared: Python compares by recursion.
    message = codec.encode(number, value)
    assert codec.encode(number, codec.decode(message)[1]) == message
    endless: list[Any] = []
    endless.append(endless)
    circle: dict[str, Any] = {"a": [1]}
    circle["a"].append({"b": circle})
    for bad in ([value], {"a": value}, (value,), endless, circle):
        with pytest.raises(CodecError, match="holds itself is endlessly deep"):
            codec.encode(number, bad)


def test_dc05_every_start_of_a_valid_message_is_refused() -> None:
    value: dict[str, Any] = {
        "a": [1, 1000, -5, 1.5, "text é", True, None, {"b": []}],
        "c": {"d": "e" * 300},
    }
    for number in (codec.CBOR, codec.JSON):
        message = codec.encode(number, value)
        start = len(codec.join(number, b""))
        for cut in range(start, len(message)):
            refused(message[:cut])
        refused(message + b"\x00")
    value = {"id": 1, "tags": ["a", "bc"], "more": [{"a": [1, 2]}]}
    message = codec.encode(codec.BORSH, value, schema=SCHEMA)
    for cut in range(4, len(message)):
        refused(message[:cut], schema=SCHEMA)
    refused(message + b"\x00", "stand behind the value", schema=SCHEMA)


def test_dc06_a_key_that_stands_twice_is_refused() -> None:
    many = ",".join(f'"k{index}":0' for index in [*range(500), 77]).encode()
    for body in (b'{"a":1,"a":1}', b'[{"a":{"b":1,"\\u0062":2}}]', b"{" + many + b"}"):
        message = codec.join(codec.JSON, body)
        for read in (codec.decode, lambda given: codec.transcode(given, codec.CBOR)):
            with pytest.raises(CodecError, match="a key stands twice"):
                read(message)
    for body in (b"\xa2\x61a\x01\x61a\x02", b"\xbf\x61a\x01\x7f\x61a\xff\x02\xff"):
        message = codec.join(codec.CBOR, body)
        for read in (codec.decode, codec.transcode):
            with pytest.raises(CodecError, match="a key stands twice"):
                read(message)
    for hexed in ("02000000 0101 0102", "02000000 0201 0102"):
        with pytest.raises(CodecError):
            codec.decode_body(codec.BORSH, bytes.fromhex(hexed), schema=Borsh.map("u8", "u8"))


def test_dc07_forms_that_are_not_the_shortest_are_read_as_documented() -> None:
    for body, value in (
        ("1800", 0),
        ("1b0000000000000001", 1),
        ("3a00000000", -1),
        ("bf6162016161 02ff", {"b": 1, "a": 2}),
        ("f90001", 2.0**-24),
        ("c24101", 1),
        ("c2 40", 0),
        ("c349ffffffffffffffffff", -(2**72)),
        ("5801ff", b"\xff"),
    ):
        assert codec.decode_body(codec.CBOR, bytes.fromhex(body)) == value


def test_dc08_text_is_unicode_or_it_is_refused() -> None:
    for text in (
        b"\xff",
        b"\xc3",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"a\xe2\x28\xa1",
    ):
        refused(codec.join(codec.CBOR, bytes([0x60 + len(text)]) + text), "not valid UTF-8")
        refused(codec.join(codec.JSON, b'"' + text + b'"'), "not valid UTF-8")
        with pytest.raises(CodecError, match="not valid UTF-8"):
            codec.decode_body(
                codec.BORSH, bytes([len(text), 0, 0, 0]) + text, schema=Borsh("string")
            )
    refused(codec.join(codec.CBOR, b"\xa1\x61\xff\x00"), "not valid UTF-8")
    refused(codec.join(codec.JSON, b"\xef\xbb\xbf1"), "no byte order mark")
    refused(codec.join(codec.JSON, b'"\\ud800"'), "half of a surrogate pair")
    refused(codec.join(codec.JSON, b'{"\\udc00":1}'), "half of a surrogate pair")
    assert codec.decode_body(codec.JSON, b'"\\u0000\x7f"') == "\x00\x7f"
    assert codec.decode_body(codec.CBOR, b"\x61\x00") == "\x00"


def test_dc09_nothing_may_stand_behind_the_value() -> None:
    for number, body in ((codec.CBOR, b"\x01"), (codec.JSON, b"1 "), (codec.JSON, b"[]")):
        for more in (b"1", b"\x00", b"]", b"\xff"):
            refused(codec.join(number, body + more))


def test_dc10_borsh_is_strict() -> None:
    for schema, body in (
        ("bool", "02"),
        (Borsh.option("u8"), "02"),
        (Borsh.enum({"A": None}), "01"),
        (Borsh.map("u8", "u8"), "0200000002000100"),
        (Borsh.set("u8"), "020000000101"),
        ("f32", "0000c07f"),
    ):
        with pytest.raises(CodecError):
            codec.decode_body(codec.BORSH, bytes.fromhex(body), schema=Borsh(schema))
    nothings: list[object] = [None, {}, (), ((), None)]
    for item in nothings:
        with pytest.raises(CodecError, match="nothing bounds their count"):
            Borsh.vec(item)


def test_dc11_json_numbers_are_exact_or_refused() -> None:
    for text in ("9007199254740993", "-9007199254740993", "123456789012345678901234567890"):
        assert codec.decode_body(codec.JSON, text.encode()) == int(text)
    refused_texts = (
        "01",
        "-",
        "1.",
        ".1",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "1_0",
        "\u0661",
        "--1",
        "-01",
        "1.e1",
    )
    for text in refused_texts:
        refused(codec.join(codec.JSON, text.encode()))
    for text in ("1e400", "-1e400", "1" + "0" * 400 + ".0"):
        with pytest.raises(CodecError, match="past what a float holds"):
            codec.decode_body(codec.JSON, text.encode())
    with pytest.raises(CodecError, match="more digits than Python converts"):
        codec.decode_body(codec.JSON, b"1" + b"0" * 10_000_000)


def test_dc13_no_start_of_anything_is_a_panic() -> None:
    for body in (
        b"\x9b\x00\x01",
        b"\x5f\x41",
        b'{"a',
        b'"\\ud83d\\u',
        b"\xc2\x5f",
        b"\xf9\x00",
        b"-",
    ):
        for number in (codec.CBOR, codec.JSON, codec.BORSH):
            for cut in range(len(body) + 1):
                with contextlib.suppress(CodecError):
                    codec.decode_body(
                        number, body[:cut], schema=SCHEMA if number == codec.BORSH else None
                    )
                    assert number == codec.CBOR, "a start of JSON or Borsh that is a value"


def test_dc14_the_prefix_says_what_the_body_is() -> None:
    bodies = {number: codec.encode_body(number, {"a": [1]}) for number in (codec.CBOR, codec.JSON)}
    for number, other in ((codec.CBOR, codec.JSON), (codec.JSON, codec.CBOR)):
        refused(codec.join(number, bodies[other]))
    with pytest.raises(CodecError):
        codec.decode(codec.join(codec.BORSH, bodies[codec.JSON]), schema=SCHEMA)


class Raising:
    """An object whose every way to be read raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __iter__(self) -> Iterator[object]:
        raise self.error

    def keys(self) -> Any:
        raise self.error


class HostileDict(dict[Any, Any], Raising):
    def __init__(self, error: BaseException) -> None:
        dict.__init__(self, a=1)
        Raising.__init__(self, error)

    __iter__ = Raising.__iter__
    keys = Raising.keys


class HostileInt(int):
    def __index__(self) -> int:
        raise AssertionError("asked")

    __int__ = __neg__ = __invert__ = __abs__ = __index__
    __repr__ = __str__ = __index__  # type: ignore[assignment]

    def bit_length(self) -> int:
        raise AssertionError("asked")

    def to_bytes(self, *_: object, **__: object) -> bytes:
        raise AssertionError("asked")


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, RecursionError, MemoryError])
def test_dc15_an_exception_of_a_value_passes_through(
    number: int, error: type[BaseException]
) -> None:
    with pytest.raises(error) as caught:
        codec.encode(number, [1, {"a": HostileDict(error("mine"))}])
    assert caught.value.args == ("mine",)
    assert codec.decode(codec.encode(number, [1])) == (number, [1])


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
@pytest.mark.parametrize("value", [5, -5, 2**64, -(2**70), 2**80])
def test_dc15_an_int_is_its_number_whatever_it_says(number: int, value: int) -> None:
    assert codec.encode(number, HostileInt(value)) == codec.encode(number, value)


@pytest.mark.parametrize("number", [codec.CBOR, codec.JSON])
def test_dc15_a_container_that_changes_under_the_writer_is_refused(number: int) -> None:
    class Meddler(dict[Any, Any]):
        def keys(self) -> Any:
            meddlers[-1]()
            return super().keys()

        def __iter__(self) -> Iterator[Any]:
            return iter(self.keys())

    def grow_dict() -> None:
        outer_dict.update({str(index): index for index in range(1000)})

    meddlers: list[Callable[[], object]] = []
    outer_dict: dict[str, Any] = {"a": Meddler(x=1), "b": [2], "c": 3}
    outer_list: list[Any] = [Meddler(x=1), [2], 3]
    for value, meddling in (
        (outer_dict, grow_dict),
        (outer_dict, outer_dict.clear),
        (outer_list, outer_list.clear),
        (outer_list, lambda: outer_list.extend(range(1000))),
    ):
        meddlers.append(meddling)
        outer_dict.clear()
        outer_dict.update({"a": Meddler(x=1), "b": [2], "c": 3})
        outer_list[:] = [Meddler(x=1), [2], 3]
        with pytest.raises(CodecError, match="changed while it was encoded"):
            codec.encode(number, value)


def test_dc15_a_finalizer_that_decodes_finds_the_reader_in_order() -> None:
    message = codec.encode(codec.CBOR, [{f"key{index}": index} for index in range(2000)])
    seen = []

    class Reentrant:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            seen.append(codec.decode(message)[1][5])

    for _ in range(20):
        Reentrant()
        assert codec.decode(message)[1][7] == {"key7": 7}
    gc.collect()
    assert seen == [{"key5": 5}] * 20
