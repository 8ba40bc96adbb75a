"""Nonsense limits are refused when they are made, not when they are used."""

from __future__ import annotations

import dataclasses
import decimal
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airssys_wasm import (
    GIB,
    KIB,
    MIB,
    Breaker,
    Child,
    ChildInvalid,
    Health,
    LimitInvalid,
    Limits,
    Mailbox,
    Policy,
    Rate,
    Retry,
    ValueMismatch,
)

GOOD: dict[str, Any] = {"memory_bytes_max": MIB, "call_seconds_max": 1.0}
NAN, INF = float("nan"), float("inf")


def test_units_are_powers_of_two() -> None:
    assert (KIB, MIB, GIB) == (2**10, 2**20, 2**30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("memory_bytes_max", value) for value in (0, -1, 64 * KIB - 1, -(10**30))),
        *(("memory_bytes_max", value) for value in (True, 1e6, NAN, INF, "1 MiB", None)),
        *((name, value) for name in ("memory_bytes_max", "fuel_max") for value in (2**63, 1 << 80)),
        *(("call_seconds_max", value) for value in (0, -1.0, 0.0009, NAN, INF, -INF)),
        *(("call_seconds_max", value) for value in (True, "1", None, decimal.Decimal(1))),
        *(("fuel_max", value) for value in (0, -1, True, 1e6, NAN, INF, "1000")),
    ],
)
def test_a_figure_that_is_no_limit_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(LimitInvalid, match=f"^{name}: "):
        Limits(**{**GOOD, name: value})


def test_the_highest_figure_is_named_and_allowed() -> None:
    highest = 2**63 - 1
    with pytest.raises(LimitInvalid, match=f"memory_bytes_max: .* is above {highest}"):
        Limits(memory_bytes_max=1 << 80, call_seconds_max=1.0)

    limits = Limits(memory_bytes_max=highest, call_seconds_max=1.0, fuel_max=highest)
    assert (limits.memory_bytes_max, limits.fuel_max) == (highest, highest)


# Python itself converts no number of more than 4 300 digits to text.
HUGE = 10**5000


@pytest.mark.parametrize(
    "refused",
    [
        lambda: Limits(**{**GOOD, "memory_bytes_max": -HUGE}),
        lambda: Limits(**{**GOOD, "fuel_max": -HUGE}),
        lambda: Limits(**{**GOOD, "call_seconds_max": -HUGE}),
        lambda: Limits(**{**GOOD, "call_seconds_max": "1" * 10_000}),
        lambda: Policy(memory_bytes_ceiling=HUGE),
        lambda: Policy(call_seconds_ceiling=HUGE),
        lambda: Policy(fuel_ceiling=HUGE),
        lambda: Mailbox(messages_max=HUGE),
        lambda: Rate(messages_per_second=HUGE, burst=1),
        lambda: Retry(factor=HUGE),
        lambda: Breaker(failures_max=HUGE),
        lambda: Child("acme/one", "one.wasm", intensity=-HUGE),
        lambda: Child("acme/one", "one.wasm", shutdown=-HUGE),
        lambda: Health(interval_seconds=-HUGE, timeout_seconds=1.0),
    ],
)
def test_however_long_a_figure_is_the_message_is_short(refused: Callable[[], object]) -> None:
    with pytest.raises((LimitInvalid, ValueMismatch, ChildInvalid)) as told:
        refused()

    assert len(str(told.value)) < 200


def test_a_refused_limit_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="call_seconds_max: -1 is not a time"):
        Limits(memory_bytes_max=MIB, call_seconds_max=-1)


@given(
    memory=st.integers(64 * KIB, 2**63 - 1),
    seconds=st.floats(0.001, 1e300) | st.integers(1, 10**9),
    fuel=st.none() | st.integers(1, 2**63 - 1),
)
def test_any_figure_of_64_bits_is_kept_as_it_is(
    memory: int, seconds: float, fuel: int | None
) -> None:
    # Lower upper ends are the engine's, which knows its policy.
    limits = Limits(memory_bytes_max=memory, call_seconds_max=seconds, fuel_max=fuel)

    assert dataclasses.astuple(limits) == (memory, seconds, fuel)


def test_limits_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits(**GOOD).memory_bytes_max = GIB  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("memory_bytes_ceiling", value) for value in (0, 64 * KIB - 1, 4 * GIB + 1, True, "x")),
        *(("call_seconds_ceiling", value) for value in (0, 300.1, NAN, INF, -1, True, None)),
        *(("fuel_ceiling", value) for value in (0, -1, 2**63, True)),
    ],
)
def test_a_ceiling_outside_its_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(LimitInvalid, match=f"^{name}: .* is outside "):
        Policy(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["memory_bytes_ceiling", "fuel_ceiling"])
@pytest.mark.parametrize("value", [1e6, 123456.5, INF])
def test_a_ceiling_of_bytes_or_fuel_is_whole(name: str, value: float) -> None:
    with pytest.raises(LimitInvalid, match=f"^{name}: "):
        Policy(**{name: value})  # type: ignore[arg-type]


def test_the_default_policy_is_finite() -> None:
    policy = Policy()

    assert policy.memory_bytes_ceiling <= 4 * GIB
    assert policy.call_seconds_ceiling <= 300
    assert policy.fuel_ceiling < 2**63
