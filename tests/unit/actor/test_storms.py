"""Children that do nothing but fail: exactly so many restarts, at bounded cost, and then an end."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from tests.unit.actor.fake_host import (
    AT_ONCE,
    FOREVER,
    TRAPPED,
    Behaviour,
    FakeHost,
    counts,
    statuses,
)
from tests.unit.actor.virtual_time import now, settle, virtual

from airssys_wasm.actor import Backoff, Child, Escalated, ExitKind, GaveUp, Group, Restarting
from airssys_wasm.errors import SupervisionError

MINUTES = 60.0  # seconds
DIES_AT_ONCE = Behaviour(exits_after=0.001)


def tree(levels: int, leaf: Child) -> Group:
    """Return groups in groups; beside each lower one stands a sibling before and after it."""
    inner = leaf
    group = Group()
    for level in range(levels):
        children = (Child(f"before-{level}", 1), inner, Child(f"after-{level}", 1))
        group = Group(children=children, intensity=3, within=5.0, backoff=AT_ONCE)
        inner = Child(f"level-{level}", group)
    return group


@virtual
async def test_a_tree_of_five_levels_ends_after_exactly_so_many_restarts() -> None:
    """Three restarts at each level, so four times the starts of the level below: 4 ** 5."""
    host = FakeHost(leaf=[DIES_AT_ONCE])
    root = host.supervise(Child("root", tree(5, Child("leaf", 1))), intensity=0)
    await root.start()

    ended = await root.wait()

    assert ended.gave_up_on is not None
    assert len(host.reasons["leaf"]) == 4**5
    assert not any(made.is_alive for made in host.all)
    escalations = [len(event.path) for event in host.events if isinstance(event, Escalated)]
    # A level escalates once for each start of itself.
    assert [escalations.count(depth) for depth in range(2, 7)] == [1, 4, 16, 64, 256]


@virtual
async def test_a_tree_whose_leaf_never_starts_again_ends_after_three_tries_a_level() -> None:
    host = FakeHost(leaf=[DIES_AT_ONCE, Behaviour(start_fails=True)])
    root = host.supervise(Child("root", tree(5, Child("leaf", 1))), intensity=0)
    await root.start()
    await root.wait()

    assert len(host.reasons["leaf"]) == 1 + 3 * 5


@virtual
async def test_siblings_are_stopped_in_reverse_order_at_each_escalation() -> None:
    host = FakeHost(leaf=[DIES_AT_ONCE])
    root = host.supervise(Child("root", tree(3, Child("leaf", 1))), intensity=0)
    await root.start()
    await root.wait()

    stops = host.verbs("stop")
    for level in range(3):
        of_level = [stop for stop in stops if stop.endswith(f"-{level}")]
        assert of_level == [f"stop after-{level}", f"stop before-{level}"] * (len(of_level) // 2)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(start_seconds=FOREVER, deaf_seconds=50.0),
        Behaviour(exits_after=0.001, stop_seconds=FOREVER, deaf_stop_seconds=50.0),
    ],
    ids=["hangs in its start", "hangs in its stop"],
)
@virtual
async def test_a_hanging_leaf_of_a_tree_blocks_no_answer(behaviour: Behaviour) -> None:
    host = FakeHost(leaf=[DIES_AT_ONCE, behaviour])
    leaf = Child("leaf", 1, start_seconds_max=0.5, shutdown=0.5)
    root = host.supervise(Child("root", tree(5, leaf)), intensity=0)
    await root.start()

    ended = asyncio.create_task(root.wait())
    answers = 0
    with contextlib.suppress(SupervisionError):  # it has ended
        while True:
            began = now()
            await counts(root)
            assert now() == began
            answers += 1
            await asyncio.sleep(0.1)
    await ended

    assert answers > 5
    assert now() < 10 * MINUTES
    await settle(100.0)
    assert not any(made.is_alive for made in host.all)


@virtual
async def test_a_crash_loop_at_boot_for_ten_minutes_costs_next_to_nothing() -> None:
    """Waits of 0.1 s, doubled up to 30 s, let it restart 9 times in a minute, then twice."""
    host = FakeHost(loops=[DIES_AT_ONCE])
    supervisor = host.supervise(
        Child("loops", 1), Child("other", 2), intensity=10**6, backoff=Backoff()
    )
    await supervisor.start()
    began = time.process_time()

    await settle(10 * MINUTES)

    assert time.process_time() - began < 2.0
    waits = [event.after_seconds for event in host.events if isinstance(event, Restarting)]
    assert waits[:9] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6])
    assert set(waits[9:]) == {30.0}
    assert 25 <= len(host.reasons["loops"]) <= 30
    assert len(host.reasons["other"]) == 1
    await supervisor.stop()


@virtual
async def test_with_the_defaults_a_crash_loop_ends_within_seconds() -> None:
    host = FakeHost(loops=[DIES_AT_ONCE])
    supervisor = host.supervise(Child("loops", 1), backoff=Backoff())
    await supervisor.start()

    ended = await supervisor.wait()

    assert ended.gave_up_on == TRAPPED
    assert len(host.reasons["loops"]) == 4
    assert now() == pytest.approx(0.1 + 0.2 + 0.4 + 4 * 0.001)


@virtual
async def test_a_child_that_was_quiet_for_long_starts_over() -> None:
    loops = [DIES_AT_ONCE] * 3
    host = FakeHost(a=[*loops, Behaviour(exits_after=70.0), *loops, Behaviour()])
    supervisor = host.supervise(Child("a", 1), intensity=50, backoff=Backoff())
    await supervisor.start()

    await settle(5 * MINUTES)

    waits = [event.after_seconds for event in host.events if isinstance(event, Restarting)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.1, 0.2, 0.4, 0.8])
    await supervisor.stop()


@virtual
async def test_counted_by_child_only_the_one_that_fails_too_often_is_given_up() -> None:
    host = FakeHost(bad=[DIES_AT_ONCE], worse=[DIES_AT_ONCE])
    supervisor = host.supervise(
        Child("bad", 1),
        Child("worse", 2, intensity=0),
        Child("good", 3),
        counted="by-child",
        intensity=3,
    )
    await supervisor.start()
    good = host.alive["good"]
    await settle(1.0)

    assert await statuses(supervisor) == {"bad": "stopped", "worse": "stopped", "good": "running"}
    assert good.is_alive
    assert [len(host.reasons[name]) for name in ("bad", "worse", "good")] == [4, 1, 1]
    gave_up = {
        event.child: event.attempts_max for event in host.events if isinstance(event, GaveUp)
    }
    assert gave_up == {"bad": 3, "worse": 0}

    # Its past is kept under its name: started by hand, it has no restart left.
    await supervisor.restart_child("bad")
    await settle(1.0)
    assert len(host.reasons["bad"]) == 5
    await settle(60.0)
    await supervisor.restart_child("bad")
    await settle(1.0)
    assert len(host.reasons["bad"]) == 9
    await supervisor.stop()


@virtual
async def test_a_child_may_have_waits_and_a_window_of_its_own() -> None:
    host = FakeHost(a=[DIES_AT_ONCE])
    slow = Backoff(first_seconds=10.0, factor=1.0)
    child = Child("a", 1, intensity=5, within=15.0, backoff=slow)
    supervisor = host.supervise(child, counted="by-child", intensity=0)
    await supervisor.start()

    await settle(10 * MINUTES)

    # Two restarts at most are within 15 s of each other.
    assert await statuses(supervisor) in ({"a": "restarting"}, {"a": "running"})
    assert 58 <= len(host.reasons["a"]) <= 61
    await supervisor.stop()


@virtual
async def test_children_that_fail_together_are_one_failure_for_all() -> None:
    host = FakeHost()
    names = [f"child-{number}" for number in range(10)]
    supervisor = host.supervise(
        *(Child(name, 1) for name in names), strategy="one-for-all", intensity=1
    )
    await supervisor.start()
    for made in list(host.alive.values()):
        made.exits(TRAPPED)
    await settle()

    assert await counts(supervisor) == [10, 10, 0, 10]
    assert len([event for event in host.events if isinstance(event, Restarting)]) == 1
    await supervisor.stop()
    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN
