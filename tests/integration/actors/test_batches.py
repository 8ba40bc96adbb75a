"""Many messages in one crossing: order, one deadline, and what becomes of failures."""

from __future__ import annotations

import asyncio
import time

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


def test_replies_come_in_the_order_of_the_values(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            replies = await actor.ask_many(range(100))
            assert [reply.value for reply in replies] == list(range(100))
            # More than the mailbox holds: the rest follows as room is made.
            replies = await actor.ask_many(({"n": n} for n in range(5000)), codec="json")
            assert [reply.value["n"] for reply in replies] == list(range(5000))
            assert await actor.ask_many([]) == []
            assert actor.mailbox["messages_peak"] <= 1000

    asyncio.run(main())


def test_the_blocking_forms_do_the_same(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler, mailbox=aw.Mailbox(messages_max=10))
        assert [reply.value for reply in actor.ask_many(range(300))] == list(range(300))
        actor.send_many(range(300))
        assert actor.ask_many([]) == []
        count = actor.ask(b"#", codec="raw").payload
        assert int.from_bytes(count, "little") == 601


def test_what_is_sent_arrives_in_order_and_once(engine: aw.Engine) -> None:
    async def main() -> None:
        got: list[int] = []
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/log", mailbox=aw.Mailbox(messages_max=7))
            async def log(message: aw.Message) -> None:
                got.append(message.value)

            actor = host.find("acme/log")
            await actor.send_many(range(500))
            await actor.ask(500)
        assert got == list(range(501))

    asyncio.run(main())


def test_the_first_failure_is_raised_or_stands_in_its_place(
    engine: aw.Engine, handler: aw.Component
) -> None:
    values = [b"a", b"-no", b"!", b"b"]

    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            with pytest.raises(aw.MessageRefused):
                await actor.ask_many(values, codec="raw", timeout=10.0)
            got = await actor.ask_many(values, codec="raw", timeout=10.0, return_exceptions=True)
            assert [type(one).__name__ for one in got] == [
                "Reply",
                "MessageRefused",
                "ActorFailed",
                "Reply",
            ]
            assert isinstance(got[3], aw.broker.Reply)
            assert got[3].payload == b"b"
            # What cannot be sent at all is said before anything is.
            before = actor.mailbox["accepted"]
            with pytest.raises(aw.CodecError):
                await actor.ask_many([1, object()])
            with pytest.raises(aw.MessageTooLarge):
                await actor.ask_many([b"", bytes(aw.MIB + 1)], codec="raw")
            with pytest.raises(TypeError):
                await actor.ask_many(7)  # type: ignore[call-overload]
            assert actor.mailbox["accepted"] == before

    asyncio.run(main())


def test_one_deadline_ends_all(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            began = time.monotonic()
            got = await actor.ask_many(
                [b"a", b"?", b"b"], codec="raw", timeout=0.1, return_exceptions=True
            )
            assert time.monotonic() - began < 0.4
            assert [type(one).__name__ for one in got] == ["Reply", "AskTimeout", "AskTimeout"]
            with pytest.raises(aw.AskTimeout):
                await actor.ask_many([b"?"] * 3, codec="raw", timeout=0.1)
            # What waited behind was given up with it, and is never handled.
            assert (await actor.ask("after", timeout=10.0)).value == "after"

    asyncio.run(main())


def test_a_cancelled_batch_gives_its_requests_up(engine: aw.Engine) -> None:
    async def main() -> None:
        handled: list[object] = []
        go = asyncio.Event()
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/slow")
            async def slow(message: aw.Message) -> object:
                handled.append(message.value)
                await go.wait()
                return message.value

            actor = host.find("acme/slow")
            batch = asyncio.ensure_future(actor.ask_many(range(50)))
            await asyncio.sleep(0.05)
            batch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await batch
            go.set()
            assert (await actor.ask("next")).value == "next"
        assert handled == [0, "next"]

    asyncio.run(main())


def test_an_actor_that_stops_ends_a_batch(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/hang", mailbox=aw.Mailbox(messages_max=5), shutdown="immediate")
            async def hang(_: aw.Message) -> None:
                await asyncio.Event().wait()

            actor = host.find("acme/hang")
            asked = asyncio.ensure_future(actor.ask_many(range(50), return_exceptions=True))
            sent = asyncio.ensure_future(actor.send_many(range(50)))
            await asyncio.sleep(0.05)
            await host.stop("acme/hang")
            got = await asked
            assert len(got) == 50
            assert {type(one) for one in got} <= {aw.ActorFailed, aw.ActorStopped}
            with pytest.raises(aw.ActorStopped) as caught:
                await sent
            assert caught.value.__notes__[0].endswith("of 50 messages were accepted before")

    asyncio.run(main())


def test_never_waiting_says_how_many_there_was_room_for(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            go = asyncio.Event()

            @host.actor("acme/slow", mailbox=aw.Mailbox(messages_max=5))
            async def slow(_: aw.Message) -> None:
                await go.wait()

            actor = host.find("acme/slow")
            first = asyncio.ensure_future(actor.ask("first"))
            await asyncio.sleep(0.05)
            assert actor.try_send_many(range(20)) == 5
            assert actor.try_send_many([1]) == 0
            go.set()
            await first
            assert actor.try_send_many([]) == 0

    asyncio.run(main())
