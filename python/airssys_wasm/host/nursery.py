"""Makes children ready to be started: loaded, checked, and with a seat each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from airssys_wasm.actor import Child, Group
from airssys_wasm.broker import Mailbox
from airssys_wasm.errors import ExportMissing
from airssys_wasm.host.seat import Seats, Source
from airssys_wasm.runtime import Component, Engine

if TYPE_CHECKING:
    from airssys_wasm.config import Limits


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
        if isinstance(child.source, Group):
            children = [await self._loaded(one) for one in child.source.children]
            return replace(child, source=replace(child.source, children=children))
        if isinstance(child.source, Source):
            return child
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
