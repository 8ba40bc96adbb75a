"""What a supervisor decides: values in, values out; no clock, no chance, no I/O.

The semantics are those of Erlang/OTP's ``supervisor``, with a wait before each restart. Times
are seconds on a monotonic clock that the caller reads.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from airssys_wasm.actor.child import AutoShutdown, Backoff, Child, Group, RestartType, Strategy
from airssys_wasm.actor.exits import Exit, ExitKind, First, Restarted, StartReason, shortened


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop what runs of ``children``, last first; wait; start them, first first.

    Args:
        children: names in start order.
        after_seconds: how long to wait, counted from the failure.
        attempt: which restart of the window this is, from 1.
        attempts_max: how many the window allows.
    """

    children: tuple[str, ...]
    after_seconds: float
    attempt: int
    attempts_max: int


@dataclass(frozen=True, slots=True)
class Ignore:
    """Leave the child as it is; ``forget`` it if nothing of it is to be kept."""

    forget: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """A significant child has ended: the supervisor stops."""

    forget: bool


@dataclass(frozen=True, slots=True)
class Escalate:
    """Once too often: the supervisor stops its children and hands the matter up."""

    attempts_max: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Once too often for this child alone: it stays stopped, its siblings go on."""

    attempts_max: int


@dataclass(frozen=True, slots=True)
class Window:
    """The restarts of the last seconds.

    Args:
        restarts_max: how many are allowed in the window.
        seconds: its length; a restart exactly so long ago still counts.
        times: when they were, oldest first.
    """

    restarts_max: int
    seconds: float
    times: tuple[float, ...] = ()

    @property
    def is_exceeded(self) -> bool:
        """Whether there are more restarts than allowed."""
        return len(self.times) > self.restarts_max


Decision: TypeAlias = Restart | Escalate | GiveUp


def wants_restart(restart: RestartType, end: Exit) -> bool:
    """Return whether a child of this restart type is restarted after this exit."""
    match restart:
        case "permanent":
            return True
        case "transient":
            return not end.is_clean
        case "temporary":
            return False
        case _:
            assert_never(restart)


def children_to_restart(
    children: Sequence[str], failed: str, strategy: Strategy
) -> tuple[str, ...]:
    """Name the children to restart, oldest first.

    ``children`` is in start order and holds ``failed``.
    """
    match strategy:
        case "one-for-one":
            return (failed,)
        case "one-for-all":
            return tuple(children)
        case "rest-for-one":
            return tuple(children[children.index(failed) :])
        case _:
            assert_never(strategy)


def window_of(group: Group, child: Child) -> tuple[str, Window]:
    """Return the key under which restarts of ``child`` are counted, and its empty window.

    The key is a name, never an instance: what restarts cannot outrun its own past.
    """
    if group.counted == "together":
        return "", Window(group.intensity, group.within)
    restarts_max = group.intensity if child.intensity is None else child.intensity
    return child.name, Window(restarts_max, child.within or group.within)


def record_restart(window: Window, now: float) -> Window:
    """Return the window with a restart at ``now``, without those that have left it."""
    recent = window.times[bisect_left(window.times, now - window.seconds) :]
    # One more than allowed is all that it takes to be exceeded: older ones need no memory.
    excess = max(0, len(recent) - window.restarts_max)
    return replace(window, times=(*recent[excess:], now))


def next_streak(streak: int, ran_seconds: float, backoff: Backoff) -> int:
    """Return how many failures in a row this is, given how many there were before."""
    return 1 if ran_seconds >= backoff.quiet_seconds else streak + 1


def wait_seconds(backoff: Backoff, streak: int, chance: float) -> float:
    """Return how long to wait before the restart.

    Args:
        backoff: the figures.
        streak: how many failures in a row this is, from 1.
        chance: a random number, 0 to 1; 0.5 leaves the jitter out.
    """
    wait = _without_jitter(backoff, streak - 1)
    return min(backoff.max_seconds, wait * (1 + backoff.jitter * (2 * chance - 1)))


def _without_jitter(backoff: Backoff, doublings: int) -> float:
    if backoff.first_seconds == 0 or backoff.factor == 1:
        return backoff.first_seconds
    # Compared as logarithms: a long streak would overflow the power.
    if doublings * math.log(backoff.factor) >= math.log(backoff.max_seconds) - math.log(
        backoff.first_seconds
    ):
        return backoff.max_seconds
    return float(backoff.first_seconds * backoff.factor**doublings)


def after_failure(
    group: Group, child: Child, order: Sequence[str], window: Window, wait: float
) -> Decision:
    """Decide about a child that is to be restarted.

    Args:
        group: the group.
        child: the one that failed.
        order: all children, in start order.
        window: its window, this restart recorded.
        wait: seconds to wait.
    """
    if not window.is_exceeded:
        affected = children_to_restart(order, child.name, group.strategy)
        return Restart(affected, wait, len(window.times), window.restarts_max)
    if group.counted == "by-child":
        return GiveUp(window.restarts_max)
    return Escalate(window.restarts_max)


def after_end(
    child: Child, auto_shutdown: AutoShutdown, *, significant_left: bool
) -> Ignore | Stop:
    """Decide about a child that ended by itself and is not restarted.

    Args:
        child: the one that ended.
        auto_shutdown: what the group says.
        significant_left: whether another significant child still runs.
    """
    forget = child.restart == "temporary"
    if not child.significant or auto_shutdown == "never":
        return Ignore(forget)
    if auto_shutdown == "all-significant" and significant_left:
        return Ignore(forget)
    return Stop(forget)


def start_reasons(failed: str, end: Exit, restart: Restart) -> dict[str, StartReason]:
    """Return what each child of a restart is told.

    The failed one is told its own end; after a clean one it starts as for the first time. The
    children of a supervisor that gave up hear what it gave up on.
    """

    def restarted(kind: ExitKind, detail: str) -> Restarted:
        return Restarted(kind, detail, restart.attempt, restart.attempts_max)

    sibling = restarted(ExitKind.SIBLING_FAILED, shortened(f"{failed} ended: {end}"))
    told: dict[str, StartReason] = dict.fromkeys(restart.children, sibling)
    if end.gave_up_on is not None:
        told[failed] = restarted(ExitKind.SIBLING_FAILED, end.detail)
    else:
        told[failed] = First() if end.is_clean else restarted(end.kind, end.detail)
    return told


def reason_in_group(reason: StartReason) -> StartReason:
    """Return what the children of a group are told when the group starts for ``reason``."""
    if isinstance(reason, Restarted):
        return replace(reason, failure=ExitKind.SIBLING_FAILED)
    return First()
