"""One incarnation of a child, from its start to its end, each bounded in time.

A life waits for nothing: each step is a task or a timer, and what comes of it is posted to
the supervisor. So a start or a stop that hangs holds up nobody.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from airssys_wasm.actor.child import SHUTDOWN_SECONDS, Child
from airssys_wasm.actor.exits import Exit, ExitKind, StartReason, StopReason
from airssys_wasm.actor.spawner import ExitListener, Running

#: A cancelled task that is not done after this is reported as abandoned.
ORPHAN_SECONDS: Final = 0.05
#: A stop that goes on for longer after the child was said to have ended is not waited for.
GRACE_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class Phase(enum.Enum):
    """Where a life stands."""

    STARTING = enum.auto()
    UP = enum.auto()
    STOPPING = enum.auto()
    OVER = enum.auto()


@dataclass(frozen=True, slots=True)
class HasStarted:
    """The start is done: it serves."""

    life: Life


@dataclass(frozen=True, slots=True)
class HasExited:
    """It has ended by itself."""

    life: Life
    exit: Exit


@dataclass(frozen=True, slots=True)
class HasFailed:
    """Its start failed: nothing of it runs."""

    life: Life
    exit: Exit


@dataclass(frozen=True, slots=True)
class HasEnded:
    """It was brought down: nothing of it runs."""

    life: Life
    exit: Exit


LifeEvent: TypeAlias = HasStarted | HasExited | HasFailed | HasEnded


class Surroundings:
    """What all lives of one supervisor share: the loop, its inbox, and tasks left behind.

    Args:
        loop: where everything runs.
        post: adds an event to the supervisor's inbox.
        abandoned: told the name of a child whose cancelled task does not end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        post: Callable[[LifeEvent], None],
        abandoned: Callable[[str], None],
    ) -> None:
        self.loop = loop
        self.post = post
        self._abandoned = abandoned
        self._orphans: dict[asyncio.Task[Any], tuple[str, asyncio.TimerHandle]] = {}

    def leave_behind(self, task: asyncio.Task[Any], name: str) -> None:
        """Cancel ``task`` and wait for it no more."""
        if task.done():
            return
        task.cancel()
        timer = self.loop.call_later(ORPHAN_SECONDS, self._abandoned, name)
        self._orphans[task] = (name, timer)
        task.add_done_callback(self._is_done)

    def _is_done(self, task: asyncio.Task[Any]) -> None:
        name, timer = self._orphans.pop(task)
        timer.cancel()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("what was left behind of %r failed at last", name, exc_info=error)

    async def reap(self) -> None:
        """Give the tasks left behind a last moment to end."""
        if self._orphans:
            await asyncio.wait(tuple(self._orphans), timeout=ORPHAN_SECONDS)


