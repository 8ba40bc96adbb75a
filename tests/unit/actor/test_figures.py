"""Figures that no event loop can add to its clock are refused where they are said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from airssys_wasm.actor import Backoff, Child, Group, Health, Hooks
from airssys_wasm.errors import ChildInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

HUGE = [
    pytest.param(10**400, id="no-float"),
    pytest.param(-(10**400), id="no-float-below"),
    1e300,
    math.inf,
    math.nan,
    1_000_000_001,
]
TIMES: list[tuple[str, Callable[..., object]]] = [
    ("shutdown", lambda **given: Child("acme/one", "source", **given)),
    ("within", lambda **given: Child("acme/one", "source", **given)),
    ("handler_seconds_max", lambda **given: Child("acme/one", "source", **given)),
    ("within", Group),
    ("first_seconds", Backoff),
    ("max_seconds", Backoff),
    ("factor", Backoff),
    ("quiet_seconds", Backoff),
    ("interval_seconds", Health),
    ("timeout_seconds", Health),
    ("seconds_max", Hooks),
]


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize(("figure", "make"), TIMES)
def test_one_that_is_too_large_is_refused(
    figure: str, make: Callable[..., object], huge: float
) -> None:
    with pytest.raises(ChildInvalid, match=rf"{figure}: .*hint: ") as caught:
        make(**{figure: huge})
    assert len(str(caught.value)) < 300
    make(**{figure: 1e9} | ({"max_seconds": 1e9} if figure == "first_seconds" else {}))


@pytest.mark.parametrize("huge", [pytest.param(10**400, id="no-float"), 1e300, 1e10])
def test_a_start_may_last_for_ever_but_not_for_too_long(huge: float) -> None:
    with pytest.raises(ChildInvalid, match="start_seconds_max"):
        Child("acme/one", "source", start_seconds_max=huge)
    Child("acme/one", "source", start_seconds_max=math.inf)


@pytest.mark.parametrize("wrong", [2**32, pytest.param(10**400, id="long"), -1, 1.0, True])
def test_components_can_be_told_how_many_restarts_there_are(wrong: Any) -> None:
    with pytest.raises(ChildInvalid, match="intensity"):
        Group(intensity=wrong)
    with pytest.raises(ChildInvalid, match="intensity"):
        Child("acme/one", "source", intensity=wrong)
    Group(intensity=2**32 - 1)


def test_a_hint_is_the_range() -> None:
    with pytest.raises(ChildInvalid, match=r"max_seconds: 1; hint: a number from 5 to 1e\+09"):
        Backoff(first_seconds=5, max_seconds=1)
