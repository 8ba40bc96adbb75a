"""Names change hands at random: whoever has one serves, and all are free in the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

import pytest
from tests.integration.actors.test_group_ends import Works
from tests.integration.actors.test_groups import SOON

import airssys_wasm as aw
from airssys_wasm.actor import RestartType, Strategy

NAMES = [f"acme/name{number}" for number in range(4)]
GROUPS = ["one-group", "other-group"]
RESTARTS: list[RestartType] = ["permanent", "transient", "temporary"]
STRATEGIES: list[Strategy] = ["one-for-one", "one-for-all", "rest-for-one"]
#: Several at once, so that starts, stops, failures and restarts meet.
AT_ONCE = 3
STEPS = 12


class Owned(Works):
    """Says for whom it was made."""

    def __init__(self, owner: int) -> None:
        self.owner = owner

    async def handle(self, message: aw.Message) -> object:
        await super().handle(message)
        return self.owner


class Chaos:
    """Does what users do, in any order."""

    def __init__(self, host: aw.Host, seed: int) -> None:
        self.host = host
        self.random = random.Random(seed)  # noqa: S311 - reproducible
        self.groups: list[aw.RunningGroup] = []
        #: For whom the actor of each handle was made.
        self.owners: list[tuple[aw.Actor, int]] = []

    async def step(self) -> None:
        name, restart = self.random.choice(NAMES), self.random.choice(RESTARTS)
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: self.spawn(name, restart),
            lambda: self.host.spawn(name, Works, restart=restart, pool=2),
            lambda: self.host.stop(name),
            lambda: self.ask(name, "fail"),
            lambda: self.ask(name, 1),
            lambda: self.supervise(restart),
            lambda: self.random.choice(self.groups).stop(),
            lambda: self.random.choice(self.groups).stop_child(name),
            lambda: self.random.choice(self.groups).start_child(
                aw.Child(name, Works, restart=restart)
            ),
            lambda: self.cancelled(self.spawn(name, restart)),
            lambda: self.cancelled(self.host.stop(name)),
            lambda: asyncio.sleep(self.random.choice([0, 0.01])),
        ]
        # What is refused says so with an error of ours; a timeout would be a zombie.
        with contextlib.suppress(aw.AirssysError, IndexError):
            try:
                await self.random.choice(steps)()
            except aw.AskTimeout as hung:
                raise AssertionError(f"{name} hangs") from hung

    async def spawn(self, name: str, restart: RestartType) -> None:
        owner = self.random.randrange(2**32)
        actor = await self.host.spawn(name, lambda: Owned(owner), restart=restart)
        self.owners.append((actor, owner))

    async def ask(self, name: str, what: object) -> None:
        actor = self.host.find(name)
        await self.random.choice(actor.members or [actor]).ask(what, timeout=5.0)

    async def supervise(self, restart: RestartType) -> None:
        names = self.random.sample(NAMES, 2)
        group = await self.host.supervise(
            self.random.choice(GROUPS),
            children=[
                aw.Child(name, Works, restart=self.random.choice(RESTARTS)) for name in names
            ],
            strategy=self.random.choice(STRATEGIES),
            intensity=self.random.choice([0, 3]),
            backoff=SOON,
            restart=restart,
        )
        self.groups.append(group)

    async def cancelled(self, doing: Awaitable[object]) -> None:
        task = asyncio.ensure_future(doing)
        for _ in range(self.random.randrange(8)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()

    async def steps(self) -> None:
        for _ in range(STEPS):
            await self.step()


async def _live(engine: aw.Engine, seed: int) -> None:
    async with aw.Host(engine=engine) as host:
        chaos = Chaos(host, seed)
        await asyncio.gather(*(chaos.steps() for _ in range(AT_ONCE)))
        # Restarts that are under way come to their end.
        await asyncio.sleep(0.6)
        over = (aw.ActorFailed, aw.ActorStopped, aw.ActorNotFound)
        for name in host.actors:
            with contextlib.suppress(*over):
                await host.find(name).ask(1, timeout=5.0)
        for actor, owner in chaos.owners:
            with contextlib.suppress(*over):
                assert (await actor.ask(1, timeout=5.0)).value == owner, (seed, actor)
        for name in host.actors:
            # A pool's members go with it.
            with contextlib.suppress(aw.ActorNotFound):
                await host.stop(name)
        assert host.actors == [], seed


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 8), pytest.param(8, 500, marks=[pytest.mark.soak])]
)
@pytest.mark.timeout(1200)
def test_whoever_has_a_name_serves_and_all_names_are_free_in_the_end(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture, first: int, seeds: int
) -> None:
    caplog.set_level(logging.CRITICAL + 1, "airssys_wasm")
    for seed in range(first, first + seeds):
        asyncio.run(asyncio.wait_for(_live(engine, seed), 60.0))
