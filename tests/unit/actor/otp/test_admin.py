"""Asking a supervisor: ``child_adm``, ``child_specs``, ``sup_flags``, ``which_children`` ..."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.actor.fake_host import (
    SHUTDOWN,
    TRAPPED,
    Behaviour,
    FakeHost,
    counts,
    refused,
    statuses,
)
from tests.unit.actor.virtual_time import now, settle, virtual

from airssys_wasm.actor import Backoff, Child, Group
from airssys_wasm.errors import ChildInvalid


@virtual
async def test_child_adm() -> None:
    host = FakeHost()
    child = Child("child1", "module", shutdown=1.0)
    supervisor = host.supervise(child)
    stranger = host.supervise()
    await supervisor.start()
    first = host.alive["child1"]
    (info,) = await supervisor.children()
    assert (info.name, info.status, info.running) == ("child1", "running", first)
    assert await counts(supervisor) == [1, 1, 0, 1]

    # Start of one that runs.
    assert await refused(supervisor.start_child(child)) == "already-started"

    # Termination; of something that is down too.
    assert await refused(supervisor.terminate_child("nobody")) == "not-found"
    assert await refused(stranger.terminate_child("child1")) == "stopped"
    await supervisor.terminate_child("child1")
    assert first.ended == SHUTDOWN
    (info,) = await supervisor.children()
    assert (info.status, info.running) == ("stopped", None)
    assert await counts(supervisor) == [1, 0, 0, 1]
    await supervisor.terminate_child("child1")

    # Start of one that is there but does not run.
    assert await refused(supervisor.start_child(child)) == "already-present"

    # Restart.
    second = await supervisor.restart_child("child1")
    assert second is host.alive["child1"]
    assert second is not first
    assert await counts(supervisor) == [1, 1, 0, 1]
    assert await refused(supervisor.restart_child("child1")) == "running"
    assert await refused(supervisor.restart_child("child2")) == "not-found"

    # Deletion.
    assert await refused(supervisor.delete_child("child1")) == "running"
    assert await refused(supervisor.delete_child("nobody")) == "not-found"
    assert await refused(stranger.delete_child("child1")) == "stopped"
    await supervisor.terminate_child("child1")
    await supervisor.delete_child("child1")
    assert await refused(supervisor.restart_child("child1")) == "not-found"
    assert await supervisor.children() == []
    assert await counts(supervisor) == [0, 0, 0, 0]

    # Start again.
    assert await refused(stranger.start_child(child)) == "stopped"
    await supervisor.start_child(child)
    assert await counts(supervisor) == [1, 1, 0, 1]
    assert await refused(stranger.children()) == "stopped"
    assert await refused(stranger.count()) == "stopped"
    await supervisor.stop()
    assert await refused(supervisor.count()) == "stopped"


@virtual
async def test_child_adm_simple() -> None:
    host = FakeHost()
    supervisor = host.supervise()
    await supervisor.start()
    assert await counts(supervisor) == [0, 0, 0, 0]
    template = Child("child-1", "module", shutdown=1.0)

    await supervisor.start_child(template)
    await supervisor.start_child(replace(template, name="child-2"))
    assert await counts(supervisor) == [2, 2, 0, 2]

    await supervisor.terminate_child("child-1")
    assert not host.alive["child-1"].is_alive
    assert await counts(supervisor) == [2, 1, 0, 2]
    await supervisor.delete_child("child-1")
    assert await refused(supervisor.terminate_child("child-1")) == "not-found"
    assert await statuses(supervisor) == {"child-2": "running"}
    await supervisor.stop()


BAD_CHILDREN = [
    ({"name": ""}, "name: ''"),
    ({"name": 7}, "name: 7"),
    ({"name": "a" * 257}, "1 to 256 characters"),
    ({"name": "a\x1b[2J"}, "unprintable"),
    ({"restart": "prmanent"}, "'prmanent'; hint: one of permanent, transient, temporary"),
    ({"shutdown": -10}, 'shutdown: -10; hint: seconds such as 5.0, "immediate" or "infinity"'),
    ({"shutdown": math.inf}, "shutdown: inf"),
    ({"shutdown": math.nan}, "shutdown: nan"),
    ({"shutdown": True}, "shutdown: True"),
    ({"shutdown": "brutal_kill"}, "shutdown: 'brutal_kill'"),
    ({"start_seconds_max": 0}, "start_seconds_max: 0; hint: seconds, more than 0"),
    ({"start_seconds_max": math.nan}, "start_seconds_max: nan"),
    ({"start_seconds_max": "long"}, "start_seconds_max: 'long'; hint: seconds"),
    ({"significant": 1}, "significant: 1"),
    ({"intensity": -1}, "intensity: -1"),
    ({"intensity": 1.0}, "intensity: 1.0"),
    ({"within": 0}, "within: 0"),
    ({"backoff": 1.0}, "backoff: 1.0"),
]


@pytest.mark.parametrize(("fields", "said"), BAD_CHILDREN)
def test_child_specs(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ChildInvalid) as caught:
        Child(**({"name": "child", "source": "module"} | fields))

    assert said in str(caught.value)
    assert "hint: " in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"shutdown": "infinity"},
        {"shutdown": 1.0},
        {"shutdown": 0},
        {"shutdown": "immediate", "restart": "temporary"},
        {"restart": "transient", "significant": True},
        {"start_seconds_max": math.inf},
        {"name": "acme/greeter"},
    ],
)
def test_correct_children_are_taken(fields: dict[str, Any]) -> None:
    Child(**({"name": "child", "source": "module"} | fields))


def test_two_children_of_one_name_are_refused() -> None:
    with pytest.raises(ChildInvalid, match="two children are named 'child'"):
        Group(children=(Child("child", 1), Child("child", 2)))


def test_children_may_be_given_as_a_list() -> None:
    assert Group(children=[Child("child", 1)]).children == (Child("child", 1),)


BAD_GROUPS = [
    ({"strategy": "none-for-one"}, "'none-for-one'; hint: one of one-for-one, one-for-all"),
    ({"intensity": "infinity"}, "intensity: 'infinity'"),
    ({"intensity": -1}, "intensity: -1"),
    ({"intensity": True}, "intensity: True"),
    ({"within": 0}, "within: 0"),
    ({"within": math.inf}, "within: inf"),
    ({"within": "infinity"}, "within: 'infinity'"),
    ({"auto_shutdown": "always"}, "auto_shutdown: 'always'"),
    ({"counted": "apart"}, "counted: 'apart'; hint: one of together, by-child"),
    ({"counted": "by-child", "strategy": "one-for-all"}, 'counted="by-child"'),
    ({"backoff": None}, "backoff: None"),
    ({"children": 7}, "children: 7 is no list"),
    ({"children": (Child("c", 1, intensity=1),)}, "a window of its own"),
]


@pytest.mark.parametrize(("fields", "said"), BAD_GROUPS)
def test_sup_flags(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ChildInvalid) as caught:
        Group(**fields)

    assert said in str(caught.value)
    assert "hint: " in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"first_seconds": -1}, "first_seconds: -1"),
        ({"first_seconds": 2, "max_seconds": 1}, "max_seconds: 1"),
        ({"max_seconds": math.inf}, "max_seconds: inf"),
        ({"factor": 0.5}, "factor: 0.5"),
        ({"factor": math.nan}, "factor: nan"),
        ({"jitter": 1.5}, "jitter: 1.5; hint: a number from 0 to 1"),
        ({"quiet_seconds": "60"}, "quiet_seconds: '60'; hint: a number from 0 to 1e+09"),
    ],
)
def test_a_backoff_that_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ChildInvalid) as caught:
        Backoff(**fields)

    assert said in str(caught.value)
    assert "hint: " in str(caught.value)


@virtual
async def test_a_child_that_the_group_cannot_serve_is_refused_while_it_runs() -> None:
    supervisor = FakeHost().supervise()
    await supervisor.start()

    for child in (
        Child("own", 1, within=1.0),
        Child("s", 1, restart="temporary", significant=True),
    ):
        with pytest.raises(ChildInvalid, match="hint: "):
            await supervisor.start_child(child)
    assert await supervisor.children() == []
    await supervisor.stop()


@virtual
async def test_child_unlink() -> None:
    """A child that never says that it has ended does not hold up its supervisor."""
    host = FakeHost(naughty=[Behaviour(stop_seconds=1e6, deaf_stop_seconds=30.0)])
    supervisor = host.supervise(Child("naughty", "module", shutdown=1.0))
    await supervisor.start()
    stopping = asyncio.create_task(supervisor.terminate_child("naughty"))
    await settle(0.5)

    asked = now()
    assert await statuses(supervisor) == {"naughty": "stopping"}
    assert now() == asked
    await stopping
    assert now() == 1.0
    assert host.verbs("kill") == ["kill naughty"]
    await supervisor.stop()
    await settle(60.0)


@virtual
async def test_which_children() -> None:
    host = FakeHost()
    supervisor = host.supervise(Child("child1", 1), Child("child2", 2, restart="transient"))
    await supervisor.start()
    await supervisor.start_child(Child("group", Group(children=(Child("inner", 1),))))
    host.alive["child2"].exits(SHUTDOWN)
    await settle()

    infos = await supervisor.children()
    assert [info.name for info in infos] == ["child1", "child2", "group"]
    assert [info.status for info in infos] == ["running", "stopped", "running"]
    assert infos[2] == await supervisor.child("group")
    inner = infos[2].running
    assert inner is not None
    assert [info.name for info in await inner.children()] == ["inner"]  # type: ignore[attr-defined]
    await supervisor.stop()


@virtual
async def test_which_children_simple_one_for_one() -> None:
    host = FakeHost(restarting=[Behaviour(), Behaviour(start_seconds=5.0)])
    supervisor = host.supervise()
    await supervisor.start()
    template = Child("running", "module")
    for name in ("running", "restarting"):
        await supervisor.start_child(replace(template, name=name))
    host.alive["restarting"].exits(TRAPPED)
    await settle()

    assert await statuses(supervisor) == {"running": "running", "restarting": "starting"}
    assert (await supervisor.child("restarting")).running is None
    await supervisor.stop()


@virtual
async def test_count_children() -> None:
    host = FakeHost()
    supervisor = host.supervise(within=3600.0, intensity=2)
    await supervisor.start()
    for number in range(2000):
        await supervisor.start_child(Child(f"child-{number}", 1, restart="temporary"))
        if number == 999:
            assert await counts(supervisor) == [1000, 1000, 0, 1000]
    assert await counts(supervisor) == [2000, 2000, 0, 2000]
    assert len(await supervisor.children()) == 2000

    for made in host.all:
        made.exits(TRAPPED)
    await settle()
    assert await counts(supervisor) == [0, 0, 0, 0]
    await supervisor.stop()


@virtual
async def test_count_children_supervisor() -> None:
    supervisor = FakeHost().supervise()
    await supervisor.start()
    for number in range(100):
        await supervisor.start_child(Child(f"group-{number}", Group(), restart="temporary"))

    assert await counts(supervisor) == [100, 100, 100, 0]
    await supervisor.stop()


@virtual
async def test_count_restarting_children() -> None:
    failing = [Behaviour(), Behaviour(start_seconds=2.0, start_fails=True)]
    host = FakeHost(a=failing, b=failing, c=failing)
    supervisor = host.supervise(intensity=20, within=10.0)
    await supervisor.start()
    for number, name in enumerate("abc", start=1):
        await supervisor.start_child(Child(name, "module", shutdown="immediate"))
        assert await counts(supervisor) == [number, number, 0, number]

    for left, name in ((2, "a"), (1, "b"), (0, "c")):
        host.alive[name].exits(TRAPPED)
        await settle()
        assert await counts(supervisor) == [3, left, 0, 3]
    for name in "abc":
        await supervisor.terminate_child(name)
    assert await statuses(supervisor) == dict.fromkeys("abc", "stopped")
    await supervisor.stop()
