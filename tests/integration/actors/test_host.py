"""``Host``: actors by name, what they answer, and what becomes of them."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


def test_an_actor_answers(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            reply = await actor.ask({"n": 1}, timeout=1.0)
            assert reply.value == {"n": 1}
            assert reply.codec == aw.codec.CBOR
            assert reply.payload == aw.codec.encode_body(aw.codec.CBOR, {"n": 1})
            assert reply.receipt is not None
            assert reply.receipt.bytes_in > len(reply.payload)
            assert (actor.name, actor.status, actor.incarnation) == ("acme/echo", "running", 1)
            assert (await actor.ask([1, 2], codec="json")).value == [1, 2]
            assert (await actor.ask(b"abc", codec="raw")).payload == b"abc"
            assert host.actors == ["acme/echo"]
            assert (await host.find("acme/echo").ask("x")).value == "x"

    asyncio.run(main())


def test_the_blocking_host_has_the_same_methods(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler)
        assert actor.ask({"n": 1}, timeout=1.0).value == {"n": 1}
        actor.send("x")
        actor.try_send("y")
        assert [reply.value for reply in actor.ask_many([1, 2, 3])] == [1, 2, 3]
        assert int.from_bytes(actor.ask(b"#", codec="raw").payload, "little") == 7
        assert actor.mailbox["delivered"] >= 2
        host.stop("acme/echo")
        with pytest.raises(aw.ActorStopped):
            actor.ask("x")
        assert host.actors == []


def test_a_failed_actor_is_restarted_and_keeps_its_mailbox(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            with pytest.raises(aw.ActorFailed) as caught:
                await actor.ask(b"!", codec="raw")
            assert (caught.value.kind, caught.value.actor) == ("trapped", "acme/echo")
            # Sent while it is down: the mailbox belongs to the name.
            assert (await actor.ask("still here", timeout=5.0)).value == "still here"
            assert actor.incarnation == 2
            assert int.from_bytes((await actor.ask(b"#", codec="raw")).payload, "little") == 2

    asyncio.run(main())


def test_an_endless_handler_ends_by_its_limit_and_the_loop_goes_on(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            other = await host.spawn("acme/other", handler)
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw", timeout=5.0))
            began = time.monotonic()
            for _ in range(10):
                await other.ask("x")
            assert time.monotonic() - began < 0.4
            with pytest.raises(aw.ActorFailed) as caught:
                await endless
            assert caught.value.kind == "timed-out"

    asyncio.run(main())


def test_a_request_times_out_and_one_that_waits_is_never_handled(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw", timeout=0.1))
            behind = asyncio.ensure_future(actor.ask("behind", timeout=0.1))
            for request in (endless, behind):
                with pytest.raises(aw.AskTimeout):
                    await request
            assert (await actor.ask("after", timeout=5.0)).value == "after"
            assert int.from_bytes((await actor.ask(b"#", codec="raw")).payload, "little") == 2

    asyncio.run(main())


def test_a_handler_refuses(engine: aw.Engine, handler: aw.Component) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler)
        with pytest.raises(aw.MessageRefused, match="-not me") as caught:
            actor.ask(b"-not me", codec="raw")
        assert caught.value.reason == "refused"
        assert actor.incarnation == 1


def test_an_actor_that_keeps_failing_is_given_up(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn("acme/echo", handler)
            other = await host.spawn("acme/other", handler)
            for _ in range(4):
                with pytest.raises(aw.ActorFailed):
                    await actor.ask(b"!", codec="raw", timeout=10.0)
            await until("it is given up", lambda: actor.status == "stopped")
            with pytest.raises(aw.ActorStopped):
                await actor.ask("x")
            assert (await other.ask("x")).value == "x"
            assert host.actors == ["acme/other"]

    asyncio.run(main())


def test_what_is_wrong_is_said_before_anything_is_sent(
    engine: aw.Engine, handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler)
        with pytest.raises(aw.NameTaken):
            host.spawn("acme/echo", handler)
        with pytest.raises(aw.ActorNotFound):
            host.find("acme/nobody")
        with pytest.raises(ValueError, match="codec"):
            actor.ask(1, codec="cbro")
        with pytest.raises(aw.CodecError):
            actor.ask(object())
        with pytest.raises(ValueError, match="timeout"):
            actor.ask(1, timeout=0)
        with pytest.raises(aw.MessageTooLarge):
            actor.ask(bytes(aw.MIB + 1), codec="raw")
        with pytest.raises(aw.ExportMissing, match="takes no messages"):
            host.spawn("acme/mute", "(component (core module $m) (core instance (instantiate $m)))")
        assert host.actors == ["acme/echo"]
        assert actor.mailbox["delivered"] == 0


def test_a_full_mailbox_holds_senders_up_or_says_so(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            actor = await host.spawn(
                "acme/echo", handler, mailbox=aw.Mailbox(messages_max=2), restart="temporary"
            )
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw"))
            await until("it is handled", lambda: actor.mailbox["messages"] == 0)
            actor.try_send(1)
            actor.try_send(2)
            with pytest.raises(aw.MailboxFull):
                actor.try_send(3)
            waits = asyncio.ensure_future(actor.send(3))
            with pytest.raises(aw.ActorFailed):
                await endless
            # Nobody restarts a temporary actor: all that waits for it ends.
            with pytest.raises(aw.ActorStopped):
                await waits

    asyncio.run(main())


def test_requests_that_make_way_or_expire_end(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            mailbox = aw.Mailbox(messages_max=1, when_full="drop-oldest")
            actor = await host.spawn("acme/echo", handler, mailbox=mailbox)
            endless = asyncio.ensure_future(actor.ask(b"?", codec="raw"))
            await until("it is handled", lambda: actor.mailbox["messages"] == 0)
            displaced = asyncio.ensure_future(actor.ask("displaced"))
            await asyncio.sleep(0)
            kept = asyncio.ensure_future(actor.ask("kept"))
            with pytest.raises(aw.MessageDropped):
                await displaced
            with pytest.raises(aw.ActorFailed):
                await endless
            assert (await kept).value == "kept"
            assert actor.mailbox["displaced"] == 1

    asyncio.run(main())


def test_threads_share_an_actor(engine: aw.Engine, handler: aw.Component) -> None:
    wrong: list[object] = []

    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        actor = host.spawn("acme/echo", handler)

        def ask(number: int) -> None:
            for turn in range(300):
                reply = actor.ask([number, turn]).value
                if reply != [number, turn]:
                    wrong.append((number, turn, reply))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []


@pytest.mark.parametrize("wrong", [{"limits": 5}, {"engine": "wasmtime"}, {"limits": {}}])
@pytest.mark.parametrize("make", [aw.Host, aw.Host.blocking])
def test_what_is_no_engine_and_no_limits_is_refused_when_it_is_made(
    wrong: dict[str, object], make: object
) -> None:
    assert callable(make)
    with pytest.raises(aw.ValueMismatch, match=f"{next(iter(wrong))}: .*hint: "):
        make(**wrong)
