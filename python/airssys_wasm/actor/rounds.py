"""What a supervisor remembers of each child, and of a restart that is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from airssys_wasm.actor.child import Child, RestartType
from airssys_wasm.actor.exits import StartReason
from airssys_wasm.actor.life import Life, Phase
from airssys_wasm.actor.spawner import Running

Status: TypeAlias = Literal["starting", "running", "stopping", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """One child, as it is at this moment.

    Args:
        name: its name.
        status: ``"restarting"`` while it waits for its restart, ``"stopped"`` if it is kept
            and nobody is going to start it.
        restart: its restart type.
        is_group: whether it is a supervisor itself.
        running: what runs, a ``Supervisor`` for a group; ``None`` if nothing does.
    """

    name: str
    status: Status
    restart: RestartType
    is_group: bool
    running: Running | None


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How many children a supervisor has.

    Args:
        specified: all it keeps, running or not.
        active: those that run.
        supervisors: those that are supervisors, running or not.
        workers: the others, running or not.
    """

    specified: int
    active: int
    supervisors: int
    workers: int


@dataclass(slots=True, eq=False)
class Slot:
    """One child and its present incarnation."""

    child: Child
    life: Life | None = None
    #: The restart it takes part in.
    round: Round | None = None
    #: Failures in a row.
    streak: int = 0
    #: When the present incarnation began to serve.
    up_since: float = 0.0
    #: Who waits for it to start, having asked for it.
    starter: asyncio.Future[Running] | None = None
    #: Whether nothing is kept of it once it is down.
    forget: bool = False
    #: The pool it belongs to, if any.
    pool: str = ""
    #: Who waits for it to be down.
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self.life is not None and self.life.phase is Phase.UP

    @property
    def status(self) -> Status:
        """Return the word for where it stands."""
        if self.life is None:
            return "stopped" if self.round is None else "restarting"
        words: Mapping[Phase, Status] = {Phase.STARTING: "starting", Phase.UP: "running"}
        return words.get(self.life.phase, "stopping")

    def info(self) -> ChildInfo:
        """Return what is told about it."""
        running = self.life.running if self.life is not None else None
        child = self.child
        return ChildInfo(child.name, self.status, child.restart, child.is_group, running)


def count(slots: Sequence[Slot]) -> ChildCounts:
    """Count children as ``Supervisor.count`` tells them."""
    supervisors = sum(slot.child.is_group for slot in slots)
    active = sum(slot.status in ("running", "stopping") for slot in slots)
    return ChildCounts(len(slots), active, supervisors, len(slots) - supervisors)


class Round:
    """Some children being started, in order; before a restart, what runs of them is stopped.

    Args:
        names: the children, in start order.
        reasons: what each is told.
        cause: the child that failed; empty for the first start.
        due: when the starts may begin, on the loop's clock.
    """

    def __init__(
        self,
        names: Sequence[str],
        reasons: Mapping[str, StartReason],
        *,
        cause: str = "",
        due: float = 0.0,
    ) -> None:
        self.names = tuple(names)
        self.cause = cause
        self.due = due
        self.reasons = dict(reasons)
        self.timer: asyncio.TimerHandle | None = None
        #: Whether all that ran is down and the wait is over.
        self.is_starting = not cause
        # Both are taken from their ends.
        self._to_stop = list(names) if cause else []
        self._to_start = list(reversed(names))

    def next_to_stop(self, slots: Mapping[str, Slot]) -> Slot | None:
        """Return the last child that is not down yet, or ``None`` if all are."""
        while self._to_stop:
            slot = slots.get(self._to_stop[-1])
            if slot is not None and slot.round is self and slot.life is not None:
                return slot
            self._to_stop.pop()
        return None

    def next_to_start(self, slots: Mapping[str, Slot]) -> Slot | None:
        """Return the first child that is not up yet, or ``None`` if all are."""
        while self._to_start:
            slot = slots.get(self._to_start[-1])
            if slot is not None and slot.round is self and not slot.is_up:
                return slot
            self._to_start.pop()
        return None

    def remaining(self, slots: Mapping[str, Slot]) -> set[str]:
        """Return the children that take part and are not up yet."""
        present = ((name, slots.get(name)) for name in self._to_start)
        return {name for name, slot in present if slot is not None and slot.round is self}

    def awaits(self, name: str) -> bool:
        """Whether the child is not up yet."""
        return name in self._to_start

    def clear_timer(self) -> None:
        """Wait no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
