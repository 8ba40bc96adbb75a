"""Any value of any type comes back from a guest as it went in."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import airssys_wasm as aw

TYPES = "acme:echo/types#"
BITS = (8, 16, 32, 64)


def narrowed(value: float) -> float:
    """The nearest f32, as a Python float."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CHAR = st.characters(exclude_categories=["Cs"])
F32 = st.floats(width=32)
F64 = st.floats()
PERSON = st.fixed_dictionaries(
    {
        "name": TEXT,
        "age": unsigned(8),
        "height-metres": F64,
        "nickname": st.none() | TEXT,
    }
)
POINT = st.fixed_dictionaries({"x": F32, "y": F32})
SHAPE = st.one_of(
    st.just(aw.Variant("empty")),
    F64.map(lambda radius: aw.Variant("circle", radius)),
    st.lists(POINT).map(lambda points: aw.Variant("polygon", points)),
    TEXT.map(lambda label: aw.Variant("label", label)),
)
PERMISSIONS = st.frozensets(st.sampled_from(["read", "write", "execute", "change-owner"]))
MANY = st.frozensets(st.sampled_from([f"f{index:02}" for index in range(32)]))
RESULT = st.one_of(
    unsigned(32).map(lambda value: aw.Variant("ok", value)),
    TEXT.map(lambda value: aw.Variant("err", value)),
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    **{f"u{bits}": unsigned(bits) for bits in BITS},
    **{f"s{bits}": signed(bits) for bits in BITS},
    "f32": F32,
    "f64": F64,
    "char": CHAR,
    "string": TEXT,
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    **SCALARS,
    **{f"list-{name}": st.lists(values) for name, values in SCALARS.items() if name != "u8"},
    "list-u8": st.binary(),
    "list-list": st.lists(st.lists(unsigned(32))),
    "list-bytes": st.lists(st.binary()),
    "tuple": st.tuples(unsigned(8), TEXT, F64),
    "record": PERSON,
    "list-record": st.lists(PERSON, max_size=5),
    "list-point": st.lists(POINT),
    "variant": SHAPE,
    "enum": st.sampled_from(["red", "green", "deep-blue"]),
    "flags": PERMISSIONS,
    "many": MANY,
    "option": st.none() | unsigned(32),
    "option-option": st.one_of(
        st.none(),
        st.just(aw.Variant("some", None)),
        TEXT.map(lambda text: aw.Variant("some", text)),
    ),
    "list-option": st.lists(st.none() | unsigned(16)),
    "result-value": st.tuples(RESULT),
    "map": st.lists(st.tuples(TEXT, unsigned(64))),
}


def same(left: object, right: object) -> bool:
    """Equal, of the same types throughout, NaN like NaN, and 0.0 not like -0.0."""
    if type(left) is not type(right):
        return False
    match left, right:
        case float(), float():
            if math.isnan(left) or math.isnan(right):
                return math.isnan(left) and math.isnan(right)
            return left == right and math.copysign(1, left) == math.copysign(1, right)
        case ((list() | tuple()), (list() | tuple())):
            return len(left) == len(right) and all(map(same, left, right))
        case dict(), dict():
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        case aw.Variant(), aw.Variant():
            return left.case == right.case and same(left.value, right.value)
    return left == right


def test_every_type_of_the_interface_is_covered(echo: aw.Component) -> None:
    functions = echo.exports["acme:echo/types@1.0.0"]

    assert {f"echo-{name}" for name in VALUES} | {"many-parameters"} == set(functions)


@pytest.mark.parametrize("name", VALUES)
def test_any_value_comes_back_as_it_went_in(echoing: aw.Instance, name: str) -> None:
    @given(VALUES[name])
    def law(value: Any) -> None:
        back = echoing.call(f"{TYPES}echo-{name}", value)
        assert same(back, value), (value, back)

    law()


@given(st.floats())
def test_an_f32_is_the_nearest_or_refused(echoing: aw.Instance, value: float) -> None:
    try:
        nearest = narrowed(value)
    except OverflowError:
        with pytest.raises(aw.ValueMismatch, match=r"arg 'value': .* does not fit f32"):
            echoing.call(f"{TYPES}echo-f32", value)
    else:
        assert same(echoing.call(f"{TYPES}echo-f32", value), nearest)


@given(st.integers())
def test_an_int_is_a_float_if_python_can_make_it_one(echoing: aw.Instance, value: int) -> None:
    try:
        wanted = float(value)
    except OverflowError:
        with pytest.raises(aw.ValueMismatch, match="does not fit f64"):
            echoing.call(f"{TYPES}echo-f64", value)
    else:
        assert echoing.call(f"{TYPES}echo-f64", value) == wanted


@given(TEXT)
def test_a_string_of_one_lane_and_of_the_other_agree(echoing: aw.Instance, text: str) -> None:
    lane = echoing.call("acme:echo/api#echo-string", text)
    many = echoing.call(f"{TYPES}echo-list-string", [text])

    assert [lane] == many == [text]


@given(
    st.tuples(
        unsigned(8), signed(8), unsigned(16), signed(16), unsigned(32), signed(32),
        unsigned(64), signed(64), F32, F64, CHAR, st.booleans(), TEXT, st.binary(),
        st.none() | unsigned(32), st.sampled_from(["red", "green", "deep-blue"]),
    )
)  # fmt: skip
def test_many_parameters_all_arrive(echoing: aw.Instance, values: tuple[Any, ...]) -> None:
    told = echoing.call(f"{TYPES}many-parameters", *values)

    char, flag, text, data, number, colour = values[10:]
    number = "None" if number is None else f"Some({number})"
    colour = {"red": "Red", "green": "Green", "deep-blue": "DeepBlue"}[colour]
    ending = f" {char} {str(flag).lower()} {text} {list(data)} {number} Colour::{colour}"
    assert told.startswith(" ".join(map(str, values[:8])) + " ")
    assert told.endswith(ending)


@given(st.lists(signed(64)))
def test_a_guests_numbers_wrap_as_its_own_arithmetic_does(
    echoing: aw.Instance, values: list[int]
) -> None:
    for left, right in itertools.pairwise(values):
        total = (left + right + 2**63) % 2**64 - 2**63
        assert echoing.call("acme:echo/api#add64", left, right) == total


@given(st.binary(max_size=300_000))
def test_bytes_of_any_size_come_back(echoing: aw.Instance, data: bytes) -> None:
    assert echoing.call("acme:echo/api#echo-bytes", data) == data
    assert echoing.receipt.bytes_out == len(data)
