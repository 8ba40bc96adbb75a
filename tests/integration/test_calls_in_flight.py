"""What happens around a guest that goes on in the runtime's own threads."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

import airssys_wasm as aw

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=10.0)
Kind = Callable[[str], aw.Component]


@pytest.fixture
def computing(engine: aw.Engine) -> Kind:
    """Load a guest that computes for a while, calls the host, and answers 7."""

    def load(parameter: str) -> aw.Component:
        core = "(param i32 i32)" if parameter == "string" else "(param i32)"
        return engine.load(f"""
        (component
          (import "acme:calls/host" (instance $host (export "tick" (func))))
          (alias export $host "tick" (func $tick))
          (core func $lowered (canon lower (func $tick)))
          (core module $m
            (import "" "tick" (func $tick))
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "run") {core} (result i32) (local $left i32)
              (local.set $left (i32.const 100000000))
              (loop $more
                (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                (br_if $more (local.get $left)))
              (call $tick)
              (i32.const 7)))
          (core instance $i (instantiate $m
            (with "" (instance (export "tick" (func $lowered))))))
          (func (export "run") (param "value" {parameter}) (result u32)
            (canon lift (core func $i "run")
              (memory $i "memory") (realloc (func $i "realloc")))))
        """)

    return load


class Host:
    """Holds the very instance it serves, as applications do."""

    instance: aw.Instance

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1


class WaitingHost(Host):
    # A function of the embedder may be either; the type of the class says one.
    async def tick(self) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self.ticks += 1


@pytest.mark.parametrize("kind", [Host, WaitingHost])
@pytest.mark.parametrize(("parameter", "argument"), [("u32", 1), ("string", "x")])
def test_the_garbage_collector_leaves_a_running_call_alone(
    computing: Kind, kind: type[Host], parameter: str, argument: object
) -> None:
    component = computing(parameter)
    collected: list[bool] = []

    def start() -> Awaitable[object]:
        host = kind()
        host.instance = component.instantiate(limits=LIMITS, imports={"acme:calls/host": host})
        return host.instance.call_async("run", argument)

    async def main() -> object:
        # Nobody but the call itself holds the host and its instance.
        future = asyncio.ensure_future(start())
        await asyncio.sleep(0.01)
        collected.append(not future.done())
        gc.collect()
        return await future

    assert asyncio.run(main()) == 7
    assert collected == [True], "it was still running"


def test_a_finalizer_on_the_runtimes_threads_may_call_a_guest_that_waits(
    computing: Kind,
) -> None:
    other = computing("u32").instantiate(limits=LIMITS, imports={"acme:calls/host": WaitingHost()})
    finalized: list[object] = []

    class Calling:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            finalized.append(other.call("run", 1))

    async def main() -> None:
        running = computing("u32").instantiate(
            limits=LIMITS, imports={"acme:calls/host": WaitingHost()}
        )
        gc.disable()
        try:
            future = running.call_async("run", 1)
            Calling()
            gc.set_threshold(1)
            gc.enable()
            # The loop's thread runs no Python: what collects now is another thread.
            time.sleep(0.3)  # noqa: ASYNC251 - that is the point
        finally:
            gc.set_threshold(*thresholds)
            gc.enable()
        await future

    thresholds = gc.get_threshold()
    asyncio.run(main())
    gc.collect()

    assert finalized == [7]
    assert not other.closed


@pytest.fixture
def growing(engine: aw.Engine) -> aw.Component:
    """Load a guest that grows past the warning, or traps."""
    return engine.load("""
    (component
      (import "host" (func $host))
      (core func $lowered (canon lower (func $host)))
      (core module $m
        (import "" "host" (func $host))
        (memory 1)
        (func (export "grow") (drop (memory.grow (i32.const 14))))
        (func (export "trap") unreachable))
      (core instance $i (instantiate $m (with "" (instance (export "host" (func $lowered))))))
      (func (export "grow") (canon lift (core func $i "grow")))
      (func (export "trap") (canon lift (core func $i "trap"))))
    """)


@pytest.fixture
def interrupting() -> Iterator[None]:
    """Press Ctrl-C in a handler of the log."""

    class Interrupting(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            raise KeyboardInterrupt

    logger, handler = logging.getLogger("airssys_wasm.runtime"), Interrupting()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


@pytest.mark.usefixtures("interrupting")
@pytest.mark.parametrize("how", ["call", "call_async"])
@pytest.mark.parametrize("waits", [False, True])
def test_ctrl_c_in_a_handler_of_the_log_ends_this_call_and_no_other(
    growing: aw.Component, how: str, *, waits: bool
) -> None:
    async def coroutine() -> None: ...

    imports = {"host": coroutine if waits else lambda: None}
    # Limits of its own: the warning is logged once for a component and limit.
    pages = 16 + 2 * ["call", "call_async"].index(how) + waits
    limits = aw.Limits(memory_bytes_max=15 * 64 * aw.KIB + pages, call_seconds_max=5.0)
    instance = growing.instantiate(limits=limits, imports=imports)

    async def main() -> object:
        return await instance.call_async("grow")

    with pytest.raises(KeyboardInterrupt):
        instance.call("grow") if how == "call" else asyncio.run(main())
    with pytest.raises(aw.Trapped, match="unreachable"):
        growing.instantiate(limits=LIMITS, imports=imports).call("trap")


def test_calls_that_outlive_their_loop_leave_nothing_behind(
    computing: Kind, engine: aw.Engine
) -> None:
    gc.collect()
    component, before = computing("u32"), engine.live_instances

    async def start() -> object:
        instance = component.instantiate(limits=LIMITS, imports={"acme:calls/host": Host()})
        return instance.call_async("run", 1)

    for _ in range(3):
        loop = asyncio.new_event_loop()
        left = loop.run_until_complete(start())
        time.sleep(0.3)
        loop.close()
        del left
    gc.collect()

    assert engine.live_instances == before
