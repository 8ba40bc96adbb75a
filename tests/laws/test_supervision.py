"""What is true of every supervisor, whatever its children do."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.actor.fake_host import Behaviour, FakeHost
from tests.unit.actor.virtual_time import run

from airssys_wasm.actor import Backoff, Child, Group, Restarting, Strategy, Supervisor, decisions
from airssys_wasm.actor.decisions import Window
from airssys_wasm.errors import SupervisionError

NAMES = st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=8, unique=True)
STRATEGIES: tuple[Strategy, ...] = ("one-for-one", "rest-for-one", "one-for-all")


@given(NAMES, st.data())
def test_strategies_are_nested(names: list[str], data: st.DataObject) -> None:
    """Each wider strategy restarts at least what the narrower one does, in start order."""
    failed = data.draw(st.sampled_from(names))

    one, rest, all_ = (
        decisions.children_to_restart(names, failed, strategy) for strategy in STRATEGIES
    )

    assert set(one) <= set(rest) <= set(all_)
    for chosen in (one, rest, all_):
        assert failed in chosen
        assert sorted(chosen, key=names.index) == list(chosen)


TIMES = st.lists(st.integers(0, 200), max_size=60).map(sorted)


@given(TIMES, st.integers(0, 6), st.integers(1, 50))
def test_a_window_is_exceeded_by_one_more_than_allowed_and_never_sooner(
    times: list[int], allowed: int, seconds: int
) -> None:
    window = Window(allowed, seconds)
    for number, now in enumerate(times):
        window = decisions.record_restart(window, now)
        inside = [time for time in times[: number + 1] if now - seconds <= time]
        assert window.is_exceeded == (len(inside) > allowed)
        # What is told as the number of the attempt is the number of restarts in the window.
        assert len(window.times) == min(len(inside), allowed + 1)


BACKOFFS = st.builds(
    lambda first, more, factor, jitter: Backoff(
        first_seconds=first, max_seconds=first + more, factor=factor, jitter=jitter
    ),
    st.floats(0, 10),
    st.floats(0, 100),
    st.floats(1, 10),
    st.floats(0, 1),
)


@given(BACKOFFS, st.integers(1, 10**6), st.floats(0, 1))
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_the_one_before(
    backoff: Backoff, streak: int, chance: float
) -> None:
    before, after = (
        decisions.wait_seconds(backoff, number, chance) for number in (streak, streak + 1)
    )

    assert 0 <= before <= after <= backoff.max_seconds
    without = decisions.wait_seconds(backoff, streak, 0.5)
    assert abs(before - without) <= backoff.jitter * without + 1e-9


LIVES = st.lists(st.integers(1, 3000), min_size=1, max_size=5)


@given(
    st.lists(LIVES, min_size=1, max_size=4),
    st.sampled_from(STRATEGIES),
    st.integers(0, 6),
    st.integers(1, 20),
)
def test_no_window_ever_holds_more_restarts_than_allowed(
    lives: list[list[int]], strategy: Strategy, allowed: int, within: int
) -> None:
    behaviours = {
        f"child-{number}": [Behaviour(exits_after=life / 1000) for life in each]
        for number, each in enumerate(lives)
    }
    times: list[float] = []

    def listen(event: object) -> None:
        if isinstance(event, Restarting):
            times.append(asyncio.get_running_loop().time())

    async def main() -> None:
        group = Group(
            children=tuple(Child(name, 1) for name in behaviours),
            strategy=strategy,
            intensity=allowed,
            within=float(within),
            backoff=Backoff(first_seconds=0.0),
        )
        supervisor = Supervisor(group, FakeHost(**behaviours), on_event=listen)
        await supervisor.start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(supervisor.wait(), 60.0)
        await supervisor.stop()

    run(main())
    for number, time in enumerate(times):
        assert sum(time - within <= earlier for earlier in times[: number + 1]) <= allowed


@st.composite
def groups(draw: st.DrawFn, depth: int = 2) -> Group:
    """Return a tree; names are those of the path, so none comes twice."""
    return _group(draw, "", depth)


def _group(draw: st.DrawFn, path: str, depth: int) -> Group:
    children = []
    for number in range(draw(st.integers(0, 3))):
        name = f"{path}{number}"
        is_group = depth > 0 and draw(st.booleans())
        source = _group(draw, name, depth - 1) if is_group else "module"
        children.append(Child(name, source))
    return Group(children=tuple(children), strategy=draw(st.sampled_from(STRATEGIES)))


@given(groups())
def test_a_tree_stops_in_the_reverse_order_of_its_start(group: Group) -> None:
    async def main() -> None:
        host = FakeHost()
        supervisor = host.supervise(*group.children, strategy=group.strategy)
        await supervisor.start()
        await supervisor.stop()
        started = [deed.child for deed in host.deeds if deed.verb == "start"]
        stopped = [deed.child for deed in host.deeds if deed.verb == "stopped"]
        assert stopped == started[::-1]

    run(main())


@given(groups(), st.data())
def test_a_tree_that_cannot_start_leaves_nothing_that_runs(
    group: Group, data: st.DataObject
) -> None:
    async def main() -> None:
        names = [child.name for child in workers(group)]
        bad = data.draw(st.sampled_from(names)) if names else None
        host = FakeHost(**({bad: [Behaviour(start_fails=True)]} if bad else {}))
        supervisor = host.supervise(*group.children, strategy=group.strategy)
        if bad is None:
            await supervisor.start()
            await supervisor.stop()
            return
        with pytest.raises(SupervisionError, match="could not be started"):
            await supervisor.start()
        assert not any(made.is_alive for made in host.all)
        started = [deed.child for deed in host.deeds if deed.verb == "up"]
        assert [deed.child for deed in host.deeds if deed.verb == "stopped"] == started[::-1]

    run(main())


def workers(group: Group) -> list[Child]:
    found = []
    for child in group.children:
        found += workers(child.source) if isinstance(child.source, Group) else [child]
    return found
