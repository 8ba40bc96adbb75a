"""``Hooks(on_message=...)``: each message that an actor is handed, told beside it."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


class Echo:
    async def handle(self, message: aw.Message) -> object:
        if message.value == "boom":
            raise RuntimeError("on purpose")
        return message.value


def test_it_hears_all_in_order_through_restarts(engine: aw.Engine, handler: aw.Component) -> None:
    heard: list[tuple[str, str, bytes, int]] = []

    def note(event: aw.Event) -> None:
        assert event.message is not None
        heard.append((event.actor, event.message.kind, event.message.payload, event.count))

    async def main() -> None:
        hooks = aw.Hooks(on_message=note)
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler, hooks=hooks)
            with pytest.raises(aw.ActorFailed):
                await actor.ask(b"!", codec="raw")
            for number in range(20):
                # It comes back, and messages wait for it.
                reply = await actor.ask(b"ask %d" % number, codec="raw")
                assert reply.payload == b"ask %d" % number
                await actor.send(b"tell %d" % number, codec="raw")
        # The host waits for the hook before it closes.
        expected = [("acme/echo", "ask", b"!", 0)]
        for number in range(20):
            expected.append(("acme/echo", "ask", b"ask %d" % number, 0))
            expected.append(("acme/echo", "tell", b"tell %d" % number, 0))
        assert heard == expected

    asyncio.run(main())


def test_a_python_actor_and_a_pool_are_heard_too(engine: aw.Engine) -> None:
    heard: list[tuple[str, object]] = []

    async def note(event: aw.Event) -> None:
        assert event.message is not None
        heard.append((event.actor, event.message.value))

    async def main() -> None:
        hooks = aw.Hooks(on_message=note)
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/echo", Echo, pool=2, hooks=hooks)
            for number in range(6):
                await pool.ask(number)
            await until("all are heard", lambda: len(heard) == 6)
        assert {actor for actor, _ in heard} == {"acme/echo/1", "acme/echo/2"}
        assert sorted(value for _, value in heard) == [0, 1, 2, 3, 4, 5]  # type: ignore[type-var]

    asyncio.run(main())


def test_a_slow_one_holds_nobody_up_and_learns_what_it_missed(engine: aw.Engine) -> None:
    heard: list[tuple[int, int]] = []

    async def slow(event: aw.Event) -> None:
        assert event.message is not None
        heard.append((event.message.value, event.count))
        await asyncio.sleep(0.3 if event.message.value == 0 else 0)

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            mailbox = aw.Mailbox(messages_max=10_000)
            hooks = aw.Hooks(on_message=slow)
            actor = await host.spawn("acme/echo", Echo, hooks=hooks, mailbox=mailbox)
            began = time.monotonic()
            await actor.ask(0)
            for start in range(1, 3001, 500):
                await actor.ask_many(range(start, start + 500))
            # None of the asks waited for the hook.
            assert heard == [(0, 0)]
            assert time.monotonic() - began < 10
            await until("the rest is heard", lambda: len(heard) == 1001)
        # The oldest made way: it goes on with the last thousand, and is told of the others.
        assert heard[1] == (2001, 2000)
        assert heard[2:] == [(number, 0) for number in range(2002, 3001)]

    asyncio.run(main())


def test_one_that_raises_or_hangs_is_logged_and_the_next_is_told(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[object] = []

    async def bad(event: aw.Event) -> None:
        assert event.message is not None
        if event.message.value == "raise":
            raise RuntimeError("a bad hook")
        if event.message.value == "hang":
            await asyncio.sleep(60)
        heard.append(event.message.value)

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            hooks = aw.Hooks(on_message=bad, seconds_max=0.2)
            actor = await host.spawn("acme/echo", Echo, hooks=hooks)
            for value in ("raise", "hang", "good"):
                assert (await actor.ask(value)).value == value
            await until("the last is heard", lambda: heard == ["good"])

    asyncio.run(main())
    failed = [record.message for record in caplog.records if "on_message" in record.message]
    assert failed == ["hook on_message of 'acme/echo' failed"] * 2


def test_it_ends_with_its_actor(engine: aw.Engine) -> None:
    heard: list[object] = []

    async def note(event: aw.Event) -> None:
        await asyncio.sleep(0.01)
        assert event.message is not None
        heard.append(event.message.value)

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            tasks = len(asyncio.all_tasks())
            actor = await host.spawn("acme/echo", Echo, hooks=aw.Hooks(on_message=note))
            await actor.ask_many(range(5))
            await host.stop("acme/echo")
            await until("what came before is heard", lambda: heard == [0, 1, 2, 3, 4])
            await until("its task is gone", lambda: len(asyncio.all_tasks()) == tasks)

    asyncio.run(main())


def test_it_ends_with_a_host_whose_close_was_cancelled(engine: aw.Engine) -> None:
    class Busy:
        async def handle(self, _: aw.Message) -> object:
            await asyncio.sleep(3)
            return None

    async def note(_: aw.Event) -> None:
        """Hear it."""

    async def main() -> None:
        tasks = len(asyncio.all_tasks())
        host = await aw.Host(engine=engine).__aenter__()
        actor = await host.spawn("acme/busy", Busy, hooks=aw.Hooks(on_message=note))
        actor.try_send(1)
        await asyncio.sleep(0.02)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(host.close(), 0.05)
        await until("no task is left", lambda: len(asyncio.all_tasks()) == tasks)

    asyncio.run(main())
