"""The ticker: what makes time pass for guests must not starve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from tests.hostile.attack import Host
from tests.hostile.guests import SPIN

import airssys_wasm as aw

BUSY_THREADS = 200
#: A deadline under load holds within twice its length.
LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)


def spun(host: Host) -> float:
    with host.engine.load(SPIN).instantiate(limits=LIMITS) as instance:
        with pytest.raises(aw.CallTimeout):
            instance.call("run")
        seconds = instance.receipt.seconds
    host.assert_unharmed()
    return seconds


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Let 200 threads take turns in a tenth of a second rather than in a whole one."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("quick_turns")
def test_w27_a_deadline_holds_beside_two_hundred_busy_python_threads(host: Host) -> None:
    go, stop = threading.Event(), threading.Event()
    turns = [0] * BUSY_THREADS

    def work(number: int) -> None:
        go.wait()
        while not stop.is_set():
            turns[number] += sum(range(1_000)) > 0

    threads = [threading.Thread(target=work, args=(n,)) for n in range(BUSY_THREADS)]
    for thread in threads:
        thread.start()
    go.set()
    try:
        seconds = spun(host)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert sum(turns) > 0
    assert seconds <= 2 * LIMITS.call_seconds_max


def test_w27_a_deadline_holds_beside_two_hundred_busy_guests(host: Host) -> None:
    component = host.engine.load(SPIN)
    seconds: list[float] = []

    def spin() -> None:
        with component.instantiate(limits=LIMITS) as instance:
            try:
                instance.call("run")
            except aw.CallTimeout:
                seconds.append(instance.receipt.seconds)

    threads = [threading.Thread(target=spin) for _ in range(BUSY_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seconds) == BUSY_THREADS
    assert max(seconds) <= 2 * LIMITS.call_seconds_max
    host.assert_unharmed()


def test_w27_a_deadline_holds_after_the_engine_was_idle(host: Host) -> None:
    # The ticker sleeps when nothing runs: the next call must wake it.
    for _ in range(3):
        time.sleep(0.3)
        assert spun(host) <= LIMITS.call_seconds_max + 0.1


@pytest.mark.skipif(os.name != "posix", reason="a process is stopped with SIGSTOP")
def test_w27_a_process_that_was_stopped_ends_its_calls_when_it_goes_on() -> None:
    script = f"""
import time
import airssys_wasm as aw
engine = aw.Engine(cache_dir=None, pool_instances=2)
instance = engine.load({SPIN!r}).instantiate(
    limits=aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.5))
print("ready", flush=True)
try:
    instance.call("run")
except aw.CallTimeout:
    print("timeout", flush=True)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        began = time.perf_counter()
        process.send_signal(signal.SIGCONT)

        assert process.stdout.readline() == "timeout\n"
        assert time.perf_counter() - began < 1.0
        assert process.wait(timeout=10) == 0
