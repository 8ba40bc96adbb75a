"""Many actors: what an idle one costs, and what is left of them when they are gone."""

from __future__ import annotations

import pytest
from tests.hostile.fresh import in_fresh_process

import airssys_wasm as aw

ACTORS = 10_000
#: Of each: its instance in the pool, its cell, its seat, its supervision.
IDLE_BYTES_MAX = 48 * aw.KIB
#: What all later rounds may add to what the first one keeps for them, such as warm slots of the
#: pool and tables that doubled: ten rounds that leave 64 bytes an actor exceed it.
GROWTH_MAX = 4 * aw.MIB
#: What may be left of all of it once the engine is gone too.
LEFT_BYTES_MAX = 10 * aw.MIB


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_r18_ten_thousand_actors_come_and_go_and_nothing_is_left(rounds: int) -> None:
    found = in_fresh_process(
        "come_and_go", "crowds", seconds_max=850, plain_malloc=True, actors=ACTORS, rounds=rounds
    )
    if found["ceiling"] < ACTORS:
        pytest.skip(f"the kernel maps room for {found['ceiling']} instances here")

    before, after = found["before"], found["after"]
    for idle in found["idle"]:
        assert idle["live_instances"] == ACTORS
        assert idle["rss"] - before["rss"] <= ACTORS * IDLE_BYTES_MAX < aw.MIB * 1024
        # Idle actors have no thread and no descriptor of their own.
        assert idle["threads"] <= before["threads"] + 40
        assert idle["descriptors"] <= before["descriptors"] + 10
    for stopped in found["stopped"]:
        assert (stopped["live_instances"], stopped["pool_slots_used"]) == (0, 0)
        for weight in "rss", "heap_bytes_used":
            assert stopped[weight] <= found["stopped"][0][weight] + GROWTH_MAX
    assert (after["descriptors"], after["threads"]) == (before["descriptors"], before["threads"])
    assert after["rss"] <= before["rss"] + LEFT_BYTES_MAX
