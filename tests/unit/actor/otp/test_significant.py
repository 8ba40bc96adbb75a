"""Group ``significant``: children whose end ends the supervisor."""

from __future__ import annotations

import pytest
from tests.unit.actor.fake_host import NORMAL, TRAPPED, FakeHost, statuses
from tests.unit.actor.virtual_time import settle, virtual

from airssys_wasm.actor import AutoShutdown, Child, ExitKind, Group, Strategy, Supervisor
from airssys_wasm.errors import ChildInvalid, SupervisionError

SIGNIFICANT = Child("child1", 1, restart="transient", significant=True)
AUTO: tuple[AutoShutdown, ...] = ("any-significant", "all-significant")


async def pair(auto: AutoShutdown, child: Child) -> tuple[FakeHost, Supervisor]:
    """Return two significant children and a bystander."""
    host = FakeHost()
    kind = child.restart
    supervisor = host.supervise(
        child,
        Child("child2", 2, restart=kind, significant=child.significant),
        Child("child3", 3, restart=kind),
        auto_shutdown=auto,
        intensity=5,
    )
    await supervisor.start()
    return host, supervisor


async def has_ended(supervisor: Supervisor) -> bool:
    await settle(1.0)
    try:
        await supervisor.count()
    except SupervisionError:
        return True
    return False


@pytest.mark.parametrize("auto", ["never", *AUTO])
@virtual
async def test_nonsignificant_temporary(auto: AutoShutdown) -> None:
    host, supervisor = await pair(auto, Child("child1", 1, restart="temporary"))
    host.alive["child1"].exits(TRAPPED)
    host.alive["child2"].exits(NORMAL)
    await supervisor.terminate_child("child3")

    assert not await has_ended(supervisor)
    await supervisor.stop()


@pytest.mark.parametrize("auto", ["never", *AUTO])
@virtual
async def test_nonsignificant_transient(auto: AutoShutdown) -> None:
    host, supervisor = await pair(auto, Child("child1", 1, restart="transient"))
    host.alive["child1"].exits(TRAPPED)
    host.alive["child2"].exits(NORMAL)
    await supervisor.terminate_child("child3")

    assert not await has_ended(supervisor)
    assert await statuses(supervisor) == {
        "child1": "running",
        "child2": "stopped",
        "child3": "stopped",
    }
    await supervisor.stop()


@virtual
async def test_significant_temporary() -> None:
    child = Child("child1", 1, restart="temporary", significant=True)
    _, supervisor = await pair("any-significant", child)
    await supervisor.terminate_child("child1")
    assert not await has_ended(supervisor)
    await supervisor.stop()

    for end in (TRAPPED, NORMAL):
        host, supervisor = await pair("any-significant", child)
        host.alive["child1"].exits(end)
        assert await has_ended(supervisor)
        assert not any(made.is_alive for made in host.all)

    host, supervisor = await pair("all-significant", child)
    host.alive["child1"].exits(NORMAL)
    assert not await has_ended(supervisor)
    host.alive["child2"].exits(NORMAL)
    assert await has_ended(supervisor)
    assert (await supervisor.wait()).kind is ExitKind.SHUTDOWN


@virtual
async def test_significant_transient() -> None:
    host, supervisor = await pair("any-significant", SIGNIFICANT)
    await supervisor.terminate_child("child1")
    assert not await has_ended(supervisor)
    await supervisor.restart_child("child1")
    # A failure is not an end: it is restarted.
    host.alive["child1"].exits(TRAPPED)
    assert not await has_ended(supervisor)
    host.alive["child1"].exits(NORMAL)
    assert await has_ended(supervisor)

    host, supervisor = await pair("all-significant", SIGNIFICANT)
    host.alive["child1"].exits(NORMAL)
    assert not await has_ended(supervisor)
    host.alive["child2"].exits(NORMAL)
    assert await has_ended(supervisor)


def test_significant_simple() -> None:
    """A child that cannot end, or whose end means nothing, cannot be significant."""
    with pytest.raises(ChildInvalid, match="its group never shuts itself down"):
        Group(children=(SIGNIFICANT,))
    with pytest.raises(ChildInvalid, match="a permanent child never ends"):
        Child("child", 1, significant=True)


STRATEGIES: tuple[Strategy, ...] = ("one-for-one", "one-for-all", "rest-for-one")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("auto", AUTO)
@virtual
async def test_significant_bystander(auto: AutoShutdown, strategy: Strategy) -> None:
    """Significant children that go down with a sibling do not end the supervisor."""
    host = FakeHost()
    supervisor = host.supervise(
        SIGNIFICANT,
        Child("child2", 2, restart="transient"),
        Child("child3", 3, restart="transient", significant=True),
        strategy=strategy,
        auto_shutdown=auto,
        intensity=5,
    )
    await supervisor.start()
    host.alive["child2"].exits(TRAPPED)

    assert not await has_ended(supervisor)
    assert set((await statuses(supervisor)).values()) == {"running"}
    await supervisor.stop()


@pytest.mark.parametrize("significant", [True, False])
@virtual
async def test_significant_escalation(*, significant: bool) -> None:
    host = FakeHost()
    inner = Group(children=(SIGNIFICANT,), auto_shutdown="any-significant")
    group = Child("group", inner, restart="transient", significant=significant)
    supervisor = host.supervise(group, auto_shutdown="any-significant")
    await supervisor.start()
    host.alive["child1"].exits(NORMAL)

    assert await has_ended(supervisor) is significant
    await supervisor.stop()
