"""The host for threads: when it is not open, and on the thread of its own loop."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import warnings
from collections.abc import Callable
from functools import partial

import pytest

import airssys_wasm as aw
from airssys_wasm.host.blocking import BlockingHost


class Echo:
    async def handle(self, message: aw.Message) -> object:
        return message.value


async def log(_: aw.Message) -> None: ...


ASKED: dict[str, Callable[[BlockingHost], object]] = {
    "spawn": lambda host: host.spawn("acme/echo", Echo),
    "supervise": lambda host: host.supervise("acme/group"),
    "actor": lambda host: host.actor("acme/log")(log),
    "stop": lambda host: host.stop("acme/echo"),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_a_host_that_is_not_open_says_so(
    engine: aw.Engine, asked: Callable[[BlockingHost], object]
) -> None:
    with warnings.catch_warnings():
        # A coroutine that nobody awaits is one.
        warnings.simplefilter("error")
        host = aw.Host.blocking(engine=engine)
        with pytest.raises(aw.ActorStopped, match=r"hint: with aw\.Host\.blocking\(\) as host"):
            asked(host)
        with host:
            pass
        with pytest.raises(aw.ActorStopped, match="was closed; hint: make a new one"):
            asked(host)
        host.close()


def test_actors_and_groups_of_a_closed_host_say_so(
    engine: aw.Engine, handler: aw.Component
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        actor = host.spawn("acme/echo", handler)
        group = host.supervise("acme/group", children=[aw.Child("acme/child", Echo)])
    for asked in (
        lambda: actor.ask(1),
        lambda: actor.call("x"),
        group.stop,
        lambda: group.start_child(aw.Child("acme/late", Echo)),
    ):
        with pytest.raises(aw.ActorStopped):
            asked()


def test_a_host_is_entered_once(engine: aw.Engine) -> None:
    blocking = aw.Host.blocking(engine=engine)
    with blocking, pytest.raises(aw.SupervisionError, match="open already"):
        blocking.__enter__()
    with pytest.raises(aw.ActorStopped, match="make a new one"):
        blocking.__enter__()
    unused = aw.Host.blocking(engine=engine)
    unused.close()
    with pytest.raises(aw.ActorStopped, match="make a new one"):
        unused.__enter__()

    async def main() -> None:
        host = aw.Host(engine=engine)
        async with host:
            actor = await host.spawn("acme/echo", Echo)
            with pytest.raises(aw.SupervisionError, match="open already"):
                await host.__aenter__()
            assert (await actor.ask(1)).value == 1
        with pytest.raises(aw.ActorStopped, match="make a new one"):
            await host.__aenter__()

    asyncio.run(main())


def test_closing_ends_what_other_threads_have_begun(engine: aw.Engine) -> None:
    ends: list[aw.AirssysError] = []

    def spawn(host: BlockingHost, number: int) -> None:
        try:
            for turn in range(1000):
                host.spawn(f"acme/echo-{number}-{turn}", Echo)
        except aw.AirssysError as error:
            ends.append(error)

    with aw.Host.blocking(engine=engine) as host:
        threads = [threading.Thread(target=spawn, args=(host, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
    for thread in threads:
        thread.join(20.0)
    assert not any(thread.is_alive() for thread in threads)
    assert len(ends) == 4
    kinds = {type(end) for end in ends}
    assert kinds <= {aw.ActorStopped, aw.SupervisionError, aw.ActorNotFound}, ends


def test_a_handler_on_its_own_loop_cannot_wait_for_that_loop(engine: aw.Engine) -> None:
    refused: list[str] = []
    with aw.Host.blocking(engine=engine) as host:
        echo = host.spawn("acme/echo", Echo)
        messages, events = host.subscribe("orders.#"), host.events()

        @host.actor("acme/waits")
        async def waits(_: aw.Message) -> object:
            waits_on: list[Callable[[], object]] = [
                *(partial(asked, host) for asked in ASKED.values()),
                host.close,
                lambda: echo.ask(1),
                lambda: echo.send(1),
                lambda: echo.ask_many([1]),
                lambda: echo.send_many([1]),
                messages.get,
                events.get,
            ]
            for waiting in waits_on:
                with pytest.raises(RuntimeError, match="own event loop") as caught:
                    waiting()
                refused.append(str(caught.value))
            echo.try_send(1)
            child = await host.awaitable.spawn("acme/child", Echo)
            return (await child.ask(2)).value

        @host.actor("acme/thread")
        def in_thread(message: aw.Message) -> object:
            return host.spawn("acme/other", Echo).ask(message.value).value

        assert host.find("acme/waits").ask(1).value == 2
        assert len(refused) == len(ASKED) + 7
        assert host.find("acme/thread").ask(3).value == 3


def test_threads_that_come_later_are_not_taken_for_the_loop(engine: aw.Engine) -> None:
    wrong: list[BaseException] = []

    def close(host: BlockingHost) -> None:
        try:
            host.close()
        except BaseException as error:  # noqa: BLE001 - looked at below
            wrong.append(error)

    for _ in range(10):
        with aw.Host.blocking(engine=engine) as host:
            host.spawn("acme/echo", Echo)
        # Their marks may lie where those of the loop's thread lay.
        threads = [threading.Thread(target=close, args=(host,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_handler_that_ends_the_program_ends_only_its_actor(
    engine: aw.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with aw.Host.blocking(engine=engine) as host:

        @host.actor("acme/exit")
        async def leaves(_: aw.Message) -> object:
            sys.exit(3)

        echo = host.spawn("acme/echo", Echo)
        with pytest.raises(aw.ActorFailed):
            host.find("acme/exit").ask(1)
        assert echo.ask(1).value == 1
        assert host.spawn("acme/late", Echo).ask(2).value == 2
        host.stop("acme/late")
    assert any("SystemExit(3)" in record.getMessage() for record in caplog.records)
