"""Attacks in a process of their own, where memory can be weighed and limited."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_RUN = """
import importlib, json, sys
module, function, arguments = sys.argv[1:]
sys.path.insert(0, ".")
answer = getattr(importlib.import_module(module), function)(**json.loads(arguments))
print(json.dumps(answer))
"""


def in_fresh_process(
    function: str,
    module: str = "victims",
    *,
    seconds_max: float = 120,
    plain_malloc: bool = False,
    **arguments: object,
) -> dict[str, Any]:
    """Run ``tests.hostile.<module>.<function>`` alone, and return what it found.

    A process that dies by a signal, as Rust's abort makes it, is a failed test.

    ``plain_malloc``: Python's objects lie in the C library's heap too. Python's own allocator
    gives memory back an arena of 1 MiB at a time, and keeps one for the sake of a single object
    (https://docs.python.org/3/c-api/memory.html#the-pymalloc-allocator): after many came and went
    the empty pools in such arenas outweigh anything that could have been forgotten.
    """
    environment = os.environ | ({"PYTHONMALLOC": "malloc"} if plain_malloc else {})
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-c", _RUN, f"tests.hostile.{module}", function, json.dumps(arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds_max,
        check=False,
        env=environment,
    )
    assert ran.returncode == 0, f"{function} ended with {ran.returncode}:\n{ran.stderr[-4000:]}"
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def memory_bytes(field: str) -> int:
    """Read ``VmRSS`` (now) or ``VmHWM`` (most so far) of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)
