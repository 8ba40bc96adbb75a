"""``aw.Host``: actors, supervised, in one process."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import weakref
from typing import TYPE_CHECKING, Final, NoReturn, Self

from airssys_wasm.actor import (
    Backoff,
    Child,
    Exit,
    Group,
    StopReason,
    Supervisor,
)
from airssys_wasm.broker import Broker, Courier
from airssys_wasm.config import MIB, Grant, Limits
from airssys_wasm.errors import (
    ActorNotFound,
    ActorStopped,
    ChildInvalid,
    SupervisionError,
    ValueMismatch,
)
from airssys_wasm.host import loops
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.events import Reporter
from airssys_wasm.host.group import Grove, RunningGroup
from airssys_wasm.host.handlers import require_name
from airssys_wasm.host.kinds import require_kind
from airssys_wasm.host.metrics import counted
from airssys_wasm.host.nursery import Nursery
from airssys_wasm.host.observer import Observer
from airssys_wasm.host.outlets import Outlets
from airssys_wasm.host.pools import Routing, member_names, require_routing
from airssys_wasm.host.routes import set_route
from airssys_wasm.host.seats import Seats
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from airssys_wasm.actor import (
        AutoShutdown,
        Health,
        Hooks,
        RestartType,
        Shutdown,
        Strategy,
    )
    from airssys_wasm.broker import Breaker, Mailbox, Rate, Retry
    from airssys_wasm.host.blocking import BlockingHost
    from airssys_wasm.host.handlers import AnyHandler, HandlesMessages

_LOG = logging.getLogger(__name__)
#: Counted for each actor: one bad plugin must not end the others.
_ROOT: Final = Group(children=(), counted="by-child")


class Host(Outlets):
    """Actors in this process: spawned by name, supervised, closed together.

    ::

        async with aw.Host() as host:
            greeter = await host.spawn("acme/greeter", "greeter.wasm")
            reply = await greeter.ask({"n": 1}, timeout=1.0)

    It belongs to the event loop it was opened in: elsewhere what starts or stops actors is
    refused (``SupervisionError``, ``other-loop``); to send and to ask is possible anywhere.

    Args:
        engine: what runs the components; a new one by default.
        limits: what an instance may use unless ``spawn`` says otherwise.

    Raises:
        ValueMismatch: one of them is not of its kind.
    """

    def __init__(self, *, engine: Engine | None = None, limits: Limits | None = None) -> None:
        require_kind("engine", engine, Engine)
        require_kind("limits", limits, Limits)
        self.engine = engine or Engine()
        self.limits = limits or Limits(memory_bytes_max=64 * MIB, call_seconds_max=5.0)
        super().__init__(Broker(self.engine, _waker(self)), Reporter(self._incarnation))
        self._seats = Seats(self._broker, self._reporter.tell)
        nursery = Nursery(self.engine, self.limits, self._seats, self._require_courier)
        self._grove = Grove(self._open, self._seats, nursery)
        self._observer = Observer(
            self._broker, self._reporter, self._seats, _ROOT.within, self._grove.forget
        )
        self._courier: Courier | None = None
        self._starting: set[asyncio.Task[None]] = set()
        self._root: Supervisor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        #: Done when it is closed, for those that close it meanwhile.
        self._closing: asyncio.Future[None] | None = None

    @staticmethod
    def blocking(*, engine: Engine | None = None, limits: Limits | None = None) -> BlockingHost:
        """Return a host for code without an event loop: the same methods, blocking."""
        from airssys_wasm.host.blocking import BlockingHost  # noqa: PLC0415 - it stands above

        return BlockingHost(engine=engine, limits=limits)

    async def __aenter__(self) -> Self:
        """Start supervising.

        Raises:
            ActorStopped: the host was closed.
            SupervisionError: it is open already.
        """
        if self._is_closed:
            raise ActorStopped("the host was closed; hint: make a new one")
        if self._loop is not None:
            raise SupervisionError("the host is open already; hint: enter it once")
        self._loop = asyncio.get_running_loop()
        self._courier = Courier(self._loop)
        self._root = Supervisor(
            _ROOT,
            self._seats,
            name="host",
            on_event=self._observer.supervised,
            on_exit=self._root_ended,
        )
        await self._root.start()
        return self

    def __enter__(self) -> NoReturn:
        """Refuse ``with``: a host is opened with ``async with``."""
        raise TypeError(
            "a Host is opened with `async with aw.Host() as host:`; "
            "hint: without an event loop, `with aw.Host.blocking() as host:`"
        )

    def __exit__(self, *_: object) -> None:
        """Do nothing: it was never entered."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors, the last one first, and close everything."""
        await self.close()

    async def close(self) -> None:
        """Stop all actors, the last one first, and close everything; return when that is done.

        The members of a pool are stopped together, at most 32 at once. Cancelling it ends
        what still runs at once. So does closing it where its event loop runs no more; from
        another loop it is closed on its own.
        """
        loop = self._loop
        if loop is not None and loop is not asyncio.get_running_loop():
            if loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.close(), loop))
            else:
                self._abandon()
        elif self._closing is not None:
            await asyncio.shield(self._closing)
        else:
            await self._close()

    async def _close(self) -> None:
        self._closing = asyncio.get_running_loop().create_future()
        root, self._root = self._root, None
        self._is_closed = True
        try:
            if root is not None:
                await root.stop(StopReason.HOST_CLOSING)
                await self._grove.settle()
                await self._seats.settle()
        finally:
            self._shut()
            try:
                await self._seats.gone(self._seats.below(()))
            finally:
                self._closing.set_result(None)

    def _abandon(self) -> None:
        """Close everything although nobody runs the tasks that would hear of it."""
        self._root, self._is_closed = None, True
        self._broker.close()
        self._seats.abandon()
        self._broker.take_events()
        self._reporter.close()
        self._loop = self._courier = None

    async def spawn(  # noqa: PLR0913 - options by name
        self,
        name: str,
        source: str | bytes | os.PathLike[str] | Component | Callable[[], HandlesMessages],
        *,
        limits: Limits | None = None,
        grant: Grant | None = None,
        imports: Mapping[str, object] | None = None,
        config: bytes | Mapping[str, object] = b"",
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
        health: Health | None = None,
        hooks: Hooks | None = None,
        handler_seconds_max: float | None = None,
        pool: int | None = None,
        routing: Routing = "round-robin",
        rate: Rate | None = None,
    ) -> Actor:
        """Start an actor, and return it when it serves.

        Args:
            name: its address, ``namespace/name`` or ``namespace/name/instance``; a name
                alone is in the namespace ``local``. Each is 1 to 64 of ``a-z 0-9 -``; the
                name at least 3, a letter first and no ``-`` last.
            source: a component, or what ``Engine.load`` takes; or, for a Python actor with
                state, a class or another factory, called anew at each start and restart:
                ``handle(message)`` of what it makes is called with each ``Message``, see
                ``actor``.
            limits: what each of its instances may use; the default is the host's.
            grant: what each gets of the machine.
            imports: what the embedder supplies, as for ``Component.instantiate``.
            config: bytes for ``initialize``, or settings by name, which it is given in CBOR.
            mailbox: what waits in front of it, at most.
            restart: when it is restarted, see ``Child``.
            shutdown: how long it has to stop, see ``Child``.
            health: how often it is asked how it is doing; never by default.
            hooks: what is called around its life.
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
            ChildInvalid: the name is no address, or an option is not of its kind or outside
                its range.
            NameTaken: another actor has the name.
            SupervisionError: a group has the name.
            ExportMissing: the component takes no messages.
            ValueMismatch: an option is not for what the source is, or outside its range.
            TypeError: the source makes nothing that handles messages.
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
            handler_seconds_max=handler_seconds_max,
            rate=rate,
        )
        if child.is_group:
            raise ChildInvalid(
                f"child {name!r} is a group; hint: await host.supervise(name, children=[...]); "
                "a Group within it is the source of a Child"
            )
        require_routing(routing, pool)
        if pool is not None:
            await self._grove.plant_pool(child, member_names(name, pool), routing)
            return self.find(name)
        started = await self._grove.plant(child)
        return self.find(started.name)

    def actor(
        self,
        name: str,
        *,
        mailbox: Mailbox | None = None,
        restart: RestartType = "permanent",
        shutdown: Shutdown | None = None,
        health: Health | None = None,
        hooks: Hooks | None = None,
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
            health: how often its ``check`` is called; never by default.
            hooks: what is called around its life.
            handler_seconds_max: seconds one message may take, more than 0; 30.0 by default.

        Returns:
            What makes the actor, and gives the function back as it is.

        Raises:
            ActorStopped: the host is not open.
            ChildInvalid: the name is no address, or an option is not of its kind or outside
                its range.
            NameTaken: another actor has the name.
            ValueMismatch: it is not above a function that takes a message, or has no name.
        """
        self._open()
        require_name(name)

        def make(handler: AnyHandler) -> AnyHandler:
            child = Child(
                name,
                handler,
                restart=restart,
                shutdown=shutdown,
                mailbox=mailbox,
                health=health,
                hooks=hooks,
                handler_seconds_max=handler_seconds_max,
            )
            # Before its name is taken: it may be another thread by now.
            self._open()
            # Its name is taken, and its mailbox open, before it starts.
            admitted = self._grove.nursery.admit_handler(child, handler)
            starting = asyncio.ensure_future(self._grove.start(admitted))
            self._starting.add(starting)
            starting.add_done_callback(functools.partial(self._started, name))
            return handler

        return make

    def _started(self, name: str, starting: asyncio.Task[None]) -> None:
        self._starting.discard(starting)
        if starting.cancelled() or (error := starting.exception()) is None:
            return
        if self._is_closed:
            # Whoever closes the host so soon does not want it.
            _LOG.debug("actor %r did not start: %s", name, error)
        else:
            _LOG.error("actor %r did not start", name, exc_info=error)

    def _require_courier(self) -> Courier:
        if self._courier is None:
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        return self._courier

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
            ChildInvalid: the name of a child is no address, or an option is not of its kind
                or outside its range.
            NameTaken: another actor has the name of a child.
            SupervisionError: there is a group or an actor of that name; it goes on.
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
        child = Child(name, group, restart=restart, shutdown=shutdown)
        return await self._grove.plant_group(child)

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
            ValueMismatch: the name is no address, an option is not of its kind, or
                ``idempotent`` is said of requests that are never tried again.
        """
        set_route(self._broker, name, retry=retry, breaker=breaker, idempotent=idempotent)

    def find(self, name: str) -> Actor:
        """Return an actor by its address.

        Raises:
            ActorNotFound: nobody has it.
            ValueMismatch: it is no text.
        """
        if not isinstance(name, str):
            raise ValueMismatch(f'name: {name!r} is no text; hint: "namespace/name"', "name")
        native = self._broker.find(name)
        seat = self._seats.find(native.name) if native is not None else None
        if seat is None:
            raise ActorNotFound(f"there is no actor {name!r}{self._why_not(name)}", name)
        return Actor(seat)

    def _why_not(self, name: str) -> str:
        if self._loop is None and not self._is_closed:
            return ": the host is not open; hint: async with aw.Host() as host: ..."
        if self._grove.has_group(name):
            return ", it is a group; hint: keep what host.supervise returned"
        return ""

    @property
    def actors(self) -> list[str]:
        """The addresses of all actors, sorted."""
        return sorted(self._broker.names)

    def metrics(self) -> dict[str, int]:
        """Count what there is, and what happened since the host was opened.

        Returns:
            ``actors`` and ``instances_live``; ``messages_waiting`` and ``bytes_waiting`` in all
            mailboxes; ``messages_delivered`` to the actors there are; ``requests_open`` that
            wait for their end; ``orphans``, ends that came after whoever asked had given up;
            ``denials``, what components wanted to say and were not granted; ``dead_letters``
            that are kept, and ``dead_letters_posted`` altogether.
        """
        return counted(self._broker, self.engine, self.dead_letters.counters)

    async def stop(self, name: str) -> None:
        """Stop an actor for good; whoever waits for it gets ``ActorStopped``.

        The members of a pool are stopped together, at most 32 at once.

        Cancelling it does not take the stop back.

        Raises:
            ActorNotFound: nobody has the name.
        """
        seat = self.find(name)._seat  # noqa: SLF001 - its own
        self._open()
        grove = self._grove
        is_pool = bool(seat.members)
        await grove.see_through(
            grove.fell_pool(seat) if is_pool else grove.fell(seat.native.name, seat.above)
        )

    def __repr__(self) -> str:
        """Say whether it is open, and how many actors it has."""
        state = "closed" if self._is_closed else "not open" if self._root is None else "open"
        count = len(self._broker.names)
        return f"<Host {state}, {count} actor{'' if count == 1 else 's'}>"

    def _open(self) -> Supervisor:
        if self._root is None:
            if self._is_closed:
                raise ActorStopped("the host was closed; hint: make a new one")
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        loops.require(self._loop)
        return self._root

    def _root_ended(self, end: Exit) -> None:
        if self._root is None:
            return
        # Nobody asked for it: without a supervisor nothing would ever serve again.
        _LOG.critical("the host ends, its supervisor has ended: %s", end)
        self._root, self._is_closed = None, True
        self._shut()

    def _shut(self) -> None:
        self._broker.close()
        self._observer.drain()
        self._reporter.close()
        self._loop = self._courier = None

    def _incarnation(self, name: str) -> int:
        seat = self._seats.find(name)
        return seat.native.incarnation if seat is not None else 0


def _waker(host: Host) -> Callable[[], None]:
    # The broker outlives the host for as long as a handler runs.
    reference = weakref.ref(host)

    def wake() -> None:
        alive = reference()
        loop = alive._loop if alive is not None else None  # noqa: SLF001 - its own
        if alive is None or loop is None:
            return
        try:
            loop.call_soon_threadsafe(alive._observer.drain)  # noqa: SLF001 - its own
        except RuntimeError:
            # The loop was closed under the host: nobody supervises any more.
            _LOG.debug("an event was lost: the event loop is closed")

    return wake
