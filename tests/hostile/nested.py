"""Guests that use up the native stack: their process may die of it."""

from __future__ import annotations

import threading
from typing import Any

import airssys_wasm as aw

SOURCE = """
(component
  (import "host" (func $host (param "left" u32)))
  (import "pause" (func))
  (core func $lowered (canon lower (func $host)))
  (core module $m
    (import "" "host" (func $host (param i32)))
    (func $deep (param i32 i32) (local i64 i64 i64 i64)
      (if (i32.eqz (local.get 0))
        (then (call $host (local.get 1)))
        (else (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))))
    (func (export "run") (param i32 i32) (call $deep (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m (with "" (instance (export "host" (func $lowered))))))
  (func (export "run") (param "depth" u32) (param "left" u32)
    (canon lift (core func $i "run"))))
"""


def nest(levels: int, depth: int, *, waits: bool, stack_bytes: int) -> dict[str, Any]:
    """Nest instances, each on the stack that the guest above it left."""
    engine = aw.Engine(cache_dir=None, pool_instances=200)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=60.0)
    component = engine.load(SOURCE)
    found: dict[str, Any] = {"levels": 0, "ended": None}

    def host(left: int) -> None:
        found["levels"] = levels - left + 1
        if left:
            one(left - 1)

    async def waiting() -> None: ...

    def one(left: int) -> None:
        # One import that may wait gives the guest a stack of its own.
        imports = {"host": host, "pause": waiting if waits else lambda: None}
        with component.instantiate(limits=limits, imports=imports) as instance:
            instance.call("run", depth, left)

    def run() -> None:
        try:
            one(levels)
        except aw.AirssysError as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            found["ended"] = type(cause).__name__
            found["message"] = str(cause)

    if stack_bytes:
        threading.stack_size(stack_bytes)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    else:
        run()
    return found
