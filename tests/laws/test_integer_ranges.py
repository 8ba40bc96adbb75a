"""An integer fits its type or is refused: nothing wraps, on any way in."""

from __future__ import annotations

import enum
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import airssys_wasm as aw

TYPES = "acme:echo/types#"
RANGES = {
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    **{f"s{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
BOUNDARIES = [
    (name, value, low <= value <= high)
    for name, (low, high) in RANGES.items()
    for bound in (low, high, 0)
    for value in sorted({bound - 1, bound, bound + 1})
]


class Index:
    """An integer of another library, as numpy's are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.mark.parametrize(("name", "value", "fits"), BOUNDARIES)
def test_every_boundary_and_its_neighbours(
    echoing: aw.Instance, name: str, value: int, *, fits: bool
) -> None:
    calls = {
        f"echo-{name}": (value, "value"),
        f"echo-list-{name}": ([0, value], "value[1]"),
    }
    for function, (argument, path) in calls.items():
        if fits:
            back = echoing.call(TYPES + function, argument)
            assert list(back) == argument if isinstance(argument, list) else back == argument
        else:
            with pytest.raises(aw.ValueMismatch) as caught:
                echoing.call(TYPES + function, argument)
            assert str(caught.value) == f"arg '{path}': {value} does not fit {name}"


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("wrap", [Index, type("Sub", (int,), {}), lambda value: value])
def test_other_kinds_of_int_have_the_same_range(echoing: aw.Instance, name: str, wrap: Any) -> None:
    low, high = RANGES[name]

    @given(st.integers(2 * low - 2, 2 * high + 2))
    def law(value: int) -> None:
        try:
            back = echoing.call(f"{TYPES}echo-{name}", wrap(value))
        except aw.ValueMismatch:
            assert not low <= value <= high
        else:
            assert back == value
            assert type(back) is int

    law()


class Level(enum.IntEnum):
    HIGH = 200


def test_an_int_enum_is_its_number(echoing: aw.Instance) -> None:
    assert echoing.call(f"{TYPES}echo-u8", Level.HIGH) == 200


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", [True, 1.0, 1 + 0j, "1", b"1", None, [1], object()])
def test_what_is_no_int_is_refused(echoing: aw.Instance, name: str, value: object) -> None:
    with pytest.raises(aw.ValueMismatch, match=rf"^arg 'value': expected {name}, got "):
        echoing.call(f"{TYPES}echo-{name}", value)


@pytest.mark.parametrize("digits", [100, 5_000, 100_000])
def test_a_huge_int_is_refused_however_long_it_is(echoing: aw.Instance, digits: int) -> None:
    # Python refuses to print an int of more than 4300 digits.
    with pytest.raises(aw.ValueMismatch, match="does not fit u64"):
        echoing.call(f"{TYPES}echo-u64", operator.pow(10, digits))
