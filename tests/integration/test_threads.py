"""Many threads, one engine: each call is answered right, and nothing is left behind."""

from __future__ import annotations

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import airssys_wasm as aw

THREADS = 32
Open = Callable[..., aw.Instance]
Guest = Callable[[str], aw.Component]


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="resident memory is read from /proc"
)


class Worker:
    """One of the threads: any of the things one does, with the answer known."""

    def __init__(self, seed: int, echo: aw.Component, shared: list[aw.Instance]) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a plan, not a secret
        self.echo = echo
        self.shared = shared
        self.limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=30.0)
        self.calls = 0

    def run_until(self, deadline: float) -> int:
        steps: list[Callable[[], None]] = [
            self.add,
            self.bytes,
            self.record,
            self.refuse,
            self.own,
            self.fail,
        ]
        while time.monotonic() < deadline:
            self.random.choices(steps, weights=[10, 5, 5, 3, 2, 1])[0]()
            self.calls += 1
        return self.calls

    def instance(self) -> aw.Instance:
        return self.random.choice(self.shared)

    def add(self) -> None:
        left, right = self.random.randrange(10**6), self.random.randrange(10**6)
        assert self.instance().call("acme:echo/api#add", left, right) == left + right

    def bytes(self) -> None:
        data = self.random.randbytes(self.random.randrange(4096))
        assert self.instance().call("acme:echo/api#echo-bytes", data) == data

    def record(self) -> None:
        people = [
            {"name": f"p{n}", "age": n, "height-metres": n / 3, "nickname": None}
            for n in range(self.random.randrange(8))
        ]
        assert self.instance().call("acme:echo/types#echo-list-record", people) == people

    def refuse(self) -> None:
        with pytest.raises(aw.ValueMismatch):
            self.instance().call("acme:echo/api#add", "1", 2)

    def own(self) -> None:
        with self.echo.instantiate(limits=self.limits) as instance:
            with instance.call("acme:echo/resources#[constructor]counter", 5) as counter:
                assert counter.call("increment", 2) == 7
            assert instance.call("acme:echo/resources#[static]counter.alive") == 0

    def fail(self) -> None:
        instance = self.echo.instantiate(limits=self.limits)
        with pytest.raises(aw.Trapped):
            instance.call("acme:echo/failures#panic", "on purpose")
        assert instance.closed


