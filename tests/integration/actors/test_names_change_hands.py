"""A name that is free goes to whoever asks for it: nothing of the one before reaches it."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import weakref

import pytest
from tests.integration.actors.test_group_comes_back import fail
from tests.integration.actors.test_group_ends import Works
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.waiting import until

import airssys_wasm as aw
from airssys_wasm.actor import RestartType, Shutdown


class Mine(Works):
    """Says whose it is."""

    async def handle(self, message: aw.Message) -> object:
        return ("mine", await super().handle(message))[0]


def has_begun(actor: aw.Actor) -> bool:
    return actor.mailbox["delivered"] == 1


def test_a_group_that_is_restarted_does_not_take_the_seat_of_another(
    engine: aw.Engine,
) -> None:
    """The other keeps its code, with what it was granted, through its own restart too."""

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            events = host.events()
            group = await host.supervise(
                "acme/group",
                children=[aw.Child("acme/other", Works), aw.Child("acme/fails", Works)],
                intensity=0,
                backoff=SOON,
            )
            await group.stop_child("acme/other")
            mine = await host.spawn("acme/other", Mine)
            await fail(host, "acme/fails")
            await until("the group is given up", lambda: host.actors == ["acme/other"])
            assert ((await mine.ask(1)).value, mine.incarnation) == ("mine", 1)
            assert group.children == []

            await fail(host, "acme/other")
            await until(
                "it is restarted", lambda: (mine.incarnation, mine.status) == (2, "running")
            )
            assert (await mine.ask(1)).value == "mine"
            events.close()
            details = [event.detail async for event in events]
            # The reason is told, and what to do.
            assert any("went to another actor" in one and "hint:" in one for one in details), (
                details
            )

    asyncio.run(main())


def test_a_pool_that_is_stopped_spares_who_has_a_members_name_by_now(
    engine: aw.Engine,
) -> None:

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            await host.spawn("acme/worker", Works, pool=2)
            await host.stop("acme/worker/1")
            mine = await host.spawn("acme/worker/1", Mine)
            await host.stop("acme/worker")
            assert host.actors == ["acme/worker/1"]
            assert (await mine.ask(1, timeout=5.0)).value == "mine"
            await host.stop("acme/worker/1")
            assert host.actors == []

    asyncio.run(main())


def test_the_handle_of_a_group_that_was_stopped_is_not_that_of_the_next(
    engine: aw.Engine,
) -> None:

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            children = [aw.Child("acme/act", Works)]
            old = await host.supervise("acme/group", children=children)
            await old.stop()
            new = await host.supervise("acme/group", children=children)
            for refused in (
                old.stop(),
                old.stop_child("acme/act"),
                old.start_child(aw.Child("acme/two", Works)),
            ):
                with pytest.raises(aw.SupervisionError) as raised:
                    await refused
                assert raised.value.reason == "not-found"
            assert old.children == []
            assert [one.name for one in new.children] == host.actors == ["acme/act"]

    asyncio.run(main())


@pytest.mark.parametrize("shutdown", ["immediate", 0.05])
def test_a_name_is_free_when_its_stop_returns(
    engine: aw.Engine, handler: aw.Component, shutdown: Shutdown
) -> None:
    """Also where a component is in the middle of a message that never ends."""

    async def main() -> None:
        limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=30.0)
        async with aw.Host(engine=engine, limits=limits) as host:
            for _ in range(5):
                actor = await host.spawn("acme/one", handler, shutdown=shutdown)
                await actor.send(b"?", codec="raw")
                await until("it is at it", functools.partial(has_begun, actor))
                await host.stop("acme/one")
                assert (actor.status, host.actors) == ("stopped", [])

    asyncio.run(main())


@pytest.mark.parametrize("restart", ["temporary", "permanent"])
def test_what_is_given_up_is_let_go_of(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture, restart: RestartType
) -> None:
    """With the state of its last instance, long before the time for a message is over."""

    # What is logged has tracebacks, and those have all that stood in their frames.
    caplog.set_level(logging.CRITICAL + 1, "airssys_wasm")

    async def main() -> None:
        instances: list[weakref.ref[Works]] = []
        factories = []

        def factory() -> Works:
            made = Works()
            instances.append(weakref.ref(made))
            return made

        async with aw.Host(engine=engine) as host:
            for number in range(4):
                make = functools.partial(factory)
                factories.append(weakref.ref(make))
                name = f"acme/act{number}"
                actor = await host.spawn(name, make, restart=restart, handler_seconds_max=3600.0)
                del make
                while name in host.actors:
                    with pytest.raises(aw.AirssysError):
                        await actor.ask("fail", timeout=5.0)
                del actor
            await asyncio.sleep(0.05)
            gc.collect()
            assert len(instances) == 4 * (1 if restart == "temporary" else 4)
            assert sum(ref() is not None for ref in instances) == 0
            assert sum(ref() is not None for ref in factories) == 0

    asyncio.run(main())


def test_so_are_those_of_a_pool(engine: aw.Engine, handler: aw.Component) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=30.0)

    async def main() -> None:
        async with aw.Host(engine=engine, limits=limits) as host:
            for _ in range(5):
                pool = await host.spawn("acme/one", handler, pool=2, shutdown="immediate")
                for member in pool.members:
                    await member.send(b"?", codec="raw")
                    await until("it is at it", functools.partial(has_begun, member))
                await host.stop("acme/one")
                assert host.actors == []

    asyncio.run(main())
