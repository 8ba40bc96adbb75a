"""The place of one actor: its mailbox, and the instance that sits in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from airssys_wasm._native.runtime import Variant
from airssys_wasm.actor import (
    Event,
    Exit,
    ExitKind,
    ExitListener,
    Restarted,
    StartReason,
    StopReason,
    Updated,
    hooks,
)
from airssys_wasm.actor.threads import in_thread
from airssys_wasm.config import Grant
from airssys_wasm.errors import ActorStopped, AirssysError
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.checkup import Checkup, answer_of
from airssys_wasm.host.handlers import HandlerSource
from airssys_wasm.host.source import Source
from airssys_wasm.host.tap import Tap
from airssys_wasm.runtime.lifecycle import Identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from airssys_wasm._native.runtime import Desk
    from airssys_wasm.actor import EventKind, HealthStatus, Hooks
    from airssys_wasm.broker import NativeActor
    from airssys_wasm.host.handlers import HandlerIncarnation, Serving
    from airssys_wasm.host.lease import Lease
    from airssys_wasm.runtime import Instance

_OCCUPY_POLL_SECONDS: Final = 0.002
_LOG = logging.getLogger(__name__)

#: What a component cannot meet itself has no word in the interface.
_FAILURES: Final = {ExitKind.EXCEPTION: "trapped", ExitKind.KILLED: "trapped"}


class Seat:
    """One name, through all its incarnations.

    Args:
        native: its cell.
        lease: what sits there, and which groups it is in.
        tell: told what happens to it.
    """

    def __init__(
        self,
        native: NativeActor,
        lease: Lease,
        tell: Callable[[Event], None],
    ) -> None:
        self.native = native
        self.lease = lease
        self.health: HealthStatus = "unknown"
        self.instance: Instance | None = None
        self.exited: ExitListener | None = None
        self.serving: Serving | None = None
        self.members: list[Seat] = []
        self.pool: Seat | None = None
        self._hooks: Hooks | None = None
        self._desk: Desk | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The last of the hooks that nobody waits for; each waits for the one before.
        self._later: asyncio.Task[None] | None = None
        self._checkup: asyncio.Task[None] | None = None
        self._tap: Tap | None = None
        self._tell = tell

    async def sit(
        self, source: Source | HandlerSource, reason: StartReason, exited: ExitListener
    ) -> Incarnation | HandlerIncarnation:
        """Make an instance, or a handler in Python, and seat it."""
        self._hooks = source.hooks
        if self._tap is None and source.hooks is not None and source.hooks.on_message:
            self._tap = Tap(self.native, source.hooks, lambda: self.event("message"))
        await hooks.run(source.hooks, "before_start", self.event("starting", next_one=True))
        incarnation: Incarnation | HandlerIncarnation
        if isinstance(source, HandlerSource):
            incarnation = await source.sit(self, exited)
        else:
            incarnation = await self._seat_instance(source, reason, exited)
        try:
            self._look_after(source, incarnation.number)
            await hooks.run(source.hooks, "after_start", self.event("started"))
        except BaseException:
            incarnation.kill()
            raise
        return incarnation

    async def _seat_instance(
        self, source: Source, reason: StartReason, exited: ExitListener
    ) -> Incarnation:
        self._loop = asyncio.get_running_loop()
        instance = await self._make(source, reason)
        self.instance, self.exited = instance, exited
        number = await self._occupy(instance)
        return Incarnation(self, instance, number, source.component.lifecycle("shutdown"))

    async def _make(self, source: Source, reason: StartReason) -> Instance:
        namespace, name, *rest = self.native.name.split("/")
        desk = self._desk = self._new_desk(source)
        identity = Identity(
            namespace,
            name,
            rest[0] if rest else "0",
            self.native.incarnation + 1,
            start_reason(reason),
        )

        def make() -> tuple[Instance, tuple[int, ...]]:
            instance = source.component.instantiate_as(
                identity,
                limits=source.limits,
                imports=source.imports,
                grant=source.grant,
                config=source.config,
                desk=desk,
            )
            return instance, source.component.codecs_of(instance)

        # A start function, or `initialize`, may take as long as a call.
        making = asyncio.ensure_future(in_thread(make))
        try:
            instance, codecs = await asyncio.shield(making)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                making.add_done_callback(_close_made)
            # What it subscribed to while it was made is over with it.
            self.native.forget_subscriptions()
            raise
        if codecs:
            # Where nothing was declared, no message needs to look.
            for declares in filter(None, (self, self.pool)):
                declares.native.declare(codecs)
        return instance

    def _new_desk(self, source: Source) -> Desk | None:
        if not source.component.sends_messages:
            return None
        granted = source.grant or Grant()
        return self.native.desk(
            send=list(granted.send),
            publish=list(granted.publish),
            subscribe=list(granted.subscribe),
        )

    async def _occupy(self, instance: Instance) -> int:
        try:
            # A handler of the one before may still be on its way out.
            while (number := self.native.occupy(instance, self._desk)) is None:
                self.require_running()
                await asyncio.sleep(_OCCUPY_POLL_SECONDS)
        except BaseException:
            self.exited = None
            instance.close()
            self.native.forget_subscriptions()
            raise
        return number

    @property
    def has_sat(self) -> bool:
        """Whether its child was started; before that, the start is in somebody's hands."""
        return self.native.incarnation > 0 or self.lease.was_started

    @property
    def above(self) -> tuple[str, ...]:
        """The groups it is in, from the outermost; empty right under the host."""
        return self.lease.above

    def require_running(self) -> None:
        """Return unless the actor was stopped.

        Raises:
            ActorStopped: it was.
        """
        if self.native.status in {"stopping", "stopped"}:
            raise ActorStopped(f"actor {self.native.name!r} was stopped", self.native.name)

    def ended(self, incarnation: int, kind: str, detail: str) -> None:
        """Take note that an incarnation has ended by itself."""
        if self.exited is not None and incarnation == self.native.incarnation:
            exited, self.exited = self.exited, None
            self._stop_checkup()
            exited(Exit(ExitKind(kind), detail))

    # Health

    def _look_after(self, source: Source | HandlerSource, number: int) -> None:
        self.health = "unknown"
        if source.health is None:
            return
        asked = None
        if isinstance(source, Source) and self.instance is not None:
            export = source.component.lifecycle("health")
            asked = (self.instance, export) if export is not None else None
        check = source.health.check
        checkup = Checkup(
            self,
            number,
            source.health,
            asked,
            (lambda: answer_of(check, Actor(self))) if check is not None else None,
        )
        self._checkup = asyncio.ensure_future(checkup.run())

    def _stop_checkup(self) -> None:
        if self._checkup is not None:
            self._checkup.cancel()
            self._checkup = None

    def is_found(self, number: int, status: HealthStatus, detail: str) -> None:
        """Take note of how an incarnation is doing."""
        if number == self.native.incarnation and status != self.health:
            self.health = status
            self._tell(self.event("health", reason=status, detail=detail))

    def condemn(self, number: int, detail: str) -> None:
        """End an incarnation, which is unhealthy, whatever it does."""
        self._expel(number, Exit(ExitKind.UNHEALTHY, detail))

    def call_failed(self, instance: Instance, error: BaseException) -> None:
        """Take note that a call failed, on any loop: a closed instance is over."""
        if self._loop is asyncio.get_running_loop():
            self._call_ended(instance, error)
        elif self._loop is not None:
            # Where the loop is closed nobody supervises any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._call_ended, instance, error)

    def _call_ended(self, instance: Instance, error: BaseException) -> None:
        if instance is not self.instance or not instance.closed or self.exited is None:
            return
        if isinstance(error, Exception):
            end = Exit.of(error, otherwise=ExitKind.TRAPPED)
        else:
            end = Exit(ExitKind.KILLED, "a call of it was cancelled")
        _LOG.warning("actor %r failed: %s", self.native.name, end.detail)
        self._expel(self.native.incarnation, end)

    def _expel(self, number: int, end: Exit) -> None:
        if self.exited is None or number != self.native.incarnation:
            return
        exited, self.exited = self.exited, None
        self.native.retire()
        if self.instance is not None:
            self.instance.close()
        exited(end)

    # Hooks

    def event(
        self, kind: EventKind, *, reason: str = "", detail: str = "", next_one: bool = False
    ) -> Event:
        """Return what is told of the present incarnation, or of the next one."""
        number = self.native.incarnation + next_one
        name = self.native.name
        return Event(kind=kind, actor=name, incarnation=number, reason=reason, detail=detail)

    @property
    def has_hooks(self) -> bool:
        """Whether anything is called around its life."""
        return self._hooks is not None

    @property
    def is_heard(self) -> bool:
        """Whether a hook is told of its messages."""
        return self._tap is not None

    def run_later(self, name: str, event: Event) -> None:
        """Call a hook, if there is one, that nobody waits for; after those before it."""
        before, chosen = self._later, self._hooks
        if chosen is None or getattr(chosen, name) is None:
            return

        async def run() -> None:
            if before is not None:
                await asyncio.wait({before})
            await hooks.run(chosen, name, event)

        self._later = asyncio.ensure_future(run())

    async def settle(self) -> None:
        """Wait until the hooks that nobody waited for have ended, each within its bound."""
        if self._tap is not None:
            await self._tap.end()
        if self._later is not None:
            await asyncio.wait({self._later})

    async def before_stop(self, reason: str) -> None:
        """Call the hook for a stop that begins."""
        await hooks.run(self._hooks, "before_stop", self.event("stopping", reason=reason))

    def let_go(self) -> None:
        """Take the present incarnation away at once."""
        was_wanted, self.exited = self.exited, None
        self._stop_checkup()
        self.native.retire()
        if was_wanted is not None:
            self.run_later("after_stop", self.event("stopped"))


