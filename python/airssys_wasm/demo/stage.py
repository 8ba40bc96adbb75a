"""Plays the hostile scenes: loads a component, lets it try, writes down what happened."""

from __future__ import annotations

from collections.abc import Callable

import airssys_wasm as aw
from airssys_wasm.demo.attackers import Attack
from airssys_wasm.demo.cast import hostile
from airssys_wasm.demo.quiet import unlogged
from airssys_wasm.demo.scenes import Attacked, Cost, Refused

__all__ = ["attack", "refuse"]

_THIEF = "file-thief"
_THIEF_LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)


def attack(engine: aw.Engine, plan: Attack, *, unharmed: Callable[[], bool]) -> Attacked:
    """Let one hostile component run until the host stops it.

    Args:
        engine: runs it, beside everything else that is alive.
        plan: the component and its bounds.
        unharmed: asks a bystander on the same engine whether it is still well.
    """
    ended: aw.ComponentFailed | None = None
    component = hostile(engine, plan.name)
    with unlogged("airssys_wasm.runtime"), component.instantiate(limits=plan.limits) as instance:
        try:
            instance.call(plan.export)
        except aw.ComponentFailed as error:
            ended = error
        cost = Cost.of(instance.receipt)
    return Attacked(
        name=plan.name,
        does=plan.does,
        limit=plan.limit,
        expected=plan.expected.__name__,
        error=type(ended).__name__ if ended else None,
        kind=ended.kind if ended else "",
        message=str(ended) if ended else "",
        cost=cost,
        bystander_unharmed=unharmed(),
    )


def refuse(engine: aw.Engine) -> Refused:
    """Try to start a component that wants files it was not granted."""
    refused: aw.ImportMissing | None = None
    try:
        with hostile(engine, _THIEF).instantiate(limits=_THIEF_LIMITS):
            pass
    except aw.ImportMissing as error:
        refused = error
    return Refused(
        name=_THIEF,
        wants="the directories its host has open",
        error=type(refused).__name__ if refused else None,
        message=str(refused) if refused else "",
        missing=refused.missing if refused else (),
    )
