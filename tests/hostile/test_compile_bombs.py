"""Compiling: small files that mean hours of work or all the memory there is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.hostile import bombs
from tests.hostile.attack import OVERSHOOT_BYTES_MAX
from tests.hostile.fresh import in_fresh_process

import airssys_wasm as aw

#: Name -> bomb. Each is at most 32 MiB.
BOMBS = {
    "loops over locals, light in bytes": ("loops_over_locals", (4_000, 4_000)),
    "wide blocks, light in bytes": ("wide_blocks", (1_000, 2_000)),
    "wide calls, light in bytes": ("wide_calls", (1_000, 10_000)),
    "wide blocks": ("wide_blocks", (1_000, 12_000)),
    "50 000 locals in each of 10 000 functions": ("functions_with_locals", (10_000, 50_000)),
    "a branch table of 7 million": ("branch_table", (7_000_000,)),
    "a function of 7 MB": ("long_function", (1_000_000,)),
    "100 000 types": ("many_types", (100_000,)),
    "1 000 000 types": ("many_types", (1_000_000,)),
    "100 000 blocks deep": ("deep_blocks", (100_000,)),
    "calls between components, light in bytes": ("joined_components", (500, 950)),
    "tables laid out in advance, light in bytes": ("wide_tables", (100,)),
    "memories that are mostly empty, light in bytes": ("sparse_memories", (100,)),
}
COMPILE_SECONDS_MAX = 2.0
#: Starting and stopping the compiling process, and sending it megabytes.
SLACK_SECONDS = 3.0

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="reads the memory of a process from /proc"
)


@linux_only
@pytest.mark.parametrize("name", BOMBS)
def test_w12_a_compile_bomb_costs_the_host_its_bounds_and_no_more(name: str) -> None:
    bomb, arguments = BOMBS[name]
    assert len(getattr(bombs, bomb)(*arguments)) <= 32 * aw.MIB

    found = in_fresh_process(
        "compile_bomb",
        bomb=bomb,
        arguments=arguments,
        compile_seconds_max=COMPILE_SECONDS_MAX,
        compile_memory_bytes_max=512 * aw.MIB,
    )

    assert found["ended"] in {"compiled", "CompileRefused", "ComponentInvalid"}
    assert found["seconds"] <= COMPILE_SECONDS_MAX + SLACK_SECONDS
    assert found["peak_growth"] <= OVERSHOOT_BYTES_MAX
    assert found["workers_peak"] <= 768 * aw.MIB
    assert found["neighbour"] == 1, "the host still answers"


@linux_only
@pytest.mark.parametrize(
    "name",
    [
        "loops over locals, light in bytes",
        "50 000 locals in each of 10 000 functions",
        "calls between components, light in bytes",
    ],
)
def test_w12_a_bomb_is_stopped_and_not_merely_survived(name: str) -> None:
    bomb, arguments = BOMBS[name]
    found = in_fresh_process(
        "compile_bomb",
        bomb=bomb,
        arguments=arguments,
        compile_seconds_max=1.0,
        compile_memory_bytes_max=512 * aw.MIB,
    )

    assert found["ended"] == "CompileRefused"
    assert "hint:" in found["message"]


@pytest.mark.parametrize("seconds", [0.001, 0.02])
def test_w12_a_short_time_to_compile_is_kept_for_small_components_too(seconds: float) -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=2, compile_seconds_max=seconds)

    with pytest.raises(aw.CompileRefused, match="compile_seconds_max"):
        engine.load(bombs.many_functions(3_000))

    assert engine.load("(component)").digest, "what is no work at all needs no time"


@linux_only
def test_w12_code_far_larger_than_its_component_is_not_taken_from_the_compiler() -> None:
    found = in_fresh_process(
        "compile_bomb",
        bomb="wide_tables",
        arguments=(20,),
        compile_seconds_max=60.0,
        compile_memory_bytes_max=aw.GIB,
    )

    assert found["ended"] == "CompileRefused"
    assert "compiles to more than" in found["message"]
    assert "hint:" in found["message"]
    assert found["peak_growth"] <= OVERSHOOT_BYTES_MAX


def test_w12_a_component_above_the_size_limit_is_refused_unread() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=2, component_bytes_max=1000)

    with pytest.raises(aw.CompileRefused, match="component_bytes_max"):
        engine.load(bombs.long_function(1000))


def test_w12_a_file_past_the_size_limit_is_not_taken_for_its_beginning(tmp_path: Path) -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=2, component_bytes_max=1000)
    (tmp_path / "cut.wat").write_text("(component)".ljust(1001) + "(((")

    with pytest.raises(aw.CompileRefused, match="component_bytes_max"):
        engine.load(tmp_path / "cut.wat")


def test_w12_heavy_components_are_refused_where_no_worker_can_be_started() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=2, compiler="/nonexistent/python")

    with pytest.raises(aw.CompileRefused, match="compiler"):
        engine.load(bombs.loops_over_locals(1000, 1000))


@linux_only
@pytest.mark.parametrize(
    ("opening", "item", "closing"),
    [
        ("(component ", "(type (func))", ")"),
        ("(component (core module ", '(data "\\00")', "))"),
        ("(component (core module (func ", "nop ", ")))"),
        ("", "(", ""),
        ("", "(component ", ""),
        ("", "(;", ""),
    ],
    ids=["types", "data", "code", "parentheses", "nesting", "comments"],
)
def test_w12_text_without_measure_is_refused_before_it_is_parsed(
    opening: str, item: str, closing: str
) -> None:
    found = in_fresh_process(
        "text_bomb", opening=opening, item=item, closing=closing, bytes_=20 * aw.MIB
    )

    assert found["ended"] in {"CompileRefused", "ComponentInvalid"}
    assert found["seconds"] < 0.5
    assert found["peak_growth"] <= OVERSHOOT_BYTES_MAX


@linux_only
@pytest.mark.parametrize("item", ["(type (func))", '(import "fNUMBER" (func))', "(core module)"])
def test_w12_the_longest_text_accepted_is_harmless(item: str) -> None:
    found = in_fresh_process(
        "text_bomb", opening="(component ", item=item, closing=")", bytes_=255 * aw.KIB
    )

    assert found["seconds"] < 2.0
    assert found["peak_growth"] <= OVERSHOOT_BYTES_MAX


def heavy(number: int) -> bytes:
    """Make a component too heavy to be compiled here, another one for each number."""
    return bombs.long_function(20_000 + number)


def counted(directory: Path, before: str = "") -> Path:
    """Write a compiler that notes in a file when it begins and when it ends."""
    compiler = directory / "compiler"
    log = directory / "log"
    log.touch()
    compiler.write_text(
        f'#!/bin/sh\necho begin >> {log}\n{before}\n"{sys.executable}" "$@"\necho end >> {log}\n'
    )
    compiler.chmod(0o700)
    return compiler


def most_at_once(directory: Path) -> tuple[int, int]:
    inside = most = begun = 0
    for line in (directory / "log").read_text().splitlines():
        begun += line == "begin"
        inside += 1 if line == "begin" else -1
        most = max(most, inside)
    return begun, most


posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")


@posix_only
@pytest.mark.parametrize("places", [1, 3])
def test_w12_a_crowd_of_loads_starts_no_crowd_of_processes(tmp_path: Path, places: int) -> None:
    engine = aw.Engine(
        cache_dir=None,
        pool_instances=2,
        compiler=counted(tmp_path),
        compile_processes_max=places,
    )
    with ThreadPoolExecutor(12) as pool:
        digests = {
            component.digest for component in pool.map(lambda n: engine.load(heavy(n)), range(12))
        }

    assert len(digests) == 12
    begun, most = most_at_once(tmp_path)
    assert begun == 12
    assert 1 <= most <= places


@posix_only
def test_w12_a_crowd_that_loads_the_same_compiles_it_once_or_nearly(tmp_path: Path) -> None:
    engine = aw.Engine(
        cache_dir=tmp_path / "cache",
        pool_instances=2,
        compiler=counted(tmp_path, "sleep 0.2"),
        compile_processes_max=1,
    )
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: engine.load(heavy(0)), range(12)))

    assert most_at_once(tmp_path) == (1, 1)


@posix_only
def test_w12_who_waits_too_long_for_a_compiler_is_told_so(tmp_path: Path) -> None:
    engine = aw.Engine(
        cache_dir=None,
        pool_instances=2,
        compiler=counted(tmp_path, "sleep 2"),
        compile_processes_max=1,
        compile_queue_seconds_max=0.2,
    )
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(engine.load, heavy(0))
        wait_for(lambda: most_at_once(tmp_path)[0] == 1)
        began = time.monotonic()
        with pytest.raises(aw.CompileRefused, match=r"hint: .*compile_queue_seconds_max"):
            engine.load(heavy(1))
        waited = time.monotonic() - began
        # What is light does not need a process, and does not wait for one.
        assert engine.load("(component)").digest
        assert first.result().digest

    assert 0.2 <= waited < 1.5
    assert most_at_once(tmp_path) == (1, 1)
    assert engine.load(heavy(2)).digest, "who left the queue holds nobody up"


def wait_for(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.01)
