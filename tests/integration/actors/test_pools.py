"""Pools: several actors behind one name."""

from __future__ import annotations

import asyncio
import collections

import pytest
from tests.integration.actors.talkers import FREE, TALKER
from tests.integration.actors.talkers import LIMITS as TALKING

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)
MADE: list[int] = []


class Worker:
    """Says which one it is, and keeps what it was sent."""

    def __init__(self) -> None:
        MADE.append(len(MADE))
        self.number = MADE[-1]

    async def handle(self, message: aw.Message) -> object:
        if message.value == "fail":
            raise RuntimeError("told to")
        if isinstance(message.value, float):
            await asyncio.sleep(message.value)
        return self.number


async def counted(actor: aw.Actor, times: int) -> collections.Counter[int]:
    replies = await actor.ask_many(["x"] * times)
    return collections.Counter(reply.value for reply in replies)


@pytest.mark.parametrize("routing", ["round-robin", "random", "least-loaded"])
def test_a_pool_shares_the_work(engine: aw.Engine, routing: str) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/worker", Worker, pool=4, routing=routing)  # type: ignore[arg-type]
            assert [member.name for member in pool.members] == [
                f"acme/worker/{number}" for number in (1, 2, 3, 4)
            ]
            assert (pool.name, pool.status, pool.incarnation) == ("acme/worker", "running", 0)
            singly = collections.Counter([(await pool.ask("x")).value for _ in range(200)])
            assert len(singly) == 4
            if routing != "random":
                assert set(singly.values()) == {50}
            assert sum((await counted(pool, 400)).values()) == 400
            await pool.send("y")
            pool.try_send("y")
            await pool.send_many(["y"] * 8)
            assert pool.try_send_many(["y"] * 8) == 8
            assert pool.mailbox["accepted"] >= 18
            assert host.find("acme/worker").name == "acme/worker"
            # Each has a name of its own too.
            alone = {(await host.find("acme/worker/2").ask("x")).value for _ in range(5)}
            assert len(alone) == 1

    asyncio.run(main())


