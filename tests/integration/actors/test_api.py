"""A host with actors, as docs promise it: each line of that page once, both ways."""

from __future__ import annotations

import asyncio

import pytest
from tests.integration.actors.talkers import FREE, TALKER

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=1.0)
LIFECYCLE = "airssys:core/lifecycle#metadata"


def test_a_host_with_actors(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            greeter = await host.spawn("acme/greeter", handler, grant=aw.Grant(send=["acme/*"]))
            talker = await host.spawn("acme/talker", TALKER, grant=FREE)
            await host.spawn("acme/bytes", TALKER.read_bytes())
            assert (await talker.call(LIFECYCLE))["name"] == "talker"
            await greeter.send({"hello": "world"})
            greeter.try_send({"hello": "world"})
            reply = await greeter.ask({"n": 1}, timeout=1.0)
            assert (reply.value, reply.codec) == ({"n": 1}, aw.codec.CBOR)
            assert reply.payload == aw.codec.encode_body(aw.codec.CBOR, {"n": 1})
            assert reply.receipt is not None
            assert reply.receipt.seconds > 0
            replies = await greeter.ask_many([1, "two", [3]])
            assert [one.value for one in replies] == [1, "two", [3]]
            await greeter.send_many([1, 2])
            assert (greeter.status, greeter.incarnation) == ("running", 1)
            assert len(greeter.receipts) >= 4

            async with host.subscribe("orders.#") as messages:
                await host.publish("orders.created", {"id": 7})
                async for message in messages:
                    assert (message.topic, message.sender) == ("orders.created", None)
                    assert message.value == {"id": 7}
                    break

            logged: list[object] = []

            @host.actor("acme/logger")
            async def log(message: aw.Message) -> object:
                logged.append(message.value)
                return len(logged)

            assert (await host.find("acme/logger").ask("first")).value == 1

            group = await host.supervise(
                "acme/pipeline",
                strategy="rest-for-one",
                children=[
                    aw.Child("acme/first", handler, restart="permanent", shutdown=5.0),
                    aw.Child("acme/second", handler, restart="transient", shutdown="immediate"),
                    aw.Child("acme/third", handler, restart="temporary", shutdown="infinity"),
                ],
                intensity=3,
                within=60.0,
            )
            assert [child.name for child in group.children] == [
                "acme/first",
                "acme/second",
                "acme/third",
            ]
            async with host.events() as events:
                with pytest.raises(aw.ActorFailed):
                    await greeter.ask(b"!", codec="raw")
                async for event in events:
                    assert (event.kind, event.actor) == ("failed", "acme/greeter")
                    break
            assert list(host.dead_letters) == []
            assert "acme/logger" in host.actors
            assert host.metrics()["actors"] == 7

    asyncio.run(main())


def test_the_same_without_asyncio(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        greeter = host.spawn("acme/greeter", handler)
        talker = host.spawn("acme/talker", TALKER, grant=FREE)
        assert talker.call(LIFECYCLE)["name"] == "talker"
        greeter.send({"hello": "world"})
        greeter.try_send({"hello": "world"})
        reply = greeter.ask({"n": 1}, timeout=1.0)
        assert (reply.value, reply.codec) == ({"n": 1}, aw.codec.CBOR)
        assert [one.value for one in greeter.ask_many([1, "two"])] == [1, "two"]
        greeter.send_many([1, 2])
        assert (greeter.status, greeter.incarnation) == ("running", 1)
        with host.subscribe("orders.#") as messages:
            host.publish("orders.created", {"id": 7})
            for message in messages:
                assert (message.topic, message.sender, message.value) == (
                    "orders.created",
                    None,
                    {"id": 7},
                )
                break

        @host.actor("acme/logger")
        async def log(message: aw.Message) -> object:
            return message.value

        assert host.find("acme/logger").ask("first").value == "first"
        group = host.supervise(
            "acme/pipeline", strategy="one-for-all", children=[aw.Child("acme/first", handler)]
        )
        assert [child.name for child in group.children] == ["acme/first"]
        with host.events() as events:
            with pytest.raises(aw.ActorFailed):
                greeter.ask(b"!", codec="raw")
            for event in events:
                assert (event.kind, event.actor) == ("failed", "acme/greeter")
                break
        assert list(host.dead_letters) == []
        assert host.metrics()["actors"] == len(host.actors) == 4
