"""What a guest or a broken helper makes the host hold, wait for, or believe."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import airssys_wasm as aw
from airssys_wasm import components

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)

SEVEN = """
(component
  (core module $m (func (export "run") (result i32) i32.const 7))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
"""
#: Calls the host's ``h`` as its start function, and again in ``run``.
CALLER = """
(component
  (import "h" (func $h))
  (core func $lowered (canon lower (func $h)))
  (core module $m (import "" "h" (func $h)) {start} (func (export "run") (call $h)))
  (core instance $i (instantiate $m (with "" (instance (export "h" (func $lowered))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


def globals_bomb(count: int, instances: int) -> str:
    """A component whose instances are globals and nothing else."""
    declared = "(global (mut i64) (i64.const 1))" * count
    return (
        f"(component (core module $m {declared}) {'(core instance (instantiate $m))' * instances})"
    )


def test_globals_are_held_against_the_memory_limit(engine: aw.Engine) -> None:
    component = engine.load(globals_bomb(5_000, 60))

    with pytest.raises(aw.OutOfMemory, match=str(5_000 * 60 * 16)):
        component.instantiate(limits=LIMITS)

    enough = aw.Limits(memory_bytes_max=8 * aw.MIB, call_seconds_max=5.0)
    component.instantiate(limits=enough).close()


def test_idle_instances_do_not_use_up_the_stacks_of_others(engine: aw.Engine) -> None:
    component = engine.load(SEVEN)

    async def call_each_once() -> list[int]:
        instances = [component.instantiate(limits=LIMITS) for _ in range(1_100)]
        return [await instance.call_async("run") for instance in instances]

    assert asyncio.run(call_each_once()) == [7] * 1_100


def test_a_start_function_in_a_slow_host_function_is_late_like_any_call(
    engine: aw.Engine,
) -> None:
    component = engine.load(CALLER.format(start="(start $h)"))
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.1)

    with pytest.raises(aw.CallTimeout):
        component.instantiate(limits=limits, imports={"h": lambda: time.sleep(0.3)})


def test_waiting_for_a_busy_instance_ends(engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=0.2)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        leave.wait(5.0)

    instance = engine.load(CALLER.format(start="")).instantiate(limits=limits, imports={"h": hold})

    def occupy() -> None:
        with pytest.raises(aw.CallTimeout):
            instance.call("run")

    holder = threading.Thread(target=occupy)
    holder.start()
    assert entered.wait(5.0)
    began = time.monotonic()

    with pytest.raises(aw.InstanceBusy, match=r"busy for 0\.2 s"):
        instance.call("run")

    assert 0.2 <= time.monotonic() - began < 1.0
    leave.set()
    holder.join()


def test_a_call_that_nobody_could_await_is_not_begun(engine: aw.Engine) -> None:
    instance = engine.load(SEVEN).instantiate(limits=LIMITS)

    with pytest.raises(RuntimeError, match="event loop"):
        _ = instance.call_async("run")

    assert instance.call("run") == 7


def test_a_subinterpreter_beside_us_changes_nothing() -> None:
    script = """
import _xxsubinterpreters as interpreters
import airssys_wasm as aw
component = aw.Engine(cache_dir=None).load('''(component (core module $m
  (func $s (local i32) (loop (local.set 0 (i32.add (local.get 0) (i32.const 1)))
    (br_if 0 (i32.lt_u (local.get 0) (i32.const 9000000))))) (start $s))
  (core instance (instantiate $m)))''')
interpreters.create()
limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=20.0, fuel_max=100_000_000)
component.instantiate(limits=limits)
print('held')
"""
    if sys.version_info >= (3, 13):
        script = script.replace("_xxsubinterpreters", "_interpreters")

    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "held\n"), ended.stderr


def test_engines_of_many_threads_agree_on_a_new_cache(tmp_path: Path) -> None:
    for attempt in range(20):
        barrier = threading.Barrier(6)
        problems: list[str | None] = []

        def open_cache(
            place: Path = tmp_path / str(attempt),
            barrier: threading.Barrier = barrier,
            problems: list[str | None] = problems,
        ) -> None:
            barrier.wait()
            problems.append(aw.Engine(cache_dir=place, pool_instances=1).cache_problem)

        threads = [threading.Thread(target=open_cache) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert problems == [None] * 6


@pytest.mark.skipif(sys.platform == "win32", reason="the broken compiler is a shell script")
def test_half_an_answer_of_the_compiling_process_is_none(tmp_path: Path) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\n{sys.executable} "$@" | head -c 40000\n')
    compiler.chmod(0o700)
    cache = tmp_path / "cache"
    engine = aw.Engine(cache_dir=cache, pool_instances=4, compiler=compiler)

    with pytest.raises(aw.CompileRefused):
        engine.load(components.load("text-stats"))

    assert not list(cache.glob("*.cwasm"))
