"""A value that does not fit is refused with its path, and the guest does not run."""

from __future__ import annotations

import collections
import contextlib
import decimal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import airssys_wasm as aw

TYPES = "acme:echo/types#"
ADA = {"name": "Ada", "age": 36, "height-metres": 1.65, "nickname": None}
SQUARE = {"x": 0.0, "y": 1e39}
SURROGATE = r"lone surrogate"
FIELDS = "its fields are name, age, height-metres, nickname"


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in ADA.items() if name != key}


REFUSED: list[tuple[str, object, str, str]] = [
    # bool, numbers
    ("bool", 1, "value", "expected bool, got int 1"),
    ("bool", None, "value", "expected bool, got NoneType None"),
    ("f64", True, "value", "expected f64, got bool True"),
    ("f64", "1.0", "value", "expected f64, got str '1.0'"),
    ("f64", 10**400, "value", "does not fit f64"),
    ("f32", 3.5e38, "value", "3.5e+38 does not fit f32"),
    ("f32", -1e308, "value", "-1e+308 does not fit f32"),
    ("f32", 2**128, "value", "does not fit f32"),
    ("list-f32", [0.0, 1e39], "value[1]", "1e+39 does not fit f32"),
    # texts
    ("char", "", "value", "got 0 of them"),
    ("char", "ab", "value", "got 2 of them"),
    ("char", "e\u0301", "value", "got 2 of them"),
    ("char", "\udc80", "value", SURROGATE),
    ("char", 65, "value", "expected str, got int 65"),
    ("string", "a\ud800", "value", SURROGATE),
    ("string", b"text", "value", "expected str, got bytes b'text'"),
    ("string", None, "value", "expected str, got NoneType None"),
    ("list-string", ["", "\udfff"], "value[1]", SURROGATE),
    # lists
    ("list-u8", "text", "value", "expected bytes, got str 'text'"),
    ("list-u8", 3, "value", "expected bytes, got int 3"),
    ("list-u8", [1, -1], "value[1]", "-1 does not fit u8"),
    ("list-u8", [None], "value[0]", "expected u8, got NoneType None"),
    ("list-u32", {1, 2}, "value", "expected a list, got set"),
    ("list-u32", range(-1, 3), "value[0]", "-1 does not fit u32"),
    ("list-u32", range(2**40), "value", "1099511627776 items are more than"),
    ("list-u32", collections.deque([1, "2"]), "value[1]", "expected u32, got str '2'"),
    ("list-string", "text", "value", "expected a list, got str 'text'"),
    ("list-u32", iter(()), "value", "expected a list, got tuple_iterator"),
    ("list-u32", [1, True], "value[1]", "expected u32, got bool True"),
    ("list-bool", [True, 0], "value[1]", "expected bool, got int 0"),
    ("list-list", [[1], [2, "3"]], "value[1][1]", "expected u32, got str '3'"),
    ("list-bytes", [b"", "x"], "value[1]", "expected bytes, got str 'x'"),
    # tuples
    ("tuple", (1, "two"), "value", "expected a tuple of 3 items, got 2"),
    ("tuple", (1, "two", 3.0, 4), "value", "expected a tuple of 3 items, got 4"),
    ("tuple", (1, "two", "three"), "value[2]", "expected f64, got str 'three'"),
    ("tuple", {"a": 1, "b": 2, "c": 3}, "value", "expected a tuple, got dict"),
    ("map", [("a", 1), ("b", -1)], "value[1][1]", "-1 does not fit u64"),
    ("map", {"a": 1}, "value", "expected a list, got dict"),
    # records
    ("record", without("age"), "value.age", "the field is missing"),
    ("record", {}, "value.name", "the field is missing"),
    ("record", {**ADA, "extra": 1}, "value", f"no field extra; hint: {FIELDS}"),
    ("record", dict[object, object]({**ADA}) | {7: 1}, "value", f"no field 7; hint: {FIELDS}"),
    ("record", {**ADA, "height_metres": 1.7}, "value", "height-metres is given twice"),
    ("record", [("name", "Ada")], "value", "expected a dict or dataclass, got list"),
    ("record", None, "value", "expected a dict or dataclass, got NoneType None"),
    ("record", {**ADA, "age": 256}, "value.age", "256 does not fit u8"),
    ("record", {**ADA, "nickname": 5}, "value.nickname", "expected str, got int 5"),
    ("list-record", [ADA, ADA, ADA, {**ADA, "age": -1}], "value[3].age", "-1 does not fit u8"),
    # variants, enums, flags
    ("variant", aw.Variant("square"), "value", 'no case "square"; hint: its cases are empty'),
    ("variant", aw.Variant("circle"), "value.circle", "expected f64, got NoneType None"),
    ("variant", aw.Variant("empty", 1), "value", 'case "empty" carries no value'),
    ("variant", "circle", "value", 'hint: aw.Variant("circle", value)'),
    ("variant", "\ud800", "value", "no case"),
    ("variant", ("circle", 1.0), "value", "expected aw.Variant, got tuple"),
    ("variant", aw.Variant("polygon", [SQUARE]), "value.polygon[0].y", "does not fit f32"),
    ("enum", "blue", "value", '"blue" is none of red, green, deep-blue'),
    ("enum", "deep_blue", "value", '"deep_blue" is none of'),
    ("enum", 0, "value", "expected str, got int 0"),
    ("flags", {"fly"}, "value", '"fly" is none of read, write, execute, change-owner'),
    ("flags", {1}, "value", "expected str, got int 1"),
    ("flags", ["read"], "value", "expected a set of str, got list"),
    ("flags", "read", "value", "expected a set of str, got str 'read'"),
    # options and results
    ("option", "x", "value", "expected u32, got str 'x'"),
    ("option", aw.Variant("some", 1), "value", "expected u32, got Variant"),
    ("list-option", [None, 65536], "value[1]", "65536 does not fit u16"),
    ("option-option", 5, "value", "expected str, got int 5"),
    ("result-value", (7,), "value[0]", 'expected aw.Variant("ok", value)'),
    ("result-value", (aw.Variant("maybe"),), "value[0]", 'aw.Variant("err", value)'),
    ("result-value", (aw.Variant("ok", "x"),), "value[0].ok", "expected u32, got str 'x'"),
    ("result-value", (aw.Variant("err", 1),), "value[0].err", "expected str, got int 1"),
]


