"""How an actor is asked how it is doing, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from airssys_wasm.actor.callables import takes_one
from airssys_wasm.config.figures import SECONDS_MAX, is_number, printed
from airssys_wasm.errors import ChildInvalid

HealthStatus: TypeAlias = Literal["healthy", "degraded", "unhealthy", "unknown"]

#: From good to bad; of two answers the worse one counts.
_WORSE: tuple[HealthStatus, ...] = ("unknown", "healthy", "degraded", "unhealthy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How often an actor is asked how it is doing, and when that ends its instance.

    A component that exports ``health`` is asked in its turn, between two messages. An answer
    that is ``unhealthy``, or does not come in time, is a failure; so is an exception of
    ``check``. Below ``failures_max`` in a row the actor is ``"degraded"``; with that many it
    is ``"unhealthy"``: its instance ends with that reason, and its supervisor decides. A
    component that traps in ``health``, or runs on past the timeout, ends at once.

    Args:
        interval_seconds: between two checks, more than 0, at most 1e9.
        timeout_seconds: for one check, more than 0, at most 1e9. An actor that is busy with a
            message for longer than that does not answer in time.
        failures_max: failures in a row, 1 or more.
        check: asked too, with the ``Actor``: ``async def check(actor)``, or a plain function,
            which runs in a thread. It returns ``True``, ``False``, or a word: ``"healthy"``,
            ``"degraded"``, ``"unhealthy"``, ``"unknown"``.

    Raises:
        ChildInvalid: a figure is outside its range, or ``check`` takes no actor.
    """

    interval_seconds: float = 10.0
    timeout_seconds: float = 1.0
    failures_max: int = 3
    check: Callable[[Any], Awaitable[bool | str] | bool | str] | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense when it is made, not when it is used."""
        require_seconds("interval_seconds", self.interval_seconds)
        require_seconds("timeout_seconds", self.timeout_seconds)
        whole = isinstance(self.failures_max, int) and not isinstance(self.failures_max, bool)
        if not whole or self.failures_max < 1:
            raise ChildInvalid(
                f"failures_max: {printed(self.failures_max)}; "
                "hint: a whole number of checks, 1 or more"
            )
        if self.check is not None and not callable(self.check):
            raise ChildInvalid(f"check: {self.check!r} is no function; hint: def check(actor)")
        if self.check is not None and not takes_one(self.check):
            raise ChildInvalid(
                f"check: {self.check!r} cannot be called with the actor alone; "
                "hint: async def check(actor)"
            )


def judged(answer: HealthStatus, failures: int, failures_max: int) -> HealthStatus:
    """Return what an actor is after an answer, the latest of ``failures`` bad ones in a row."""
    if not failures:
        return answer
    return "unhealthy" if failures >= failures_max else "degraded"


def worse(one: HealthStatus, other: HealthStatus) -> HealthStatus:
    """Return the worse of two answers; an answer is worse than none."""
    return max(one, other, key=_WORSE.index)


def as_status(answer: object) -> HealthStatus:
    """Return what a check meant.

    Raises:
        ChildInvalid: it means nothing.
    """
    if isinstance(answer, bool):
        return "healthy" if answer else "unhealthy"
    for status in _WORSE:
        if answer == status:
            return status
    words = ", ".join(map(repr, _WORSE))
    raise ChildInvalid(f"a check returned {answer!r}; hint: True, False, or one of {words}")


def require_seconds(where: str, given: object) -> None:
    """Return if ``given`` is a time that somebody may wait for.

    Raises:
        ChildInvalid: it is not.
    """
    if not is_number(given, 0, SECONDS_MAX) or given == 0:
        raise ChildInvalid(
            f"{where}: {printed(given)}; hint: seconds, more than 0, at most {SECONDS_MAX:g}"
        )
