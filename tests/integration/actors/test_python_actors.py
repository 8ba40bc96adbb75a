"""Actors in Python: the same addressing, mailbox and supervision as components."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest
from tests.integration.actors.waiting import until

import airssys_wasm as aw


def test_what_a_function_returns_is_the_reply(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/echo")
            async def echo(message: aw.Message) -> object:
                return [message.value, message.codec, message.sender, message.topic, message.kind]

            actor = host.find("acme/echo")
            reply = await actor.ask({"n": 1})
            assert reply.value == [{"n": 1}, aw.codec.CBOR, None, None, "ask"]
            assert reply.codec == aw.codec.CBOR
            assert reply.receipt is None
            assert (await actor.ask(7, codec="json")).value == [
                7,
                aw.codec.JSON,
                None,
                None,
                "ask",
            ]
            assert host.actors == ["acme/echo"]
            assert (actor.status, actor.incarnation) == ("running", 1)

    asyncio.run(main())


def test_nothing_is_an_answer_too(engine: aw.Engine) -> None:
    async def main() -> None:
        got: list[object] = []
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/log")
            async def log(message: aw.Message) -> None:
                got.append((message.kind, message.value))

            actor = host.find("acme/log")
            assert (await actor.ask("a")).value is None
            assert (await actor.ask("b", codec="json")).value is None
            assert (await actor.ask(b"c", codec="raw")).payload == b""
            await actor.send("d")
            actor.try_send("e")
            await until("all came", lambda: len(got) == 5)
        assert got == [("ask", "a"), ("ask", "b"), ("ask", b"c"), ("tell", "d"), ("tell", "e")]

    asyncio.run(main())


def test_one_message_at_a_time_in_the_order_they_were_sent(engine: aw.Engine) -> None:
    async def main() -> None:
        running = most = 0
        seen: list[int] = []
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/slow")
            async def slow(message: aw.Message) -> object:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.0001 if message.value % 3 else 0)
                running -= 1
                seen.append(message.value)
                return message.value

            actor = host.find("acme/slow")
            replies = await asyncio.gather(*(actor.ask(number) for number in range(500)))
            assert [reply.value for reply in replies] == list(range(500))
        assert seen == list(range(500))
        assert most == 1

    asyncio.run(main())


class Counter:
    def __init__(self) -> None:
        self.count = 0

    async def handle(self, message: aw.Message) -> object:
        if message.value == "fail":
            raise RuntimeError("told to")
        self.count += 1
        return self.count


def test_an_exception_ends_the_instance_and_its_state(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/counter", Counter)
            assert [(await actor.ask("x")).value for _ in range(3)] == [1, 2, 3]
            failing = asyncio.ensure_future(actor.ask("fail"))
            behind = asyncio.ensure_future(actor.ask("y"))
            with pytest.raises(aw.ActorFailed, match="RuntimeError: told to") as caught:
                await failing
            assert (caught.value.kind, caught.value.actor) == ("exception", "acme/counter")
            assert isinstance(caught.value.__cause__, RuntimeError)
            assert caught.value.__cause__.__traceback__ is not None
            # The mailbox belongs to the name, the count went with the instance.
            assert (await behind).value == 1
            assert actor.incarnation == 2

    asyncio.run(main())


def test_an_actor_that_keeps_raising_is_given_up(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            actor = await host.spawn("acme/counter", Counter)
            for _ in range(4):
                with pytest.raises(aw.ActorFailed):
                    await actor.ask("fail", timeout=10.0)
            await until("it is given up", lambda: actor.status == "stopped")
            with pytest.raises(aw.ActorStopped):
                await actor.ask("x")

    asyncio.run(main())


def test_a_refusal_is_no_failure(engine: aw.Engine) -> None:
    with pytest.raises(ValueError, match="reason"):
        aw.HandlerRefusal("x", reason="nonsense")
    with pytest.raises(ValueError, match="retry_after_seconds"):
        aw.HandlerRefusal("x", retry_after_seconds=-1)

    def refuse() -> None:
        raise aw.HandlerRefusal("not today", reason="busy", retry_after_seconds=1.5)

    with pytest.raises(aw.HandlerRefusal, match="not today"):
        refuse()

    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/picky")
            async def picky(message: aw.Message) -> object:
                if message.value == "busy":
                    refuse()
                if message.value == "no":
                    raise aw.HandlerRefusal("against the rules")
                return "yes"

            actor = host.find("acme/picky")
            with pytest.raises(aw.MessageRefused, match="1500") as caught:
                await actor.ask("busy")
            assert caught.value.reason == "busy"
            with pytest.raises(aw.MessageRefused, match="against the rules") as caught:
                await actor.ask("no")
            assert caught.value.reason == "refused"
            assert (await actor.ask("?")).value == "yes"
            assert actor.incarnation == 1

    asyncio.run(main())


def test_what_nobody_can_read_or_write_is_told_apart(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/reader")
            async def reader(message: aw.Message) -> object:
                return object() if message.value == "object" else message.value

            actor = host.find("acme/reader")
            schema = aw.codec.Borsh("u8")
            # The sender's fault: it is refused, and the actor goes on.
            with pytest.raises(aw.MessageRefused) as refused:
                await actor.ask(7, codec="borsh", schema=schema)
            assert refused.value.reason == "malformed"
            assert actor.incarnation == 1
            # The handler's own fault.
            with pytest.raises(aw.ActorFailed) as failed:
                await actor.ask("object")
            assert isinstance(failed.value.__cause__, aw.CodecError)

    asyncio.run(main())


def test_borsh_is_read_and_answered_by_whoever_has_the_schema(engine: aw.Engine) -> None:
    order = aw.codec.Borsh({"id": "u64", "amount": "u32"})

    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/till")
            async def till(message: aw.Message) -> object:
                read = aw.codec.decode_body(message.codec, message.payload, schema=order)
                if read["amount"] == 0:
                    return read
                answer = read | {"amount": read["amount"] * 2}
                return aw.codec.encode_body(message.codec, answer, schema=order)

            actor = host.find("acme/till")
            reply = await actor.ask({"id": 7, "amount": 21}, codec="borsh", schema=order)
            told = aw.codec.decode_body(reply.codec, reply.payload, schema=order)
            assert told == {"id": 7, "amount": 42}
            # The sender's fault: what is no order.
            with pytest.raises(aw.MessageRefused, match="malformed"):
                await actor.ask(7, codec="borsh", schema=aw.codec.Borsh("u8"))
            assert actor.incarnation == 1
            # The handler's own: only it has the schema.
            with pytest.raises(aw.ActorFailed) as failed:
                await actor.ask({"id": 7, "amount": 0}, codec="borsh", schema=order)
            assert isinstance(failed.value.__cause__, aw.CodecError)

    asyncio.run(main())


def test_a_reply_is_no_larger_than_a_message(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/generous")
            async def generous(message: aw.Message) -> object:
                return bytes(message.value)

            actor = host.find("acme/generous")
            # Five bytes say how long it is.
            assert len((await actor.ask(aw.MIB - 5)).value) == aw.MIB - 5
            for size in (aw.MIB - 4, 64 * aw.MIB):
                with pytest.raises(aw.MessageRefused, match="is larger than 1048576") as refused:
                    await actor.ask(size)
                assert refused.value.reason == "failed"
            replies = await actor.ask_many([1, aw.MIB], return_exceptions=True)
            assert isinstance(replies[1], aw.MessageRefused)
            assert actor.incarnation == 1

    asyncio.run(main())


def test_what_never_fits_into_the_mailbox_is_refused_whoever_is_idle(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            async def echo(message: aw.Message) -> object:
                return message.value

            class Echo:
                handle = staticmethod(echo)

            small = aw.Mailbox(bytes_max=1000)
            actor = await host.spawn("acme/small", Echo, mailbox=small)
            assert (await actor.ask(b"x" * 500)).value == b"x" * 500
            told = r"never fits .* which holds 1000"
            with pytest.raises(aw.MessageTooLarge, match=told):
                await actor.ask(b"x" * 1000)
            with pytest.raises(aw.MessageTooLarge, match=told):
                await actor.send(b"x" * 1000)
            with pytest.raises(aw.MessageTooLarge, match=told):
                actor.try_send(b"x" * 1000)
            assert actor.mailbox["rejected"] == 3

    asyncio.run(main())


def test_what_was_not_awaited_says_so(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/echo")
            async def echo(message: aw.Message) -> object:
                return message.value

            asking = host.find("acme/echo").ask(1)
            with pytest.raises(AttributeError, match=r"hint: \(await \.\.\.\)\.value"):
                _ = asking.value  # type: ignore[attr-defined]
            assert not hasattr(asking, "payload")
            assert (await asking).value == 1

    asyncio.run(main())


def test_a_plain_function_runs_in_a_thread(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/plain")
            def plain(message: aw.Message) -> object:
                time.sleep(0.2)
                return [message.value, threading.current_thread() is threading.main_thread()]

            actor = host.find("acme/plain")
            asked = asyncio.ensure_future(actor.ask(1))
            began = time.monotonic()
            for _ in range(5):
                await asyncio.sleep(0.01)
            assert time.monotonic() - began < 0.15
            assert (await asked).value == [1, False]

    asyncio.run(main())


def test_a_handler_that_never_ends_is_ended(engine: aw.Engine) -> None:
    async def main() -> None:
        cancelled = asyncio.Event()
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/endless", handler_seconds_max=0.1)
            async def endless(message: aw.Message) -> object:
                if message.value == "hang":
                    try:
                        await asyncio.Event().wait()
                    finally:
                        cancelled.set()
                return message.value

            actor = host.find("acme/endless")
            began = time.monotonic()
            with pytest.raises(aw.ActorFailed, match=r"ran past 0\.1 s") as caught:
                await actor.ask("hang", timeout=5.0)
            assert caught.value.kind == "timed-out"
            assert 0.09 < time.monotonic() - began < 1.0
            await asyncio.wait_for(cancelled.wait(), 1.0)
            assert (await actor.ask("still here", timeout=5.0)).value == "still here"
            assert actor.incarnation == 2
            for wrong in (0, -1, float("inf"), float("nan"), True):
                with pytest.raises(aw.ChildInvalid, match="handler_seconds_max"):
                    host.actor("acme/other", handler_seconds_max=wrong)(endless)

    asyncio.run(main())


def test_a_handler_that_will_not_be_cancelled_holds_up_nobody(engine: aw.Engine) -> None:
    async def main() -> None:
        release = asyncio.Event()
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/stubborn", handler_seconds_max=0.1)
            async def stubborn(message: aw.Message) -> object:
                while message.value == "hang" and not release.is_set():
                    try:
                        await release.wait()
                    except asyncio.CancelledError:
                        continue
                return message.value

            actor = host.find("acme/stubborn")
            with pytest.raises(aw.ActorFailed):
                await actor.ask("hang", timeout=5.0)
            # The successor waits a second for it, and no longer.
            assert (await actor.ask("next", timeout=5.0)).value == "next"
            release.set()

    asyncio.run(main())


def test_stopping_lets_the_message_end_or_cancels_it(engine: aw.Engine) -> None:
    async def main() -> None:
        ends: list[str] = []
        began = asyncio.Event()
        async with aw.Host(engine=engine) as host:

            async def work(message: aw.Message) -> object:
                began.set()
                try:
                    await asyncio.sleep(message.value)
                except asyncio.CancelledError:
                    ends.append("cancelled")
                    raise
                ends.append("done")
                return "done"

            host.actor("acme/gentle", shutdown=5.0)(work)
            asked = asyncio.ensure_future(host.find("acme/gentle").ask(0.1))
            behind = asyncio.ensure_future(host.find("acme/gentle").ask(0.1))
            await began.wait()
            await host.stop("acme/gentle")
            assert (await asked).value == "done"
            with pytest.raises(aw.ActorStopped):
                await behind
            assert ends == ["done"]

            began.clear()
            host.actor("acme/abrupt", shutdown="immediate")(work)
            asked = asyncio.ensure_future(host.find("acme/abrupt").ask(60))
            await began.wait()
            await host.stop("acme/abrupt")
            with pytest.raises((aw.ActorFailed, aw.ActorStopped)):
                await asked
            await asyncio.sleep(0)
            assert ends == ["done", "cancelled"]
        assert host.actors == []

    asyncio.run(main())


def test_actors_ask_each_other_and_a_circle_ends_in_time(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/one")
            async def first(message: aw.Message) -> object:
                if message.value == "circle":
                    reply = await host.find("acme/two").ask("circle", timeout=0.5)
                    return reply.value
                return (await host.find("acme/two").ask(message.value)).value + 1

            @host.actor("acme/two")
            async def second(message: aw.Message) -> object:
                if message.value == "circle":
                    try:
                        await host.find("acme/one").ask("circle", timeout=0.2)
                    except aw.AskTimeout:
                        return "timed out"
                return message.value * 2

            actor = host.find("acme/one")
            assert (await actor.ask(20)).value == 41
            began = time.monotonic()
            assert (await actor.ask("circle")).value == "timed out"
            assert time.monotonic() - began < 0.5
            assert (await actor.ask(1)).value == 3

    asyncio.run(main())


def test_a_blocking_host_runs_them_on_its_own_loop(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        counter = host.spawn("acme/counter", Counter)

        @host.actor("acme/front")
        async def front(message: aw.Message) -> object:
            reply = await counter.awaitable.ask(message.value)
            return [reply.value, threading.current_thread() is threading.main_thread()]

        actor = host.find("acme/front")
        assert actor.ask("x").value == [1, False]
        assert actor.ask("x").value == [2, False]
        with pytest.raises(aw.ActorFailed) as caught:
            actor.ask("fail")
        assert isinstance(caught.value.__cause__, aw.ActorFailed)
        assert isinstance(caught.value.__cause__.__cause__, RuntimeError)
        assert actor.ask("x").value == [1, False]


def test_threads_ask_a_python_actor(engine: aw.Engine) -> None:
    wrong: list[object] = []
    with aw.Host.blocking(engine=engine) as host:

        @host.actor("acme/echo")
        async def echo(message: aw.Message) -> object:
            return message.value

        actor = host.find("acme/echo")

        def ask(number: int) -> None:
            for turn in range(200):
                reply = actor.ask([number, turn], timeout=30.0).value
                if reply != [number, turn]:
                    wrong.append((number, turn, reply))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_loop_closed_under_a_host_ends_the_requests(engine: aw.Engine) -> None:
    """What the loop never took ends at once, what it was at when the asker has waited."""
    loop = asyncio.new_event_loop()
    host = aw.Host(engine=engine)
    at_it = threading.Event()

    async def begin() -> None:
        await host.__aenter__()

        @host.actor("acme/hang")
        async def hang(_: aw.Message) -> None:
            at_it.set()
            await asyncio.Event().wait()

        @host.actor("acme/idle")
        async def idle(_: aw.Message) -> None: ...

        await host.find("acme/idle").ask(1)

    ends: list[tuple[str, float]] = []

    def ask(name: str) -> None:
        began = time.monotonic()
        try:
            host.find(name)._seat.native.ask_waiting(1, timeout=1.0)
        except aw.MessagingError as error:
            ends.append((type(error).__name__, time.monotonic() - began))

    loop.run_until_complete(begin())
    asking = threading.Thread(target=ask, args=("acme/hang",))
    asking.start()
    while not at_it.is_set():
        loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()
    ask("acme/idle")
    asking.join(5.0)
    assert not asking.is_alive()
    assert dict(ends).keys() <= {"ActorFailed", "AskTimeout", "MessageDropped"}
    assert ends[0][0] == "ActorFailed"
    assert ends[0][1] < 0.5
    assert len(ends) == 2


def test_names_and_sources_are_checked(engine: aw.Engine, handler: aw.Component) -> None:
    async def main() -> None:
        async def log(_: aw.Message) -> None: ...

        host = aw.Host(engine=engine)
        with pytest.raises(aw.ActorStopped):
            host.actor("acme/log")
        async with host:
            host.actor("acme/log")(log)
            with pytest.raises(aw.NameTaken):
                host.actor("acme/log")(log)
            with pytest.raises(aw.NameTaken):
                await host.spawn("acme/log", Counter)
            with pytest.raises(TypeError, match=r"@host\.actor"):
                await host.spawn("acme/other", log)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="async def handle"):
                await host.spawn("acme/other", dict)  # type: ignore[arg-type]
            with pytest.raises(aw.ValueMismatch, match="for components"):
                await host.spawn("acme/other", Counter, config=b"x")
            with pytest.raises(aw.ValueMismatch, match="Python actors"):
                await host.spawn("acme/other", handler, handler_seconds_max=1.0)
            assert host.actors == ["acme/log"]

    asyncio.run(main())


def test_a_closed_host_lets_go_of_its_handlers(engine: aw.Engine) -> None:
    async def main() -> list[weakref.ref[Counter]]:
        made: list[weakref.ref[Counter]] = []

        def factory() -> Counter:
            counter = Counter()
            made.append(weakref.ref(counter))
            return counter

        async with aw.Host(engine=engine) as host:
            actors = [await host.spawn(f"acme/counter/{n}", factory) for n in range(10)]
            for actor in actors:
                await actor.ask("x")
        return made

    made = asyncio.run(main())
    gc.collect()
    assert len(made) == 10
    assert [counter() for counter in made if counter() is not None] == []
