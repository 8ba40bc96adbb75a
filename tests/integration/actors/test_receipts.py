"""What the calls of an actor used is told afterwards, however they were made and ended."""

from __future__ import annotations

import asyncio

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
HANDLE = "airssys:core/lifecycle#handle-message"


def test_each_way_of_calling_leaves_one(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/actor", handler)
        assert actor.receipts == []
        actor.send(b"told", codec="raw")
        reply = actor.ask(b"asked it", codec="raw")
        actor.call(HANDLE, 0, 0, b"called it!")

        told, asked, called = actor.receipts
        assert asked == reply.receipt
        # The sender's number and the codec, and what was sent.
        assert [one.bytes_in - told.bytes_in for one in (told, asked, called)] == [0, 4, 6]
        assert aw.suggest_limits(actor.receipts).memory_bytes_max >= told.memory_bytes_peak


def test_those_of_an_instance_that_failed_stay(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/actor", handler, restart="permanent")
        actor.ask(b"before", codec="raw")
        with pytest.raises(aw.ActorFailed):
            actor.ask(b"!", codec="raw")
        actor.ask(b"after", codec="raw")

        before, failed, after = actor.receipts
        assert (before.bytes_out, failed.bytes_out, after.bytes_out) == (6, 0, 5)


def test_the_last_sixteen_are_kept(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/actor", handler)
        actor.ask_many([bytes(size) for size in range(100)], codec="raw")

        assert [receipt.bytes_out for receipt in actor.receipts] == list(range(84, 100))


def test_a_pool_has_those_of_its_members_and_code_has_none(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            pool = await host.spawn("acme/pool", handler, pool=3)
            await pool.ask_many([1, 2, 3, 4])
            assert [len(member.receipts) for member in pool.members] == [2, 1, 1]
            assert len(pool.receipts) == 4

            @host.actor("acme/code")
            async def code(message: aw.Message) -> object:
                return message.value

            actor = host.find("acme/code")
            assert (await actor.ask(1)).value == 1
            assert actor.receipts == []

    asyncio.run(main())
