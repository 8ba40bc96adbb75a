"""After a fork the child has none of the engine's threads: it is told so, or makes its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

import airssys_wasm as aw

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

SCRIPT = """
import json, os, sys
import airssys_wasm as aw
limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=10.0)
engine = aw.Engine(cache_dir=None)
echo = engine.load(sys.argv[1])
instance = echo.instantiate(limits=limits)
assert instance.call('add', 1, 2) == 3
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    told = {}
    async def awaited():
        return await instance.call_async('add', 1, 2)
    import asyncio
    attempts = {
        'call': lambda: instance.call('add', 1, 2),
        'call_async': lambda: asyncio.run(awaited()),
        'instantiate': lambda: echo.instantiate(limits=limits),
        'load': lambda: engine.load('(component)'),
    }
    for name, attempt in attempts.items():
        try:
            told[name] = repr(attempt())
        except aw.EngineError as error:
            told[name] = str(error)
    os.write(writing, json.dumps(told).encode())
    # Ends as a program does: what it holds of the engine is dropped.
    del instance, echo, engine
    sys.exit(0)
os.close(writing)
told = b''.join(iter(lambda: os.read(reading, 65536), b''))
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
for n in range(100):
    assert instance.call('add', n, 1) == n + 1
with echo.instantiate(limits=limits) as second:
    assert second.call('add', 1, 1) == 2
sys.stdout.write(told.decode())
"""


def test_a_forked_child_is_refused_and_its_parent_goes_on() -> None:
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SCRIPT, str(echo_path())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    told = json.loads(ended.stdout)
    assert set(told) == {"call", "call_async", "instantiate", "load"}
    for words in told.values():
        assert "before this process was forked" in words
        assert "hint: make a new Engine in the child" in words


ANEW = """
import asyncio, os, sys, threading, time
import airssys_wasm as aw
limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=0.3)
guests = sys.argv[2]

def work():
    engine = aw.Engine(cache_dir=None, pool_instances=10)
    instance = engine.load(sys.argv[1]).instantiate(limits=limits)
    assert instance.call('add', 1, 2) == 3
    busy = engine.load(guests + '/busy.wat')
    began = time.monotonic()
    try:
        busy.instantiate(limits=limits).call('loop')
    except aw.CallTimeout:
        assert time.monotonic() - began < 1.0
    wasi = engine.load(guests + '/wasi.wat').instantiate(
        limits=limits, grant=aw.Grant(environment=[]))
    wasi.call('sleep', 10**7)
    async def waits():
        await wasi.call_async('sleep', 10**7)
        return await instance.call_async('add', 20, 22)
    assert asyncio.run(waits()) == 42
    return engine

def in_child(run):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run()
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + 30
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            raise SystemExit('the child hangs')
        time.sleep(0.01)

def again():
    kept = work()
    assert in_child(work) == 0
    assert kept.load('(component)').digest

kept = work()
assert in_child(work) == 0
assert in_child(again) == 0
# A child of another thread than the main one.
told = []
thread = threading.Thread(target=lambda: told.append(in_child(work)))
thread.start()
thread.join()
assert told == [0], told
assert work().live_instances == 0
assert kept.load('(component)').digest
"""


def test_a_forked_child_may_make_an_engine_of_its_own() -> None:
    ended = subprocess.run(  # noqa: S603 - our own words
        [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            ANEW,
            str(echo_path()),
            str(Path(__file__).parents[1] / "integration" / "guests"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_spawned_child_has_an_engine_of_its_own() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(answer) == 42


def answer() -> int:
    engine = aw.Engine(cache_dir=None)
    limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=10.0)
    with engine.load(echo_path()).instantiate(limits=limits) as instance:
        return int(instance.call("add", 20, 22))


def echo_path() -> Path:
    return Path(__file__).parents[1] / "components" / "prebuilt" / "echo.wasm"


IN_A_LOOP = """
import asyncio, os, sys
import airssys_wasm as aw
limits = aw.Limits(memory_bytes_max=16 * aw.MIB, call_seconds_max=10.0)

def load():
    return aw.Engine(cache_dir=None).load(sys.argv[1]).instantiate(limits=limits)

async def main():
    assert await load().call_async('add', 1, 2) == 3
    child = os.fork()
    if child == 0:
        # An engine of its own, but no event loop: that is its parent's.
        try:
            load().call_async('add', 1, 2)
        except RuntimeError as error:
            os._exit(7 if 'no running event loop' in str(error) else 8)
        os._exit(9)
    _, status = os.waitpid(child, 0)
    sys.stdout.write(str(os.waitstatus_to_exitcode(status)))

asyncio.run(main())
"""


def test_a_child_forked_inside_a_loop_has_none() -> None:
    echo = Path(__file__).parents[1] / "components" / "prebuilt" / "echo.wasm"
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", IN_A_LOOP, str(echo)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (0, "7"), ran.stderr
