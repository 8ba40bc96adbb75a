"""Whatever a host does wrong, the supervisor stays itself: it answers, ends, and loses nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.unit.actor.fake_host import (
    FOREVER,
    SHUTDOWN,
    TRAPPED,
    Behaviour,
    FakeHost,
    counts,
    refused,
    statuses,
)
from tests.unit.actor.virtual_time import now, settle, virtual

from airssys_wasm.actor import (
    Abandoned,
    Child,
    Exit,
    Exited,
    ExitKind,
    Group,
    Restarted,
    Stopped,
    Supervisor,
)
from airssys_wasm.errors import SupervisionError

SLOW = Behaviour(start_seconds=FOREVER)
DEAF_START = Behaviour(start_seconds=FOREVER, deaf_seconds=100.0)
DEAF_STOP = Behaviour(stop_seconds=FOREVER, deaf_stop_seconds=100.0)


@asynccontextmanager
async def running(host: FakeHost, *children: Child, **group: object) -> AsyncIterator[Supervisor]:
    supervisor = host.supervise(*children, **group)
    await supervisor.start()
    yield supervisor
    await supervisor.stop()


@virtual
async def test_a_first_start_that_hangs_is_bounded_and_the_others_are_stopped() -> None:
    host = FakeHost(b=[SLOW])
    supervisor = host.supervise(Child("a", 1), Child("b", 2, start_seconds_max=3.0), Child("c", 3))

    with pytest.raises(SupervisionError, match=r"'b' .* its start took longer than 3 s"):
        await supervisor.start()

    assert now() == pytest.approx(3.0, abs=0.1)
    assert host.verbs("up", "stopped") == ["up a", "stopped a"]
    assert (await supervisor.wait()).kind is ExitKind.INITIALIZATION_FAILED


@virtual
async def test_the_supervisor_answers_while_its_first_start_hangs() -> None:
    host = FakeHost(b=[SLOW])
    supervisor = host.supervise(Child("a", 1), Child("b", 2), Child("c", 3))
    starting = asyncio.create_task(supervisor.start())
    await settle()

    began = now()
    assert await statuses(supervisor) == {"a": "running", "b": "starting", "c": "restarting"}
    await supervisor.start_child(Child("d", 4))
    await supervisor.stop()
    with pytest.raises(SupervisionError, match="ended while it started"):
        await starting
    assert now() == began


@pytest.mark.parametrize("behaviour", [SLOW, DEAF_START])
@virtual
async def test_a_start_that_hangs_does_not_hold_up_the_end(behaviour: Behaviour) -> None:
    """Nor if it does not hear that it is cancelled: then it is waited for as for a stop."""
    host = FakeHost(a=[Behaviour(), behaviour])
    supervisor = host.supervise(Child("a", 1, shutdown=2.0))
    await supervisor.start()
    host.alive["a"].exits(TRAPPED)
    await settle(1.0)

    await supervisor.stop()

    assert now() <= 1.0 + (2.1 if behaviour.deaf_seconds else 0.0)
    await settle(200.0)
    # What it started in spite of all was killed.
    assert not any(made.is_alive for made in host.all)
    assert bool(host.verbs("kill")) is bool(behaviour.deaf_seconds)


@virtual
async def test_a_deaf_start_without_limit_to_stop_does_not_hold_up_the_end_for_ever() -> None:
    host = FakeHost(a=[Behaviour(), DEAF_START])
    supervisor = host.supervise(Child("a", 1, shutdown="infinity"))
    await supervisor.start()
    host.alive["a"].exits(TRAPPED)
    await settle()

    await supervisor.stop()

    assert 5.0 <= now() <= 5.1
    await settle(200.0)


@virtual
async def test_a_deaf_start_is_overdue_all_the_same() -> None:
    host = FakeHost(a=[Behaviour(), DEAF_START, Behaviour()])
    async with running(host, Child("a", 1, start_seconds_max=3.0)) as supervisor:
        host.alive["a"].exits(TRAPPED)
        await settle(3.5)

        assert await statuses(supervisor) == {"a": "running"}
        reason = host.reasons["a"][-1]
        assert isinstance(reason, Restarted)
        assert reason.failure is ExitKind.TIMED_OUT
        assert Abandoned(("sup",), "a") in host.events
        second = host.alive["a"]
        await settle(200.0)
        # The late one was killed; the one that serves was not.
        assert [made.is_alive for made in host.all if made is not second] == [False, False]
        assert second.is_alive


@pytest.mark.parametrize("shutdown", [2.0, "immediate"])
@virtual
async def test_a_deaf_stop_is_killed_on_time(shutdown: float) -> None:
    host = FakeHost(a=[DEAF_STOP])
    supervisor = host.supervise(Child("a", 1, shutdown=shutdown))
    await supervisor.start()

    await supervisor.stop()

    limit = shutdown if shutdown == 2.0 else 0.0
    assert limit <= now() <= limit + 0.1
    assert host.verbs("kill") == ["kill a"]
    await settle(200.0)


@virtual
async def test_a_stop_that_hangs_holds_up_no_sibling() -> None:
    host = FakeHost(a=[Behaviour(stop_seconds=FOREVER)])
    async with running(host, Child("a", 1, shutdown=50.0), Child("b", 2)) as supervisor:
        stopping = asyncio.create_task(supervisor.terminate_child("a"))
        await settle(1.0)
        old = host.alive["b"]
        old.exits(TRAPPED)
        await settle()

        assert now() == 1.0
        assert host.alive["b"] is not old
        assert await statuses(supervisor) == {"a": "stopping", "b": "running"}
        assert await refused(supervisor.restart_child("a")) == "stopping"
        await stopping
        assert now() == 50.0


@virtual
async def test_a_stop_that_raises_is_an_end_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = FakeHost(a=[Behaviour(stop_fails=True)])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()
    with caplog.at_level(logging.WARNING):
        await supervisor.stop()

    assert host.verbs("kill") == ["kill a"]
    assert "stopping 'a' failed" in caplog.text


@virtual
async def test_a_kill_that_raises_is_logged_and_nothing_stops(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = FakeHost()
    supervisor = host.supervise(Child("a", 1), Child("b", 1, shutdown="immediate"))
    await supervisor.start()

    def fail() -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(host.alive["b"], "kill", fail)
    await supervisor.stop()

    assert "killing 'b' failed" in caplog.text
    assert host.verbs("stopped") == ["stopped a"]


@virtual
async def test_kill_ends_a_whole_tree_at_once() -> None:
    stubborn = [Behaviour(stop_seconds=FOREVER)]
    host = FakeHost(a=stubborn, b=stubborn, starting=[SLOW])
    inner = Group(children=(Child("b", 1, shutdown="infinity"),))
    supervisor = host.supervise(Child("a", 1, shutdown="infinity"), Child("group", inner))
    await supervisor.start()
    asking = asyncio.create_task(supervisor.start_child(Child("starting", 1)))
    stopping = asyncio.create_task(supervisor.stop())
    await settle()

    supervisor.kill()
    ended = await supervisor.wait()
    await stopping

    assert now() == 0.0
    assert ended.kind is ExitKind.KILLED
    assert host.verbs("kill") == ["kill b", "kill a"]
    with pytest.raises(SupervisionError):
        await asking


@virtual
async def test_a_stop_with_a_limit_kills_what_is_left() -> None:
    host = FakeHost(a=[Behaviour(stop_seconds=FOREVER)])
    supervisor = host.supervise(Child("a", 1, shutdown="infinity"))
    await supervisor.start()

    await supervisor.stop(seconds_max=7.0)

    assert 7.0 <= now() <= 7.1
    assert (await supervisor.wait()).kind is ExitKind.KILLED


@virtual
async def test_a_child_that_exits_before_its_start_returns_has_failed() -> None:
    early = Behaviour(exits_early=True)
    host = FakeHost(a=[early, early, Behaviour()])
    async with running(host, Child("a", 1)) as supervisor:
        await settle()
        assert len(host.all) == 3
        assert await counts(supervisor) == [1, 1, 0, 1]


@virtual
async def test_only_the_first_word_about_an_end_counts() -> None:
    host = FakeHost()
    async with running(host, Child("a", 1)) as supervisor:
        first = host.alive["a"]
        assert first.listener is not None
        first.exits(TRAPPED)
        first.listener(TRAPPED)
        first.listener(SHUTDOWN)
        await settle()
        first.listener(TRAPPED)
        await settle()

        assert len(host.all) == 2
        assert await counts(supervisor) == [1, 1, 0, 1]


@virtual
async def test_a_supervisor_cannot_start_twice_nor_after_its_end() -> None:
    supervisor = FakeHost().supervise()
    with pytest.raises(SupervisionError, match="never started"):
        await supervisor.wait()
    await supervisor.start()
    assert await refused(supervisor.start()) == "stopped"
    await supervisor.stop()
    await supervisor.stop()
    assert await refused(supervisor.start()) == "stopped"

    never = FakeHost().supervise()
    await never.stop()
    assert await refused(never.start()) == "stopped"


@virtual
async def test_what_is_asked_while_it_ends_is_refused_and_looking_is_not() -> None:
    host = FakeHost(a=[Behaviour(stop_seconds=3.0)])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()
    stopping = asyncio.create_task(supervisor.stop())
    await settle(1.0)

    assert await refused(supervisor.start_child(Child("b", 1))) == "stopped"
    assert await refused(supervisor.terminate_child("a")) == "stopped"
    assert await statuses(supervisor) == {"a": "stopping"}
    await stopping
    assert host.events[-1] == Stopped(("sup",), Exit(ExitKind.SHUTDOWN, "it was asked to stop"))


@virtual
async def test_a_listener_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def listen(event: object) -> None:
        raise RuntimeError(repr(event))

    host = FakeHost()
    supervisor = Supervisor(Group(children=(Child("a", 1),)), host, on_event=listen)
    await supervisor.start()
    await supervisor.stop()

    assert "a listener failed at Started" in caplog.text


@virtual
async def test_one_that_has_ended_is_not_waited_for_though_its_stop_hangs() -> None:
    host = FakeHost(a=[Behaviour(stop_seconds=FOREVER)])
    supervisor = host.supervise(Child("a", 1, shutdown="infinity"))
    await supervisor.start()
    stopping = asyncio.create_task(supervisor.stop())
    await settle(3.0)
    host.alive["a"].exits(TRAPPED)

    await stopping

    assert 4.0 <= now() <= 4.1
    assert Exited(("sup",), "a", TRAPPED) in host.events


@virtual
async def test_a_group_that_does_not_stop_in_time_is_killed_with_all_in_it() -> None:
    host = FakeHost(deep=[Behaviour(stop_seconds=FOREVER)])
    deep = Group(children=(Child("deep", 1, shutdown="infinity"), Child("next", 1)))
    middle = Group(children=(Child("middle", deep),))
    supervisor = host.supervise(Child("first", 1), Child("outer", middle, shutdown=2.0))
    await supervisor.start()

    await supervisor.terminate_child("outer")

    assert 2.0 <= now() <= 2.1
    assert host.verbs("stopped", "kill") == ["stopped next", "kill deep"]
    assert await statuses(supervisor) == {"first": "running", "outer": "stopped"}
    await supervisor.stop()


@virtual
async def test_a_fault_of_our_own_ends_in_a_logged_exit_and_no_caller_hangs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> float:
        raise ZeroDivisionError

    host = FakeHost()
    group = Group(children=(Child("a", 1), Child("b", 1)))
    supervisor = Supervisor(group, host, chance=broken)
    await supervisor.start()
    host.alive["a"].exits(TRAPPED)
    asking = asyncio.create_task(supervisor.count())

    ended = await supervisor.wait()

    assert ended.kind is ExitKind.EXCEPTION
    assert isinstance(ended.error, ZeroDivisionError)
    assert "supervisor root failed" in caplog.text
    assert host.verbs("kill") == ["kill b"]
    assert await refused(asking) == "stopped"


@virtual
async def test_one_that_was_taken_out_of_a_restart_is_not_started_by_the_next() -> None:
    host = FakeHost(a=[Behaviour(), Behaviour(start_seconds=5.0), Behaviour()])
    children = [Child(name, 1) for name in "abc"]
    async with running(host, *children, strategy="rest-for-one") as supervisor:
        host.alive["a"].exits(TRAPPED)
        await settle(1.0)
        await supervisor.terminate_child("b")
        await supervisor.start_child(Child("d", 1))
        host.alive["d"].exits(TRAPPED)
        await settle(1.0)

        assert await statuses(supervisor) == {
            "a": "running",
            "b": "stopped",
            "c": "running",
            "d": "running",
        }
