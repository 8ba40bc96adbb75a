"""Tables: references cost the host memory too."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.attack import LIMITS, OVERSHOOT_BYTES_MAX, Host
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import RUN_TO_U32, TABLE_HOG, many_instances, one_module

import airssys_wasm as aw


def test_w02_a_table_grows_to_the_limit_and_no_further(engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=5.0)
    with engine.load(TABLE_HOG).instantiate(limits=limits) as instance:
        elements = instance.call("run")

        assert elements >= 1000
        assert elements * 8 <= aw.MIB
        assert instance.receipt.memory_bytes_peak <= aw.MIB


@pytest.mark.parametrize("elements", [0xFFFF_FFFF, 0x7FFF_FFFF, 100_000_000])
def test_w02_growing_a_table_by_billions_fails_in_the_guest(
    engine: aw.Engine, elements: int
) -> None:
    grow = f"""
      (table $t 1 funcref)
      (func (export "run") (result i32)
        (table.grow $t (ref.null func) (i32.const {elements})))
    """
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=1.0)
    with engine.load(one_module(grow, RUN_TO_U32)).instantiate(limits=limits) as instance:
        assert instance.call("run") == 0xFFFF_FFFF
        assert instance.receipt.memory_bytes_peak <= 4 * aw.MIB


def test_w02_a_table_that_starts_above_the_limit_is_refused(host: Host) -> None:
    # The standard says at most ten million elements: 80 MB of the 4 MiB allowed.
    host.attack(
        one_module('(table 9_000_000 funcref) (func (export "run"))'), expect=aw.OutOfMemory
    )


def test_w02_more_tables_than_an_instance_may_have_are_refused(host: Host) -> None:
    outcome = host.attack(many_instances("(table 1 funcref)", 60), expect=aw.AirssysError)

    assert not isinstance(outcome.error, aw.EngineError)
    assert "table" in str(outcome.error)


def test_w02_a_hundred_tables_in_one_module_are_refused(host: Host) -> None:
    host.attack(
        one_module("(table 1 funcref)" * 101 + '(func (export "run"))'), expect=aw.ComponentInvalid
    )


def test_w02_tables_with_64_bit_indices_are_refused_before_compiling(host: Host) -> None:
    host.attack(
        one_module('(table i64 1 funcref) (func (export "run"))'), expect=aw.ComponentInvalid
    )


def test_w02_a_call_through_an_empty_element_is_a_typed_trap(host: Host) -> None:
    source = one_module("""
      (type $f (func))
      (table 10 funcref)
      (func (export "run") (call_indirect (type $f) (i32.const 3)))
    """)

    assert host.attack(source, expect=aw.Trapped).kind == "null-indirect-call"


def test_w02_copying_past_the_end_of_a_table_is_a_typed_trap(host: Host) -> None:
    source = one_module("""
      (table 10 funcref)
      (func (export "run") (table.copy (i32.const 5) (i32.const 0) (i32.const 6)))
    """)

    assert host.attack(source, expect=aw.Trapped).kind == "table-out-of-bounds"


@pytest.mark.parametrize("dense", [None, 4 * aw.MIB], ids=["standard", "dense"])
@pytest.mark.parametrize("elements", [20_001, 30_000, 100_000])
def test_w02_a_large_table_is_a_table_as_others_are(dense: int | None, elements: int) -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=4, dense_memory_bytes=dense)
    source = one_module(
        f"""
        (type $f (func (result i32)))
        (table $t {elements} funcref)
        (elem (i32.const {elements - 1}) func $seven)
        (func $seven (result i32) (i32.const 7))
        (func (export "run") (result i32)
          (call_indirect (type $f) (i32.const {elements - 1})))
        """,
        RUN_TO_U32,
    )
    limits = aw.Limits(memory_bytes_max=elements * 8, call_seconds_max=1.0)
    with engine.load(source).instantiate(limits=limits) as instance:
        assert instance.call("run") == 7
        assert instance.receipt.memory_bytes_peak == elements * 8
    with pytest.raises(aw.OutOfMemory):
        engine.load(source).instantiate(
            limits=aw.Limits(memory_bytes_max=elements * 8 - 1, call_seconds_max=1.0)
        )


@pytest.mark.parametrize("dense", [None, 4 * aw.MIB], ids=["standard", "dense"])
def test_w02_a_table_grows_as_far_as_its_limit_allows(dense: int | None) -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=4, dense_memory_bytes=dense)
    limits = aw.Limits(memory_bytes_max=4 * aw.MIB, call_seconds_max=5.0)
    with engine.load(TABLE_HOG).instantiate(limits=limits) as instance:
        assert instance.call("run") == 4 * aw.MIB // 8 // 1000 * 1000
        assert instance.receipt.memory_denied == 1


def test_w02_tables_that_stay_small_stay_in_the_pool() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=4)
    fixed = one_module('(table 1000 1000 funcref) (func (export "run"))')
    with engine.load(fixed).instantiate(limits=LIMITS) as instance:
        instance.call("run")
        assert engine.pool_slots_used == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_w02_tables_cost_the_host_their_limit_and_little_more() -> None:
    found = in_fresh_process("table_hogs", hogs=20, memory_bytes_max=4 * aw.MIB)

    assert all(elements >= 1000 for elements in found["elements"])
    assert found["peak_growth"] <= 4 * aw.MIB + OVERSHOOT_BYTES_MAX
