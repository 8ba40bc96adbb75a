"""Actors that do what their messages say, and a host full of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import airssys_wasm as aw

TALKER = Path(__file__).parents[2] / "components" / "prebuilt" / "talker.wasm"
LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=2.0)
#: Whoever says nothing of it may say and hear everything.
FREE = aw.Grant(send=["**"], receive=["**"], publish=["#"], subscribe=["#"])


class Talkers:
    """Talkers by name, each told what to do in plain words."""

    def __init__(self, host: aw.Host, component: aw.Component) -> None:
        self.host = host
        self._component = component
        self.actors: dict[str, aw.Actor] = {}

    async def add(self, name: str, grant: aw.Grant = FREE, **options: Any) -> aw.Actor:
        actor = await self.host.spawn(name, self._component, grant=grant, **options)
        self.actors[name] = actor
        return actor

    async def tell(self, name: str, command: str, *, timeout: float = 5.0) -> str:  # noqa: ASYNC109
        """Have a talker run a command; give its answer."""
        reply = await self.actors[name].ask(command.encode(), codec="raw", timeout=timeout)
        return reply.payload.decode()

    async def notes(self, name: str) -> list[str]:
        """What it noted, but for how it started."""
        return (await self.tell(name, "notes")).split("|")[1:]

    async def noted(self, name: str, count: int) -> list[str]:
        """Wait until it noted so much."""
        for _ in range(300):
            notes = await self.notes(name)
            if len(notes) >= count:
                return notes
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} noted only {notes}")


Play = Callable[[Talkers], Awaitable[None]]


def play(engine: aw.Engine, names: Mapping[str, aw.Grant] | list[str], what: Play) -> None:
    """Run a play among talkers, and see that nothing is left over."""

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            talkers = Talkers(host, engine.load(TALKER))
            grants = names if isinstance(names, Mapping) else dict.fromkeys(names, FREE)
            for name, grant in grants.items():
                await talkers.add(name, grant)
            await what(talkers)

    asyncio.run(main())
    assert engine.live_instances == 0
