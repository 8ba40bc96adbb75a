"""A machine without memory: typed errors, never an abort; and caps on instances."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.attack import LIMITS, NEIGHBOUR
from tests.hostile.fresh import in_fresh_process

import airssys_wasm as aw

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="limits the address space of a process as Linux does"
)


@linux_only
@pytest.mark.parametrize("dense", [True, False])
def test_w28_hogs_in_half_a_gibibyte_of_address_space_end_one_by_one(*, dense: bool) -> None:
    found = in_fresh_process("confined_hogs", dense=dense, address_space_bytes=512 * aw.MIB)

    if not dense and found["engine"] == "EngineError":
        # A standard memory reserves more addresses than there are.
        assert "hint:" in found["message"]
        return
    assert found["engine"] == "made"
    assert set(found["ended"]) <= {"OutOfMemory", "CapacityExhausted", "EngineError"}
    assert found["ended"].count("OutOfMemory") >= 1
    assert found["neighbour"] == 1


@linux_only
def test_w28_hogs_that_stay_until_nothing_is_left_are_refused_with_a_reason() -> None:
    found = in_fresh_process("hogs_kept", hogs=100, headroom_bytes=192 * aw.MIB)

    assert len(found["pages"]) >= 10, "some had room"
    assert len(found["ended"]) >= 10, "and some had none"
    assert set(found["ended"]) <= {"CapacityExhausted", "OutOfMemory"}
    assert found["neighbour"] == 1
    assert found["again"] == "OutOfMemory", "what the others gave back is there again"


def test_w30_instances_past_the_cap_are_refused_and_the_others_live() -> None:
    engine = aw.Engine(cache_dir=None, pool_instances=4, instances_max=10)
    component = engine.load(NEIGHBOUR)
    instances = [component.instantiate(limits=LIMITS) for _ in range(10)]
    for _ in range(100):
        with pytest.raises(aw.CapacityExhausted, match="instances_max"):
            component.instantiate(limits=LIMITS)

    assert [instance.call("count") for instance in instances] == [1] * 10
    assert engine.live_instances == 10
    instances.pop().close()
    component.instantiate(limits=LIMITS).close()
    for instance in instances:
        instance.close()
    assert (engine.live_instances, engine.pool_slots_used) == (0, 0)
