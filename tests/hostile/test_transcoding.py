"""Text in the encodings that components may choose, well formed and not."""

from __future__ import annotations

import pytest
from tests.hostile.attack import Host, Under

import airssys_wasm as aw

LATIN1_OR_UTF16_TAG = 0x8000_0000
LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)


def speaker(encoding: str, data: bytes, pointer: int, length: int) -> str:
    """Write a guest that answers with text: ``data`` lies at 64."""
    written = "".join(f"\\{byte:02x}" for byte in data)
    return f"""
    (component
      (core module $m
        (memory (export "memory") 1)
        (data (i32.const 64) "{written}")
        (func (export "run") (result i32)
          (i32.store (i32.const 32) (i32.const {pointer}))
          (i32.store (i32.const 36) (i32.const {length}))
          (i32.const 32)))
      (core instance $i (instantiate $m))
      (func (export "run") (result string)
        (canon lift (core func $i "run") (memory $i "memory") string-encoding={encoding})))
    """


def echo_between(first: str, second: str) -> str:
    """Write two components: the first hands its text on to the second's encoding."""
    memory = """
      (core module $libc
        (memory (export "memory") 64)
        (global $next (mut i32) (i32.const 65536))
        (func (export "realloc") (param $old i32) (param $had i32) (param $align i32)
          (param $size i32) (result i32) (local $new i32)
          (local.set $new (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
          (global.set $next (i32.add (local.get $new) (local.get $size)))
          (memory.copy (local.get $new) (local.get $old) (local.get $had))
          (local.get $new))
        (func (export "pair") (param i32 i32) (result i32)
          (i32.store (i32.const 32) (local.get 0))
          (i32.store (i32.const 36) (local.get 1))
          (i32.const 32)))
      (core instance $libc (instantiate $libc))
    """
    options = '(memory $libc "memory") (realloc (func $libc "realloc"))'
    return f"""
    (component
      (component $second
        {memory}
        (func (export "echo") (param "text" string) (result string)
          (canon lift (core func $libc "pair") {options} string-encoding={second})))
      (component $first
        (import "echo" (func $echo (param "text" string) (result string)))
        {memory}
        (core func $echo (canon lower (func $echo) {options} string-encoding={first}))
        (core module $m
          (import "libc" "memory" (memory 1))
          (import "host" "echo" (func $echo (param i32 i32 i32)))
          (func (export "run") (param i32 i32) (result i32)
            (call $echo (local.get 0) (local.get 1) (i32.const 48))
            (i32.const 48)))
        (core instance $i (instantiate $m
          (with "libc" (instance $libc)) (with "host" (instance (export "echo" (func $echo))))))
        (func (export "run") (param "text" string) (result string)
          (canon lift (core func $i "run") {options} string-encoding={first})))
      (instance $second (instantiate $second))
      (instance $first (instantiate $first (with "echo" (func $second "echo"))))
      (export "run" (func $first "run")))
    """


ENCODINGS = ("utf8", "utf16", "latin1+utf16")
TEXTS = (
    "",
    "ascii",
    "größe",
    "\u00ff" * 100,
    "\u0100",
    "漢字",
    "\U0001f980 crab",
    "\0",
    "a" * 10_000 + "\U0001f980",
    "é" * 10_000 + "漢",
)


@pytest.mark.parametrize("first", ENCODINGS)
@pytest.mark.parametrize("second", ENCODINGS)
def test_w15_text_survives_every_pair_of_encodings(
    engine: aw.Engine, first: str, second: str
) -> None:
    component = engine.load(echo_between(first, second))
    limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=5.0)
    for text in TEXTS:
        with component.instantiate(limits=limits) as instance:
            assert instance.call("run", text) == text


@pytest.mark.parametrize(
    ("encoding", "data", "pointer", "length"),
    [
        ("utf8", b"\xff\xff", 64, 2),
        ("utf8", b"\xc0\x80", 64, 2),
        ("utf8", b"\xed\xa0\x80", 64, 3),
        ("utf8", b"\xf4\x90\x80\x80", 64, 4),
        ("utf8", b"\xe6\xbc", 64, 2),
        ("utf8", b"", 65_535, 2),
        ("utf16", b"\x00\xd8", 64, 1),
        ("utf16", b"\x00\xdc", 64, 1),
        ("utf16", b"\x00\xdc\x00\xd8", 64, 2),
        ("utf16", b"ab", 65, 1),
        ("utf16", b"", 65_534, 2),
        ("utf16", b"", 64, 0x7FFF_FFFF),
        ("utf16", b"", 64, 0x8000_0000),
        ("latin1+utf16", b"\x00\xd8", 64, LATIN1_OR_UTF16_TAG | 1),
        ("latin1+utf16", b"ab", 65, LATIN1_OR_UTF16_TAG | 1),
        ("latin1+utf16", b"ab", 65, 2),
        ("latin1+utf16", b"", 65_534, LATIN1_OR_UTF16_TAG | 2),
        ("latin1+utf16", b"", 65_534, 4),
        ("latin1+utf16", b"", 64, 0xFFFF_FFFF),
    ],
)
def test_w15_malformed_text_from_a_guest_is_a_typed_trap(
    host: Host, encoding: str, data: bytes, pointer: int, length: int
) -> None:
    source = speaker(encoding, data, pointer, length)

    outcome = host.attack(source, expect=aw.Trapped, under=Under(LIMITS))

    assert outcome.kind in {"abi-violation", "memory-out-of-bounds"}


@pytest.mark.parametrize(
    ("encoding", "data", "length", "text"),
    [
        ("utf8", "größe".encode(), 7, "größe"),
        ("utf16", "漢\U0001f980".encode("utf-16-le"), 3, "漢\U0001f980"),
        ("latin1+utf16", "größe".encode("latin-1"), 5, "größe"),
        ("latin1+utf16", "漢".encode("utf-16-le"), LATIN1_OR_UTF16_TAG | 1, "漢"),
    ],
)
def test_w15_well_formed_text_of_each_encoding_arrives(
    engine: aw.Engine, encoding: str, data: bytes, length: int, text: str
) -> None:
    source = speaker(encoding, data, 64, length)
    with engine.load(source).instantiate(limits=LIMITS) as instance:
        assert instance.call("run") == text


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"])
def test_w15_lone_surrogates_are_refused_before_the_guest_runs(
    engine: aw.Engine, text: str
) -> None:
    limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=5.0)
    with engine.load(echo_between("utf16", "utf16")).instantiate(limits=limits) as instance:
        with pytest.raises(aw.ValueMismatch, match="text"):
            instance.call("run", text)

        assert not instance.closed
