"""A group that is restarted has all that it was made with, whatever had become of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.integration.actors.test_group_ends import Works
from tests.integration.actors.test_groups import SOON
from tests.integration.actors.waiting import until

import airssys_wasm as aw

Undo = Callable[[aw.Host, aw.RunningGroup], Awaitable[None]]


async def fail(host: aw.Host, name: str) -> None:
    actor = host.find(name)
    with pytest.raises(aw.ActorFailed):
        await actor.ask("fail")


async def temporary_ends(host: aw.Host, _: aw.RunningGroup) -> None:
    await fail(host, "acme/once")


async def child_is_stopped(_: aw.Host, group: aw.RunningGroup) -> None:
    await group.stop_child("acme/other")


async def actor_is_stopped(host: aw.Host, _: aw.RunningGroup) -> None:
    await host.stop("acme/other")


async def inner_group_gives_up(host: aw.Host, _: aw.RunningGroup) -> None:
    await fail(host, "acme/deep")


@pytest.mark.parametrize(
    ("undo", "gone"),
    [
        (temporary_ends, "acme/once"),
        (child_is_stopped, "acme/other"),
        (actor_is_stopped, "acme/other"),
        (inner_group_gives_up, "acme/deep"),
    ],
)
def test_a_child_that_was_over_comes_back_with_its_group(
    engine: aw.Engine, undo: Undo, gone: str
) -> None:

    async def main() -> None:
        inner = aw.Group(children=[aw.Child("acme/deep", Works)], intensity=0)
        async with aw.Host(engine=engine) as host:
            group = await host.supervise(
                "acme/group",
                children=[
                    aw.Child("acme/once", Works, restart="temporary"),
                    aw.Child("acme/other", Works),
                    aw.Child("acme-inner", inner, restart="transient"),
                    aw.Child("acme/fails", Works),
                ],
                intensity=0,
                backoff=SOON,
            )
            everyone = host.actors
            await undo(host, group)
            await until("it is over", lambda: gone not in host.actors)
            # Once too often: the host restarts the group as a whole.
            await fail(host, "acme/fails")
            await until("all are back", lambda: host.actors == everyone)
            await until("all serve", lambda: all(one.status == "running" for one in group.children))
            assert [(await host.find(name).ask(name)).value for name in everyone] == everyone
            await group.stop()
            assert host.actors == []

    asyncio.run(main())


def test_a_healthy_sibling_restarts_a_group_within_that_gave_up(engine: aw.Engine) -> None:

    async def main() -> None:
        inner = aw.Group(children=[aw.Child("acme/deep", Works)], intensity=0)
        async with aw.Host(engine=engine) as host:
            await host.supervise(
                "acme/group",
                strategy="one-for-all",
                children=[
                    aw.Child("acme-inner", inner, restart="transient"),
                    aw.Child("acme/bee", Works),
                ],
                backoff=SOON,
            )
            await fail(host, "acme/deep")
            await until("it is over", lambda: host.actors == ["acme/bee"])
            await fail(host, "acme/bee")
            await until("both are back", lambda: host.actors == ["acme/bee", "acme/deep"])
            assert (await host.find("acme/bee").ask(1, timeout=5.0)).value == 1
            assert (await host.find("acme/deep").ask(2, timeout=5.0)).value == 2

    asyncio.run(main())


def test_what_came_in_while_it_ran_and_is_over_is_forgotten(engine: aw.Engine) -> None:

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            group = await host.supervise(
                "acme/group", children=[aw.Child("acme/stays", Works)], backoff=SOON
            )
            await group.start_child(aw.Child("acme/extra", Works, restart="temporary"))
            await fail(host, "acme/extra")
            await until("it is over", lambda: host.actors == ["acme/stays"])
            await fail(host, "acme/stays")
            stays = host.find("acme/stays")
            await until("it is back", lambda: stays.incarnation == 2)
            await asyncio.sleep(0.05)
            assert host.actors == ["acme/stays"]

    asyncio.run(main())


def test_so_does_one_that_was_stopped_while_its_group_started(engine: aw.Engine) -> None:
    async def main() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def hold(_: aw.Event) -> None:
            begun.set()
            await go_on.wait()

        async with aw.Host(engine=engine) as host:
            starting = asyncio.ensure_future(
                host.supervise(
                    "acme/group",
                    children=[
                        aw.Child("acme/fails", Works),
                        aw.Child("acme/held", Works, hooks=aw.Hooks(before_start=hold)),
                    ],
                    intensity=0,
                    backoff=SOON,
                )
            )
            await begun.wait()
            await host.stop("acme/held")
            go_on.set()
            group = await starting
            assert host.actors == ["acme/fails"]
            await fail(host, "acme/fails")
            await until("both are back", lambda: host.actors == ["acme/fails", "acme/held"])
            await until(
                "both serve", lambda: all(one.status == "running" for one in group.children)
            )

    asyncio.run(main())
