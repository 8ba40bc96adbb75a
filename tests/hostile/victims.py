"""What runs in a process of its own; each function returns what it found."""

from __future__ import annotations

import gc
import resource
import threading
import time
from typing import Any

from tests.hostile import bombs
from tests.hostile.async_guests import CHURNERS, PILES, caller, churner, pile
from tests.hostile.attack import NEIGHBOUR
from tests.hostile.fresh import memory_bytes
from tests.hostile.guests import HOG, HOG_THAT_TRAPS, SPIN, TABLE_HOG, answerer, one_module, writer

import airssys_wasm as aw

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


def largest_answer(kind: str, memory_bytes_max: int, *, wide: bool) -> Found:
    """Ask for ever longer lists until one is accepted; the longest costs the most."""
    # With one slot no memory of an earlier attempt waits to be given back.
    engine = _engine(pool_instances=1)
    component = engine.load(answerer(kind, memory_bytes_max // (64 * aw.KIB), wide=wide))
    limits = aw.Limits(memory_bytes_max=memory_bytes_max, call_seconds_max=20.0)
    before = memory_bytes("VmHWM")
    length, answered = memory_bytes_max, 0
    while not answered and length:
        with component.instantiate(limits=limits) as instance:
            try:
                answer = instance.call("run", length, min(length * 4, memory_bytes_max - 64))
                answered = len(answer)
                del answer
            except (aw.Trapped, aw.OutOfMemory):
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


def empty_lines(instances: int, lines: int) -> Found:
    """Let many instances write nothing but ends of lines, and keep them."""
    component = _engine(pool_instances=instances + 1).load(writer(b"\n" * 4000))
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=60.0)

    def flooded() -> aw.Instance:
        instance = component.instantiate(limits=limits)
        instance.call("run", lines // 4000)
        return instance

    kept = [flooded()]
    before = memory_bytes("VmRSS")
    kept.extend(flooded() for _ in range(instances))
    return {
        "growth_each": (memory_bytes("VmRSS") - before) / instances,
        "kept": len(kept[-1].stdout.encode()),
        "dropped": kept[-1].output_bytes_dropped,
    }


def compile_bomb(
    bomb: str, arguments: list[int], compile_seconds_max: float, compile_memory_bytes_max: int
) -> Found:
    """Load a bomb and say what it cost this process and those it started."""
    engine = _engine(
        compile_seconds_max=compile_seconds_max,
        compile_memory_bytes_max=compile_memory_bytes_max,
    )
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    neighbour = engine.load(NEIGHBOUR).instantiate(limits=limits)
    source = getattr(bombs, bomb)(*arguments)
    # The host has to hold the bytes while it works on them.
    before = memory_bytes("VmHWM") + 2 * len(source)
    began = time.perf_counter()
    ended, message = _load(engine, source)
    return {
        "ended": ended,
        "message": message,
        "seconds": time.perf_counter() - began,
        "peak_growth": memory_bytes("VmHWM") - before,
        "workers_peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        "neighbour": neighbour.call("count"),
    }


def text_bomb(opening: str, item: str, closing: str, bytes_: int) -> Found:
    """Load that many bytes of text."""
    engine = _engine()
    count = bytes_ // len(item)
    items = (
        "".join(item.replace("NUMBER", f"{number:05}") for number in range(bytes_ // 25))
        if "NUMBER" in item
        else item * count
    )
    source = (opening + items + closing).encode()
    before = memory_bytes("VmHWM")
    began = time.perf_counter()
    ended, message = _load(engine, source)
    return {
        "ended": ended,
        "message": message,
        "seconds": time.perf_counter() - began,
        "peak_growth": memory_bytes("VmHWM") - before,
    }


def _load(engine: aw.Engine, source: bytes) -> tuple[str, str]:
    try:
        engine.load(source)
    except aw.AirssysError as error:
        return type(error).__name__, str(error)
    return "compiled", ""


def _confine(address_space_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))


def confined_hogs(address_space_bytes: int, *, dense: bool) -> Found:
    """Make an engine and run hogs where there are few addresses."""
    _confine(address_space_bytes)
    try:
        engine = _engine(dense_memory_bytes=4 * aw.MIB if dense else None)
    except aw.EngineError as error:
        return {"engine": type(error).__name__, "message": str(error)}
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0)
    neighbour = engine.load(NEIGHBOUR).instantiate(limits=limits)
    component = engine.load(HOG_THAT_TRAPS)
    ended = [_ended(component, limits) for _ in range(20)]
    return {"engine": "made", "ended": ended, "neighbour": neighbour.call("count")}


def hogs_kept(hogs: int, headroom_bytes: int) -> Found:
    """Keep one hog beside another until there are no addresses left."""
    # Past the one slot of the pool each instance is mapped for itself.
    engine = _engine(dense_memory_bytes=4 * aw.MIB, pool_instances=1)
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=20.0)
    neighbour = engine.load(NEIGHBOUR).instantiate(limits=limits)
    component = engine.load(HOG)
    component.instantiate(limits=limits).close()
    _confine(memory_bytes("VmSize") + headroom_bytes)
    kept, ended, pages = [], [], []
    for _ in range(hogs):
        try:
            kept.append(component.instantiate(limits=limits))
            pages.append(kept[-1].call("run"))
        except aw.AirssysError as error:
            ended.append(type(error).__name__)
    counted = neighbour.call("count")
    for instance in kept:
        instance.close()
    return {
        "ended": ended,
        "pages": pages,
        "neighbour": counted,
        "again": _ended(engine.load(HOG_THAT_TRAPS), limits),
    }


def spin_beside_threads(threads: int, seconds: float) -> Found:
    """Let a guest spin while other threads fight for the interpreter."""
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=seconds)
    component = _engine().load(SPIN)
    instance = component.instantiate(limits=limits)
    go, stop = threading.Event(), threading.Event()
    turns = [0] * threads

    def work(number: int) -> None:
        go.wait()
        while not stop.is_set():
            turns[number] += sum(range(1_000)) > 0

    busy = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in busy:
        thread.start()
    # From here on each step of this thread has to wait for its turn: few of them.
    ended = "returned"
    go.set()
    try:
        instance.call("run")
    except aw.AirssysError as error:
        ended = type(error).__name__
    turn_seconds = max(_seconds_for_a_turn() for _ in range(3))
    stop.set()
    for thread in busy:
        thread.join()
    return {
        "ended": ended,
        "seconds": instance.receipt.seconds,
        "turns": sum(turns),
        "turn_seconds": turn_seconds,
    }


