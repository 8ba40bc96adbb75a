"""Many actors in a process of its own; each function returns what it found."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import tempfile
from pathlib import Path
from typing import Any

from tests.hostile.fresh import memory_bytes
from tests.integration.actors.wrapping import HANDLER, life_cycle, wrapped

import airssys_wasm as aw

Found = dict[str, Any]

LIMITS = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)


def handler(engine: aw.Engine) -> aw.Component:
    """Load the actor that answers with what it was sent, and traps on ``!``."""
    with tempfile.TemporaryDirectory() as folder:
        return wrapped(engine, HANDLER, life_cycle(Path(folder)))


def footprint(engine: aw.Engine | None = None) -> Found:
    """Say what this process holds now.

    Pages that the allocator holds and nobody uses are given back first: how many those are
    says more about the allocator than about us.
    """
    gc.collect()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
    return {
        "heap_bytes_used": heap_bytes_used(),
        "rss": memory_bytes("VmRSS"),
        "descriptors": _entries("/proc/self/fd"),
        "threads": threads(),
        "live_instances": engine.live_instances if engine else 0,
        "pool_slots_used": engine.pool_slots_used if engine else 0,
    }


class _Heap(ctypes.Structure):
    """The C library's ``struct mallinfo2`` (mallinfo(3))."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def heap_bytes_used() -> int:
    """Sum what is allocated in the C library's heap and not freed; 0 where it does not say.

    What was forgotten shows here to the byte, whatever the heap keeps for its next user.
    """
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = _Heap
    heap = mallinfo2()
    return int(heap.uordblks + heap.hblkhd)


def threads() -> int:
    """Count the threads of this process, those that Python knows nothing of included."""
    return _entries("/proc/self/task")


def _entries(folder: str) -> int:
    return sum(1 for _ in Path(folder).iterdir())


def come_and_go(actors: int, rounds: int) -> Found:
    """Start so many actors, look at them, stop them; and again."""
    # What is made once in a process is no cost of the many.
    _live_through(50, 1)
    before = footprint()
    found = _live_through(actors, rounds)
    return {**found, "before": before, "after": footprint()}


def _live_through(actors: int, rounds: int) -> Found:
    engine = aw.Engine(cache_dir=None)
    if engine.instances_ceiling < actors:
        return {"ceiling": engine.instances_ceiling}
    return asyncio.run(_rounds(engine, actors, rounds))


async def _rounds(engine: aw.Engine, actors: int, rounds: int) -> Found:
    found: Found = {"ceiling": engine.instances_ceiling, "idle": [], "stopped": []}
    async with aw.Host(engine=engine, limits=LIMITS) as host:
        component = handler(engine)
        for _ in range(rounds):
            found["idle"].append(await _round(host, component, actors))
            found["stopped"].append(footprint(engine))
    return found


async def _round(host: aw.Host, component: aw.Component, actors: int) -> Found:
    names = [f"acme/idle-{number}" for number in range(actors)]
    for name in names:
        await host.spawn(name, component)
    idle = footprint(host.engine)
    # They are no mere entries of a table: each serves.
    replies = [await host.find(name).ask(number) for number, name in enumerate(names)]
    assert [reply.value for reply in replies] == list(range(actors))
    for name in names:
        await host.stop(name)
    assert host.actors == []
    metrics = host.metrics()
    assert metrics["messages_waiting"] == metrics["dead_letters_posted"] == 0
    return idle
