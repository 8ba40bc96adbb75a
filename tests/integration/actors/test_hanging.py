"""Code that hangs keeps its own thread, and nobody else's: the host goes on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.integration.actors.wrapping import HANDLER, wrapped

import airssys_wasm as aw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: More than any executor of an event loop has threads.
MANY = 40
LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=4.0)


def looping(engine: aw.Engine, wit: Path, export: str) -> aw.Component:
    begins = f'lifecycle@1.0.0#{export}") (param i32) (result i32)'
    source = HANDLER.read_text()
    assert begins in source
    path = wit / f"loops-in-{export}.wat"
    path.write_text(source.replace(begins, f"{begins} (loop $again (br $again))"))
    return wrapped(engine, path, wit)


@pytest.fixture
def hang() -> Iterator[Callable[[object], None]]:
    """A plain function that ends with the test."""
    release = threading.Event()
    yield lambda _: None if release.wait(50) else pytest.fail("nobody let it go")
    release.set()


async def restarted(actor: aw.Actor) -> float:
    """Crash an actor; return how long it takes until it answers again."""
    began = time.monotonic()
    with pytest.raises(aw.ActorFailed):
        await actor.ask(b"!", codec="raw")
    assert (await actor.ask(b"x", codec="raw", timeout=20.0)).payload == b"x"
    return time.monotonic() - began


def test_starts_that_hang_hold_up_no_restart(
    engine: aw.Engine, handler: aw.Component, wit: Path
) -> None:
    async def main() -> None:
        hanging = looping(engine, wit, "initialize")
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            good = await host.spawn("acme/good", handler)
            starts = [
                asyncio.ensure_future(host.spawn(f"acme/bad{number}", hanging))
                for number in range(MANY)
            ]
            await asyncio.sleep(0.3)
            assert await restarted(good) < 2
            assert not any(start.done() for start in starts)
            ends = await asyncio.gather(*starts, return_exceptions=True)
            assert all(isinstance(end, aw.CallTimeout) for end in ends)

    asyncio.run(main())


def test_stops_that_hang_hold_up_no_restart(
    engine: aw.Engine, handler: aw.Component, wit: Path
) -> None:
    async def main() -> None:
        hanging = looping(engine, wit, "shutdown")
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            good = await host.spawn("acme/good", handler)
            for number in range(MANY):
                await host.spawn(f"acme/bad{number}", hanging)
            stops = [
                asyncio.ensure_future(host.stop(f"acme/bad{number}")) for number in range(MANY)
            ]
            await asyncio.sleep(0.3)
            assert await restarted(good) < 2
            assert not any(stop.done() for stop in stops)
            await asyncio.gather(*stops)

    asyncio.run(main())


def test_handlers_that_hang_hold_up_nobody(
    engine: aw.Engine, handler: aw.Component, hang: Callable[[object], None]
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine, limits=LIMITS) as host:
            good = await host.spawn("acme/good", handler)
            for number in range(MANY):
                host.actor(f"acme/bad{number}", handler_seconds_max=0.2, restart="temporary")(hang)
                host.find(f"acme/bad{number}").try_send(1)
            await asyncio.sleep(0.5)
            assert host.actors == ["acme/good"]
            assert await restarted(good) < 2
            more = await asyncio.wait_for(host.spawn("acme/more", handler), 2)

            @host.actor("acme/plain")
            def plain(message: aw.Message) -> object:
                return message.value

            assert (await more.ask(b"y", codec="raw")).payload == b"y"
            assert (await host.find("acme/plain").ask(3, timeout=2.0)).value == 3

    began = time.monotonic()
    asyncio.run(main())
    # Nor does the end of the loop wait for them.
    assert time.monotonic() - began < 8


def test_an_actor_whose_handlers_hang_keeps_no_more_than_so_many_threads(
    engine: aw.Engine, hang: Callable[[object], None]
) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            before = threading.active_count()
            child = aw.Child(
                "acme/bad",
                lambda: Hanging(hang),
                handler_seconds_max=0.005,
                backoff=aw.Backoff(first_seconds=0, max_seconds=0, jitter=0),
            )
            await host.supervise("bad", children=[child], intensity=10_000)
            actor = host.find("acme/bad")
            for _ in range(64):
                with pytest.raises(aw.ActorFailed, match=r"ran past 0\.005 s"):
                    await actor.ask(1)
            for _ in range(3):
                with pytest.raises(aw.ActorFailed, match="64 handlers of it hang already"):
                    await actor.ask(1)
            assert threading.active_count() - before <= 64 + 4

    asyncio.run(main())


class Hanging:
    def __init__(self, hang: Callable[[object], None]) -> None:
        self.handle = hang


def test_a_plain_handler_keeps_its_thread_and_nothing_of_the_message(engine: aw.Engine) -> None:
    async def main() -> None:
        seen: set[str] = set()
        async with aw.Host(engine=engine) as host:

            @host.actor("acme/plain")
            def plain(message: aw.Message) -> object:
                seen.add(threading.current_thread().name)
                if message.value == "stop":
                    raise StopIteration("no future carries it")
                if message.value == "exit":
                    raise SystemExit("it must not end the program")
                return threading.get_ident()

            actor = host.find("acme/plain")
            idents = {(await actor.ask(number)).value for number in range(50)}
            assert len(idents) == 1
            assert seen == {"airssys-worker"}
            for odd in ("stop", "exit"):
                with pytest.raises(aw.ActorFailed, match=r"StopIteration|SystemExit") as caught:
                    await actor.ask(odd)
                assert caught.value.kind == "exception"
            assert isinstance((await actor.ask(1)).value, int)

    asyncio.run(main())


ENDS = """
import asyncio, sys, threading
import airssys_wasm as aw

async def main():
    host = aw.Host()
    await host.__aenter__()

    @host.actor("acme/plain", handler_seconds_max=0.1, restart="temporary")
    def hang(message):
        threading.Event().wait({seconds})

    host.find("acme/plain").try_send(1)
    await asyncio.sleep(0.3)
    assert host.actors == []
    await host.close()

asyncio.run(main())
sys.exit(7)
"""


def test_the_program_ends_although_a_handler_hangs() -> None:
    began = time.monotonic()
    ended = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", ENDS.format(seconds=40)], timeout=30, check=False
    )
    assert ended.returncode == 7
    assert time.monotonic() - began < 20
