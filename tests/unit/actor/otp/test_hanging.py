"""What hangs holds up nobody; order; many children."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.unit.actor.fake_host import (
    FOREVER,
    NORMAL,
    TRAPPED,
    Behaviour,
    FakeHost,
    counts,
    refused,
    statuses,
)
from tests.unit.actor.virtual_time import now, settle, virtual

from airssys_wasm.actor import Backoff, Child, ExitKind

# OTP's restarts fail after 2 s; here each takes 2 s to fail.
FAILS_SLOWLY = [Behaviour(), Behaviour(start_seconds=2.0, start_fails=True)]


async def trap(host: FakeHost, name: str) -> None:
    host.alive[name].exits(TRAPPED)
    await settle(2.0)


@virtual
async def test_hanging_restart_loop() -> None:
    child = Child("child1", "module", shutdown="immediate")
    host = FakeHost(child1=list(FAILS_SLOWLY))
    supervisor = host.supervise(intensity=8, within=10.0, backoff=Backoff(first_seconds=1.0))
    await supervisor.start()
    await supervisor.start_child(child)

    await trap(host, "child1")
    await settle(1.5)

    began = now()
    assert await refused(supervisor.start_child(child)) == "already-present"
    assert await refused(supervisor.restart_child("child1")) == "restarting"
    assert await refused(supervisor.delete_child("child1")) == "restarting"
    assert await statuses(supervisor) == {"child1": "restarting"}
    assert await counts(supervisor) == [1, 0, 0, 1]
    await supervisor.terminate_child("child1")
    assert await statuses(supervisor) == {"child1": "stopped"}
    assert now() == began

    host.behaviours["child1"] = list(FAILS_SLOWLY)
    await supervisor.restart_child("child1")
    await trap(host, "child1")
    await settle(0.5)
    assert await statuses(supervisor) == {"child1": "starting"}
    began = now()
    await supervisor.stop()
    assert now() == began
    assert host.alive["child1"].ended == TRAPPED


@virtual
async def test_hanging_restart_loop_rest_for_one() -> None:
    """OTP shows child3 as ``undefined`` while child2 is restarted; it is going to be, too."""
    host = FakeHost(child2=list(FAILS_SLOWLY))
    backoff = Backoff(first_seconds=1.0)
    supervisor = host.supervise(strategy="rest-for-one", intensity=8, within=10.0, backoff=backoff)
    await supervisor.start()
    child2 = Child("child2", "module", shutdown="immediate")
    for child in (Child("child1", "module"), child2, Child("child3", "module")):
        await supervisor.start_child(child)
    child1 = host.alive["child1"]

    await trap(host, "child2")
    await settle(1.5)

    assert await refused(supervisor.start_child(child2)) == "already-present"
    assert await refused(supervisor.restart_child("child2")) == "restarting"
    assert await refused(supervisor.delete_child("child2")) == "restarting"
    assert await statuses(supervisor) == {
        "child1": "running",
        "child2": "restarting",
        "child3": "restarting",
    }
    assert await counts(supervisor) == [3, 1, 0, 3]

    await supervisor.terminate_child("child2")
    stopped = {"child1": "running", "child2": "stopped", "child3": "stopped"}
    assert await statuses(supervisor) == stopped
    await settle(60.0)
    assert await statuses(supervisor) == stopped
    assert host.alive["child1"] is child1

    host.behaviours["child2"] = list(FAILS_SLOWLY)
    await supervisor.restart_child("child2")
    await trap(host, "child2")
    began = now()
    await supervisor.stop()
    assert now() == began


@virtual
async def test_hanging_restart_loop_simple() -> None:
    host = FakeHost(a=list(FAILS_SLOWLY))
    supervisor = host.supervise(intensity=8, within=10.0, backoff=Backoff(first_seconds=1.0))
    await supervisor.start()
    await supervisor.start_child(Child("a", "module", shutdown="immediate"))

    await trap(host, "a")
    await settle(1.5)
    assert await statuses(supervisor) == {"a": "restarting"}
    await supervisor.terminate_child("a")
    await supervisor.delete_child("a")
    assert await statuses(supervisor) == {}
    await supervisor.start_child(Child("b", "module"))
    began = now()
    await supervisor.stop()
    assert now() == began


@virtual
async def test_order_of_children() -> None:
    names = ["ch7", "ch3", "ch10", "ch2", "ch5"]
    host = FakeHost()
    children = [Child(name, "module", shutdown=1.0) for name in names]
    supervisor = host.supervise(*children, strategy="rest-for-one", intensity=2, within=3600.0)
    await supervisor.start()
    assert host.verbs("start") == [f"start {name}" for name in names]
    assert [info.name for info in await supervisor.children()] == names

    host.deeds.clear()
    host.alive["ch10"].exits(TRAPPED)
    await settle()
    assert host.verbs("stop", "start") == [
        "stop ch5",
        "stop ch2",
        "start ch10",
        "start ch2",
        "start ch5",
    ]

    host.deeds.clear()
    await supervisor.stop()
    assert host.verbs("stop") == [f"stop {name}" for name in reversed(names)]


async def seconds_for(children: int, *, dynamic: bool) -> float:
    """Return how long it takes to start and end so many temporary children."""
    host = FakeHost()
    supervisor = host.supervise()
    await supervisor.start()
    began = time.process_time()
    for number in range(children):
        await supervisor.start_child(Child(f"child-{number}", 1, restart="temporary"))
    for number, made in enumerate(host.all):
        if dynamic:
            await supervisor.terminate_child(f"child-{number}")
        else:
            made.exits(TRAPPED if number % 2 else NORMAL)
    await settle()
    assert await counts(supervisor) == [0, 0, 0, 0]
    elapsed = time.process_time() - began
    await supervisor.stop()
    return elapsed


@pytest.mark.parametrize("dynamic", [True, False])
@virtual
async def test_simple_one_for_one_scale_many_temporary_children(*, dynamic: bool) -> None:
    """Ten times as many take ten times as long; OTP allows 50, a busy machine needs some of it."""
    await seconds_for(100, dynamic=dynamic)
    few = min([await seconds_for(1_000, dynamic=dynamic) for _ in range(3)])
    many = await seconds_for(10_000, dynamic=dynamic)

    assert many / few < 40


@virtual
async def test_scale_start_stop_many_children() -> None:
    async def seconds(children: int) -> float:
        host = FakeHost()
        supervisor = host.supervise()
        await supervisor.start()
        began = time.process_time()
        for number in range(children):
            await supervisor.start_child(Child(f"child-{number}", 1))
        await supervisor.stop()
        assert len(host.verbs("stopped")) == children
        return time.process_time() - began

    few = min([await seconds(500) for _ in range(3)])
    assert await seconds(5_000) / few < 40


@virtual
async def test_what_hangs_in_its_start_holds_up_no_sibling() -> None:
    """The supervisor answers at once, siblings restart, and the start is bounded."""
    host = FakeHost(hung=[Behaviour(), Behaviour(start_seconds=FOREVER)])
    supervisor = host.supervise(
        Child("hung", 1, start_seconds_max=30.0), Child("other", 2), intensity=10
    )
    await supervisor.start()
    host.alive["hung"].exits(TRAPPED)
    await settle(1.0)
    other = host.alive["other"]
    other.exits(TRAPPED)
    await settle()

    assert now() == 1.0
    assert await statuses(supervisor) == {"hung": "starting", "other": "running"}
    assert host.alive["other"] is not other
    await asyncio.wait_for(supervisor.start_child(Child("third", 3)), 0.001)
    await settle(29.1)
    assert len(host.reasons["hung"]) == 3
    reason = host.reasons["hung"][-1]
    assert getattr(reason, "failure", None) is ExitKind.TIMED_OUT
    began = now()
    await supervisor.stop()
    assert now() == began
