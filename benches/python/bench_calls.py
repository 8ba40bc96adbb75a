"""pytest-benchmark's view of the hot paths, one side beside the other in one run.

``.venv-bench/bin/python -m pytest benches/python``; the table of ``make bench`` has each side in a
process of its own, and so the better figures.
"""

from __future__ import annotations

import timeit
from functools import cache
from typing import Any

import pytest
from contestants import BY_NAME
from operation import Operation

SIZES = {"64 B": 64, "1 KiB": 1024, "64 KiB": 64 * 1024}


@cache
def contestant(name: str) -> Any:
    return BY_NAME[name]()


def measure(benchmark: Any, operation: Operation) -> None:
    """Time one run of the statement, with a Python call around it: the same for each side."""
    once: Any = eval(f"lambda: {operation.statement}", dict(operation.names))  # noqa: S307 - ours
    assert operation.expected is None or once() == operation.expected
    number = max(1, timeit.Timer(once).autorange()[0] // 20)
    benchmark.pedantic(once, iterations=number, rounds=12, warmup_rounds=1)


@pytest.mark.benchmark(group="scalar call")
@pytest.mark.parametrize("name", BY_NAME)
def bench_add(benchmark: Any, name: str) -> None:
    measure(benchmark, contestant(name).add())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BY_NAME)
def bench_echo(benchmark: Any, name: str, size: str) -> None:
    benchmark.group = f"{size} echo"
    measure(benchmark, contestant(name).echo(SIZES[size]))


@pytest.mark.benchmark(group="spawn")
@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "Cython"])
def bench_spawn(benchmark: Any, name: str) -> None:
    measure(benchmark, contestant(name).spawn())


@pytest.mark.benchmark(group="a thousand host calls")
@pytest.mark.parametrize("name", ["airssys-wasm", "wasmtime-py"])
def bench_imports(benchmark: Any, name: str) -> None:
    measure(benchmark, contestant(name).import_many())
