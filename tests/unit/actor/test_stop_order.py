"""In which order the children of a supervisor that is stopped go down."""

from __future__ import annotations

import pytest
from tests.unit.actor.fake_host import FOREVER, Behaviour, FakeHost
from tests.unit.actor.virtual_time import now, virtual

from airssys_wasm.actor import Child, Exited, Group, StopReason
from airssys_wasm.actor.stops import TOGETHER_MAX

SECOND = Behaviour(stop_seconds=1.0)
NEVER_STOPS = Behaviour(stop_seconds=FOREVER)


@virtual
async def test_children_are_stopped_one_after_the_other_the_last_one_first() -> None:
    host = FakeHost(a=[SECOND], b=[SECOND], c=[SECOND])
    inner = Group(children=[Child("b", 1), Child("c", 1)])
    supervisor = host.supervise(Child("a", 1), Child("inner", inner))
    await supervisor.start()

    await supervisor.stop()

    assert host.verbs("stop", "stopped") == [
        f"{verb} {child}" for child in "cba" for verb in ("stop", "stopped")
    ]
    assert now() == 3.0


@virtual
async def test_those_of_a_pool_are_stopped_together_when_the_last_of_them_comes_up() -> None:
    host = FakeHost(**{f"p{number}": [SECOND] for number in (1, 2, 3)}, a=[SECOND], b=[SECOND])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()
    await supervisor.start_child(Child("p1", 1), pool="p")
    await supervisor.start_child(Child("b", 1))
    await supervisor.start_child(Child("p2", 1), pool="p")
    await supervisor.start_child(Child("p3", 1), pool="p")
    await supervisor.start_child(Child("c", 1))

    await supervisor.stop(StopReason.HOST_CLOSING)

    begun = [(deed.time, deed.child) for deed in host.deeds if deed.verb == "stop"]
    assert begun == [(0.0, "c"), (0.0, "p3"), (0.0, "p2"), (0.0, "p1"), (1.0, "b"), (2.0, "a")]
    # Nobody before them is asked until all of them are down.
    ended = [event.child for event in host.events if isinstance(event, Exited)]
    assert (ended[0], sorted(ended[1:4]), ended[4:]) == ("c", ["p1", "p2", "p3"], ["b", "a"])
    assert now() == 3.0
    assert {made.stop_reason for made in host.all} == {StopReason.HOST_CLOSING}


@virtual
async def test_of_a_large_pool_only_so_many_are_stopped_at_once() -> None:
    count = 2 * TOGETHER_MAX + 1
    names = [f"p{number}" for number in range(count)]
    host = FakeHost(**{name: [SECOND] for name in names})
    supervisor = host.supervise()
    await supervisor.start()
    for name in names:
        await supervisor.start_child(Child(name, 1), pool="p")

    await supervisor.stop()

    under_way, most = 0, 0
    for deed in host.deeds:
        under_way += {"stop": 1, "stopped": -1}.get(deed.verb, 0)
        most = max(most, under_way)
    assert host.verbs("stop") == [f"stop {name}" for name in reversed(names)]
    assert most == TOGETHER_MAX
    assert now() == 3.0


@pytest.mark.parametrize("odd", [NEVER_STOPS, Behaviour(stop_fails=True)])
@virtual
async def test_one_of_a_pool_that_hangs_or_fails_keeps_no_other_from_its_stop(
    odd: Behaviour,
) -> None:
    host = FakeHost(a=[Behaviour()], p1=[SECOND], p2=[odd], p3=[SECOND])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()
    for name in ("p1", "p2", "p3"):
        await supervisor.start_child(Child(name, 1, shutdown=2.0), pool="p")

    await supervisor.stop()

    assert "kill p2" in host.verbs("kill")
    assert {"stopped p1", "stopped p3", "stopped a"} == set(host.verbs("stopped"))
    assert host.verbs("stopped", "kill")[-1] == "stopped a"
    # Bounded by its own limit, which ran while the others stopped.
    assert now() == (2.0 if odd is NEVER_STOPS else 1.0)


@virtual
async def test_one_of_a_pool_that_is_stopped_already_is_waited_for_once() -> None:
    host = FakeHost(p1=[SECOND], p2=[SECOND])
    supervisor = host.supervise()
    await supervisor.start()
    await supervisor.start_child(Child("p1", 1), pool="p")
    await supervisor.start_child(Child("p2", 1), pool="p")
    await supervisor.terminate_child("p1")

    await supervisor.stop()

    assert host.verbs("stop", "stopped") == ["stop p1", "stopped p1", "stop p2", "stopped p2"]
    assert now() == 2.0
