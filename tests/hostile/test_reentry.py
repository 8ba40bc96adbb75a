"""Coming back: into a call that still runs, or into an instance that has failed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from tests.hostile.attack import LIMITS, Host, Under
from tests.hostile.guests import HOG_THAT_TRAPS, SPIN, one_module
from tests.hostile.test_time import ASKING

import airssys_wasm as aw

CALL_ONCE = ASKING.replace("(loop $again (call $ask) (br $again))", "(call $ask)")
LONG = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)


def test_w22_two_instances_that_call_each_other_end_as_reentrance(host: Host) -> None:
    component = host.engine.load(CALL_ONCE)
    visited: list[str] = []

    def to_second() -> None:
        visited.append("first")
        second.call("run")

    def to_first() -> None:
        visited.append("second")
        first.call("run")

    first = component.instantiate(limits=LONG, imports={"ask": to_second})
    second = component.instantiate(limits=LONG, imports={"ask": to_first})
    began = time.perf_counter()
    with pytest.raises(aw.Trapped) as caught:
        first.call("run")

    assert time.perf_counter() - began < 1.0
    assert visited == ["first", "second"]
    assert isinstance(caught.value.__cause__, aw.Trapped)
    assert isinstance(caught.value.__cause__.__cause__, aw.ReentrantCall)
    assert (first.closed, second.closed) == (True, True)
    host.assert_unharmed()


def test_w22_a_reentrance_that_is_caught_leaves_the_call_running(host: Host) -> None:
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            instance.call("run")
        except aw.ReentrantCall as error:
            caught.append(error)

    instance = host.engine.load(CALL_ONCE).instantiate(limits=LONG, imports={"ask": ask})
    instance.call("run")
    instance.call("run")
    instance.close()

    assert len(caught) == 2
    assert "hint:" in str(caught[0])
    host.assert_unharmed()


@pytest.mark.parametrize("way", ["call", "call_async"])
def test_w22_an_asynchronous_host_function_that_comes_back_is_no_deadlock(
    host: Host, way: str
) -> None:
    async def ask() -> None:
        if way == "call_async":
            await instance.call_async("run")
        else:
            instance.call("run")

    instance = host.engine.load(CALL_ONCE).instantiate(limits=LONG, imports={"ask": ask})

    async def outer() -> None:
        await instance.call_async("run")

    began = time.perf_counter()
    with pytest.raises(aw.AirssysError) as caught:
        asyncio.run(outer())

    assert time.perf_counter() - began < 1.0, "it waited for itself until the deadline"
    chain = []
    error: BaseException | None = caught.value
    while error is not None:
        chain.append(type(error))
        error = error.__cause__
    assert aw.ReentrantCall in chain
    host.assert_unharmed()


def test_w22_a_host_function_that_closes_its_own_instance_ends_cleanly(host: Host) -> None:
    def ask() -> None:
        instance.close()

    instance = host.engine.load(CALL_ONCE).instantiate(limits=LONG, imports={"ask": ask})
    instance.call("run")

    assert instance.closed
    with pytest.raises(aw.InstanceClosed):
        instance.call("run")
    host.assert_unharmed()


def test_w22_a_component_that_enters_itself_traps(host: Host) -> None:
    # The inner component calls, through its import, the export of the outer one
    # that is running: only the host can tie that knot.
    source = """
    (component
      (import "ask" (func $ask))
      (component $inner
        (import "ask" (func $ask))
        (core func $ask (canon lower (func $ask)))
        (core module $m (import "host" "ask" (func $ask)) (func (export "run") (call $ask)))
        (core instance $i (instantiate $m (with "host" (instance (export "ask" (func $ask))))))
        (func (export "run") (canon lift (core func $i "run"))))
      (instance $inner (instantiate $inner (with "ask" (func $ask))))
      (export "run" (func $inner "run")))
    """

    def ask() -> None:
        instance.call("run")

    instance = host.engine.load(source).instantiate(limits=LONG, imports={"ask": ask})
    with pytest.raises(aw.Trapped) as caught:
        instance.call("run")

    assert isinstance(caught.value.__cause__, aw.ReentrantCall)
    host.assert_unharmed()


UNREACHABLE = one_module('(func (export "run") unreachable)')
FAILURES: dict[str, tuple[str, type[aw.ComponentFailed]]] = {
    "trap": (UNREACHABLE, aw.Trapped),
    "timeout": (SPIN, aw.CallTimeout),
    "memory": (HOG_THAT_TRAPS, aw.OutOfMemory),
    "fuel": (SPIN, aw.FuelExhausted),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_w23_an_instance_that_failed_is_never_entered_again(host: Host, failure: str) -> None:
    source, expected = FAILURES[failure]
    limits = aw.Limits(
        memory_bytes_max=aw.MIB,
        call_seconds_max=0.1 if failure == "timeout" else 5.0,
        fuel_max=1000 if failure == "fuel" else None,
    )
    component = host.engine.load(source)
    instance = component.instantiate(limits=limits)
    with pytest.raises(expected):
        instance.call("run")

    for _ in range(3):
        with pytest.raises(aw.InstanceClosed, match=r"instantiate\(\)"):
            instance.call("run")
    host.assert_unharmed()

    # A fresh one meets the same end by itself: nothing was left behind.
    with component.instantiate(limits=limits) as fresh, pytest.raises(expected):
        fresh.call("run")


def test_w23_those_who_queue_for_an_instance_that_fails_all_learn_of_it(host: Host) -> None:
    component = host.engine.load(SPIN)
    instance = component.instantiate(limits=LIMITS)
    ended: list[type[BaseException]] = []

    def call() -> None:
        try:
            instance.call("run")
        except aw.AirssysError as error:
            ended.append(type(error))

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert sorted(ended, key=str) == sorted([aw.CallTimeout] + [aw.InstanceClosed] * 9, key=str)
    host.assert_unharmed()


def test_w23_a_failed_start_leaves_no_instance(host: Host) -> None:
    source = one_module('(func $start unreachable) (start $start) (func (export "run"))')

    outcome = host.attack(source, expect=aw.Trapped, under=Under())

    assert outcome.receipt is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, RecursionError])
def test_w23_what_a_host_function_raises_is_never_swallowed(
    host: Host, error: type[BaseException]
) -> None:
    def ask() -> None:
        raise error("from the embedder")

    instance = host.engine.load(CALL_ONCE).instantiate(limits=LONG, imports={"ask": ask})
    with pytest.raises((aw.Trapped, error)) as caught:
        instance.call("run")

    chained: Callable[[BaseException], BaseException] = lambda e: e.__cause__ or e  # noqa: E731
    assert isinstance(chained(caught.value), error)
    assert instance.closed
    host.assert_unharmed()