def _seconds_for_a_turn() -> float:
    began = time.perf_counter()
    time.sleep(0.001)
    return time.perf_counter() - began


#: What fails.
LEAK_SOURCES = {
    "a trap": one_module('(memory 1) (func (export "run") unreachable)'),
    "a hog": HOG_THAT_TRAPS,
    "fuel": SPIN,
    "a start function": one_module('(func $s unreachable) (start $s) (func (export "run"))'),
    "a memory above the limit": one_module('(memory 100) (func (export "run"))'),
    "a host function": """
    (component
      (import "ask" (func $ask))
      (core func $ask (canon lower (func $ask)))
      (core module $m (import "h" "ask" (func $ask)) (func (export "run") (call $ask)))
      (core instance $i (instantiate $m (with "h" (instance (export "ask" (func $ask))))))
      (func (export "run") (canon lift (core func $i "run"))))
    """,
    "a missing import": '(component (import "none" (func)))',
    "output": writer(b"a line\n" * 500 + b"no end"),
}


def failing_instances(kind: str, instances: int, *, waits: bool) -> Found:
    """Make and fail many instances of one kind, and say what stayed of each."""
    engine = _engine(pool_instances=10)
    component = engine.load(LEAK_SOURCES[kind])
    limits = aw.Limits(
        memory_bytes_max=aw.MIB, call_seconds_max=5.0, fuel_max=20_000 if kind == "fuel" else None
    )

    def ask() -> None:
        raise RuntimeError("on purpose")

    async def ask_later() -> None:
        raise RuntimeError("on purpose")

    imports = {"ask": ask_later if waits else ask}
    arguments = [3] if kind == "output" else []
    ended: set[str] = set()

    def fail_many(count: int) -> None:
        for _ in range(count):
            try:
                instance = component.instantiate(limits=limits, imports=imports)
                instance.call("run", *arguments)
            except aw.AirssysError as error:
                ended.add(type(error).__name__)
            else:
                ended.add("returned")
                assert instance.stdout
                instance.close()

    # First so many that arenas, warm slots and what is made once are there.
    fail_many(instances)
    gc.collect()
    before = memory_bytes("VmRSS")
    fail_many(instances)
    gc.collect()
    return {
        "ended": sorted(ended),
        "growth_each": (memory_bytes("VmRSS") - before) / instances,
        "live_instances": engine.live_instances,
        "pool_slots_used": engine.pool_slots_used,
    }


def _ended(component: aw.Component, limits: aw.Limits) -> str:
    try:
        with component.instantiate(limits=limits) as instance:
            instance.call("run")
    except aw.AirssysError as error:
        return type(error).__name__
    return "returned"


def async_piles() -> Found:
    """Let one guest after another pile up what component-model async has."""
    engine = _engine()
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=20.0)
    sources = {kind: pile(kind) for kind in PILES}
    sources["calls that are answered at once"] = caller(1_000_000)
    components = {kind: engine.load(source) for kind, source in sources.items()}
    growth = {}
    for kind, component in components.items():
        before = memory_bytes("VmHWM")
        supplied = {"seen": _nothing}
        with component.instantiate(limits=limits, imports=supplied) as instance:
            try:
                instance.call("run")
            except aw.Trapped:
                growth[kind] = memory_bytes("VmHWM") - before
    return {
        "growth": growth,
        "live_instances": engine.live_instances,
        "pool_slots_used": engine.pool_slots_used,
    }


def async_churn(rounds: int) -> Found:
    """Start and cancel a sleep, and call a neighbour, many times each in one call."""
    engine = _engine()
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=60.0, fuel_max=100_000_000)
    fuel, growth = {}, 0
    for name in CHURNERS:
        with engine.load(churner(name, rounds)).instantiate(limits=limits) as instance:
            instance.call("run")
            before = memory_bytes("VmRSS")
            instance.call("run")
            growth = max(growth, memory_bytes("VmRSS") - before)
            fuel[name] = instance.receipt.fuel
    return {"fuel": fuel, "growth": growth}


def _nothing(_: int) -> None:
    pass
