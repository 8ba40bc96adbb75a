"""``publish``, ``subscribe`` and ``broadcast``, for the embedder."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
import time

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)


def test_what_is_published_comes_to_who_has_subscribed(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host, host.subscribe("orders.#") as messages:
            assert await host.publish("orders.created", {"id": 7}) == 1
            assert await host.publish("orders", [1], codec="json") == 1
            assert await host.publish("invoices.created", {"id": 8}) == 0
            message = await anext(messages)
            assert isinstance(message, aw.Message)
            assert (message.topic, message.value) == ("orders.created", {"id": 7})
            assert (message.sender, message.kind, message.codec) == (
                None,
                "published",
                aw.codec.CBOR,
            )
            message = await messages.get(timeout=1.0)
            assert (message.value, message.payload) == ([1], b"[1]")
            with pytest.raises(TimeoutError):
                await messages.get(timeout=0.01)

    asyncio.run(main())


def test_each_subscription_gets_its_own_and_none_after_its_end(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            one, other = host.subscribe("a.*"), host.subscribe("#")
            assert await host.publish("a.b", 1) == 2
            one.close()
            assert await host.publish("a.b", 2) == 1
            assert [message.value async for message in one] == [1]
            with pytest.raises(aw.MailboxClosed):
                await one.get()
            assert [(await other.get()).value, (await other.get()).value] == [1, 2]
            del other
            gc.collect()
            assert await host.publish("a.b", 3) == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("topic", "position"),
    [("", None), ("a..b", 2), ("a.B", 2), ("a.*", 2), ("x" * 300, None), ("$sys", 0)],
)
def test_a_topic_that_is_none_is_named_with_its_place(
    engine: aw.Engine, topic: str, position: int | None
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        with pytest.raises(aw.TopicInvalid, match="hint:") as caught:
            host.publish(topic, 1)
        assert caught.value.position == position


@pytest.mark.parametrize(("pattern", "position"), [("a.#.b", 2), ("a.b*", 3), (".a", 0)])
def test_a_pattern_that_is_none_is_named_with_its_place(
    engine: aw.Engine, pattern: str, position: int
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        with pytest.raises(aw.TopicInvalid, match="hint:") as caught:
            host.subscribe(pattern)
        assert caught.value.position == position
        with pytest.raises(aw.ValueMismatch):
            host.subscribe("a", messages_max=0)
        with pytest.raises(ValueError, match="when_full"):
            host.subscribe("a", when_full="block")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when_full", "kept"), [("drop-oldest", [2, 3, 4]), ("drop-newest", [0, 1, 2])]
)
def test_a_listener_that_does_not_read_loses_messages_and_holds_nobody_up(
    engine: aw.Engine, when_full: str, kept: list[int]
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        messages = host.subscribe("a", messages_max=3, when_full=when_full)  # type: ignore[arg-type]
        for number in range(5):
            assert host.publish("a", number) == 1
        assert (messages.dropped, messages.waiting) == (2, 3)
        assert [messages.get(timeout=0).value for _ in kept] == kept
        with pytest.raises(TimeoutError):
            messages.get(timeout=0)


def test_bytes_that_wait_are_bounded_too(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host:
        messages = host.subscribe("a", messages_max=1_000_000)
        for _ in range(40):
            host.publish("a", bytes(aw.MIB), codec="raw")
        assert 10 <= messages.waiting <= 16
        assert messages.dropped == 40 - messages.waiting
        with pytest.raises(aw.MessageTooLarge):
            host.publish("a", bytes(aw.MIB + 1), codec="raw")


def test_many_tasks_read_and_a_cancelled_one_takes_nothing_along(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            messages = host.subscribe("a", messages_max=10_000)
            seen: list[int] = []

            async def read() -> None:
                async for message in messages:
                    seen.append(message.value)
                    await asyncio.sleep(0)

            readers = [asyncio.ensure_future(read()) for _ in range(4)]
            for number in range(1000):
                await host.publish("a", number)
                if number % 7 == 0:
                    readers.pop(0).cancel()
                    readers.append(asyncio.ensure_future(read()))
                    with contextlib.suppress(TimeoutError):
                        seen.append((await messages.get(timeout=0)).value)
                if number % 3 == 0:
                    await asyncio.sleep(0)
            messages.close()
            await asyncio.gather(*readers)
            # A reader that was cancelled between two messages had taken none.
            assert sorted(seen) == list(range(1000))

    asyncio.run(main())


def test_the_end_of_the_host_ends_the_reading(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            messages = host.subscribe("a")
            await host.publish("a", 1)
        assert [message.value async for message in messages] == [1]
        with pytest.raises(aw.ActorStopped):
            await host.publish("a", 2)
        with pytest.raises(aw.ActorStopped):
            host.subscribe("a")

    asyncio.run(main())


def test_a_thread_waits_and_is_woken(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host, host.subscribe("a.#") as messages:

        def publish() -> None:
            time.sleep(0.05)
            for number in range(3):
                host.publish("a.b", number)
            time.sleep(0.05)
            messages.close()

        thread = threading.Thread(target=publish)
        thread.start()
        assert [message.value for message in messages] == [0, 1, 2]
        thread.join()
        with pytest.raises(aw.MailboxClosed):
            messages.get()


def test_ctrl_c_ends_the_waiting(engine: aw.Engine) -> None:
    with aw.Host.blocking(engine=engine) as host, host.subscribe("a") as messages:
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            messages.get(timeout=30)
        assert time.monotonic() - began < 5


def test_a_subscriber_has_so_many_subscriptions(engine: aw.Engine) -> None:
    """All together are bounded by their different names: one listener has one pattern."""
    deep = ".".join(["a"] * 100)
    with aw.Host.blocking(engine=engine) as host:
        kept = []
        with pytest.raises(aw.SubscriptionsFull, match="hint:"):
            for number in range(11_000):
                kept.append(host.subscribe(f"n{number}.{deep}"))
        assert len(kept) > 5_000
        kept.clear()
        gc.collect()
        assert host.publish("a", 1) == 0
        host.subscribe("a").close()


def test_what_cannot_be_written_is_not_published(engine: aw.Engine) -> None:

    with aw.Host.blocking(engine=engine) as host, host.subscribe("a") as messages:
        with pytest.raises(aw.CodecError):
            host.publish("a", {"id": 1}, codec="borsh")
        with pytest.raises(aw.CodecError):
            host.publish("a", object())
        with pytest.raises(ValueError, match="codec"):
            host.publish("a", 1, codec="cbro")
        assert messages.waiting == 0


def test_one_message_to_many_and_who_did_not_get_it(
    engine: aw.Engine, handler: aw.Component
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            names = [f"acme/actor{number}" for number in range(3)]
            for name in names:
                await host.spawn(name, handler)
            full = await host.spawn("acme/full", handler, mailbox=aw.Mailbox(messages_max=1))
            endless = asyncio.ensure_future(full.ask(b"?", codec="raw", timeout=0.2))
            await asyncio.sleep(0.05)
            full.try_send(1)
            failed = await host.broadcast([*names, names[0], "acme/full", "acme/nobody"], "x")
            assert {name: type(error) for name, error in failed.items()} == {
                "acme/full": aw.MailboxFull,
                "acme/nobody": aw.ActorNotFound,
            }
            for name in names:
                count = await host.find(name).ask(b"#", codec="raw")
                assert int.from_bytes(count.payload, "little") == 2
            with pytest.raises(ValueError, match="1000"):
                await host.broadcast([f"acme/more{number}" for number in range(1001)], 1)
            assert len(await host.broadcast(names, bytes(aw.MIB + 1), codec="raw")) == 3
            with pytest.raises(aw.AskTimeout):
                await endless

    asyncio.run(main())
