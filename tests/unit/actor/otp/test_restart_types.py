"""Exits x restart types: normal, shutdown and abnormal; what is kept of temporary children."""

from __future__ import annotations

import gc
import weakref
from typing import Literal

import pytest
from tests.unit.actor.fake_host import (
    NORMAL,
    SHUTDOWN,
    TRAPPED,
    FakeHost,
    counts,
    refused,
    statuses,
)
from tests.unit.actor.virtual_time import settle, virtual

from airssys_wasm.actor import Child, Exit, ExitKind, Restarted, RestartType, Strategy

SHUTDOWN_WITH_INFO = Exit(ExitKind.SHUTDOWN, "some info")
STRATEGIES: tuple[Strategy, ...] = ("one-for-one", "one-for-all", "rest-for-one")

Outcome = Literal["restarted", "stopped", "forgotten"]


async def after(restart: RestartType, end: Exit, strategy: Strategy = "one-for-one") -> Outcome:
    """Return what becomes of a child that ends so."""
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=3600.0, strategy=strategy)
    await supervisor.start()
    await supervisor.start_child(Child("child1", "module", restart=restart, shutdown=1.0))
    first = host.alive["child1"]
    first.exits(end)
    await settle()
    found = await statuses(supervisor)
    numbers = await counts(supervisor)
    await supervisor.stop()
    match found:
        case {"child1": "running"}:
            assert numbers == [1, 1, 0, 1]
            assert host.alive["child1"] is not first
            return "restarted"
        case {"child1": "stopped"}:
            assert numbers == [1, 0, 0, 1]
            return "stopped"
        case _:
            assert numbers == [0, 0, 0, 0]
            return "forgotten"


@virtual
async def test_permanent_normal() -> None:
    assert await after("permanent", NORMAL) == "restarted"


@virtual
async def test_transient_normal() -> None:
    assert await after("transient", NORMAL) == "stopped"


@virtual
async def test_temporary_normal() -> None:
    assert await after("temporary", NORMAL) == "forgotten"


@virtual
async def test_permanent_shutdown() -> None:
    assert await after("permanent", SHUTDOWN) == "restarted"
    assert await after("permanent", SHUTDOWN_WITH_INFO) == "restarted"


@virtual
async def test_transient_shutdown() -> None:
    assert await after("transient", SHUTDOWN) == "stopped"
    assert await after("transient", SHUTDOWN_WITH_INFO) == "stopped"


@virtual
async def test_temporary_shutdown() -> None:
    assert await after("temporary", SHUTDOWN) == "forgotten"
    assert await after("temporary", SHUTDOWN_WITH_INFO) == "forgotten"


@virtual
async def test_permanent_abnormal() -> None:
    assert await after("permanent", TRAPPED) == "restarted"


@virtual
async def test_transient_abnormal() -> None:
    assert await after("transient", TRAPPED) == "restarted"


@virtual
async def test_temporary_abnormal() -> None:
    assert await after("temporary", TRAPPED) == "forgotten"


FAILURES = [kind for kind in ExitKind if kind not in (ExitKind.NORMAL, ExitKind.SHUTDOWN)]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kind", FAILURES)
@virtual
async def test_every_failure_is_abnormal_under_every_strategy(
    kind: ExitKind, strategy: Strategy
) -> None:
    assert await after("permanent", Exit(kind), strategy) == "restarted"
    assert await after("transient", Exit(kind), strategy) == "restarted"
    assert await after("temporary", Exit(kind), strategy) == "forgotten"


@pytest.mark.parametrize("strategy", STRATEGIES)
@virtual
async def test_temporary_bystander(strategy: Strategy) -> None:
    """A temporary child that goes down with its siblings is not restarted with them."""
    host = FakeHost()
    supervisor = host.supervise(intensity=2, within=300.0, strategy=strategy)
    await supervisor.start()
    await supervisor.start_child(Child("child1", "module", shutdown=0.1))
    await supervisor.start_child(Child("child2", "module", restart="temporary", shutdown=0.1))
    host.alive["child1"].exits(NORMAL)
    await settle(0.35)

    left = {"child1": "running"} | ({"child2": "running"} if strategy == "one-for-one" else {})
    assert await statuses(supervisor) == left
    await supervisor.stop()


