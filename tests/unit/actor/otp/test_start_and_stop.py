"""Groups ``sup_start``, ``sup_start_map`` and ``sup_stop``."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest
from tests.unit.actor.fake_host import (
    FOREVER,
    NORMAL,
    SHUTDOWN,
    TRAPPED,
    Behaviour,
    FakeHost,
    StartRefusedError,
    counts,
    refused,
    statuses,
)
from tests.unit.actor.virtual_time import now, settle, virtual

from airssys_wasm.actor import Child, Exit, Exited, ExitKind, Group, RestartType
from airssys_wasm.errors import ChildInvalid, SupervisionError


@virtual
async def test_sup_start_normal() -> None:
    supervisor = FakeHost().supervise(intensity=2, within=3600.0)
    await supervisor.start()
    await supervisor.stop()

    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN


@virtual
async def test_sup_start_child_returns_error() -> None:
    host = FakeHost(child1=[Behaviour(start_fails=True)])
    supervisor = host.supervise()
    await supervisor.start()

    with pytest.raises(SupervisionError, match=r"child 'child1' .* could not be started") as caught:
        await supervisor.start_child(Child("child1", "module"))
    assert caught.value.reason == "start-failed"
    assert isinstance(caught.value.__cause__, StartRefusedError)
    assert await supervisor.children() == []
    await supervisor.stop()


@virtual
async def test_sup_start_restart_child_returns_error() -> None:
    host = FakeHost(child1=[Behaviour(), Behaviour(start_fails=True)])
    supervisor = host.supervise(Child("child1", "module"))
    await supervisor.start()
    await supervisor.terminate_child("child1")

    assert await refused(supervisor.restart_child("child1")) == "start-failed"
    assert await statuses(supervisor) == {"child1": "stopped"}
    await supervisor.stop()


@virtual
async def test_sup_start_child_returns_error_simple() -> None:
    host = FakeHost(bad=[Behaviour(start_fails=True)])
    supervisor = host.supervise()
    await supervisor.start()
    template = Child("good", "module")
    await supervisor.start_child(template)

    assert await refused(supervisor.start_child(replace(template, name="bad"))) == "start-failed"
    assert await statuses(supervisor) == {"good": "running"}
    await supervisor.stop()


@virtual
async def test_sup_start_map() -> None:
    supervisor = FakeHost().supervise(
        Child("child1", "module"),
        Child("child2", "module", shutdown="immediate"),
        Child("child3", Group()),
    )
    await supervisor.start()

    child1, child2, child3 = supervisor.group.children
    assert (child1.restart, child1.shutdown, child1.is_group) == ("permanent", 5.0, False)
    assert child1.start_seconds_max == 30.0
    assert child2.shutdown == "immediate"
    assert (child3.shutdown, child3.start_seconds_max) == ("infinity", math.inf)
    assert [info.is_group for info in await supervisor.children()] == [False, False, True]
    assert (await supervisor.child("child2")).restart == "permanent"
    assert await refused(supervisor.child("child4")) == "not-found"
    await supervisor.stop()


def test_sup_start_map_faulty_specs() -> None:
    with pytest.raises(TypeError, match="name"):
        Child(source="module")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="source"):
        Child("child2")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="silly_flag"):
        Child("child3", "module", silly_flag=True)  # type: ignore[call-arg]
    with pytest.raises(ChildInvalid, match=r"'child4' is no child; hint: Child\(name, source\)"):
        Group(children=("child4",))  # type: ignore[arg-type]


@virtual
async def test_sup_stop_infinity() -> None:
    slow = [Behaviour(stop_seconds=3600.0)]
    host = FakeHost(child1=slow, child2=slow)
    supervisor = host.supervise()
    await supervisor.start()
    await supervisor.start_child(Child("child1", Group(), shutdown="infinity"))
    await supervisor.start_child(Child("child2", "module", shutdown="infinity"))
    child2 = host.alive["child2"]

    await supervisor.stop()

    assert child2.ended == SHUTDOWN
    assert child2.seconds_max is None
    assert now() == 3600.0


@virtual
async def test_sup_stop_timeout() -> None:
    host = FakeHost(child2=[Behaviour(stop_seconds=200.0)])
    supervisor = host.supervise()
    await supervisor.start()
    for name in ("child1", "child2"):
        await supervisor.start_child(Child(name, "module", shutdown=1.0))
    child1, child2 = host.alive["child1"], host.alive["child2"]

    await supervisor.stop()

    assert child1.ended == SHUTDOWN
    assert child2.ended is not None
    assert child2.ended.kind is ExitKind.KILLED
    assert child2.seconds_max == 1.0
    assert 1.0 <= now() <= 1.1


@virtual
async def test_sup_stop_timeout_dynamic() -> None:
    host = FakeHost(child2=[Behaviour(stop_seconds=200.0)])
    supervisor = host.supervise()
    await supervisor.start()
    template = Child("child1", "module", restart="temporary", shutdown=1.0)
    await supervisor.start_child(template)
    await supervisor.start_child(replace(template, name="child2"))

    await supervisor.stop()

    assert host.verbs("stopped", "kill") == ["kill child2", "stopped child1"]
    assert 1.0 <= now() <= 1.1


@virtual
async def test_sup_stop_brutal_kill() -> None:
    host = FakeHost()
    supervisor = host.supervise()
    await supervisor.start()
    await supervisor.start_child(Child("child1", "module", shutdown=1.0))
    await supervisor.start_child(Child("child2", "module", shutdown="immediate"))

    await supervisor.stop()

    assert host.verbs("stop", "stopped", "kill") == [
        "kill child2",
        "stop child1",
        "stopped child1",
    ]


@virtual
async def test_sup_stop_brutal_kill_dynamic() -> None:
    host = FakeHost()
    supervisor = host.supervise()
    await supervisor.start()
    template = Child("child", "module", restart="temporary", shutdown="immediate")
    for number in range(10):
        await supervisor.start_child(replace(template, name=f"child-{number}"))

    await supervisor.stop()

    assert host.verbs("stop", "kill") == [f"kill child-{number}" for number in reversed(range(10))]


@virtual
async def test_sup_stop_race() -> None:
    """Children end by themselves, in all ways, while the supervisor stops the last one."""
    host = FakeHost(child_z=[Behaviour(stop_seconds=1.0)])
    supervisor = host.supervise()
    await supervisor.start()
    await supervisor.start_child(Child("child-a", "module", restart="temporary", shutdown=1.0))
    exits: dict[str, Exit] = {}
    restarts: tuple[RestartType, ...] = ("temporary", "transient", "permanent")
    for restart in restarts:
        for end in (NORMAL, SHUTDOWN, Exit(ExitKind.SHUTDOWN, "test"), TRAPPED):
            name = f"child-{len(exits)}"
            exits[name] = end
            await supervisor.start_child(Child(name, "module", restart=restart, shutdown=1.0))
    await supervisor.start_child(Child("child-z", "module", restart="temporary", shutdown=2.0))
    started = len(host.all)

    async def race() -> None:
        await settle(0.2)
        for name, end in exits.items():
            host.alive[name].exits(end)

    racing = asyncio.create_task(race())
    await supervisor.stop()
    await racing

    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN
    assert {name: host.alive[name].ended for name in exits} == exits
    assert host.verbs("stop") == ["stop child-z", "stop child-a"]
    assert len(host.all) == started
    assert now() == 1.0


@pytest.mark.parametrize("restart", ["temporary", "transient", "permanent"])
@virtual
async def test_sup_stop_non_shutdown_exit_dynamic(restart: RestartType) -> None:
    """What a child says of itself when it is asked to stop is its exit; nobody restarts it."""
    host = FakeHost()
    supervisor = host.supervise()
    await supervisor.start()
    ends = (NORMAL, SHUTDOWN, Exit(ExitKind.SHUTDOWN, "test"), TRAPPED)
    for number, end in enumerate(ends):
        host.behaviours[f"child-{number}"] = [Behaviour(stop_seconds=FOREVER)]
        child = Child(f"child-{number}", "module", restart=restart, shutdown=5.0)
        await supervisor.start_child(child)
        asyncio.get_running_loop().call_later(1.0 + number, host.alive[child.name].exits, end)
    before = await counts(supervisor)

    await supervisor.stop()

    assert before == [4, 4, 0, 4]
    assert [made.ended for made in host.all] == list(ends)
    said = {event.child: event.exit for event in host.events if isinstance(event, Exited)}
    assert said == {f"child-{number}": end for number, end in enumerate(ends)}
