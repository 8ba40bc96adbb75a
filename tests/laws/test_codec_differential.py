"""Damaged messages are read as others read them, or by neither.

Where we differ is listed in docs/codecs.md; each difference has its line here.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from airssys_wasm import CodecError, codec

MESSAGES = 60_000

SEEDS: list[Any] = [
    {"id": 12345, "name": "Ada", "ok": True, "score": 98.6, "tags": ["a", "é", ""], "no": None},
    [0, 23, 24, 255, 256, 65536, -1, -24, -25, -256, 2**63, -(2**64)],
    {"a": {"b": {"c": [[], {}, [[]], {"d": [1.5, -0.0, 1e300]}]}}},
    'text " \\ \n \u2028 😀',
    [10**20, -(10**25), 0.1, 5e-324, 1.7976931348623157e308],
    {str(index): index for index in range(30)},
]
#: Bytes that mean something in one grammar or the other.
SPICE = [*b'"\\{}[],:0e.-+ntfu', 0x00, 0x1F, 0x7F, 0xC2, 0xD9, 0xF7, 0xF9, 0xFB, 0xFF, 0x9F, 0xBF]

#: What we refuse and cbor2 reads. Nothing is the other way round.
STRICTER_THAN_CBOR2 = (
    r"tag \d+ has no form in Python",  # dates, decimals, sets, shared values, …
    r"undefined has no form",
    r"simple value \d+ has no form",
    r"a key stands twice",
    r"a map as a key has no form",
    r"stand behind the value",
    r"a big integer is a byte string",
    r"the text is not valid UTF-8",  # a chunk that ends inside a character
)
#: What we refuse and json reads.
STRICTER_THAN_JSON = (
    r"NaN and Infinity are no JSON",
    r"no value starts like this",  # -Infinity
    r"a digit must stand here",  # -Infinity
    r"a key stands twice",
    r"half of a surrogate pair",
    r"a number past what a float holds",
)


def damaged(body: bytes, random: random.Random) -> bytes:
    """Return the body with one to three bytes changed, taken out, put in or moved."""
    found = bytearray(body)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(found) + 1)
        match random.randrange(5):
            case 0:
                found[at : at + 1] = [random.choice(SPICE)]
            case 1:
                found[at:at] = [random.choice(SPICE)]
            case 2:
                del found[at : at + random.randint(1, 4)]
            case 3 if at < len(found):
                found[at] ^= 1 << random.randrange(8)
            case _:
                piece = found[at : at + random.randint(1, 12)]
                other = random.randrange(len(found) + 1)
                found[other:other] = piece
    return bytes(found)


def compare(
    number: int,
    theirs: Callable[[bytes], Any],
    errors: Any,
    stricter: tuple[str, ...],
    bodies: list[bytes],
) -> dict[str, int]:
    chance = random.Random(number)  # noqa: S311 - damage, not a secret
    allowed = re.compile("|".join(stricter))
    counted = {"equal": 0, "both refuse": 0, "stricter": 0}
    for _ in range(MESSAGES):
        body = damaged(chance.choice(bodies), chance)
        try:
            expected = theirs(body)
        except errors:
            expected = errors
        try:
            found = codec.decode_body(number, body)
        except CodecError as refused:
            if expected is errors:
                counted["both refuse"] += 1
                continue
            if not allowed.search(str(refused)):
                pytest.fail(f"{body!r}: {expected!r}, {refused}")
            counted["stricter"] += 1
            continue
        assert expected is not errors, (body, found)
        assert repr(found) == repr(expected), body
        codec.check(codec.join(number, body))
        counted["equal"] += 1
    return counted


def test_damaged_cbor_is_read_as_cbor2_reads_it() -> None:
    bodies = [cbor2.dumps(seed) for seed in SEEDS] + [
        cbor2.dumps([b"bytes", {(1, "x"): 1.5, None: float("inf")}, 2**70]),
        cbor2.dumps(SEEDS[0], indefinite_containers=True),
        bytes.fromhex("9f7f6161626262ff5f4101ff82f93c00fa47c35000ff"),
    ]

    counted = compare(codec.CBOR, cbor2.loads, Exception, STRICTER_THAN_CBOR2, bodies)

    assert min(counted.values()) > MESSAGES // 100, counted


def test_damaged_json_is_read_as_json_reads_it() -> None:
    bodies = [
        json.dumps(seed, ensure_ascii=half).encode() for seed in SEEDS for half in (True, False)
    ]
    bodies += [b'[NaN, -Infinity, "\\ud83d\\ude00\\u00e9", 1e308, 1E+2, 0.5e-3, -0]']

    def theirs(body: bytes) -> Any:
        return json.loads(body.decode())

    counted = compare(codec.JSON, theirs, ValueError, STRICTER_THAN_JSON, bodies)

    assert min(counted.values()) > MESSAGES // 1000, counted
