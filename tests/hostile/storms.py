"""A storm of traps beside actors that are well, in a process of its own."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.hostile.crowds import LIMITS, Found, footprint, handler

import airssys_wasm as aw

#: Requests in one turn of the load, and how long it takes from one to the next.
ASKS_PER_TURN, TURN_SECONDS = 10, 0.002
#: How often it is looked which of the ill have nothing to trap on.
LOOK_SECONDS = 0.05


class Spread:
    """How long things took, to two percent, in as little memory for a million as for one."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self.counts[math.ceil(math.log(seconds) / math.log(1.02))] += 1

    def at(self, share: float) -> float:
        """Return what so large a share of them did not take longer than."""
        left = share * self.counts.total()
        for step, count in sorted(self.counts.items()):
            left -= count
            if left <= 0:
                return 1.02**step
        raise LookupError("nothing was measured")


@dataclass
class Load:
    """A steady load on the actors that are well, and what it took."""

    actors: list[aw.Actor]
    asked: int = 0
    wrong: int = 0

    async def run(self, seconds: float) -> Found:
        """Ask one after the other for a while; say how long it took in the middle and at p99."""
        took, since_due, first = Spread(), Spread(), self.asked
        due, until = time.perf_counter(), time.perf_counter() + seconds
        while time.perf_counter() < until:
            for _ in range(ASKS_PER_TURN):
                began = time.perf_counter()
                await self._ask()
                ended = time.perf_counter()
                took.add(ended - began)
                since_due.add(ended - due)
            due += TURN_SECONDS
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        return {
            "asked": self.asked - first,
            "median": took.at(0.5),
            "p99": took.at(0.99),
            # From when each was due: how late the event loop is counts too.
            "due_median": since_due.at(0.5),
            "due_p99": since_due.at(0.99),
        }

    async def _ask(self) -> None:
        actor = self.actors[self.asked % len(self.actors)]
        self.asked += 1
        try:
            reply = await actor.ask(self.asked)
        except aw.MessagingError:
            self.wrong += 1
        else:
            self.wrong += reply.value != self.asked

    async def handled(self) -> int:
        """Add up how many messages each says that it had, this one left out."""
        counts = [await actor.ask(b"#", codec="raw") for actor in self.actors]
        return sum(int.from_bytes(count.payload, "little") - 1 for count in counts)


def storm(well: int, ill: int, quiet_seconds: float, seconds: float, wait_seconds: float) -> Found:
    """Let ``ill`` actors trap on all they get, each again ``wait_seconds`` after the last time."""
    engine = aw.Engine(cache_dir=None)
    found = asyncio.run(_storm(engine, well, ill, quiet_seconds, seconds, wait_seconds))
    return {**found, "closed": footprint(engine)}


async def _storm(
    engine: aw.Engine, well: int, ill: int, quiet_seconds: float, seconds: float, wait: float
) -> Found:
    async with aw.Host(engine=engine, limits=LIMITS) as host:
        component = handler(engine)
        load = Load([await host.spawn(f"acme/well-{one}", component) for one in range(well)])
        sick = await _sick(host, component, ill, wait)
        # What a first restart leaves for the next one is no cost of the storm.
        await _trap_for(sick, 2 * wait)
        await load.run(quiet_seconds / 4)
        found: Found = {"before": footprint(engine), "quiet": await load.run(quiet_seconds)}
        began = sum(actor.incarnation for actor in sick)
        trapping = asyncio.ensure_future(_trap_for(sick, seconds))
        found["storm"] = await load.run(seconds)
        found["traps"] = sum(actor.incarnation for actor in sick) - began
        await trapping
        found["quiet again"] = await load.run(quiet_seconds)
        found["after"] = footprint(engine)
        return {**found, **await _state(host, load, sick)}


async def _state(host: aw.Host, load: Load, sick: list[aw.Actor]) -> Found:
    replies: list[Any] = [await actor.ask("well again?") for actor in sick]
    metrics = host.metrics()
    return {
        "wrong": load.wrong,
        "asked": load.asked,
        "handled": await load.handled(),
        "incarnations": sorted({actor.incarnation for actor in load.actors}),
        "recovered": sum(reply.value == "well again?" for reply in replies),
        "waiting": metrics["messages_waiting"],
        "letters": metrics["dead_letters_posted"],
        "restarts": sum(actor.incarnation - 1 for actor in sick),
    }


async def _sick(host: aw.Host, component: aw.Component, count: int, wait: float) -> list[aw.Actor]:
    # Nobody may give them up: each restart waits as long as the one before.
    group = await host.supervise(
        "acme/ward",
        children=[aw.Child(f"acme/ill-{one}", component) for one in range(count)],
        intensity=10**9,
        backoff=aw.Backoff(first_seconds=wait, max_seconds=wait, factor=1.0),
    )
    return group.children


async def _trap_for(actors: list[aw.Actor], seconds: float) -> None:
    """Keep something to trap on in each mailbox; at the end, wait until all are up again."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for actor in actors:
            if actor.mailbox["messages"] < 2:
                actor.try_send_many([b"!"] * 2, codec="raw")
        await asyncio.sleep(LOOK_SECONDS)
    while not all(map(_is_idle, actors)):  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(LOOK_SECONDS)


def _is_idle(actor: aw.Actor) -> bool:
    return actor.status == "running" and actor.mailbox["messages"] == 0