def test_a_key_stays_with_its_member(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/worker", Worker, pool=4, routing="sticky")
            placed = {}
            for key in map(str, range(64)):
                placed[key] = {(await pool.ask("x", key=key)).value for _ in range(3)}
            assert {len(numbers) for numbers in placed.values()} == {1}
            assert len(set.union(*placed.values())) == 4
            # Text and its UTF-8 are one key; without a key the sender is.
            assert (await pool.ask("x", key=b"7")).value in placed["7"]
            assert len({(await pool.ask("x")).value for _ in range(20)}) == 1

    asyncio.run(main())


def test_a_member_that_is_down_is_passed_over(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            pool = await host.spawn("acme/worker", handler, pool=3, restart="temporary")
            assert (await pool.ask(b"x", codec="raw")).payload == b"x"
            for left in (2, 1):
                with pytest.raises(aw.ActorFailed):
                    await pool.ask(b"!", codec="raw")
                replies = await pool.ask_many([b"y"] * 30, codec="raw")
                assert {reply.payload for reply in replies} == {b"y"}
                await asyncio.sleep(0.05)
                assert sum(member.status == "running" for member in pool.members) == left
            with pytest.raises(aw.ActorFailed):
                await pool.ask(b"!", codec="raw")
            await asyncio.sleep(0.05)
            # Nobody is left, and nobody comes.
            with pytest.raises(aw.ActorStopped):
                await pool.ask(b"x", codec="raw")
            with pytest.raises(aw.ActorNotFound):
                host.find("acme/worker")
            assert host.actors == []

    asyncio.run(main())


def test_while_all_restart_messages_wait(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/worker", Worker, pool=2)
            for member in pool.members:
                with pytest.raises(aw.ActorFailed):
                    await member.ask("fail")
            # Shared among both, though both are down.
            assert len(await counted(pool, 100)) == 2
            assert [member.incarnation for member in pool.members] == [2, 2]

    asyncio.run(main())


def test_a_pool_is_stopped_as_one(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        pool = host.spawn("acme/worker", Worker, pool=3, routing="least-loaded")
        assert len(pool.ask_many(["x"] * 9)) == 9
        assert [member.status for member in pool.members] == ["running"] * 3
        host.stop("acme/worker/2")
        assert len(pool.ask_many(["x"] * 9)) == 9
        host.stop("acme/worker")
        assert host.actors == []
        with pytest.raises(aw.ActorStopped):
            pool.ask("x")
        assert pool.status == "stopped"
        host.spawn("acme/worker", Worker)


def test_what_is_wrong_with_a_pool_is_said_before_anything_is_made(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            for count in (0, -1, True, 10_001):
                with pytest.raises(aw.ValueMismatch, match="pool"):
                    await host.spawn("acme/worker", Worker, pool=count)
            for wrong in ("any", "sticky", 5):
                with pytest.raises(aw.ValueMismatch, match=r"routing: .*hint: "):
                    await host.spawn("acme/worker", Worker, routing=wrong)  # type: ignore[arg-type]
            assert host.actors == []
            with pytest.raises(aw.ValueMismatch, match="routing"):
                await host.spawn("acme/worker", Worker, pool=2, routing="any")  # type: ignore[arg-type]
            with pytest.raises(aw.ValueMismatch, match="one instance"):
                await host.spawn("acme/worker/1", Worker, pool=2)
            await host.spawn("acme/worker/2", Worker)
            with pytest.raises(aw.NameTaken):
                await host.spawn("acme/worker", Worker, pool=2)
            await host.stop("acme/worker/2")
            await host.spawn("acme/worker", Worker)
            with pytest.raises(aw.NameTaken):
                await host.spawn("acme/worker", Worker, pool=2)
            assert host.actors == ["acme/worker"]

    asyncio.run(main())


def test_a_guest_reaches_a_pool_by_its_name(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=TALKING) as host:
            talker = engine.load(TALKER)
            asker = await host.spawn("acme/asker", talker, grant=FREE)
            await host.spawn("acme/worker", talker, grant=FREE, pool=3)
            owns = set()
            for _ in range(6):
                told = await asker.ask(b"ask acme/worker 1000 own", codec="raw")
                owns.add(told.payload.decode())
            assert owns == {f"acme/worker/{number}" for number in (1, 2, 3)}
            told = await asker.ask(b"send-many acme/worker 30 note x", codec="raw")
            assert told.payload == b"done"
            notes = 0
            for member in host.find("acme/worker").members:
                answer = await member.ask(b"notes", codec="raw")
                notes += answer.payload.count(b"x")
            assert notes == 30
            # Whom nobody may send to, nobody may reach through a pool.
            await host.spawn("acme/deaf", talker, pool=2)
            told = await asker.ask(b"ask acme/deaf 1000 own", codec="raw")
            assert b"Denied" in told.payload

    asyncio.run(main())


def test_a_guest_talks_to_a_python_actor_and_is_named(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=TALKING) as host:
            got: list[tuple[str | None, str, object]] = []

            @host.actor("acme/python")
            async def python(message: aw.Message) -> object:
                got.append((message.sender, message.kind, message.value))
                if message.value == b"refuse":
                    raise aw.HandlerRefusal("not this")
                return b"from python"

            asker = await host.spawn("acme/asker", engine.load(TALKER), grant=FREE)
            told = await asker.ask(b"ask acme/python 1000 hello", codec="raw")
            assert told.payload == b"from python"
            told = await asker.ask(b"send acme/python quietly", codec="raw")
            assert told.payload == b"done"
            told = await asker.ask(b"ask acme/python 1000 refuse", codec="raw")
            assert b"Refused" in told.payload
            assert b"not this" in told.payload
        assert got == [
            ("acme/asker", "ask", b"hello"),
            ("acme/asker", "tell", b"quietly"),
            ("acme/asker", "ask", b"refuse"),
        ]

    asyncio.run(main())


def test_what_an_actor_sends_can_be_limited(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=TALKING) as host:
            talker = engine.load(TALKER)
            rate = aw.Rate(messages_per_second=1, burst=5)
            asker = await host.spawn("acme/asker", talker, grant=FREE, rate=rate)
            await host.spawn("acme/other", talker, grant=FREE)
            told = await asker.ask(b"send-many acme/other 50 note x", codec="raw")
            assert b"RateLimited" in told.payload
            notes = await host.find("acme/other").ask(b"notes", codec="raw")
            assert notes.payload.count(b"x") == 5
            told = await asker.ask(b"ask acme/other 1000 own", codec="raw")
            assert b"RateLimited" in told.payload
            told = await asker.ask(b"publish news x", codec="raw")
            assert b"RateLimited" in told.payload
            with pytest.raises(aw.ValueMismatch, match="rate is for components"):
                await host.spawn("acme/python", Worker, rate=rate)

    asyncio.run(main())


def test_a_breaker_cuts_guests_off_too(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=TALKING) as host:
            talker = engine.load(TALKER)
            host.route("acme/other", breaker=aw.Breaker(failures_max=1, cool_down_seconds=60.0))
            asker = await host.spawn("acme/asker", talker, grant=FREE)
            await host.spawn("acme/other", talker, grant=FREE)
            told = await asker.ask(b"ask acme/other 1000 own", codec="raw")
            assert told.payload == b"acme/other/0"
            told = await asker.ask(b"ask acme/other 1000 trap", codec="raw")
            assert b"ActorFailed" in told.payload
            told = await asker.ask(b"ask acme/other 1000 own", codec="raw")
            assert b"CircuitOpen" in told.payload

    asyncio.run(main())
