"""``aw.Host``: actors, supervised, in one process."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from airssys_wasm.actor import Child, Exited, GaveUp, Group, SupervisionEvent, Supervisor
from airssys_wasm.broker import Broker, Mailbox
from airssys_wasm.config import MIB, Grant, Limits
from airssys_wasm.errors import ActorNotFound, ActorStopped, SupervisionError
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.seat import Seats, Source
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from airssys_wasm.actor import RestartType, Shutdown
    from airssys_wasm.host.blocking import BlockingHost

_LOG = logging.getLogger(__name__)


class Host:
    """Actors in this process: spawned by name, supervised, closed together.

    ::

        async with aw.Host() as host:
            greeter = await host.spawn("acme/greeter", "greeter.wasm")
            reply = await greeter.ask({"n": 1}, timeout=1.0)

    Args:
        engine: what runs the components; a new one by default.
        limits: what an instance may use unless ``spawn`` says otherwise.
    """

    def __init__(self, *, engine: Engine | None = None, limits: Limits | None = None) -> None:
        self.engine = engine or Engine()
        self.limits = limits or Limits(memory_bytes_max=64 * MIB, call_seconds_max=5.0)
        self._broker = Broker(self.engine, _waker(self))
        self._seats = Seats(self._broker)
        self._root: Supervisor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @staticmethod
    def blocking(*, engine: Engine | None = None, limits: Limits | None = None) -> BlockingHost:
        """Return a host for code without an event loop: the same methods, blocking."""
        from airssys_wasm.host.blocking import BlockingHost  # noqa: PLC0415 - it stands above

        return BlockingHost(engine=engine, limits=limits)

    async def __aenter__(self) -> Self:
        """Start supervising."""
        self._loop = asyncio.get_running_loop()
        # Counted for each actor: one bad plugin must not end the others.
        self._root = Supervisor(
            Group(children=(), counted="by-child"),
            self._seats,
            name="host",
            on_event=self._supervised,
        )
        await self._root.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors, the last one first, and close everything."""
        await self.close()

    async def close(self) -> None:
        """Stop all actors, the last one first, and close everything."""
        root, self._root = self._root, None
        try:
            if root is not None:
                await root.stop()
        finally:
            self._broker.close()
            self._loop = None

    async def spawn(  # noqa: PLR0913 - options by name
        self,
        name: str,
        source: str | bytes | os.PathLike[str] | Component,
        *,
        limits: Limits | None = None,
        grant: Grant | None = None,
        imports: Mapping[str, object] | None = None,
        config: bytes | Mapping[str, object] = b"",
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
    ) -> Actor:
        """Start an actor, and return it when it serves.

        Args:
            name: its address, ``namespace/name`` or ``namespace/name/instance``; a name
                alone is in the namespace ``local``.
            source: a component, or what ``Engine.load`` takes.
            limits: what each of its instances may use; the default is the host's.
            grant: what each gets of the machine.
            imports: what the embedder supplies, as for ``Component.instantiate``.
            config: bytes for ``initialize``, or settings by name, which it is given in CBOR.
            mailbox: what waits in front of it, at most.
            restart: when it is restarted, see ``Child``.
            shutdown: how long it has to stop, see ``Child``.

        Returns:
            The actor.

        Raises:
            ActorStopped: the host is not open.
            NameTaken: another actor has the name.
            ExportMissing: the component takes no messages.
            AirssysError: it could not be loaded or started, as ``Engine.load`` and
                ``Component.instantiate`` raise.
        """
        root = self._open()
        component = source if isinstance(source, Component) else self.engine.load(source)
        made_of = Source(
            component=component,
            limits=limits or self.limits,
            grant=grant,
            imports=imports,
            # Copied: each incarnation is given the same.
            config=dict(config) if isinstance(config, Mapping) else config,
            mailbox=mailbox or Mailbox(),
        )
        seat = self._seats.take(name, made_of, restart)
        child = Child(seat.native.name, made_of, restart=restart, shutdown=shutdown)
        try:
            await root.start_child(child)
        except BaseException as error:
            self._seats.give_up(seat.native.name)
            if isinstance(error, SupervisionError) and error.__cause__ is not None:
                raise error.__cause__ from None
            raise
        return Actor(seat)

    def find(self, name: str) -> Actor:
        """Return an actor by its address.

        Raises:
            ActorNotFound: nobody has it.
        """
        native = self._broker.find(name)
        seat = self._seats.find(native.name) if native is not None else None
        if seat is None:
            raise ActorNotFound(f"there is no actor {name!r}", name)
        return Actor(seat)

    @property
    def actors(self) -> list[str]:
        """The addresses of all actors, sorted."""
        return sorted(self._broker.names)

    async def stop(self, name: str) -> None:
        """Stop an actor for good; whoever waits for it gets ``ActorStopped``.

        Raises:
            ActorNotFound: nobody has the name.
        """
        actor = self.find(name)
        await self._open().terminate_child(actor.name)
        await self._open().delete_child(actor.name)
        self._seats.give_up(actor.name)

    def _open(self) -> Supervisor:
        if self._root is None:
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        return self._root

    def _supervised(self, event: SupervisionEvent) -> None:
        if isinstance(event, GaveUp):
            self._seats.give_up(event.child)
        elif isinstance(event, Exited) and self._seats.is_over(event.child, event.exit):
            # Nobody restarts it: whoever waits for it is told.
            self._seats.give_up(event.child)

    def _drain(self) -> None:
        for what, actor, number, kind, detail in self._broker.take_events():
            seat = self._seats.find(actor)
            if what == "ended" and seat is not None:
                _LOG.warning("actor %r failed: %s", actor, detail)
                seat.ended(number, kind, detail)
            elif what == "dead-letter":
                _LOG.debug("a message to %r was not handled: %s", actor, detail)


def _waker(host: Host) -> Callable[[], None]:
    # The broker outlives the host for as long as a handler runs.
    reference = weakref.ref(host)

    def wake() -> None:
        alive = reference()
        loop = alive._loop if alive is not None else None  # noqa: SLF001 - its own
        if alive is None or loop is None:
            return
        try:
            loop.call_soon_threadsafe(alive._drain)  # noqa: SLF001 - its own
        except RuntimeError:
            # The loop was closed under the host: nobody supervises any more.
            _LOG.debug("an event was lost: the event loop is closed")

    return wake
