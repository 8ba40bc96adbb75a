"""A stop that nobody waits for any more comes to its end all the same."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

SHUTDOWN_SECONDS = 0.4


class Busy:
    """Is busy with one message for longer than it may."""

    async def handle(self, message: aw.Message) -> object:
        await asyncio.sleep(float(message.value))
        return "late"


async def give_up_waiting(stop: object) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stop, 0.05)  # type: ignore[arg-type]


def test_an_actor_is_stopped_though_whoever_stopped_it_was_cancelled(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/busy", Busy, shutdown=SHUTDOWN_SECONDS)
            await actor.send(60)
            behind = asyncio.ensure_future(actor.ask(0, timeout=10.0))
            await asyncio.sleep(0.02)
            await give_up_waiting(host.stop("acme/busy"))
            await until("it is gone", lambda: host.actors == [])
            with pytest.raises(aw.ActorStopped):
                await behind
            with pytest.raises(aw.ActorStopped):
                await actor.ask(0)
            again = await host.spawn("acme/busy", Busy)
            assert (await again.ask(0)).value == "late"

    asyncio.run(main())


def test_so_is_a_group_its_child_and_a_pool(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            children = [
                aw.Child(name, Busy, shutdown=SHUTDOWN_SECONDS)
                for name in ("acme/first", "acme/second")
            ]
            group = await host.supervise("acme/group", children=children)
            pool = await host.spawn("acme/pool", Busy, pool=2, shutdown=SHUTDOWN_SECONDS)
            for actor in (*group.children, *pool.members):
                await actor.send(60)
            await asyncio.sleep(0.02)
            await give_up_waiting(group.stop_child("acme/second"))
            await until("it is gone", lambda: "acme/second" not in host.actors)
            assert "acme/first" in host.actors
            await asyncio.gather(
                give_up_waiting(group.stop()), give_up_waiting(host.stop("acme/pool"))
            )
            await until("all are gone", lambda: host.actors == [])
            with pytest.raises(aw.ActorStopped):
                await pool.ask(0)
            await host.supervise("acme/group", children=children)
            await host.spawn("acme/pool", Busy, pool=2)

    asyncio.run(main())


def test_a_host_that_is_closed_ends_the_stops_that_go_on(engine: aw.Engine) -> None:
    async def main() -> int:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/busy", Busy, shutdown=SHUTDOWN_SECONDS)
            await actor.send(60)
            await asyncio.sleep(0.02)
            await give_up_waiting(host.stop("acme/busy"))
        return len(asyncio.all_tasks())

    began = time.monotonic()
    assert asyncio.run(main()) == 1
    assert time.monotonic() - began < 5.0


def test_two_who_stop_one_actor_harm_nobody_who_comes_after_it(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/busy", Busy, shutdown=SHUTDOWN_SECONDS)
            await actor.send(60)
            await asyncio.sleep(0.02)
            await give_up_waiting(host.stop("acme/busy"))
            await host.stop("acme/busy")
            again = await host.spawn("acme/busy", Busy)
            await asyncio.sleep(0.1)
            assert (await again.ask(0)).value == "late"

    asyncio.run(main())
