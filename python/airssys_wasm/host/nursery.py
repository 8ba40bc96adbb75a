"""Makes children ready to be started: loaded, checked, and with a seat each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from airssys_wasm.actor import Child, Group
from airssys_wasm.broker import Mailbox
from airssys_wasm.errors import ActorStopped, ExportMissing, ValueMismatch
from airssys_wasm.host.handlers import HANDLER_SECONDS_MAX, HandlerSource, made_by
from airssys_wasm.host.seat import Seats, Source
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from airssys_wasm.broker import Courier
    from airssys_wasm.config import Limits
    from airssys_wasm.host.handlers import Handler


class Nursery:
    """The one way by which a child comes to a supervisor of a host.

    Args:
        engine: loads components.
        limits: what an instance may use unless its child says otherwise.
        seats: where the places are.
    """

    def __init__(self, engine: Engine, limits: Limits, seats: Seats) -> None:
        self._engine = engine
        self._limits = limits
        self._seats = seats
        #: What brings messages to Python handlers; none while the host is not open.
        self.courier: Courier | None = None

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
        loaded = await self.load(child)
        taken: list[str] = []
        try:
            return self._seated(loaded, above, taken, is_dynamic=is_dynamic)
        except BaseException:
            for name in reversed(taken):
                self._seats.give_up(name)
            raise

    async def load(self, child: Child) -> Child:
        """Return ``child`` with what it is made of, as ``admit`` raises."""
        if isinstance(child.source, Group):
            children = [await self.load(one) for one in child.source.children]
            return replace(child, source=replace(child.source, children=children))
        if isinstance(child.source, Source | HandlerSource):
            return child
        if callable(child.source):
            return self.handled(child, made_by(child.source))
        if child.handler_seconds_max is not None:
            raise ValueMismatch(
                "handler_seconds_max is for Python actors; hint: Limits(call_seconds_max=...)",
                "handler_seconds_max",
            )
        component = await self._component(child.source)
        _require_checks(child, component)
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

    def handled(self, child: Child, make: Callable[[], Handler]) -> Child:
        """Return a Python child with what it is made of.

        Raises:
            ActorStopped: the host is not open.
            ValueMismatch: an option is for components, or outside its range.
        """
        if self.courier is None:
            raise ActorStopped("the host is not open; hint: async with aw.Host() as host: ...")
        for option in ("limits", "grant", "imports", "config", "health", "rate"):
            if getattr(child, option):
                raise ValueMismatch(f"{option} is for components", option)
        seconds = child.handler_seconds_max
        source = HandlerSource(
            make=make,
            courier=self.courier,
            handler_seconds_max=HANDLER_SECONDS_MAX if seconds is None else seconds,
            mailbox=child.mailbox or Mailbox(),
            hooks=child.hooks,
        )
        return replace(child, source=source)

    async def _component(self, source: object) -> Component:
        if isinstance(source, Component):
            return source
        # Compiling takes as long as it takes.
        return await asyncio.to_thread(self._engine.load, source)  # type: ignore[arg-type]  # it checks

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
        seat = self._seats.take(child, above)
        seat.is_dynamic = is_dynamic
        taken.append(seat.native.name)
        return replace(child, name=seat.native.name)


def _require_checks(child: Child, component: Component) -> None:
    health = child.health
    if health is None or health.check is not None or component.lifecycle("health") is not None:
        return
    raise ExportMissing(
        f"component {component.name!r} exports no health() to ask; "
        "hint: Health(check=...), or build it with airssys:core/lifecycle"
    )
