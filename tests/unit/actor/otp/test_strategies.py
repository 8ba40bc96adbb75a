"""Strategies, intensity and escalation."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.unit.actor.fake_host import (
    AT_ONCE,
    NORMAL,
    TRAPPED,
    Behaviour,
    FakeHost,
    StartRefusedError,
    counts,
    statuses,
)
from tests.unit.actor.virtual_time import settle, virtual

from airssys_wasm.actor import (
    Child,
    Escalated,
    Exit,
    ExitKind,
    GaveUp,
    Group,
    Restarted,
    Strategy,
    Supervisor,
)
from airssys_wasm.errors import SupervisionError

FAILS_AGAIN = [Behaviour(), Behaviour(start_fails=True)]


async def trap(host: FakeHost, *names: str) -> None:
    for name in names:
        host.alive[name].exits(TRAPPED)
        await settle()


async def gave_up(supervisor: Supervisor) -> bool:
    """Whether it has ended, having given up."""
    ended = await asyncio.wait_for(supervisor.wait(), 1.0)
    return ended.kind is ExitKind.SHUTDOWN and ended.gave_up_on is not None


@virtual
async def test_multiple_restarts() -> None:
    """Failures that keep their distance go on for ever."""
    host = FakeHost()
    supervisor = host.supervise(intensity=1, within=1.0)
    await supervisor.start()
    await supervisor.start_child(Child("child1", "module", shutdown="immediate"))

    await trap(host, "child1")
    for _ in range(3):
        await settle(2.1)
        await trap(host, "child1")

    await supervisor.terminate_child("child1")
    await supervisor.delete_child("child1")
    await supervisor.stop()
    assert (await supervisor.wait()).gave_up_on is None


@virtual
async def test_one_for_one() -> None:
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=3600.0)
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child1, child2 = host.alive["child1"], host.alive["child2"]

    await trap(host, "child1")
    assert host.alive["child2"] is child2
    assert host.alive["child1"] is not child1
    assert await counts(supervisor) == [2, 2, 0, 2]

    # The restarts of all children share one window.
    await trap(host, "child2", "child2")
    assert await gave_up(supervisor)


@virtual
async def test_one_for_one_escalation() -> None:
    host = FakeHost(child1=FAILS_AGAIN)
    supervisor = host.supervise(intensity=4, within=3600.0)
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child2 = host.alive["child2"]

    await trap(host, "child1")

    assert await gave_up(supervisor)
    assert not child2.is_alive
    # The first start, and four that failed.
    assert len(host.reasons["child1"]) == 5
    assert host.reasons["child1"][-1] == Restarted(
        ExitKind.INITIALIZATION_FAILED, "StartRefusedError: child1", 4, 4
    )


@virtual
async def test_one_for_all() -> None:
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=3600.0, strategy="one-for-all")
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    old = set(host.all)

    await trap(host, "child1")
    assert not any(made.is_alive for made in old)
    assert not old & set(host.alive.values())
    assert await counts(supervisor) == [2, 2, 0, 2]

    await trap(host, "child2", "child2")
    assert await gave_up(supervisor)


@virtual
async def test_one_for_all_escalation() -> None:
    host = FakeHost(child2=FAILS_AGAIN)
    supervisor = host.supervise(intensity=4, within=3600.0, strategy="one-for-all")
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child2 = host.alive["child2"]

    await trap(host, "child1")

    assert await gave_up(supervisor)
    assert not child2.is_alive
    assert not any(made.is_alive for made in host.all)


@virtual
async def test_one_for_all_other_child_fails_restart() -> None:
    """A child that was restarted is stopped again if a sibling does not start."""
    host = FakeHost(child2=[Behaviour(), Behaviour(start_fails=True), Behaviour()])
    children = [Child(name, "module", shutdown=1.0) for name in ("child1", "child2")]
    supervisor = host.supervise(*children, intensity=3, within=3600.0, strategy="one-for-all")
    await supervisor.start()
    host.deeds.clear()

    await trap(host, "child1")

    assert host.verbs("exit", "stop", "start") == [
        "exit child1",
        "stop child2",
        "start child1",
        "start child2",
        "stop child1",
        "start child1",
        "start child2",
    ]
    assert await statuses(supervisor) == {"child1": "running", "child2": "running"}
    await supervisor.stop()


@virtual
async def test_simple_one_for_one() -> None:
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=3600.0)
    await supervisor.start()
    template = Child("child-1", "module", shutdown=1.0)
    await supervisor.start_child(template)
    await supervisor.start_child(replace(template, name="child-2"))
    second = host.alive["child-2"]

    await trap(host, "child-1")
    assert host.alive["child-2"] is second
    assert await counts(supervisor) == [2, 2, 0, 2]

    await trap(host, "child-2", "child-2")
    assert await gave_up(supervisor)


@virtual
async def test_simple_one_for_one_shutdown() -> None:
    """Each child has its own time to stop; OTP stops such children together, we in order."""
    host = FakeHost(
        a=[Behaviour(stop_seconds=1.0)],
        b=[Behaviour(stop_seconds=1.0)],
        c=[Behaviour(stop_seconds=5.0)],
    )
    supervisor = host.supervise(intensity=2, within=3600.0)
    await supervisor.start()
    for name in "abc":
        await supervisor.start_child(Child(name, "module", shutdown=2.0))

    await supervisor.stop()

    ends = [(deed.time, deed.verb, deed.child) for deed in host.deeds if "up" not in deed.verb]
    assert ends[-5:] == [
        (2.0, "kill", "c"),
        (2.0, "stop", "b"),
        (3.0, "stopped", "b"),
        (3.0, "stop", "a"),
        (4.0, "stopped", "a"),
    ]


@virtual
async def test_simple_one_for_one_escalation() -> None:
    host = FakeHost(a=FAILS_AGAIN)
    supervisor = host.supervise(intensity=4, within=3600.0)
    await supervisor.start()
    for name in "ab":
        await supervisor.start_child(Child(name, "module", shutdown=1.0))

    await trap(host, "a")

    assert await gave_up(supervisor)
    assert not any(made.is_alive for made in host.all)


@virtual
async def test_rest_for_one() -> None:
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=3600.0, strategy="rest-for-one")
    await supervisor.start()
    for name in ("child1", "child2", "child3"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child1, child2, child3 = host.all
    assert await counts(supervisor) == [3, 3, 0, 3]

    await trap(host, "child2")
    assert not child3.is_alive
    assert host.alive["child1"] is child1
    assert not {child2, child3} & set(host.alive.values())
    assert await counts(supervisor) == [3, 3, 0, 3]

    await trap(host, "child3", "child2")
    assert await gave_up(supervisor)


@virtual
async def test_rest_for_one_escalation() -> None:
    host = FakeHost(child2=FAILS_AGAIN)
    supervisor = host.supervise(intensity=4, within=3600.0, strategy="rest-for-one")
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child2 = host.alive["child2"]

    await trap(host, "child1")

    assert await gave_up(supervisor)
    assert not child2.is_alive


@virtual
async def test_rest_for_one_other_child_fails_restart() -> None:
    """One that was restarted stays if a later one does not start."""
    host = FakeHost(child2=[Behaviour(), Behaviour(start_fails=True), Behaviour()])
    children = [Child(name, "module", shutdown=1.0) for name in ("child1", "child2")]
    supervisor = host.supervise(*children, intensity=3, within=3600.0, strategy="rest-for-one")
    await supervisor.start()
    host.deeds.clear()

    await trap(host, "child1")

    assert host.verbs("exit", "stop", "start") == [
        "exit child1",
        "stop child2",
        "start child1",
        "start child2",
        "start child2",
    ]
    await supervisor.stop()


@virtual
async def test_faulty_application_shutdown() -> None:
    """The reason of the innermost start that failed comes out at the top."""
    host = FakeHost(faulty=[Behaviour(start_fails=True)])
    inner = Group(children=(Child("fine", 1), Child("faulty", 2)))
    supervisor = host.supervise(Child("first", 1), Child("application", inner))

    with pytest.raises(SupervisionError, match=r"'application' .* could not be started") as caught:
        await supervisor.start()

    innermost = caught.value.__cause__
    assert isinstance(innermost, SupervisionError)
    assert innermost.child == "faulty"
    assert isinstance(innermost.__cause__, StartRefusedError)
    assert host.verbs("stopped") == ["stopped fine", "stopped first"]
    assert (await supervisor.wait()).kind is ExitKind.INITIALIZATION_FAILED


@virtual
async def test_tree() -> None:
    host = FakeHost(child3=FAILS_AGAIN)
    worker = Child("child1", "module", shutdown=1.0)
    static = Group(children=(worker, replace(worker, name="child2")), backoff=AT_ONCE, intensity=4)
    supervisor = host.supervise(strategy="one-for-all", intensity=4, within=3600.0)
    await supervisor.start()
    group1 = await supervisor.start_child(Child("group1", static))
    empty = Group(intensity=4, within=3600.0, backoff=AT_ONCE)
    group2 = await supervisor.start_child(Child("group2", empty))
    assert isinstance(group1, Supervisor)
    assert isinstance(group2, Supervisor)
    assert await counts(supervisor) == [2, 2, 2, 0]
    for name in ("child3", "child4"):
        await group2.start_child(replace(worker, name=name))
    before = dict(host.alive)

    # Only the one that dies is restarted.
    await trap(host, "child4")
    assert {name for name in before if host.alive[name] is not before[name]} == {"child4"}
    assert await counts(group1) == await counts(group2) == [2, 2, 0, 2]

    # The tree is restarted, but not its dynamic children.
    await trap(host, "child3")
    await settle(1.0)
    new1, new2 = [info.running for info in await supervisor.children()]
    assert isinstance(new1, Supervisor)
    assert isinstance(new2, Supervisor)
    assert new1 is not group1
    assert new2 is not group2
    assert await counts(supervisor) == [2, 2, 2, 0]
    assert await counts(new1) == [2, 2, 0, 2]
    assert await counts(new2) == [0, 0, 0, 0]

    # What went up the tree is what the children are told.
    reason = host.reasons["child1"][-1]
    assert isinstance(reason, Restarted)
    assert reason.failure is ExitKind.SIBLING_FAILED
    assert "gave up on 'child3' after more than 4 restarts" in reason.detail
    assert [event.path for event in host.events if isinstance(event, Escalated)] == [
        ("sup", "group2")
    ]
    await supervisor.stop()


@virtual
async def test_a_transient_group_that_gave_up_is_not_restarted() -> None:
    """It ends with ``shutdown``, as in Erlang."""
    host = FakeHost()
    inner = Group(children=(Child("worker", 1),), intensity=0)
    supervisor = host.supervise(Child("group", inner, restart="transient"), Child("other", 1))
    await supervisor.start()

    await trap(host, "worker")

    assert await statuses(supervisor) == {"group": "stopped", "other": "running"}
    await supervisor.stop()


STRATEGIES: tuple[Strategy, ...] = ("one-for-one", "one-for-all", "rest-for-one")


@pytest.mark.parametrize("strategy", STRATEGIES)
@virtual
async def test_with_intensity_0_the_first_failure_is_the_last(strategy: Strategy) -> None:
    host = FakeHost()
    children = [Child(name, "module") for name in "abc"]
    supervisor = host.supervise(*children, intensity=0, strategy=strategy)
    await supervisor.start()

    await trap(host, "b")

    assert await gave_up(supervisor)
    assert host.verbs("stop") == ["stop c", "stop a"]
    gave = [event for event in host.events if isinstance(event, GaveUp)]
    assert gave == [GaveUp(("sup",), "b", TRAPPED, 0)]


@virtual
async def test_a_permanent_child_that_ends_cleanly_too_often_is_given_up_too() -> None:
    host = FakeHost(a=[Behaviour(exits_after=1.0, exit=NORMAL)])
    supervisor = host.supervise(Child("a", "module"), intensity=3, within=60.0)
    await supervisor.start()

    ended = await supervisor.wait()

    assert ended.gave_up_on == Exit(ExitKind.NORMAL)
    assert len(host.reasons["a"]) == 4
    # After a clean end it starts as for the first time.
    assert not any(isinstance(reason, Restarted) for reason in host.reasons["a"])
