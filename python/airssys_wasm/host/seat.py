"""The place of one actor: its mailbox, and the instance that sits in front of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airssys_wasm._native.runtime import Variant
from airssys_wasm.actor import (
    Child,
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
from airssys_wasm.config import Grant, Limits
from airssys_wasm.errors import ActorStopped, AirssysError
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.checkup import Checkup
from airssys_wasm.runtime.lifecycle import Identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airssys_wasm.actor import EventKind, Health, HealthStatus, Hooks, RestartType
    from airssys_wasm.broker import Broker, Mailbox, NativeActor
    from airssys_wasm.runtime import Component, Instance

_OCCUPY_POLL_SECONDS: Final = 0.002

#: What a component cannot meet itself has no word in the interface.
_FAILURES: Final = {ExitKind.EXCEPTION: "trapped", ExitKind.KILLED: "trapped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a child of a host is made of.

    Args:
        component: what handles its messages.
        limits: what each instance may use.
        grant: what each gets of the machine.
        imports: what the embedder supplies.
        config: bytes for ``initialize``.
        mailbox: what waits in front of it.
        health: how often it is asked how it is doing; ``None`` is never.
        hooks: what is called around its life.
    """

    component: Component
    limits: Limits
    grant: Grant | None
    imports: Mapping[str, object] | None
    config: bytes
    mailbox: Mailbox = field(repr=False)
    health: Health | None = None
    hooks: Hooks | None = None


