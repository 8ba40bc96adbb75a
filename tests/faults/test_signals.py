"""Ctrl-C ends what the main thread waits for, promptly and as Python expects it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hostile.wasi_guests import CLOCK, POLL, wasi_guest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX does it")

GUESTS = Path(__file__).parents[1] / "integration" / "guests"
#: From the signal to the exception.
SOON_SECONDS = 0.2

SLEEPING = wasi_guest(
    POLL + CLOCK,
    {
        "after": ('$clock "subscribe-duration"', "(param i64) (result i32)"),
        "block": ('$poll "[method]pollable.block"', "(param i32)"),
    },
    """(func $start (call $block (call $after (i64.const 10_000_000_000))))
       (start $start) (func (export "run"))""",
)

ASKING = """
(component
  (import "ask" (func $ask))
  (core func $ask (canon lower (func $ask)))
  (core module $m (import "h" "ask" (func $ask)) (start $ask))
  (core instance (instantiate $m (with "h" (instance (export "ask" (func $ask)))))))
"""

PROLOGUE = f"""
import asyncio, os, signal, sys, threading, time
import airssys_wasm as aw
# A shell that runs the tests in the background (`make test &`) has all below it ignore
# Ctrl-C, and Python then keeps it that way.
signal.signal(signal.SIGINT, signal.default_int_handler)
engine = aw.Engine(cache_dir=None, policy=aw.Policy(fuel_ceiling=10_000_000_000))
limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=20.0)
busy = engine.load({str(GUESTS / "busy.wat")!r})
wasi = engine.load({str(GUESTS / "wasi.wat")!r})
STARTING = "(component (core module $m (func $s (loop $l br $l)) (start $s))"
STARTING += " (core instance (instantiate $m)))"
ASKING = {ASKING!r}
SLEEPING = {SLEEPING!r}
# Too much work to be compiled in this process.
HEAVY = "(component (core module (func (local " + "i32 " * 2000 + ")" + " nop" * 1000 + ")))"
def sleeper():
    import pathlib, tempfile
    compiler = pathlib.Path(tempfile.mkdtemp(), 'compiler')
    compiler.write_text('#!/bin/sh\\nexec sleep 5\\n')
    compiler.chmod(0o700)
    return compiler
sent = [0.0]
def interrupt_after(seconds):
    def send():
        time.sleep(seconds)
        sent[0] = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=send, daemon=True).start()
"""
EPILOGUE = """
print(f'{time.monotonic() - sent[0]:.3f}')
"""
CASES = {
    "a running guest": """
instance = busy.instantiate(limits=limits)
interrupt_after(0.2)
try:
    instance.call('loop')
except KeyboardInterrupt:
    assert instance.closed
""",
    "a guest with a budget of fuel": """
import dataclasses
instance = busy.instantiate(limits=dataclasses.replace(limits, fuel_max=10_000_000_000))
interrupt_after(0.1)
try:
    while True:
        instance.call('count', 10**8)
except KeyboardInterrupt:
    pass
""",
    "a guest that waits for the host": """
instance = wasi.instantiate(limits=limits, grant=aw.Grant(environment=[]))
interrupt_after(0.2)
try:
    instance.call('sleep', 10**10)
except KeyboardInterrupt:
    assert instance.closed
""",
    "a wait for a busy instance": """
instance = busy.instantiate(limits=limits)
other = threading.Thread(target=lambda: instance.call('loop'), daemon=True)
other.start()
time.sleep(0.1)
interrupt_after(0.2)
try:
    instance.call('calls')
except KeyboardInterrupt:
    assert not instance.closed
""",
    "a start function": """
component = engine.load(STARTING)
interrupt_after(0.2)
try:
    component.instantiate(limits=limits)
except KeyboardInterrupt:
    assert engine.live_instances == 0
""",
    "a start function that waits for the host": """
component = engine.load(SLEEPING)
interrupt_after(0.2)
try:
    component.instantiate(limits=limits)
except KeyboardInterrupt:
    assert engine.live_instances == 0
""",
    "a start function that may wait and loops": """
component = engine.load(SLEEPING.replace('(call $block', '(loop $l br $l) (call $block'))
interrupt_after(0.2)
try:
    component.instantiate(limits=limits)
except KeyboardInterrupt:
    assert engine.live_instances == 0
""",
    "a start function that waits for a coroutine": """
async def ask():
    await asyncio.sleep(100)
interrupt_after(0.2)
try:
    engine.load(ASKING).instantiate(limits=limits, imports={'ask': ask})
except KeyboardInterrupt:
    assert engine.live_instances == 0
""",
    "a compilation": """
slow = aw.Engine(cache_dir=None, pool_instances=2, compiler=sleeper())
interrupt_after(0.3)
try:
    slow.load(HEAVY)
except KeyboardInterrupt:
    pass
""",
    "a wait for a compiling process": """
slow = aw.Engine(cache_dir=None, pool_instances=2, compiler=sleeper(), compile_processes_max=1)
threading.Thread(target=lambda: slow.load(HEAVY), daemon=True).start()
time.sleep(0.2)
interrupt_after(0.3)
try:
    slow.load(HEAVY)
except KeyboardInterrupt:
    # The thread that compiles is not asked to stop: the program ends around it.
    took = time.monotonic() - sent[0]
    print(f'{took:.3f}', flush=True)
    os._exit(0)
""",
    "an event loop that awaits a guest": """
instance = busy.instantiate(limits=limits)
async def main():
    await instance.call_async('loop')
interrupt_after(0.2)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
""",
}


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", PROLOGUE + script + EPILOGUE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("case", CASES)
def test_ctrl_c_ends(case: str) -> None:
    # What the machine does beside this may cost one of them its time.
    took = []
    for _ in range(3):
        ended = run(CASES[case])
        assert (ended.returncode, ended.stderr) == (0, "")
        took.append(float(ended.stdout))
        if took[-1] < SOON_SECONDS:
            break

    assert min(took) < SOON_SECONDS


def test_after_ctrl_c_the_next_failure_is_its_own() -> None:
    ended = run("""
for component in (busy, engine.load(STARTING)):
    interrupt_after(0.1)
    try:
        component.instantiate(limits=limits).call('loop')
    except KeyboardInterrupt:
        pass
    try:
        busy.instantiate(limits=limits).call('trap')
    except aw.Trapped as error:
        assert error.kind == 'unreachable', error
""")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_handler_that_raises_nothing_lets_the_guest_go_on() -> None:
    ended = run("""
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
instance = busy.instantiate(limits=limits)
interrupt_after(0.1)
while not heard:
    assert instance.call('count', 10**8) == 10**8
assert instance.call('count', 5) == 5
""")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_program_may_end_while_guests_run() -> None:
    ended = run("""
instance = wasi.instantiate(limits=limits, grant=aw.Grant(environment=[]))
looping = busy.instantiate(limits=limits)
async def main():
    instance.call_async('sleep', 10**10)
    looping.call_async('loop')
asyncio.run(main())
threading.Thread(target=busy.instantiate(limits=limits).call, args=('loop',), daemon=True).start()
time.sleep(0.05)
""")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_default_action_of_other_signals_is_left_alone() -> None:
    ended = run("""
import signal
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
os.kill(os.getpid(), signal.SIGTERM)
""")

    assert ended.returncode == -signal.SIGTERM
