"""Cancelled awaits, other threads, and loops that end."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.unit.actor.fake_host import (
    FOREVER,
    TRAPPED,
    Behaviour,
    FakeHost,
    statuses,
)
from tests.unit.actor.virtual_time import VirtualTimeLoop, now, settle, virtual

from airssys_wasm.actor import Child, ExitKind, Group, Started, Stopped, StopReason, Updated
from airssys_wasm.actor import Supervisor as ASupervisor

SLOW = Behaviour(start_seconds=FOREVER)


async def cancelled(task: asyncio.Task[object]) -> None:
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@virtual
async def test_a_cancelled_start_stops_what_has_started() -> None:
    host = FakeHost(c=[SLOW])
    inner = Group(children=(Child("b", 1), Child("c", 1)))
    supervisor = host.supervise(Child("a", 1), Child("group", inner))

    await cancelled(asyncio.create_task(supervisor.start()))

    assert host.verbs("up", "stopped") == ["up a", "up b", "stopped b", "stopped a"]
    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN
    assert now() == 0.0


@virtual
async def test_a_cancelled_start_child_takes_the_child_back() -> None:
    host = FakeHost(b=[SLOW])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()

    await cancelled(asyncio.create_task(supervisor.start_child(Child("b", 1))))
    await settle()

    assert await statuses(supervisor) == {"a": "running"}
    host.behaviours["b"] = [Behaviour()]
    await supervisor.start_child(Child("b", 1))
    await supervisor.stop()


@virtual
async def test_a_cancelled_start_of_a_group_leaves_nothing_of_it() -> None:
    host = FakeHost(inner_2=[SLOW])
    supervisor = host.supervise()
    await supervisor.start()
    group = Group(children=(Child("inner-1", 1), Child("inner-2", 1)))

    await cancelled(asyncio.create_task(supervisor.start_child(Child("group", group))))
    await settle()

    assert await statuses(supervisor) == {}
    assert not any(made.is_alive for made in host.all)
    await supervisor.stop()


@virtual
async def test_a_cancelled_restart_leaves_the_child_down() -> None:
    host = FakeHost(a=[Behaviour(), SLOW])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()
    await supervisor.terminate_child("a")

    await cancelled(asyncio.create_task(supervisor.restart_child("a")))
    await settle()

    assert await statuses(supervisor) == {"a": "stopped"}
    await supervisor.stop()


@virtual
async def test_a_cancelled_stop_goes_on() -> None:
    host = FakeHost(a=[Behaviour(stop_seconds=3.0)])
    supervisor = host.supervise(Child("a", 1))
    await supervisor.start()

    await cancelled(asyncio.create_task(supervisor.stop()))

    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN
    assert now() == 3.0


@virtual
async def test_a_child_stopped_while_someone_waits_for_its_start_refuses_them() -> None:
    host = FakeHost(a=[SLOW])
    supervisor = host.supervise()
    await supervisor.start()
    asking = asyncio.create_task(supervisor.start_child(Child("a", 1)))
    await settle()
    await supervisor.terminate_child("a")

    (error,) = await asyncio.gather(asking, return_exceptions=True)
    assert getattr(error, "reason", None) == "stopped"
    assert await statuses(supervisor) == {}
    await supervisor.stop()


@virtual
async def test_whoever_waits_for_a_start_that_nobody_makes_any_more_is_refused() -> None:
    """The start was stopped by a restart, and then the restart by a user."""
    host = FakeHost(a=[Behaviour(), SLOW], b=[SLOW])
    supervisor = host.supervise(Child("a", 1), strategy="one-for-all")
    await supervisor.start()
    asking = asyncio.create_task(supervisor.start_child(Child("b", 1)))
    await settle(1.0)
    host.alive["a"].exits(TRAPPED)
    await settle(1.0)
    await supervisor.terminate_child("a")

    (error,) = await asyncio.gather(asking, return_exceptions=True)
    assert getattr(error, "reason", None) == "stopped"
    assert await statuses(supervisor) == {"a": "stopped"}
    await supervisor.stop()


def test_a_loop_that_ends_leaves_nothing_that_runs() -> None:
    """As ``asyncio.run`` does it: every task is cancelled, in no order."""
    host = FakeHost(b=[Behaviour(stop_seconds=FOREVER)])
    inner = Group(children=(Child("b", 1),))

    async def main() -> None:
        supervisor = host.supervise(Child("a", 1), Child("group", inner))
        await supervisor.start()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())

    assert [made.is_alive for made in host.all] == [False, False]
    assert [event.path for event in host.events if isinstance(event, Stopped)].count(("sup",)) == 1


def test_it_runs_on_a_loop_of_its_own_in_a_thread() -> None:
    """As a blocking host has it: no loop is set in the thread that asks."""
    host = FakeHost()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    restarted = threading.Event()

    def listen(event: object) -> None:
        if isinstance(event, Started) and event.reason is not None and len(host.all) == 2:
            restarted.set()

    group = Group(children=(Child("a", 1),))
    supervisor = ASupervisor(group, host, on_event=listen)
    try:
        asyncio.run_coroutine_threadsafe(supervisor.start(), loop).result(10)
        listener = host.all[0].listener
        assert listener is not None
        # From this thread, which is not the loop's.
        listener(TRAPPED)
        assert restarted.wait(10)
        found = asyncio.run_coroutine_threadsafe(supervisor.count(), loop).result(10)
        assert found.active == 1
        asyncio.run_coroutine_threadsafe(supervisor.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    # After the loop is closed a word is not heard, and does no harm.
    listener(TRAPPED)
    assert len(host.all) == 2


@virtual
async def test_many_threads_may_tell_at_once() -> None:
    host = FakeHost()
    children = [Child(f"child-{number}", number, restart="temporary") for number in range(200)]
    supervisor = host.supervise(*children)
    await supervisor.start()
    threads = [
        threading.Thread(target=made.listener, args=(TRAPPED,))
        for made in host.all
        if made.listener is not None
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    await settle()

    assert await statuses(supervisor) == {}
    await supervisor.stop()


@virtual
async def test_children_are_told_why_they_stop_and_start() -> None:
    host = FakeHost()
    inner = Group(children=(Child("inner", 1),))
    supervisor = host.supervise(
        Child("a", 1), Child("b", 2), Child("group", inner), strategy="rest-for-one"
    )
    await supervisor.start()
    first_b, inner_1 = host.alive["b"], host.alive["inner"]
    host.alive["a"].exits(TRAPPED)
    await settle()
    assert first_b.stop_reason is StopReason.RESTARTED
    assert inner_1.stop_reason is StopReason.RESTARTED

    second_b = host.alive["b"]
    await supervisor.terminate_child("b")
    assert second_b.stop_reason is StopReason.STOPPED
    await supervisor.restart_child("b", reason=Updated("1.3.0"))
    assert host.reasons["b"][-1] == Updated("1.3.0")

    await supervisor.stop(StopReason.HOST_CLOSING)
    assert host.alive["b"].stop_reason is StopReason.HOST_CLOSING
    assert host.alive["inner"].stop_reason is StopReason.HOST_CLOSING
