"""The task of one supervisor: it takes events in order, and nobody else touches the state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from airssys_wasm.actor.child import Group
from airssys_wasm.actor.events import Abandoned, Stopped, SupervisionEvent
from airssys_wasm.actor.exits import Exit, ExitKind, StartReason, StopReason
from airssys_wasm.actor.inbox import Inbox
from airssys_wasm.actor.life import Life, Surroundings
from airssys_wasm.actor.spawner import ExitListener
from airssys_wasm.actor.tending import Outside, Tending, TendingEvent
from airssys_wasm.errors import AirssysError, SupervisionError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the children."""

    reason: StartReason


@dataclass(frozen=True, slots=True)
class Close:
    """Stop the children, and end."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class Wake:
    """Look whether there is anything left to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """Do something for a user, who waits for the answer."""

    act: Callable[[asyncio.Future[Any]], None]
    answer: asyncio.Future[Any]


DeskEvent: TypeAlias = Begin | Close | Wake | Request | TendingEvent


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom a supervisor tells what.

    Args:
        path: the names from the root down to it.
        on_event: told what happens; what it raises is logged.
        on_exit: told once how it ended.
    """

    path: tuple[str, ...]
    on_event: Callable[[SupervisionEvent], None] | None
    on_exit: ExitListener | None

    def emit(self, event: SupervisionEvent) -> None:
        """Report ``event``; never raises."""
        if self.on_event is None:
            return
        try:
            self.on_event(event)
        except Exception:
            log.exception("a listener failed at %r", event)

    def ended(self, what: str) -> SupervisionError:
        """Return the error for a supervisor that cannot be asked."""
        return SupervisionError(f"supervisor {'/'.join(self.path)!r} {what}", "", "stopped")


class Desk:
    """A supervisor from its start to its end. To be made on the thread of its loop."""

    def __init__(
        self,
        group: Group,
        reports: Reports,
        launch: Callable[[Life], None],
        chance: Callable[[], float],
    ) -> None:
        self.loop = loop = asyncio.get_running_loop()
        self.inbox: Inbox[DeskEvent] = Inbox(loop)
        #: How it ended, once it has.
        self.over: asyncio.Future[Exit] = loop.create_future()
        #: Done when all children of the group have started.
        self.ready: asyncio.Future[None] = loop.create_future()
        # Nobody may be left to see why the start failed; the exit says it too.
        self.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._reports = reports
        self._lives = Surroundings(
            loop, self.inbox.post, lambda child: reports.emit(Abandoned(reports.path, child))
        )
        outside = Outside(reports.path, self._lives, launch, self.inbox.post, reports.emit, chance)
        self.tending = Tending(group, outside, self.ready)
        self._task = loop.create_task(self._run(), name=f"supervisor {'/'.join(reports.path)}")

    def kill(self) -> None:
        """End all children at once."""
        self.tending.kill(Exit(ExitKind.KILLED, "the supervisor was killed"))
        self.inbox.post(Wake())

    def open(self) -> Tending:
        """Return the state, for a change.

        Raises:
            SupervisionError: the supervisor is ending.
        """
        if self.tending.closing is not None:
            raise self._reports.ended("is ending")
        return self.tending

    async def _run(self) -> None:
        try:
            while not self.tending.is_closed:
                await self.inbox.wait()
                while not self.tending.is_closed and (event := self.inbox.take()) is not None:
                    self._handle(event)
            await self._lives.reap()
        except Exception as error:
            log.exception("supervisor %s failed", "/".join(self._reports.path))
            self.tending.kill(Exit.of(error))
        finally:
            # Cancelled, for instance because the loop ends: whatever still runs is killed.
            self.tending.kill(Exit(ExitKind.KILLED, "the supervisor's task was cancelled"))
            self._finish()

    def _handle(self, event: DeskEvent) -> None:
        match event:
            case Wake():
                pass
            case Begin(reason=reason):
                if self.tending.closing is None:
                    self.tending.begin(reason)
            case Close(reason=reason):
                self.tending.close(Exit(ExitKind.SHUTDOWN, "it was asked to stop"), reason)
            case Request(act=act, answer=answer):
                _answer(act, answer)
            case _:
                self.tending.handle(event)

    def _finish(self) -> None:
        end = self.tending.closing or Exit(ExitKind.KILLED)
        while (event := self.inbox.take()) is not None:
            if isinstance(event, Request) and not event.answer.done():
                event.answer.set_exception(self._reports.ended("has ended"))
        if not self.ready.done():
            self.ready.set_exception(self._reports.ended(f"ended while it started: {end}"))
        self._reports.emit(Stopped(self._reports.path, end))
        self.over.set_result(end)
        if self._reports.on_exit is not None:
            self._reports.on_exit(end)


def _answer(act: Callable[[asyncio.Future[Any]], None], answer: asyncio.Future[Any]) -> None:
    if answer.done():
        return
    try:
        act(answer)
    except AirssysError as refusal:
        answer.set_exception(refusal)
    except Exception as error:
        # The supervisor ends with it; whoever asked is told like all others.
        answer.set_exception(SupervisionError(f"the supervisor failed: {error!r}", "", "stopped"))
        raise
