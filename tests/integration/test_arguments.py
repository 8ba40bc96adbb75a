"""An argument of the wrong type is refused by name, before anything runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {"memory_bytes_max": aw.MIB, "call_seconds_max": 1.0, "fuel_max": None}


def refused(argument: str, component: aw.Component, **options: Any) -> str:
    with pytest.raises(aw.ValueMismatch, match=f"^{argument}: expected ") as caught:
        component.instantiate(**options)
    assert caught.value.path == argument
    return str(caught.value)


@pytest.mark.parametrize(
    "limits",
    [
        None,
        {},
        GOOD,
        7,
        # What only looks like limits has checked nothing: these figures are past any range.
        SimpleNamespace(**{**GOOD, "memory_bytes_max": -(2**200)}),
        SimpleNamespace(**GOOD),
    ],
)
def test_limits_are_limits(echo: aw.Component, limits: Any) -> None:
    assert "got " + type(limits).__name__ in refused("limits", echo, limits=limits)


@pytest.mark.parametrize("grant", [{}, {"clocks": True}, "all", False, ()])
def test_a_grant_is_a_grant(echo: aw.Component, limits: aw.Limits, grant: Any) -> None:
    assert "hint: grant=Grant(" in refused("grant", echo, limits=limits, grant=grant)


@pytest.mark.parametrize("imports", [[], [1], "host", 7, False])
def test_imports_are_a_mapping(echo: aw.Component, limits: aw.Limits, imports: Any) -> None:
    assert "a mapping" in refused("imports", echo, limits=limits, imports=imports)


@pytest.mark.parametrize("policy", ["", "x", {}, {"fuel_ceiling": 1}, False])
def test_a_policy_is_a_policy(policy: Any) -> None:
    with pytest.raises(aw.ValueMismatch, match=r"^policy: expected Policy") as caught:
        aw.Engine(policy=policy, cache_dir=None)

    assert caught.value.path == "policy"


@pytest.mark.parametrize("name", ["\udcff", 7, b"bytes"])
def test_a_name_is_text(engine: aw.Engine, name: Any) -> None:
    with pytest.raises(aw.ValueMismatch, match=r"^name: .*; hint: ") as caught:
        engine.load("(component)", name=name)

    assert caught.value.path == "name"


@pytest.mark.parametrize("source", ["a\0b", "\ud800.wasm"])
def test_a_source_is_a_name_that_a_file_may_have(engine: aw.Engine, source: str) -> None:
    with pytest.raises(aw.ValueMismatch, match=r"^source: no file can be called ") as caught:
        engine.load(source)

    assert caught.value.path == "source"


def test_stubs_go_into_a_python_file(echo: aw.Component, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not a Python file; hint: name it \.pyi"):
        echo.stubs(tmp_path / "echo.txt")

    assert list(tmp_path.iterdir()) == []
    assert echo.stubs(str(tmp_path / "echo.py")) == tmp_path / "echo.py"


@pytest.fixture
def receipt(instance: aw.Instance) -> aw.Receipt:
    instance.call("acme:echo/api#add", 1, 2)
    assert instance.receipt is not None
    return instance.receipt


@pytest.mark.parametrize(
    "headroom",
    [float("inf"), float("-inf"), float("nan"), 0.99, -1, 1000.5, 10**400, True, "2", None],
)
def test_headroom_is_a_number_of_its_range(receipt: aw.Receipt, headroom: Any) -> None:
    with pytest.raises(ValueError, match=r"^headroom: .* is no number from 1 to 1000"):
        aw.suggest_limits([receipt], headroom=headroom)


@pytest.mark.parametrize("headroom", [1, 2.0, 1000])
def test_suggested_limits_cover_what_was_used(receipt: aw.Receipt, headroom: float) -> None:
    suggested = aw.suggest_limits([receipt], headroom=headroom)

    assert suggested.memory_bytes_max >= receipt.memory_bytes_peak * headroom
    assert suggested.call_seconds_max >= receipt.seconds * headroom


def test_a_receipt_of_no_call_suggests_nothing(receipt: aw.Receipt) -> None:
    nothing: Any = None

    with pytest.raises(ValueError, match=r"^receipts: .*NoneType; hint: "):
        aw.suggest_limits([receipt, nothing])
    with pytest.raises(ValueError, match="no receipts"):
        aw.suggest_limits([])


def test_a_name_that_is_no_text_is_the_name_of_no_export(
    echo: aw.Component, limits: aw.Limits
) -> None:
    with echo.instantiate(limits=limits) as instance, pytest.raises(aw.ExportMissing):
        instance.call("\udcff")
