"""The program ends while guests run, wait, or answer."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

PREPARE = """
import asyncio, sys, threading, time
import airssys_wasm as aw

IMPORTER = '''
(component
  (import "host" (func $host))
  (core func $lowered (canon lower (func $host)))
  (core module $m
    (import "" "host" (func $host))
    (func (export "once") (call $host))
    (func (export "ever") (loop (call $host) (br 0)))
    (func (export "often") (local $left i32)
      (loop $again
        (local.set $left (i32.const 10_000_000))
        (loop $rest (br_if $rest (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $host)
        (br $again)))
    (func (export "spin") (loop (br 0))))
  (core instance $i (instantiate $m (with "" (instance (export "host" (func $lowered))))))
  (func (export "once") (canon lift (core func $i "once")))
  (func (export "ever") (canon lift (core func $i "ever")))
  (func (export "often") (canon lift (core func $i "often")))
  (func (export "spin") (canon lift (core func $i "spin"))))
'''
engine = aw.Engine(pool_instances=10, cache_dir=None)
limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)
component = engine.load(IMPORTER)
running = threading.Event()

def at_once():
    running.set()
    time.sleep(0.01)

async def waiting():
    running.set()
    await asyncio.sleep(0.01)

def opened(host):
    return component.instantiate(limits=limits, imports={"host": host})

def in_daemon(work):
    threading.Thread(target=work, daemon=True).start()
    assert running.wait(5)
    time.sleep(0.05)
"""

ENDINGS = {
    "an awaited call has just ended": """
async def main():
    await asyncio.gather(*(opened(waiting).call_async("once") for _ in range(3)))
asyncio.run(main())
""",
    "a computing guest nobody awaits": """
async def main():
    future = opened(at_once).call_async("spin")
    await asyncio.sleep(0.03)
    running.set()
keep = asyncio.new_event_loop()
keep.run_until_complete(main())
""",
    "a daemon thread in a host function": """
instance = opened(at_once)
in_daemon(lambda: instance.call("ever"))
""",
    "a daemon thread in a coroutine": """
instance = opened(waiting)
in_daemon(lambda: instance.call("ever"))
""",
    "a daemon thread in a computing guest": """
instance = opened(at_once)
running.set()
in_daemon(lambda: instance.call("spin"))
""",
    "a daemon thread that calls again and again": """
def again():
    while True:
        with opened(at_once) as instance:
            instance.call("once")
in_daemon(again)
""",
    "awaited guests that call again and again, and a slow end": """
class SlowEnd:
    def __del__(self, now=time.monotonic):
        until = now() + 0.5
        while now() < until:
            pass
slow = SlowEnd()
async def main():
    global calls
    calls = [opened(running.set).call_async("often") for _ in range(3)]
    await asyncio.sleep(0.2)
kept = asyncio.new_event_loop()
kept.run_until_complete(main())
""",
    "a host with starts and handlers that hang": """
LOOPS = '''
(component
  (core module $m (func $f (loop (br 0))) (start $f))
  (core instance (instantiate $m)))
'''
def hangs(message):
    running.set()
    threading.Event().wait()
async def main():
    global host, starts
    host = await aw.Host(engine=engine, limits=limits).__aenter__()
    looping = engine.load(LOOPS)
    starts = [asyncio.ensure_future(host.spawn(f"acme/loops{n}", looping)) for n in range(3)]
    host.actor("acme/hangs")(hangs)
    host.find("acme/hangs").try_send(1)
    while not running.is_set():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not any(start.done() for start in starts)
    assert engine.live_instances == 3, engine.live_instances
kept = asyncio.new_event_loop()
kept.run_until_complete(main())
""",
    "a daemon thread that loads": """
def loads():
    running.set()
    for number in range(1_000_000):
        engine.load(IMPORTER.replace('"once"', f'"once-{number}"'))
in_daemon(loads)
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_as_it_says_whatever_its_guests_do(ending: str) -> None:
    script = f"{PREPARE}{ENDINGS[ending]}\nassert running.is_set()\nprint('the end', flush=True)\n"
    for _ in range(4):
        began = time.monotonic()
        ran = subprocess.run(  # noqa: S603 - our own interpreter and our own code
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
        )

        assert (ran.returncode, ran.stdout) == (0, "the end\n"), ran.stderr[-2000:]
        assert time.monotonic() - began < 20
