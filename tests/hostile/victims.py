"""What runs in a process of its own; each function returns what it found."""

from __future__ import annotations

from typing import Any

import airssys_wasm as aw
from tests.hostile.fresh import memory_bytes
from tests.hostile.guests import HOG_THAT_TRAPS, TABLE_HOG, answerer, writer

Found = dict[str, Any]


def _engine(**options: Any) -> aw.Engine:
    return aw.Engine(cache_dir=None, pool_instances=options.pop("pool_instances", 100), **options)


def hogs(hogs: int, memory_bytes_max: int) -> Found:
    """Let one hog after another take all it can."""
    engine = _engine()
    component = engine.load(HOG_THAT_TRAPS)
    limits = aw.Limits(memory_bytes_max=memory_bytes_max, call_seconds_max=5.0)
    before = memory_bytes("VmHWM")
    ended = []
    for _ in range(hogs):
        with component.instantiate(limits=limits) as instance:
            try:
                instance.call("run")
            except aw.ComponentFailed as error:
                ended.append(type(error).__name__)
    return {
        "ended": ended,
        "peak_growth": memory_bytes("VmHWM") - before,
        "live_instances": engine.live_instances,
        "pool_slots_used": engine.pool_slots_used,
    }


def table_hogs(hogs: int, memory_bytes_max: int) -> Found:
    """The same with tables."""
    engine = _engine()
    component = engine.load(TABLE_HOG)
    limits = aw.Limits(memory_bytes_max=memory_bytes_max, call_seconds_max=5.0)
    before = memory_bytes("VmHWM")
    elements = []
    for _ in range(hogs):
        with component.instantiate(limits=limits) as instance:
            elements.append(instance.call("run"))
    return {"elements": elements, "peak_growth": memory_bytes("VmHWM") - before}


def largest_answer(kind: str, memory_bytes_max: int) -> Found:
    """Ask for ever longer lists until one is accepted; the longest costs the most."""
    engine = _engine()
    component = engine.load(answerer(kind, memory_bytes_max // (64 * aw.KIB)))
    limits = aw.Limits(memory_bytes_max=memory_bytes_max, call_seconds_max=20.0)
    before = memory_bytes("VmHWM")
    length, answered = memory_bytes_max, 0
    while not answered and length:
        with component.instantiate(limits=limits) as instance:
            try:
                answer = instance.call("run", length, min(length * 4, memory_bytes_max - 64))
                answered = len(answer)
                del answer
            except aw.Trapped:
                length = length * 4 // 5
    return {"answered": answered, "peak_growth": memory_bytes("VmHWM") - before}


def flood(chunk: str, times: int) -> Found:
    """Write a chunk, repeated to 4000 bytes, many times."""
    line = (chunk.encode() * 4000)[: 4000 // len(chunk) * len(chunk)]
    component = _engine().load(writer(line))
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=60.0)
    with component.instantiate(limits=limits) as instance:
        before = memory_bytes("VmHWM")
        instance.call("run", times)
        kept = len(instance.stdout.encode())
        return {
            "written": len(line) * times,
            "kept": kept,
            "dropped": instance.output_bytes_dropped,
            "peak_growth": memory_bytes("VmHWM") - before,
        }
