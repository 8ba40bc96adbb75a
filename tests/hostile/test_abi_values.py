"""The canonical ABI: strings, lists and values that a guest forges."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.attack import Host, Under
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import forger, teller

import airssys_wasm as aw

GIB = 1 << 30


# What the host is given: pointer and length, and what they claim to be.
@pytest.mark.parametrize(
    ("kind", "pointer", "length"),
    [
        ("string", 0, GIB),
        ("string", 65_535, 2),
        ("string", 0xFFFF_FFFF, 1),
        ("string", 0xFFFF_FFFF, 0xFFFF_FFFF),
        ("(list u8)", 0, GIB),
        ("(list u8)", 8, 0xFFFF_FFFF),
        ("(list u64)", 0, 0x2000_0001),
        ("(list u64)", 4, 1),
        ("(list string)", 0, 10_000_000),
        ("(list (tuple u64 u64))", 0, 0x1000_0001),
    ],
)
def test_w07_lengths_that_reach_past_the_memory_are_typed_traps(
    host: Host, kind: str, pointer: int, length: int
) -> None:
    for source, under in (
        (forger(kind, pointer, length), Under()),
        (teller(kind, pointer, length), Under(imports={"tell": lambda _: None})),
    ):
        outcome = host.attack(source, expect=aw.Trapped, under=under)
        assert outcome.kind in {"abi-violation", "memory-out-of-bounds"}


@pytest.mark.parametrize("kind", ["(list string)", "(list (list u8))"])
def test_w07_one_slice_told_a_million_times_does_not_multiply(host: Host, kind: str) -> None:
    # Every element points at the same 60 000 bytes: a few megabytes of the guest
    # would be tens of gigabytes of the host.
    source = forger(kind, 65_536, 50_000, memory_pages=16, repeated=(64, 60_000))

    outcome = host.attack(source, expect=aw.OutOfMemory)

    assert outcome.kind == "host-buffers"
    assert outcome.seconds < 1.0


def test_w07_a_host_function_is_not_called_with_more_than_the_host_bears(host: Host) -> None:
    called = False

    def tell(_: object) -> None:
        nonlocal called
        called = True

    source = teller("(list string)", 65_536, 50_000, memory_pages=16, repeated=(0, 60_000))
    outcome = host.attack(source, expect=aw.OutOfMemory, under=Under(imports={"tell": tell}))

    assert outcome.kind == "host-buffers"
    assert not called


#: So large that what the process takes anyway does not matter; no more may cross.
ANSWER_LIMIT_BYTES = 64 * aw.MIB
#: The guest's own memory, the values as they cross and the objects made of them.
HOST_BYTES_PER_LIMIT_BYTE = 8
FIELDS = " ".join(f'(field "f{number}" u8)' for number in range(8))
FLAGS = " ".join(f'"{first}{second}"' for first in "abcd" for second in "abcdefgh")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize(
    "kind",
    [
        "string",
        "wide string",
        "(list u8)",
        "(list string)",
        "(list (list u8))",
        "(list (tuple u8))",
        "(list (option u8))",
        "(list bool)",
        "(list u64)",
        'record (field "a" u8)',
        f"record {FIELDS}",
        'record (field "a" string)',
        'variant (case "a" u8) (case "b")',
        'enum "a" "b"',
        f"flags {FLAGS}",
        'flags "a"',
    ],
)
def test_w07_what_the_host_holds_for_a_guest_is_bounded(kind: str) -> None:
    """The Python objects of one answer count too, which nothing but the answer bounds."""
    found = in_fresh_process(
        "largest_answer",
        kind=kind.removeprefix("wide "),
        memory_bytes_max=ANSWER_LIMIT_BYTES,
        wide=kind.startswith("wide "),
    )

    assert found["answered"] >= 1000, "some length was accepted"
    # Less than the limit would mean that the guest never filled its own memory.
    assert 1.0 <= found["peak_growth"] / ANSWER_LIMIT_BYTES <= HOST_BYTES_PER_LIMIT_BYTE


@pytest.mark.parametrize(
    ("kind", "core", "value"),
    [
        ("char", "i32", 0xD800),
        ("char", "i32", 0x11_0000),
        ("char", "i32", 0xFFFF_FFFF),
    ],
)
def test_w16_forged_scalars_are_typed_traps(host: Host, kind: str, core: str, value: int) -> None:
    source = f"""
    (component
      (core module $m (func (export "run") (result {core}) ({core}.const {value})))
      (core instance $i (instantiate $m))
      (func (export "run") (result {kind}) (canon lift (core func $i "run"))))
    """

    assert host.attack(source, expect=aw.Trapped).kind == "abi-violation"


@pytest.mark.parametrize(
    "definition",
    ['enum "a" "b"', 'variant (case "a") (case "b")', "option u32", "result u32 (error u8)"],
)
@pytest.mark.parametrize("discriminant", [2, 255, 0xFFFF_FFFF])
def test_w16_discriminants_that_mean_nothing_are_typed_traps(
    host: Host, definition: str, discriminant: int
) -> None:
    payload = definition.startswith(("option", "result"))
    named = definition.startswith(("enum", "variant"))
    results = '(memory (export "memory") 1) (func (export "run") (result i32)'
    core = (
        f"{results} (i32.store8 (i32.const 64) (i32.const {discriminant & 0xFF})) (i32.const 64))"
        if payload
        else f'(func (export "run") (result i32) (i32.const {discriminant}))'
    )
    memory = '(memory $i "memory")' if payload else ""
    kind = f"(type $t' ({definition})) (export $t \"t\" (type $t'))" if named else ""
    source = f"""
    (component
      {kind}
      (core module $m {core})
      (core instance $i (instantiate $m))
      (func (export "run") (result {"$t" if named else f"({definition})"})
        (canon lift (core func $i "run") {memory})))
    """

    assert host.attack(source, expect=aw.Trapped).kind == "abi-violation"


@pytest.mark.parametrize("pointer", [1, 2, 3, 65_533])
def test_w16_a_misaligned_return_pointer_is_a_typed_trap(host: Host, pointer: int) -> None:
    source = f"""
    (component
      (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.const {pointer})))
      (core instance $i (instantiate $m))
      (func (export "run") (result string)
        (canon lift (core func $i "run") (memory $i "memory"))))
    """

    assert host.attack(source, expect=aw.Trapped).kind == "abi-violation"


@pytest.mark.parametrize("answer", [0xFFFF_FFFF, 65_536, 65_535, 0x8000_0000])
def test_w16_a_realloc_that_points_outside_is_a_typed_trap(host: Host, answer: int) -> None:
    source = f"""
    (component
      (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {answer}))
        (func (export "run") (param i32 i32)))
      (core instance $i (instantiate $m))
      (func (export "run") (param "text" string)
        (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))
    """

    host.attack(source, "some text", expect=aw.Trapped)


def test_w16_more_flags_than_a_word_holds_are_refused(host: Host) -> None:
    names = " ".join(f'"f{n}"' for n in range(33))
    source = f'(component (type $t (flags {names})) (export "t" (type $t)))'

    host.attack(source, expect=aw.ComponentInvalid)


def test_w16_flag_bits_that_mean_nothing_are_dropped_or_refused(engine: aw.Engine) -> None:
    source = """
    (component
      (type $t' (flags "a" "b")) (export $t "t" (type $t'))
      (core module $m (func (export "run") (result i32) (i32.const 0xfffffffe)))
      (core instance $i (instantiate $m))
      (func (export "run") (result $t) (canon lift (core func $i "run"))))
    """
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with engine.load(source).instantiate(limits=limits) as instance:
        assert instance.call("run") == frozenset({"b"})
