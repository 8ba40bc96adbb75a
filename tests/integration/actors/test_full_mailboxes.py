"""What waits in, and before, a full mailbox: it expires, is refused, or makes way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

import airssys_wasm as aw
from airssys_wasm.broker import Lease, WhenFull


@asynccontextmanager
async def stalled(
    engine: aw.Engine, when_full: WhenFull, handled: list[object]
) -> AsyncIterator[tuple[aw.Host, aw.Actor, Lease]]:
    """An actor whose mailbox holds one message, and that handles none for now."""
    async with aw.Host(engine=engine) as host:

        @host.actor("acme/slow", mailbox=aw.Mailbox(messages_max=1, when_full=when_full))
        async def slow(message: aw.Message) -> None:
            handled.append(message.value)

        actor = host.find("acme/slow")
        await actor.ask("awake")
        handled.clear()
        yield host, actor, await actor._seat.native.lease()


async def ends(what: Awaitable[object]) -> str:
    try:
        await what
    except aw.MessagingError as error:
        return type(error).__name__
    return "sent"


async def until_handled(actor: aw.Actor, number: int) -> None:
    for _ in range(500):
        counts = actor.mailbox
        if counts["delivered"] + counts["expired"] >= number:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"there are never {number}: {actor.mailbox}")


async def until_begun(handled: list[object]) -> None:
    """What was delivered is on its way to the event loop, where its handler runs."""
    for _ in range(500):
        if handled:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nothing is ever handled")


def test_who_asks_behind_a_line_that_is_full_is_told_so(engine: aw.Engine) -> None:
    async def main() -> None:
        handled: list[object] = []
        async with stalled(engine, "block", handled) as (_, actor, lease):
            actor.try_send(1)
            first = asyncio.ensure_future(ends(actor.ask(2)))
            await asyncio.sleep(0)
            # As many wait in the line as fit into the mailbox: one.
            assert await ends(actor.ask(3)) == "MailboxFull"
            assert await ends(actor.send(4)) == "MailboxFull"
            several = await actor.ask_many([5, 6], return_exceptions=True)
            assert [type(one) for one in several] == [aw.MailboxFull] * 2
            lease.release()
            assert await first == "sent"
        assert handled == [1, 2]

    asyncio.run(main())


def test_a_message_expires_in_the_line_too(engine: aw.Engine) -> None:
    async def main() -> None:
        handled: list[object] = []
        async with stalled(engine, "block", handled) as (host, actor, lease):
            actor.try_send("keeps")
            brief = asyncio.ensure_future(ends(actor.send("expires", ttl=0)))
            await asyncio.sleep(0)
            lease.release()
            assert await brief == "sent"
            await until_handled(actor, 2)
            await until_begun(handled)
            assert actor.mailbox["expired"] == 1
            assert [letter.reason for letter in host.dead_letters] == ["expired"]
        assert handled == ["keeps"]

    asyncio.run(main())


def test_a_batch_that_is_cancelled_sends_nothing_more(engine: aw.Engine) -> None:
    async def main() -> None:
        handled: list[object] = []
        async with stalled(engine, "block", handled) as (_, actor, lease):
            batch = asyncio.ensure_future(actor.send_many([1, 2, 3]))
            await asyncio.sleep(0)
            batch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await batch
            behind = asyncio.ensure_future(ends(actor.send(4)))
            await asyncio.sleep(0)
            lease.release()
            assert await behind == "sent"
            await until_handled(actor, 2)
            await actor.ask(5)
        # Nor does the rest come behind what was sent later.
        assert handled == [1, 4, 5]

    asyncio.run(main())


@pytest.mark.parametrize("when_full", ["block", "reject", "drop-newest", "drop-oldest"])
def test_what_has_expired_makes_way_for_what_keeps(engine: aw.Engine, when_full: WhenFull) -> None:
    async def main() -> None:
        handled: list[object] = []
        async with stalled(engine, when_full, handled) as (host, actor, lease):
            actor.try_send("expires", ttl=0)
            actor.try_send("keeps")
            assert [letter.reason for letter in host.dead_letters] == ["expired"]
            assert (actor.mailbox["expired"], actor.mailbox["displaced"]) == (1, 0)
            lease.release()
            await until_handled(actor, 2)
            await until_begun(handled)
        assert handled == ["keeps"]

    asyncio.run(main())


def test_a_pool_is_gone_when_its_last_member_is_on_its_way_out(engine: aw.Engine) -> None:
    class Worker:
        async def handle(self, message: aw.Message) -> object:
            return message.value

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/pool", Worker, pool=2, shutdown="immediate")
            lease = await pool.members[0]._seat.native.lease()
            await host.stop("acme/pool/1")
            await host.stop("acme/pool/2")
            assert pool.members[0].status == "stopping"
            lease.release()
            assert host.actors == []

    asyncio.run(main())


def test_a_batch_goes_where_the_fewest_messages_are(engine: aw.Engine) -> None:
    class Worker:
        async def handle(self, message: aw.Message) -> object:
            return message.value

    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            pool = await host.spawn("acme/pool", Worker, pool=2, routing="least-loaded")
            first, second = pool.members
            lease = await first._seat.native.lease()
            # One has its hands full; the other gets the first, and has then as much.
            assert pool.try_send_many([1, 2, 3]) == 3
            assert (first.mailbox["messages"], second.mailbox["accepted"]) == (1, 2)
            lease.release()

    asyncio.run(main())


def test_as_many_senders_wait_as_messages_do_and_no_more(engine: aw.Engine) -> None:
    async def main() -> None:
        handled: list[object] = []
        async with stalled(engine, "block", handled) as (_, actor, lease):
            sends = [asyncio.ensure_future(ends(actor.send(number))) for number in range(5)]
            await asyncio.sleep(0.1)
            refused = [send.result() for send in sends if send.done()]
            assert sorted(refused) == ["MailboxFull"] * 3 + ["sent"]
            lease.release()
            assert sorted(await asyncio.gather(*sends)) == ["MailboxFull"] * 3 + ["sent"] * 2
            await until_handled(actor, 2)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("when_full", "accepted"),
    [("block", 1), ("reject", 1), ("drop-newest", 4), ("drop-oldest", 4)],
)
def test_what_is_dropped_counts_as_accepted(
    engine: aw.Engine, when_full: WhenFull, accepted: int
) -> None:
    async def main() -> None:
        async with stalled(engine, when_full, []) as (host, actor, lease):
            assert actor.try_send_many([1, 2, 3, 4]) == accepted
            assert actor.mailbox["messages"] == 1
            dropped = [letter.reason for letter in host.dead_letters]
            assert len(dropped) == accepted - 1
            lease.release()

    asyncio.run(main())
