"""``airssys_cbor``, which guests in Python read and write CBOR with, against the host's codec."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source_files import load_source

import airssys_wasm as aw
from airssys_wasm.sdk.scripting import GUEST_MODULES

VECTORS = Path(__file__).parents[2] / "vectors"
NUMBERS = st.integers(-(2**64), 2**64 - 1)
LEAVES = st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


cbor: Any = load_source(GUEST_MODULES / "airssys_cbor.py")


@given(VALUES)
def test_what_the_guest_writes_the_host_reads(value: object) -> None:
    assert aw.codec.decode_body(aw.codec.CBOR, cbor.dumps(value)) == value


@given(VALUES)
def test_what_the_host_writes_the_guest_reads(value: object) -> None:
    assert cbor.loads(aw.codec.encode_body(aw.codec.CBOR, value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cbor.loads(data)
    except ValueError:
        return


@given(VALUES, st.data())
def test_a_message_that_is_cut_is_refused(value: object, data: st.DataObject) -> None:
    whole = cbor.dumps(value)
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"."):
        cbor.loads(whole[:end])


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("7f657374726561646d696e67ff", "streaming"),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("c11a514b67b0", 1363896240),
        ("f7", None),
    ],
)
def test_forms_of_the_standard_are_read(data: str, value: object) -> None:
    """RFC 8949, appendix A."""
    assert cbor.loads(bytes.fromhex(data)) == value


def test_what_is_not_well_formed_is_refused() -> None:
    listed = json.loads((VECTORS / "cbor-not-well-formed.json").read_text(encoding="utf-8"))
    taken = []
    for row in listed["rows"]:
        data = bytes.fromhex(row["hex"])
        try:
            taken.append((data, cbor.loads(data)))
        except ValueError:
            continue

    assert taken == []


def test_not_a_number_stays_one() -> None:
    assert math.isnan(cbor.loads(cbor.dumps(math.nan)))


def test_depth_and_lengths_take_nothing() -> None:
    for data in (b"\x81" * 100_000, b"\xc1" * 100_000, bytes.fromhex("9b7fffffffffffffff")):
        with pytest.raises(ValueError, match=r"deeper|early"):
            cbor.loads(data)


@pytest.mark.parametrize("value", [object(), {1, 2}, 2**64, -(2**64) - 1])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        cbor.dumps(value)
