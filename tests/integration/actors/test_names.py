"""Names: those that are taken stay whose they are, and those given up can be had again."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.waiting import until

import airssys_wasm as aw


class Counter:
    """Counts what it is sent, since it was made; fails when told to."""

    def __init__(self) -> None:
        self.count = 0

    async def handle(self, message: aw.Message) -> object:
        if message.value == "fail":
            raise RuntimeError("told to")
        self.count += 1
        return self.count


def child(name: str) -> aw.Child:
    return aw.Child(name, Counter)


async def fail_until_given_up(actor: aw.Actor) -> None:
    for _ in range(20):
        if actor.status == "stopped":
            break
        with pytest.raises((aw.ActorFailed, aw.ActorStopped)):
            await actor.ask("fail", timeout=10.0)
        await asyncio.sleep(0)
    await until("it is given up", lambda: actor.status == "stopped")


def test_who_takes_the_name_of_a_group_does_it_no_harm(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            group = await host.supervise("acme/group", children=[child("acme/first")])
            (first,) = group.children
            assert (await first.ask("x")).value == 1
            with pytest.raises(aw.SupervisionError, match="hint: another name") as caught:
                await host.supervise("acme/group", children=[child("acme/second")])
            assert caught.value.reason == "already-started"
            with pytest.raises(aw.SupervisionError):
                await host.spawn("acme/group", Counter)
            # A member of a pool is no exception.
            await host.supervise("acme/pool/2", children=[child("acme/third")])
            with pytest.raises(aw.SupervisionError):
                await host.spawn("acme/pool", Counter, pool=2)
            # All of it is as it was, and nothing is left of the others.
            assert host.actors == ["acme/first", "acme/third"]
            assert [actor.name for actor in group.children] == ["acme/first"]
            assert (await first.ask("x")).value == 2
            assert (await host.find("acme/third").ask("x")).value == 1

    asyncio.run(main())


def test_an_actor_that_was_given_up_can_be_spawned_again(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            for _ in range(2):
                actor = await host.spawn("acme/counter", Counter)
                await fail_until_given_up(actor)
                assert host.actors == []
            again = await host.spawn("acme/counter", Counter)
            assert (await again.ask("x")).value == 1
            # It starts over: its failures of before are not counted.
            with pytest.raises(aw.ActorFailed):
                await again.ask("fail")
            assert (await again.ask("x")).value == 1
            assert again.incarnation == 2
            await host.stop("acme/counter")
            await host.spawn("acme/counter", Counter)

    asyncio.run(main())


def test_a_pool_and_a_group_that_were_given_up_can_be_made_again(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/pool", Counter, pool=2)
            for member in pool.members:
                await fail_until_given_up(member)
            assert host.actors == []
            pool = await host.spawn("acme/pool", Counter, pool=2)
            assert (await pool.ask("x")).value == 1

            for _ in range(2):
                group = await host.supervise(
                    "acme/group", children=[child("acme/child")], intensity=0, backoff=SOON
                )
                (actor,) = group.children
                assert (await actor.ask("x")).value == 1
                await fail_until_given_up(actor)
                assert group.children == []

    asyncio.run(main())


def test_children_keep_their_names_through_the_restarts_of_their_group(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            group = await host.supervise(
                "acme/group",
                strategy="one-for-all",
                children=[child("acme/stays"), child("acme/other")],
                backoff=SOON,
            )
            stays, other = group.children
            with pytest.raises(aw.ActorFailed):
                await stays.ask("fail")
            await until("both came back", lambda: (stays.incarnation, other.incarnation) == (2, 2))
            # A name that is taken within a group is no reason to forget who has it.
            with pytest.raises(aw.NameTaken):
                await group.start_child(child("acme/other"))
            with pytest.raises(aw.ActorFailed):
                await stays.ask("fail")
            await until("both came back", lambda: (stays.incarnation, other.incarnation) == (3, 3))
            assert (await other.ask("x")).value == 1

    asyncio.run(main())


def test_a_name_can_be_had_again_at_once_after_its_spawn_was_cancelled(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async def slow(_event: aw.Event) -> None:
            await asyncio.sleep(20)

        async with aw.Host(engine=engine) as host:
            hooks = aw.Hooks(before_start=slow, seconds_max=30.0)
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(host.spawn("acme/echo", handler, hooks=hooks), 0.05)
                actor = await host.spawn("acme/echo", handler)
                assert (await actor.ask(b"x", codec="raw")).payload == b"x"
                await host.stop("acme/echo")

            children = [aw.Child("acme/echo", handler, hooks=hooks)]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(host.supervise("acme/group", children=children), 0.05)
            group = await host.supervise("acme/group", children=[aw.Child("acme/echo", handler)])
            with pytest.raises(aw.SupervisionError, match="is there: running"):
                await host.supervise("acme/group")
            assert [actor.status for actor in group.children] == ["running"]

    asyncio.run(main())
