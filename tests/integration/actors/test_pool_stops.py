"""The members of a pool are stopped together."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

MEMBERS = 16
#: What the stop of one member takes.
STOP_SECONDS = 0.5
NAMES = [f"acme/worker/{number}" for number in range(1, MEMBERS + 1)]


class Slow:
    """Is busy with each message for as long as it says."""

    async def handle(self, message: aw.Message) -> object:
        await asyncio.sleep(message.value)
        return "done"


class Fails:
    """Fails at the last moment: while it is stopped."""

    async def handle(self, message: aw.Message) -> object:
        await asyncio.sleep(message.value)
        raise RuntimeError("at last")


async def slowly(_: aw.Event) -> None:
    await asyncio.sleep(STOP_SECONDS)


SLOWLY = aw.Hooks(before_stop=slowly)


async def asked(pool: aw.Actor, *seconds: float) -> list[asyncio.Task[aw.Reply]]:
    """Give each member a message, and wait until all are at it."""
    asking = [
        asyncio.create_task(one.ask(each, timeout=90.0))
        for one, each in zip(pool.members, seconds, strict=True)
    ]
    await until("all are at it", lambda: pool.mailbox["delivered"] == len(seconds))
    return asking


def test_a_stop_of_a_pool_takes_as_long_as_that_of_one_member(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/worker", Slow, pool=MEMBERS, hooks=SLOWLY)
            asking = await asked(pool, *[0.1] * MEMBERS)
            events = host.events()
            began = time.monotonic()
            await host.stop("acme/worker")
            assert STOP_SECONDS <= time.monotonic() - began < 2 * STOP_SECONDS
            # Each has finished what it had.
            assert [(await one).value for one in asking] == ["done"] * MEMBERS
            assert host.actors == []
            await host.spawn("acme/worker", Slow)
            events.close()
            told = [(event.kind, event.actor) async for event in events]
        ended = [actor for kind, actor in told if kind == "ended"]
        stopped = [actor for kind, actor in told if kind == "stopped"]
        assert sorted(ended) == sorted(NAMES)
        # Each is gone for good after its end, and the pool after all of them.
        assert sorted(stopped[:-1]) == sorted(NAMES)
        assert stopped[-1] == "acme/worker"
        for name in NAMES:
            assert told.index(("ended", name)) < told.index(("stopped", name))

    asyncio.run(main())


def test_so_does_the_closing_of_a_host_whose_other_actors_go_in_reverse_order(
    engine: aw.Engine,
) -> None:
    stopping: list[str] = []

    async def note(event: aw.Event) -> None:
        stopping.append(event.actor)

    async def note_slowly(event: aw.Event) -> None:
        await note(event)
        await slowly(event)

    hooks, slow = aw.Hooks(before_stop=note), aw.Hooks(before_stop=note_slowly)

    async def main() -> float:
        async with aw.Host(engine=engine) as host:
            await host.spawn("acme/first", Slow, hooks=hooks)
            children = [aw.Child(f"acme/{name}", Slow, hooks=hooks) for name in ("inner", "outer")]
            await host.supervise("acme/group", children=children)
            pool = await host.spawn("acme/worker", Slow, pool=MEMBERS, hooks=slow)
            await host.spawn("acme/last", Slow, hooks=hooks)
            asking = await asked(pool, *[0.1] * MEMBERS)
            began = time.monotonic()
        assert [(await one).value for one in asking] == ["done"] * MEMBERS
        return time.monotonic() - began

    assert STOP_SECONDS <= asyncio.run(main()) < 2 * STOP_SECONDS
    # Begun in reverse order; the children of the group, and all others, one after the other.
    others = ["acme/outer", "acme/inner", "acme/first"]
    assert stopping == ["acme/last", *reversed(NAMES), *others]


def test_a_blocking_host_stops_a_pool_as_one_too(engine: aw.Engine) -> None:
    def slow(_: aw.Event) -> None:
        # A plain hook, on a thread of its own.
        time.sleep(STOP_SECONDS)

    hooks = aw.Hooks(before_stop=slow)
    with aw.Host.blocking(engine=engine) as host:
        host.spawn("acme/worker", Slow, pool=MEMBERS, hooks=hooks)
        began = time.monotonic()
        host.stop("acme/worker")
        assert time.monotonic() - began < 2 * STOP_SECONDS
        host.spawn("acme/worker", Slow, pool=MEMBERS, hooks=hooks)
        began = time.monotonic()
    assert time.monotonic() - began < 2 * STOP_SECONDS


@pytest.mark.parametrize("closes", [False, True])
def test_a_component_of_a_large_pool_is_asked_to_stop_like_any_other(
    engine: aw.Engine, handler: aw.Component, *, closes: bool
) -> None:
    members = 80
    counting = threading.Lock()
    under_way, most, told = 0, 0, 0

    def slow(_: aw.Event) -> None:
        nonlocal under_way, most, told
        with counting:
            under_way += 1
            most = max(most, under_way)
            told += 1
        time.sleep(0.02)
        with counting:
            under_way -= 1

    async def main() -> None:
        limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)
        async with aw.Host(engine=engine, limits=limits) as host:
            hooks = aw.Hooks(before_stop=slow)
            await host.spawn("acme/worker", handler, pool=members, hooks=hooks)
            if not closes:
                await host.stop("acme/worker")
                assert host.actors == []

    asyncio.run(main())
    # None of them was left out for want of a thread.
    assert told == members
    assert 1 < most <= 32


def test_one_that_hangs_costs_its_own_time_and_the_others_nothing(engine: aw.Engine) -> None:
    bound = STOP_SECONDS + 0.2

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/worker", Slow, pool=4, shutdown=bound, hooks=SLOWLY)
            hangs, *others = await asked(pool, 60.0, 0.1, 0.1, 0.1)
            began = time.monotonic()
            await host.stop("acme/worker")
            assert bound <= time.monotonic() - began < 2 * STOP_SECONDS
            assert [(await one).value for one in others] == ["done"] * 3
            with pytest.raises(aw.ActorFailed, match="interrupted"):
                await hangs
            assert host.actors == []

    asyncio.run(main())


def test_what_goes_wrong_with_each_is_told_of_each(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def raises(event: aw.Event) -> None:
        raise ValueError(f"hook of {event.actor}")

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            hooks = aw.Hooks(before_stop=raises)
            pool = await host.spawn("acme/worker", Fails, pool=4, hooks=hooks)
            asking = await asked(pool, *[0.1] * 4)
            await host.stop("acme/worker")
            ends = await asyncio.gather(*asking, return_exceptions=True)
            causes = [str(end.__cause__) for end in ends if isinstance(end, aw.ActorFailed)]
            assert causes == ["at last"] * 4
            assert host.actors == []

    asyncio.run(main())
    for name in NAMES[:4]:
        assert f"hook before_stop of '{name}' failed" in caplog.text
        assert f"hook of {name}" in caplog.text


def test_a_pool_that_cannot_start_takes_back_what_has_started_together(engine: aw.Engine) -> None:
    made = 0

    class Last:
        def __init__(self) -> None:
            nonlocal made
            made += 1
            if made == MEMBERS:
                raise RuntimeError("one too many")

        async def handle(self, _: aw.Message) -> None:
            """Never called."""

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            began = time.monotonic()
            with pytest.raises(RuntimeError, match="one too many"):
                await host.spawn("acme/worker", Last, pool=MEMBERS, hooks=SLOWLY)
            assert time.monotonic() - began < 2 * STOP_SECONDS
            assert host.actors == []

    asyncio.run(main())
    assert made == MEMBERS
