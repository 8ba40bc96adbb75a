"""The trace of a message goes with it, and with all that is said while it is handled."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.actors.talkers import FREE, LIMITS, TALKER, Talkers, play

import airssys_wasm as aw

# The example of W3C Trace Context, and one that nobody records.
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


async def traced(talkers: Talkers, name: str, command: str, trace: str | None = TRACE) -> str:
    reply = await talkers.actors[name].ask(command.encode(), codec="raw", trace=trace)
    return reply.payload.decode()


class TestGuests:
    def test_it_is_in_the_envelope(self, engine: aw.Engine) -> None:
        async def what(talkers: Talkers) -> None:
            assert await traced(talkers, "acme/one", "trace") == TRACE
            assert await traced(talkers, "acme/one", "trace", OTHER) == OTHER
            # The next message has none of the one before.
            assert await traced(talkers, "acme/one", "trace", None) == "none"

        play(engine, ["acme/one"], what)

    def test_those_they_ask_get_it_too(self, engine: aw.Engine) -> None:
        async def what(talkers: Talkers) -> None:
            chain = "ask acme/two 1000 ask acme/three 1000 trace"
            assert await traced(talkers, "acme/one", chain) == TRACE
            assert await traced(talkers, "acme/one", chain, None) == "none"

        play(engine, ["acme/one", "acme/two", "acme/three"], what)

    @pytest.mark.parametrize(
        "command",
        [
            "publish said.here now",
            "ask acme/two 1000 publish said.here now",
            "send acme/two publish said.here now",
            "broadcast acme/two publish said.here now",
            # In the callback, which no message brings.
            "request acme/two 1000 echo do publish said.here now",
        ],
    )
    def test_it_is_on_all_they_say(self, engine: aw.Engine, command: str) -> None:
        async def what(talkers: Talkers) -> None:
            async with talkers.host.subscribe("said.#") as said:
                for trace in (TRACE, None, OTHER):
                    await traced(talkers, "acme/one", command, trace)
                    async for message in said:
                        assert (message.payload, message.trace) == (b"now", trace)
                        break

        play(engine, ["acme/one", "acme/two"], what)

    def test_what_no_message_brings_belongs_to_none(self, engine: aw.Engine) -> None:
        handle = "airssys:core/lifecycle#handle-message"

        async def what(talkers: Talkers) -> None:
            actor = talkers.actors["acme/one"]
            async with talkers.host.subscribe("said.#") as said:
                for before in ("echo hi", "request acme/two 1000 echo do publish said.here now"):
                    await traced(talkers, "acme/one", before)
                    if "said" in before:
                        async for message in said:
                            assert message.trace == TRACE
                            break
                    await actor.call(handle, 0, 0x55, b"publish said.here directly")
                    async for message in said:
                        assert (message.payload, message.trace) == (b"directly", None)
                        break

        play(engine, ["acme/one", "acme/two"], what)


class TestTheEmbedder:
    def test_python_actors_and_subscribers_see_it(self, engine: aw.Engine) -> None:
        async def main() -> None:
            async with aw.Host(engine=engine, limits=LIMITS) as host:
                talker = await host.spawn("acme/talker", TALKER, grant=FREE)

                @host.actor("acme/code")
                async def code(message: aw.Message) -> object:
                    # What code sends on is its own business.
                    reply = await talker.ask(b"trace", codec="raw", trace=message.trace)
                    return [message.trace, reply.payload.decode()]

                actor = host.find("acme/code")
                assert (await actor.ask(1, trace=TRACE)).value == [TRACE, TRACE]
                assert (await actor.ask(1)).value == [None, "none"]
                async with host.subscribe("said.#") as said:
                    await host.publish("said.here", 1, trace=TRACE)
                    async for message in said:
                        assert message.trace == TRACE
                        break
                assert await host.broadcast(["acme/code"], 1, trace=TRACE) == {}

        asyncio.run(main())

    def test_all_of_a_batch_have_it_and_a_dead_letter_keeps_it(self, engine: aw.Engine) -> None:
        async def main() -> None:
            async with aw.Host(engine=engine, limits=LIMITS) as host:
                seen: list[str | None] = []

                @host.actor("acme/code")
                async def code(message: aw.Message) -> object:
                    seen.append(message.trace)
                    if message.value == "no":
                        raise aw.HandlerRefusal("not this", "refused")
                    return message.trace

                actor = host.find("acme/code")
                replies = await actor.ask_many([1, 2], trace=TRACE)
                assert [reply.value for reply in replies] == [TRACE] * 2
                await actor.send_many([1, 2], trace=OTHER)
                assert actor.try_send_many([1], trace=TRACE) == 1
                assert (await actor.ask("last")).value is None
                assert seen == [TRACE, TRACE, OTHER, OTHER, TRACE, None]
                await actor.send("no", trace=TRACE)
                await actor.send("no")
                assert (await actor.ask("after")).value is None
                assert [letter.trace for letter in host.dead_letters] == [TRACE, None]
                with pytest.raises(ValueError, match="traceparent"):
                    await actor.ask_many([1], trace="nonsense")

        asyncio.run(main())

    def test_it_is_kept_by_a_route_that_tries_again(self, engine: aw.Engine) -> None:
        async def main() -> None:
            async with aw.Host(engine=engine, limits=LIMITS) as host:
                seen: list[str | None] = []

                @host.actor("acme/shaky")
                async def shaky(message: aw.Message) -> object:
                    seen.append(message.trace)
                    if len(seen) < 3:
                        raise aw.HandlerRefusal("later", "busy")
                    return len(seen)

                host.route("acme/shaky", retry=aw.Retry(first_delay_seconds=0.001))
                reply = await host.find("acme/shaky").ask(1, trace=TRACE, timeout=5)
                assert (reply.value, seen) == (3, [TRACE] * 3)

        asyncio.run(main())

    @pytest.mark.parametrize(
        "trace", ["", "00", TRACE.upper(), TRACE + "-00", "ff" + TRACE[2:], TRACE.replace("4", "g")]
    )
    def test_what_is_none_is_refused_before_anything_is_sent(
        self, engine: aw.Engine, handler: aw.Component, trace: str
    ) -> None:
        with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
            actor = host.spawn("acme/actor", handler)
            for say in (actor.ask, actor.send, actor.try_send):
                with pytest.raises(ValueError, match="traceparent"):
                    say(b"x", codec="raw", trace=trace)
            with pytest.raises(ValueError, match="traceparent"):
                host.publish("said.here", 1, trace=trace)
            # It comes from strangers' headers: however long, what is said of it is short.
            with pytest.raises(ValueError, match="traceparent") as caught:
                host.publish("said.here", 1, trace=trace + "x" * 1_000_000)
            assert len(str(caught.value)) < 500
            assert actor.mailbox["accepted"] == 0
            assert actor.receipts == []
