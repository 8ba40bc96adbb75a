"""The host for code without an event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from airssys_wasm.errors import ActorStopped, EngineError, SupervisionError
from airssys_wasm.host.actor import Actor
from airssys_wasm.host.handlers import require_name
from airssys_wasm.host.host import Host
from airssys_wasm.host.outlets import BlockingOutlets

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from types import TracebackType

    from airssys_wasm.actor import (
        AutoShutdown,
        Backoff,
        Child,
        Health,
        HealthStatus,
        Hooks,
        RestartType,
        Shutdown,
        Strategy,
    )
    from airssys_wasm.broker import Breaker, Mailbox, Rate, Retry
    from airssys_wasm.config import Grant, Limits
    from airssys_wasm.host.group import RunningGroup
    from airssys_wasm.host.handlers import AnyHandler, HandlesMessages
    from airssys_wasm.host.pools import Routing
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.runtime import Component, Engine, Receipt

T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")

_LOG = logging.getLogger(__name__)

#: As long as a handler that was cancelled holds up the end of its loop.
_LINGER_SECONDS: Final = 1.0
#: As long as Ctrl-C waits for what it interrupts to be taken back.
_TAKEN_BACK_SECONDS: Final = 5.0


class BlockingActor:
    """An actor for code without an event loop: the methods and options of ``Actor``, blocking.

    Handlers on the host's own loop cannot wait so, as the loop would wait for itself: that is
    a ``RuntimeError``. ``awaitable`` is for them.
    """

    __slots__ = (
        "_actor",
        "_host",
        "_seat",
        "ask",
        "ask_many",
        "send",
        "send_many",
        "try_send",
        "try_send_many",
    )

    def __init__(self, host: BlockingHost, seat: Seat) -> None:
        """Refer to the actor on a seat."""
        self._host = host
        self._seat = seat
        self._actor = Actor(seat)
        self.ask = seat.native.ask_waiting
        self.send = seat.native.send_waiting
        self.try_send = seat.native.try_send
        self.ask_many = seat.native.ask_many_waiting
        self.send_many = seat.native.send_many_waiting
        self.try_send_many = seat.native.try_send_many

    @property
    def awaitable(self) -> Actor:
        """The same actor for coroutines, such as handlers on the host's own loop."""
        return self._actor

    @property
    def members(self) -> list[BlockingActor]:
        """The actors behind its name, if that is a pool's; each has a name of its own."""
        return [BlockingActor(self._host, seat) for seat in self._seat.members]

    @property
    def name(self) -> str:
        """Its address."""
        return self._actor.name

    @property
    def status(self) -> str:
        """``starting``, ``running``, ``failed``, ``stopping`` or ``stopped``."""
        return self._actor.status

    @property
    def incarnation(self) -> int:
        """Which of its instances serves, from 1; grows with each restart."""
        return self._actor.incarnation

    @property
    def health(self) -> HealthStatus:
        """``healthy``, ``degraded``, ``unhealthy``; ``unknown`` before the first check."""
        return self._actor.health

    @property
    def mailbox(self) -> dict[str, int]:
        """What its mailbox did, and holds."""
        return self._actor.mailbox

    @property
    def receipts(self) -> list[Receipt]:
        """What the last calls of its component used; see ``Actor.receipts``."""
        return self._actor.receipts

    def call(self, function: str, *args: object) -> Any:  # noqa: ANN401 - as the export has it
        """Call an exported function of its instance; see ``Instance.call``."""
        return self._host._run(self._actor.call(function, *args))  # noqa: SLF001 - its own

    def __repr__(self) -> str:
        """Name it, and say what it does."""
        return f"<BlockingActor {self.name!r} {self.status}>"


