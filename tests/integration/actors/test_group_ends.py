"""A group that ends by itself: what becomes of its actors and their names."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import pytest
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.waiting import until

import airssys_wasm as aw
from airssys_wasm.actor import RestartType


class Works:
    """Answers; fails when told to."""

    async def handle(self, message: aw.Message) -> object:
        if message.value == "fail":
            raise RuntimeError("told to")
        return message.value


async def supervised(host: aw.Host, *names: str, restart: RestartType) -> aw.RunningGroup:
    return await host.supervise(
        "acme/group",
        children=[aw.Child(name, Works) for name in names],
        intensity=0,
        restart=restart,
        backoff=SOON,
    )


def has_come_back(actor: aw.Actor, times: int) -> bool:
    return actor.incarnation == times + 1


async def on_its_way_out(group: aw.RunningGroup, *, comes_back: int) -> None:
    """Have the group end; return when its end has begun."""
    first = group.children[0]
    for turn in range(comes_back + 1):
        with pytest.raises(aw.ActorFailed):
            await first.ask("fail")
        if turn < comes_back:
            await until("it is back", functools.partial(has_come_back, first, turn + 1))


@pytest.mark.parametrize(
    ("restart", "turns"),
    [("temporary", range(25)), ("transient", range(25)), ("permanent", range(0, 25, 4))],
)
def test_a_group_that_ends_just_as_another_takes_its_name_harms_nobody(
    engine: aw.Engine, restart: RestartType, turns: range
) -> None:
    """Whenever the other one comes, it is refused or whole, and nothing of the first is left."""
    # The host restarts a permanent one three times before it gives it up.
    comes_back = 3 if restart == "permanent" else 0

    async def main(turns: int) -> None:
        async with aw.Host(engine=engine) as host:
            old = await supervised(host, "acme/old-one", "acme/old-two", restart=restart)
            last = old.children[1]
            await on_its_way_out(old, comes_back=comes_back)
            for _ in range(turns):
                await asyncio.sleep(0)
            new = None
            for _ in range(500):
                # As long as the first one is there. Any other error is a failure.
                with contextlib.suppress(aw.SupervisionError):
                    new = await supervised(host, "acme/new-one", "acme/new-two", restart=restart)
                    break
                await asyncio.sleep(0)
            assert new is not None
            await until("the old are gone", lambda: host.actors == ["acme/new-one", "acme/new-two"])
            with pytest.raises(aw.ActorStopped):
                await last.ask(1)
            assert [(await one.ask(turns)).value for one in new.children] == [turns, turns]
            # The names are free, and the new one is restarted and stopped like any other.
            await host.spawn("acme/old-one", Works)
            await new.stop()
            assert host.actors == ["acme/old-one"]

    for number in turns:
        asyncio.run(main(number))


def test_who_comes_for_the_name_of_a_group_that_is_stopped_gets_it_or_is_refused(
    engine: aw.Engine,
) -> None:
    async def main(turns: int) -> None:
        async with aw.Host(engine=engine) as host:
            old = await supervised(host, "acme/old-one", restart="permanent")
            stopping = asyncio.create_task(old.stop())
            for _ in range(turns):
                await asyncio.sleep(0)
            actor = None
            for _ in range(500):
                # An actor of the group's own name.
                with contextlib.suppress(aw.SupervisionError):
                    actor = await host.spawn("acme/group", Works)
                    break
                await asyncio.sleep(0)
            await stopping
            assert actor is not None
            assert (await actor.ask(turns)).value == turns
            assert host.actors == ["acme/group"]

    for number in range(25):
        asyncio.run(main(number))


def test_a_group_that_is_restarted_has_all_its_children_again(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            inner = aw.Group(children=[aw.Child("acme/deep", Works)])
            children = [
                aw.Child("acme/once", Works, restart="temporary"),
                aw.Child("acme-inner", inner, restart="temporary"),
                aw.Child("acme/fails", Works),
            ]
            group = await host.supervise("acme/group", children=children, intensity=0, backoff=SOON)
            once, deep, fails = group.children
            with pytest.raises(aw.ActorFailed):
                await fails.ask("fail")
            for one in (once, deep, fails):
                assert (await one.ask("x", timeout=10.0)).value == "x"
            assert [one.incarnation for one in (once, deep, fails)] == [2, 2, 2]
            # A temporary child that ends by itself is gone; its siblings go on.
            with pytest.raises(aw.ActorFailed):
                await once.ask("fail")
            await until("it is gone", lambda: host.actors == ["acme/deep", "acme/fails"])
            with pytest.raises(aw.ActorFailed):
                await host.find("acme/deep").ask("fail")
            assert (await deep.ask("x", timeout=10.0)).value == "x"

    asyncio.run(main())
