"""A host in a forked child: its threads are not there, and nothing waits for them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import airssys_wasm as aw
from airssys_wasm.broker import Listening

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need POSIX")

#: Longer than any of the operations may take in the child.
HANGS_AFTER_SECONDS = 8


def echo(message: aw.Message) -> object:
    return message.value


def outcome_in_child(operation: Callable[[], object]) -> str:
    """Return what ``operation`` raised in a forked child, or ``hung``."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(HANGS_AFTER_SECONDS)
        told = "nothing"
        try:
            operation()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return told if os.WIFEXITED(status) else "hung"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_is_told_and_never_waits(handler: aw.Component, engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5)
    with aw.Host.blocking(engine=engine, limits=limits) as host:
        guest = host.spawn("acme/guest", handler)
        host.actor("acme/echo")(echo)
        python = host.find("acme/echo")
        messages, events = host.subscribe("a.b"), host.events()
        host.publish("a.b", 1)
        assert python.ask(1).value == 1
        refused: dict[str, Callable[[], object]] = {
            "ask": lambda: guest.ask(b"x", codec="raw", timeout=1),
            "ask of Python": lambda: python.ask(1, timeout=1),
            "ask_many": lambda: guest.ask_many([b"x"], codec="raw", timeout=1),
            "send": lambda: guest.send(b"x", codec="raw"),
            "try_send": lambda: guest.try_send(b"x", codec="raw"),
            "send_many": lambda: guest.send_many([b"x"], codec="raw"),
            "publish": lambda: host.publish("a.b", 1),
            "subscribe": lambda: host.subscribe("a.b"),
            "reading a subscription": messages.get,
            "going through it": lambda: next(messages),
            "reading events": lambda: events.get(timeout=5),
            "going through them": lambda: next(events),
        }
        for name, operation in refused.items():
            told = outcome_in_child(operation)
            assert told.startswith("EngineError: "), (name, told)
            assert "forked" in told, (name, told)
            assert "hint: " in told, (name, told)
        not_open: dict[str, Callable[[], object]] = {
            "spawn": lambda: host.spawn("acme/other", handler),
            "stop": lambda: host.stop("acme/guest"),
            "actor": lambda: host.actor("acme/third")(echo),
            "supervise": lambda: host.supervise("acme-group"),
            "call": lambda: guest.call("nothing"),
        }
        for name, operation in not_open.items():
            told = outcome_in_child(operation)
            assert told.startswith(("ActorStopped: ", "EngineError: ")), (name, told)
        began = time.monotonic()
        assert outcome_in_child(host.close) == "nothing"
        assert time.monotonic() - began < HANGS_AFTER_SECONDS
        # A host of its own works there.
        assert outcome_in_child(fresh_host) == "nothing"
        # And the parent has not noticed.
        assert guest.ask(b"x", codec="raw").payload == b"x"
        assert python.ask(2).value == 2
        assert messages.get(timeout=0).value == 1


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_task_of_the_child_reads_nothing_of_the_parent(engine: aw.Engine) -> None:
    async def main() -> None:
        async with aw.Host(engine=engine) as host:
            for listening in (host.subscribe("a.b"), host.events()):
                assert "forked" in outcome_in_child(partial(step, listening))
                with pytest.raises(TimeoutError):
                    await listening.get(timeout=0.01)

    asyncio.run(main())


def step(listening: Listening[Any]) -> None:
    listening.get().send(None)


def fresh_host() -> None:
    with aw.Host.blocking() as host:
        host.actor("acme/echo")(echo)
        assert host.find("acme/echo").ask(3).value == 3
        messages = host.subscribe("a.b")
        host.publish("a.b", 4)
        assert messages.get(timeout=5).value == 4
