"""What a supervisor reports as it happens.

``path`` names the supervisor, from the root down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from airssys_wasm.actor.exits import Exit, StartReason


@dataclass(frozen=True, slots=True)
class Started:
    """A child serves."""

    path: tuple[str, ...]
    child: str
    reason: StartReason


@dataclass(frozen=True, slots=True)
class Exited:
    """A child has ended, by itself or because it was stopped, or its start failed."""

    path: tuple[str, ...]
    child: str
    exit: Exit
    #: Whether it was stopped, however it took that.
    was_stopped: bool = False
    #: Whether its supervisor goes on without it: nothing is going to start it unasked.
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Restarting:
    """A child failed and is restarted, with ``children``, ``after_seconds`` from now."""

    path: tuple[str, ...]
    child: str
    exit: Exit
    children: tuple[str, ...]
    attempt: int
    attempts_max: int
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Escalated:
    """A child failed once too often: its supervisor ends, and the one above decides."""

    path: tuple[str, ...]
    child: str
    exit: Exit
    attempts_max: int


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A child failed once too often and nobody is left to decide.

    Either the supervisor is the root and ends, or it counts by child and only this one stays
    stopped.
    """

    path: tuple[str, ...]
    child: str
    exit: Exit
    attempts_max: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A start or a stop of a child went on after it was cancelled; nobody waits for it."""

    path: tuple[str, ...]
    child: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A supervisor has ended; nothing of it runs."""

    path: tuple[str, ...]
    exit: Exit


SupervisionEvent: TypeAlias = (
    Started | Exited | Restarting | Escalated | GaveUp | Abandoned | Stopped
)
