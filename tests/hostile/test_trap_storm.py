"""A storm of traps: a tenth of the actors fail at everything, and the others notice nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.hostile.fresh import in_fresh_process

import airssys_wasm as aw

WELL, ILL = 900, 100
TRAPS_PER_SECOND_MIN = 10_000 / 60


def assert_nothing_is_lost(found: dict[str, Any]) -> None:
    """Each request to a healthy actor has its reply, and each was handled once."""
    assert found["wrong"] == 0
    assert found["handled"] == found["asked"] > 10_000
    assert found["incarnations"] == [1], "a healthy one was restarted"


def assert_all_comes_back(found: dict[str, Any]) -> None:
    before, after, closed = found["before"], found["after"], found["closed"]
    assert found["recovered"] == ILL
    assert found["waiting"] == 0
    # Nobody asked for what they trapped on: each is a dead letter, and a restart.
    assert found["letters"] == found["restarts"] >= found["traps"]
    for what in ("live_instances", "pool_slots_used"):
        assert (before[what], after[what], closed[what]) == (WELL + ILL, WELL + ILL, 0)
    assert after["descriptors"] == before["descriptors"]
    # Those of `asyncio.to_thread` come as they are needed, and stay.
    assert after["threads"] <= before["threads"] + 32
    # Five percent, and what a thousand dead letters take.
    assert after["rss"] <= before["rss"] * 1.05 + 4 * aw.MIB


def test_r07_a_storm_of_traps_costs_no_healthy_actor_a_message() -> None:
    found = in_fresh_process(
        "storm",
        "storms",
        well=WELL,
        ill=ILL,
        quiet_seconds=1.0,
        seconds=3.0,
        wait_seconds=0.4,
    )

    assert found["traps"] >= 3 * TRAPS_PER_SECOND_MIN
    assert_nothing_is_lost(found)
    assert_all_comes_back(found)
    # So short a time on a busy machine says little: that they starve is all it would show.
    assert found["storm"]["p99"] <= max(10 * found["quiet"]["p99"], 0.005)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_r07_a_storm_of_a_minute_leaves_healthy_actors_as_fast_as_they_were() -> None:
    found = in_fresh_process(
        "storm",
        "storms",
        seconds_max=240,
        well=WELL,
        ill=ILL,
        quiet_seconds=15.0,
        seconds=60.0,
        wait_seconds=0.5,
    )

    assert found["traps"] >= 10_000
    assert_nothing_is_lost(found)
    assert_all_comes_back(found)
    quiet = max(found["quiet"]["p99"], found["quiet again"]["p99"])
    assert found["storm"]["p99"] <= 2 * quiet
