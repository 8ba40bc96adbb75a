"""Makes children ready to be started: loaded, checked, and with a seat each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airssys_wasm.actor import Child, Group
from airssys_wasm.actor.threads import in_thread
from airssys_wasm.broker import Mailbox
from airssys_wasm.errors import ExportMissing, ValueMismatch
from airssys_wasm.host.handlers import (
    HANDLER_SECONDS_MAX,
    HandlerSource,
    made_by,
    require_handler,
)
from airssys_wasm.host.lease import Lease
from airssys_wasm.host.source import Source
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airssys_wasm.broker import Courier
    from airssys_wasm.config import Limits
    from airssys_wasm.host.handlers import Handler
    from airssys_wasm.host.seats import Seats

#: Components that one host loads at once.
_LOADS_MAX: Final = 8


class Nursery:
    """The one way by which a child comes to a supervisor of a host.

    Args:
        engine: loads components.
        limits: what an instance may use unless its child says otherwise.
        seats: where the places are.
        courier: what brings messages to Python actors, or raises if the host is not open.
    """

    def __init__(
        self, engine: Engine, limits: Limits, seats: Seats, courier: Callable[[], Courier]
    ) -> None:
        self._courier = courier
        self._engine = engine
        self._limits = limits
        self._seats = seats
        self._loading = asyncio.Semaphore(_LOADS_MAX)

    async def admit(
        self, child: Child, above: tuple[str, ...] = (), *, is_dynamic: bool = False
    ) -> Child:
        """Return ``child`` ready to be started under its supervisor, whose seats are taken.

        Args:
            child: an actor, or a group of them.
            above: the groups it comes into, from the outermost.
            is_dynamic: whether its group is not started with it.

        Raises:
            NameTaken: another actor has the name of one of them; none was taken.
            ExportMissing: its health is to be asked for, and there is nothing to ask.
            AirssysError: a component could not be loaded, as ``Engine.load`` raises.
        """
        loaded = await self._loaded(child)
        taken: list[str] = []
        try:
            return self._seated(loaded, above, taken, is_dynamic=is_dynamic)
        except BaseException:
            for name in reversed(taken):
                self._seats.give_up(name)
            raise

    async def _loaded(self, child: Child) -> Child:
        try:
            return await self._made_ready(child)
        except Exception as error:
            # Of several, which one it was.
            note_child(error, child.name)
            raise

    async def _made_ready(self, child: Child) -> Child:
        if isinstance(child.source, Group):
            children = [await self._loaded(one) for one in child.source.children]
            return replace(child, source=replace(child.source, children=children))
        if isinstance(child.source, Source | HandlerSource):
            return child
        if callable(child.source):
            return replace(child, source=self.handled(child, made_by(child.source)))
        component = await self._component(child.source)
        _require_checks(child, component)
        if child.handler_seconds_max is not None:
            raise ValueMismatch(
                "handler_seconds_max is for Python actors; hint: Limits(call_seconds_max=...)",
                "handler_seconds_max",
            )
        source = Source(
            component=component,
            limits=child.limits or self._limits,
            grant=child.grant,
            imports=child.imports,
            config=child.config,
            mailbox=child.mailbox or Mailbox(),
            health=child.health,
            hooks=child.hooks,
            rate=child.rate,
        )
        return replace(child, source=source)

    def handled(self, child: Child, make: Callable[[], Handler]) -> HandlerSource:
        """Return what a Python actor is made of.

        Raises:
            ValueMismatch: an option is for components only, or outside its range.
            ActorStopped: the host is not open.
        """
        for name in ("limits", "grant", "imports", "config", "rate"):
            if getattr(child, name):
                raise ValueMismatch(f"{name} is for components: a Python actor is not sealed", name)
        if child.health is not None and child.health.check is None:
            raise ValueMismatch("health: a Python actor has no health(); hint: Health(check=...)")
        seconds = child.handler_seconds_max
        return HandlerSource(
            make=make,
            courier=self._courier(),
            handler_seconds_max=HANDLER_SECONDS_MAX if seconds is None else seconds,
            mailbox=child.mailbox or Mailbox(),
            health=child.health,
            hooks=child.hooks,
        )

    def admit_handler(self, child: Child, handler: Handler) -> Child:
        """Return a Python actor ready to be started, whose seat is taken.

        Raises:
            NameTaken: another actor has the name.
            ValueMismatch: it is nothing that can be called with a message.
        """
        require_handler(handler, child.name)
        lease = Lease(self.handled(child, lambda: handler))
        seat = self._seats.take(child.name, lease)
        return replace(child, name=seat.native.name, source=lease)

    async def admit_pool(self, child: Child, names: Sequence[str], routing: str) -> list[Child]:
        """Return the members of a pool ready to be started, whose seats are taken.

        Raises:
            NameTaken: another actor has the name, or that of a member; none was taken.
            AirssysError: as for :meth:`admit`.
        """
        loaded = await self._loaded(child)
        front = self._seats.take_pool(child.name, names, _source_of(loaded), routing)
        return [replace(loaded, name=seat.native.name, source=seat.lease) for seat in front.members]

    async def _component(self, source: object) -> Component:
        if isinstance(source, Component):
            return source
        if callable(getattr(source, "handle", None)):
            kind = type(source).__name__
            raise ValueMismatch(
                f"source: a {kind} is no component; "
                f"hint: pass the class, or lambda: {kind}(...), to be called at each start",
                "source",
            )
        # Compiling takes as long as it takes, and memory; nothing else waits for it.
        async with self._loading:
            return await in_thread(self._engine.load, source)

    def _seated(
        self, child: Child, above: tuple[str, ...], taken: list[str], *, is_dynamic: bool
    ) -> Child:
        if isinstance(child.source, Group):
            within = (*above, child.name)
            # All that a group is started with comes back with it.
            children = [
                self._seated(one, within, taken, is_dynamic=False) for one in child.source.children
            ]
            return replace(child, source=replace(child.source, children=children))
        lease = Lease(_source_of(child), above, is_dynamic)
        seat = self._seats.take(child.name, lease)
        taken.append(seat.native.name)
        return replace(child, name=seat.native.name, source=lease)


def _source_of(child: Child) -> Source | HandlerSource:
    source = child.source
    assert isinstance(source, Source | HandlerSource)
    return source


def note_child(error: BaseException, name: str) -> None:
    """Say on an exception which child could not be started because of it; once."""
    if not any(note.startswith("child ") for note in getattr(error, "__notes__", ())):
        error.add_note(f"child {name!r} could not be started")


def _require_checks(child: Child, component: Component) -> None:
    health = child.health
    if health is None or health.check is not None or component.lifecycle("health") is not None:
        return
    raise ExportMissing(
        f"component {component.name!r} exports no health() to ask; "
        "hint: Health(check=...), or build it with airssys:core/lifecycle"
    )
