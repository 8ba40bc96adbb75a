"""A resource is given away by a call that runs, and by no other."""

from __future__ import annotations

import pytest

import airssys_wasm as aw

RESOURCES = "acme:echo/resources#"


def test_a_refused_call_gives_its_resources_back(instance: aw.Instance) -> None:
    left = instance.call(f"{RESOURCES}[constructor]counter", 1)

    with pytest.raises(aw.ValueMismatch):
        instance.call(f"{RESOURCES}[static]counter.merge", left, "no counter")

    assert not left.closed
    assert left.call("increment", 1) == 2


def test_a_call_that_runs_takes_them(instance: aw.Instance) -> None:
    left = instance.call(f"{RESOURCES}[constructor]counter", 1)
    right = instance.call(f"{RESOURCES}[constructor]counter", 2)

    merged = instance.call(f"{RESOURCES}[static]counter.merge", left, right)

    assert merged.call("value") == 3
    assert left.closed
    assert right.closed
    with pytest.raises(aw.ValueMismatch, match="given away"):
        left.call("value")


def test_a_resource_nobody_holds_is_dropped_at_the_next_call(instance: aw.Instance) -> None:
    instance.call(f"{RESOURCES}[constructor]counter", 1)
    instance.call(f"{RESOURCES}[constructor]counter", 2)

    assert instance.call(f"{RESOURCES}[static]counter.alive") == 0
