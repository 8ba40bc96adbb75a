"""``aw.Host``: actors, supervised, in one process."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from typing import TYPE_CHECKING, Self

from airssys_wasm.actor import (
    Backoff,
    Child,
    Exited,
    GaveUp,
    Group,
    Restarting,
    Stopped,
    StopReason,
    SupervisionEvent,
    Supervisor,
)
from airssys_wasm.broker import Broker, Mailbox
from airssys_wasm.config import MIB, Grant, Limits
from airssys_wasm.errors import ActorNotFound, ActorStopped, ChildInvalid
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.events import Reporter, native_event
from airssys_wasm.host.group import Grove, RunningGroup
from airssys_wasm.host.nursery import Nursery
from airssys_wasm.host.outlets import Outlets
from airssys_wasm.host.seat import Seats
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from airssys_wasm.actor import (
        AutoShutdown,
        Event,
        Health,
        Hooks,
        RestartType,
        Shutdown,
        Strategy,
    )
    from airssys_wasm.host.blocking import BlockingHost

_LOG = logging.getLogger(__name__)


class Host(Outlets):
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
        super().__init__(Broker(self.engine, _waker(self)), Reporter(self._incarnation))
        self._seats = Seats(self._broker, self._reporter.tell)
        nursery = Nursery(self.engine, self.limits, self._seats)
        self._grove = Grove(self._open, self._seats, nursery)
        self._tidying: set[asyncio.Task[None]] = set()
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
                await root.stop(StopReason.HOST_CLOSING)
                await self._seats.settle()
        finally:
            self._broker.close()
            self._drain()
            self._reporter.close()
            self._loop = None

    async def spawn(  # noqa: PLR0913 - options by name
        self,
        name: str,
        source: str | bytes | os.PathLike[str] | Component,
        *,
        limits: Limits | None = None,
        grant: Grant | None = None,
        imports: Mapping[str, object] | None = None,
        config: bytes = b"",
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
        health: Health | None = None,
        hooks: Hooks | None = None,
    ) -> Actor:
        """Start an actor, and return it when it serves.

        Args:
            name: its address, ``namespace/name`` or ``namespace/name/instance``; a name
                alone is in the namespace ``local``.
            source: a component, or what ``Engine.load`` takes.
            limits: what each of its instances may use; the default is the host's.
            grant: what each gets of the machine.
            imports: what the embedder supplies, as for ``Component.instantiate``.
            config: bytes for ``initialize``.
            mailbox: what waits in front of it, at most.
            restart: when it is restarted, see ``Child``.
            shutdown: how long it has to stop, see ``Child``.
            health: how often it is asked how it is doing; never by default.
            hooks: what is called around its life.

        Returns:
            The actor.

        Raises:
            ActorStopped: the host is not open.
            ChildInvalid: an option is not of its kind or outside its range.
            NameTaken: another actor has the name.
            ExportMissing: the component takes no messages.
            AirssysError: it could not be loaded or started, as ``Engine.load`` and
                ``Component.instantiate`` raise.
        """
        self._open()
        child = Child(
            name,
            source,
            restart=restart,
            shutdown=shutdown,
            limits=limits,
            grant=grant,
            imports=imports,
            config=config,
            mailbox=mailbox,
            health=health,
            hooks=hooks,
        )
        if child.is_group:
            raise ChildInvalid(f"child {name!r} is a group; hint: host.supervise")
        started = await self._grove.plant(child)
        return self.find(started.name)

    async def supervise(  # noqa: PLR0913 - options by name
        self,
        name: str,
        *,
        strategy: Strategy = "one-for-one",
        children: Iterable[Child] = (),
        intensity: int = 3,
        within: float = 60.0,
        backoff: Backoff | None = None,
        auto_shutdown: AutoShutdown = "never",
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
    ) -> RunningGroup:
        """Start actors under a supervisor of their own; return when all of them serve.

        A child that fails once too often ends the group; the host then restarts it as a
        whole, as ``restart`` says, and at last gives it up.

        Args:
            name: what the group is called; no message can be sent to it.
            strategy: who is restarted with a child that failed, see ``Group``.
            children: started in this order, stopped in the reverse one.
            intensity: restarts allowed within ``within``, of all children together.
            within: seconds of that window.
            backoff: waits between restarts.
            auto_shutdown: whether the end of significant children ends the group.
            restart: when the group itself is restarted.
            shutdown: how long it has to stop; what its children need by default.

        Raises:
            ActorStopped: the host is not open.
            ChildInvalid: an option is not of its kind or outside its range.
            NameTaken: another actor has the name of a child.
            SupervisionError: there is a group or an actor of that name.
            AirssysError: a child could not be loaded or started; the others were stopped.
        """
        self._open()
        group = Group(
            children=tuple(children),
            strategy=strategy,
            intensity=intensity,
            within=within,
            backoff=backoff or Backoff(),
            auto_shutdown=auto_shutdown,
        )
        await self._grove.plant(Child(name, group, restart=restart, shutdown=shutdown))
        return RunningGroup(self._grove, name, strategy)

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
        await self._grove.fell(actor.name, actor._seat.above)  # noqa: SLF001 - its own

    def _open(self) -> Supervisor:
        if self._root is None:
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        return self._root

    def _incarnation(self, name: str) -> int:
        seat = self._seats.find(name)
        return seat.native.incarnation if seat is not None else 0

    def _supervised(self, event: SupervisionEvent) -> None:
        if self._reporter.has_listeners or self._has_hook(event):
            told = self._reporter.event_of(event)
            if told is not None:
                self._run_hooks(event, told)
                self._reporter.tell(told)
        above = event.path[1:]
        if isinstance(event, GaveUp):
            self._seats.give_up(event.child)
            self._seats.give_up_group((*above, event.child))
        elif isinstance(event, Exited) and self._seats.is_over(event.child, event.exit):
            # Nobody restarts it: whoever waits for it is told.
            self._seats.give_up(event.child)
        elif isinstance(event, Stopped) and above:
            self._group_stopped(above)

    def _has_hook(self, event: SupervisionEvent) -> bool:
        if not isinstance(event, Exited | Restarting):
            return False
        seat = self._seats.find(event.child)
        return seat is not None and seat.has_hooks

    def _run_hooks(self, event: SupervisionEvent, told: Event) -> None:
        if not isinstance(event, Exited | Restarting):
            return
        seat = self._seats.find(event.child)
        if seat is None:
            return
        if isinstance(event, Restarting):
            seat.run_later("on_restart", told)
        elif told.kind == "failed":
            seat.run_later("on_error", told)

    def _group_stopped(self, above: tuple[str, ...]) -> None:
        # It comes back, if it does, with what it was made with.
        self._seats.give_up_group(above, only_dynamic=True)
        if self._loop is not None and self._root is not None:
            # Once its supervisor has decided what becomes of it.
            self._tidy(above)

    def _tidy(self, above: tuple[str, ...]) -> None:
        tidying = asyncio.ensure_future(self._grove.forget_if_over(above))
        self._tidying.add(tidying)
        tidying.add_done_callback(self._tidying.discard)

    def _drain(self) -> None:
        for told in self._broker.take_events():
            what, actor, number, kind, detail = told
            seat = self._seats.find(actor)
            if what == "ended" and seat is not None:
                _LOG.warning("actor %r failed: %s", actor, detail)
                seat.ended(number, kind, detail)
            elif (event := native_event(told)) is not None:
                if what == "dead-letter":
                    _LOG.debug("a message to %r was not handled: %s", actor, detail)
                elif what == "stopped":
                    self._reporter.forget(actor)
                self._reporter.tell(event)


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