class BlockingGroup:
    """A running group for code without an event loop."""

    __slots__ = ("_group", "_host")

    def __init__(self, host: BlockingHost, group: RunningGroup) -> None:
        """Refer to a running group."""
        self._host = host
        self._group = group

    @property
    def name(self) -> str:
        """What it is called."""
        return self._group.name

    @property
    def strategy(self) -> str:
        """Who is restarted with a child that failed."""
        return self._group.strategy

    @property
    def children(self) -> list[BlockingActor]:
        """Its actors, and those of the groups within it, in start order."""
        return [self._host._actor(actor) for actor in self._group.children]  # noqa: SLF001 - its own

    def start_child(self, child: Child) -> BlockingActor:
        """Add an actor after all others; see ``RunningGroup.start_child``."""
        started = self._host._run(self._group.start_child(child))  # noqa: SLF001 - its own
        return self._host._actor(started)  # noqa: SLF001 - its own

    def stop_child(self, name: str) -> None:
        """Stop one of its actors for good; see ``RunningGroup.stop_child``."""
        self._host._run(self._group.stop_child(name))  # noqa: SLF001 - its own

    def stop(self) -> None:
        """Stop its actors and the group, for good; see ``RunningGroup.stop``."""
        self._host._run(self._group.stop())  # noqa: SLF001 - its own

    def __repr__(self) -> str:
        """Name it."""
        return f"<BlockingGroup {self.name!r} {self.strategy} of {len(self.children)}>"


