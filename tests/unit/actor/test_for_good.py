"""Stopping the child whose failure a restart is about: for a while, or for good."""

from __future__ import annotations

import pytest
from tests.unit.actor.fake_host import TRAPPED, Behaviour, FakeHost, statuses
from tests.unit.actor.virtual_time import settle, virtual

from airssys_wasm.actor import Backoff, Child, Strategy

LATER = Backoff(first_seconds=1.0)
#: Takes a while to stop, so that the restart is met in the middle of that.
STOPS_SLOWLY = Behaviour(stop_seconds=2.0)


@pytest.mark.parametrize("strategy", ["one-for-all", "rest-for-one"])
@pytest.mark.parametrize("behaviour", [Behaviour(), STOPS_SLOWLY])
@virtual
async def test_siblings_come_back_without_a_child_that_is_gone_for_good(
    strategy: Strategy, behaviour: Behaviour
) -> None:
    host = FakeHost(a=[Behaviour()], b=[behaviour], c=[behaviour])
    children = [Child(name, 1) for name in "abc"]
    supervisor = host.supervise(*children, strategy=strategy, backoff=LATER)
    await supervisor.start()

    host.alive["a"].exits(TRAPPED)
    await settle(0.5)
    await supervisor.terminate_child("a", for_good=True)
    await supervisor.delete_child("a")
    await settle(10.0)

    assert await statuses(supervisor) == {"b": "running", "c": "running"}
    assert host.verbs("start")[3:] == ["start b", "start c"]
    # And nothing of that restart is left: the next one is like any other.
    host.alive["b"].exits(TRAPPED)
    await settle(10.0)
    assert await statuses(supervisor) == {"b": "running", "c": "running"}
    await supervisor.stop()


@virtual
async def test_without_anybody_left_a_restart_is_over() -> None:
    host = FakeHost(a=[Behaviour()])
    supervisor = host.supervise(Child("a", 1), strategy="one-for-all", backoff=LATER)
    await supervisor.start()
    host.alive["a"].exits(TRAPPED)
    await settle(0.5)

    await supervisor.terminate_child("a", for_good=True)

    assert await statuses(supervisor) == {"a": "stopped"}
    await settle(10.0)
    assert host.verbs("start") == ["start a"]
    await supervisor.stop()
