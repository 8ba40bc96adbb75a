"""Residue: nothing of one tenant is left where the next one lives, or in the host."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import one_module

import airssys_wasm as aw

PATTERN = 0x5EC7_E75E_C7E7_5EC7

#: Fills its memory with a pattern, or counts where it finds it.
TENANT = one_module(
    f"""
    (memory (export "memory") 1)
    (table $t 100 funcref)
    (global $held (mut i64) (i64.const 0))
    (func (export "fill") (param $pages i32) (local $at i32)
      (drop (memory.grow (i32.sub (local.get $pages) (i32.const 1))))
      (global.set $held (i64.const {PATTERN}))
      (table.fill $t (i32.const 0) (ref.func $some) (i32.const 100))
      (loop $again
        (i64.store (local.get $at) (i64.const {PATTERN}))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $again (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
      unreachable)
    (func $some)
    (elem declare func $some)
    (func (export "scan") (param $pages i32) (result i32) (local $at i32) (local $hits i32)
      (drop (memory.grow (i32.sub (local.get $pages) (i32.const 1))))
      (local.set $hits (i64.ne (global.get $held) (i64.const 0)))
      (loop $again
        (local.set $hits (i32.add (local.get $hits)
          (i64.ne (i64.load (local.get $at)) (i64.const 0))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $again (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))
      (local.set $at (i32.const 0))
      (loop $elements
        (local.set $hits (i32.add (local.get $hits)
          (i32.eqz (ref.is_null (table.get $t (local.get $at))))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $elements (i32.lt_u (local.get $at) (i32.const 100))))
      (local.get $hits))
    """,
    """(param "pages" u32) (canon lift (core func $i "fill")))
      (func (export "scan") (param "pages" u32) (result u32) (canon lift (core func $i "scan"))""",
    name="fill",
)


def scan_after_fill(engine: aw.Engine, pages: int, times: int) -> list[int]:
    component = engine.load(TENANT)
    limits = aw.Limits(memory_bytes_max=pages * 65_536 + 64 * aw.KIB, call_seconds_max=5.0)
    hits = []
    for _ in range(times):
        with component.instantiate(limits=limits) as tenant:
            # It ends in a trap: killed, not stopped in good order.
            with pytest.raises(aw.Trapped) as caught:
                tenant.call("fill", pages)
            assert caught.value.kind == "unreachable", "it had written everything"
            assert tenant.receipt.memory_bytes_peak >= pages * 65_536
        with component.instantiate(limits=limits) as tenant:
            hits.append(tenant.call("scan", pages))
    return hits


@pytest.mark.parametrize(("pages", "times"), [(1, 500), (16, 200), (256, 20), (1024, 5)])
def test_w17_a_slot_of_the_pool_is_empty_for_the_next_tenant(pages: int, times: int) -> None:
    # One slot: the next tenant gets the very memory of the last.
    engine = aw.Engine(cache_dir=None, pool_instances=1)

    assert scan_after_fill(engine, pages, times) == [0] * times


def test_w17_a_slot_of_the_dense_pool_is_empty_for_the_next_tenant() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=1, dense_memory_bytes=aw.MIB)

    assert scan_after_fill(engine, 15, 200) == [0] * 200


def test_w17_memory_allocated_on_demand_is_empty_too() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=1)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with engine.load(TENANT).instantiate(limits=limits):
        assert engine.pool_slots_used == 1
        assert scan_after_fill(engine, 16, 50) == [0] * 50


def test_w17_the_scan_would_find_what_was_there(engine: aw.Engine) -> None:
    # Proof that the other tests can fail: the same instance, filled and scanned.
    source = TENANT.replace("unreachable)", ")", 1)
    limits = aw.Limits(memory_bytes_max=aw.MIB, call_seconds_max=1.0)
    with engine.load(source).instantiate(limits=limits) as tenant:
        tenant.call("fill", 1)

        assert tenant.call("scan", 1) == 1 + 65_536 // 8 + 100


@pytest.mark.soak
def test_w17_sixty_four_mebibytes_a_thousand_times() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=1)

    assert scan_after_fill(engine, 1024, 1000) == [0] * 1000


#: Instances made and failed; what each leaves behind shows in the sum.
INSTANCES = 3_000
#: Of each: a leaked string or handle is more, the noise of the allocator less.
LEFT_BYTES_MAX = 64
#: What fails -> how that ends.
KINDS = {
    "a trap": "Trapped",
    "a hog": "OutOfMemory",
    "fuel": "FuelExhausted",
    "a start function": "Trapped",
    "a memory above the limit": "OutOfMemory",
    "a host function": "Trapped",
    "a missing import": "ImportMissing",
    "output": "returned",
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
@pytest.mark.parametrize("kind", KINDS)
def test_w17_an_instance_that_fails_leaves_nothing_in_the_host(kind: str) -> None:
    found = in_fresh_process("failing_instances", kind=kind, instances=INSTANCES, waits=False)

    assert found["ended"] == [KINDS[kind]]
    assert found["growth_each"] <= LEFT_BYTES_MAX
    assert (found["live_instances"], found["pool_slots_used"]) == (0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_w17_an_instance_whose_coroutine_fails_leaves_nothing_in_the_host() -> None:
    found = in_fresh_process(
        "failing_instances", kind="a host function", instances=INSTANCES, waits=True
    )

    assert found["ended"] == ["Trapped"]
    assert found["growth_each"] <= LEFT_BYTES_MAX
    assert (found["live_instances"], found["pool_slots_used"]) == (0, 0)