class BlockingHost(BlockingOutlets):
    """A ``Host`` whose methods block; its supervisors live on a loop of their own.

    Args:
        engine: what runs the components; a new one by default.
        limits: what an instance may use unless ``spawn`` says otherwise.
    """

    def __init__(self, *, engine: Engine | None = None, limits: Limits | None = None) -> None:
        self._host = Host(engine=engine, limits=limits)
        super().__init__(self._host)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        #: Set when whoever closes it has done so.
        self._has_ended = threading.Event()
        self._dropped: weakref.finalize[Any, BlockingHost] | None = None

    @property
    def engine(self) -> Engine:
        """What runs the components."""
        return self._host.engine

    @property
    def awaitable(self) -> Host:
        """The same host for coroutines, such as handlers on its own loop; nowhere else."""
        return self._host

    def __enter__(self) -> Self:
        """Start supervising.

        Raises:
            ActorStopped: the host was closed.
            SupervisionError: it is open already.
        """
        with self._lock:
            if self._is_closed:
                raise ActorStopped("the host was closed; hint: make a new one")
            if self._loop is not None:
                raise SupervisionError("the host is open already; hint: enter it once")
            loop = self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run_loop, args=(loop,), name="airssys-host", daemon=True
            )
            self._thread.start()
            self._dropped = weakref.finalize(self, _drop, self._host, loop, os.getpid())
            # The end of the program ends it anyway.
            self._dropped.atexit = False
        try:
            self._run(self._open())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop all actors, the last one first, and close everything."""
        self.close()

    def close(self) -> None:
        """Stop all actors, the last one first, and close everything; return when that is done."""
        try:
            self._broker.refuse_forked()
        except EngineError:
            # Its loop and its threads are the parent's, who closes them.
            self._is_closed = True
            return
        self._broker.refuse_home()
        with self._lock:
            loop, thread = self._loop, self._thread
            was_closed, self._is_closed = self._is_closed, True
        if loop is None or thread is None:
            return
        if was_closed:
            self._has_ended.wait()
            return
        try:
            self._end(loop, thread)
        finally:
            self._has_ended.set()

    def _end(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        if self._dropped is not None:
            self._dropped.detach()
        try:
            asyncio.run_coroutine_threadsafe(self._host.close(), loop).result()
        finally:
            asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def spawn(  # noqa: PLR0913 - options by name
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
    ) -> BlockingActor:
        """Start an actor, and return it when it serves; see ``Host.spawn``."""
        spawned = self._host.spawn(
            name,
            source,
            limits=limits,
            grant=grant,
            imports=imports,
            config=config,
            mailbox=mailbox,
            restart=restart,
            shutdown=shutdown,
            health=health,
            hooks=hooks,
            handler_seconds_max=handler_seconds_max,
            pool=pool,
            routing=routing,
            rate=rate,
        )
        return self._actor(self._run(spawned))

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
        """Make an actor of the function below; see ``Host.actor``.

        It runs on the host's own loop, where nothing may block; ``BlockingActor.awaitable``
        and ``awaitable`` are what it can wait for.
        """
        require_name(name)

        def make(handler: AnyHandler) -> AnyHandler:
            async def on_loop() -> None:
                self._host.actor(
                    name,
                    mailbox=mailbox,
                    restart=restart,
                    shutdown=shutdown,
                    health=health,
                    hooks=hooks,
                    handler_seconds_max=handler_seconds_max,
                )(handler)

            self._run(on_loop())
            return handler

        return make

    def supervise(  # noqa: PLR0913 - options by name
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
    ) -> BlockingGroup:
        """Start actors under a supervisor of their own; see ``Host.supervise``."""
        supervised = self._host.supervise(
            name,
            strategy=strategy,
            children=children,
            intensity=intensity,
            within=within,
            backoff=backoff,
            auto_shutdown=auto_shutdown,
            restart=restart,
            shutdown=shutdown,
        )
        return BlockingGroup(self, self._run(supervised))

    def route(
        self,
        name: str,
        *,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        idempotent: bool = False,
    ) -> None:
        """Say how requests to an actor are made; see ``Host.route``."""
        self._host.route(name, retry=retry, breaker=breaker, idempotent=idempotent)

    def find(self, name: str) -> BlockingActor:
        """Return an actor by its address; see ``Host.find``."""
        return self._actor(self._host.find(name))

    @property
    def actors(self) -> list[str]:
        """The addresses of all actors, sorted."""
        return self._host.actors

    def metrics(self) -> dict[str, int]:
        """Count what there is, and what happened; see ``Host.metrics``."""
        return self._host.metrics()

    def stop(self, name: str) -> None:
        """Stop an actor for good; see ``Host.stop``."""
        self._run(self._host.stop(name))

    def __repr__(self) -> str:
        """Say whether it is open, and how many actors it has."""
        return f"<Blocking{repr(self._host).removeprefix('<')}"

    def _actor(self, actor: Actor) -> BlockingActor:
        return BlockingActor(self, actor._seat)  # noqa: SLF001 - its own

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            self._broker.refuse_forked()
            self._broker.refuse_home()
            # What is begun before the closing is ended by it.
            ended = threading.Event()
            with self._lock:
                loop = self._open_loop()
                running = asyncio.run_coroutine_threadsafe(_told(work, ended), loop)
        except BaseException:
            work.close()
            raise
        try:
            return running.result()
        except concurrent.futures.CancelledError:
            raise ActorStopped("the host was closed meanwhile") from None
        except KeyboardInterrupt:
            running.cancel()
            # What it had begun is taken back; whoever cannot wait interrupts that too.
            ended.wait(_TAKEN_BACK_SECONDS)
            raise

    async def _open(self) -> None:
        await self._host.__aenter__()
        self._broker.make_home()

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        if self._is_closed:
            raise ActorStopped("the host was closed; hint: make a new one")
        if self._loop is None:
            raise ActorStopped("the host is not open; hint: with aw.Host.blocking() as host: ...")
        return self._loop


async def _told(work: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await work
    finally:
        ended.set()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while True:
            try:
                return loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                # Its actor has failed of it; the others go on.
                _LOG.error("a handler wanted the program to end: %r", error)
    finally:
        loop.close()


def _drop(host: Host, loop: asyncio.AbstractEventLoop, pid: int) -> None:
    """End a host that nobody holds and nobody closed, from wherever that was noticed."""
    if os.getpid() != pid:
        # The thread of its loop did not come along.
        return

    async def end() -> None:
        try:
            await host.close()
        finally:
            await _end_tasks()
            loop.stop()

    asyncio.run_coroutine_threadsafe(end(), loop)
    # Last: it may be made an error.
    warnings.warn(
        "a blocking host was dropped without close(); hint: with aw.Host.blocking() as host: ...",
        ResourceWarning,
        stacklevel=2,
    )


async def _end_tasks() -> None:
    """Let what was cancelled with the host come to its end, as ``asyncio.run`` does."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_LINGER_SECONDS)
