"""What a live, idle instance costs: ``memory.py GUEST COUNT [DENSE_BYTES]`` prints JSON.

A process of its own, because what one run leaves behind would be the next one's.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from pathlib import Path

import airssys_wasm as aw


def resident_bytes() -> int:
    """Bytes of this process in memory, and of its page tables."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return sum(int(status[name].split()[0]) * 1024 for name in ("VmRSS", "VmPTE"))


def mappings() -> int:
    with Path("/proc/self/maps").open("rb") as maps:
        return sum(1 for _ in maps)


def main(guest: str, count: int, dense_memory_bytes: int | None) -> None:
    engine = aw.Engine(
        cache_dir=None,
        pool_instances=count,
        instances_max=count,
        dense_memory_bytes=dense_memory_bytes,
    )
    component = engine.load(guest)
    # A slot of the dense profile is as large as its guest: each is at its limit.
    logging.getLogger("airssys_wasm.runtime").setLevel(logging.ERROR)
    limits = aw.Limits(memory_bytes_max=dense_memory_bytes or 4 * aw.MIB, call_seconds_max=10.0)
    # The first one makes what all share: linked code, the image of its memory.
    live = [component.instantiate(limits=limits)]
    gc.collect()
    before, maps_before = resident_bytes(), mappings()
    live += [component.instantiate(limits=limits) for _ in range(count - 1)]
    idle = resident_bytes() - before
    maps = mappings() - maps_before
    # Each is really there, and answers.
    answered = sum(instance.call("add", 1, 2) == 3 for instance in live)
    used = resident_bytes() - before
    print(
        json.dumps(
            {
                "live": engine.live_instances,
                "answered": answered,
                "pool_slots_used": engine.pool_slots_used,
                "idle_bytes": idle / (count - 1),
                "called_bytes": used / (count - 1),
                "mappings": maps,
                "total_bytes": resident_bytes(),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
