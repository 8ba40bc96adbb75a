"""Whether a supervisor goes on without a child that has ended: ``Exited.is_over``."""

from __future__ import annotations

import pytest
from tests.unit.actor.fake_host import NORMAL, TRAPPED, Behaviour, FakeHost
from tests.unit.actor.virtual_time import settle, virtual

from airssys_wasm.actor import Child, Exit, Exited, Group, RestartType


def told(host: FakeHost, child: str) -> list[bool]:
    events = [event for event in host.events if isinstance(event, Exited) and event.child == child]
    return [event.is_over for event in events]


@pytest.mark.parametrize(
    ("restart", "end", "is_over"),
    [
        ("permanent", NORMAL, False),
        ("permanent", TRAPPED, False),
        ("transient", NORMAL, True),
        ("transient", TRAPPED, False),
        ("temporary", NORMAL, True),
        ("temporary", TRAPPED, True),
    ],
)
@virtual
async def test_one_that_ends_by_itself_is_over_unless_it_is_restarted(
    restart: RestartType, end: Exit, *, is_over: bool
) -> None:
    host = FakeHost()
    supervisor = host.supervise(Child("a", 1, restart=restart))
    await supervisor.start()

    host.alive["a"].exits(end)
    await settle(1.0)

    assert told(host, "a") == [is_over]
    assert len(host.verbs("start")) == (1 if is_over else 2)
    await supervisor.stop()


@virtual
async def test_so_is_a_group_and_not_one_that_was_stopped_with_a_sibling() -> None:
    host = FakeHost()
    inner = Group(children=[Child("deep", 1)], intensity=0)
    children = [Child("inner", inner, restart="transient"), Child("b", 1)]
    supervisor = host.supervise(*children, strategy="one-for-all")
    await supervisor.start()

    host.alive["b"].exits(TRAPPED)
    await settle(1.0)
    assert told(host, "inner") == [False]
    assert host.verbs("start").count("start deep") == 2

    host.alive["deep"].exits(TRAPPED)
    await settle(1.0)
    assert told(host, "inner") == [False, True]
    assert host.verbs("start").count("start deep") == 2
    await supervisor.stop()


@virtual
async def test_a_temporary_one_is_over_with_a_failed_sibling_but_not_with_its_group() -> None:
    host = FakeHost()
    once = Child("once", 1, restart="temporary")
    supervisor = host.supervise(once, Child("b", 1), strategy="one-for-all")
    await supervisor.start()
    host.alive["b"].exits(TRAPPED)
    await settle(1.0)
    assert told(host, "once") == [True]
    await supervisor.stop()

    host = FakeHost()
    inner = Group(children=[once, Child("b", 1)], intensity=0)
    supervisor = host.supervise(Child("inner", inner))
    await supervisor.start()
    host.alive["b"].exits(TRAPPED)
    await settle(1.0)
    # Its group is started again with all that it was made with.
    assert told(host, "once") == [False]
    assert host.verbs("start").count("start once") == 2
    await supervisor.stop()


@virtual
async def test_a_start_that_fails_is_told_to_who_asked_and_is_not_over_before() -> None:
    host = FakeHost(once=[Behaviour(), Behaviour(start_fails=True), Behaviour()])
    inner = Group(children=[Child("once", 1, restart="temporary"), Child("b", 1)], intensity=0)
    supervisor = host.supervise(Child("inner", inner))
    await supervisor.start()

    host.alive["b"].exits(TRAPPED)
    await settle(1.0)

    # Its group does not start without it, and is tried again.
    assert told(host, "once") == [False, False]
    assert host.verbs("start").count("start once") == 3
    assert host.alive["once"].is_alive
    await supervisor.stop()
