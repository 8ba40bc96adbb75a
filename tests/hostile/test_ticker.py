"""The ticker: what makes time pass for guests must not starve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from tests.hostile.attack import Host
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import SPIN

import airssys_wasm as aw

BUSY_THREADS = 40
#: A deadline under load holds within twice its length.
LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)


def spun(host: Host) -> float:
    with host.engine.load(SPIN).instantiate(limits=LIMITS) as instance:
        with pytest.raises(aw.CallTimeout):
            instance.call("run")
        seconds = instance.receipt.seconds
    host.assert_unharmed()
    return seconds


THREADS = [BUSY_THREADS, pytest.param(200, marks=pytest.mark.soak)]


@pytest.mark.parametrize("threads", THREADS)
def test_w27_a_deadline_holds_beside_many_busy_python_threads(threads: int) -> None:
    found = in_fresh_process("spin_beside_threads", threads=threads, seconds=1.0)

    assert found["ended"] == "CallTimeout"
    assert found["turns"] > 0
    # Once in a call the main thread may queue for the interpreter, to look at
    # signals: where a turn takes a second or two, that turn comes on top.
    queued = found["turn_seconds"] if threads > BUSY_THREADS else 0
    assert found["seconds"] <= 2 * LIMITS.call_seconds_max + queued


@pytest.mark.parametrize("threads", THREADS)
def test_w27_a_deadline_holds_beside_many_busy_guests(host: Host, threads: int) -> None:
    component = host.engine.load(SPIN)
    seconds: list[float] = []

    def spin() -> None:
        with component.instantiate(limits=LIMITS) as instance:
            try:
                instance.call("run")
            except aw.CallTimeout:
                seconds.append(instance.receipt.seconds)

    busy = [threading.Thread(target=spin) for _ in range(threads)]
    for thread in busy:
        thread.start()
    for thread in busy:
        thread.join()

    assert len(seconds) == threads
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