class Life:
    """One incarnation of ``child``.

    Args:
        child: what it is an incarnation of.
        reason: why it starts.
        around: what it shares with the others.
    """

    def __init__(self, child: Child, reason: StartReason, around: Surroundings) -> None:
        self.child = child
        self.reason = reason
        self.phase = Phase.STARTING
        #: What runs; for a group, from before its start is done.
        self.running: Running | None = None
        #: How it ended by itself, as far as anyone has said.
        self.exit: Exit | None = None
        #: Whether ``HasStarted`` was taken from the inbox.
        self.is_announced = False
        self._around = around
        self._start: asyncio.Task[Running] | None = None
        self._stop: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, start: Coroutine[object, object, Running]) -> None:
        """Run ``start``; ``HasStarted`` or ``HasFailed`` tells what came of it."""
        self._start = self._around.loop.create_task(start)
        self._start.add_done_callback(self._start_is_done)
        self._bound(self.child.start_seconds_max, self._start_is_overdue)

    @property
    def listener(self) -> ExitListener:
        """What its host calls when it has ended by itself."""
        return lambda end: self._around.post(HasExited(self, end))

    def end(self, reason: StopReason) -> None:
        """Bring it down as its child says; ``HasEnded`` tells when it is."""
        if self.phase not in (Phase.STARTING, Phase.UP):
            return
        was_starting = self.phase is Phase.STARTING
        self.phase = Phase.STOPPING
        self._clear_timer()
        if self.child.stop_seconds_max == 0:
            self._over(HasEnded(self, Exit(ExitKind.KILLED, "stopped at once")), kill=True)
        elif was_starting and self.running is None:
            self._abort_start()
        else:
            self._ask_to_stop(reason)

    def kill(self) -> None:
        """End it at once and post nothing."""
        if self.phase is not Phase.OVER:
            self._leave(kill=True)

    def has_gone(self) -> None:
        """Note that it has ended by itself, and post nothing."""
        self._leave(kill=False)

    def hasten(self) -> None:
        """Note that it has ended: nobody waits much longer for its stop to say so too."""
        until = self._around.loop.time() + GRACE_SECONDS
        if self._stop is None or (self._timer is not None and self._timer.when() <= until):
            return
        self._clear_timer()
        self._bound(GRACE_SECONDS, self._stop_is_overdue)

    # Starting

    def _start_is_done(self, task: asyncio.Task[Running]) -> None:
        failure = _failure(task)
        if self.phase is Phase.STARTING:
            if failure is None:
                self._clear_timer()
                self.running = task.result()
                self.phase = Phase.UP
                self._around.post(HasStarted(self))
            else:
                end = Exit.of(failure, otherwise=ExitKind.INITIALIZATION_FAILED)
                self._over(HasFailed(self, end))
            return
        if failure is None and self.running is None:
            # It was cancelled and started all the same.
            self.running = task.result()
            self._kill_running()
        if self.phase is Phase.STOPPING and self._stop is None:
            self._over(HasEnded(self, Exit(ExitKind.SHUTDOWN, "stopped while it started")))

    def _start_is_overdue(self) -> None:
        detail = f"its start took longer than {self.child.start_seconds_max:g} s"
        self._over(HasFailed(self, Exit(ExitKind.TIMED_OUT, detail)), kill=True)

    def _abort_start(self) -> None:
        assert self._start is not None
        self._start.cancel()
        # Whoever waits for a stop without end has said so of one that stops, not of a start
        # that cannot be cancelled.
        bound = min(self.child.stop_seconds_max, SHUTDOWN_SECONDS)
        self._bound(bound, self._stop_is_overdue)

    # Stopping

    def _ask_to_stop(self, reason: StopReason) -> None:
        assert self.running is not None
        bound = self.child.stop_seconds_max
        seconds_max = None if bound == math.inf else bound
        self._stop = self._around.loop.create_task(_stop(self.running, reason, seconds_max))
        self._stop.add_done_callback(self._stop_is_done)
        self._bound(bound, self._stop_is_overdue)

    def _stop_is_done(self, task: asyncio.Task[None]) -> None:
        if self.phase is not Phase.STOPPING:
            return
        failure = _failure(task)
        if failure is None:
            self._over(HasEnded(self, self.exit or Exit(ExitKind.SHUTDOWN)))
        else:
            log.warning("stopping %r failed", self.child.name, exc_info=failure)
            self._over(HasEnded(self, Exit.of(failure)), kill=True)

    def _stop_is_overdue(self) -> None:
        detail = f"it did not stop within {self.child.stop_seconds_max:g} s"
        self._over(HasEnded(self, self.exit or Exit(ExitKind.KILLED, detail)), kill=True)

    # Ending

    def _over(self, event: HasFailed | HasEnded, *, kill: bool = False) -> None:
        self._leave(kill=kill)
        self._around.post(event)

    def _leave(self, *, kill: bool) -> None:
        self.phase = Phase.OVER
        self._clear_timer()
        if kill:
            self._kill_running()
        for task in (self._start, self._stop):
            if task is not None:
                self._around.leave_behind(task, self.child.name)

    def _kill_running(self) -> None:
        if self.running is None:
            return
        try:
            self.running.kill()
        except Exception:
            log.exception("killing %r failed", self.child.name)

    def _bound(self, seconds: float | None, then: Callable[[], None]) -> None:
        if seconds is not None and seconds != math.inf:
            self._timer = self._around.loop.call_later(seconds, then)

    def _clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def _stop(running: Running, reason: StopReason, seconds_max: float | None) -> None:
    # What a host returns may be awaitable without being a coroutine, or may raise at once.
    await running.stop(reason, seconds_max=seconds_max)


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError("cancelled") if task.cancelled() else task.exception()