class LargeSource:
    """A source of which it can be seen whether somebody holds it."""

    def __init__(self) -> None:
        self.data = ["Potentially large"] * 10


@pytest.mark.parametrize("strategy", STRATEGIES)
@virtual
async def test_do_not_save_start_parameters_for_temporary_children(strategy: Strategy) -> None:
    """Once a temporary child has ended, nothing holds its source."""
    held: dict[RestartType, int] = {}
    restarts: tuple[RestartType, ...] = ("permanent", "transient", "temporary")
    for restart in restarts:
        host = FakeHost()
        supervisor = host.supervise(intensity=1000, strategy=strategy)
        await supervisor.start()
        sources = []
        for number in range(100):
            source = LargeSource()
            sources.append(weakref.ref(source))
            await supervisor.start_child(Child(f"child-{number}", source, restart=restart))
            del source
        for number in range(100):
            await supervisor.terminate_child(f"child-{number}")
        host.alive.clear()
        host.all.clear()
        gc.collect()
        held[restart] = sum(source() is not None for source in sources)
        await supervisor.stop()

    assert held == {"permanent": 100, "transient": 100, "temporary": 0}


Way = Literal["kill", "normal", "abnormal", "supervisor"]
WAYS: tuple[Way, ...] = ("kill", "normal", "abnormal", "supervisor")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("how", WAYS)
@virtual
async def test_do_not_save_child_specs_for_temporary_children(how: Way, strategy: Strategy) -> None:
    saved: dict[RestartType, str] = {}
    restarts: tuple[RestartType, ...] = ("permanent", "transient", "temporary")
    for restart in restarts:
        host = FakeHost()
        supervisor = host.supervise(strategy=strategy)
        await supervisor.start()
        child = Child("child", "module", restart=restart)
        await supervisor.start_child(child)
        if how == "supervisor":
            await supervisor.terminate_child("child")
        else:
            ends = {"kill": Exit(ExitKind.KILLED), "normal": NORMAL, "abnormal": TRAPPED}
            host.alive["child"].exits(ends[how])
            await settle()
        if restart == "temporary":
            await supervisor.start_child(child)
            saved[restart] = "started anew"
        else:
            saved[restart] = await refused(supervisor.start_child(child))
        await supervisor.stop()

    kept, again = "already-present", "already-started"
    assert saved == {
        "permanent": kept if how == "supervisor" else again,
        "transient": kept if how in ("supervisor", "normal") else again,
        "temporary": "started anew",
    }


@virtual
async def test_simple_one_for_one_corruption() -> None:
    """Nothing of a temporary child that died is kept when the next one is started."""
    host = FakeHost()
    supervisor = host.supervise(intensity=2)
    await supervisor.start()
    for number in range(3):
        await supervisor.start_child(Child(f"child-{number}", "module", restart="temporary"))
        host.alive[f"child-{number}"].exits(TRAPPED)
        await settle()
        assert await counts(supervisor) == [0, 0, 0, 0]
    await supervisor.stop()


@virtual
async def test_the_restarted_child_is_told_why() -> None:
    host = FakeHost()
    supervisor = host.supervise(Child("a", 1), Child("b", 2), strategy="one-for-all", intensity=5)
    await supervisor.start()
    host.alive["b"].exits(Exit(ExitKind.OUT_OF_FUEL, "after 1000 units, in handle-message"))
    await settle()

    assert host.reasons["b"][1] == Restarted(
        ExitKind.OUT_OF_FUEL, "after 1000 units, in handle-message", 1, 5
    )
    assert host.reasons["a"][1] == Restarted(
        ExitKind.SIBLING_FAILED,
        "b ended: out-of-fuel: after 1000 units, in handle-message",
        1,
        5,
    )
    await supervisor.stop()
