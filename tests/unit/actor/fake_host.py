"""A host whose children start, run, fail and hang as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from airssys_wasm.actor import (
    Backoff,
    Child,
    Exit,
    ExitKind,
    ExitListener,
    Group,
    StartReason,
    StopReason,
    SupervisionEvent,
    Supervisor,
)

FOREVER = 1e9  # seconds; longer than any test
AT_ONCE = Backoff(first_seconds=0.0)

NORMAL = Exit(ExitKind.NORMAL)
SHUTDOWN = Exit(ExitKind.SHUTDOWN)
TRAPPED = Exit(ExitKind.TRAPPED, "unreachable")
KILLED = Exit(ExitKind.KILLED)


class StartRefusedError(Exception):
    """What a child that is told not to start raises."""


@dataclass(frozen=True)
class Behaviour:
    """What one incarnation does."""

    start_seconds: float = 0.0
    start_fails: bool = False
    #: Cancelling its start does nothing for so long.
    deaf_seconds: float = 0.0
    stop_seconds: float = 0.0
    stop_fails: bool = False
    #: Cancelling its stop does nothing for so long.
    deaf_stop_seconds: float = 0.0
    exits_after: float | None = None
    exit: Exit = TRAPPED
    #: Whether it exits before its start has returned.
    exits_early: bool = False


class Deed(NamedTuple):
    """What happened at the host, and when."""

    time: float
    verb: str
    child: str


class Incarnation:
    """What a host gives to a supervisor."""

    def __init__(self, host: FakeHost, child: Child, behaviour: Behaviour) -> None:
        self.name = child.name
        self.number = next(host.numbers)
        self.host = host
        self.behaviour = behaviour
        self.ended: Exit | None = None
        self.stop_reason: StopReason | None = None
        self.seconds_max: float | None = None
        self.listener: ExitListener | None = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def is_alive(self) -> bool:
        return self.ended is None

    def exits(self, end: Exit) -> None:
        """End by itself."""
        if self.ended is None:
            self.over(end, "exit")
            assert self.listener is not None
            self.listener(end)

    def over(self, end: Exit, verb: str) -> None:
        self.ended = end
        if self.timer is not None:
            self.timer.cancel()
        self.host.did(verb, self.name)

    async def stop(self, reason: StopReason, *, seconds_max: float | None) -> None:
        self.stop_reason, self.seconds_max = reason, seconds_max
        self.host.did("stop", self.name)
        await deafly(self.behaviour.stop_seconds, self.behaviour.deaf_stop_seconds)
        if self.behaviour.stop_fails:
            raise StartRefusedError("stop")
        if self.ended is None:
            self.over(SHUTDOWN, "stopped")

    def kill(self) -> None:
        if self.ended is None:
            self.over(KILLED, "kill")


async def deafly(seconds: float, deaf_seconds: float) -> None:
    """Sleep; a cancellation is heard only after ``deaf_seconds``."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if not deaf_seconds:
            raise
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(deaf_seconds)


class FakeHost:
    """Starts children, each next incarnation with the next behaviour of its list."""

    def __init__(self, **behaviours: list[Behaviour]) -> None:
        #: The last one of a list goes for all further incarnations.
        self.behaviours = {
            name.replace("_", "-"): list(given) for name, given in behaviours.items()
        }
        self.numbers = itertools.count()
        self.deeds: list[Deed] = []
        self.reasons: dict[str, list[StartReason]] = {}
        self.alive: dict[str, Incarnation] = {}
        self.all: list[Incarnation] = []
        self.events: list[SupervisionEvent] = []

    def did(self, verb: str, child: str) -> None:
        self.deeds.append(Deed(asyncio.get_running_loop().time(), verb, child))

    def verbs(self, *wanted: str) -> list[str]:
        """Return what was done, as ``verb child``."""
        return [f"{deed.verb} {deed.child}" for deed in self.deeds if deed.verb in wanted]

    def next_behaviour(self, name: str) -> Behaviour:
        coming = self.behaviours.get(name, [Behaviour()])
        return coming.pop(0) if len(coming) > 1 else coming[0]

    async def start(self, child: Child, reason: StartReason, exited: ExitListener) -> Incarnation:
        self.did("start", child.name)
        self.reasons.setdefault(child.name, []).append(reason)
        behaviour = self.next_behaviour(child.name)
        await deafly(behaviour.start_seconds, behaviour.deaf_seconds)
        if behaviour.start_fails:
            raise StartRefusedError(child.name)
        made = Incarnation(self, child, behaviour)
        made.listener = exited
        self.alive[child.name] = made
        self.all.append(made)
        self.did("up", child.name)
        if behaviour.exits_early:
            made.exits(behaviour.exit)
        elif behaviour.exits_after is not None:
            loop = asyncio.get_running_loop()
            made.timer = loop.call_later(behaviour.exits_after, made.exits, behaviour.exit)
        return made

    def supervise(self, *children: Child, **group: Any) -> Supervisor:
        """Return a supervisor, not started, that restarts at once unless told otherwise."""
        group.setdefault("backoff", AT_ONCE)
        return Supervisor(
            Group(children=children, **group),
            self,
            name="sup",
            on_event=self.events.append,
            chance=lambda: 0.5,
        )


async def counts(supervisor: Supervisor) -> list[int]:
    """Return specified, active, supervisors, workers: as OTP's suite has them."""
    found = await supervisor.count()
    return [found.specified, found.active, found.supervisors, found.workers]


async def statuses(supervisor: Supervisor) -> dict[str, str]:
    return {info.name: info.status for info in await supervisor.children()}


async def refused(asked: Awaitable[object]) -> str:
    """Return why a supervisor refused."""
    from airssys_wasm.errors import SupervisionError  # noqa: PLC0415

    try:
        await asked
    except SupervisionError as error:
        return error.reason
    raise AssertionError("it was not refused")


Ender = Callable[[Supervisor, FakeHost, str], Awaitable[None]]
