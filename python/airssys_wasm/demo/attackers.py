"""The hostile components that ship in the wheel, and the limits that stop them."""

from __future__ import annotations

from dataclasses import dataclass

import airssys_wasm as aw

__all__ = ["ATTACKS", "Attack"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile component, and the bounds it runs inside.

    Attributes:
        name: the file in ``airssys_wasm.components``, without ``.wat``.
        does: what it tries, in a few words.
        export: the function that does it.
        limits: what it is held to.
        limit: the one of them that has to stop it, for people.
        expected: the error that has to end it.
    """

    name: str
    does: str
    export: str
    limits: aw.Limits
    limit: str
    expected: type[aw.ComponentFailed]


ATTACKS: tuple[Attack, ...] = (
    Attack(
        name="fuel-bomb",
        does="counts to a million million",
        export="count",
        limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0, fuel_max=10_000_000),
        limit="fuel: 10 000 000 units a call",
        expected=aw.FuelExhausted,
    ),
    Attack(
        name="infinite-loop",
        does="never comes back",
        export="spin",
        limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.25),
        limit="time: 0.25 s a call",
        expected=aw.CallTimeout,
    ),
    Attack(
        name="memory-hog",
        does="takes memory until there is no more",
        export="eat",
        limits=aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=5.0),
        limit="memory: 2 MiB",
        expected=aw.OutOfMemory,
    ),
)
