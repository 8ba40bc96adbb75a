"""Bytes that are no component: cut off, changed, or something else altogether."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.hostile.attack import Host

import airssys_wasm as aw

PREBUILT = sorted((Path(__file__).parents[1] / "components" / "prebuilt").glob("*.wasm"))
SEED = 20_260_214
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


def assert_told_well(error: aw.ComponentInvalid) -> None:
    assert str(error).startswith("damaged: ")
    assert all(line.isprintable() for line in str(error).split("\n"))


def refused_or_valid(host: Host, binary: bytes) -> str:
    """Load ``binary``; whatever it is, there is a component or a typed error."""
    try:
        host.engine.load(binary, name="damaged")
    except aw.ComponentInvalid as error:
        assert_told_well(error)
        return "invalid"
    except aw.CompileRefused:
        return "refused"
    return "valid"


def test_w14_there_are_components_to_damage() -> None:
    assert len(PREBUILT) >= 4


@pytest.mark.parametrize("path", PREBUILT, ids=lambda path: path.stem)
def test_w14_a_component_cut_off_anywhere_is_refused(host: Host, path: Path) -> None:
    whole = path.read_bytes()
    random_cuts = random.Random(SEED).sample(range(len(whole)), 60)  # noqa: S311 - no secret
    cuts = sorted({*range(64), *random_cuts, len(whole) - 1})

    ended = [refused_or_valid(host, whole[:cut]) for cut in cuts]

    # A component that ends exactly behind a section is one; hardly any cut does that.
    assert ended.count("invalid") >= len(cuts) - 8
    host.assert_unharmed()


@pytest.mark.parametrize("path", PREBUILT, ids=lambda path: path.stem)
def test_w14_a_component_with_changed_bytes_is_refused_or_valid(host: Host, path: Path) -> None:
    flips(host, path, 60)


@pytest.mark.soak
# Ten thousand compilations take minutes of a core; some guests are large.
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("path", PREBUILT, ids=lambda path: path.stem)
def test_w14_a_component_with_changed_bytes_is_refused_or_valid_ten_thousand_times(
    host: Host, path: Path
) -> None:
    flips(host, path, 10_000)


def flips(host: Host, path: Path, times: int) -> None:
    whole = path.read_bytes()
    chance = random.Random(SEED)  # noqa: S311 - replayable, no secret
    ended = []
    for _ in range(times):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        ended.append(refused_or_valid(host, bytes(damaged)))

    assert "invalid" in ended
    host.assert_unharmed()


@pytest.mark.parametrize(
    "binary",
    [
        b"",
        b"\0",
        b"\0asm",
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01",
        b"\0asm\x0d\0\x02\0",
        b"\0asm\xff\xff\xff\xff",
        b"\0asm\x0d\0\x01\0\xff",
        b"\0asm\x0d\0\x01\0\x01\xff\xff\xff\xff\x0f",
        ELF,
        b"PK\x03\x04" + bytes(100),
        b"#!/bin/sh\nexit 0\n",
        b"(",
        b"(component",
        b"(component)" * 2,
        b"(component \xff)",
        b"(module)",
        b'(component (core module binary "\\00asm"))',
        "(component \ud800)".encode("utf-8", "surrogatepass"),
    ],
    ids=repr,
)
def test_w14_what_is_no_component_is_refused_with_a_reason(host: Host, binary: bytes) -> None:
    error = host.attack(binary, expect=aw.ComponentInvalid).error

    assert len(str(error)) > len("attacker: ")


@pytest.mark.parametrize("size", [1, 100, 10_000, 1_000_000])
def test_w14_random_bytes_are_refused(host: Host, size: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 - replayable, no secret
    for header in (b"", b"\0asm\x0d\0\x01\0"):
        host.attack(header + chance.randbytes(size), expect=aw.ComponentInvalid)


def test_w14_names_in_an_error_drive_nobodys_terminal(host: Host) -> None:
    source = """(component (core module $m (import "\\1b[2Jgone" "\\u{202e}x" (func)))
      (core instance (instantiate $m)))"""

    error = host.attack(source, expect=aw.ComponentInvalid).error

    assert "gone" in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("path", PREBUILT, ids=lambda path: path.stem)
def test_w14_describing_a_damaged_component_never_breaks_the_host(host: Host, path: Path) -> None:
    whole = path.read_bytes()
    chance = random.Random(SEED + 1)  # noqa: S311 - replayable, no secret
    described = 0
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            component = host.engine.load(bytes(damaged))
            _ = (component.imports, component.exports, component.wit)
            described += 1
        except aw.AirssysError:
            continue

    assert described > 0, "some flips change nothing that matters"
    host.assert_unharmed()
