"""Which codecs an actor declares, and what happens to messages in others."""

from __future__ import annotations

import asyncio

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


def test_a_codec_that_nobody_reads_is_refused_before_it_is_queued(
    engine: aw.Engine, json_handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/json", json_handler)
            assert (await actor.ask([1], codec="json")).value == [1]
            with pytest.raises(aw.CodecError, match=r"acme/json.*json"):
                await actor.ask([1])
            with pytest.raises(aw.CodecError, match=r"acme/json.*json"):
                await actor.send([1])
            with pytest.raises(aw.CodecError, match=r"acme/json.*json"):
                actor.try_send([1])
            with pytest.raises(aw.CodecError, match="json"):
                await actor.ask_many([1, 2])
            with pytest.raises(aw.CodecError, match="json"):
                await actor.send_many([1, 2])
            with pytest.raises(aw.CodecError, match="json"):
                await actor.ask(b"1", codec="raw", transcode=True)
            count = (await actor.ask("#", codec="json")).value
            assert count == "#"
            assert actor.mailbox["messages_peak"] == 0

    asyncio.run(main())


def test_a_sender_may_let_it_be_transcoded(engine: aw.Engine, json_handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/json", json_handler)
        reply = actor.ask({"n": [1, 2.5, None, "x"]}, transcode=True)
        assert reply.codec == aw.codec.JSON
        assert reply.payload == b'{"n":[1,2.5,null,"x"]}'
        assert actor.ask({"n": 1}, codec="json", transcode=True).payload == b'{"n":1}'
        actor.send([1], transcode=True)
        actor.try_send([1], transcode=True)
        # What has no form in the other codec.
        with pytest.raises(aw.CodecError):
            actor.ask(float("nan"), transcode=True)


def test_what_declares_nothing_is_sent_anything(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/any", handler)
        assert actor.ask(1, transcode=True).codec == aw.codec.CBOR
        assert actor.ask(1, codec="json").codec == aw.codec.JSON
        assert actor.ask(b"\xff", codec="raw").payload == b"\xff"


def test_the_members_of_a_pool_declare_for_it(
    engine: aw.Engine, json_handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        pool = host.spawn("acme/json", json_handler, pool=2)
        with pytest.raises(aw.CodecError, match="json"):
            pool.ask(1)
        assert pool.ask(1, transcode=True).value == 1
        with pytest.raises(aw.CodecError, match="json"):
            pool.members[1].ask(1)


def test_metadata_that_fails_is_a_failed_start(
    engine: aw.Engine, mute_handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        with pytest.raises(aw.Trapped, match="metadata"):
            host.spawn("acme/mute", mute_handler)
        assert host.actors == []
