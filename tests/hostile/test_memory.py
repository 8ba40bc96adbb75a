"""Memories: a guest takes as much as it can."""

from __future__ import annotations

import sys

import pytest
from tests.hostile.attack import OVERSHOOT_BYTES_MAX, Host
from tests.hostile.fresh import in_fresh_process
from tests.hostile.guests import HOG, HOG_THAT_TRAPS, many_instances, one_module

import airssys_wasm as aw

MANY_CORE_MEMORIES = 60


def test_w01_growing_without_end_stops_at_the_limit(engine: aw.Engine) -> None:
    limits = aw.Limits(memory_bytes_max=2 * aw.MIB, call_seconds_max=5.0)
    with engine.load(HOG).instantiate(limits=limits) as instance:
        assert instance.call("run") == 32
        assert instance.receipt.memory_bytes_peak == 2 * aw.MIB
        assert instance.receipt.memory_denied == 1


def test_w01_a_hog_that_gives_up_is_out_of_memory(host: Host) -> None:
    outcome = host.attack(HOG_THAT_TRAPS, expect=aw.OutOfMemory)

    assert outcome.receipt is not None
    assert outcome.receipt.memory_bytes_peak == 4 * aw.MIB


@pytest.mark.parametrize("pages", [65, 1024, 65_536])
def test_w01_a_memory_that_starts_above_the_limit_is_refused(host: Host, pages: int) -> None:
    source = one_module(f'(memory {pages}) (func (export "run"))')

    host.attack(source, expect=aw.OutOfMemory)


def test_w01_many_memories_together_stay_inside_the_limit(host: Host) -> None:
    # Each is small; together they are 10 MiB of the 4 MiB allowed.
    host.attack(many_instances("(memory 4)", 40), expect=aw.OutOfMemory)


def test_w01_more_memories_than_an_instance_may_have_are_refused(host: Host) -> None:
    outcome = host.attack(many_instances("(memory 0)", MANY_CORE_MEMORIES), expect=aw.AirssysError)

    assert not isinstance(outcome.error, aw.EngineError)
    assert "memor" in str(outcome.error)


@pytest.mark.parametrize(
    "definition",
    ["(memory 1 2 shared)", "(memory 1) " * 100, "(memory 1) (memory 1)"],
    ids=["shared", "100 in one module", "2 in one module"],
)
def test_w01_kinds_of_memory_that_are_off_are_refused_before_compiling(
    host: Host, definition: str
) -> None:
    host.attack(one_module(f'{definition} (func (export "run"))'), expect=aw.ComponentInvalid)


def test_w01_data_past_the_end_of_the_memory_traps_at_instantiation(host: Host) -> None:
    source = one_module('(memory 1) (data (i32.const 65535) "ab") (func (export "run"))')

    outcome = host.attack(source, expect=aw.Trapped)

    assert outcome.kind == "memory-out-of-bounds"


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")
def test_w01_a_hog_costs_the_host_its_limit_and_little_more() -> None:
    found = in_fresh_process("hogs", hogs=20, memory_bytes_max=4 * aw.MIB)

    assert found["ended"] == ["OutOfMemory"] * 20
    assert found["peak_growth"] <= 4 * aw.MIB + OVERSHOOT_BYTES_MAX
    assert found["live_instances"] == found["pool_slots_used"] == 0