def hammer(engine: aw.Engine, echo: aw.Component, seconds: float) -> int:
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=30.0)
    shared = [echo.instantiate(limits=limits) for _ in range(4)]
    deadline = time.monotonic() + seconds
    workers = [Worker(seed, echo, shared) for seed in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        calls: int = sum(pool.map(lambda worker: worker.run_until(deadline), workers))
    for instance in shared:
        instance.close()
    # Each that a worker made is closed or failed, and with these four all are gone.
    assert engine.live_instances == 0
    return calls


def settled(engine: aw.Engine) -> tuple[int, int]:
    """Live instances and slots in use, once what is given back in batches is back."""
    gc.collect()
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        state = engine.live_instances, engine.pool_slots_used
        if state == (0, 0):
            break
        time.sleep(0.02)
    return engine.live_instances, engine.pool_slots_used


@needs_proc
@pytest.mark.parametrize(
    "seconds", [3.0, pytest.param(30.0, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
)
def test_threads_share_an_engine_its_components_and_instances(
    tmp_path: Path, seconds: float
) -> None:
    engine = aw.Engine(cache_dir=tmp_path)
    echo = engine.load(Path(__file__).parents[1] / "components" / "prebuilt" / "echo.wasm")
    # First once, so that stacks, arenas and warm slots are there.
    hammer(engine, echo, seconds / 3)
    assert settled(engine) == (0, 0)
    before = resident_bytes()

    calls = hammer(engine, echo, seconds)

    assert calls > 100 * seconds
    assert settled(engine) == (0, 0)
    assert resident_bytes() - before < 24 * aw.MIB


def test_an_instance_shared_by_threads_serves_one_call_at_a_time(
    open_importer: Open, supplied: type[Any]
) -> None:
    inside = most = 0

    def plain(value: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.001)
        inside -= 1
        return value

    instance = open_importer(supplied(), plain=plain)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(
            lambda n: instance.call("acme:importer/api#call-plain", n), range(5 * THREADS)
        )
        assert list(answers) == list(range(5 * THREADS))

    assert most == 1


def test_those_that_wait_for_an_instance_hear_that_it_failed(
    open_importer: Open, supplied: type[Any]
) -> None:
    # Not by a deadline: those that wait would be at the end of theirs as well.
    def plain(_value: int) -> int:
        time.sleep(0.3)
        raise RuntimeError("the host gives up")

    instance = open_importer(supplied(), plain=plain)

    def call() -> type[BaseException]:
        with pytest.raises(aw.AirssysError) as caught:
            instance.call("acme:importer/api#call-plain", 1)
        return type(caught.value)

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda _: call(), range(8)))

    assert sorted(kind.__name__ for kind in ended) == 7 * ["InstanceClosed"] + ["Trapped"]
    assert time.monotonic() - began < 5.0


def test_closing_from_another_thread_waits_for_nobody(
    guest: Guest, limits: aw.Limits, engine: aw.Engine
) -> None:
    before = engine.live_instances
    instance = guest("busy").instantiate(limits=limits)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(instance.call, "count", 2 * 10**8)
        time.sleep(0.05)
        began = time.monotonic()
        instance.close()
        assert time.monotonic() - began < 0.05
        assert running.result() == 2 * 10**8

    with pytest.raises(aw.InstanceClosed):
        instance.call("calls")
    assert engine.live_instances == before


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """A Python thread that is always busy; says how far it has come."""
    rounds, stop = 0, threading.Event()

    def count() -> None:
        nonlocal rounds
        while not stop.is_set():
            rounds += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield lambda: rounds
    finally:
        stop.set()
        thread.join()


class TestInterpreter:
    def test_a_long_call_lets_other_python_threads_run(
        self, guest: Guest, limits: aw.Limits
    ) -> None:
        with guest("busy").instantiate(limits=limits) as instance, counting() as rounds:
            before = rounds()
            instance.call("count", 3 * 10**8)
            meanwhile, seconds = rounds() - before, instance.receipt.seconds

        # An interpreter that was held would have got nowhere.
        assert seconds > 0.05
        assert meanwhile > 100_000 * seconds

    def test_short_calls_are_right_beside_a_busy_thread(self, instance: aw.Instance) -> None:
        with counting() as rounds:
            for n in range(2000):
                assert instance.call("acme:echo/api#add", n, 1) == n + 1
            assert rounds() > 0

    def test_long_calls_run_at_the_same_time(self, guest: Guest, limits: aw.Limits) -> None:
        if (os.cpu_count() or 1) < 2:
            pytest.skip("one core runs one guest at a time")
        busy = guest("busy")

        def spin(_: int) -> int:
            with busy.instantiate(limits=limits) as instance:
                return int(instance.call("count", 2 * 10**8))

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(spin, range(8))) == {2 * 10**8}

    def test_a_busy_looping_guest_does_not_stop_the_others(
        self, guest: Guest, limits: aw.Limits
    ) -> None:
        short = aw.Limits(memory_bytes_max=limits.memory_bytes_max, call_seconds_max=0.5)
        busy = guest("busy")
        with busy.instantiate(limits=limits) as good, ThreadPoolExecutor(4) as pool:
            loops = [pool.submit(busy.instantiate(limits=short).call, "loop") for _ in range(4)]
            answered = 0
            while not all(loop.done() for loop in loops):
                assert good.call("count", 10) == 10
                answered += 1
            assert answered >= 20
            for loop in loops:
                assert isinstance(loop.exception(), aw.CallTimeout)
