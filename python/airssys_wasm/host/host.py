"""``aw.Host``: actors, supervised, in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import weakref
from dataclasses import astuple
from typing import TYPE_CHECKING, Self

from airssys_wasm.actor import Child, Exited, GaveUp, Group, SupervisionEvent, Supervisor
from airssys_wasm.broker import Breaker, Broker, Courier, Mailbox, Rate, Retry
from airssys_wasm.config import MIB, Grant, Limits
from airssys_wasm.errors import ActorNotFound, ActorStopped, SupervisionError, ValueMismatch
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.handlers import (
    HANDLER_SECONDS_MAX,
    AnyHandler,
    HandlerSource,
    HandlesMessages,
    made_by,
)
from airssys_wasm.host.pools import Routing, member_names
from airssys_wasm.host.seat import Seat, Seats, Source
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from airssys_wasm.actor import RestartType, Shutdown
    from airssys_wasm.host.blocking import BlockingHost
    from airssys_wasm.host.handlers import Handler

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
        self._courier: Courier | None = None
        self._starting: set[asyncio.Task[None]] = set()

    @staticmethod
    def blocking(*, engine: Engine | None = None, limits: Limits | None = None) -> BlockingHost:
        """Return a host for code without an event loop: the same methods, blocking."""
        from airssys_wasm.host.blocking import BlockingHost  # noqa: PLC0415 - it stands above

        return BlockingHost(engine=engine, limits=limits)

    async def __aenter__(self) -> Self:
        """Start supervising."""
        self._loop = asyncio.get_running_loop()
        self._courier = Courier(self._loop)
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
            self._loop = self._courier = None

    async def spawn(  # noqa: PLR0913 - options by name
        self,
        name: str,
        source: str | bytes | os.PathLike[str] | Component | Callable[[], HandlesMessages],
        *,
        limits: Limits | None = None,
        grant: Grant | None = None,
        imports: Mapping[str, object] | None = None,
        config: bytes = b"",
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
        handler_seconds_max: float | None = None,
        pool: int | None = None,
        routing: Routing = "round-robin",
        rate: Rate | None = None,
    ) -> Actor:
        """Start an actor, and return it when it serves.

        Args:
            name: its address, ``namespace/name`` or ``namespace/name/instance``; a name
                alone is in the namespace ``local``.
            source: a component, or what ``Engine.load`` takes; or, for a Python actor with
                state, a class or another factory, called anew at each start and restart:
                ``handle(message)`` of what it makes is called with each ``Message``, see
                ``actor``.
            limits: what each of its instances may use; the default is the host's.
            grant: what each gets of the machine.
            imports: what the embedder supplies, as for ``Component.instantiate``.
            config: bytes for ``initialize``.
            mailbox: what waits in front of it, at most.
            restart: when it is restarted, see ``Child``.
            shutdown: how long it has to stop, see ``Child``.
            handler_seconds_max: for a Python actor: seconds one message may take, more than
                0; 30.0 by default.
            pool: how many actors stand behind the name, 1 to 10 000: ``name/1``,
                ``name/2``, ..., each with a mailbox and restarts of its own.
            routing: which of them gets a message: each in turn, any, the one with the
                fewest messages, or, with ``"sticky"``, the same one for the same ``key=``
                (without one, for the same sender). Those that are down are passed over
                while others live.
            rate: how much each instance may send; a component that sends more is told so.

        Returns:
            The actor, or what stands for the pool.

        Raises:
            ActorStopped: the host is not open.
            NameTaken: another actor has the name.
            ExportMissing: the component takes no messages.
            ValueMismatch: an option is not for what the source is, or outside its range.
            TypeError: the source makes nothing that handles messages.
            AirssysError: it could not be loaded or started, as ``Engine.load`` and
                ``Component.instantiate`` raise.
        """
        self._open()
        made_of: Source | HandlerSource
        if isinstance(source, str | bytes | os.PathLike | Component):
            if handler_seconds_max is not None:
                raise ValueMismatch(
                    "handler_seconds_max is for Python actors; hint: Limits(call_seconds_max=...)",
                    "handler_seconds_max",
                )
            component = source if isinstance(source, Component) else self.engine.load(source)
            made_of = Source(
                component=component,
                limits=limits or self.limits,
                grant=grant,
                imports=imports,
                config=config,
                mailbox=mailbox or Mailbox(),
                rate=rate,
            )
        else:
            for_components = (limits, grant, imports, config or None, rate)
            if any(option is not None for option in for_components):
                raise ValueMismatch("limits, grant, imports, config and rate are for components")
            made_of = self._handled(made_by(source), mailbox, handler_seconds_max)
        if pool is None:
            seat = self._seats.take(name, made_of, restart)
            await self._start(seat, made_of, restart, shutdown)
        else:
            names = member_names(name, pool, routing)
            seat = self._seats.take_pool(name, names, made_of, restart, routing)
            try:
                for member in seat.members:
                    await self._start(member, made_of, restart, shutdown)
            except BaseException:
                await self._stop(seat)
                raise
        return Actor(seat)

    def actor(
        self,
        name: str,
        *,
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
        handler_seconds_max: float | None = None,
    ) -> Callable[[AnyHandler], AnyHandler]:
        """Make an actor of the function below: ``async def log(message: aw.Message)``.

        It is called with one message at a time, as a task of the host's event loop; a plain
        ``def`` in a thread. What it returns is the reply, in the codec of the message, and
        ``None`` for nothing. ``HandlerRefusal`` refuses the message; any other exception
        ends the instance, is the ``__cause__`` of what whoever asked gets, and the actor is
        restarted. It takes messages at once; they wait until it has started.

        It is cancelled when the actor is stopped, or the message took
        ``handler_seconds_max``. A function in a thread cannot be cancelled: it goes on, and
        what it returns is dropped. Nor can one be that never awaits, which holds up the
        loop and everything on it.

        Args:
            name: its address, as for ``spawn``.
            mailbox: what waits in front of it, at most.
            restart: when it is restarted, see ``Child``.
            shutdown: how long it has to finish its message, see ``Child``.
            handler_seconds_max: seconds one message may take, more than 0; 30.0 by default.

        Returns:
            What makes the actor, and gives the function back as it is.

        Raises:
            ActorStopped: the host is not open.
            NameTaken: another actor has the name.
            ValueMismatch: ``handler_seconds_max`` is outside its range.
        """
        self._open()

        def make(handler: AnyHandler) -> AnyHandler:
            made_of = self._handled(lambda: handler, mailbox, handler_seconds_max)
            seat = self._seats.take(name, made_of, restart)
            starting = asyncio.ensure_future(self._start(seat, made_of, restart, shutdown))
            self._starting.add(starting)
            starting.add_done_callback(self._started)
            return handler

        return make

    def _started(self, starting: asyncio.Task[None]) -> None:
        self._starting.discard(starting)
        if not starting.cancelled() and (error := starting.exception()) is not None:
            _LOG.error("a Python actor did not start", exc_info=error)

    def _handled(
        self,
        make: Callable[[], Handler],
        mailbox: Mailbox | None,
        handler_seconds_max: float | None,
    ) -> HandlerSource:
        if self._courier is None:
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        seconds = HANDLER_SECONDS_MAX if handler_seconds_max is None else handler_seconds_max
        return HandlerSource(
            make=make,
            courier=self._courier,
            handler_seconds_max=seconds,
            mailbox=mailbox or Mailbox(),
        )

    async def _start(
        self,
        seat: Seat,
        made_of: Source | HandlerSource,
        restart: RestartType,
        shutdown: Shutdown | None,
    ) -> None:
        child = Child(seat.native.name, made_of, restart=restart, shutdown=shutdown)
        try:
            await self._open().start_child(child)
        except BaseException as error:
            self._seats.give_up(seat.native.name)
            if isinstance(error, SupervisionError) and error.__cause__ is not None:
                raise error.__cause__ from None
            raise

    def route(
        self,
        name: str,
        *,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        idempotent: bool = False,
    ) -> None:
        """Say how requests to an actor are made, by ``ask`` and by guests.

        A request is tried again, within its timeout, when it was surely not handled: the
        mailbox was full, the message made way for others, or the handler refused it as
        ``busy``; and with ``idempotent`` also when the actor failed, or the handler refused
        it as ``failed``. Retries may overtake each other.

        Args:
            name: its address; the actor may come later. Of a pool, all members share it.
            retry: how often and when; ``None`` is never.
            breaker: when it is asked no more for a while: after failures of the actor,
                timeouts and full mailboxes, not after refusals; ``None`` is never.
            idempotent: whether handling a request twice does no harm.

        What was said before of the name is forgotten; with neither, requests are made as
        usual again.

        Raises:
            ValueMismatch: ``idempotent`` is said of requests that are never tried again.
            ValueError: the name is no address.
        """
        if idempotent and retry is None:
            raise ValueMismatch("idempotent: nothing is tried again; hint: retry=Retry()")
        self._broker.set_route(
            name,
            retry=astuple(retry) if retry else None,
            breaker=astuple(breaker) if breaker else None,
            idempotent=idempotent,
        )

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
        self._open()
        await self._stop(self.find(name)._seat)  # noqa: SLF001 - its own

    async def _stop(self, seat: Seat) -> None:
        root = self._open()
        for one in seat.members or [seat]:
            # A member may have been given up before.
            with contextlib.suppress(SupervisionError):
                await root.terminate_child(one.native.name)
                await root.delete_child(one.native.name)
            self._seats.give_up(one.native.name)
        self._seats.give_up(seat.native.name)

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
