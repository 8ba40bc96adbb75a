"""How a host ends: closed twice, with its loop, or because its supervisor fails."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=4.0)


class Stumbles(float):
    """A time within its range that no clock can be added to."""

    def __radd__(self, other: object) -> float:
        raise RuntimeError(f"a stumble over {other!r}"[:20])


def test_a_supervisor_that_fails_ends_the_host_and_says_so(
    engine: aw.Engine, handler: aw.Component, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            events = host.events()
            bad = await host.spawn("acme/bad", handler, shutdown=Stumbles(5.0))

            @host.actor("acme/slow")
            async def slow(_message: aw.Message) -> None:
                await asyncio.sleep(20)

            other = host.find("acme/slow")
            asked = asyncio.ensure_future(other.ask(1, timeout=20.0))
            await asyncio.sleep(0.1)
            with pytest.raises(aw.SupervisionError, match="a stumble"):
                await host.stop("acme/bad")
            with pytest.raises((aw.ActorStopped, aw.ActorFailed)):
                await asyncio.wait_for(asked, 2)
            for actor in (bad, other):
                assert actor.status == "stopped"
                with pytest.raises(aw.ActorStopped):
                    await actor.ask(1)
            with pytest.raises(aw.ActorStopped, match="the host was closed"):
                await host.spawn("acme/more", handler)
            # They end, as with any host that was closed.
            assert [event async for event in events]

    with caplog.at_level(logging.CRITICAL, "airssys_wasm.host.host"):
        asyncio.run(asyncio.wait_for(main(), 10))
    assert "the host ends, its supervisor has ended" in caplog.text


def test_whoever_closes_it_too_waits_for_the_one_who_began(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:

            @host.actor("acme/slow")
            async def slow(message: aw.Message) -> object:
                await asyncio.sleep(0.3)
                return message.value

            asked = asyncio.ensure_future(host.find("acme/slow").ask(7))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            await asyncio.gather(host.close(), host.close(), host.close())
            assert time.monotonic() - began > 0.1
            assert (await asked).value == 7

    asyncio.run(main())


def test_a_close_that_is_cancelled_ends_at_once_and_so_do_the_others(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:

            @host.actor("acme/slow", shutdown=20.0)
            async def slow(_message: aw.Message) -> None:
                await asyncio.sleep(20)

            asked = asyncio.ensure_future(host.find("acme/slow").ask(7, timeout=20.0))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            first = asyncio.ensure_future(host.close())
            await asyncio.sleep(0.05)
            second = asyncio.ensure_future(host.close())
            await asyncio.sleep(0.05)
            first.cancel()
            await asyncio.wait_for(second, 2)
            assert time.monotonic() - began < 3
            with pytest.raises((aw.ActorStopped, aw.ActorFailed)):
                await asked

    asyncio.run(main())


def elsewhere(work: Callable[[], Coroutine[object, object, object]]) -> object:
    """What a coroutine returns, or raises, on a loop and a thread of its own."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(asyncio.run(asyncio.wait_for(work(), 10)))
        except Exception as error:  # noqa: BLE001 - told to the test
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    return found[0]


def test_another_loop_may_ask_and_close_and_is_told_what_it_may_not(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            echo = await host.spawn("acme/echo", handler)
            group = await host.supervise("acme/group", children=[aw.Child("acme/inner", handler)])

            async def actor() -> None:
                host.actor("acme/new")(plain)

            refused: list[Callable[[], Coroutine[object, object, object]]] = [
                lambda: host.spawn("acme/new", handler),
                lambda: host.spawn("acme/new", handler, pool=2),
                lambda: host.supervise("acme/other", children=[aw.Child("acme/new", handler)]),
                lambda: host.stop("acme/echo"),
                lambda: group.stop_child("acme/inner"),
                group.stop,
                actor,
            ]
            for work in refused:
                error = await asyncio.to_thread(elsewhere, work)
                assert isinstance(error, aw.SupervisionError), error
                assert error.reason == "other-loop"
                assert "hint: " in str(error)
            assert host.actors == ["acme/echo", "acme/inner"]

            async def ask() -> bytes:
                return (await echo.ask(b"x", codec="raw")).payload

            assert await asyncio.to_thread(elsewhere, ask) == b"x"
            assert await asyncio.to_thread(elsewhere, host.close) is None
            assert echo.status == "stopped"

    asyncio.run(main())


async def plain(message: aw.Message) -> object:
    return message.value


def test_a_function_is_no_actor_where_no_loop_runs_and_its_name_stays_free(
    engine: aw.Engine,
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            begun = host.actor("acme/late")

            def in_thread() -> None:
                with pytest.raises(aw.SupervisionError, match="no event loop runs here"):
                    host.actor("acme/thread")(plain)
                with pytest.raises(aw.SupervisionError, match="no event loop runs here"):
                    begun(plain)

            await asyncio.to_thread(in_thread)
            assert host.actors == []
            host.actor("acme/thread")(plain)
            assert (await host.find("acme/thread").ask(3)).value == 3

    asyncio.run(main())


@pytest.mark.parametrize("asked", [0, 1])
def test_a_loop_that_was_closed_under_it_hangs_nobody(
    engine: aw.Engine, handler: aw.Component, asked: int
) -> None:
    host = aw.Host(engine=engine, limits=LIMITS)
    kept: list[object] = []

    async def begin() -> aw.Actor:
        await host.__aenter__()

        @host.actor("acme/slow")
        async def slow(_message: aw.Message) -> None:
            await asyncio.sleep(20)

        echo = await host.spawn("acme/echo", handler)
        for _ in range(asked):
            kept.append(asyncio.ensure_future(host.find("acme/slow").ask(1)))
            await asyncio.sleep(0.05)
        return echo

    loop = asyncio.new_event_loop()
    echo = loop.run_until_complete(begin())
    loop.close()

    async def later() -> None:
        with pytest.raises(aw.ActorStopped, match="the event loop of the host was closed"):
            await host.spawn("acme/new", handler)
        with pytest.raises(aw.ActorStopped, match="the event loop of the host was closed"):
            await host.stop("acme/echo")
        for _ in range(2):
            await host.close()
        assert (echo.status, engine.live_instances) == ("stopped", 0)
        with pytest.raises(aw.ActorStopped):
            await echo.ask(1)
        with pytest.raises(aw.ActorStopped, match="the host was closed"):
            await host.spawn("acme/new", handler)

    asyncio.run(asyncio.wait_for(later(), 5))