@pytest.mark.parametrize(("function", "value", "path", "why"), REFUSED)
def test_it_is_refused_with_its_path_before_the_guest_runs(
    echoing: aw.Instance, function: str, value: object, path: str, why: str
) -> None:
    echoing.call("acme:echo/api#nothing")
    calls, receipt = echoing.call("acme:echo/api#calls"), echoing.receipt
    with pytest.raises(aw.ValueMismatch) as caught:
        echoing.call(f"{TYPES}echo-{function}", value)

    assert caught.value.path == path
    assert str(caught.value).startswith(f"arg '{path}': ")
    assert why in str(caught.value)
    assert echoing.receipt == receipt
    assert echoing.call("acme:echo/api#calls") == calls


@pytest.mark.parametrize("given_count", [0, 1, 3, 20])
def test_a_wrong_number_of_arguments_is_told_with_the_right_one(
    echoing: aw.Instance, given_count: int
) -> None:
    with pytest.raises(aw.ValueMismatch) as caught:
        echoing.call("acme:echo/api#add", *range(given_count))

    assert str(caught.value) == (
        f"acme:echo/api#add takes 2 arguments (left: s32, right: s32), got {given_count}"
    )


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters()),
        st.binary(),
        st.decimals(),
        st.builds(object),
        st.sampled_from([aw.Variant("circle", 1.0), aw.Variant("ok", None), "red", "empty"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from([*ADA, "x", "y"]) | st.integers(), inner, max_size=5),
        st.builds(aw.Variant, st.text(max_size=5), inner),
    ),
    max_leaves=8,
)


@given(st.data())
def test_anything_at_all_is_taken_or_refused_and_harms_nobody(
    echoing: aw.Instance, echo: aw.Component, data: st.DataObject
) -> None:
    functions = [
        f"acme:echo/types#{name}"
        for name, function in echo.exports["acme:echo/types@1.0.0"].items()
        if len(function.params) == 1
    ]
    function = data.draw(st.sampled_from(functions))
    value = data.draw(ANYTHING)
    with contextlib.suppress(aw.ValueMismatch):
        echoing.call(function, value)

    assert echoing.call("add", 20, 22) == 42


class Hostile:
    """An object whose every question fails."""

    def __init__(self, failure: type[BaseException]) -> None:
        self.failure = failure

    def __repr__(self) -> str:
        raise self.failure

    def __index__(self) -> int:
        raise self.failure

    def __float__(self) -> float:
        raise self.failure

    def __len__(self) -> int:
        raise self.failure

    def __iter__(self) -> Iterator[Any]:
        raise self.failure

    def __getattr__(self, name: str) -> Any:
        raise self.failure


@pytest.mark.parametrize("function", ["bool", "u8", "f64", "string", "list-u8", "record", "flags"])
def test_an_object_that_fails_itself_is_refused(echoing: aw.Instance, function: str) -> None:
    with pytest.raises(aw.ValueMismatch, match="arg 'value'"):
        echoing.call(f"{TYPES}echo-{function}", Hostile(ValueError))


def test_a_value_that_changes_while_it_is_read_is_safe(echoing: aw.Instance) -> None:
    class Shrinking:
        def __init__(self, victim: list[Any]) -> None:
            self.victim = victim

        def __index__(self) -> int:
            self.victim.clear()
            return 1

    victim: list[Any] = [0, 0, 0, 0, 0]
    victim[1] = Shrinking(victim)

    assert echoing.call(f"{TYPES}echo-list-u32", victim) == [0, 1]


def test_a_list_that_holds_itself_is_refused(echoing: aw.Instance) -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(aw.ValueMismatch, match=r"arg 'value\[0\]\[0\]'"):
        echoing.call(f"{TYPES}echo-list-list", ring)


def test_numbers_of_other_libraries_count_as_floats(echoing: aw.Instance) -> None:
    assert echoing.call(f"{TYPES}echo-f64", decimal.Decimal("1.5")) == 1.5


def test_the_other_spelling_of_a_field_is_taken(echoing: aw.Instance) -> None:
    spelled = {**without("height-metres"), "height_metres": 1.65}

    assert echoing.call(f"{TYPES}echo-record", spelled) == ADA