class Seat:
    """One name, through all its incarnations.

    Args:
        native: its cell.
        restart: when it is restarted.
        above: the groups it is in, from the outermost; empty right under the host.
        tell: told what happens to it.
    """

    def __init__(
        self,
        native: NativeActor,
        restart: RestartType,
        above: tuple[str, ...],
        tell: Callable[[Event], None],
    ) -> None:
        self.native = native
        self.restart = restart
        self.above = above
        #: Whether its group has it only since it runs.
        self.is_dynamic = False
        #: Whether its last instance ended by itself, not because it was stopped.
        self.has_left = False
        self.health: HealthStatus = "unknown"
        self.instance: Instance | None = None
        self.exited: ExitListener | None = None
        self._hooks: Hooks | None = None
        #: The last of the hooks that nobody waits for; each waits for the one before.
        self._later: asyncio.Task[None] | None = None
        self._checkup: asyncio.Task[None] | None = None
        self._tell = tell

    async def sit(self, source: Source, reason: StartReason, exited: ExitListener) -> Incarnation:
        """Make an instance and seat it."""
        self._hooks = source.hooks
        await hooks.run(source.hooks, "before_start", self.event("starting", next_one=True))
        instance = await self._make(source, reason)
        self.instance, self.exited, self.has_left = instance, exited, False
        number = await self._occupy(instance)
        incarnation = Incarnation(self, instance, number, source.component.lifecycle("shutdown"))
        try:
            self._look_after(source, instance, number)
            await hooks.run(source.hooks, "after_start", self.event("started"))
        except BaseException:
            incarnation.kill()
            raise
        return incarnation

    async def _make(self, source: Source, reason: StartReason) -> Instance:
        namespace, name, *rest = self.native.name.split("/")
        identity = Identity(
            namespace,
            name,
            rest[0] if rest else "0",
            self.native.incarnation + 1,
            start_reason(reason),
        )

        def make() -> Instance:
            return source.component.instantiate_as(
                identity,
                limits=source.limits,
                imports=source.imports,
                grant=source.grant,
                config=source.config,
            )

        # A start function, or `initialize`, may take as long as a call.
        making = asyncio.ensure_future(asyncio.to_thread(make))
        try:
            return await asyncio.shield(making)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                making.add_done_callback(_close_made)
            # What it subscribed to while it was made is over with it.
            self.native.forget_subscriptions()
            raise

    async def _occupy(self, instance: Instance) -> int:
        try:
            # A handler of the one before may still be on its way out.
            while (number := self.native.occupy(instance)) is None:
                self._require_running()
                await asyncio.sleep(_OCCUPY_POLL_SECONDS)
        except BaseException:
            self.exited = None
            instance.close()
            self.native.forget_subscriptions()
            raise
        return number

    def _require_running(self) -> None:
        if self.native.status in {"stopping", "stopped"}:
            raise ActorStopped(f"actor {self.native.name!r} was stopped", self.native.name)

    def ended(self, incarnation: int, kind: str, detail: str) -> None:
        """Take note that an incarnation has ended by itself."""
        if self.exited is not None and incarnation == self.native.incarnation:
            exited, self.exited = self.exited, None
            self.has_left = True
            self._stop_checkup()
            exited(Exit(ExitKind(kind), detail))

    # Health

    def _look_after(self, source: Source, instance: Instance, number: int) -> None:
        self.health = "unknown"
        if source.health is None:
            return
        export = source.component.lifecycle("health")
        check = source.health.check
        checkup = Checkup(
            self,
            number,
            source.health,
            (instance, export) if export is not None else None,
            (lambda: check(Actor(self))) if check is not None else None,
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
        if self.exited is None or number != self.native.incarnation:
            return
        exited, self.exited = self.exited, None
        self.has_left = True
        self.native.retire()
        if self.instance is not None:
            self.instance.close()
        exited(Exit(ExitKind.UNHEALTHY, detail))

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
                await asyncio.to_thread(self._instance.call, shutdown, str(reason))
        self.kill()

    def kill(self) -> None:
        """Take it away at once."""
        if self._seat.native.incarnation == self.number:
            self._seat.let_go()
        self._instance.close()


def _close_made(making: asyncio.Future[Any]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result().close()


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


class Seats:
    """Starts the children of a host; the ``Spawner`` of its supervisors.

    Args:
        broker: where actors are registered.
        tell: told what happens to them.
    """

    def __init__(self, broker: Broker, tell: Callable[[Event], None]) -> None:
        self._broker = broker
        self._tell = tell
        self._by_name: dict[str, Seat] = {}

    async def start(self, child: Child, reason: StartReason, exited: ExitListener) -> Incarnation:
        """Start one incarnation of a child."""
        source = child.source
        if not isinstance(source, Source):
            raise TypeError(f"child {child.name!r}: {type(source).__name__} is no source")
        seat = self._by_name.get(child.name) or self.take(child)
        return await seat.sit(source, reason, exited)

    def is_over(self, name: str, end: Exit) -> bool:
        """Say whether nobody restarts an actor after this end."""
        seat = self._by_name.get(name)
        if seat is None or seat.restart == "permanent":
            return False
        # A transient one that was stopped along with a sibling comes back with it.
        return seat.restart == "temporary" or (end.is_clean and seat.has_left)

    def take(self, child: Child, above: tuple[str, ...] = ()) -> Seat:
        """Make the seat of a child that is ready to be started.

        Raises:
            NameTaken: another actor has its name.
        """
        assert isinstance(child.source, Source)
        mailbox = child.source.mailbox
        native = self._broker.register(
            child.name,
            messages_max=mailbox.messages_max,
            bytes_max=mailbox.bytes_max,
            when_full=mailbox.when_full,
        )
        seat = self._by_name[native.name] = Seat(native, child.restart, above, self._tell)
        return seat

    def find(self, name: str) -> Seat | None:
        """Return the seat of a name."""
        return self._by_name.get(name)

    def below(self, above: tuple[str, ...]) -> list[Seat]:
        """Return all seats in a group, and in those within it, in the order they were taken."""
        depth = len(above)
        return [seat for seat in self._by_name.values() if seat.above[:depth] == above]

    def give_up(self, name: str) -> None:
        """Stop an actor for good: whoever waits for it is told."""
        if (seat := self._by_name.pop(name, None)) is not None:
            seat.exited = None
            seat.native.stop()

    def give_up_group(self, above: tuple[str, ...], *, only_dynamic: bool = False) -> None:
        """Stop all actors in a group for good, the last one first."""
        for seat in reversed(self.below(above)):
            if seat.is_dynamic or not only_dynamic:
                self.give_up(seat.native.name)

    async def settle(self) -> None:
        """Wait until the hooks that nobody waited for have ended."""
        await asyncio.gather(*(seat.settle() for seat in tuple(self._by_name.values())))
