"""The host for code without an event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from airssys_wasm.host.actor import Actor
from airssys_wasm.host.host import Host

if TYPE_CHECKING:
    import os
    from collections.abc import Coroutine, Iterable, Mapping
    from types import TracebackType

    from airssys_wasm.actor import RestartType, Shutdown
    from airssys_wasm.broker import Mailbox, Reply
    from airssys_wasm.config import Grant, Limits
    from airssys_wasm.host.seat import Seat
    from airssys_wasm.runtime import Component, Engine

T = TypeVar("T")


class BlockingActor:
    """An actor for code without an event loop: ``send``, ``try_send``, ``ask``, blocking."""

    __slots__ = ("_actor", "_host", "ask", "send", "try_send")

    def __init__(self, host: BlockingHost, seat: Seat) -> None:
        """Refer to the actor on a seat."""
        self._host = host
        self._actor = Actor(seat)
        self.ask = seat.native.ask_waiting
        self.send = seat.native.send_waiting
        self.try_send = seat.native.try_send

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
    def mailbox(self) -> dict[str, int]:
        """What its mailbox did, and holds."""
        return self._actor.mailbox

    def call(self, function: str, *args: object) -> Any:  # noqa: ANN401 - as the export has it
        """Call an exported function of its instance; see ``Instance.call``."""
        return self._host._run(self._actor.call(function, *args))  # noqa: SLF001 - its own

    def ask_many(self, values: Iterable[object], *, timeout: float = 5.0) -> list[Reply]:
        """Ask for each of ``values`` at once; return the replies in their order."""
        return self._host._run(self._actor.ask_many(values, timeout=timeout))  # noqa: SLF001 - its own

    def __repr__(self) -> str:
        """Name it, and say what it does."""
        return f"<BlockingActor {self.name!r} {self.status}>"


class BlockingHost:
    """A ``Host`` whose methods block; its supervisors live on a loop of their own.

    Args:
        engine: what runs the components; a new one by default.
        limits: what an instance may use unless ``spawn`` says otherwise.
    """

    def __init__(self, *, engine: Engine | None = None, limits: Limits | None = None) -> None:
        self._host = Host(engine=engine, limits=limits)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="airssys-host", daemon=True
        )

    @property
    def engine(self) -> Engine:
        """What runs the components."""
        return self._host.engine

    def __enter__(self) -> Self:
        """Start supervising."""
        self._thread.start()
        self._run(self._host.__aenter__())
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
        """Stop all actors, the last one first, and close everything."""
        if self._loop.is_closed():
            return
        try:
            self._run(self._host.close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def spawn(  # noqa: PLR0913 - options by name
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
        )
        return self._actor(self._run(spawned))

    def find(self, name: str) -> BlockingActor:
        """Return an actor by its address; see ``Host.find``."""
        return self._actor(self._host.find(name))

    @property
    def actors(self) -> list[str]:
        """The addresses of all actors, sorted."""
        return self._host.actors

    def stop(self, name: str) -> None:
        """Stop an actor for good; see ``Host.stop``."""
        self._run(self._host.stop(name))

    def _actor(self, actor: Actor) -> BlockingActor:
        return BlockingActor(self, actor._seat)  # noqa: SLF001 - its own

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