class Incarnation:
    """One instance on its seat; what a supervisor stops."""

    def __init__(self, seat: Seat, instance: Instance, number: int, shutdown: str | None) -> None:
        """Sit."""
        self._seat = seat
        self._instance = instance
        self._shutdown = shutdown
        self.number = number

    async def stop(self, reason: StopReason, *, seconds_max: float | None) -> None:
        """Let it finish its message, call ``shutdown`` if it has one, and take it away."""
        del seconds_max  # the supervisor cancels this, and kills
        await self._seat.before_stop(str(reason))
        if shutdown := self._shutdown:
            # Its error is only of interest to itself: it goes all the same.
            with contextlib.suppress(AirssysError):
                await in_thread(self._instance.call, shutdown, str(reason))
        self.kill()

    def kill(self) -> None:
        """Take it away at once."""
        if self._seat.native.incarnation == self.number:
            self._seat.let_go()
        self._instance.close()


def _close_made(making: asyncio.Future[Any]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result()[0].close()


def start_reason(reason: StartReason) -> Variant:
    """Return ``start-reason`` of the interface."""
    if isinstance(reason, Restarted):
        failure = _FAILURES.get(reason.failure, str(reason.failure))
        return Variant(
            "restarted",
            {
                "failure": failure,
                "detail": reason.detail,
                "attempt": reason.attempt,
                "attempts-max": reason.attempts_max,
            },
        )
    if isinstance(reason, Updated):
        return Variant("updated", reason.version)
    return Variant("first")
