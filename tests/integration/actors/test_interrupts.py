"""A blocking host that is interrupted, closed by several threads, or forgotten."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

import airssys_wasm as aw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airssys_wasm.host.blocking import BlockingActor, BlockingHost

LIMITS = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=20.0)
HANDLE = "airssys:core/lifecycle#handle-message"
posix = pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX does it")


def until(what: str, is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.01)
    pytest.fail(f"never: {what}")


@pytest.fixture
def host(engine: aw.Engine) -> Iterator[BlockingHost]:
    with aw.Host.blocking(engine=engine, limits=LIMITS) as host:
        yield host


def interrupted(work: Callable[[], object]) -> float:
    """Press Ctrl-C while ``work`` blocks; return how long it took to come back."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    began = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        work()
    timer.join()
    return time.monotonic() - began


@posix
def test_a_spawn_that_is_interrupted_is_taken_back(
    host: BlockingHost, handler: aw.Component
) -> None:
    release = threading.Event()
    hooks = aw.Hooks(before_start=lambda _: release.wait(20), seconds_max=20.0)
    took = interrupted(lambda: host.spawn("acme/echo", handler, hooks=hooks))
    assert took < 3
    assert host.actors == []
    release.set()
    again = host.spawn("acme/echo", handler)
    assert again.ask(b"x", codec="raw").payload == b"x"
    assert host.metrics()["instances_live"] == 1


@posix
def test_a_group_whose_start_is_interrupted_is_taken_back(
    host: BlockingHost, handler: aw.Component
) -> None:
    release = threading.Event()
    hooks = aw.Hooks(before_start=lambda _: release.wait(20), seconds_max=20.0)
    slow = [aw.Child("acme/quick", handler), aw.Child("acme/slow", handler, hooks=hooks)]
    assert interrupted(lambda: host.supervise("acme/group", children=slow)) < 3
    assert host.actors == []
    release.set()
    until("nothing runs", lambda: host.metrics()["instances_live"] == 0)


@posix
def test_a_call_that_is_interrupted_ends_and_the_actor_comes_back(
    host: BlockingHost, handler: aw.Component
) -> None:
    actor = host.spawn("acme/echo", handler)
    # It would run for 20 s.
    assert interrupted(lambda: actor.call(HANDLE, 0, 0x55, b"?")) < 3
    assert actor.ask(b"x", codec="raw").payload == b"x"
    assert actor.incarnation == 2


@posix
def test_a_stop_that_is_interrupted_comes_to_its_end(host: BlockingHost) -> None:
    class Slow:
        def handle(self, _message: aw.Message) -> None:
            time.sleep(0.6)

    actor: BlockingActor = host.spawn("acme/slow", Slow)
    actor.send(1)
    assert interrupted(lambda: host.stop("acme/slow")) < 3
    until("it is stopped", lambda: actor.status == "stopped")
    assert host.actors == []


def test_whoever_closes_it_too_waits_until_it_is_closed(
    engine: aw.Engine, handler: aw.Component
) -> None:
    host = aw.Host.blocking(engine=engine, limits=LIMITS)
    began = threading.Event()

    class Slow:
        def handle(self, message: aw.Message) -> object:
            began.set()
            time.sleep(0.4)
            return message.value

    host.__enter__()
    actors = [host.spawn("acme/slow", Slow), host.spawn("acme/echo", handler)]
    actors[0].send(1)
    assert began.wait(5)
    found: list[list[str]] = []

    def close() -> None:
        host.close()
        found.append([actor.status for actor in actors])

    threads = [threading.Thread(target=close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [["stopped", "stopped"]] * 4


def host_threads() -> int:
    return sum(thread.name == "airssys-host" for thread in threading.enumerate())


def test_one_that_is_dropped_ends_and_says_so(engine: aw.Engine, handler: aw.Component) -> None:
    before = host_threads()

    def drop_one() -> None:
        host = aw.Host.blocking(engine=engine, limits=LIMITS)
        host.__enter__()
        actor = host.spawn("acme/echo", handler)
        host.actor("acme/plain")(lambda message: message.value)
        assert actor.ask(b"x", codec="raw").payload == b"x"
        del host, actor
        gc.collect()

    for _ in range(5):
        with pytest.warns(ResourceWarning, match=r"without close.*hint: "):
            drop_one()
    until("their threads have ended", lambda: host_threads() == before)
    until("nothing runs", lambda: engine.live_instances == 0)


def test_one_that_is_closed_or_was_never_opened_says_nothing(
    engine: aw.Engine, recwarn: pytest.WarningsRecorder
) -> None:
    with aw.Host.blocking(engine=engine) as host:
        assert host.actors == []
    del host
    host = aw.Host.blocking(engine=engine)
    del host
    gc.collect()
    assert [str(one.message) for one in recwarn] == []
