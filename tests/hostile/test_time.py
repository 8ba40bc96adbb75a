"""Time: whatever a guest does, and wherever, it ends at its deadline."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from tests.hostile.attack import LATE_SECONDS_MAX, LIMITS, Host, Under
from tests.hostile.guests import SPIN, one_module

import airssys_wasm as aw

RESOURCE = """
(component
  (type $thing' (resource (rep i32) (dtor (func $dtor))))
"""

LOOP = "(loop $again (br $again))"


def resource(constructor: str, destructor: str) -> str:
    """Write a component with one resource."""
    return f"""
    (component
      (core module $d (func (export "drop") (param i32) {destructor}))
      (core instance $d (instantiate $d))
      (alias core export $d "drop" (core func $drop))
      (type $thing (resource (rep i32) (dtor (func $drop))))
      (core func $new (canon resource.new $thing))
      (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (func (export "make") (result i32) {constructor} (call $new (i32.const 7))))
      (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
      (func $make (result (own $thing)) (canon lift (core func $i "make")))
      (component $face
        (import "thing" (type $thing (sub resource)))
        (import "make" (func $make (result (own $thing))))
        (export $exported "thing" (type $thing))
        (export "[constructor]thing" (func $make) (func (result (own $exported)))))
      (instance $face (instantiate $face
        (with "thing" (type $thing)) (with "make" (func $make))))
      (export "acme:things/api" (instance $face)))
    """


def test_w03_tight_loop_ends_at_its_deadline(host: Host) -> None:
    host.outlast(SPIN)


def test_w03_start_function_loop_ends_at_its_deadline(host: Host) -> None:
    source = one_module(f'(func $start {LOOP}) (start $start) (func (export "run"))')

    outcome = host.outlast(source)

    assert outcome.receipt is None, "it was never instantiated"


def test_w03_start_function_loop_ends_at_its_deadline_in_a_guest_that_may_wait(host: Host) -> None:
    source = one_module(
        f'(func $start {LOOP}) (start $start) (func (export "run"))',
        decorations='(import "ask" (func))',
    )

    async def ask() -> None:
        await asyncio.sleep(0)

    host.outlast(source, under=Under(imports={"ask": ask}))


def test_w03_constructor_loop_ends_at_its_deadline(host: Host) -> None:
    host.outlast(resource(LOOP, ""), function="acme:things/api#[constructor]thing")


def test_w03_destructor_loop_ends_at_its_deadline(host: Host) -> None:
    component = host.engine.load(resource("", LOOP))
    instance = component.instantiate(limits=LIMITS)
    thing = instance.call("acme:things/api#[constructor]thing")
    assert isinstance(thing, aw.Resource)

    began = time.perf_counter()
    with pytest.raises(aw.CallTimeout):
        thing.drop()

    assert time.perf_counter() - began <= LIMITS.call_seconds_max + LATE_SECONDS_MAX
    assert instance.closed
    host.assert_unharmed()


def test_w03_a_destructor_that_loops_does_not_hold_up_closing(host: Host) -> None:
    instance = host.engine.load(resource("", LOOP)).instantiate(limits=LIMITS)
    instance.call("acme:things/api#[constructor]thing")

    began = time.perf_counter()
    instance.close()

    assert time.perf_counter() - began <= LATE_SECONDS_MAX
    host.assert_unharmed()


def test_w03_realloc_loop_ends_at_its_deadline(host: Host) -> None:
    source = one_module(
        f"""
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) {LOOP} unreachable)
        (func (export "run") (param i32 i32))
        """,
        """(param "text" string) (canon lift (core func $i "run")
             (memory $i "memory") (realloc (func $i "realloc")))""",
    )

    host.outlast(source, "some text")


def test_w03_post_return_loop_ends_at_its_deadline(host: Host) -> None:
    source = one_module(
        f'(func (export "run")) (func (export "post") {LOOP})',
        '(canon lift (core func $i "run") (post-return (func $i "post")))',
    )

    host.outlast(source)


@pytest.mark.parametrize(
    "operation",
    [
        "(memory.fill (i32.const 0) (i32.const 7) (i32.const 67108864))",
        "(memory.copy (i32.const 1) (i32.const 0) (i32.const 67108863))",
    ],
    ids=["fill", "copy"],
)
def test_w05_bulk_memory_ends_soon_after_its_deadline(host: Host, operation: str) -> None:
    source = one_module(
        f"""
        (memory 1024)
        (func (export "run") (loop $again {operation} (br $again)))
        """
    )
    limits = aw.Limits(memory_bytes_max=64 * aw.MIB, call_seconds_max=0.3)

    host.outlast(source, under=Under(limits=limits))


def test_w05_bulk_memory_of_the_default_ceiling_ends_soon_after_its_deadline(host: Host) -> None:
    # One fill of 256 MiB, the highest limit of the default policy, is not
    # interrupted: it must be short enough by itself.
    source = one_module(
        """
        (memory 4096)
        (func (export "run")
          (loop $again
            (memory.fill (i32.const 0) (i32.const 7) (i32.const 268435456))
            (br $again)))
        """
    )
    limits = aw.Limits(memory_bytes_max=256 * aw.MIB, call_seconds_max=0.5)

    host.outlast(source, under=Under(limits=limits))


def test_w05_table_copies_end_soon_after_their_deadline(host: Host) -> None:
    source = one_module(
        """
        (table 400000 funcref)
        (func (export "run")
          (loop $again
            (table.copy (i32.const 0) (i32.const 1) (i32.const 399999))
            (table.fill (i32.const 0) (ref.null func) (i32.const 400000))
            (br $again)))
        """
    )

    host.outlast(source)


ASKING = """
(component
  (import "ask" (func $ask))
  (core func $ask (canon lower (func $ask)))
  (core module $m
    (import "host" "ask" (func $ask))
    (func (export "run") (loop $again (call $ask) (br $again))))
  (core instance $i (instantiate $m (with "host" (instance (export "ask" (func $ask))))))
  (func (export "run") (canon lift (core func $i "run"))))
"""


def test_w06_a_waiting_host_function_is_left_at_the_deadline(host: Host) -> None:
    asked = threading.Event()

    async def ask() -> None:
        asked.set()
        await asyncio.sleep(60)

    host.outlast(ASKING, under=Under(imports={"ask": ask}))

    assert asked.is_set()


def test_w06_a_host_function_called_for_ever_ends_at_the_deadline(host: Host) -> None:
    calls = 0

    def ask() -> None:
        nonlocal calls
        calls += 1

    outcome = host.outlast(ASKING, under=Under(imports={"ask": ask}))

    assert calls > 100
    assert outcome.receipt is not None
    assert outcome.receipt.host_calls > 100


def test_w06_a_host_function_that_blocks_costs_its_own_time_and_no_more(host: Host) -> None:
    # Nothing can stop Python code from outside; the guest never goes on after it.
    calls = 0

    def ask() -> None:
        nonlocal calls
        calls += 1
        time.sleep(0.4)

    outcome = host.attack(ASKING, expect=aw.CallTimeout, under=Under(imports={"ask": ask}))

    assert calls == 1
    assert outcome.seconds <= 0.4 + LATE_SECONDS_MAX


def test_w06_a_cancelled_call_closes_its_instance_and_a_new_one_works(host: Host) -> None:
    async def ask() -> None:
        await asyncio.sleep(60)

    component = host.engine.load(ASKING)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=30.0)

    async def cancel_half_way() -> bool:
        instance = component.instantiate(limits=limits, imports={"ask": ask})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(instance.call_async("run"), 0.05)
        await asyncio.sleep(0.05)
        return instance.closed

    for _ in range(20):
        assert asyncio.run(cancel_half_way())
    host.assert_unharmed()


def test_w06_other_python_threads_run_while_a_guest_spins(host: Host) -> None:
    turns = 0
    stop = threading.Event()

    def turn() -> None:
        nonlocal turns
        while not stop.is_set():
            turns += 1
            time.sleep(0.001)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        host.outlast(SPIN)
    finally:
        stop.set()
        thread.join()

    assert turns >= 20
