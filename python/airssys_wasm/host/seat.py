"""The place of one actor: its mailbox, and the instance that sits in front of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airssys_wasm._native.runtime import Variant
from airssys_wasm.actor import (
    Child,
    Exit,
    ExitKind,
    ExitListener,
    Restarted,
    StartReason,
    StopReason,
    Updated,
)
from airssys_wasm.config import Grant, Limits
from airssys_wasm.errors import ActorStopped, AirssysError
from airssys_wasm.runtime.lifecycle import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airssys_wasm.actor import RestartType
    from airssys_wasm.broker import Broker, Mailbox, NativeActor
    from airssys_wasm.runtime import Component, Instance

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
        config: bytes or settings for ``initialize``.
        mailbox: what waits in front of it.
    """

    component: Component
    limits: Limits
    grant: Grant | None
    imports: Mapping[str, object] | None
    config: bytes | Mapping[str, object]
    mailbox: Mailbox = field(repr=False)


class Seat:
    """One name, through all its incarnations."""

    def __init__(self, native: NativeActor, restart: RestartType) -> None:
        """Take a seat that nobody sits on."""
        self.native = native
        self.restart = restart
        self.instance: Instance | None = None
        self.exited: ExitListener | None = None

    async def sit(self, source: Source, reason: StartReason, exited: ExitListener) -> Incarnation:
        """Make an instance and seat it."""
        namespace, name, *rest = self.native.name.split("/")
        granted = source.grant or Grant()
        desk = None
        if source.component.sends_messages:
            desk = self.native.desk(
                send=list(granted.send),
                publish=list(granted.publish),
                subscribe=list(granted.subscribe),
            )
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
                desk=desk,
            )

        # A start function, or `initialize`, may take as long as a call.
        making = asyncio.ensure_future(asyncio.to_thread(make))
        try:
            instance = await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(_close_made)
            raise
        self.instance, self.exited = instance, exited
        incarnation = self.native.occupy(instance, desk)
        if incarnation is None:
            instance.close()
            raise ActorStopped(f"actor {self.native.name!r} was stopped", self.native.name)
        return Incarnation(self, instance, incarnation, source.component.lifecycle("shutdown"))

    def ended(self, incarnation: int, kind: str, detail: str) -> None:
        """Take note that an incarnation has ended by itself."""
        if self.exited is not None and incarnation == self.native.incarnation:
            exited, self.exited = self.exited, None
            exited(Exit(ExitKind(kind), detail))


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
        if shutdown := self._shutdown:
            # Its error is only of interest to itself: it goes all the same.
            with contextlib.suppress(AirssysError):
                await asyncio.to_thread(self._instance.call, shutdown, str(reason))
        self.kill()

    def kill(self) -> None:
        """Take it away at once."""
        if self._seat.native.incarnation == self.number:
            self._seat.exited = None
            self._seat.native.retire()
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
    """Starts the children of a host; the ``Spawner`` of its supervisors."""

    def __init__(self, broker: Broker) -> None:
        """Begin without any."""
        self._broker = broker
        self._by_name: dict[str, Seat] = {}

    async def start(self, child: Child, reason: StartReason, exited: ExitListener) -> Incarnation:
        """Start one incarnation of a child."""
        source = child.source
        if not isinstance(source, Source):
            raise TypeError(f"child {child.name!r}: {type(source).__name__} is no source")
        seat = self._by_name.get(child.name) or self.take(child.name, source, child.restart)
        return await seat.sit(source, reason, exited)

    def is_over(self, name: str, end: Exit) -> bool:
        """Say whether nobody restarts an actor after this end."""
        seat = self._by_name.get(name)
        if seat is None or seat.restart == "permanent":
            return False
        return seat.restart == "temporary" or end.is_clean

    def take(self, name: str, source: Source, restart: RestartType) -> Seat:
        """Make the seat of a new name.

        Raises:
            NameTaken: another actor has it.
        """
        mailbox = source.mailbox
        native = self._broker.register(
            name,
            messages_max=mailbox.messages_max,
            bytes_max=mailbox.bytes_max,
            when_full=mailbox.when_full,
            receive=list(source.grant.receive) if source.grant else [],
        )
        seat = self._by_name[native.name] = Seat(native, restart)
        return seat

    def find(self, name: str) -> Seat | None:
        """Return the seat of a name."""
        return self._by_name.get(name)

    def give_up(self, name: str) -> None:
        """Stop an actor for good: whoever waits for it is told."""
        if (seat := self._by_name.pop(name, None)) is not None:
            seat.exited = None
            seat.native.stop()
